"""The frame of every skill that touches something: drive there, look, set up, let the policy act, check, tuck in.

A subclass says what the target is, from where it can be approached, what the tool should do there and when it
is done. Retries come from a different approach and always look anew.
"""

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.belief.belief import Belief
from agent.frames import Pose
from agent.messages import TICK_S, Observation, Subgoal
from agent.policies.interface import Goal, Motion, Policy, Situation
from agent.skills.approach import Approach, alike, ranked
from agent.skills.command import Command
from agent.skills.drive import BasePose, Drive, clear_of
from agent.skills.gaze import look_at_map_point
from agent.skills.posture import Posture, giving_way, lift_rate, towards, tuck
from agent.skills.skill import Skill
from agent.skills.standing import views_of
from controllers.arm_model import comfortable_lift
from controllers.motion.follow import FULL_MUG, BaseLimits

Array = NDArray[np.float64]

MAX_ATTEMPTS = 3
MAX_SEARCHES = 3
FRESH_S = 4.0
LOOK_TIMEOUT_S = 3.0
NEAR_LOOK_S = 1.5
SEARCH_FROM_M, SEARCH_NEAR_M, SEARCH_TIMEOUT_S = 0.85, 1.2, 25.0
HANDS_FULL = BaseLimits(speed_m_s=0.65, acceleration_m_s2=0.5, yaw_rate_rad_s=1.1, yaw_acceleration_rad_s2=1.5)
OVER_FIRST_M, OVER_BY_M = 0.08, 0.15
"""On its way to a goal farther off than this the tool goes this much over it."""
ASIDE_FIRST_M, ASIDE_AT_M = 0.04, 0.34
OPENS_WITHIN_M, UNFOLDING_WIDTH_M = 0.20, 0.06
FOLDED_PITCH_RAD, FOLDED_X_M, FOLDED_Z_M, FOLDED_BELOW_M = float(np.deg2rad(30.0)), 0.52, 0.78, 0.66
"""A hand that points down less than this, nearer and lower than this, is out of reach with the lift down."""
STILL_RAD_S, STALLED_S = 0.03, 0.5
"""An arm that has not moved for so long gets no nearer to where acting begins: the policy goes on from here."""
UNFOLD_LIFT_M, UNFOLDED_WITHIN_M = 0.45, 0.06
HOLD_N = 30.0
"""Grip while something is carried."""
SETUP_TIMEOUT_S = 9.0
FULL_MUG_SPEED_M_S = 0.25
BLOCKED_N, BLOCKED_STRAIN, BLOCKED_S = 32.0, 0.9, 1.5
BLOCKED_M_S, PACE_S = 0.03, 0.3
"""Such a force on a hand that gets no farther, or an arm so held back, for so long means that something is in the way.
The pace is a mean over so long."""


@dataclass(slots=True)
class Aim:
    """Target and goal of one attempt, fixed when acting begins."""

    approach: Approach
    target_in_map: Pose
    goal: Goal
    ready_lift_m: float
    target_std_m: float


class Manipulation(Skill):
    """Template of the manipulation skills."""

    needs_fresh_look = True
    fresh_s = FRESH_S
    """How long before arriving it may have been seen where it cannot be seen from here: a worktop hides the back of a
    drawer from who stands close."""
    act_timeout_s = 25.0
    unfolds_low_for_m = float("inf")
    """Before higher goals nothing stands, and beside the head there is no room: the arm unfolds lower down."""

    def __init__(self, subgoal: Subgoal, policy: Policy) -> None:
        super().__init__(subgoal, policy)
        self._phase = "choose"
        self._approach: Approach | None = None
        self._tried: list[Approach] = []
        self._drive: Drive | None = None
        self._aim: Aim | None = None
        self._since_s = 0.0
        self._force = np.zeros(3)
        self._outcome = ""
        self._pressing_s = 0.0
        self._tool_at: Array | None = None
        self._pace_m_s = np.zeros(3)
        self._searches = 0
        self._came_near = False
        self._unfolded = False
        self._still_s = 0.0
        self._there_s = 0.0

    # --- what a subclass says

    @abstractmethod
    def target_point(self, belief: Belief) -> Array | None:
        """Where the target is believed to be, (3,) in the map frame; None when it is not known."""

    @abstractmethod
    def approaches(self, belief: Belief) -> list[Approach]: ...

    @abstractmethod
    def goal(self, belief: Belief, approach: Approach, target_in_map: Pose) -> Goal | None:
        """What the tool should do; None when that cannot be said (the attempt fails)."""

    @abstractmethod
    def judge(self, belief: Belief, motion: Motion) -> str:
        """After each tick of acting: `` to go on, `done`, or a reason of failure."""

    def watched_entity(self) -> str:
        """Id of the entity that must have been seen lately before acting."""
        return self.subgoal.target

    def opening(self, belief: Belief) -> float | None:
        return None

    def before_acting(self, belief: Belief) -> None:
        """Hook: acting begins."""

    def target_now(self, belief: Belief) -> Pose:
        """Hook: the target's frame in the map. What is learned of it on the way may still move it a little."""
        assert self._aim is not None
        return self._aim.target_in_map

    def as_place_allows(self, belief: Belief, motion: Motion) -> Motion:
        """Hook: a reflex that keeps what the policy asks for out of what is known to be there."""
        return motion

    def precondition(self, belief: Belief) -> str:
        """`` or why the skill cannot start: most want an empty hand."""
        return "hand-not-empty" if belief.hand.held is not None else ""

    def achieved(self, belief: Belief) -> bool:
        """Whether an earlier attempt reached the goal after all, as far as the belief can tell."""
        return False

    # --- the phases

    def tick(self, belief: Belief, observation: Observation) -> Command:
        self._force = belief.hand.force_in_base_n
        self._keep_pace(belief)
        if belief.hand.lost:
            belief.hand.lost = ""
            return self.fail("lost-grip")
        command = getattr(self, "_tick_" + self._phase)(belief, observation)
        command.phase = command.phase or self._phase
        return self._keep_grip(belief, command)

    def _blocked(self, belief: Belief) -> bool:
        """Whether hand or arm have been pressing against something for too long. Called once a tick."""
        held_up = float(np.linalg.norm(self._pace_m_s)) < BLOCKED_M_S
        pressed = held_up and float(np.linalg.norm(self._force)) > BLOCKED_N
        pressing = pressed or belief.hand.arm_strain > BLOCKED_STRAIN
        self._pressing_s = self._pressing_s + TICK_S if pressing else max(0.0, self._pressing_s - TICK_S)
        return self._pressing_s > BLOCKED_S

    def _keep_pace(self, belief: Belief) -> None:
        """The tool's velocity (3,) over ground, smoothed."""
        now = belief.tool_in_map.position
        if self._tool_at is not None:
            self._pace_m_s += TICK_S / PACE_S * ((now - self._tool_at) / TICK_S - self._pace_m_s)
        self._tool_at = now

    def _keep_grip(self, belief: Belief, command: Command) -> Command:
        """Outside of acting, fingers keep holding what they hold."""
        if self._phase != "act" and belief.hand.held is not None:
            command.grip_mode, command.grip = "force", HOLD_N
        return command

    def _enter(self, phase: str, belief: Belief) -> None:
        self._phase = phase
        self._since_s = belief.time_s
        self._there_s = 0.0

    def _tick_choose(self, belief: Belief, observation: Observation) -> Command:
        trouble = self.precondition(belief)
        if trouble:
            return self.fail(trouble)
        if self.attempt > 1 and self.achieved(belief):
            return self.succeed()
        point = self.target_point(belief)
        if point is None:
            return self._search(belief)
        options = ranked(belief, point, self.approaches(belief))
        if not options:
            return self._come_nearer(belief, point)
        self._approach = (self.untried(options) or options)[0]
        self._tried.append(self._approach)
        self._drive = Drive(self._approach.base_pose(point), self._base_limits(belief))
        self._enter("travel", belief)
        return Command()

    def untried(self, approaches: list[Approach]) -> list[Approach]:
        """Those that no attempt has begun with."""
        return [a for a in approaches if not any(alike(a, tried) for tried in self._tried)]

    def _come_nearer(self, belief: Belief, point: Array) -> Command:
        """Where no approach is free, look from as near as the floor lets, once: from afar much seems blocked."""
        if self._came_near:
            return self.fail("unreachable")
        self._came_near = True
        pose = BasePose(float(point[0]), float(point[1]), None, SEARCH_NEAR_M)
        self._drive = Drive(pose, self._base_limits(belief), fine=False)
        self._enter("near", belief)
        return Command()

    def _tick_near(self, belief: Belief, observation: Observation) -> Command:
        assert self._drive is not None
        point = self.target_point(belief)
        if point is None:
            return self.fail("target-lost")
        command = self._driving(belief, observation, self._drive, point)
        if self._drive.there:
            self._there_s += TICK_S
        if self._drive.failed or self._there_s > NEAR_LOOK_S or belief.time_s - self._since_s > SEARCH_TIMEOUT_S:
            self._enter("choose", belief)
        return command

    def _driving(self, belief: Belief, observation: Observation, drive: Drive, point_in_map: Array) -> Command:
        """A tick of a drive with the arm tucked in and the eye on a point (3,)."""
        twist, rate, may_drive, _ = tuck(belief.hand, observation, *self._carefully(belief), drive.wedged)
        velocity = drive.tick(belief, observation) if may_drive else drive.wait(belief, observation)
        head = look_at_map_point(point_in_map, belief.base_in_map, observation)
        return Command(twist, True, base_velocity_in_base=velocity, lift_rate_m_s=rate, head_rate_rad_s=head)

    def _search(self, belief: Belief) -> Command:
        """Go before what the subgoal names, be it the machine whose part is hidden or the surface that seemed crowded
        from afar, to see the target, each time from another side."""
        named = belief.entities.get(self.subgoal.target)
        if named is None or self._searches >= MAX_SEARCHES:
            return self.fail("target-not-known")
        self._searches += 1
        views = views_of(named, belief)
        if views:
            # Another side each time: what hides a part from here may not hide it from there.
            name = min(views, key=lambda v: named.notes.get(v, 0.0))
            named.notes[name] = named.notes.get(name, 0.0) + 1.0
            pose = views[name]
        else:
            # It may not be where it seemed from afar: go as near as the floor lets.
            x, y, _ = (float(v) for v in named.point_from_own_frame(SEARCH_FROM_M, 0.0))
            pose = BasePose(x, y, None, SEARCH_NEAR_M)
        self._drive = Drive(pose, self._base_limits(belief), fine=False)
        self._enter("search", belief)
        return Command()

    def _tick_search(self, belief: Belief, observation: Observation) -> Command:
        named = belief.entities.get(self.subgoal.target)
        if named is None or self._drive is None:
            return self.fail("target-lost")
        if self.target_point(belief) is not None:
            self._enter("choose", belief)
            return Command()
        command = self._driving(belief, observation, self._drive, named.position)
        if self._drive.there:
            self._there_s += TICK_S
        if self._drive.failed or self._there_s > LOOK_TIMEOUT_S or belief.time_s - self._since_s > SEARCH_TIMEOUT_S:
            if self._there_s > 0.0 and belief.time_s - named.last_seen_s > LOOK_TIMEOUT_S - 1.0:
                belief.entities.forget(named.id)
            self._enter("choose", belief)
        return command

    def _base_limits(self, belief: Belief) -> BaseLimits:
        if belief.hand.held is None:
            return BaseLimits()
        return FULL_MUG if belief.holds_full_mug else HANDS_FULL

    def _tick_travel(self, belief: Belief, observation: Observation) -> Command:
        assert self._drive is not None
        assert self._approach is not None
        point = self.target_point(belief)
        if point is None:
            return self.fail("target-lost")
        command = self._driving(belief, observation, self._drive, point)
        if self._drive.failed:
            return self._try_again(belief, self._drive.failed)
        if self._drive.there:
            self._enter("look", belief)
        return command

    def _carefully(self, belief: Belief) -> tuple[float, bool]:
        """Speed of the tool, and whether it must stay level."""
        full = belief.holds_full_mug
        return (FULL_MUG_SPEED_M_S if full else 0.45), full

    def _tick_look(self, belief: Belief, observation: Observation) -> Command:
        """Stand still until the target was seen well."""
        assert self._approach is not None
        point = self.target_point(belief)
        if point is None:
            return self.fail("target-lost")
        waited = belief.time_s - self._since_s
        entity = belief.entities.get(self.watched_entity())
        seen = entity is not None and belief.time_s - entity.last_seen_s < 0.35
        if waited > 0.4 and (seen or not self.needs_fresh_look):
            return self._set_up(belief, point)
        if waited > LOOK_TIMEOUT_S:
            if entity is not None and self._since_s - entity.last_seen_s < self.fresh_s:
                return self._set_up(belief, point)
            return self.not_seen(belief)
        head = look_at_map_point(point, belief.base_in_map, observation)
        twist, rate, _, _ = tuck(belief.hand, observation, *self._carefully(belief))
        return Command(twist, True, lift_rate_m_s=rate, head_rate_rad_s=head)

    def not_seen(self, belief: Belief) -> Command:
        """The target was looked for from near and is not there."""
        return self._try_again(belief, "target-not-seen")

    def _set_up(self, belief: Belief, point: Array) -> Command:
        assert self._approach is not None
        target_in_map = self._approach.target_frame(point)
        goal = self.goal(belief, self._approach, target_in_map)
        if goal is None:
            return self._try_again(belief, "no-goal")
        tool_height = float(point[2] + goal.tool_in_target.position[2])
        entity = belief.entities.get(self.watched_entity())
        std = 0.01 if entity is None else float(entity.variance) ** 0.5
        lift = comfortable_lift(tool_height, self._approach.pitch_down_rad)
        self._aim = Aim(self._approach, target_in_map, goal, lift, std)
        self._unfolded = False
        self._enter("ready", belief)
        return Command()

    def ready_pose(self, aim: Aim) -> Pose:
        """Tool pose in the target frame from which the policy starts."""
        goal = aim.goal.tool_in_target
        back = goal.position - goal.rotation[:, 2] * aim.goal.approach_m
        return Pose(back + np.array([0.0, 0.0, aim.goal.above_m]), goal.rotation)

    def _tick_ready(self, belief: Belief, observation: Observation) -> Command:
        """Lift to its height, tool to where acting begins."""
        assert self._aim is not None
        target_in_base = belief.base_in_map.inverse() @ self.target_now(belief)
        tool = target_in_base @ self.ready_pose(self._aim)
        now, goal_position = belief.hand.tool_in_base.position, tool.position
        low = float(tool.position[2]) > self.unfolds_low_for_m
        if not low and float(np.hypot(*(now - tool.position)[:2])) > OVER_FIRST_M:
            # Over whatever stands between first, down at the end.
            height = max(float(tool.position[2]), min(float(now[2]), float(tool.position[2]) + OVER_BY_M))
            tool = Pose(np.array([*tool.position[:2], height]), tool.rotation)
        level = self._aim.approach.pitch_down_rad < FOLDED_PITCH_RAD
        if level and float(tool.position[2]) < FOLDED_BELOW_M and now[0] < min(FOLDED_X_M, tool.position[0] - 0.03):
            # A level hand gets low before the robot only with the arm stretched out.
            tool = Pose(np.array([*tool.position[:2], FOLDED_Z_M]), tool.rotation)
        if abs(float(now[1] - tool.position[1])) > ASIDE_FIRST_M:
            # Ahead, but not yet on its line to the goal, the hand would meet what stands beside the goal and nearer.
            ahead = min(float(tool.position[0]), max(float(now[0]), ASIDE_AT_M))
            tool = Pose(np.array([ahead, *tool.position[1:]]), tool.rotation)
        posture = Posture(tool, self._aim.ready_lift_m)
        twist, rate, there = towards(posture, belief.hand.tool_in_base, observation, self._carefully(belief)[0])
        lift_gap = abs(self._aim.ready_lift_m - float(observation.joint_position[0]))
        if low and self._aim.ready_lift_m > UNFOLD_LIFT_M and not self._unfolded:
            twist[2] -= rate
            rate = lift_rate(UNFOLD_LIFT_M, observation)
            twist[2] += rate
            self._unfolded = abs(float(tool.position[0] - now[0])) < UNFOLDED_WITHIN_M
        elif lift_gap > 0.1 and not self._unfolded:
            # Far from its height the arm only rides along, still tucked.
            twist = np.zeros(6)
            twist[2] = rate
        head = look_at_map_point(self._aim.target_in_map.position, belief.base_in_map, observation)
        if self._blocked(belief):
            return self._stop_short(belief, "blocked")
        twist = giving_way(twist, self._force)
        waited = belief.time_s - self._since_s
        still = float(np.max(np.abs(observation.joint_velocity[:8]))) < STILL_RAD_S
        self._still_s = self._still_s + TICK_S if still else 0.0
        if there or waited > SETUP_TIMEOUT_S or (waited > 2.0 and self._still_s > STALLED_S):
            self.policy.reset()
            self.before_acting(belief)
            self._enter("act", belief)
        # Open fingers are wide: not before they are where they are to grasp.
        near = float(np.linalg.norm(now - goal_position)) < OPENS_WITHIN_M
        width = self.ready_width_m if near else min(self.ready_width_m, UNFOLDING_WIDTH_M)
        return Command(twist, True, "width", width, lift_rate_m_s=rate, head_rate_rad_s=head)

    ready_width_m = 0.108

    def _tick_act(self, belief: Belief, observation: Observation) -> Command:
        assert self._aim is not None
        target_in_base = belief.base_in_map.inverse() @ self.target_now(belief)
        elapsed = belief.time_s - self._since_s
        motion = self.policy.act(self._situation(belief, observation, target_in_base, elapsed))
        self.estimate = motion.estimate
        verdict = self.judge(belief, motion)
        motion = self.as_place_allows(belief, motion)
        if not verdict and self._blocked(belief):
            verdict = "blocked"
        if not verdict and elapsed > min(self.act_timeout_s, self.subgoal.limits.time_s):
            verdict = "timeout"
        if verdict:
            self._stop_short(belief, "" if verdict == "done" else verdict)
        rotation = target_in_base.rotation
        twist = np.concatenate([rotation @ motion.twist_in_target[:3], rotation @ motion.twist_in_target[3:]])
        head = look_at_map_point(self._aim.target_in_map.position, belief.base_in_map, observation)
        return Command(
            twist,
            False,
            motion.grip_mode,
            motion.grip,
            clear_of(belief.obstacles_in_base, motion.base_velocity_in_base),
            head_rate_rad_s=head,
            phase=motion.phase,
        )

    def _situation(self, belief: Belief, observation: Observation, target_in_base: Pose, elapsed_s: float) -> Situation:
        assert self._aim is not None
        hand = belief.hand
        return Situation(
            kind=self.subgoal.kind,
            goal=self._aim.goal,
            limits=self.subgoal.limits,
            tool_in_target=target_in_base.inverse() @ hand.tool_in_base,
            target_in_base=target_in_base,
            target_std_m=self._aim.target_std_m,
            observation=observation,
            width_m=hand.width_m,
            grip_force_n=hand.force_n,
            pads_touch=hand.pads_touch,
            holding=hand.held is not None,
            supported=hand.supported,
            force_in_target_n=target_in_base.rotation.T @ self._force,
            opening=self.opening(belief),
            elapsed_s=elapsed_s,
            failures=self.failures(belief),
        )

    def _tick_stow(self, belief: Belief, observation: Observation) -> Command:
        """Back from the scene and tuck in."""
        twist, rate, _, there = tuck(belief.hand, observation, *self._carefully(belief))
        if there or belief.time_s - self._since_s > SETUP_TIMEOUT_S:
            if self._outcome:
                return self._try_again(belief, self._outcome)
            self._enter("verify", belief)
        # Fingers that open more here might open against something.
        command = Command(twist, True, "width", self.ready_width_m, lift_rate_m_s=rate)
        if self._aim is not None and self.verify_s > 0.0:
            command.head_rate_rad_s = look_at_map_point(
                self._aim.target_in_map.position, belief.base_in_map, observation
            )
        return command

    def _tick_verify(self, belief: Belief, observation: Observation) -> Command:
        """Look whether it is as it should be, once the hand is out of the way."""
        assert self._aim is not None
        verdict = self.verdict(belief)
        if verdict == "done" or belief.time_s - self._since_s > self.verify_s:
            return self.succeed() if verdict in ("", "done") else self._try_again(belief, verdict)
        head = look_at_map_point(self._aim.target_in_map.position, belief.base_in_map, observation)
        return Command(head_rate_rad_s=head)

    verify_s = 0.0
    """How long to look for it at most after the hand has drawn back."""

    def verdict(self, belief: Belief) -> str:
        """What is seen of the outcome: `done`, a reason of failure, or `` where nothing is seen of it."""
        return ""

    def _stop_short(self, belief: Belief, reason: str) -> Command:
        """End acting; the reason, if any, leads to another attempt once the arm is tucked in."""
        self._outcome = reason
        self._pressing_s = 0.0
        self._enter("stow", belief)
        return Command()

    def _try_again(self, belief: Belief, reason: str) -> Command:
        if self.attempt >= MAX_ATTEMPTS:
            return self.fail(reason)
        self.attempt += 1
        self._enter("choose", belief)
        return Command()
