"""A small STRIPS planner: what to do, in which order, at least cost.

Method: a delete-relaxed plan (FF's heuristic, supporters by additive cost) is computed once over
everything, and A* first searches only with the operators over the objects that this relaxed plan
touches; only if that fails over all of them. States are bit sets in Python integers.

Deterministic: operators are taken in sorted order and ties broken by order of discovery. Effort
is bounded by the number of expanded states, never by time.
"""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

Atom = tuple[str, ...]
"""Predicate and arguments."""


@dataclass(frozen=True)
class Operator:
    """A ground action. In a state that holds `needs`, it removes `deletes`, then adds `adds`."""

    label: tuple[str, ...]
    """Unique name."""
    objects: frozenset[str]
    """What it touches."""
    needs: frozenset[Atom]
    adds: frozenset[Atom]
    deletes: frozenset[Atom] = frozenset()
    cost: float = 1.0


@dataclass(frozen=True)
class Effort:
    """How hard a search was."""

    expanded: int = 0
    operators: int = 0


@dataclass(frozen=True)
class Solution:
    operators: tuple[Operator, ...]
    cost: float
    effort: Effort = field(default_factory=Effort)


_FIRST_TRIES = ((0.6, 400), (2.0, 2_000))
"""Weight of the heuristic and most states expanded, over the relaxed plan's objects: first for a
cheapest plan (the relaxed cost can be too high by a few tenths), then for any good one."""
_LAST_TRY = (3.0, 6_000)
"""The same over all objects."""


def solve(initial: Iterable[Atom], goal: Iterable[Atom], operators: Iterable[Operator]) -> Solution | None:
    """A plan from `initial` to a state that holds all of `goal`, or None if none was found.

    None is certain where the delete relaxation has no plan; else it means that the search gave up
    after a fixed number of states.
    """
    everything = _Problem(sorted(operators, key=lambda o: o.label), initial, goal)
    relaxed = everything.relaxed_plan(everything.initial)
    if relaxed is None:
        return None
    touched = {name for index in relaxed for name in everything.operators[index].objects}
    few = [operator for operator in everything.operators if operator.objects <= touched]
    narrow = _Problem(few, initial, goal)
    for weight, budget in _FIRST_TRIES:
        if (found := narrow.search(weight, budget)) is not None:
            return found
    return everything.search(*_LAST_TRY)


def reachable(initial: Iterable[Atom], operators: Iterable[Operator]) -> set[Atom]:
    """Every atom that some sequence of operators makes true if nothing is ever deleted."""
    known = set(initial)
    waiting = list(operators)
    while True:
        ready = [operator for operator in waiting if operator.needs <= known]
        if not ready:
            return known
        for operator in ready:
            known |= operator.adds
        waiting = [operator for operator in waiting if not operator.needs <= known]


class _Problem:
    """Operators and states over numbered atoms."""

    def __init__(self, operators: Sequence[Operator], initial: Iterable[Atom], goal: Iterable[Atom]) -> None:
        self.operators = operators
        self._number: dict[Atom, int] = {}
        self.needs = [[self._index(a) for a in sorted(o.needs)] for o in operators]
        self.adds = [[self._index(a) for a in sorted(o.adds)] for o in operators]
        deletes = [[self._index(a) for a in sorted(o.deletes)] for o in operators]
        self.goal = [self._index(a) for a in sorted(goal)]
        self.costs = [o.cost for o in operators]
        self.needs_bits = [_bits(n) for n in self.needs]
        self.adds_bits = [_bits(n) for n in self.adds]
        self.keeps_bits = [~_bits(n) for n in deletes]
        self.goal_bits = _bits(self.goal)
        # Atoms that no operator mentions cannot matter.
        self.initial = _bits([self._number[a] for a in initial if a in self._number])

    def _index(self, atom: Atom) -> int:
        return self._number.setdefault(atom, len(self._number))

    @cached_property
    def users(self) -> list[list[int]]:
        """Per atom the operators that need it."""
        users: list[list[int]] = [[] for _ in self._number]
        for operator, needs in enumerate(self.needs):
            for atom in needs:
                users[atom].append(operator)
        return users

    @cached_property
    def missing(self) -> list[int]:
        return [len(needs) for needs in self.needs]

    def relaxed_plan(self, state: int) -> list[int] | None:
        """Operators of a plan to the goal in which nothing is deleted, or None if there is none."""
        infinity = float("inf")
        price = [infinity] * len(self._number)
        supporter = [-1] * len(self._number)
        missing = self.missing.copy()
        spent = self.costs.copy()
        queue: list[tuple[float, int]] = []
        for atom in range(len(price)):
            if state >> atom & 1:
                price[atom] = 0.0
                queue.append((0.0, atom))
        adds, users = self.adds, self.users

        def fire(operator: int) -> None:
            total = spent[operator]
            for atom in adds[operator]:
                if total < price[atom]:
                    price[atom] = total
                    supporter[atom] = operator
                    heapq.heappush(queue, (total, atom))

        for operator, count in enumerate(missing):
            if count == 0:
                fire(operator)
        heapq.heapify(queue)
        open_goals = set(self.goal)
        while queue and open_goals:
            paid, atom = heapq.heappop(queue)
            if paid > price[atom]:
                continue
            open_goals.discard(atom)
            for operator in users[atom]:
                spent[operator] += paid
                missing[operator] -= 1
                if missing[operator] == 0:
                    fire(operator)
        if open_goals:
            return None
        chosen: set[int] = set()
        stack = list(self.goal)
        while stack:
            operator = supporter[stack.pop()]
            if operator >= 0 and operator not in chosen:
                chosen.add(operator)
                stack.extend(self.needs[operator])
        return sorted(chosen)

    def estimate(self, state: int) -> float | None:
        """Cost of a relaxed plan from the state; None if the goal is out of reach."""
        relaxed = self.relaxed_plan(state)
        return None if relaxed is None else sum(self.costs[index] for index in relaxed)

    def search(self, weight: float, budget: int) -> Solution | None:
        """Weighted A*; None when exhausted or after `budget` expanded states."""
        start = self.estimate(self.initial)
        if start is None:
            return None
        best_cost = {self.initial: 0.0}
        came_by: dict[int, tuple[int, int]] = {}
        estimates: dict[int, float | None] = {self.initial: start}
        queue = [(weight * start, start, 0, self.initial)]
        order = expanded = 0
        closed: set[int] = set()
        while queue and expanded < budget:
            _, _, _, state = heapq.heappop(queue)
            if state in closed:
                continue
            if state & self.goal_bits == self.goal_bits:
                return self._solution(state, came_by, best_cost[state], expanded)
            closed.add(state)
            expanded += 1
            cost_here = best_cost[state]
            for index, needs in enumerate(self.needs_bits):
                if state & needs != needs:
                    continue
                following = state & self.keeps_bits[index] | self.adds_bits[index]
                cost = cost_here + self.costs[index]
                if following == state or cost >= best_cost.get(following, float("inf")):
                    continue
                if following not in estimates:
                    estimates[following] = self.estimate(following)
                guess = estimates[following]
                if guess is None:
                    continue
                best_cost[following] = cost
                came_by[following] = (state, index)
                closed.discard(following)
                order += 1
                heapq.heappush(queue, (cost + weight * guess, guess, order, following))
        return None

    def _solution(self, state: int, came_by: dict[int, tuple[int, int]], cost: float, expanded: int) -> Solution:
        steps: list[Operator] = []
        while state in came_by:
            state, index = came_by[state]
            steps.append(self.operators[index])
        return Solution(tuple(reversed(steps)), cost, Effort(expanded, len(self.operators)))


def _bits(numbers: Iterable[int]) -> int:
    bits = 0
    for number in numbers:
        bits |= 1 << number
    return bits
