"""Scripted closing of drawers and doors of cabinets: the closed hand pushes the handle back along its path."""

import numpy as np
from numpy.typing import NDArray

from agent.policies.interface import Motion, Situation
from agent.policies.paths import across_axis, along_path
from agent.policies.scripted.servo import approach, clipped, offset, servo, slowing

Array = NDArray[np.float64]

PUSH_SPEED_M_S = 0.14
SLOWS_FROM, STOP_FROM, STOP_M_S = -0.65, -0.9, 0.05
"""Between these fractions of the way the push slows down to this speed, with which the front meets its own stop."""
NEARLY_SHUT, STOP_N, STOP_SHARE = -0.8, 24.0, 0.7
"""From this fraction of the way on, such a force against the motion, or share of the limit, is the front's own stop."""
SHUT = -1.13
"""Where to stop at the latest."""
BEGUN = -0.02
TRACK_GAIN, TRACK_M_S = 3.0, 0.06
ON_TRACK_M = 0.04
BASE_GAIN, COMFORTABLE_X_M, BASE_M_S = 1.2, 0.62, 0.2


def act(s: Situation) -> Motion:
    fraction, tangent = along_path(s.goal, s.tool_in_target.position)
    off = _off_track(s)
    depth, across, _ = offset(s.tool_in_target, s.goal.tool_in_target)
    begun = fraction < BEGUN and float(np.linalg.norm(off)) < ON_TRACK_M
    if not begun and (depth < -0.012 or across > 0.02):
        twist, phase = approach(s.tool_in_target, s.goal.tool_in_target, s.goal.approach_m, 0.25)
        return Motion(twist, "width", 0.0, phase=phase)
    stop_n = min(STOP_N, STOP_SHARE * s.limits.force_n)
    at_stop = fraction < NEARLY_SHUT and float(tangent @ s.force_in_target_n) > stop_n
    finished = at_stop or fraction < SHUT
    twist = servo(s.tool_in_target, s.goal.tool_in_target, PUSH_SPEED_M_S)
    speed = slowing(PUSH_SPEED_M_S, STOP_M_S, (fraction - SLOWS_FROM) / (STOP_FROM - SLOWS_FROM))
    twist[:3] = -speed * tangent - clipped(TRACK_GAIN * off, TRACK_M_S)
    x, y, _ = s.target_in_base.point(s.tool_in_target.position).tolist()
    base = BASE_GAIN * np.array([x - COMFORTABLE_X_M, 0.6 * y, 0.0])
    return Motion(
        np.zeros(6) if finished else twist,
        "width",
        0.0,
        base_velocity_in_base=np.zeros(3) if finished else np.clip(base, -BASE_M_S, BASE_M_S),
        phase="push-shut",
        finished=finished,
    )


def _off_track(s: Situation) -> Array:
    """From the path on which the tool pushes to the tool, (3,)."""
    start, now = s.goal.tool_in_target.position, s.tool_in_target.position
    if s.goal.axis == "slide":
        return np.array([0.0, *(now - start)[1:]])
    axis, hinge = np.array(s.goal.hinge_direction_in_target), np.array(s.goal.hinge_in_target)
    arm, first = across_axis(now - hinge, axis), across_axis(start - hinge, axis)
    distance = float(np.linalg.norm(arm))
    return arm / max(1e-6, distance) * (distance - float(np.linalg.norm(first))) + axis * float(axis @ (now - start))
