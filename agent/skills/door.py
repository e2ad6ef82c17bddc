"""Push a room door open by driving through its doorway, hand first."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from agent.belief.belief import Belief
from agent.frames import Pose, tool_rotation
from agent.messages import Observation, Subgoal
from agent.policies.interface import Policy
from agent.skills.command import Command
from agent.skills.drive import BasePose, Drive
from agent.skills.gaze import look_at_map_point
from agent.skills.posture import Posture, towards, tuck
from agent.skills.skill import Skill
from controllers.motion import se2
from controllers.motion.doors import DoorPush, Doorway, hinge_seen, plan_push, ram_aside_m, without_leaf
from controllers.motion.follow import DOOR_PUSH, arrived, follow
from controllers.motion.paths import FOOTPRINT_RADIUS_M, Travel

Array = NDArray[np.float64]

PUSH_PITCH_RAD = np.deg2rad(10.0)
RAM_X_M, RAM_Z_M, RAM_LIFT_M = 0.58, 1.1, 0.32
"""The closed hand before the base, at the height of a door's handle."""
RAM_SPEED_M_S = 0.3
MEET_M_S, MEET_M_S2, MEETS_FROM_N = 0.12, 0.2, 6.0
"""Speed and acceleration of the base until the hand feels the leaf: what is hit faster is hit hard."""
BODY_M_S, BODY_GAP_M = 0.10, 0.04
"""Speed of the base while the leaf is this near to its body."""
PUSH_TIMEOUT_S = 25.0
MAX_ATTEMPTS = 2
OPENED = 0.85
"""Opening believed of a leaf that the base has just driven past, until it is seen again."""


class PushDoor(Skill):
    """Stand before the doorway, then drive straight through; the leaf gives way to the hand."""

    def __init__(self, subgoal: Subgoal, policy: Policy) -> None:
        super().__init__(subgoal, policy)
        self._drive: Drive | None = None
        self._doorway: Doorway | None = None
        self._push: DoorPush | None = None
        self._pushing_since_s: float | None = None
        self._hinge = 0

    def tick(self, belief: Belief, observation: Observation) -> Command:
        if self._drive is None and not self._begin(belief):
            return self.fail("target-not-known")
        assert self._drive is not None
        assert self._push is not None
        assert self._doorway is not None
        if self._drive.there:
            twist, rate, ready = towards(self._ram(belief), belief.hand.tool_in_base, observation, RAM_SPEED_M_S)
            may_drive = True
        else:
            twist, rate, may_drive, ready = tuck(belief.hand, observation)
        x, y = self._doorway.position_in_map_m
        head = look_at_map_point(np.array([x, y, 1.0]), belief.base_in_map, observation)
        velocity = np.zeros(3)
        if self._pushing_since_s is not None:
            end = self._push.end_pose_in_map
            if arrived(self._push.through, belief.base_pose, float(end[2]), 0.1, 0.5):
                return self._through_it(belief)
            if belief.time_s - self._pushing_since_s > PUSH_TIMEOUT_S:
                return self._again(belief, "door-stuck")
            velocity = self._through(belief, observation)
        else:
            velocity = self._drive.tick(belief, observation) if may_drive else np.zeros(3)
            if self._drive.failed:
                return self._again(belief, self._drive.failed)
            if self._drive.there and ready:
                self._pushing_since_s = belief.time_s
        return Command(
            twist, True, "width", 0.0, velocity, rate, head, phase="push" if self._pushing_since_s else "travel"
        )

    def _ram(self, belief: Belief) -> Posture:
        """Where the hand pushes: as far to the side as suits how the leaf hangs."""
        assert self._push is not None
        assert self._doorway is not None
        yaw = float(self._push.end_pose_in_map[2])
        if self._hinge == 0 and belief.obstacles_in_base is not None:
            points = se2.transform_points(belief.base_pose, belief.obstacles_in_base)
            self._hinge = hinge_seen(points, self._doorway, yaw)
        offset = belief.base_pose[:2] - np.array(self._doorway.position_in_map_m)
        depth = float(offset @ (np.cos(yaw), np.sin(yaw))) + RAM_X_M
        position = np.array([RAM_X_M, ram_aside_m(depth, self._hinge), RAM_Z_M])
        return Posture(Pose(position, tool_rotation(PUSH_PITCH_RAD)), RAM_LIFT_M)

    def _through_it(self, belief: Belief) -> Command:
        """The base stands behind the doorway, so its leaf is open, seen or not."""
        door = belief.entities.get(self.subgoal.target)
        if door is not None:
            door.state = max(OPENED, door.state or 0.0)
            belief.map.mark_opened(door.id, door.state)
        return self.succeed()

    def _begin(self, belief: Belief) -> bool:
        doorway = belief.map.doorways().get(self.subgoal.target)
        if doorway is None:
            return False
        self._doorway = doorway
        self._push = self._nearer_side(doorway, belief)
        x, y, yaw = (float(v) for v in self._push.approach_pose_in_map)
        self._drive = Drive(BasePose(x, y, yaw, 0.15))
        self._pushing_since_s = None
        return True

    @staticmethod
    def _nearer_side(doorway: Doorway, belief: Belief) -> DoorPush:
        """The push from the side that is the shorter way from here."""
        travel = Travel(belief.map.costs(), belief.base_pose[:2])
        normal = np.array((np.cos(doorway.yaw_in_map_rad), np.sin(doorway.yaw_in_map_rad)))
        middle = np.array(doorway.position_in_map_m)
        sides = [plan_push(doorway, middle + side * normal) for side in (1.0, -1.0)]
        return min(sides, key=lambda push: float(travel.cost_near(push.approach_pose_in_map[:2], 0.25)))

    def _through(self, belief: Belief, observation: Observation) -> Array:
        assert self._push is not None
        assert self._doorway is not None
        obstacles = belief.obstacles_in_base
        if obstacles is not None:
            points = without_leaf(se2.transform_points(belief.base_pose, obstacles), self._doorway)
            obstacles = se2.transform_points(se2.inverse(belief.base_pose), points)
        yaw = float(self._push.end_pose_in_map[2])
        velocity = observation.applied.base_velocity_in_base
        limits = replace(DOOR_PUSH, acceleration_m_s2=MEET_M_S2)
        if belief.obstacles_in_base is not None and _near_the_body(belief.obstacles_in_base):
            limits = replace(DOOR_PUSH, speed_m_s=BODY_M_S)
        elif float(np.linalg.norm(belief.hand.force_in_base_n)) < MEETS_FROM_N:
            limits = replace(DOOR_PUSH, speed_m_s=MEET_M_S, acceleration_m_s2=MEET_M_S2)
        return follow(
            self._push.through,
            belief.base_pose,
            velocity,
            limits=limits,
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


def _near_the_body(obstacles_in_base_m: Array) -> bool:
    """Whether something stands close before the front half of the base."""
    distance = np.hypot(obstacles_in_base_m[:, 0], obstacles_in_base_m[:, 1])
    return bool(np.any((obstacles_in_base_m[:, 0] > 0.12) & (distance < FOOTPRINT_RADIUS_M + BODY_GAP_M)))
