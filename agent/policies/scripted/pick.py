"""Scripted pick: line up, advance with open fingers, close, lift, draw back."""

import numpy as np

from agent.frames import Pose
from agent.policies.interface import Motion, Situation
from agent.policies.scripted.servo import above, approach, behind, offset, servo

OPEN_WIDTH_M = 0.108
CLOSE_DEPTH_M = 0.005
CLOSING_WIDTH_M = 0.100
GRIP_N = 24.0
LIFT_M = 0.05
DRAW_BACK_M = 0.16
CENTRING_M_PER_NS = 0.004
LATERAL_DEADBAND_N = 1.5


def act(s: Situation) -> Motion:
    speed = min(0.35, s.limits.speed_m_s)
    goal = s.goal.tool_in_target
    depth, across, _ = offset(s.tool_in_target, goal)
    if s.holding:
        rise = float(s.tool_in_target.position[2] - goal.position[2])
        # Straight up first, then out along the way in, keeping the height.
        out = above(behind(goal, max(0.0, -depth)), LIFT_M) if rise < 0.7 * LIFT_M else _drawn_back(s)
        reached = rise > 0.6 * LIFT_M and depth < -DRAW_BACK_M * 0.85
        return Motion(servo(s.tool_in_target, out, 0.6 * speed), "force", GRIP_N, phase="lift", finished=reached)
    if s.pads_touch or (s.width_m < CLOSING_WIDTH_M and depth > -3 * CLOSE_DEPTH_M and across < 0.04):
        twist = np.zeros(6)
        twist[:3] = _centring(s)
        return Motion(twist, "force", GRIP_N, phase="close")
    if depth > -CLOSE_DEPTH_M and across < 0.015:
        return Motion(np.zeros(6), "force", GRIP_N, phase="close")
    twist, phase = approach(s.tool_in_target, goal, s.goal.approach_m, speed)
    if float(s.force_in_target_n[2]) > 6.0:
        # Resting on the surface: slide along it instead of pressing.
        twist[2] = max(twist[2], 0.02)
    return Motion(twist, "width", OPEN_WIDTH_M, phase=phase)


def _drawn_back(s: Situation) -> Pose:
    goal = behind(s.goal.tool_in_target, DRAW_BACK_M)
    position = goal.position.copy()
    position[2] = max(position[2], float(s.goal.tool_in_target.position[2]) + LIFT_M)
    return Pose(position, goal.rotation)


def _centring(s: Situation) -> np.ndarray:
    """Give way to the finger that touches first."""
    closing = s.tool_in_target.rotation[:, 1]
    lateral = float(closing @ s.force_in_target_n)
    if abs(lateral) < LATERAL_DEADBAND_N:
        return np.zeros(3)
    return closing * float(np.clip(CENTRING_M_PER_NS * lateral, -0.06, 0.06))
