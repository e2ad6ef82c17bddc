"""Scripted press: closed fingers in front of the button, push until it gives no more, draw back."""

from agent.policies.interface import Motion, Situation
from agent.policies.scripted.servo import approach, behind, offset, servo

PUSH_SPEED_M_S = 0.03
DEEPEST_M = 0.035
LIT = 0.5


def act(s: Situation) -> Motion:
    goal = s.goal.tool_in_target
    depth, across, _ = offset(s.tool_in_target, goal)
    push = -float(goal.rotation[:, 2] @ s.force_in_target_n)
    if (s.opening or 0.0) > LIT or depth > DEEPEST_M or push > 0.75 * s.limits.force_n:
        clear = depth < -0.08
        out = behind(goal, 0.12)
        return Motion(servo(s.tool_in_target, out, 0.2), "width", 0.0, phase="draw-back", finished=clear)
    if depth > -0.03 and across < 0.02:
        twist = servo(s.tool_in_target, behind(goal, -DEEPEST_M - 0.01), PUSH_SPEED_M_S)
        return Motion(twist, "width", 0.0, phase="push")
    twist, phase = approach(s.tool_in_target, goal, s.goal.approach_m, 0.25, corridor_m=0.008)
    return Motion(twist, "width", 0.0, phase=phase)
