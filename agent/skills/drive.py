"""Driving the base to a pose, for every skill: path planning, replanning, stopping."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.belief.belief import Belief
from agent.messages import TICK_S, Observation
from controllers.motion.follow import BaseLimits, arrived, follow
from controllers.motion.paths import FOOTPRINT_RADIUS_M, NoPath, Path, Travel, is_blocked
from controllers.plant import ARM

Array = NDArray[np.float64]

REPLAN_S = 1.5
STUCK_S = 6.0
STUCK_M = 0.04
RETRY_PATH_S = 1.0
PATIENCE_S = 4.0
TURN_ROOM_M = 0.40
BACK_OFF_AFTER_S, BACK_OFF_M_S, CAUGHT_S = 8.0, -0.08, 20.0
"""When an arm that does not get tucked in counts as held by something, and how and how long the base then backs off."""
STILL_RAD, STILL_S, LOOSEN_S = 0.05, 1.5, 2.5
"""An arm of which no joint has got so far in such a time is wedged, and is loosened for so long."""
BASE_CLEAR_M = 0.05
"""Nothing that the scan sees so near the base is driven towards."""
ORDINARY = BaseLimits()


@dataclass(frozen=True, slots=True)
class BasePose:
    """Where the base should stand, in the map frame."""

    x: float
    y: float
    yaw: float | None
    tolerance_m: float = 0.0
    """How far from it is good enough when the spot itself is not free."""


class Drive:
    """One drive to one pose. `failed` names the reason, `there` says when it has arrived."""

    def __init__(self, goal: BasePose, limits: BaseLimits = ORDINARY, fine: bool = True) -> None:
        self.goal = goal
        self.there = False
        self.failed = ""
        self.limits = limits
        """May be changed on the way."""
        self._fine = fine
        self._path: Path | None = None
        self._planned_s = -1e9
        self._no_path_since_s: float | None = None
        self._progress_s = self._waited_s = self._still_s = self._loosened_s = 0.0
        self._progress_at: Array | None = None
        self._arm_at: Array | None = None

    def tick(self, belief: Belief, observation: Observation) -> Array:
        """Base velocity (3,) in the base frame."""
        now, self._waited_s, self._still_s, self._loosened_s = observation.time_s, 0.0, 0.0, 0.0
        self._plan(belief, now)
        still = np.zeros(3)
        if self._path is None or self.failed:
            return still
        pose = belief.base_pose
        tolerance = (0.015, 0.03) if self._fine else (0.15, 0.4)
        if arrived(self._path, pose, self.goal.yaw, *tolerance):
            self.there = True
            return still
        self._watch_progress(pose, now)
        # Beside an open leaf the head has no room to turn: away from it first.
        beside = belief.map.overhang_within(pose[:2], TURN_ROOM_M) and self._far_from_goal(pose)
        return follow(
            self._path,
            pose,
            observation.applied.base_velocity_in_base,
            limits=self.limits,
            final_yaw_rad=None if beside else self.goal.yaw,
            obstacles_in_base_m=belief.obstacles_in_base,
            turn_to_motion=not beside,
        )

    @property
    def wedged(self) -> bool:
        """Whether the arm should be loosened before it is tucked in further."""
        return self._loosened_s > 0.0

    def wait(self, belief: Belief, observation: Observation) -> Array:
        """Base velocity (3,) while the arm is not tucked in yet. Something may hold it: after a while the base backs
        off, and at last the drive has failed."""
        self._waited_s += TICK_S
        joints = observation.joint_position[ARM]
        still = self._arm_at is not None and float(np.abs(joints - self._arm_at).max()) < STILL_RAD
        self._arm_at, self._still_s = (self._arm_at, self._still_s + TICK_S) if still else (joints.copy(), 0.0)
        self._loosened_s = LOOSEN_S if self._still_s > STILL_S else max(0.0, self._loosened_s - TICK_S)
        if self._waited_s > CAUGHT_S:
            self.failed = "arm-caught"
        backing = np.array([BACK_OFF_M_S if self._waited_s > BACK_OFF_AFTER_S else 0.0, 0.0, 0.0])
        return clear_of(belief.obstacles_in_base, backing)

    def _far_from_goal(self, pose: Array) -> bool:
        return float(np.hypot(pose[0] - self.goal.x, pose[1] - self.goal.y)) > TURN_ROOM_M

    def _plan(self, belief: Belief, now: float) -> None:
        age = now - self._planned_s
        if self._path is not None and age < REPLAN_S:
            return
        if self._path is None and age < RETRY_PATH_S:
            return
        grid = belief.map.costs()
        if self._path is not None and age < 4 * REPLAN_S and not is_blocked(grid, self._path, belief.base_pose[:2]):
            self._planned_s = now - 0.5 * REPLAN_S
            return
        result = Travel(grid, belief.base_pose[:2]).path_to((self.goal.x, self.goal.y), self.goal.tolerance_m)
        self._planned_s = now
        if isinstance(result, NoPath):
            if self._no_path_since_s is None:
                self._no_path_since_s = now
            if now - self._no_path_since_s > PATIENCE_S:
                self.failed = f"no-path-{result.reason}"
            self._path = None
            return
        self._no_path_since_s = None
        self._path = result

    def _watch_progress(self, pose: Array, now: float) -> None:
        if self._progress_at is None or float(np.abs(pose - self._progress_at).max()) > STUCK_M:
            self._progress_at, self._progress_s = np.array(pose), now
        elif now - self._progress_s > STUCK_S:
            self.failed = "stuck"


def clear_of(obstacles_in_base_m: Array | None, velocity_in_base: Array) -> Array:
    """The base's velocity (3,) without what would drive it into anything that the latest scan (n, 2) saw beside it."""
    if obstacles_in_base_m is None or not np.any(velocity_in_base[:2]):
        return velocity_in_base
    distance = np.hypot(obstacles_in_base_m[:, 0], obstacles_in_base_m[:, 1])
    near = distance < FOOTPRINT_RADIUS_M + BASE_CLEAR_M
    velocity = velocity_in_base.copy()
    for towards_it in obstacles_in_base_m[near] / distance[near, None]:
        velocity[:2] -= towards_it * max(0.0, float(towards_it @ velocity[:2]))
    return velocity
