"""Skills that drive and look: go to, carry, look for, explore."""

from dataclasses import replace
from math import cos, pi, sin

import numpy as np
from numpy.typing import NDArray

from agent.belief.belief import Belief
from agent.belief.classes import FRONTS, hinge_side
from agent.belief.entities import Entity
from agent.belief.exploring import next_view
from agent.belief.places import front_directions
from agent.frames import Pose, planar
from agent.messages import Observation, Subgoal
from agent.policies.interface import Goal, Policy, Situation
from agent.skills.command import Command
from agent.skills.drive import BasePose, Drive
from agent.skills.gaze import look_at_map_point, sweep, towards_map_point
from agent.skills.manipulation import HOLD_N
from agent.skills.posture import LIFT, TRAVEL_LIFT_M, tuck, tucked
from agent.skills.skill import Skill
from agent.skills.standing import standing_before
from controllers.motion.explore import View
from controllers.motion.follow import FULL_MUG, BaseLimits
from controllers.motion.paths import Travel

Array = NDArray[np.float64]

NEAR_M = 1.0
LEVEL_M_S, LIFTED_WITHIN_M, SLOWEST_M_S = 0.2, 0.03, 0.03
"""With a full mug: the tool's speed while it is tucked in, how near the lift must be, the base's least speed."""
VIEWS_M, INTO_DRAWER_M = (1.05, 1.3, 0.85), (0.54, 0.57, 0.61)
"""Distances of the base from what it looks at, best first."""
LOOK_S = 3.5
EXPLORE_S, EXPLORE_LEAST_S, CHECK_S, GLANCE_S = 40.0, 8.0, 0.8, 1.2
WANTED = ("mug", "pod", "coffee_machine", "table")
"""Classes whose discovery ends an exploration early, for they may change the plan."""
MAX_VIEWS = 4


class Driving(Skill):
    """Common part: arm tucked while a Drive runs."""

    def __init__(self, subgoal: Subgoal, policy: Policy) -> None:
        super().__init__(subgoal, policy)
        self._drive: Drive | None = None

    def driving(self, belief: Belief, observation: Observation, head: Array) -> Command:
        full, wedged = belief.holds_full_mug, self._drive is not None and self._drive.wedged
        twist, rate, may_drive, _ = tuck(belief.hand, observation, 0.2 if full else 0.45, full, wedged)
        velocity = np.zeros(3)
        if self._drive is not None:
            velocity = self._drive.tick(belief, observation) if may_drive else self._drive.wait(belief, observation)
        command = Command(twist, True, base_velocity_in_base=velocity, lift_rate_m_s=rate, head_rate_rad_s=head)
        command.phase = "drive"
        if belief.hand.held is not None:
            command.grip_mode, command.grip = "force", HOLD_N
        return command


class GoTo(Driving):
    """Stand about a metre from an entity and face it."""

    near_m = NEAR_M
    limits = BaseLimits()

    def tick(self, belief: Belief, observation: Observation) -> Command:
        if belief.hand.lost:
            belief.hand.lost = ""
            return self.fail("lost-grip")
        entity = belief.entities.get(self.subgoal.target)
        if entity is None:
            return self.fail("target-not-known")
        if self._drive is None:
            goal = standing_before(entity, belief, self.near_m)
            if goal is None:
                return self.fail("unreachable")
            self._drive = Drive(goal, self.limits, fine=False)
        if self._drive.failed:
            return self.fail(self._drive.failed)
        if self._drive.there:
            return self.succeed()
        head = look_at_map_point(entity.position, belief.base_in_map, observation)
        return self.driving(belief, observation, head)


class Carry(GoTo):
    """Bring the full mug before the table: the path planner drives, the policy keeps the mug level and says how fast.

    The target frame rides on the base, at the place where the tool is tucked in; the tool moves relative to it.
    """

    near_m = 0.75
    limits = FULL_MUG

    def __init__(self, subgoal: Subgoal, policy: Policy) -> None:
        super().__init__(subgoal, policy)
        self._began_s: float | None = None

    def driving(self, belief: Belief, observation: Observation, head: Array) -> Command:
        held = belief.hand.held
        if self._drive is None or held is None:
            return super().driving(belief, observation, head)
        posture = tucked(held.pitch_down_rad)
        if self._began_s is None:
            twist, rate, near, _ = tuck(belief.hand, observation, LEVEL_M_S, True)
            if not near or abs(float(observation.joint_position[LIFT]) - TRAVEL_LIFT_M) > LIFTED_WITHIN_M:
                velocity = self._drive.wait(belief, observation)
                return Command(twist, True, "force", HOLD_N, velocity, rate, head, phase="raise")
            self._began_s = belief.time_s
            self.policy.reset()
        situation = self._situation(belief, observation, posture.tool, belief.time_s - self._began_s)
        motion = self.policy.act(situation)
        self.estimate = motion.estimate
        speed = min(self.limits.speed_m_s, max(SLOWEST_M_S, float(motion.base_velocity_in_base[0])))
        self._drive.limits = replace(self.limits, speed_m_s=speed)
        velocity = self._drive.tick(belief, observation)
        return Command(
            motion.twist_in_target, True, motion.grip_mode, motion.grip, velocity, 0.0, head, phase=motion.phase
        )

    def _situation(self, belief: Belief, observation: Observation, tool: Pose, elapsed_s: float) -> Situation:
        hand = belief.hand
        target_in_base = planar(float(tool.position[0]), float(tool.position[1]), 0.0, float(tool.position[2]))
        return Situation(
            kind=self.subgoal.kind,
            goal=Goal(Pose(np.zeros(3), tool.rotation)),
            limits=self.subgoal.limits,
            tool_in_target=target_in_base.inverse() @ hand.tool_in_base,
            target_in_base=target_in_base,
            target_std_m=0.0,
            observation=observation,
            width_m=hand.width_m,
            grip_force_n=hand.force_n,
            pads_touch=hand.pads_touch,
            holding=True,
            supported=hand.supported,
            force_in_target_n=hand.force_in_base_n,
            elapsed_s=elapsed_s,
            failures=self.failures(belief),
        )


class LookFor(Driving):
    """Look at every part of a place from near, until it was seen well enough."""

    def __init__(self, subgoal: Subgoal, policy: Policy) -> None:
        super().__init__(subgoal, policy)
        self._views = 0
        self._arrived_s: float | None = None

    def tick(self, belief: Belief, observation: Observation) -> Command:
        if belief.hand.lost:
            belief.hand.lost = ""
            return self.fail("lost-grip")
        place = belief.entities.get(self.subgoal.target)
        if place is None:
            return self.fail("target-not-known")
        if belief.coverage.is_searched(place.id) and (self._arrived_s is None or belief.time_s - self._arrived_s > 0.6):
            return self._searched(belief)
        point = self._point(belief, place)
        if self._drive is None:
            goal = self._view_pose(belief, place, point)
            if goal is None:
                return self.fail("unreachable")
            self._drive = Drive(goal, fine=place.class_name == "drawer")
        if self._drive.failed:
            return self.fail(self._drive.failed)
        head = look_at_map_point(point, belief.base_in_map, observation)
        if not self._drive.there:
            return self.driving(belief, observation, head)
        if self._arrived_s is None:
            self._arrived_s = belief.time_s
        if belief.time_s - self._arrived_s > LOOK_S:
            self._views += 1
            if self._views >= MAX_VIEWS:
                return self._searched(belief)
            self._drive, self._arrived_s = None, None
        return self.driving(belief, observation, head)

    def _searched(self, belief: Belief) -> Command:
        # Whoever looks for one thing sees the others.
        belief.searched.update((self.subgoal.target, item) for item in ("mug", "pod", self.subgoal.item))
        return self.succeed()

    def _point(self, belief: Belief, place: Entity) -> Array:
        """The part of the place that was seen least."""
        points = belief.coverage.unseen(place)
        nearest = np.argmin(np.hypot(points[:, 0] - belief.base_pose[0], points[:, 1] - belief.base_pose[1]))
        return points[int(nearest)]

    def _view_pose(self, belief: Belief, place: Entity, point: Array) -> BasePose | None:
        travel = Travel(belief.map.costs(), belief.base_pose[:2])
        poses = []
        for direction in front_directions(place):
            # Not from the hinge's side: the open front stands there.
            side = hinge_side(place.class_name)
            for turn in (0.0, 0.3, -0.3) if side == 0 else (0.0, 0.2 * side, 0.4 * side):
                for distance in INTO_DRAWER_M if place.class_name == "drawer" else VIEWS_M:
                    yaw = direction + turn
                    from_front = distance + (0.1 if place.class_name in FRONTS else 0.0)
                    x = float(point[0]) + cos(yaw) * from_front
                    y = float(point[1]) + sin(yaw) * from_front
                    poses.append((BasePose(x, y, yaw + pi), 0.5 * abs(turn)))
        costs = travel.costs_to(np.array([(p.x, p.y) for p, _ in poses])) + np.array([c for _, c in poses])
        order = np.argsort(costs, kind="stable")
        pick = int(order[min(self._views, len(order) - 1)])
        if not np.isfinite(costs[pick]):
            pick = int(order[0])
        return poses[pick][0] if np.isfinite(costs[pick]) else None


class Explore(Driving):
    """Look at one end of the map after the other, until nothing is left, time is over or something wanted was found."""

    def __init__(self, subgoal: Subgoal, policy: Policy) -> None:
        super().__init__(subgoal, policy)
        self._view: View | None = None
        self._started_s: float | None = None
        self._checked_s = -1e9
        self._arrived_s: float | None = None

    def tick(self, belief: Belief, observation: Observation) -> Command:
        now = belief.time_s
        if self._started_s is None:
            self._started_s = now
        settled = now - self._started_s > EXPLORE_LEAST_S
        if settled and (now - self._started_s > EXPLORE_S or self._discovered(belief)):
            return self.succeed()
        if now - self._checked_s > CHECK_S:
            self._checked_s = now
            if not self._choose(belief):
                return self.succeed()
        assert self._drive is not None
        assert self._view is not None
        end = self._view.frontier
        if self._drive.failed:
            self._leave(belief)
        elif self._drive.there:
            if self._arrived_s is None:
                self._arrived_s = now
            if now - self._arrived_s > GLANCE_S:
                self._leave(belief)
        if end.look:
            head = towards_map_point(np.array([end.x_m, end.y_m, 0.0]), belief.base_in_map, observation)
        else:
            head = sweep(observation)
        return self.driving(belief, observation, head)

    def _choose(self, belief: Belief) -> bool:
        """Take the best end of the map; whether there is one."""
        old = self._view
        keep = None if old is None else (old.frontier.x_m, old.frontier.y_m)
        view = next_view(belief, Travel(belief.map.costs(), belief.base_pose[:2]), keep)
        self._view = view
        if view is None:
            return False
        moved = keep is None or np.hypot(view.frontier.x_m - keep[0], view.frontier.y_m - keep[1]) > 0.3
        if moved or self._drive is None:
            x, y, yaw = (float(v) for v in view.pose_in_map)
            self._drive = Drive(BasePose(x, y, yaw, 0.5), fine=False)
            self._arrived_s = None
        return True

    def _leave(self, belief: Belief) -> None:
        """What cannot be seen from here, or not be got to, will not be seen."""
        assert self._view is not None
        end = self._view.frontier
        belief.map.dismiss_frontier((end.x_m, end.y_m), 0.4 if end.look else 0.6)
        self._drive, self._checked_s = None, -1e9

    @staticmethod
    def _discovered(belief: Belief) -> bool:
        found = [entity.class_name for name in belief.news if (entity := belief.entities.get(name)) is not None]
        return any(name in WANTED for name in found)
