"""Scripted lid work: lift the tab from below along its arc; sweep the open lid over from behind.

The goal's hinge axis is horizontal. `u` points from hinge to tab, `n` out of the lid's underside.
"""

from math import cos, sin

import numpy as np
from numpy.typing import NDArray

from agent.frames import Pose
from agent.policies.interface import Goal, Motion, Situation
from agent.policies.paths import angle_of, fingers, from_hinge
from agent.policies.scripted.servo import above, approach, behind, offset, servo

Array = NDArray[np.float64]

CONTACT_M = 0.010
OPEN_RAD = 1.75
STAYS_OPEN = 0.8
FALLS_SHUT_RAD = 0.85
SWEPT_RAD = 1.25
"""Fingers that came round to here have brought the lid past its balance."""
LIFT_SPEED_M_S = 0.13
LEAD_RAD = 0.25
LANDED_N = 8.0
PRESS_N = 15.0
PRESSED_BELOW_M = 0.09
"""The lid's dome stands this high above its tab."""


def _radius(goal: Goal) -> float:
    return float(np.linalg.norm(np.array(goal.hinge_in_target)))


def open_lid(s: Situation) -> Motion:
    goal = s.goal
    angle, distance = angle_of(goal, fingers(s.tool_in_target))
    if (s.opening or 0.0) > STAYS_OPEN:
        return _withdraw(s)
    below = goal.tool_in_target
    depth, across, _ = offset(s.tool_in_target, below)
    lifting = angle > -0.5 and abs(distance - _radius(goal)) < 0.03 and _along_axis_error(s) < 0.035
    if lifting or (abs(depth) < 0.02 and across < 0.015):
        return _follow(s, angle)
    twist, phase = approach(s.tool_in_target, below, goal.approach_m, 0.2)
    return Motion(twist, "width", 0.0, phase=phase)


def _along_axis_error(s: Situation) -> float:
    """How far the fingers are from the tab along the hinge axis."""
    axis = np.array(s.goal.hinge_direction_in_target)
    return abs(float(axis @ (fingers(s.tool_in_target) - fingers(s.goal.tool_in_target))))


def _follow(s: Situation, angle: float) -> Motion:
    """Lead the fingers along the underside of the tab, a little ahead of where they are."""
    goal = s.goal
    axis, hinge = np.array(goal.hinge_direction_in_target), np.array(goal.hinge_in_target)
    out, up = from_hinge(axis), np.array([0.0, 0.0, 1.0])
    ahead = min(max(angle, -0.2) + LEAD_RAD, OPEN_RAD)
    u = out * cos(ahead) + up * sin(ahead)
    n = out * sin(ahead) - up * cos(ahead)
    point = hinge + _radius(goal) * u + CONTACT_M * n
    now = fingers(s.tool_in_target)
    across = (point - now) - axis * float(axis @ (point - now))
    wanted = s.tool_in_target.position + across + axis * float(axis @ (fingers(goal.tool_in_target) - now))
    twist = servo(s.tool_in_target, Pose(wanted, goal.tool_in_target.rotation), LIFT_SPEED_M_S)
    return Motion(twist, "width", 0.0, phase="lift-lid")


def _withdraw(s: Situation) -> Motion:
    back = behind(s.tool_in_target, 0.1)
    gone = float(s.tool_in_target.position[0]) < float(s.goal.tool_in_target.position[0]) - 0.10
    return Motion(servo(s.tool_in_target, back, 0.2), "width", 0.0, phase="draw-back", finished=gone)


def close_lid(s: Situation) -> Motion:
    """Sweep the closed fingers over from behind the open lid until it falls, then press it shut.

    The goal is the fingers' place behind the lid; the target is the closed tab.
    """
    goal = s.goal
    if (s.opening or 0.0) * goal.travel < FALLS_SHUT_RAD:
        return _press_down(s)
    now = fingers(s.tool_in_target)
    angle, distance = angle_of(goal, now)
    start_angle, start_distance = angle_of(goal, fingers(goal.tool_in_target))
    behind_lid = abs(distance - start_distance) < 0.035 and angle < start_angle + 0.3 and _along_axis_error(s) < 0.03
    if behind_lid and angle > SWEPT_RAD:
        return _sweep(s, angle)
    if behind_lid:
        return Motion(np.zeros(6), "width", 0.0, phase="swept")
    over = above(goal.tool_in_target, goal.above_m)
    gap = s.tool_in_target.position - over.position
    outwards = -from_hinge(np.array(goal.hinge_direction_in_target))
    farther = float(gap @ outwards)
    sideways = gap - farther * outwards
    if -0.015 < farther < 0.06 and float(np.hypot(sideways[0], sideways[1])) < 0.015:
        twist = servo(s.tool_in_target, goal.tool_in_target, 0.12)
        twist[:3] -= outwards * float(outwards @ twist[:3])
        if float(s.force_in_target_n[2]) > LANDED_N:
            # On top of the lid instead of behind it: farther out.
            twist[:3] = 0.06 * outwards + np.array([0.0, 0.0, 0.03])
        return Motion(twist, "width", 0.0, phase="reach-behind")
    if float(gap[2]) < -0.03:
        # Up first: the lid is between here and there.
        up = Pose(np.array([*s.tool_in_target.position[:2], over.position[2]]), over.rotation)
        return Motion(servo(s.tool_in_target, up, 0.25), "width", 0.0, phase="rise")
    return Motion(servo(s.tool_in_target, over, 0.25), "width", 0.0, phase="over-lid")


def _sweep(s: Situation, angle: float) -> Motion:
    goal = s.goal
    axis, hinge = np.array(goal.hinge_direction_in_target), np.array(goal.hinge_in_target)
    _, distance = angle_of(goal, fingers(goal.tool_in_target))
    ahead = angle - LEAD_RAD
    point = hinge + distance * (from_hinge(axis) * cos(ahead) + np.array([0.0, 0.0, 1.0]) * sin(ahead))
    now = fingers(s.tool_in_target)
    across = (point - now) - axis * float(axis @ (point - now))
    wanted = s.tool_in_target.position + across + axis * float(axis @ (fingers(goal.tool_in_target) - now))
    twist = servo(s.tool_in_target, Pose(wanted, goal.tool_in_target.rotation), LIFT_SPEED_M_S)
    return Motion(twist, "width", 0.0, phase="sweep")


def _press_down(s: Situation) -> Motion:
    """Out of the way first, then down on the closed tab to be sure."""
    rotation = s.goal.tool_in_target.rotation
    # The fingertips come down in the middle of the tab, which is the target's origin.
    on_tab = Pose(-rotation[:, 2] * 0.010, rotation)
    gap = s.tool_in_target.position - on_tab.position
    lateral, height = float(np.hypot(gap[0], gap[1])), float(gap[2])
    if height < PRESSED_BELOW_M and lateral < 0.03 and (float(s.force_in_target_n[2]) > PRESS_N or height < 0.0):
        return Motion(np.zeros(6), "width", 0.0, phase="pressed", finished=True)
    if lateral > 0.015 and height < 0.05:
        up = Pose(s.tool_in_target.position + np.array([0.0, 0.0, 0.08]), rotation)
        return Motion(servo(s.tool_in_target, up, 0.25), "width", 0.0, phase="rise")
    if lateral > 0.015:
        return Motion(servo(s.tool_in_target, above(on_tab, 0.07), 0.25), "width", 0.0, phase="over-tab")
    return Motion(servo(s.tool_in_target, above(on_tab, -0.02), 0.05), "width", 0.0, phase="press-down")
