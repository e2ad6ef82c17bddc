"""Open a cabinet, a fridge or a drawer."""

from math import pi

import numpy as np
from numpy.typing import NDArray

from agent.belief.belief import Belief
from agent.belief.classes import DRAWER_TRAVEL_M, HINGE_TRAVEL_RAD, hinge_side
from agent.belief.entities import hinge_offset
from agent.belief.places import OPEN_ENOUGH, is_open
from agent.frames import Pose, tool_rotation
from agent.policies.interface import Goal, Motion
from agent.policies.paths import along_path
from agent.skills.approach import Approach, at_standoffs
from agent.skills.groping import Groping

Array = NDArray[np.float64]

PITCH_RAD = np.deg2rad(6.0)

FARTHER, STANDS_S = 0.01, 2.0
"""A front that is open enough and comes no farther in this time is open, however long it is still pulled."""


class Open(Groping):
    """Target: the closed front's handle."""

    act_timeout_s = 30.0
    ready_width_m = 0.066
    unfolds_low_for_m = 1.25

    def achieved(self, belief: Belief) -> bool:
        return is_open(belief.entities[self.subgoal.target])

    def target_point(self, belief: Belief) -> Array | None:
        front = belief.entities.get(self.subgoal.target)
        return None if front is None else front.position

    def approaches(self, belief: Belief) -> list[Approach]:
        front = belief.entities[self.subgoal.target]
        side = hinge_side(front.class_name)
        roll = 0.0 if side else 0.5 * pi
        yaw = front.yaw + pi
        return at_standoffs(yaw, PITCH_RAD, 0.72, roll, -0.06 * side)

    def goal(self, belief: Belief, approach: Approach, target_in_map: Pose) -> Goal | None:
        front = belief.entities[self.subgoal.target]
        if front.size is None:
            return None
        tool = Pose(np.zeros(3), tool_rotation(approach.pitch_down_rad, approach.roll_rad))
        side = hinge_side(front.class_name)
        if side == 0:
            return Goal(tool, axis="slide", travel=DRAWER_TRAVEL_M)
        radius = hinge_offset(front.class_name, front.size)
        return Goal(
            tool,
            axis="hinge",
            hinge_in_target=(0.0, side * radius, 0.0),
            hinge_direction_in_target=(0.0, 0.0, -float(side)),
            travel=HINGE_TRAVEL_RAD,
        )

    def opening(self, belief: Belief) -> float | None:
        front = belief.entities.get(self.subgoal.target)
        return None if front is None else front.state

    def before_acting(self, belief: Belief) -> None:
        self._farthest, self._farthest_s = 0.0, belief.time_s

    def judge(self, belief: Belief, motion: Motion) -> str:
        assert self._aim is not None
        front = belief.entities[self.subgoal.target]
        if belief.hand.pads_touch and motion.phase in ("pull", "release"):
            tool = self._aim.target_in_map.inverse() @ belief.tool_in_map
            front.state = float(np.clip(along_path(self._aim.goal, tool.position)[0], 0.0, 1.0))
        if belief.hand.width_m < 0.004 and motion.phase == "grip":
            return "missed"
        if (front.state or 0.0) > self._farthest + FARTHER:
            self._farthest, self._farthest_s = front.state or 0.0, belief.time_s
        if self._farthest >= OPEN_ENOUGH and belief.time_s - self._farthest_s > STANDS_S and motion.phase == "pull":
            return "done"
        if motion.finished:
            return "done" if (front.state or 0.0) >= OPEN_ENOUGH else "slipped-off"
        return ""
