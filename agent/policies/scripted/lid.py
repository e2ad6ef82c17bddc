"""Scripted lid work: lift the tab from below along its arc; or take the tab and lead it back down.

The goal's hinge axis is horizontal. `u` points from hinge to tab, `n` out of the lid's underside.
"""

from math import atan2, cos, sin

import numpy as np
from numpy.typing import NDArray

from agent.frames import Pose
from agent.policies.interface import Goal, Motion, Situation
from agent.policies.scripted.servo import approach, behind, offset, servo

Array = NDArray[np.float64]

UNDER_M = 0.034
"""Distance of the closed fingers' middle from the tab before they touch it."""
CONTACT_M = 0.010
OPEN_ANGLE_RAD = 1.75
STAYS_OPEN = 0.8
FALLS_SHUT_RAD = 0.85
LIFT_SPEED_M_S = 0.13
LEAD_RAD = 0.25
PRESS_N = 6.0


def angle_of(goal: Goal, point: Array) -> tuple[float, float]:
    """Angle of a point about the hinge (0 where the closed tab is, positive opens) and its distance."""
    hinge, axis = np.array(goal.hinge_in_target), np.array(goal.hinge_direction_in_target)
    out = _out(axis)
    along = point - hinge
    return atan2(float(along[2]), float(along @ out)), float(np.hypot(along[2], along @ out))


def _out(axis: Array) -> Array:
    """Horizontal unit vector from hinge to closed tab: axis × it = up."""
    return np.cross(np.array([0.0, 0.0, 1.0]), axis)


def _radius(goal: Goal) -> float:
    return float(np.linalg.norm(np.array(goal.hinge_in_target)))


def open_lid(s: Situation) -> Motion:
    goal = s.goal
    angle, distance = angle_of(goal, fingers(s.tool_in_target))
    if (s.opening or 0.0) > STAYS_OPEN:
        return _withdraw(s, 0.0)
    below = goal.tool_in_target
    depth, across, _ = offset(s.tool_in_target, below)
    lifting = angle > -0.5 and abs(distance - _radius(goal)) < 0.03 and _along_axis_error(s) < 0.035
    if lifting or (abs(depth) < 0.02 and across < 0.015):
        return _follow(s, angle)
    twist, phase = approach(s.tool_in_target, below, goal.approach_m, 0.2)
    return Motion(twist, "width", 0.0, phase=phase)


def fingers(tool: Pose) -> Array:
    """Middle of the closed fingers near their tips."""
    return tool.position + tool.rotation[:, 2] * 0.010


def _along_axis_error(s: Situation) -> float:
    """How far the fingers are from the tab along the hinge axis."""
    axis = np.array(s.goal.hinge_direction_in_target)
    return abs(float(axis @ (fingers(s.tool_in_target) - fingers(s.goal.tool_in_target))))


def _follow(s: Situation, angle: float) -> Motion:
    """Lead the fingers along the underside of the tab, a little ahead of where they are."""
    goal = s.goal
    axis, hinge = np.array(goal.hinge_direction_in_target), np.array(goal.hinge_in_target)
    out, up = _out(axis), np.array([0.0, 0.0, 1.0])
    ahead = min(max(angle, -0.2) + LEAD_RAD, OPEN_ANGLE_RAD)
    u = out * cos(ahead) + up * sin(ahead)
    n = out * sin(ahead) - up * cos(ahead)
    point = hinge + _radius(goal) * u + CONTACT_M * n
    now = fingers(s.tool_in_target)
    across = (point - now) - axis * float(axis @ (point - now))
    wanted = s.tool_in_target.position + across + axis * float(axis @ (fingers(goal.tool_in_target) - now))
    twist = servo(s.tool_in_target, Pose(wanted, goal.tool_in_target.rotation), LIFT_SPEED_M_S)
    return Motion(twist, "width", 0.0, phase="lift-lid")


def _withdraw(s: Situation, width_m: float) -> Motion:
    back = behind(s.tool_in_target, 0.1)
    gone = float(s.tool_in_target.position[0]) < float(s.goal.tool_in_target.position[0]) - 0.10
    return Motion(servo(s.tool_in_target, back, 0.2), "width", width_m, phase="draw-back", finished=gone)


def close_lid(s: Situation) -> Motion:
    """The target is the closed tab; the tab is now `opening` along its arc."""
    goal = s.goal
    opening = s.opening or 0.0
    grip_at = tab_pose(goal, opening * goal.travel)
    depth, across, _ = offset(s.tool_in_target, grip_at)
    angle, _ = angle_of(goal, s.tool_in_target.position)
    if opening * goal.travel < FALLS_SHUT_RAD and not s.pads_touch:
        return _press_down(s)
    if s.pads_touch:
        if angle < FALLS_SHUT_RAD:
            return Motion(np.zeros(6), "width", 0.09, phase="release")
        return _lead(s, angle - LEAD_RAD)
    if depth > -0.015 and across < 0.02:
        return Motion(np.zeros(6), "force", 12.0, phase="grip")
    twist, phase = approach(s.tool_in_target, grip_at, goal.approach_m, 0.25)
    return Motion(twist, "width", 0.09, phase=phase)


def tab_pose(goal: Goal, angle: float) -> Pose:
    """Tool pose around the tab of a lid that is open by `angle`."""
    axis, hinge = np.array(goal.hinge_direction_in_target), np.array(goal.hinge_in_target)
    u = _out(axis) * cos(angle) + np.array([0.0, 0.0, 1.0]) * sin(angle)
    return Pose(hinge + (_radius(goal) - 0.003) * u, goal.tool_in_target.rotation)


def _lead(s: Situation, angle: float) -> Motion:
    twist = servo(s.tool_in_target, tab_pose(s.goal, angle), LIFT_SPEED_M_S)
    return Motion(twist, "force", 12.0, phase="lead-lid")


def _press_down(s: Situation) -> Motion:
    """Out of the way first, then down on the tab with closed fingers to be sure."""
    goal = s.goal
    over = Pose(
        np.array([goal.tool_in_target.position[0], goal.tool_in_target.position[1], 0.0]), goal.tool_in_target.rotation
    )
    height = float(s.tool_in_target.position[2])
    x = float(s.tool_in_target.position[0])
    pressed = float(s.force_in_target_n[2]) > PRESS_N
    if s.width_m > 0.02:
        away = behind(s.tool_in_target, 0.08)
        clear = x < float(goal.tool_in_target.position[0]) - 0.11
        return Motion(servo(s.tool_in_target, away, 0.2), "width", 0.0 if clear else 0.09, phase="let-go")
    if pressed or height < 0.004:
        return Motion(np.zeros(6), "width", 0.0, phase="pressed", finished=True)
    above = Pose(over.position + np.array([0.0, 0.0, 0.05]), over.rotation)
    lateral = float(np.hypot(*(s.tool_in_target.position - above.position)[:2]))
    if lateral > 0.012 and height < 0.03:
        above = Pose(np.array([x, s.tool_in_target.position[1], 0.06]), over.rotation)
        return Motion(servo(s.tool_in_target, above, 0.2), "width", 0.0, phase="rise")
    if lateral > 0.012:
        return Motion(servo(s.tool_in_target, above, 0.2), "width", 0.0, phase="over")
    down = Pose(over.position - np.array([0.0, 0.0, 0.02]), over.rotation)
    return Motion(servo(s.tool_in_target, down, 0.04), "width", 0.0, phase="press-down")
