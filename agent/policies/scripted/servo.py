"""Proportional motion towards a tool pose, the building block of scripted acting."""

from math import hypot

import numpy as np
from numpy.typing import NDArray

from agent.frames import Pose, rotation_vector

Array = NDArray[np.float64]

POSITION_GAIN = 5.0
ROTATION_GAIN = 4.0
TURN_SPEED_RAD_S = 1.2


def servo(tool: Pose, goal: Pose, speed_m_s: float) -> Array:
    """Twist (6,) that moves the tool to the goal, both in one frame, at most at the given speed."""
    twist = np.empty(6)
    twist[:3] = clipped(POSITION_GAIN * (goal.position - tool.position), speed_m_s)
    twist[3:] = clipped(ROTATION_GAIN * rotation_vector(goal.rotation @ tool.rotation.T), TURN_SPEED_RAD_S)
    return twist


def clipped(vector: Array, length: float) -> Array:
    """The vector, shortened to at most this length."""
    norm = hypot(float(vector[0]), float(vector[1]), float(vector[2]))
    return vector if norm <= length else vector * (length / norm)


def slowing(fast_m_s: float, slow_m_s: float, share: float) -> float:
    """A speed that falls from the one to the other while `share` goes from 0 to 1."""
    return fast_m_s + (slow_m_s - fast_m_s) * min(max(share, 0.0), 1.0)


def behind(goal: Pose, distance_m: float) -> Pose:
    """The goal moved back along the tool's own z."""
    return Pose(goal.position - goal.rotation[:, 2] * distance_m, goal.rotation)


def above(goal: Pose, distance_m: float) -> Pose:
    return Pose(goal.position + np.array([0.0, 0.0, distance_m]), goal.rotation)


def offset(tool: Pose, goal: Pose) -> tuple[float, float, float]:
    """Of the tool from the goal: (depth along the goal's z, distance across it, angle between them)."""
    x, y, z = (float(v) for v in goal.rotation.T @ (tool.position - goal.position))
    turn = rotation_vector(goal.rotation @ tool.rotation.T)
    return z, hypot(x, y), float(np.linalg.norm(turn))


def approach(
    tool: Pose, goal: Pose, from_behind_m: float, speed_m_s: float, corridor_m: float = 0.012, angle_rad: float = 0.12
) -> tuple[Array, str]:
    """Go to a pose behind the goal first, then straight along the tool's z. Returns twist and phase."""
    depth, across, angle = offset(tool, goal)
    widening = 1.0 if depth > -0.5 * from_behind_m else 1.8
    if across < corridor_m * widening and angle < angle_rad * widening and depth > -1.3 * from_behind_m:
        near = 0.3 if depth > -0.04 else 0.7
        return servo(tool, goal, speed_m_s * near), "advance"
    if depth > -0.6 * from_behind_m and across > 2.5 * corridor_m:
        # Beside the corridor and too far in: back out before lining up.
        back = servo(tool, behind(goal, from_behind_m), speed_m_s)
        back[:3] -= goal.rotation[:, 2] * 0.5 * speed_m_s
        return back, "back-out"
    return servo(tool, behind(goal, from_behind_m), speed_m_s), "line-up"
