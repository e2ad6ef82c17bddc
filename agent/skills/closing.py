"""Close a cabinet, a fridge or a drawer by pushing on its handle from outside."""

from dataclasses import replace
from math import cos, hypot, sin

import numpy as np
from numpy.typing import NDArray

from agent.belief.belief import Belief
from agent.belief.classes import DRAWER_TRAVEL_M, HINGE_TRAVEL_RAD, hinge_side
from agent.belief.entities import Entity, handle_now, hinge_offset
from agent.belief.places import is_shut
from agent.belief.swing import Swing
from agent.frames import Pose, tool_rotation
from agent.policies.interface import Goal, Motion
from agent.policies.paths import along_path
from agent.skills.approach import Approach, at_standoffs
from agent.skills.manipulation import Aim, Manipulation

Array = NDArray[np.float64]

PITCH_RAD = np.deg2rad(6.0)
BEST_STANDOFF_M = 0.66
BESIDE_M, APART_M, LEAF_APART_M = 0.032, 0.018, 0.03
"""From the handle's axis to the tool frame of a closed hand that touches it; and so much farther off it comes along,
for it must not meet the handle's end, nor a leaf's edge."""
INWARD_M = 0.025
"""So much nearer to the hinge than the handle the hand pushes a leaf, or it slides off the leaf's free edge."""
STAND_ASIDE_M, LESS_ASIDE_M, LESS_ASIDE_PENALTY = 0.14, 0.02, 0.6
"""The leaf of a hinged front comes from this side: the base keeps out of its way, less so where there is no room."""
DRAWN_BACK_S, LOOKS_S = 0.3, 0.3
"""What is seen of the front sooner after pushing may be a look from before; and the hand is not doubted at once."""
QUITE_SHUT = 0.08
BEHIND_HANDLE_M = {"cabinet": 0.067, "fridge": 0.099}
"""From a handle to its hinge's plane, by what furniture is like: a leaf, a finger's room, half a bar."""


class Close(Manipulation):
    """Target: where the handle of the closed front is, in its hinge's plane. The goal is beside the handle as it now
    stands, on the outside."""

    act_timeout_s = 25.0
    fresh_s = 30.0
    """An open front stays as it is, and from behind it is not always seen."""
    ready_width_m = 0.0
    unfolds_low_for_m = 1.25
    verify_s = 2.0

    def achieved(self, belief: Belief) -> bool:
        return is_shut(belief.entities[self.subgoal.target])

    def target_point(self, belief: Belief) -> Array | None:
        front = belief.entities.get(self.subgoal.target)
        return None if front is None or front.size is None else self._target(front)[0]

    @staticmethod
    def _target(front: Entity) -> tuple[Array, Array, float]:
        """The target (3,) in the map frame, the handle in the target frame (3,), and how far it is from its hinge.

        A hinge lies behind its handle. The target is where a handle would be that stood beside the hinge, so that the
        hinge of every leaf is straight to the side of the target, as policies know it.
        """
        assert front.size is not None
        handle, side = handle_now(front), hinge_side(front.class_name)
        # x of the target frame points into the front, y to the left of someone who faces it.
        into = -np.array([cos(front.yaw), sin(front.yaw), 0.0])
        left = np.array([-into[1], into[0], 0.0])
        target, radius = front.position, 0.0
        if side:
            angle, beside = (front.state or 0.0) * HINGE_TRAVEL_RAD, hinge_offset(front.class_name, front.size)
            behind = BEHIND_HANDLE_M[front.class_name.split("_", maxsplit=1)[0]]
            radius = hypot(beside, behind)
            hinge = handle + (beside * sin(angle) + behind * cos(angle)) * into
            hinge = hinge + side * (beside * cos(angle) - behind * sin(angle)) * left
            target = hinge - side * radius * left
        out = handle - target
        return target, np.array([float(out @ into), float(out @ left), 0.0]), radius

    def approaches(self, belief: Belief) -> list[Approach]:
        front = belief.entities[self.subgoal.target]
        x, y, _ = (float(v) for v in self._target(front)[1])
        side = hinge_side(front.class_name)
        ways = []
        for aside, penalty in ((STAND_ASIDE_M, 0.0), (LESS_ASIDE_M, LESS_ASIDE_PENALTY)):
            for way in at_standoffs(front.yaw + np.pi, PITCH_RAD, BEST_STANDOFF_M):
                standoff, aside_m = way.standoff_m - x, y + aside * side
                ways.append(replace(way, standoff_m=standoff, aside_m=aside_m, penalty=way.penalty + penalty))
        return ways

    def goal(self, belief: Belief, approach: Approach, target_in_map: Pose) -> Goal | None:
        front = belief.entities[self.subgoal.target]
        if front.size is None or front.state is None:
            return None
        side, (_, handle, radius) = hinge_side(front.class_name), self._target(front)
        rotation = tool_rotation(approach.pitch_down_rad, approach.roll_rad)
        if side == 0:
            at = handle + np.array([-BESIDE_M - APART_M, 0.0, 0.0])
            return Goal(Pose(at, rotation), axis="slide", travel=front.state * DRAWER_TRAVEL_M + APART_M)
        angle = front.state * HINGE_TRAVEL_RAD
        hinge = np.array([0.0, side * radius, 0.0])
        outside = np.array([-cos(angle), side * sin(angle), 0.0])
        inward = (hinge - handle) / radius
        return Goal(
            Pose(handle + (BESIDE_M + LEAF_APART_M) * outside + INWARD_M * inward, rotation),
            axis="hinge",
            hinge_in_target=tuple(hinge.tolist()),
            hinge_direction_in_target=(0.0, 0.0, -float(side)),
            travel=angle + LEAF_APART_M / radius,
        )

    def opening(self, belief: Belief) -> float | None:
        front = belief.entities.get(self.subgoal.target)
        return None if front is None else front.state

    def before_acting(self, belief: Belief) -> None:
        assert self._aim is not None
        front = belief.entities[self.subgoal.target]
        self._opening_at_first = front.state or 0.0
        self._looked_s = front.last_seen_s
        hinge = self._hinge(self._aim)[:2]
        self._swing = Swing(hinge, float(np.linalg.norm(handle_now(front)[:2] - hinge)))

    @staticmethod
    def _hinge(aim: Aim) -> Array:
        """(3,) in the map frame."""
        return aim.target_in_map.point(np.array(aim.goal.hinge_in_target))

    def _follow_hinge(self, aim: Aim, front: Entity) -> None:
        """Move the target to where the hinge is found to be."""
        if front.last_seen_s == self._looked_s:
            return
        self._looked_s = front.last_seen_s
        self._swing.see(front.seen_at[:2])
        move = np.array([*(self._swing.hinge - self._hinge(aim)[:2]), 0.0])
        aim.target_in_map = Pose(aim.target_in_map.position + move, aim.target_in_map.rotation)

    def judge(self, belief: Belief, motion: Motion) -> str:
        assert self._aim is not None
        front = belief.entities[self.subgoal.target]
        if motion.phase == "push-shut":
            if self._aim.goal.axis == "hinge":
                self._follow_hinge(self._aim, front)
            # The hand hides the front from the camera: what the hand did says how it stands.
            tool = self._aim.target_in_map.inverse() @ belief.tool_in_map
            goal, full = self._aim.goal, HINGE_TRAVEL_RAD if hinge_side(front.class_name) else DRAWER_TRAVEL_M
            left = (1.0 + along_path(goal, tool.position)[0]) * goal.travel / full
            front.state = float(np.clip(left, 0.0, self._opening_at_first))  # The first of the way is without touch.
        if motion.finished:
            self._finished_s = belief.time_s
            return "done"
        return ""

    def verdict(self, belief: Belief) -> str:
        front = belief.entities[self.subgoal.target]
        if front.last_seen_s < self._finished_s + DRAWN_BACK_S + LOOKS_S:
            return ""
        return "done" if (front.state or 0.0) < QUITE_SHUT else "still-open"
