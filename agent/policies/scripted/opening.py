"""Scripted opening of drawers and doors of cabinets: grip the handle, follow its path, let go, draw back.

The path comes from a guess of the hinge; what the guess has wrong shows as a force across the path, and the
hand gives way to it.
"""

import numpy as np
from numpy.typing import NDArray

from agent.frames import Pose, planar
from agent.policies.interface import Motion, Situation
from agent.policies.paths import across_axis, along_path
from agent.policies.scripted.servo import approach, behind, clipped, offset, servo, slowing

Array = NDArray[np.float64]

GRIP_N = 22.0
OPEN_WIDTH_M = 0.066
"""Wider, and the fingers would meet a neighbour that stands out beside the handle."""
CLOSING_WIDTH_M = 0.05
HANDLE_WIDTH_M = 0.035
"""No handle is thicker."""
PULL_SPEED_M_S = 0.16
SLOWS_FROM, STOP_M_S = 0.7, 0.05
"""From this fraction of the travel on the pull slows down, to meet the front's own stop at no more than this speed."""
GIVE_M_PER_NS = 0.0025
ENOUGH = 0.95
"""Fraction of the travel at which to let go at the latest."""
FELT_STOP, STOP_N = 0.75, 24.0
"""From this fraction on, such a pull against the motion is the front's own stop."""
OF_LIMIT = 0.7
"""Share of the force limit that is felt as a stop at the latest."""
OPEN_ENOUGH = 0.68
"""A front seen this far open needs no more pulling."""
TURNS_WITH = 0.2
BASE_GAIN = 1.2
COMFORTABLE_X_M = 0.62
NEAR_BODY_M = 0.55


def act(s: Situation) -> Motion:
    goal = s.goal.tool_in_target
    depth, across, _ = offset(s.tool_in_target, goal)
    opening, tangent = along_path(s.goal, s.tool_in_target.position)
    if (s.opening or 0.0) >= OPEN_ENOUGH and not s.pads_touch:
        return _leave(s)
    gripped = s.pads_touch and s.width_m < HANDLE_WIDTH_M
    if gripped or (s.width_m < CLOSING_WIDTH_M and depth > -0.03 and across < 0.03):
        if not gripped or s.grip_force_n < 0.5 * GRIP_N:
            return Motion(np.zeros(6), "force", GRIP_N, phase="grip")
        stop_n = min(STOP_N, OF_LIMIT * s.limits.force_n)
        at_stop = opening > FELT_STOP and float(tangent @ s.force_in_target_n) < -stop_n
        if opening >= ENOUGH or at_stop:
            return Motion(np.zeros(6), "width", OPEN_WIDTH_M, phase="release")
        return _pull(s, opening, tangent)
    if depth > -0.012 and across < 0.02:
        return Motion(np.zeros(6), "force", GRIP_N, phase="grip")
    twist, phase = approach(s.tool_in_target, goal, s.goal.approach_m, 0.3)
    return Motion(twist, "width", OPEN_WIDTH_M, phase=phase)


def _pull(s: Situation, opening: float, tangent: Array) -> Motion:
    across_force = across_axis(s.force_in_target_n, tangent)
    linear = slowing(PULL_SPEED_M_S, STOP_M_S, (opening - SLOWS_FROM) / (ENOUGH - SLOWS_FROM)) * tangent + clipped(
        GIVE_M_PER_NS * across_force, 0.08
    )
    twist = np.zeros(6)
    twist[:3] = linear
    turn = servo(s.tool_in_target, Pose(s.tool_in_target.position, _turned(s, opening)), 0.1)
    twist[3:] = turn[3:]
    tool_in_base = s.target_in_base.point(s.tool_in_target.position)
    base = np.array(
        [
            BASE_GAIN * (float(tool_in_base[0]) - COMFORTABLE_X_M),
            0.6 * BASE_GAIN * float(tool_in_base[1]),
            0.0,
        ]
    )
    return Motion(twist, "force", GRIP_N, base_velocity_in_base=np.clip(base, -0.2, 0.2), phase="pull")


def _turned(s: Situation, opening: float) -> Array:
    """The hand turns with a leaf by a part of its angle: else a finger is wedged between handle and panel."""
    if s.goal.axis == "slide":
        return s.goal.tool_in_target.rotation
    axis = np.array(s.goal.hinge_direction_in_target)
    angle = TURNS_WITH * min(max(opening, 0.0), 1.0) * s.goal.travel
    return planar(0.0, 0.0, float(axis[2]) * angle).rotation @ s.goal.tool_in_target.rotation


def _leave(s: Situation) -> Motion:
    """Fingers open, then straight back."""
    if s.width_m < OPEN_WIDTH_M - 0.015:
        return Motion(np.zeros(6), "width", OPEN_WIDTH_M, phase="let-go")
    out = behind(s.tool_in_target, 0.15)
    if _away(s, 0.05):
        # Turned straight again, off the handle: beside the mast there is no room for a hand that is askew.
        out = Pose(out.position, s.goal.tool_in_target.rotation)
    tool_in_base = s.target_in_base.point(s.tool_in_target.position)
    # The arm alone cannot draw back from near the body: the base helps.
    base = np.array([-0.12 if float(tool_in_base[0]) < NEAR_BODY_M else 0.0, 0.0, 0.0])
    twist = servo(s.tool_in_target, out, 0.2)
    return Motion(twist, "width", OPEN_WIDTH_M, base_velocity_in_base=base, phase="draw-back", finished=_away(s, 0.10))


def _away(s: Situation, by_m: float) -> bool:
    """Far enough from where the handle now is."""
    hinge = np.array(s.goal.hinge_in_target)
    axis = np.array(s.goal.hinge_direction_in_target)
    if s.goal.axis == "slide":
        handle_x = float(s.goal.tool_in_target.position[0]) - (s.opening or 0.0) * s.goal.travel
        return float(s.tool_in_target.position[0]) < handle_x - by_m
    radius = float(np.linalg.norm(across_axis(s.goal.tool_in_target.position - hinge, axis)))
    return float(np.linalg.norm(across_axis(s.tool_in_target.position - hinge, axis))) > radius + by_m
