"""Open and close the lid of a coffee machine."""

from math import pi

import numpy as np
from numpy.typing import NDArray

from agent.belief.belief import Belief
from agent.belief.entities import Entity
from agent.belief.facts import LID_SHUT
from agent.frames import Pose, planar, tool_rotation
from agent.policies.interface import Goal, Motion
from agent.policies.paths import angle_of, fingers, from_hinge
from agent.skills.approach import Approach, at_standoffs
from agent.skills.command import Command
from agent.skills.groping import Groping

Array = NDArray[np.float64]

PITCH_RAD = np.deg2rad(8.0)
LID_TRAVEL_RAD = 1.83
BACK_RADIUS_M = 0.112
"""From hinge to tab of lids hinged at the back; a detector gives no lengths of it."""
OPEN_STATE, CLOSED_STATE = 0.7, 0.1
UNDER_M = 0.034
"""Distance of the closed fingers' middle from the tab before they touch it."""
WIDE_OPEN_RAD = 1.63
"""Fingers that came round to here have opened the lid."""
FALLING_STATE = 0.3
"""A lid that was let go below its balance is taken to be falling shut."""
CLOSING_PITCH_RAD = np.deg2rad(45.0)
LID_THICKNESS_M, FINGER_HALF_M = 0.036, 0.022
ALONG_LID, BEHIND_RAD = 0.75, 0.3
"""The fingers reach behind the lid at this share of its length, and start this far from it."""
LID_WEIGHT_N, FELT_TICKS = 0.35, 25
"""The fingers lifted something if they felt this much for so long on the way."""
DRAWN_BACK_S = 0.5
"""What is seen of a lid sooner after pressing it may be a look from before."""
BESIDE_M, OUT_M, IN_M = 0.010, 0.015, 0.012
"""A finger under a tab at the side keeps this much away from the machine's body; so much farther out after running into
it, and nearer after missing the tab."""


class Lid(Groping):
    """Common part. Target: the tab of the closed lid."""

    def lid(self, belief: Belief) -> Entity | None:
        return belief.machine_part(self.subgoal.target, "machine_lid")

    def felt_thing(self, belief: Belief) -> str:
        lid = self.lid(belief)
        return "" if lid is None else lid.id

    def approaches(self, belief: Belief) -> list[Approach]:
        yaw = belief.entities[self.subgoal.target].yaw + pi
        return at_standoffs(yaw, PITCH_RAD, 0.70, self.roll(belief))

    def roll(self, belief: Belief) -> float:
        return 0.0

    def side(self, belief: Belief) -> int:
        """0 hinge at the back, +1 at the left of someone in front, −1 at the right."""
        lid = self.lid(belief)
        name = "" if lid is None else lid.class_name
        return 1 if name.endswith("left") else -1 if name.endswith("right") else 0

    def radius(self, belief: Belief) -> float:
        machine = belief.entities[self.subgoal.target]
        if self.side(belief) == 0 or machine.size is None:
            return BACK_RADIUS_M
        return 0.5 * float(machine.size[1]) + 0.066

    def hinge(self, belief: Belief) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
        """Point and direction of the hinge axis in the target frame."""
        side, radius = self.side(belief), self.radius(belief)
        if side == 0:
            return (radius, 0.0, 0.0), (0.0, 1.0, 0.0)
        # out = (0, −side, 0); the axis is out × up.
        return (0.0, side * radius, 0.0), (-float(side), 0.0, 0.0)

    def target_point(self, belief: Belief) -> Array | None:
        """The tab where it is when the lid is closed."""
        lid = self.lid(belief)
        if lid is None or belief.entities.get(self.subgoal.target) is None:
            return None
        return lid.position - self._tab_moved(belief, lid.state or 0.0)

    def _tab_moved(self, belief: Belief, opening: float) -> Array:
        """(3,) in the map frame: from the tab of the closed lid to that of one so far open."""
        if opening < CLOSED_STATE:
            return np.zeros(3)
        angle, out = opening * LID_TRAVEL_RAD, from_hinge(np.array(self.hinge(belief)[1]))
        moved = self.radius(belief) * (np.sin(angle) * np.array([0.0, 0.0, 1.0]) - (1.0 - np.cos(angle)) * out)
        return planar(0.0, 0.0, belief.entities[self.subgoal.target].yaw + pi).rotation @ moved

    def moved_to(self, belief: Belief, lid: Entity, opening: float) -> None:
        """The fingers brought the lid to this opening: its tab went with it."""
        closed_at = lid.position - self._tab_moved(belief, lid.state or 0.0)
        lid.position = closed_at + self._tab_moved(belief, opening)
        lid.state = opening
        belief.pressed_in_vain.discard(self.subgoal.target)

    def opening(self, belief: Belief) -> float | None:
        lid = self.lid(belief)
        return None if lid is None else lid.state


class OpenLid(Lid):
    act_timeout_s = 18.0
    ready_width_m = 0.0

    def achieved(self, belief: Belief) -> bool:
        return (self.opening(belief) or 0.0) > OPEN_STATE

    def roll(self, belief: Belief) -> float:
        # A tab at the side is narrow: the two fingers go under it one above the other,
        # the wrist before the machine, not beside it where a wall or a fridge may be.
        return -0.5 * pi * self.side(belief)

    def goal(self, belief: Belief, approach: Approach, target_in_map: Pose) -> Goal | None:
        hinge, axis = self.hinge(belief)
        side = self.side(belief)
        rotation = tool_rotation(approach.pitch_down_rad, approach.roll_rad)
        under = UNDER_M if side == 0 else UNDER_M + 0.012
        position = np.array([-0.014, 0.0, -under]) if side == 0 else np.array([0.002, -side * BESIDE_M, -under])
        return Goal(
            Pose(position, rotation),
            approach_m=0.10,
            axis="hinge",
            hinge_in_target=hinge,
            hinge_direction_in_target=axis,
            travel=LID_TRAVEL_RAD,
        )

    def felt_aside(self, belief: Belief, reason: str) -> Array:
        felt, inwards = super().felt_aside(belief, reason), np.array([0.0, float(self.side(belief)), 0.0])
        if not inwards.any():
            return felt
        # A finger beside the machine's body runs into that, or passes by the tab, or comes short of it.
        if reason != "missed":
            return -OUT_M * inwards if felt.any() else felt
        return IN_M * inwards if self.attempt % 2 else felt

    def before_acting(self, belief: Belief) -> None:
        self._felt_ticks = 0

    def _stop_short(self, belief: Belief, reason: str) -> Command:
        # A hand that goes on pushing a lid that is open is held up by its stop.
        return super()._stop_short(belief, "" if reason == "blocked" and self.achieved(belief) else reason)

    def judge(self, belief: Belief, motion: Motion) -> str:
        assert self._aim is not None
        if motion.phase == "lift-lid":
            angle, _ = angle_of(self._aim.goal, fingers(self._aim.target_in_map.inverse() @ belief.tool_in_map))
            resistance = float(np.linalg.norm(self._force))
            if 0.0 < angle < 1.2 and resistance > LID_WEIGHT_N:
                self._felt_ticks += 1
            if angle > WIDE_OPEN_RAD:
                lid = self.lid(belief)
                if self._felt_ticks < FELT_TICKS or lid is None:
                    return "missed"
                self.moved_to(belief, lid, 0.95)
        return "done" if motion.finished and self.achieved(belief) else ""


class CloseLid(Lid):
    """The goal is the closed fingers' place behind the open lid."""

    act_timeout_s = 25.0
    ready_width_m = 0.0

    def achieved(self, belief: Belief) -> bool:
        opening = self.opening(belief)
        return opening is not None and opening < LID_SHUT

    def approaches(self, belief: Belief) -> list[Approach]:
        yaw = belief.entities[self.subgoal.target].yaw + pi
        return at_standoffs(yaw, CLOSING_PITCH_RAD, 0.54, self.roll(belief))

    def roll(self, belief: Belief) -> float:
        # Behind a lid at the side there is often a wall or a fridge: the hand lies flat, its wrist away from there.
        return 0.5 * pi * self.side(belief)

    def goal(self, belief: Belief, approach: Approach, target_in_map: Pose) -> Goal | None:
        hinge, axis = self.hinge(belief)
        rotation = tool_rotation(approach.pitch_down_rad, approach.roll_rad)
        opening = self.opening(belief) or 1.0
        along = ALONG_LID * self.radius(belief)
        outside = LID_THICKNESS_M + FINGER_HALF_M
        angle = opening * LID_TRAVEL_RAD + float(np.arctan2(outside, along)) + BEHIND_RAD
        out = np.cross(np.array([0.0, 0.0, 1.0]), np.array(axis))
        fingers_at = np.array(hinge) + float(np.hypot(along, outside)) * (
            np.cos(angle) * out + np.sin(angle) * np.array([0.0, 0.0, 1.0])
        )
        return Goal(
            Pose(fingers_at - 0.010 * rotation[:, 2], rotation),
            approach_m=0.0,
            above_m=0.10,
            axis="hinge",
            hinge_in_target=hinge,
            hinge_direction_in_target=axis,
            travel=LID_TRAVEL_RAD,
        )

    def judge(self, belief: Belief, motion: Motion) -> str:
        lid = self.lid(belief)
        if lid is None:
            return "target-lost"
        # The hand hides the lid from the camera: what the fingers did says how it stands.
        if motion.phase == "swept":
            self.moved_to(belief, lid, FALLING_STATE)
            self._swept = True
        elif motion.phase == "pressed":
            self.moved_to(belief, lid, 0.0)
        # Most lids fall shut from here. To press on the tab, which may be beside a wall, is for those that do not.
        finished = motion.finished or (self._swept and self.attempt == 1)
        if finished:
            self.moved_to(belief, lid, 0.0)  # until it is seen to be otherwise
            self._finished_s = belief.time_s
        return "done" if finished else ""

    def before_acting(self, belief: Belief) -> None:
        self._swept = False

    def felt_aside(self, belief: Belief, reason: str) -> Array:
        return np.zeros(3)  # What held up a hand behind a lid may be a wall.

    verify_s = 1.5

    def _try_again(self, belief: Belief, reason: str) -> Command:
        if reason == "still-open" and (self.opening(belief) or 0.0) < FALLING_STATE:
            return self.fail("lid-ajar")  # What holds it up gives way to a lid that comes down anew, not to a push.
        return super()._try_again(belief, reason)

    def verdict(self, belief: Belief) -> str:
        lid = self.lid(belief)
        if lid is None or lid.last_seen_s < self._finished_s + DRAWN_BACK_S:
            return ""
        return "done" if (lid.state or 0.0) < LID_SHUT else "still-open"
