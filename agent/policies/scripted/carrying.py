"""Scripted carrying of a full mug: level, near the body, and slowly while it is not level."""

import numpy as np

from agent.policies.interface import Motion, Situation
from agent.policies.limits import tilt_rad
from agent.policies.scripted.servo import servo

GRIP_N = 30.0
BASE_M_S, HAND_M_S = 0.5, 0.2
OF_LIMIT = 0.8
"""Share of the speed limit that the base takes: the hand moves on it."""


def act(s: Situation) -> Motion:
    goal = s.goal.tool_in_target
    twist = servo(s.tool_in_target, goal, HAND_M_S)
    level = max(0.0, 1.0 - tilt_rad(s.tool_in_target.rotation, goal.rotation) / s.limits.tilt_rad)
    speed = level * min(BASE_M_S, OF_LIMIT * s.limits.speed_m_s)
    return Motion(twist, "force", GRIP_N, np.array([speed, 0.0, 0.0]), phase="carry")
