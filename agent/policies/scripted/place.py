"""Scripted place: over the spot, down until it carries, let go, draw back."""

import numpy as np

from agent.frames import Pose
from agent.policies.interface import Motion, Situation
from agent.policies.scripted.servo import above, behind, offset, servo

GRIP_N = 24.0
OVER_M = 0.012
DRAW_BACK_M = 0.16
FREE_WIDTH_M = 0.096


def act(s: Situation) -> Motion:
    speed = min(0.3, s.limits.speed_m_s)
    goal = s.goal.tool_in_target
    tool = s.tool_in_target
    if not s.holding:
        depth, _, _ = offset(tool, goal)
        if s.width_m < FREE_WIDTH_M and depth > -0.04:
            return Motion(np.zeros(6), "width", 0.108, phase="let-go")
        gone = depth < -0.9 * DRAW_BACK_M
        out = behind(goal, DRAW_BACK_M + 0.02)
        return Motion(servo(tool, out, 0.7 * speed), "width", 0.108, phase="draw-back", finished=gone)
    gap = tool.position - goal.position
    across = float(np.hypot(gap[0], gap[1]))
    height = float(gap[2])
    _, _, angle = offset(tool, goal)
    if across < OVER_M and height < 0.045 and (s.supported or height < s.goal.let_go_at_m):
        return Motion(np.zeros(6), "force", 0.0, phase="release")
    if s.supported and across > OVER_M:
        # It touches ground before it is over the spot: lift it over.
        twist = servo(tool, Pose(np.array([*goal.position[:2], tool.position[2] + 0.02]), goal.rotation), 0.05)
        return Motion(twist, "force", GRIP_N, phase="lift-over")
    if across < (0.6 * OVER_M if height > 0.5 * s.goal.above_m else OVER_M) and angle < 0.15:
        down = servo(tool, above(goal, -0.03), 0.08 if height > 0.025 else 0.03)
        return Motion(down, "force", GRIP_N, phase="lower")
    # Come in over the way that the skill found free: from behind, and from above where it says so.
    entry = above(goal, s.goal.above_m)
    if across > 0.05 and s.goal.approach_m > 0.0:
        ahead = np.array([1.0, 0.0, 0.0])
        sideways = gap - ahead * float(gap @ ahead)
        if (
            float(np.hypot(sideways[1], sideways[2] - s.goal.above_m)) > 0.02
            and float(gap[0]) < -0.5 * s.goal.approach_m
        ):
            lined_up = np.array([min(float(gap[0]), -0.6 * s.goal.approach_m), 0.0, s.goal.above_m])
            entry = Pose(goal.position + lined_up, goal.rotation)
    return Motion(servo(tool, entry, 0.7 * speed), "force", GRIP_N, phase="carry-over")
