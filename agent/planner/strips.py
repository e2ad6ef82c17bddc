"""A small STRIPS planner: what to do, in which order, at least cost.

Method: a delete-relaxed plan (FF's heuristic, supporters by additive cost) is computed once over everything. Best-first
search then uses only the operators over the objects that this relaxed plan touches; where it meets dead ends, what a
relaxed plan out of the best of them would touch is added; only if that fails too all operators are used. States are bit
sets in Python integers.

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
    """Name. Two operators may share one: other ways of doing the same."""
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


@dataclass(frozen=True)
class _Way:
    """How to search."""

    weight: float
    """Of the heuristic against the cost so far."""
    budget: int
    """Most states expanded."""
    helpful: bool = False
    """Only operators that achieve what the first steps of a relaxed plan achieve (FF's helpful actions): fast, and
    blind for detours."""


_GREEDY = _Way(5.0, 160, helpful=True)
_CAREFUL = _Way(0.6, 120)
"""For a cheaper plan than the greedy one; the relaxed cost can be too high by a few tenths."""
_FEW_OPERATORS = 48
"""The most for which a cheaper plan is looked for: with more, the budget does not get far."""
_THOROUGH = _Way(5.0, 3_000)
_LAST = _Way(3.0, 6_000)
_EXTENSIONS = 4
"""How often objects are added."""
_DEAD_ENDS_KEPT = 32


def solve(initial: Iterable[Atom], goal: Iterable[Atom], operators: Iterable[Operator]) -> Solution | None:
    """A plan from `initial` to a state that holds all of `goal`, or None if none was found.

    None is certain where the delete relaxation has no plan; else it means that the search gave up
    after a fixed number of states.
    """
    everything = _Problem(sorted(operators, key=lambda o: o.label), initial, goal)
    relaxed = everything.relaxed_plan(everything.initial)
    if relaxed is None:
        return None
    touched = everything.objects(relaxed)
    for _ in range(_EXTENSIONS):
        narrow = everything.restricted(touched)
        if (found := narrow.search(_GREEDY)) is not None:
            if len(narrow.operators) <= _FEW_OPERATORS:
                return narrow.search(_CAREFUL, below=found.cost) or found
            return found
        more = everything.ways_out(narrow)
        if more <= touched:
            break
        touched |= more
    return everything.restricted(touched).search(_THOROUGH) or everything.search(_LAST)


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

    def __init__(
        self,
        operators: Sequence[Operator],
        initial: Iterable[Atom],
        goal: Iterable[Atom],
        number: dict[Atom, int] | None = None,
    ) -> None:
        """`number` of atoms: that of a problem whose states are to be shared."""
        self.operators = operators
        self._number: dict[Atom, int] = {} if number is None else number
        self.needs = [[self._index(a) for a in sorted(o.needs)] for o in operators]
        self.adds = [[self._index(a) for a in sorted(o.adds)] for o in operators]
        deletes = [[self._index(a) for a in sorted(o.deletes)] for o in operators]
        self.goal_atoms = sorted(goal)
        self.goal = [self._index(a) for a in self.goal_atoms]
        self.costs = [o.cost for o in operators]
        self.needs_bits = [_bits(n) for n in self.needs]
        self.adds_bits = [_bits(n) for n in self.adds]
        self.keeps_bits = [~_bits(n) for n in deletes]
        self.goal_bits = _bits(self.goal)
        # Atoms that no operator mentions cannot matter.
        self.initial_atoms = sorted(a for a in initial if a in self._number)
        self.initial = _bits([self._number[a] for a in self.initial_atoms])
        self.dead_ends: list[int] = []
        """Some of the states met in a search from which there is no way to the goal."""

    def _index(self, atom: Atom) -> int:
        return self._number.setdefault(atom, len(self._number))

    def objects(self, chosen: Iterable[int]) -> set[str]:
        """What these operators touch."""
        return {name for index in chosen for name in self.operators[index].objects}

    def restricted(self, objects: set[str]) -> "_Problem":
        """The same problem with operators on these objects only; its states have the same meaning."""
        few = [operator for operator in self.operators if operator.objects <= objects]
        return _Problem(few, self.initial_atoms, self.goal_atoms, self._number)

    def ways_out(self, narrow: "_Problem") -> set[str]:
        """What a relaxed plan out of the most promising dead end of a restricted problem touches."""
        best: tuple[float, set[str]] = (float("inf"), set())
        for state in narrow.dead_ends:
            relaxed = self.relaxed_plan(state)
            if relaxed is not None:
                cost = sum(self.costs[index] for index in relaxed)
                best = min(best, (cost, self.objects(relaxed)), key=lambda pair: pair[0])
        return best[1]

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

    def _judge(self, state: int) -> tuple[float, int] | None:
        """Cost of a relaxed plan from the state and what its first steps achieve; None if the goal is out of reach."""
        relaxed = self.relaxed_plan(state)
        if relaxed is None:
            return None
        achieved = 0
        for index in relaxed:
            if state & self.needs_bits[index] == self.needs_bits[index]:
                achieved |= self.adds_bits[index]
        return sum(self.costs[index] for index in relaxed), achieved & ~state

    def search(self, way: _Way, below: float = float("inf")) -> Solution | None:
        """Weighted A* for a plan cheaper than `below`; None when exhausted or out of budget."""
        start = self._judge(self.initial)
        if start is None:
            return None
        best_cost = {self.initial: 0.0}
        came_by: dict[int, tuple[int, int]] = {}
        judged: dict[int, tuple[float, int] | None] = {self.initial: start}
        queue = [(way.weight * start[0], start[0], 0, self.initial)]
        order = expanded = 0
        closed: set[int] = set()
        while queue and expanded < way.budget:
            _, _, _, state = heapq.heappop(queue)
            if state in closed:
                continue
            if state & self.goal_bits == self.goal_bits:
                return self._solution(state, came_by, best_cost[state], expanded)
            closed.add(state)
            expanded += 1
            cost_here = best_cost[state]
            judgement = judged[state]
            wanted = judgement[1] if judgement is not None and way.helpful else -1
            for index, needs in enumerate(self.needs_bits):
                if state & needs != needs or not self.adds_bits[index] & wanted:
                    continue
                following = state & self.keeps_bits[index] | self.adds_bits[index]
                cost = cost_here + self.costs[index]
                if following == state or cost >= best_cost.get(following, below):
                    continue
                if following not in judged:
                    judged[following] = self._judge(following)
                judgement = judged[following]
                if judgement is None:
                    if len(self.dead_ends) < _DEAD_ENDS_KEPT:
                        self.dead_ends.append(following)
                    continue
                best_cost[following] = cost
                came_by[following] = (state, index)
                closed.discard(following)
                order += 1
                heapq.heappush(queue, (cost + way.weight * judgement[0], judgement[0], order, following))
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
