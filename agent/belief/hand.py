"""What the hand feels: whether something is held, and the pose it is held in."""

from dataclasses import dataclass

import numpy as np

from agent.frames import Pose, from_quaternion
from agent.messages import JOINT_NAMES, Observation

FINGER = JOINT_NAMES.index("finger_width")
HOLDING_FORCE_N = 2.5
EMPTY_WIDTH_M = 0.006
LOST_AFTER_TICKS = 15
FORCE_SMOOTHING = 0.25


@dataclass(slots=True)
class Held:
    """Something between the fingers."""

    entity_id: str
    object_in_tool: Pose
    """Of the object's upright frame at the moment it was grasped."""
    pitch_down_rad: float
    width_m: float


class Hand:
    """Filters grip force and width into `touching` and keeps what is held."""

    def __init__(self) -> None:
        self.held: Held | None = None
        self.tool_in_base = Pose(np.zeros(3), np.eye(3))
        self.width_m = 0.0
        self.force_n = 0.0
        self.pads_touch = False
        """Both pads press on something that keeps them apart."""
        self.force_in_base_n = np.zeros(3)
        """What the world exerts on the hand, low-passed over about 40 ms."""
        self.lost: str = ""
        """Id of what slipped out of the hand, until someone reads it."""
        self._empty_ticks = 0

    def update(self, observation: Observation) -> None:
        pose = observation.tool_pose_in_base
        self.tool_in_base = from_quaternion(pose[:3], pose[3:])
        self.width_m = float(observation.joint_position[FINGER])
        self.force_n = observation.grip_force_n
        felt = self.tool_in_base.rotation @ observation.wrist_wrench_in_tool[:3]
        self.force_in_base_n = self.force_in_base_n + FORCE_SMOOTHING * (felt - self.force_in_base_n)
        self.pads_touch = self.force_n > HOLDING_FORCE_N and self.width_m > EMPTY_WIDTH_M
        if self.held is None:
            return
        if self.pads_touch:
            self._empty_ticks = 0
        else:
            self._empty_ticks += 1
            if self._empty_ticks > LOST_AFTER_TICKS:
                self.lost = self.held.entity_id
                self.release()

    def grasp(self, entity_id: str, object_in_base: Pose, pitch_down_rad: float) -> None:
        """The fingers closed on an entity whose upright frame is `object_in_base`."""
        object_in_tool = self.tool_in_base.inverse() @ object_in_base
        self.held = Held(entity_id, object_in_tool, pitch_down_rad, self.width_m)
        self._empty_ticks = 0

    def release(self) -> None:
        self.held = None
        self._empty_ticks = 0

    def held_in_base(self) -> Pose:
        """Where the held thing is now. Raises RuntimeError with empty fingers."""
        if self.held is None:
            raise RuntimeError("nothing is held")
        return self.tool_in_base @ self.held.object_in_tool
