"""Scripted pick: line up, advance with open fingers, close, lift, draw back."""

import numpy as np

from agent.frames import Pose
from agent.policies.interface import Motion, Situation
from agent.policies.scripted.servo import approach, offset, servo

OPEN_WIDTH_M = 0.108
CLOSE_DEPTH_M = 0.005
CLOSING_WIDTH_M = 0.100
GRIP_N = 24.0
DRAW_BACK_M, BEGUN_M = 0.16, 0.03
CENTRING_M_PER_NS = 0.004
LATERAL_DEADBAND_N = 1.5


def act(s: Situation) -> Motion:
    speed = min(0.35, s.limits.speed_m_s)
    goal = s.goal.tool_in_target
    depth, across, _ = offset(s.tool_in_target, goal)
    if s.holding:
        return _take_away(s, 0.6 * speed)
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


def _take_away(s: Situation, speed_m_s: float) -> Motion:
    """Straight up as far as the place needs and allows, then level towards the robot."""
    goal, tool, lift = s.goal.tool_in_target, s.tool_in_target.position, s.goal.above_m
    rise, back = float(tool[2] - goal.position[2]), float(goal.position[0] - tool[0])
    height = float(goal.position[2]) + lift
    if rise < 0.9 * lift and back < BEGUN_M:
        out = Pose(np.array([tool[0], tool[1], height]), goal.rotation)
    else:
        out = Pose(np.array([goal.position[0] - DRAW_BACK_M, goal.position[1], height]), goal.rotation)
    away = rise > 0.7 * lift and back > 0.85 * DRAW_BACK_M
    return Motion(servo(s.tool_in_target, out, speed_m_s), "force", GRIP_N, phase="lift", finished=away)


def _centring(s: Situation) -> np.ndarray:
    """Give way to the finger that touches first."""
    closing = s.tool_in_target.rotation[:, 1]
    lateral = float(closing @ s.force_in_target_n)
    if abs(lateral) < LATERAL_DEADBAND_N:
        return np.zeros(3)
    return closing * float(np.clip(CENTRING_M_PER_NS * lateral, -0.06, 0.06))
