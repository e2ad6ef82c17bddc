"""Putting down what is held: on a surface, under the spout, on the dining table, a pod into its holder."""

from math import pi

import numpy as np
from numpy.typing import NDArray

from agent.belief.belief import Belief
from agent.belief.entities import Entity
from agent.belief.facts import HOLDER_FULL, UNDER_M
from agent.belief.hand import Held
from agent.belief.places import free_spots, front_directions, is_free
from agent.frames import Pose
from agent.messages import Subgoal
from agent.policies.interface import Goal, Motion, Policy
from agent.skills.approach import Approach, at_standoffs, in_the_open, ranked
from agent.skills.command import Command
from agent.skills.grasping import HALF_HEIGHT_M, STEEPEST_FOR_SPOUT_RAD
from agent.skills.manipulation import Manipulation
from controllers.motion.paths import Travel

Array = NDArray[np.float64]

SPOTS_TRIED = 6
CHAIR_ASIDE_M = 0.5
UNSURE_M = 0.03
"""Things near a spot that was free may seem this much nearer at the next look."""
DRAWN_BACK_S = 0.3
"""What is seen of the holder sooner after letting go may be a look from before."""


class Putting(Manipulation):
    """Common part: the tool pose at which the held thing's foot is on the target, and letting go."""

    needs_fresh_look = False
    approach_m = 0.03
    above_m = 0.07
    let_go_at_m = -0.022
    foot_above_target_m = 0.0

    def precondition(self, belief: Belief) -> str:
        return "nothing-held" if belief.hand.held is None else ""

    def goal(self, belief: Belief, approach: Approach, target_in_map: Pose) -> Goal | None:
        held = belief.hand.held
        if held is None:
            return None
        half = HALF_HEIGHT_M.get(self._held_class(belief), 0.04)
        object_in_target = Pose(np.array([0.0, 0.0, half + self.foot_above_target_m]), np.eye(3))
        tool_in_target = object_in_target @ held.object_in_tool.inverse()
        return Goal(tool_in_target, approach_m=self.approach_m, above_m=self.above_m, let_go_at_m=self.let_go_at_m)

    def _held_class(self, belief: Belief) -> str:
        held = belief.hand.held
        entity = None if held is None else belief.entities.get(held.entity_id)
        return "" if entity is None else entity.class_name

    def _held_pitch(self, belief: Belief) -> float:
        held = belief.hand.held
        return 0.35 if held is None else held.pitch_down_rad

    def judge(self, belief: Belief, motion: Motion) -> str:
        if motion.phase == "release" and belief.hand.held is not None and not belief.hand.pads_touch:
            belief.let_go()
        if motion.finished and belief.hand.held is None:
            return self.check(belief)
        return ""

    def check(self, belief: Belief) -> str:
        return "done"

    def _try_again(self, belief: Belief, reason: str) -> Command:
        # What was let go of is another subgoal's business; the reason must not get lost.
        return self.fail(reason) if belief.hand.held is None else super()._try_again(belief, reason)


class Place(Putting):
    """Target: a free spot near the edge of a surface, on the side that is easiest to reach."""

    def __init__(self, subgoal: Subgoal, policy: Policy) -> None:
        super().__init__(subgoal, policy)
        self._spot: Array | None = None
        self._ways: list[Approach] = []

    def watched_entity(self) -> str:
        return ""

    def target_point(self, belief: Belief) -> Array | None:
        if self._phase == "choose":
            self._choose_spot(belief)
        return self._spot

    def approaches(self, belief: Belief) -> list[Approach]:
        return self._ways

    def _set_up(self, belief: Belief, point: Array) -> Command:
        held = belief.hand.held
        if held is not None and not is_free(point, belief.entities, held.entity_id, UNSURE_M):
            # On the way here something was seen there, a sink, say. Another spot may be had in the same way.
            self._tried.pop()
            self._enter("choose", belief)
            return Command()
        return super()._set_up(belief, point)

    @staticmethod
    def _behind_chair(belief: Belief, spot: Array, direction: float) -> bool:
        """Whether a chair stands where the arm would reach over it; `direction` points from the spot to the robot."""
        for chair in belief.entities.of_class("chair"):
            dx, dy = float(chair.position[0] - spot[0]), float(chair.position[1] - spot[1])
            ahead = np.cos(direction) * dx + np.sin(direction) * dy
            aside = -np.sin(direction) * dx + np.cos(direction) * dy
            if 0.0 < ahead < 0.9 and abs(float(aside)) < CHAIR_ASIDE_M:
                return True
        return False

    def _choose_spot(self, belief: Belief) -> None:
        surface = belief.entities.get(self.subgoal.target)
        self._spot = None
        if surface is None:
            return
        held = belief.hand.held
        best_cost, travel = np.inf, Travel(belief.map.costs(), belief.base_pose[:2])
        for direction in front_directions(surface):
            spots = free_spots(surface, belief.entities, direction, "" if held is None else held.entity_id)
            spots = [spot for spot in spots if not self._behind_chair(belief, spot, direction)]
            for order, spot in enumerate(spots[:SPOTS_TRIED]):
                ways = at_standoffs(direction + pi, self._held_pitch(belief), 0.66)
                ways = in_the_open(belief, spot, ways, surface)
                options = self.untried(ranked(belief, spot, ways, travel))
                if not options:
                    continue
                base = options[0].base_pose(spot)
                away = np.hypot(base.x - belief.base_pose[0], base.y - belief.base_pose[1])
                cost = float(away) + 0.1 * order
                if cost < best_cost:
                    best_cost, self._spot, self._ways = cost, spot, ways
                break


class Serve(Place):
    """The same on the dining table, with a full mug: slower by its limits."""


class AtMachine(Putting):
    """Target: a place in a coffee machine, the subgoal's target."""

    part = ""
    """How the class of what is seen of that place begins."""
    needs_fresh_look = True

    def place(self, belief: Belief) -> Entity | None:
        return belief.machine_part(self.subgoal.target, self.part)

    def target_point(self, belief: Belief) -> Array | None:
        place = self.place(belief)
        return None if place is None else place.position

    def target_now(self, belief: Belief) -> Pose:
        """Where the place was seen, less what the hand tells the eye: a centimetre aside a pod tips over in its well,
        and three aside a mug is not under the spout."""
        seen = super().target_now(belief)
        return Pose(seen.position - belief.eye.in_map, seen.rotation)

    def approaches(self, belief: Belief) -> list[Approach]:
        yaw = belief.entities[self.subgoal.target].yaw + pi
        return at_standoffs(yaw, self._held_pitch(belief), 0.70)


class PlaceUnderSpout(AtMachine):
    """Target: where the mug's foot belongs on the drip tray."""

    part = "drip_tray"
    approach_m = 0.17
    """The mug comes down this far before the spout: nearer, it would press a button at the front."""
    above_m = 0.018

    def precondition(self, belief: Belief) -> str:
        trouble = super().precondition(belief)
        if trouble:
            return trouble
        return "awkward-grasp" if self._held_pitch(belief) > STEEPEST_FOR_SPOUT_RAD else ""

    verify_s = 1.5

    _held: Held | None = None

    def before_acting(self, belief: Belief) -> None:
        self._held = belief.hand.held
        self._mug = "" if belief.hand.held is None else belief.hand.held.entity_id

    def fail(self, reason: str) -> Command:
        # What it runs into each time, though the tray was seen to be free, it may hold itself: a mug that turned.
        if reason == "blocked" and self._held is not None:
            self._held.askew = True
        return super().fail(reason)

    def check(self, belief: Belief) -> str:
        self._let_go_s = belief.time_s
        return "done"

    def verdict(self, belief: Belief) -> str:
        mug, tray = belief.entities.get(self._mug), self.place(belief)
        if mug is None or tray is None or mug.last_seen_s < self._let_go_s + DRAWN_BACK_S:
            return ""
        gap = mug.position - tray.position
        return "done" if float(np.hypot(gap[0], gap[1])) < UNDER_M else "not-under-spout"


class InsertPod(AtMachine):
    """Target: the middle of the pod well, under the open lid."""

    part = "pod_holder"
    above_m = 0.06
    let_go_at_m = 0.002
    foot_above_target_m = 0.030
    """The well's funnel leads the pod down; lower, the fingers would meet its rim."""

    def judge(self, belief: Belief, motion: Motion) -> str:
        held = belief.hand.held
        verdict = super().judge(belief, motion)
        if held is not None and belief.hand.held is None:
            self._pod = held.entity_id
        return verdict

    verify_s = 2.0

    def check(self, belief: Belief) -> str:
        self._let_go_s = belief.time_s
        return "done"

    def verdict(self, belief: Belief) -> str:
        holder = self.place(belief)
        if holder is None or holder.last_seen_s < self._let_go_s + DRAWN_BACK_S:
            return ""
        if (holder.state or 0.0) < HOLDER_FULL:
            return "not-seated"
        belief.entities.forget(self._pod)
        belief.gone.add(self._pod)
        return "done"
