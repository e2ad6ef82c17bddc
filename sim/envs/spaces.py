"""What an environment takes and gives: an Action as one vector, an Observation as a dict of arrays.

Observations are physical (m, rad, s, N, Nm); their bounds say what can occur, and what lies beyond is clipped to
them. Actions are shares of ACTION_LIMITS.
"""

from math import pi
from typing import Any, Final

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from agent.messages import (
    JOINT_NAMES,
    PAD_SHAPE,
    SKIN_PATCHES,
    TICK_S,
    Action,
    Detection,
    Look,
    Observation,
    Scan,
    SubgoalKind,
)
from agent.messages.classes import CLASSES
from controllers.arm_model import GRIP_MAX_N
from controllers.gate import GateLimits
from sim.sight.scanner import MAX_RANGE_M as SCAN_RANGE_M
from sim.sight.scanner import RAYS
from sim.tasks.registry import Task

Array32 = NDArray[np.float32]

KINDS: Final = tuple(SubgoalKind)
DETECTIONS: Final = 64
"""Rows; the most certain ones are kept where there are more."""
DETECTION_COLUMNS: Final = (
    "class", "score", "x_m", "y_m", "z_m", "position_std_m", "yaw_rad", "yaw_std_rad",
    "depth_m", "width_m", "height_m", "state",
)  # fmt: skip
"""Sizes are 0 and states −1 where a detection has none."""
ACTION_NAMES: Final = (
    "tool_x_m_s", "tool_y_m_s", "tool_z_m_s", "tool_turn_x_rad_s", "tool_turn_y_rad_s", "tool_turn_z_rad_s",
    "grip_n", "base_x_m_s", "base_y_m_s", "base_turn_rad_s", "lift_m_s", "head_pan_rad_s", "head_tilt_rad_s",
)  # fmt: skip
"""Tool twist relative to the base in base axes; closing force (negative opens); base; lift; head."""

_HOUSE_M = 60.0
_SECONDS = 3600.0


_GATE: Final = GateLimits()
ACTION_LIMITS: Final = np.array(
    [_GATE.tool_speed_m_s] * 3
    + [_GATE.tool_turn_rad_s] * 3
    + [GRIP_MAX_N, _GATE.base_speed_m_s, _GATE.base_speed_m_s, _GATE.base_turn_rad_s, _GATE.lift_rate_m_s]
    + [_GATE.head_rate_rad_s] * 2
)
"""What 1 means in each place of an action: what the safety gate lets through at most."""


def action_space() -> spaces.Box:
    """(13,) in the order of ACTION_NAMES, each from −1 to 1 of ACTION_LIMITS."""
    return spaces.Box(-1.0, 1.0, (len(ACTION_NAMES),), np.float32)


def _box(low: float | Array32, high: float | Array32, *shape: int) -> spaces.Box:
    if isinstance(low, np.ndarray) and isinstance(high, np.ndarray):
        return spaces.Box(low, high, dtype=np.float32)
    assert isinstance(low, float | int)
    assert isinstance(high, float | int)
    return spaces.Box(float(low), float(high), shape, np.float32)


def observation_space() -> spaces.Dict:
    """See docs/tasks.md for the meaning and unit of each entry."""
    joints = len(JOINT_NAMES)
    row_low = np.array([0, 0, -20, -20, -5, 0, -pi, 0, 0, 0, 0, -1], np.float32)
    row_high = np.array([len(CLASSES), 1, 20, 20, 5, 10, pi, 2 * pi, 20, 20, 5, 1], np.float32)
    tool_high = np.array([2, 2, 3, 1, 1, 1, 1], np.float32)
    odom_high = np.array([_HOUSE_M, _HOUSE_M, 100 * pi], np.float32)
    return spaces.Dict(
        {
            "joint_position": _box(-5.0, 5.0, joints),
            "joint_velocity": _box(-20.0, 20.0, joints),
            "joint_torque": _box(-1000.0, 1000.0, joints),
            "command_lag": _box(-5.0, 5.0, joints),
            "tool_pose_in_base": _box(-tool_high, tool_high),
            "base_pose_in_odom": _box(-odom_high, odom_high),
            "base_velocity_in_base": _box(-10.0, 10.0, 3),
            "wrist_wrench_in_tool": _box(-1000.0, 1000.0, 6),
            "grip_force": _box(-200.0, 200.0, 1),
            "pad_touch": _box(-200.0, 200.0, 2, 3, 3, *PAD_SHAPE),
            "skin_touch": _box(-1000.0, 1000.0, 3, SKIN_PATCHES),
            "scan": _box(0.0, SCAN_RANGE_M, RAYS),
            "scan_age": _box(0.0, _SECONDS, 1),
            "detections": _box(np.tile(row_low, (DETECTIONS, 1)), np.tile(row_high, (DETECTIONS, 1))),
            "camera_pose_in_base": _box(-tool_high, tool_high),
            "look_age": _box(0.0, _SECONDS, 1),
            "goal_kind": _box(0.0, 1.0, len(KINDS)),
            "goal_class": _box(0.0, 1.0, len(CLASSES)),
            "time_left": _box(0.0, _SECONDS, 1),
        }
    )


def to_action(vector: NDArray[Any], observation: Observation) -> Action:
    """The Action of a vector (13,), valid for the next tick. Raises ValueError for another shape or no finite
    numbers."""
    numbers = np.asarray(vector, np.float64)
    if numbers.shape != (len(ACTION_NAMES),):
        raise ValueError(f"an action has shape ({len(ACTION_NAMES)},), not {numbers.shape}: {', '.join(ACTION_NAMES)}")
    if not np.all(np.isfinite(numbers)):
        bad = [name for name, value in zip(ACTION_NAMES, numbers, strict=True) if not np.isfinite(value)]
        raise ValueError(f"{', '.join(bad)} of the action is not a finite number")
    numbers = np.clip(numbers, -1.0, 1.0) * ACTION_LIMITS
    return Action(
        sequence=observation.sequence,
        valid_from_s=observation.time_s,
        expires_s=observation.time_s + 2 * TICK_S,
        tool_twist_in_base=np.tile(numbers[:6], (2, 1)),
        grip_mode="force",
        grip=float(numbers[6]),
        base_velocity_in_base=numbers[7:10],
        lift_rate_m_s=float(numbers[10]),
        head_rate_rad_s=numbers[11:13],
    )


class Encoder:
    """Observations as arrays; keeps the latest camera frame and scan until new ones come."""

    def __init__(self, task: Task) -> None:
        self._space = observation_space()
        self._task = task
        self._goal_kind = np.array([float(kind is task.subgoal) for kind in KINDS], np.float32)
        self._goal_class = np.array([float(name in task.target_classes) for name in CLASSES], np.float32)
        self._rows = np.zeros((DETECTIONS, len(DETECTION_COLUMNS)), np.float32)
        self._camera = np.zeros(7)
        self._camera[3] = 1.0
        self._ranges = np.full(RAYS, SCAN_RANGE_M)
        self._look_s = self._scan_s = 0.0

    def encode(self, observation: Observation) -> dict[str, Array32]:
        """Arrays of `observation_space`."""
        if observation.look is not None:
            self._see(observation.look)
        if observation.scan is not None:
            self._scan(observation.scan)
        now = observation.time_s
        numbers: dict[str, Any] = {
            "joint_position": observation.joint_position,
            "joint_velocity": observation.joint_velocity,
            "joint_torque": observation.joint_torque,
            "command_lag": observation.command_lag,
            "tool_pose_in_base": observation.tool_pose_in_base,
            "base_pose_in_odom": observation.base_pose_in_odom,
            "base_velocity_in_base": observation.base_velocity_in_base,
            "wrist_wrench_in_tool": observation.wrist_wrench_in_tool,
            "grip_force": [observation.grip_force_n],
            "pad_touch": observation.pad_touch_n,
            "skin_touch": observation.skin_touch_n,
            "scan": self._ranges,
            "scan_age": [now - self._scan_s],
            "detections": self._rows,
            "camera_pose_in_base": self._camera,
            "look_age": [now - self._look_s],
            "goal_kind": self._goal_kind,
            "goal_class": self._goal_class,
            "time_left": [self._task.time_limit_s - now],
        }
        return {name: self._within(name, value) for name, value in numbers.items()}

    def _within(self, name: str, value: Any) -> Array32:
        box = self._space[name]
        assert isinstance(box, spaces.Box)
        return np.clip(np.asarray(value, np.float32), box.low, box.high)

    def _see(self, look: Look) -> None:
        self._look_s = look.time_s
        self._camera = np.array(look.camera_pose_in_base)
        self._rows = np.zeros_like(self._rows)
        found = sorted(look.detections, key=lambda d: d.position_std_m)[:DETECTIONS]
        for row, detection in zip(self._rows, found, strict=False):
            row[:] = _row(detection)

    def _scan(self, scan: Scan) -> None:
        self._scan_s = scan.time_s
        self._ranges = np.minimum(scan.ranges_m, SCAN_RANGE_M)


def _row(detection: Detection) -> list[float]:
    return [
        1.0 + CLASSES.index(detection.class_name),
        detection.score,
        *detection.position_in_base_m,
        detection.position_std_m,
        detection.yaw_in_base_rad,
        detection.yaw_std_rad,
        *(detection.size_m or (0.0, 0.0, 0.0)),
        -1.0 if detection.state is None else detection.state,
    ]
