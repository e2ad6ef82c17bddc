"""Where the thing in question was last seen: the one detection of a frame that goes with what is done.

Nobody says which detection is meant. It is the nearest one of the right sort to where the thing was seen last, to the
tool while something is held and to where it was let go of after that, or to the target at the beginning. What was seen
beside it before is something else: of two drawers one above the other, the other one is not taken for it in a frame
that missed it.
"""

import numpy as np
from numpy.typing import NDArray

from agent.belief.classes import FRONTS, OBJECTS
from agent.messages import Look, SubgoalKind
from agent.messages.classes import LID_CLASSES
from agent.policies.interface import Situation
from agent.world_model.permanence import in_clear_view

Array = NDArray[np.float64]

WITHIN_M = 0.3
"""What is seen farther from where it should be is something else."""
HELD_WITHIN_M = 0.12
"""The same for what is held: nothing that large is held farther from the tool."""
SAME_M = 0.06
"""What is seen this near to where something was seen is the same."""
MOST_OTHERS = 30
LONGEST_S = 1.0
_LIDS = frozenset(LID_CLASSES)
_SORTS = {
    SubgoalKind.OPEN: FRONTS,
    SubgoalKind.CLOSE: FRONTS,
    SubgoalKind.PUSH_DOOR: frozenset({"door"}),
    SubgoalKind.OPEN_LID: _LIDS,
    SubgoalKind.CLOSE_LID: _LIDS,
}


class Seen:
    """Follows one thing through the camera's frames. Call `reset` when acting begins, then once a tick."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._at: Array | None = None
        self._others = np.empty((0, 3))
        """Where other things were in the frame that showed it last, in the target frame."""
        self._seen_s = -LONGEST_S
        self._left: Array | None = None
        """Where the tool held it last, until it is seen without being held."""
        self.missing = 0
        """Frames that should have shown it and did not, since it was seen or held last."""

    def __call__(self, s: Situation) -> tuple[Array, float]:
        """(3,) in the target frame, zeros before it was ever seen; and how long ago, s, at most LONGEST_S."""
        now = s.observation.time_s
        if s.holding:
            self._left, self.missing = s.tool_in_target.position, 0
        if s.observation.look is not None:
            self._update(s, s.observation.look, now)
        at = np.zeros(3) if self._at is None else self._at
        return at, min(LONGEST_S, now - self._seen_s)

    def _update(self, s: Situation, look: Look, now_s: float) -> None:
        expected = self._left
        if expected is None:
            expected = np.zeros(3) if self._at is None else self._at
        at = self._found(s, look, expected)
        if at is not None:
            self._at, self._seen_s, self.missing = at, now_s, 0
            self._left = self._left if s.holding else None
        elif not s.holding and (self._left is not None or self._at is not None) and s.kind not in _SORTS:
            # Fronts and lids are hidden by the hand that moves them; and of them alone there are mirrored situations,
            # in which the camera is not.
            tool = s.target_in_base @ s.tool_in_target
            self.missing += in_clear_view(s.target_in_base.point(expected), look, tool)

    def _found(self, s: Situation, look: Look, expected: Array) -> Array | None:
        """(3,) in the target frame; None if this frame does not show it."""
        sort = _SORTS.get(s.kind, OBJECTS)
        found = [d.position_in_base_m for d in look.detections if d.class_name in sort]
        if not found:
            return None
        there = (np.array(found) - s.target_in_base.position) @ s.target_in_base.rotation
        away = np.linalg.norm(there - expected, axis=1)
        if s.holding and s.kind is not SubgoalKind.CARRY:  # there all places move, for the base is the target
            # Whatever is not at the hand is something else, also when it is looked for after it was let go of.
            others = there[away >= HELD_WITHIN_M]
            kept = [at for at in self._others if not _near(others, at)]
            self._others = np.array([*others, *kept][:MOST_OTHERS]).reshape(-1, 3)
        for row in np.argsort(away, kind="stable"):
            if away[row] >= (HELD_WITHIN_M if s.holding else WITHIN_M):
                return None
            if away[row] < SAME_M or not _near(self._others, there[row]):
                if not s.holding:
                    self._others = np.delete(there, row, axis=0)
                return there[row]
        return None


def _near(others: Array, at: Array) -> bool:
    return bool((np.linalg.norm(others - at, axis=1) < SAME_M).any())
