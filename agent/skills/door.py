"""Push a room door open by driving through its doorway, hand first."""

from math import cos, sin

import numpy as np

from agent.belief.belief import Belief
from agent.frames import Pose, tool_rotation
from agent.messages import Observation, Subgoal
from agent.policies.interface import Policy
from agent.skills.command import Command
from agent.skills.drive import BasePose, Drive
from agent.skills.gaze import look_at_map_point
from agent.skills.posture import TRAVEL_LIFT_M, Posture, towards, tucked
from agent.skills.skill import Skill

BEHIND_M = 0.95
PUSH_PITCH_RAD = np.deg2rad(10.0)
TIMEOUT_S = 40.0


class PushDoor(Skill):
    """Drives to the far side of the leaf; cells of the leaf are passable, the walls beside it are not."""

    def __init__(self, subgoal: Subgoal, policy: Policy) -> None:
        super().__init__(subgoal, policy)
        self._drive: Drive | None = None
        self._started_s: float | None = None

    def tick(self, belief: Belief, observation: Observation) -> Command:
        door = belief.entities.get(self.subgoal.target)
        if door is None:
            return self.fail("target-not-known")
        if self._started_s is None:
            self._started_s = belief.time_s
        if self._drive is None or (self._drive.failed and self.attempt < 3):
            self.attempt += 0 if self._drive is None else 1
            self._drive = Drive(self._far_side(belief), fine=False, push_doors=True)
        if self._drive.there:
            return self.succeed()
        if self._drive.failed:
            return self.fail(self._drive.failed)
        if belief.time_s - self._started_s > TIMEOUT_S:
            return self.fail("timeout")
        posture = tucked()
        ahead = posture.tool.position + np.array([0.06, 0.0, 0.0])
        ram = Posture(Pose(ahead, tool_rotation(PUSH_PITCH_RAD)), TRAVEL_LIFT_M)
        twist, rate, _ = towards(ram, belief.hand.tool_in_base, observation)
        velocity = self._drive.tick(belief, observation)
        head = look_at_map_point(door.position, belief.base_in_map, observation)
        return Command(twist, True, "width", 0.0, velocity, rate, head, phase="push")

    def _far_side(self, belief: Belief) -> BasePose:
        door = belief.entities[self.subgoal.target]
        x, y = float(door.position[0]), float(door.position[1])
        normal = (cos(door.yaw), sin(door.yaw))
        ahead = (x - float(belief.base_pose[0])) * normal[0] + (y - float(belief.base_pose[1])) * normal[1]
        sign = 1.0 if ahead >= 0.0 else -1.0
        return BasePose(x + sign * BEHIND_M * normal[0], y + sign * BEHIND_M * normal[1], None, 0.5)
