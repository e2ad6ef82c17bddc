"""Things that stand fast and are not where they are seen: what the hand met there, or did not, says where they are."""

import numpy as np
from numpy.typing import NDArray

from agent.belief.belief import Belief
from agent.skills.command import Command
from agent.skills.manipulation import Manipulation

Array = NDArray[np.float64]

FARTHER_M = 0.02
"""Where fingers closed on nothing, the thing is taken to be so much deeper."""
SHORT_M, AGAINST_N = 0.008, 10.0
"""A hand that is held back by so much, so far before it should be there, has met the thing or what it is fixed to."""
ASIDE_M, OUTSIDE_M = 0.015, 0.04
"""What meets the hand so far to the side meets one finger: the thing is there, not between them. Farther out, something
else met the outside of a finger."""
FARTHEST_M = 0.045
"""Nothing is farther than this from where it is seen: what was felt then was something else."""


class Groping(Manipulation):
    """Common part of skills at what stands fast. What an attempt felt of where the thing is counts for all later ones;
    before that, what things in the hand told of how far off sight is."""

    def felt_thing(self, belief: Belief) -> str:
        """Id of the entity whose place is felt."""
        return self.subgoal.target

    def sought_off(self, belief: Belief) -> Array:
        """From where the thing is seen to where it is sought, (3,) m in the map frame."""
        return belief.felt_off.get(self.felt_thing(belief), -belief.eye.in_map)

    def _set_up(self, belief: Belief, point: Array) -> Command:
        return super()._set_up(belief, point + self.sought_off(belief))

    def _stop_short(self, belief: Belief, reason: str) -> Command:
        if self._phase == "act" and reason:
            self._note_where(belief, self.felt_aside(belief, reason))
        return super()._stop_short(belief, reason)

    def felt_aside(self, belief: Belief, reason: str) -> Array:
        """From where an attempt that ended for `reason` sought the thing to where it must be, (3,) m in the target
        frame."""
        assert self._aim is not None
        goal = self._aim.goal.tool_in_target
        ahead, aside = (np.array([*goal.rotation[:2, axis], 0.0]) for axis in (2, 1))
        if reason == "missed":
            return FARTHER_M * ahead
        short_m = float(ahead @ (goal.position - (self._aim.target_in_map.inverse() @ belief.tool_in_map).position))
        against = self._aim.target_in_map.rotation @ ahead
        if short_m < SHORT_M or -float(against @ belief.base_in_map.rotation @ self._force) < AGAINST_N:
            return np.zeros(3)
        beside = belief.hand.pushed_aside_m * aside
        one_finger = ASIDE_M < float(np.linalg.norm(beside)) < OUTSIDE_M
        return beside if one_finger else -short_m * ahead

    def _note_where(self, belief: Belief, off: Array) -> None:
        """`off` (3,) m in the target frame, from where the thing was sought."""
        assert self._aim is not None
        if not off.any():
            return
        off_in_map = self.sought_off(belief) + self._aim.target_in_map.rotation @ off
        near = float(np.linalg.norm(off_in_map)) < FARTHEST_M
        belief.felt_off[self.felt_thing(belief)] = off_in_map if near else np.zeros(3)
