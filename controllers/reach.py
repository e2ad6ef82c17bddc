"""Whole-pose questions for skills and base placement: can the arm reach this, and in what posture?"""

from typing import Final

import numpy as np

from controllers.arm_model import ARM_LOWER_RAD, ARM_UPPER_RAD, HOME_JOINTS, LIFT_RANGE_M, Array
from controllers.ik import ArmIk, Kinematics
from controllers.tool_target import ToolTarget

POSITION_TOLERANCE_M: Final = 0.002
ANGLE_TOLERANCE_RAD: Final = 0.01
ITERATIONS: Final = 60
"""Far more than the 10 to 20 that poses within reach take."""
_STRIDE_M, _STRIDE_RAD = 0.12, 0.5
"""Of one iteration: beyond this the linear model is of no use."""
_STALL: Final = 1e-4
_POSTURES: Final = (
    HOME_JOINTS,
    np.array([0.0, -0.3, 0.0, -2.0, 0.0, 1.7, 0.0]),
    np.array([0.0, 0.4, 0.0, -1.4, 0.0, 1.8, 0.0]),
    np.array([0.0, -1.2, 0.0, -2.2, 0.0, 2.6, 0.0]),
)
"""Starts that cover the work space: folded, half and far stretched, and high."""

_IK = ArmIk()


def solve_pose(tool_pose_in_base: Array, lift_m: float, seed: Array | None = None) -> Array | None:
    """Arm joints (7,) that bring the tool to a pose (7,) (m, quaternion wxyz) within 2 mm and 0.01 rad, or None.

    Keeps joint limits and self-collision limits as the controllers do. `seed` (7,) is where the arm comes from: the
    answer is the one next to it; without it a few postures are tried. Takes 0.2–0.8 ms when the pose is within reach,
    3–6 ms when not. Raises ValueError for a lift out of range or a pose that is no pose.
    """
    low, high = LIFT_RANGE_M
    if not low - 1e-6 <= lift_m <= high + 1e-6:
        raise ValueError(f"lift_m = {lift_m} is out of range [{low}, {high}]")
    pose = np.asarray(tool_pose_in_base, dtype=np.float64)
    if pose.shape != (7,) or not np.isfinite(pose).all() or abs(float(pose[3:] @ pose[3:]) - 1.0) > 1e-3:
        raise ValueError(f"a tool pose is 3 m and a unit quaternion wxyz, got {pose}")
    goal = _Goal(pose)
    seeds = _POSTURES if seed is None else (seed,)
    for start in seeds:
        found = _descend(goal, lift_m, np.clip(start, ARM_LOWER_RAD, ARM_UPPER_RAD))
        if found is not None:
            return found
    return None


def reachable(tool_pose_in_base: Array, lift_m: float) -> bool:
    """Whether the arm reaches a tool pose (7,) in the base frame with the lift there; see `solve_pose`."""
    return solve_pose(tool_pose_in_base, lift_m) is not None


class _Goal(ToolTarget):
    def __init__(self, pose: Array) -> None:
        w, x, y, z = (pose[3:] / np.linalg.norm(pose[3:])).tolist()
        px, py, pz = pose[:3].tolist()
        self.position_m = (px, py, pz)
        self.x = (1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y))
        self.y = (2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x))
        self.z = (2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y))


def _descend(goal: ToolTarget, lift_m: float, start: Array) -> Array | None:
    arm = start.copy()
    best = np.inf
    stalled = 0
    for _ in range(ITERATIONS):
        at = Kinematics.of(arm, lift_m)
        wanted = goal.error(at)
        away_m, away_rad = float(np.hypot.reduce(wanted[:3])), float(np.hypot.reduce(wanted[3:]))
        facing = sum(a * b for a, b in zip(at.z, goal.z, strict=True)) > 0.0
        if away_m < POSITION_TOLERANCE_M and away_rad < ANGLE_TOLERANCE_RAD and facing:
            return arm
        cost = away_m + 0.3 * away_rad
        stalled = 0 if cost < best - _STALL else stalled + 1
        if stalled > 6:
            return None
        best = min(best, cost)
        share = min(1.0, _STRIDE_M / max(away_m, 1e-9), _STRIDE_RAD / max(away_rad, 1e-9))
        step = _IK.step(arm, at, lift_m, [share * w for w in wanted], fast=True)
        arm += step.change_rad
    return None
