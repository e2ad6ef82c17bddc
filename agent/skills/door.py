"""Push a room door open by driving through its doorway, hand first.

The path planner says where the base goes; the policy moves the hand and says how fast the base may follow.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from agent.belief.belief import Belief
from agent.frames import Pose, planar, tool_rotation
from agent.messages import Observation, Subgoal
from agent.policies.interface import Goal, Motion, Policy, Situation
from agent.policies.paths import RAM_X_M
from agent.skills.command import Command
from agent.skills.drive import BasePose, Drive
from agent.skills.gaze import look_at_map_point
from agent.skills.posture import Posture, towards, tuck
from agent.skills.skill import Skill
from controllers.motion import se2
from controllers.motion.doors import (
    SWING_RAD,
    DoorPush,
    Doorway,
    hinge_seen,
    plan_push,
    push_from,
    ram_aside_m,
    without_leaf,
)
from controllers.motion.follow import DOOR_PUSH, arrived, follow
from controllers.motion.paths import FOOTPRINT_RADIUS_M, Travel

Array = NDArray[np.float64]

PUSH_PITCH_RAD = np.deg2rad(10.0)
RAM_Z_M, RAM_LIFT_M = 1.1, 0.32
"""The closed hand before the base, at the height of a door's handle."""
RAM_SPEED_M_S = 0.3
PUSH_M_S2, SLOWEST_M_S = 0.2, 0.02
"""Acceleration of the base while it pushes; a policy cannot make it stand still for ever."""
BODY_M_S, BODY_GAP_M = 0.05, 0.05
"""Speed of the base while the leaf is this near to its body."""
PUSH_TIMEOUT_S = 35.0
MAX_ATTEMPTS = 2
SLANTS_RAD, STANDS_M = (0.3, -0.3, 0.55, -0.55, 0.8, -0.8, 1.05, -1.05), (0.75, 0.85, 0.65, 1.0)
"""Where else to stand when there is no way to straight before the doorway: a leaf swung to this side bars it."""
STAND_WITHIN_M = 0.15
BESIDE_LEAF_M = 0.2
"""What the map shows so near to a slanted way may still be the leaf: `follow` keeps clear of the rest."""
TURN_BEFORE_M = 0.25
"""So far before the doorway's middle the base turns from a slanted way to straight through it."""
OPENED = 0.85
"""Opening believed of a leaf that the base has just driven past, until it is seen again."""


class PushDoor(Skill):
    """Stand before the doorway, then drive through its middle; the leaf gives way to the hand."""

    def __init__(self, subgoal: Subgoal, policy: Policy) -> None:
        super().__init__(subgoal, policy)
        self._drive: Drive | None = None
        self._doorway: Doorway | None = None
        self._push: DoorPush | None = None
        self._pushing_since_s: float | None = None
        self._hinge = 0

    def tick(self, belief: Belief, observation: Observation) -> Command:
        if self._drive is None and not self._begin(belief):
            return self.fail("target-not-known")
        assert self._drive is not None
        assert self._push is not None
        assert self._doorway is not None
        if self._hinge == 0:
            self._look_for_hinge(belief)
        x, y = self._doorway.position_in_map_m
        head = look_at_map_point(np.array([x, y, 1.0]), belief.base_in_map, observation)
        if self._pushing_since_s is not None:
            return self._act(belief, observation, head)
        if self._drive.there:
            twist, rate, ready = towards(self._ram(belief), belief.hand.tool_in_base, observation, RAM_SPEED_M_S)
            may_drive = True
        else:
            twist, rate, may_drive, ready = tuck(belief.hand, observation, wedged=self._drive.wedged)
        velocity = self._drive.tick(belief, observation) if may_drive else self._drive.wait(belief, observation)
        if self._drive.failed:
            return self._again(belief, self._drive.failed)
        if self._drive.there and ready:
            self._pushing_since_s = belief.time_s
            self.policy.reset()
        return Command(twist, True, "width", 0.0, velocity, rate, head, phase="travel")

    def _act(self, belief: Belief, observation: Observation, head: Array) -> Command:
        """Through the doorway, the policy at the hand."""
        assert self._push is not None
        assert self._pushing_since_s is not None
        end = self._push.end_pose_in_map
        if arrived(self._push.through, belief.base_pose, float(end[2]), 0.1, 0.5):
            return self._through_it(belief)
        elapsed = belief.time_s - self._pushing_since_s
        if elapsed > min(PUSH_TIMEOUT_S, self.subgoal.limits.time_s):
            return self._again(belief, "door-stuck")
        situation = self._situation(belief, observation, elapsed)
        motion = self.policy.act(situation)
        self.estimate = motion.estimate
        rotation = situation.target_in_base.rotation
        twist = np.concatenate([rotation @ motion.twist_in_target[:3], rotation @ motion.twist_in_target[3:]])
        velocity = self._through(belief, observation, motion)
        return Command(twist, False, motion.grip_mode, motion.grip, velocity, 0.0, head, phase=motion.phase)

    def _situation(self, belief: Belief, observation: Observation, elapsed_s: float) -> Situation:
        """The target frame is in the middle of the doorway, at the hand's height, x through it."""
        assert self._push is not None
        assert self._doorway is not None
        hand, subgoal, half = belief.hand, self.subgoal, 0.5 * self._doorway.width_m
        x, y = self._doorway.position_in_map_m
        target_in_base = belief.base_in_map.inverse() @ planar(x, y, float(self._push.end_pose_in_map[2]), RAM_Z_M)
        side = float(self._hinge)
        goal = Goal(
            Pose(np.array([0.0, ram_aside_m(0.0, self._hinge), 0.0]), tool_rotation(PUSH_PITCH_RAD)),
            axis="hinge" if self._hinge else "none",
            hinge_in_target=(0.0, side * half, 0.0),
            hinge_direction_in_target=(0.0, 0.0, side or 1.0),
            travel=SWING_RAD,
        )
        door = belief.entities.get(subgoal.target)
        return Situation(
            kind=subgoal.kind,
            goal=goal,
            limits=subgoal.limits,
            tool_in_target=target_in_base.inverse() @ hand.tool_in_base,
            target_in_base=target_in_base,
            target_std_m=0.03 if door is None else float(door.variance) ** 0.5,
            observation=observation,
            width_m=hand.width_m,
            grip_force_n=hand.force_n,
            pads_touch=hand.pads_touch,
            holding=hand.held is not None,
            supported=hand.supported,
            force_in_target_n=target_in_base.rotation.T @ hand.force_in_base_n,
            elapsed_s=elapsed_s,
            failures=self.failures(belief),
        )

    def _look_for_hinge(self, belief: Belief) -> None:
        """Tell from the scan how the leaf hangs. Who pushes already begins anew with that: it is another goal."""
        assert self._push is not None
        assert self._doorway is not None
        if belief.obstacles_in_base is None:
            return
        points = se2.transform_points(belief.base_pose, belief.obstacles_in_base)
        self._hinge = hinge_seen(points, self._doorway, float(self._push.end_pose_in_map[2]))
        if self._hinge and self._pushing_since_s is not None:
            self.policy.reset()

    def _ram(self, belief: Belief) -> Posture:
        """Where the hand begins to push: as far to the side as suits how the leaf hangs."""
        assert self._push is not None
        assert self._doorway is not None
        yaw = float(self._push.end_pose_in_map[2])
        offset = belief.base_pose[:2] - np.array(self._doorway.position_in_map_m)
        depth = float(offset @ (np.cos(yaw), np.sin(yaw))) + RAM_X_M
        slanted = abs(se2.wrap(yaw - float(self._push.approach_pose_in_map[2]))) > 0.1
        aside = 0.0 if slanted else ram_aside_m(depth, self._hinge)
        position = np.array([RAM_X_M, aside, RAM_Z_M])
        return Posture(Pose(position, tool_rotation(PUSH_PITCH_RAD)), RAM_LIFT_M)

    def _through_it(self, belief: Belief) -> Command:
        """The base stands behind the doorway, so its leaf is open, seen or not."""
        door = belief.entities.get(self.subgoal.target)
        if door is not None:
            door.state = max(OPENED, door.state or 0.0)
            belief.map.mark_opened(door.id, door.state)
        return self.succeed()

    def _begin(self, belief: Belief) -> bool:
        doorway = belief.map.doorways().get(self.subgoal.target)
        if doorway is None:
            return False
        self._doorway = doorway
        self._push = self._way_through(doorway, belief)
        x, y, yaw = (float(v) for v in self._push.approach_pose_in_map)
        self._drive = Drive(BasePose(x, y, yaw, STAND_WITHIN_M))
        self._pushing_since_s = None
        self._hinge = 0  # its sign depends on the side
        return True

    @staticmethod
    def _way_through(doorway: Doorway, belief: Belief) -> DoorPush:
        """The push from the side that is the shorter way from here, as straight as it can be got at."""
        here = belief.base_pose[:2]
        travel = Travel(belief.map.costs(), here)
        sides = doorway.sides(1.0)
        straight = [plan_push(doorway, side) for side in sides]
        costs = [travel.cost_near(push.approach_pose_in_map[:2], STAND_WITHIN_M) for push in straight]
        if min(costs) < np.inf:
            return straight[int(np.argmin(costs))]
        ways = [plan_push(doorway, side, slant, d) for slant in SLANTS_RAD for d in STANDS_M for side in sides]
        costs_to = travel.costs_to(np.array([push.approach_pose_in_map[:2] for push in ways]))
        ways = [push for push, cost in zip(ways, costs_to, strict=True) if cost < np.inf]
        # From where the base is, too: it may stand nearer to the leaf than any path would lead.
        if (from_here := push_from(doorway, here)) is not None:
            ways.append(from_here)
        without_leaves = belief.map.costs(push_doors=True)
        for push in ways:
            if without_leaves.is_free_between(push.approach_pose_in_map[:2], doorway.position_in_map_m, BESIDE_LEAF_M):
                return push
        return plan_push(doorway, here)

    def _through(self, belief: Belief, observation: Observation, motion: Motion) -> Array:
        """The base's velocity (3,): along the way that is planned, as fast as the policy says."""
        assert self._push is not None
        assert self._doorway is not None
        obstacles = belief.obstacles_in_base
        if obstacles is not None:
            points = without_leaf(se2.transform_points(belief.base_pose, obstacles), self._doorway)
            obstacles = se2.transform_points(se2.inverse(belief.base_pose), points)
        middle = np.array(self._doorway.position_in_map_m)
        yaw = float(self._push.end_pose_in_map[2])
        if float((middle - belief.base_pose[:2]) @ (np.cos(yaw), np.sin(yaw))) > TURN_BEFORE_M:
            yaw = float(self._push.approach_pose_in_map[2])
        velocity = observation.applied.base_velocity_in_base
        near = belief.obstacles_in_base is not None and _near_the_body(belief.obstacles_in_base)
        fastest = BODY_M_S if near else DOOR_PUSH.speed_m_s
        speed = min(fastest, max(SLOWEST_M_S, float(motion.base_velocity_in_base[0])))
        limits = replace(DOOR_PUSH, speed_m_s=speed, **({} if near else {"acceleration_m_s2": PUSH_M_S2}))
        return follow(
            self._push.through,
            belief.base_pose,
            velocity,
            limits=limits,
            final_yaw_rad=yaw,
            obstacles_in_base_m=obstacles,
            turn_to_motion=False,
        )

    def _again(self, belief: Belief, reason: str) -> Command:
        if self.attempt >= MAX_ATTEMPTS:
            return self.fail(reason)
        self.attempt += 1
        self._drive = None
        return Command()


def _near_the_body(obstacles_in_base_m: Array) -> bool:
    """Whether something stands close before the front half of the base."""
    distance = np.hypot(obstacles_in_base_m[:, 0], obstacles_in_base_m[:, 1])
    return bool(np.any((obstacles_in_base_m[:, 0] > 0.12) & (distance < FOOTPRINT_RADIUS_M + BODY_GAP_M)))
