"""Pick up a mug, a pod or something that is in the way."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from agent.belief.belief import Belief
from agent.belief.classes import FRONTS
from agent.belief.places import place_of
from agent.frames import Pose, planar, tool_rotation
from agent.messages import Observation
from agent.policies.interface import Goal, Motion
from agent.skills.approach import Approach
from agent.skills.command import Command
from agent.skills.grasping import HALF_HEIGHT_M, approaches_to, lowest_tool_height, machine_over
from agent.skills.manipulation import Aim, Manipulation

Array = NDArray[np.float64]

DEEPER_M = 0.006
"""Past the centre: what is held at the fingertips turns and slips."""
FIRM_N = 8.0
FIRM_TICKS = 25
CLOSED_ON_NOTHING_M = 0.008
ONE_SIDED_TICKS, SLACK_M, LET_GO_S = 25, 0.006, 0.3
"""When fingers close, the other pad touches within some hundredths of a second. Where it does not for so long a finger
is through the handle: they open this little, and stay so long before they draw back."""
UNDER_SPOUT_M, HEAD_ROOM_M, LOWER_PER_S = 0.12, 0.006, 4.0
"""So far towards the robot a mug is under the machine's head, which is this much above the height it is lifted to."""


class Pick(Manipulation):
    """Target: the object's centre as seen."""

    act_timeout_s = 20.0

    def precondition(self, belief: Belief) -> str:
        # What an attempt that ended in a timeout holds after all is what was wanted.
        holds_it = self.attempt > 1 and self.achieved(belief)
        return "" if holds_it else super().precondition(belief)

    def achieved(self, belief: Belief) -> bool:
        held = belief.hand.held
        return held is not None and held.entity_id == self.subgoal.target

    def target_point(self, belief: Belief) -> Array | None:
        entity = belief.entities.get(self.subgoal.target)
        return None if entity is None else entity.position

    def not_seen(self, belief: Belief) -> Command:
        if self.attempt == 1:
            return super().not_seen(belief)
        belief.entities.forget(self.subgoal.target)
        return self.fail("target-not-seen")

    def approaches(self, belief: Belief) -> list[Approach]:
        return approaches_to(belief.entities[self.subgoal.target], belief)

    def goal(self, belief: Belief, approach: Approach, target_in_map: Pose) -> Goal | None:
        entity = belief.entities[self.subgoal.target]
        place = place_of(entity, belief.entities)
        pitch = approach.pitch_down_rad
        height = 0.0
        if entity.class_name in HALF_HEIGHT_M:
            height = max(0.0, lowest_tool_height(pitch) - HALF_HEIGHT_M[entity.class_name])
        lift, back = 0.05, 0.12
        if machine_over(entity, belief) is not None:
            lift, height = 0.012, height - 0.008
        elif place is not None and place.class_name == "drawer":
            lift, height, back = 0.17, height + 0.012, 0.14
        elif place is not None and place.class_name in FRONTS:
            lift, back = 0.03, 0.16
        rotation = tool_rotation(pitch)
        position = np.array([0.0, 0.0, height]) + DEEPER_M * rotation[:, 2]
        position[2] = max(position[2], height)
        return Goal(Pose(position, rotation), approach_m=back, above_m=lift)

    def before_acting(self, belief: Belief) -> None:
        self._firm_ticks = 0
        self._one_sided_ticks = 0
        self._under_spout = machine_over(belief.entities[self.subgoal.target], belief) is not None

    def as_place_allows(self, belief: Belief, motion: Motion) -> Motion:
        """No higher than is asked for while the machine's head is above a mug, which it would tip."""
        assert self._aim is not None
        if not self._under_spout or belief.hand.held is None:
            return motion
        start, lift = self._aim.goal.tool_in_target.position, self._aim.goal.above_m
        moved = (self._aim.target_in_map.inverse() @ belief.tool_in_map).position - start
        if moved[0] < -UNDER_SPOUT_M:
            return motion
        twist = motion.twist_in_target.copy()
        twist[2] = min(twist[2], LOWER_PER_S * (lift + HEAD_ROOM_M - float(moved[2])))
        return replace(motion, twist_in_target=twist)

    def ready_pose(self, aim: Aim) -> Pose:
        goal = aim.goal.tool_in_target
        return Pose(goal.position - goal.rotation[:, 2] * aim.goal.approach_m, goal.rotation)

    def judge(self, belief: Belief, motion: Motion) -> str:
        hand = belief.hand
        if hand.held is None:
            if belief.entities.get(self.subgoal.target) is None:
                return "target-lost"  # a look from here took it for a double, or for nothing
            if motion.phase == "close":
                if hand.width_m < CLOSED_ON_NOTHING_M:
                    self._note_miss(belief)
                    return "missed"
                pressed = hand.force_n > FIRM_N
                self._one_sided_ticks = self._one_sided_ticks + 1 if pressed and not hand.pads_touch else 0
                if self._one_sided_ticks >= ONE_SIDED_TICKS:
                    self._note_miss(belief)
                    self._slack_m = hand.width_m + SLACK_M
                    return "one-sided"
                self._firm_ticks = self._firm_ticks + 1 if pressed and hand.pads_touch else 0
                if self._firm_ticks >= FIRM_TICKS:
                    self._take(belief)
            return ""
        return "done" if motion.finished else ""

    def _take(self, belief: Belief) -> None:
        assert self._aim is not None
        entity = belief.entities[self.subgoal.target]
        tool = belief.tool_in_map
        in_tool = tool.inverse().point(entity.position)
        # Between the pads for sure, as deep as they feel it; up and down as far as sight can be trusted.
        depth = belief.hand.contact_depth_m
        in_tool = np.array([np.clip(in_tool[0], -0.03, 0.03), 0.0, in_tool[2] if depth is None else depth])
        centre = tool.point(in_tool)
        upright = planar(float(centre[0]), float(centre[1]), self._aim.approach.yaw, float(centre[2]))
        belief.hand.grasp(entity.id, belief.base_in_map.inverse() @ upright, self._aim.approach.pitch_down_rad)

    def _tick_stow(self, belief: Belief, observation: Observation) -> Command:
        command = super()._tick_stow(belief, observation)
        if self._outcome == "one-sided" and self._phase == "stow":
            command.grip = self._slack_m
            if belief.time_s - self._since_s < LET_GO_S:
                return Command(grip=self._slack_m)
        return command

    def _stop_short(self, belief: Belief, reason: str) -> Command:
        if self._phase == "act" and reason in ("timeout", "blocked") and belief.hand.held is None:
            self._note_miss(belief)
        return super()._stop_short(belief, reason)

    def _note_miss(self, belief: Belief) -> None:
        assert self._aim is not None
        entity = belief.entities.get(self.subgoal.target)
        if entity is None:
            return
        key = f"missed-{round(self._aim.approach.yaw * 4)}"
        entity.notes[key] = entity.notes.get(key, 0.0) + 1.0
        entity.variance = max(entity.variance, 0.03**2)
