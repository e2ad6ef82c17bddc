"""Following a path with a holonomic, round base: one stateless function from what is known now to a velocity."""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from agent.messages import TICK_S
from controllers.motion import se2
from controllers.motion.grid import Array
from controllers.motion.paths import FOOTPRINT_RADIUS_M, Path

_SETTLE_PER_S = 2.5
"""Gain of the last centimetres: an error shrinks by this share a second."""
_NEAR_GOAL_M = 0.5
_STOP_MARGIN_M = 0.01
HAND_HALF_WIDTH_M = 0.09
_HARD_BRAKE = 2.0
"""Times the acceleration limit, when something is in the way."""


@dataclass(frozen=True, slots=True)
class BaseLimits:
    """How the base may move. The defaults are for free hands; see FULL_MUG."""

    speed_m_s: float = 0.8
    acceleration_m_s2: float = 0.8
    yaw_rate_rad_s: float = 1.5
    yaw_acceleration_rad_s2: float = 3.0
    stop_clearance_m: float = FOOTPRINT_RADIUS_M + _STOP_MARGIN_M
    """Distance from the base's centre at which nothing may come nearer."""


FULL_MUG = BaseLimits(speed_m_s=0.5, acceleration_m_s2=0.4, yaw_rate_rad_s=0.8, yaw_acceleration_rad_s2=1.0)
DOOR_PUSH = BaseLimits(speed_m_s=0.25, acceleration_m_s2=0.5, yaw_rate_rad_s=0.6)


def follow(
    path: Path,
    base_pose_in_map: ArrayLike,
    velocity_in_base: ArrayLike,
    *,
    limits: BaseLimits = BaseLimits(),
    final_yaw_rad: float | None = None,
    obstacles_in_base_m: Array | None = None,
    turn_to_motion: bool = True,
    front_reach_m: float = 0.0,
) -> Array:
    """(3,) base velocity for this tick: m/s, m/s, rad/s in base axes.

    `velocity_in_base` is what was commanded last (`Observation.applied.base_velocity_in_base`): the change per tick
    keeps the acceleration limits. `obstacles_in_base_m` (n, 2) are the latest scan's points in the base's present
    frame; the base slides along them and stops before them. Without `turn_to_motion` it keeps its yaw on the way
    (short moves, pushing). `front_reach_m` is how far the hand stands out in front of the base's centre: the base
    does not turn it into an obstacle. About 0.1 ms.
    """
    x, y, yaw = np.asarray(base_pose_in_map, dtype=np.float64).tolist()
    vx, vy, _ = np.asarray(velocity_in_base, dtype=np.float64).tolist()
    ahead_x, ahead_y, remaining_m, corner_speed = _aim(path.points_m, x, y, math.hypot(vx, vy), limits)
    speed = min(corner_speed, _braking(remaining_m, limits.acceleration_m_s2))
    if turn_to_motion and remaining_m > _NEAR_GOAL_M and path.length_m > _NEAR_GOAL_M:
        # Look where you go: turn first, and drive on as the front comes round.
        yaw_error = se2.wrap(math.atan2(ahead_y, ahead_x) - yaw)
        facing = min(1.0, max(0.05, 1.5 * math.cos(yaw_error) - 0.3))
    else:
        yaw_error = 0.0 if final_yaw_rad is None else se2.wrap(final_yaw_rad - yaw)
        facing = 1.0
    obstacles = np.zeros((0, 2)) if obstacles_in_base_m is None else obstacles_in_base_m
    yaw_rate = min(limits.yaw_rate_rad_s, _braking(abs(yaw_error), limits.yaw_acceleration_rad_s2))
    yaw_rate = math.copysign(yaw_rate, yaw_error)
    if len(obstacles) and front_reach_m > FOOTPRINT_RADIUS_M:
        room = _room_to_turn(yaw_rate, front_reach_m, obstacles)
        yaw_rate *= room
        facing = max(facing, 0.5 * (1.0 - room))  # no room to turn here: go on sideways
    speed *= facing
    scale = speed / max(math.hypot(ahead_x, ahead_y), 1e-9)
    c, s = math.cos(yaw), math.sin(yaw)
    wanted = np.array((scale * (c * ahead_x + s * ahead_y), scale * (c * ahead_y - s * ahead_x)))
    brake = 1.0
    if len(obstacles):
        clear = keep_clear(wanted, obstacles, limits)
        brake = 1.0 if clear is wanted else _HARD_BRAKE
        wanted = clear
    return _ramp(np.array((wanted[0], wanted[1], yaw_rate)), velocity_in_base, limits, brake)


def arrived(
    path: Path,
    base_pose_in_map: ArrayLike,
    final_yaw_rad: float | None = None,
    position_tolerance_m: float = 0.01,
    yaw_tolerance_rad: float = math.radians(1.0),
) -> bool:
    """Whether the base stands at the end of the path."""
    pose = np.asarray(base_pose_in_map, dtype=np.float64)
    near = float(np.hypot(*(path.points_m[-1] - pose[:2]))) <= position_tolerance_m
    return near and (final_yaw_rad is None or abs(se2.wrap(final_yaw_rad - pose[2])) <= yaw_tolerance_rad)


def stop(velocity_in_base: ArrayLike, limits: BaseLimits = BaseLimits()) -> Array:
    """(3,) velocity of a base that brakes to rest within its limits."""
    return _ramp(np.zeros(3), velocity_in_base, limits)


def keep_clear(velocity_xy_in_base: Array, obstacles_in_base_m: Array, limits: BaseLimits) -> Array:
    """(2,) the velocity without what would bring the base too near to a point: it slides along, or stops.

    Towards a point at distance d it may go as fast as it can brake before `stop_clearance_m`.
    """
    squared = np.einsum("ij,ij->i", obstacles_in_base_m, obstacles_in_base_m)
    reach = limits.stop_clearance_m + limits.speed_m_s**2 / limits.acceleration_m_s2  # farther ones never bind
    near = np.flatnonzero((squared > 0.05**2) & (squared < reach * reach))
    if near.size == 0:
        return velocity_xy_in_base
    distance = np.sqrt(squared[near])
    normal = obstacles_in_base_m[near] / distance[:, None]
    gap = distance - limits.stop_clearance_m
    # Nearer than that the base backs off gently, as far as there is room on the other side.
    allowed = np.minimum(_SETTLE_PER_S * gap, np.sqrt(limits.acceleration_m_s2 * np.maximum(gap, 0.0)))
    allowed = np.maximum(allowed, -0.1)
    velocity = np.array(velocity_xy_in_base, dtype=np.float64)
    for _ in range(4):
        excess = normal @ velocity - allowed
        worst = int(np.argmax(excess))
        if excess[worst] <= 1e-6:
            break
        velocity -= excess[worst] * normal[worst]
    else:
        if float((normal @ velocity - np.maximum(allowed, 0.0)).max()) > 0.03:
            return np.zeros(2)  # a corner: no way to slide out of it
    unchanged = float(np.abs(velocity - velocity_xy_in_base).max()) == 0.0
    return velocity_xy_in_base if unchanged else velocity


def _room_to_turn(yaw_rate: float, reach_m: float, obstacles_in_base_m: Array) -> float:
    """Share in [0, 1] of a yaw rate that the hand, HAND_HALF_WIDTH_M to both sides of the front, has room for."""
    x, y = obstacles_in_base_m[:, 0], obstacles_in_base_m[:, 1] * math.copysign(1.0, yaw_rate)
    side = (x > FOOTPRINT_RADIUS_M - 0.05) & (y > 0.0) & (np.hypot(x, y - HAND_HALF_WIDTH_M) < reach_m + 0.02)
    if not side.any():
        return 1.0
    gap_rad = float((np.arctan2(y[side] - HAND_HALF_WIDTH_M, x[side])).min())
    return min(1.0, max(0.0, _SETTLE_PER_S * (gap_rad - 0.05) / max(abs(yaw_rate), 1e-6)))


def _aim(points: Array, x: float, y: float, speed_now: float, limits: BaseLimits) -> tuple[float, float, float, float]:
    """Offset x, y of the point to steer at, what remains of the way in m, and the speed that corners ahead allow.

    Plain floats: a path has a handful of points, for which they are several times faster than arrays.
    """
    corners = points.tolist()
    done = along = total = nearest_m = 0.0
    nearest = -1
    for k, ((ax, ay), (bx, by)) in enumerate(pairwise(corners)):
        dx, dy = bx - ax, by - ay
        length = math.hypot(dx, dy)
        share = min(1.0, max(0.0, ((x - ax) * dx + (y - ay) * dy) / max(length * length, 1e-18)))
        off = math.hypot(ax + share * dx - x, ay + share * dy - y)
        if nearest < 0 or off <= nearest_m + 1e-3:  # of equally near stretches the later one
            nearest, nearest_m, done = k, min(off, nearest_m) if nearest >= 0 else off, total + share * length
        total += length
    lookahead = 0.1 if nearest_m > 0.15 + 0.4 * speed_now else 0.15 + 0.4 * speed_now  # far off: back to it first
    at = min(done + lookahead, total)
    allowed = limits.speed_m_s
    target_x, target_y = corners[-1]
    last_dx = last_dy = last_length = 0.0
    found = at >= total
    for k, ((ax, ay), (bx, by)) in enumerate(pairwise(corners)):
        dx, dy = bx - ax, by - ay
        length = max(math.hypot(dx, dy), 1e-9)
        if k > nearest:
            cosine = (dx * last_dx + dy * last_dy) / (length * last_length)
            sharpness = math.sqrt(min(1.0, max(0.0, 0.5 * (1.0 - cosine))))  # 0 straight on, 0.7 right angle, 1 back
            at_corner = max(0.12, limits.speed_m_s * (1.0 - 1.1 * sharpness))
            way = max(0.0, along - done)
            allowed = min(allowed, math.sqrt(at_corner * at_corner + 1.6 * limits.acceleration_m_s2 * way))
        if not found and along + length >= at:
            share = (at - along) / length
            target_x, target_y, found = ax + share * dx, ay + share * dy, True
        along += length
        last_dx, last_dy, last_length = dx, dy, length
    remaining = total - done if at < total else math.hypot(target_x - x, target_y - y)
    return target_x - x, target_y - y, remaining, allowed


def _braking(way: float, acceleration: float) -> float:
    """Speed from which the rest of the way suffices to stop, settling exponentially at the end."""
    return min(_SETTLE_PER_S * way, math.sqrt(1.6 * acceleration * way))


def _ramp(wanted: Array, velocity_in_base: ArrayLike, limits: BaseLimits, brake: float = 1.0) -> Array:
    vx, vy, turn = np.asarray(velocity_in_base, dtype=np.float64).tolist()
    # The base turned under its velocity: what goes on straight in the room has turned back in base axes.
    c, s = math.cos(turn * TICK_S), math.sin(turn * TICK_S)
    vx, vy = c * vx + s * vy, c * vy - s * vx
    dx, dy, dturn = wanted[0] - vx, wanted[1] - vy, wanted[2] - turn
    share = min(1.0, brake * limits.acceleration_m_s2 * TICK_S / max(math.hypot(dx, dy), 1e-9))
    most = limits.yaw_acceleration_rad_s2 * TICK_S
    return np.array((vx + share * dx, vy + share * dy, turn + min(most, max(-most, dturn))))
