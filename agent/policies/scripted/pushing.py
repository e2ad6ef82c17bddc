"""Scripted pushing of room doors: the closed hand before the base, across the leaf as it gives way."""

import numpy as np

from agent.frames import Pose, carried_twist
from agent.policies.interface import Motion, Situation
from agent.policies.paths import RAM_X_M
from agent.policies.scripted.servo import servo
from controllers.motion.doors import ram_aside_m

SPEED_M_S, MEET_M_S, MEETS_FROM_N = 0.25, 0.12, 6.0
"""Of the base; the lower one until the hand feels the leaf: what is hit faster is hit hard."""
HAND_M_S = 0.3
OF_LIMIT = 0.8
"""Share of the speed limit that the base takes: the hand moves on it."""


def act(s: Situation) -> Motion:
    base_in_target = s.target_in_base.inverse()
    hinge = 0 if s.goal.axis == "none" else 1 if s.goal.hinge_in_target[1] > 0.0 else -1
    aside = ram_aside_m(float(base_in_target.position[0]) + RAM_X_M, hinge)
    height = float(s.target_in_base.position[2])
    ram = Pose(base_in_target.point(np.array([RAM_X_M, aside, height])), s.goal.tool_in_target.rotation)
    twist = servo(s.tool_in_target, ram, HAND_M_S)
    # The hand rides on the base, which is as fast as was asked of it last.
    tool_in_base = s.target_in_base.point(s.tool_in_target.position)
    carried = carried_twist(s.observation.applied.base_velocity_in_base, tool_in_base)
    twist[:3] += base_in_target.rotation @ carried[:3]
    twist[3:] += carried[3:]  # about the vertical, which is the target frame's too
    met = float(np.linalg.norm(s.force_in_target_n)) >= MEETS_FROM_N
    speed = min(SPEED_M_S if met else MEET_M_S, OF_LIMIT * s.limits.speed_m_s)
    return Motion(twist, "width", 0.0, np.array([speed, 0.0, 0.0]), phase="push-door")
