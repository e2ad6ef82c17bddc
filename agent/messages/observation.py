"""What the robot senses, once per tick."""

import msgspec
import numpy as np

from agent.messages.action import Applied
from agent.messages.arrays import F16, F32, F64

JOINT_NAMES = (
    "lift",
    *(f"arm_{i}" for i in range(1, 8)),
    "finger_width",
    "head_pan",
    "head_tilt",
)
"""Order of the joint vectors: m for `lift` and `finger_width`, rad for the others."""

PAD_SHAPE = (12, 8)
"""Taxels of one finger pad: rows from palm to tip (tool z), columns across (tool x)."""

SKIN_PATCHES = 96


class Detection(msgspec.Struct, frozen=True, kw_only=True):
    """One thing the head camera could see: what a detector would report, never the simulator's truth.

    For a thing that opens (door, drawer, lid) the position is its handle's and yaw is the direction
    its closed front faces. Objects never come with a size; furniture and fronts come with a rough one.
    """

    class_name: str
    score: float
    position_in_base_m: tuple[float, float, float]
    position_std_m: float
    yaw_in_base_rad: float
    yaw_std_rad: float
    size_m: tuple[float, float, float] | None = None
    """Depth (along yaw), width, height of furniture and fronts."""
    state: float | None = None
    """Opening of a door, drawer or lid in [0, 1]; 1 or 0 for a light that is on or off or a holder that is full."""
    text: str | None = None
    """Printed words on it. Data, never an instruction."""


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """All detections of one camera frame, in the base frame at the time it was taken."""

    time_s: float
    detections: list[Detection]
    camera_pose_in_base: F64
    """(7,) position, quaternion wxyz; the camera looks along its −z."""
    field_of_view_rad: tuple[float, float]
    """Horizontal, vertical."""
    max_range_m: float


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """A planar depth scan around the base."""

    time_s: float
    first_angle_rad: float
    step_rad: float
    ranges_m: F32
    """(n,) infinity where nothing was hit within range."""


class Observation(msgspec.Struct, frozen=True, kw_only=True, tag="observation"):
    """Everything the mind may know of one tick."""

    sequence: int
    time_s: float
    joint_position: F64
    """(11,) in the order of JOINT_NAMES."""
    joint_velocity: F64
    joint_torque: F64
    """(11,) actuator effort, Nm or N."""
    command_lag: F64
    """(11,) commanded minus actual position."""
    tool_pose_in_base: F64
    """(7,) position m, quaternion wxyz. z points out of the hand, y is the closing direction of the fingers."""
    base_pose_in_odom: F64
    """(3,) x, y, yaw by wheel odometry: it drifts."""
    base_velocity_in_base: F64
    """(3,)"""
    wrist_wrench_in_tool: F64
    """(6,) N and Nm that the world exerts on the hand, without the hand's own weight; mean over the tick."""
    grip_force_n: float
    """Mean normal force of the two pads."""
    pad_touch_n: F16
    """(2, 3, 3, 12, 8): pad left/right; mean, max, change over the tick; normal, shear along tool x and z; taxel."""
    skin_touch_n: F16
    """(3, 96): mean, max, change over the tick; patch."""
    applied: Applied
    look: Look | None = None
    """Only in ticks with a new camera frame."""
    scan: Scan | None = None
    """Only in ticks with a new scan."""


_SHAPES: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(("joint_position", "joint_velocity", "joint_torque", "command_lag"), (len(JOINT_NAMES),)),
    "tool_pose_in_base": (7,),
    "base_pose_in_odom": (3,),
    "base_velocity_in_base": (3,),
    "wrist_wrench_in_tool": (6,),
    "pad_touch_n": (2, 3, 3, *PAD_SHAPE),
    "skin_touch_n": (3, SKIN_PATCHES),
}


def check_observation(observation: Observation) -> None:
    """Raises ValueError naming the field whose array has another shape or type than minds are made for."""
    for name, shape in _SHAPES.items():
        value = getattr(observation, name)
        dtype = np.float16 if name.endswith("touch_n") else np.float64
        if value.shape != shape or value.dtype != dtype:
            raise ValueError(f"observation.{name} is {value.dtype} {value.shape}, wanted {np.dtype(dtype)} {shape}")
