"""What each subgoal is expected to cost, in seconds, given where things are and what failed before."""

from collections.abc import Iterable, Mapping
from typing import Final

from agent.messages import SubgoalKind, Trial
from agent.planner.scene import Scene

BASE_S: Final[dict[SubgoalKind, float]] = {
    SubgoalKind.EXPLORE: 90.0,
    SubgoalKind.GO_TO: 5.0,
    SubgoalKind.PUSH_DOOR: 12.0,
    SubgoalKind.OPEN: 14.0,
    SubgoalKind.CLOSE: 12.0,
    SubgoalKind.LOOK_FOR: 6.0,
    SubgoalKind.PICK: 12.0,
    SubgoalKind.PLACE: 10.0,
    SubgoalKind.OPEN_LID: 10.0,
    SubgoalKind.CLOSE_LID: 10.0,
    SubgoalKind.INSERT_POD: 12.0,
    SubgoalKind.PLACE_UNDER_SPOUT: 12.0,
    SubgoalKind.PRESS: 14.0,
    SubgoalKind.CARRY: 12.0,
    SubgoalKind.SERVE: 10.0,
}
"""Without driving. Exploring costs more than a likely search in a known kitchen, so it comes after it, but less
than searching unlikely places."""

DEFAULT_TRAVEL_S: Final = 8.0
"""Where no times are given at all."""
NO_WAY_S: Final = 120.0
"""Where times are given, but none for this entity: no way to it is known."""
FAILURE_S: Final = 40.0
"""Added for each failure since the last success: enough to prefer another mug, machine or place that is known."""
UNSEEN_S: Final = 60.0
"""For relying on something not seen yet: with FAILURE_S a known mug gets a second try before another is searched."""
UNREACHABLE_S: Final = 120.0
REPEAT_S: Final = 30.0
"""Added for each time a search did not end the search."""
UNKNOWN_POWER_S: Final = 60.0
"""For a machine whose power light has not been seen on."""
MAX_FAILURES: Final = 6
MAX_ROUNDS: Final = 8
"""Successes of one and the same subgoal beyond which the plan is going in circles."""
MAX_EXPLORATIONS: Final = 60

_LIKELIHOOD: Final[dict[str, dict[str, float]]] = {
    "mug": {
        "cabinet_hinge_left": 1.0,
        "cabinet_hinge_right": 1.0,
        "shelf": 1.0,
        "dish_rack": 0.9,
        "counter": 0.9,
        "drawer": 0.8,
        "table": 0.7,
        "side_table": 0.6,
        "sink": 0.3,
    },
    "pod": {
        "drawer": 1.0,
        "cabinet_hinge_left": 1.0,
        "cabinet_hinge_right": 1.0,
        "shelf": 0.9,
        "counter": 0.9,
        "table": 0.7,
        "side_table": 0.6,
        "sink": 0.2,
    },
    "coffee_machine": {"counter": 1.0, "side_table": 0.3, "table": 0.3},
    "table": {},
}
"""Rough relative chance that a place of a kind holds a thing of a class, for a household in general."""
_OTHER_LIKELIHOOD: Final = 0.5
_OUTSIDE_KITCHEN: Final = 0.5


def can_hold(kind: str, item: str) -> bool:
    """Whether it makes sense to look for `item` at a place of this kind: machines do not stand in drawers."""
    return item in ("mug", "pod") or kind in _LIKELIHOOD[item]


class Effort:
    """Costs for one request."""

    def __init__(self, scene: Scene, travel_s: Mapping[str, float], trials: Iterable[Trial]) -> None:
        self._scene = scene
        self._travel_s = travel_s
        self._trials = {(trial.kind, trial.target, trial.item): trial for trial in trials}

    def travel(self, entity: str) -> float:
        """Seconds to drive to the entity."""
        if not self._travel_s:
            return DEFAULT_TRAVEL_S
        return max(0.0, self._travel_s.get(entity, NO_WAY_S))

    def cost(self, kind: SubgoalKind, target: str = "", item: str = "", at: str = "") -> float:
        """Expected seconds of a subgoal; with `at`, including the drive to that entity."""
        seconds = BASE_S[kind] + (self.travel(at) if at else 0.0)
        if kind is SubgoalKind.LOOK_FOR:
            seconds = self._search_cost(target, item)
        if target and self._scene.holds("unreachable", target):
            seconds += UNREACHABLE_S
        if (trial := self._trials.get((kind, target, item))) is not None:
            seconds += FAILURE_S * trial.failures
            if kind is SubgoalKind.LOOK_FOR:
                seconds += REPEAT_S * trial.successes
        return seconds

    def _search_cost(self, place: str, item: str) -> float:
        # Searching in the order of effort over likelihood finds things soonest on average.
        effort = BASE_S[SubgoalKind.LOOK_FOR] + self.travel(place)
        front = self._scene.front_of.get(place)
        if front is not None and not self._scene.front_open(front):
            effort += BASE_S[SubgoalKind.OPEN]
        chance = _LIKELIHOOD[item].get(self._scene.kind_of.get(place, ""), _OTHER_LIKELIHOOD)
        if not self._scene.holds("in-kitchen", place):
            chance *= _OUTSIDE_KITCHEN
        return effort / chance

    def failures(self, kind: SubgoalKind, target: str = "", item: str = "") -> int:
        """How often this subgoal failed since it last succeeded."""
        trial = self._trials.get((kind, target, item))
        return 0 if trial is None else trial.failures

    def spoiled(self, kind: SubgoalKind, target: str) -> bool:
        """Whether something speaks against this one, so that another should be considered."""
        trial = self._trials.get((kind, target, ""))
        return self._scene.holds("unreachable", target) or (trial is not None and trial.failures > 0)

    def forbidden(self, kind: SubgoalKind, target: str = "", item: str = "") -> str:
        """Why this subgoal is not to be tried again; empty if it may be."""
        if target and self._scene.holds("gave-up", kind.value, target):
            return f"{kind.value} {target} was given up"
        trial = self._trials.get((kind, target, item))
        if trial is None:
            return ""
        words = " ".join(word for word in (kind.value, target, item) if word)
        if trial.failures >= MAX_FAILURES:
            last = f" (last: {trial.last_reason})" if trial.last_reason else ""
            return f"{words} failed {trial.failures} times{last}"
        if trial.successes >= (MAX_EXPLORATIONS if kind is SubgoalKind.EXPLORE else MAX_ROUNDS):
            return f"{words} was done {trial.successes} times and did not help"
        return ""
