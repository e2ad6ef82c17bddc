"""How the things under the fingers move: the path of a handle or of a lid's tab, in the target frame.

Skills and every kind of policy share this; there is nothing of acting in it.
"""

from math import atan2

import numpy as np
from numpy.typing import NDArray

from agent.frames import Pose
from agent.policies.interface import Goal

Array = NDArray[np.float64]

FINGERS_M = 0.010
"""From the tool frame to the middle of the closed fingers near their tips."""
RAM_X_M = 0.58
"""So far before the base's centre the closed hand pushes a room door."""


def along_path(goal: Goal, point: Array) -> tuple[float, Array]:
    """Fraction of the travel that a point of the handle shows, and the unit tangent (3,) of opening there."""
    start = goal.tool_in_target.position
    if goal.axis == "slide":
        direction = np.array([-1.0, 0.0, 0.0])
        return float((point - start) @ direction) / goal.travel, direction
    axis = np.array(goal.hinge_direction_in_target)
    hinge = np.array(goal.hinge_in_target)
    first, now = across_axis(start - hinge, axis), across_axis(point - hinge, axis)
    angle = atan2(float(axis @ np.cross(first, now)), float(first @ now))
    tangent = np.cross(axis, now)
    return angle / goal.travel, tangent / max(1e-6, float(np.linalg.norm(tangent)))


def across_axis(vector: Array, axis: Array) -> Array:
    """The part of a vector that is perpendicular to a unit axis."""
    return vector - axis * float(vector @ axis)


def angle_of(goal: Goal, point: Array) -> tuple[float, float]:
    """Angle of a point about the hinge (0 where the closed tab is, positive opens) and its distance."""
    hinge, axis = np.array(goal.hinge_in_target), np.array(goal.hinge_direction_in_target)
    out = from_hinge(axis)
    along = point - hinge
    return atan2(float(along[2]), float(along @ out)), float(np.hypot(along[2], along @ out))


def from_hinge(axis: Array) -> Array:
    """Horizontal unit vector from hinge to closed tab: axis × it = up."""
    return np.cross(np.array([0.0, 0.0, 1.0]), axis)


def fingers(tool: Pose) -> Array:
    """Middle of the closed fingers near their tips."""
    return tool.position + tool.rotation[:, 2] * FINGERS_M
