"""What the hand feels: whether something is held, and the pose it is held in."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.frames import Pose, from_quaternion
from agent.messages import JOINT_NAMES, PAD_SHAPE, Observation
from controllers.arm_model import ARM_LEASH_RAD
from controllers.plant import ARM

FINGER = JOINT_NAMES.index("finger_width")
HOLDING_FORCE_N = 2.5
WEAKER_PAD_N = 1.0
"""What one pad presses on may be anything; between two pads it is held."""
EMPTY_WIDTH_M = 0.006
LOST_AFTER_TICKS = 15
FORCE_SMOOTHING = 0.25
WEIGHT_SMOOTHING = 0.01
SUPPORT_N, SUPPORTED_TICKS = 2.5, 10


PAD_LENGTH_M = 0.042
_ROW_DEPTH_M = ((np.arange(PAD_SHAPE[0]) + 0.5) / PAD_SHAPE[0] - 0.5) * PAD_LENGTH_M


@dataclass(slots=True)
class Held:
    """Something between the fingers."""

    entity_id: str
    object_in_tool: Pose
    """Of the object's upright frame at the moment it was grasped."""
    pitch_down_rad: float
    width_m: float
    askew: bool = False
    """It turned between the fingers: it is not upright where the hand takes it to be."""


def pads_touch(observation: Observation) -> bool:
    """Both pads press on something that is between them."""
    if observation.grip_force_n <= HOLDING_FORCE_N or observation.joint_position[FINGER] <= EMPTY_WIDTH_M:
        return False
    pads_n = observation.pad_touch_n[:, 0, 0]
    return float(pads_n.sum(axis=(1, 2), dtype=np.float32).min()) > WEAKER_PAD_N


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
        self._torque_in_tool_nm = np.zeros(3)
        self.arm_strain = 0.0
        """How hard something holds back an arm's joint, as a share of what set points may lead by."""
        self.lost: str = ""
        """Id of what slipped out of the hand, until someone reads it."""
        self._empty_ticks = 0
        self._weight_n = 0.0
        self._supported_ticks = 0
        self._pads_n: NDArray[np.float16] = np.zeros((2, *PAD_SHAPE), np.float16)

    @property
    def contact_depth_m(self) -> float | None:
        """Where along the tool's z the pads feel pressure, from the tool frame; None where they feel none.

        A round thing between two flat pads touches them at its axis: this is felt more precisely than seen.
        """
        rows = np.sum(np.maximum(self._pads_n.astype(np.float64), 0.0), axis=(0, 2))
        total = float(np.sum(rows))
        if total < HOLDING_FORCE_N:
            return None
        return float(rows @ _ROW_DEPTH_M) / total

    @property
    def pushed_aside_m(self) -> float:
        """Where along the tool's y what pushes the hand back along its z does so, from its middle."""
        back_n = float(self.tool_in_base.rotation[:, 2] @ self.force_in_base_n)
        return float(self._torque_in_tool_nm[0]) / min(back_n, -HOLDING_FORCE_N)

    @property
    def supported(self) -> bool:
        """Something carries what is held: its weight has been off the hand for a tenth of a second."""
        return self._supported_ticks >= SUPPORTED_TICKS

    def update(self, observation: Observation) -> None:
        pose = observation.tool_pose_in_base
        self.tool_in_base = from_quaternion(pose[:3], pose[3:])
        self.width_m = float(observation.joint_position[FINGER])
        self.force_n = observation.grip_force_n
        felt = self.tool_in_base.rotation @ observation.wrist_wrench_in_tool[:3]
        self.force_in_base_n = self.force_in_base_n + FORCE_SMOOTHING * (felt - self.force_in_base_n)
        torque = observation.wrist_wrench_in_tool[3:]
        self._torque_in_tool_nm = self._torque_in_tool_nm + FORCE_SMOOTHING * (torque - self._torque_in_tool_nm)
        self.arm_strain = float(np.max(np.abs(observation.command_lag[ARM]) / ARM_LEASH_RAD))
        self._pads_n = observation.pad_touch_n[:, 0, 0]
        self.pads_touch = pads_touch(observation)
        if self.held is None:
            return
        lift = float(self.force_in_base_n[2]) + self._weight_n
        self._supported_ticks = self._supported_ticks + 1 if lift > SUPPORT_N else 0
        self._weight_n += WEIGHT_SMOOTHING * (-float(self.force_in_base_n[2]) - self._weight_n)
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
        self._weight_n = max(0.0, -float(self.force_in_base_n[2]))
        self._supported_ticks = 0

    def release(self) -> None:
        self.held = None
        self._empty_ticks = 0
        self._supported_ticks = 0

    def held_in_base(self) -> Pose:
        """Where the held thing is now. Raises RuntimeError with empty fingers."""
        if self.held is None:
            raise RuntimeError("nothing is held")
        return self.tool_in_base @ self.held.object_in_tool
