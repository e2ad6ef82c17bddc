"""Following a path with a holonomic, round base: one stateless function from what is known now to a velocity."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from controllers.motion import se2
from controllers.motion.grid import Array
from controllers.motion.paths import FOOTPRINT_RADIUS_M, Path

TICK_S = 0.01
_SETTLE_PER_S = 2.5
"""Gain of the last centimetres: an error shrinks by this share a second."""
_NEAR_GOAL_M = 0.5
_STOP_MARGIN_M = 0.01
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
) -> Array:
    """(3,) base velocity for this tick: m/s, m/s, rad/s in base axes.

    `velocity_in_base` is what was commanded last (`Observation.applied.base_velocity_in_base`): the change per tick
    keeps the acceleration limits. `obstacles_in_base_m` (n, 2) are the latest scan's points in the base's present
    frame; the base slides along them and stops before them. Without `turn_to_motion` it keeps its yaw on the way
    (short moves, pushing). About 0.1 ms.
    """
    pose = np.asarray(base_pose_in_map, dtype=np.float64)
    target, remaining_m, corner_speed = _aim(path.points_m, pose[:2], velocity_in_base, limits)
    ahead = target - pose[:2]
    distance = float(np.hypot(*ahead))
    speed = min(limits.speed_m_s, corner_speed, _braking(remaining_m, limits.acceleration_m_s2))
    if turn_to_motion and remaining_m > _NEAR_GOAL_M and path.length_m > _NEAR_GOAL_M:
        # Look where you go: turn first, and drive on as the front comes round.
        yaw_error = se2.wrap(math.atan2(ahead[1], ahead[0]) - pose[2])
        speed *= min(1.0, max(0.05, 1.5 * math.cos(yaw_error) - 0.3))
    else:
        yaw_error = 0.0 if final_yaw_rad is None else se2.wrap(final_yaw_rad - pose[2])
    wanted = ahead * (speed / distance) if distance > 1e-9 else np.zeros(2)
    wanted = se2.rotate(-pose[2], wanted)
    brake = 1.0
    if obstacles_in_base_m is not None and len(obstacles_in_base_m):
        clear = keep_clear(wanted, obstacles_in_base_m, limits)
        brake = 1.0 if clear is wanted else _HARD_BRAKE
        wanted = clear
    yaw_rate = math.copysign(
        min(limits.yaw_rate_rad_s, _braking(abs(yaw_error), limits.yaw_acceleration_rad_s2)), yaw_error
    )
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
    distance = np.hypot(obstacles_in_base_m[:, 0], obstacles_in_base_m[:, 1])
    near = (distance > 0.05) & (distance < limits.stop_clearance_m + 0.7)
    if not near.any():
        return velocity_xy_in_base
    distance = distance[near]
    normal = obstacles_in_base_m[near] / distance[:, None]
    gap = distance - limits.stop_clearance_m
    # Nearer than that the base backs off, gently.
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
        if float((normal @ velocity - allowed).max()) > 0.03:
            return np.zeros(2)  # a corner: no way to slide out of it
    unchanged = float(np.abs(velocity - velocity_xy_in_base).max()) == 0.0
    return velocity_xy_in_base if unchanged else velocity


def _aim(points: Array, xy: Array, velocity_in_base: ArrayLike, limits: BaseLimits) -> tuple[Array, float, float]:
    """The point to steer at, what remains of the way in m, and the speed that the corners ahead allow."""
    starts, steps = points[:-1], np.diff(points, axis=0)
    lengths = np.maximum(np.hypot(steps[:, 0], steps[:, 1]), 1e-9)
    share = np.clip(((xy - starts) * steps).sum(axis=1) / lengths**2, 0.0, 1.0)
    nearest = starts + share[:, None] * steps
    off = np.hypot(*(nearest - xy).T)
    k = int(np.flatnonzero(off <= off.min() + 1e-3)[-1])
    ends = np.cumsum(lengths)
    done = float(ends[k] - lengths[k] * (1.0 - share[k]))
    total = float(ends[-1])
    speed_now = float(np.hypot(*np.asarray(velocity_in_base, dtype=np.float64)[:2]))
    lookahead = 0.15 + 0.4 * speed_now
    if off[k] > lookahead:
        lookahead = 0.1  # far off the path: back to it first
    at = min(done + lookahead, total)
    j = min(int(np.searchsorted(ends, at)), len(ends) - 1)
    target = points[j + 1] - steps[j] * (max(ends[j] - at, 0.0) / lengths[j])
    remaining = total - done if at < total else float(np.hypot(*(points[-1] - xy)))
    return target, remaining, _corner_speed(steps, lengths, ends, done, limits)


def _corner_speed(steps: Array, lengths: Array, ends: Array, done: float, limits: BaseLimits) -> float:
    """Slow enough now to take every corner ahead at a speed that its sharpness allows."""
    if len(steps) < 2:
        return limits.speed_m_s
    cosine = (steps[1:] * steps[:-1]).sum(axis=1) / (lengths[1:] * lengths[:-1])
    sharpness = np.sqrt(np.clip(0.5 * (1.0 - cosine), 0.0, 1.0))  # 0 straight on, 0.7 right angle, 1 back
    at_corner = np.maximum(0.12, limits.speed_m_s * (1.0 - 1.1 * sharpness))
    way = ends[:-1] - done
    ahead = way > 0.0
    if not ahead.any():
        return limits.speed_m_s
    allowed = np.sqrt(at_corner[ahead] ** 2 + 1.6 * limits.acceleration_m_s2 * way[ahead])
    return float(min(limits.speed_m_s, allowed.min()))


def _braking(way: float, acceleration: float) -> float:
    """Speed from which the rest of the way suffices to stop, settling exponentially at the end."""
    return min(_SETTLE_PER_S * way, math.sqrt(1.6 * acceleration * way))


def _ramp(wanted: Array, velocity_in_base: ArrayLike, limits: BaseLimits, brake: float = 1.0) -> Array:
    now = np.array(velocity_in_base, dtype=np.float64)
    # The base turned under its velocity: what goes on straight in the room has turned back in base axes.
    now[:2] = se2.rotate(-now[2] * TICK_S, now[:2])
    change = wanted - now
    linear = float(np.hypot(change[0], change[1]))
    most = brake * limits.acceleration_m_s2 * TICK_S
    if linear > most:
        change[:2] *= most / linear
    most_yaw = limits.yaw_acceleration_rad_s2 * TICK_S
    change[2] = min(most_yaw, max(-most_yaw, change[2]))
    return now + change
