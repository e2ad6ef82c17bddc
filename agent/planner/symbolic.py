"""The symbolic planner: a plan is a pure function of the request."""

from collections.abc import Iterable
from typing import Final

from agent.messages import Limits, Plan, PlanRequest, Subgoal, SubgoalKind
from agent.planner.coffee_domain import SERVED, Domain, check_task, coffee_domain, is_imagined, is_search
from agent.planner.effort import Effort
from agent.planner.ordering import arranged
from agent.planner.scene import Scene
from agent.planner.strips import Atom, Operator, Solution, reachable, solve
from agent.planner.wording import dead_end, reason, summary

K = SubgoalKind

_BETTER_BY = 0.75
_BETTER_BY_S = 5.0
"""A plan in force is given up for another only if that one costs less than this share of what is left, less these
seconds: replanning from scratch each time would waver between equals."""
_IDS_PER_PLAN: Final = 100

_TIME_S: Final[dict[SubgoalKind, float]] = {
    K.EXPLORE: 120.0,
    K.GO_TO: 90.0,
    K.PUSH_DOOR: 60.0,
    K.OPEN: 90.0,
    K.CLOSE: 60.0,
    K.LOOK_FOR: 60.0,
    K.PICK: 120.0,
    K.PLACE: 90.0,
    K.OPEN_LID: 60.0,
    K.CLOSE_LID: 60.0,
    K.INSERT_POD: 90.0,
    K.PLACE_UNDER_SPOUT: 90.0,
    K.PRESS: 60.0,
    K.CARRY: 120.0,
    K.SERVE: 90.0,
}
_FULL_MUG: Final = {"speed_m_s": 0.4, "tilt_rad": 0.2}
"""Slow and upright with coffee in the mug."""


class SymbolicPlanner:
    """Plans by search in a STRIPS domain. Remembers nothing between requests."""

    name = "symbolic"

    def plan(self, request: PlanRequest) -> Plan:
        """Raises UnknownTaskError or FactError for a request that cannot be understood."""
        check_task(request.task)
        scene = Scene(request.facts)
        effort = Effort(scene, request.travel_s, request.trials)
        domain = coffee_domain(scene, effort)
        if domain.goal <= domain.initial:
            return Plan(request_id=request.id, subgoals=[], goal_reached=True, explanation="the coffee is served")
        fresh = solve(domain.initial, domain.goal, domain.operators)
        if fresh is None and scene.rows("crowds"):
            # Fewer operators, more depth within the same bound: rather a plan beside open fronts than none.
            domain = coffee_domain(scene, effort, heed_crowding=False)
            fresh = solve(domain.initial, domain.goal, domain.operators)
        if fresh is None:
            allowed_again = coffee_domain(scene, effort, refuse=False)
            unreached = domain.goal - reachable(allowed_again.initial, allowed_again.operators)
            return Plan(request_id=request.id, subgoals=[], error=dead_end(scene, domain.refused, unreached))
        kept = _continuation(domain, request.current)
        if kept is not None and fresh.cost > _BETTER_BY * kept[1].cost - _BETTER_BY_S:
            subgoals, solution = kept
            return Plan(
                request_id=request.id,
                subgoals=subgoals,
                cost=round(solution.cost, 3),
                explanation=summary(solution.operators, kept=True),
            )
        steps = arranged(fresh.operators, domain.initial)
        return Plan(
            request_id=request.id,
            subgoals=_subgoals(steps, scene, request),
            cost=round(fresh.cost, 3),
            explanation=summary(steps, kept=False),
        )


def _subgoals(steps: Iterable[Operator], scene: Scene, request: PlanRequest) -> list[Subgoal]:
    """What can be carried out of a plan: up to and with the first search."""
    subgoals: list[Subgoal] = []
    for step in steps:
        if is_imagined(step):
            break
        kind = SubgoalKind(step.label[0])
        subgoals.append(
            Subgoal(
                id=request.id * _IDS_PER_PLAN + len(subgoals),
                kind=kind,
                target=step.label[1],
                item=step.label[2],
                limits=_limits(kind, step, scene),
                valid_from_s=request.time_s,
                reason=reason(step, scene),
            )
        )
        if is_search(step):
            break
    return subgoals


def _limits(kind: SubgoalKind, step: Operator, scene: Scene) -> Limits:
    carries_coffee = kind in (K.CARRY, K.SERVE) or any(
        scene.holds("full", name) or need[0] == "full" for name in step.objects for need in step.needs
    )
    # Out of the machine a mug comes full, or it is about to be cleared away: careful in both cases.
    takes_from_machine = kind is K.PICK and any(need[0] == "under-spout" for need in step.needs)
    if carries_coffee or takes_from_machine:
        return Limits(time_s=_TIME_S[kind], **_FULL_MUG)
    return Limits(time_s=_TIME_S[kind])


def _continuation(domain: Domain, current: list[Subgoal]) -> tuple[list[Subgoal], Solution] | None:
    """What is left of the plan in force with the cost from here to the goal, or None if it is broken."""
    state: frozenset[Atom] = domain.initial
    left: list[Subgoal] = []
    steps: list[Operator] = []
    for subgoal in current:
        label = (subgoal.kind.value, subgoal.target, subgoal.item)
        matching = [o for o in domain.operators if o.label[:3] == label]
        step = next((o for o in matching if o.needs <= state), None)
        if step is not None:
            state = (state - step.deletes) | step.adds
            left.append(subgoal)
            steps.append(step)
        elif left or not any(o.adds <= state for o in matching):
            return None
        # else: the running subgoal has done its work already.
    if not left:
        return None
    rest = solve(state, domain.goal, domain.operators)
    if rest is None or (rest.operators and not is_search(steps[-1]) and SERVED not in state):
        # Plans end with the goal or with a search; one cut short elsewhere is not in force.
        return None
    total = sum(step.cost for step in steps) + rest.cost
    return left, Solution((*steps, *rest.operators), total)
