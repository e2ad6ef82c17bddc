"""Where the thing in question was last seen: the one detection of a frame that goes with what is done.

Nobody says which detection is meant. It is the nearest one of the right sort to where the thing was seen last, to the
tool while something is held, or to the target at the beginning. What was seen beside it before is something else: of
two drawers one above the other, the other one is not taken for it in a frame that missed it.
"""

import numpy as np
from numpy.typing import NDArray

from agent.belief.classes import FRONTS, OBJECTS
from agent.messages import SubgoalKind
from agent.messages.classes import LID_CLASSES
from agent.policies.interface import Situation

Array = NDArray[np.float64]

WITHIN_M = 0.3
"""What is seen farther from where it should be is something else."""
SAME_M = 0.06
"""What is seen this near to where something was seen is the same."""
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

    def __call__(self, s: Situation) -> tuple[Array, float]:
        """(3,) in the target frame, zeros before it was ever seen; and how long ago, s, at most LONGEST_S."""
        now = s.observation.time_s
        if s.observation.look is not None:
            self._update(s, now)
        at = np.zeros(3) if self._at is None else self._at
        return at, min(LONGEST_S, now - self._seen_s)

    def _update(self, s: Situation, now_s: float) -> None:
        look = s.observation.look
        sort = _SORTS.get(s.kind, OBJECTS)
        found = [] if look is None else [d.position_in_base_m for d in look.detections if d.class_name in sort]
        if not found:
            return
        expected = s.tool_in_target.position if s.holding else np.zeros(3) if self._at is None else self._at
        there = (np.array(found) - s.target_in_base.position) @ s.target_in_base.rotation
        away = np.linalg.norm(there - expected, axis=1)
        for row in np.argsort(away, kind="stable"):
            if away[row] >= WITHIN_M:
                return
            if away[row] < SAME_M or not self._was_another(there[row]):
                self._at, self._seen_s = there[row], now_s
                self._others = np.delete(there, row, axis=0)
                return

    def _was_another(self, at: Array) -> bool:
        return bool((np.linalg.norm(self._others - at, axis=1) < SAME_M).any())
