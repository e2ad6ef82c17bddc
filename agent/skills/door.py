"""Push a room door open by driving through its doorway, hand first."""

import numpy as np
from numpy.typing import NDArray

from agent.belief.belief import Belief
from agent.frames import Pose, tool_rotation
from agent.messages import Observation, Subgoal
from agent.policies.interface import Policy
from agent.skills.command import Command
from agent.skills.drive import BasePose, Drive
from agent.skills.gaze import look_at_map_point
from agent.skills.posture import TRAVEL_LIFT_M, Posture, towards, tucked
from agent.skills.skill import Skill
from controllers.motion import se2
from controllers.motion.doors import Doorway, DoorPush, plan_push, without_leaf
from controllers.motion.follow import DOOR_PUSH, arrived, follow

Array = NDArray[np.float64]

PUSH_PITCH_RAD = np.deg2rad(10.0)
PUSH_TIMEOUT_S = 20.0
MAX_ATTEMPTS = 3


class PushDoor(Skill):
    """Stand before the doorway, then drive straight through; the leaf gives way."""

    def __init__(self, subgoal: Subgoal, policy: Policy) -> None:
        super().__init__(subgoal, policy)
        self._drive: Drive | None = None
        self._doorway: Doorway | None = None
        self._push: DoorPush | None = None
        self._pushing_since_s: float | None = None

    def tick(self, belief: Belief, observation: Observation) -> Command:
        if self._drive is None and not self._begin(belief):
            return self.fail("target-not-known")
        assert self._drive is not None
        assert self._push is not None
        assert self._doorway is not None
        ram = tucked()
        ahead = ram.tool.position + np.array([0.06, 0.0, 0.0])
        ram = Posture(Pose(ahead, tool_rotation(PUSH_PITCH_RAD)), TRAVEL_LIFT_M)
        twist, rate, ready = towards(ram, belief.hand.tool_in_base, observation)
        x, y = self._doorway.position_in_map_m
        head = look_at_map_point(np.array([x, y, 1.0]), belief.base_in_map, observation)
        velocity = np.zeros(3)
        if self._pushing_since_s is not None:
            end = self._push.end_pose_in_map
            if arrived(self._push.through, belief.base_pose, float(end[2]), 0.1, 0.5):
                return self.succeed()
            if belief.time_s - self._pushing_since_s > PUSH_TIMEOUT_S:
                return self._again(belief, "door-stuck")
            velocity = self._through(belief, observation)
        else:
            velocity = self._drive.tick(belief, observation)
            if self._drive.failed:
                return self._again(belief, self._drive.failed)
            if self._drive.there and ready:
                self._pushing_since_s = belief.time_s
        return Command(
            twist, True, "width", 0.0, velocity, rate, head, phase="push" if self._pushing_since_s else "travel"
        )

    def _begin(self, belief: Belief) -> bool:
        doorway = belief.map.doorways().get(self.subgoal.target)
        if doorway is None:
            return False
        self._doorway = doorway
        self._push = plan_push(doorway, belief.base_pose[:2])
        x, y, yaw = (float(v) for v in self._push.approach_pose_in_map)
        self._drive = Drive(BasePose(x, y, yaw, 0.15))
        self._pushing_since_s = None
        return True

    def _through(self, belief: Belief, observation: Observation) -> Array:
        assert self._push is not None
        assert self._doorway is not None
        obstacles = belief.obstacles_in_base
        if obstacles is not None:
            points = without_leaf(se2.transform_points(belief.base_pose, obstacles), self._doorway)
            obstacles = se2.transform_points(se2.inverse(belief.base_pose), points)
        yaw = float(self._push.end_pose_in_map[2])
        velocity = observation.applied.base_velocity_in_base
        return follow(
            self._push.through,
            belief.base_pose,
            velocity,
            limits=DOOR_PUSH,
            final_yaw_rad=yaw,
            obstacles_in_base_m=obstacles,
            turn_to_motion=False,
        )

    def _again(self, belief: Belief, reason: str) -> Command:
        if self.attempt >= MAX_ATTEMPTS:
            return self.fail(reason)
        self.attempt += 1
        self._drive = None
        return Command()
