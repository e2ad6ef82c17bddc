"""Among orders of equal cost, the one a person would choose: search first, open fronts only when needed."""

from agent.messages import SubgoalKind
from agent.planner.coffee_domain import is_search
from agent.planner.strips import Atom, Operator

_OPEN = SubgoalKind.OPEN.value


def arranged(steps: tuple[Operator, ...], initial: frozenset[Atom]) -> tuple[Operator, ...]:
    """The same steps, in an order that runs from `initial` as well.

    Searches come as early as they can, for what they show may change everything else; then each front is opened
    as late as it can be, for an open one stands in the way.
    """
    ordered = list(steps)
    for search in reversed([step for step in steps if is_search(step)]):
        ordered = _earliest(ordered, search, initial)
    for step in reversed([step for step in ordered if step.label[0] == _OPEN]):
        ordered = _latest(ordered, step, initial)
    return tuple(ordered)


def _earliest(steps: list[Operator], search: Operator, initial: frozenset[Atom]) -> list[Operator]:
    before = steps[: steps.index(search)]
    opening = [step for step in before if step.label[0] == _OPEN and step.adds & search.needs]
    block = [*opening, search]
    others = [step for step in steps if step not in block]
    for position in range(len(others)):
        moved = [*others[:position], *block, *others[position:]]
        if _runs(moved, initial):
            return moved
    return steps


def _latest(steps: list[Operator], step: Operator, initial: frozenset[Atom]) -> list[Operator]:
    others = [other for other in steps if other is not step]
    for position in range(len(others), steps.index(step), -1):
        moved = [*others[:position], step, *others[position:]]
        if _runs(moved, initial):
            return moved
    return steps


def _runs(steps: list[Operator], state: frozenset[Atom]) -> bool:
    for step in steps:
        if not step.needs <= state:
            return False
        state = (state - step.deletes) | step.adds
    return True
