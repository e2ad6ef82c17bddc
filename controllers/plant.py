"""The Plant seam: what a robot's hardware, or its simulation, offers at 500 Hz."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from agent.messages import JOINT_NAMES, PAD_SHAPE, SKIN_PATCHES, Look, Scan

Array = NDArray[np.float64]

ARM = slice(1, 8)
"""The arm's joints within JOINT_NAMES."""
LIFT, FINGER_WIDTH = JOINT_NAMES.index("lift"), JOINT_NAMES.index("finger_width")
HEAD = slice(9, 11)


@dataclass(slots=True)
class Sensed:
    """Proprioception of one step. Arrays may be reused by the plant: copy what you keep."""

    time_s: float
    joint_position: Array
    """(11,) in the order of JOINT_NAMES."""
    joint_velocity: Array
    joint_torque: Array
    base_pose_in_odom: Array
    """(3,) x, y, yaw."""
    base_velocity_in_base: Array
    """(3,)"""
    wrist_wrench_in_tool: Array
    """(6,) exerted by the world on the hand, the hand's own weight removed."""
    pad_normal_n: Array
    """(2,) total normal force of left and right pad."""
    pad_shear_n: Array
    """(2, 2) total shear of each pad along tool x and tool z."""


@dataclass(slots=True)
class TouchFrame:
    """Touch pooled over the steps since the last call: mean, max, change."""

    pads_n: NDArray[np.float16] = field(default_factory=lambda: np.zeros((2, 3, 3, *PAD_SHAPE), np.float16))
    skin_n: NDArray[np.float16] = field(default_factory=lambda: np.zeros((3, SKIN_PATCHES), np.float16))


@dataclass(slots=True)
class PlantCommand:
    """Set points of one step. The joint impedance is the actuators' own."""

    arm_position_rad: Array
    """(7,)"""
    lift_position_m: float
    head_position_rad: Array
    """(2,) pan, tilt."""
    grip_force_n: float
    """Force of the finger motor: positive closes."""
    base_velocity_in_base: Array
    """(3,)"""

    def copy(self) -> "PlantCommand":
        return PlantCommand(
            self.arm_position_rad.copy(),
            self.lift_position_m,
            self.head_position_rad.copy(),
            self.grip_force_n,
            self.base_velocity_in_base.copy(),
        )


class Plant(Protocol):
    """Six methods make a robot. Virtual-time plants advance one PLANT_STEP_S on `apply`;
    real ones return from `sense` when their next period begins."""

    def reset(self) -> None:
        """Back to the initial state."""
        ...

    def sense(self) -> Sensed: ...

    def touch(self) -> TouchFrame:
        """Touch pooled since the last call; called once a tick."""
        ...

    def look(self) -> tuple[Look | None, Scan | None]:
        """What camera and scanner delivered since the last call; called once a tick."""
        ...

    def apply(self, command: PlantCommand) -> None: ...

    def close(self) -> None: ...
