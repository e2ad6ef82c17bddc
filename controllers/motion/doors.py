"""Room doors that swing both ways: where to stand before one, how to drive through, when it is passable."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from controllers.motion import se2
from controllers.motion.grid import Array, Mask
from controllers.motion.paths import FOOTPRINT_RADIUS_M, Path, polyline_samples

STANDOFF_M = 0.75
"""Distance of the base's centre from the doorway's plane before and after the push."""
FARTHEST_M, STEEPEST_RAD = 1.2, 1.2
"""How far from the doorway and how slanted a push may begin where the base happens to stand."""

SWING_RAD = math.radians(93.0)
"""Angle of a leaf that is fully open (opening 1); only roughly known and only roughly needed."""
SHUT_BELOW = 0.06
PASSABLE_OPENING = 0.75
"""From here on a door is as open as it gets: nobody pushes it."""


@dataclass(frozen=True, slots=True)
class Doorway:
    """A doorway and how its leaf stands now."""

    position_in_map_m: tuple[float, float]
    """Middle of the doorway, in the plane of the wall."""
    yaw_in_map_rad: float
    """Direction through it (either of the two)."""
    width_m: float
    opening: float
    """0 shut, 1 fully open."""
    leaf_position_in_map_m: tuple[float, float]
    leaf_yaw_in_map_rad: float
    """Normal of the leaf as it stands."""
    margin: float = math.inf
    """How much better it fits what was seen than the next of the doorways that the leaf may belong to."""

    def sides(self, distance_m: float) -> list[Array]:
        """The two points (2,) so far straight before its middle."""
        normal = np.array((math.cos(self.yaw_in_map_rad), math.sin(self.yaw_in_map_rad)))
        middle = np.array(self.position_in_map_m)
        return [middle + distance_m * normal, middle - distance_m * normal]


@dataclass(frozen=True, slots=True)
class DoorPush:
    """How to go through a doorway whose leaf is in the way."""

    approach_pose_in_map: Array
    """(3,) in front of the doorway's middle on our side, facing it."""
    through: Path
    """From the approach pose by the doorway's middle to STANDOFF_M behind it; follow it with the limits DOOR_PUSH."""
    end_pose_in_map: Array
    """(3,)"""


def _seen_share(points: Array, across: Array, within_m: float, occupied_at: Callable[[Array], Mask]) -> float:
    """Share of points that were seen as something, up to `within_m` to either side: a scan sees faces, not middles."""
    offsets = np.linspace(-within_m, within_m, 5)[:, None, None] * across
    return float(occupied_at(points + offsets).any(axis=0).mean())


def plan_push(doorway: Doorway, from_xy: ArrayLike, slant_rad: float = 0.0, standoff_m: float = STANDOFF_M) -> DoorPush:
    """The push through a doorway from the side where `from_xy` is.

    A double-acting leaf may hang on either side and stand on either side: driving through the middle turns it away.
    With a slant the way to the middle comes from that far beside the straight one.
    """
    if doorway.width_m < 2.0 * FOOTPRINT_RADIUS_M:
        raise ValueError(
            f"a doorway of {doorway.width_m:.2f} m is narrower than the base ({2 * FOOTPRINT_RADIUS_M:.2f} m)"
        )
    middle = np.array(doorway.position_in_map_m)
    yaw = _yaw_through(middle, doorway.yaw_in_map_rad, from_xy)
    towards = se2.wrap(yaw + slant_rad)
    stand = middle - standoff_m * np.array((math.cos(towards), math.sin(towards)))
    end = middle + STANDOFF_M * np.array((math.cos(yaw), math.sin(yaw)))
    points = np.stack((stand, middle, end))
    path = Path(points, standoff_m + STANDOFF_M, 0.5 * doorway.width_m)
    return DoorPush(np.array((*stand, towards)), path, np.array((*end, yaw)))


def push_from(doorway: Doorway, stand_xy: ArrayLike) -> DoorPush | None:
    """The push from a stand beside the straight way, None if that is too far off or looks along the wall."""
    away = np.array(doorway.position_in_map_m) - np.asarray(stand_xy, dtype=np.float64)[:2]
    yaw = _yaw_through(np.array(doorway.position_in_map_m), doorway.yaw_in_map_rad, stand_xy)
    slant, distance = se2.wrap(math.atan2(away[1], away[0]) - yaw), float(np.hypot(*away))
    near = FOOTPRINT_RADIUS_M < distance <= FARTHEST_M and abs(slant) <= STEEPEST_RAD
    return plan_push(doorway, stand_xy, slant, distance) if near else None


def possible_middles(leaf_xy_in_map_m: ArrayLike, doorway_yaw_rad: float, width_m: float, opening: float) -> Array:
    """(4, 2) where the doorway's middle may be, for a leaf of which the centre, the opening and the normal *when shut*
    were seen: the hinge's side and the side it swung to are not seen. All four agree on a shut leaf."""
    leaf = np.array(np.asarray(leaf_xy_in_map_m, dtype=np.float64)[:2])
    angle = opening * SWING_RAD if opening > SHUT_BELOW else 0.0
    along = np.array((-math.sin(doorway_yaw_rad), math.cos(doorway_yaw_rad)))
    middles = [
        leaf - 0.5 * width_m * (se2.rotate(swing * angle, -hinge * along) + hinge * along)
        for hinge in (1.0, -1.0)
        for swing in (1.0, -1.0)
    ]
    return np.array(middles)


def find_doorway(
    leaf_xy_in_map_m: ArrayLike,
    doorway_yaw_rad: float,
    width_m: float,
    opening: float,
    occupied_at: Callable[[Array], Mask],
    known_xy_in_map_m: ArrayLike | None = None,
) -> Doorway | None:
    """The doorway of a leaf of which the centre, the opening and the normal *when shut* were seen.

    A detector does not tell the hinge's side nor to which side the leaf swung. Of the four doorways that are possible
    it is the one whose leaf and posts the scan saw: `occupied_at` answers for points (n, 2) of the map. None while too
    little of them was seen to tell; a shut leaf needs no telling. Where the doorway is known already, it is the
    one nearest to that.
    """
    leaf = np.array(np.asarray(leaf_xy_in_map_m, dtype=np.float64)[:2])
    angle = opening * SWING_RAD if opening > SHUT_BELOW else 0.0
    normal = np.array((math.cos(doorway_yaw_rad), math.sin(doorway_yaw_rad)))
    along = np.array((-normal[1], normal[0]))
    fits: list[tuple[float, Doorway]] = []
    for hinge in (1.0, -1.0):
        for swing in (1.0, -1.0):
            # From the hinge the shut leaf points along −hinge · along; it turned by `swing` · `angle`.
            now = se2.rotate(swing * angle, -hinge * along)
            middle = leaf - 0.5 * width_m * (now + hinge * along)
            posts = middle + np.array((-1.0, 1.0, -1.0, 1.0))[:, None] * along * (0.5 * width_m + 0.08)
            posts[2:] += 0.1 * np.array((-1.0, 1.0))[:, None] * along
            on_leaf = leaf + np.linspace(-0.42, 0.42, 7)[:, None] * width_m * now
            in_way = middle + np.linspace(-0.3, 0.3, 5)[:, None] * width_m * along
            walls = _seen_share(posts, normal, 0.10, occupied_at)
            if known_xy_in_map_m is not None:
                score = -float(np.hypot(*(middle - np.asarray(known_xy_in_map_m))))
            elif angle > 0.0 and walls < 0.5:
                continue
            else:
                across_leaf = np.array((-now[1], now[0]))
                score = walls + _seen_share(on_leaf, across_leaf, 0.05, occupied_at)
                score -= float(occupied_at(in_way).mean()) * min(1.0, angle)
            leaf_yaw = se2.wrap(doorway_yaw_rad + swing * angle)
            x, y = middle.tolist()
            place = (float(leaf[0]), float(leaf[1]))
            fits.append((score, Doorway((x, y), se2.wrap(doorway_yaw_rad), width_m, opening, place, leaf_yaw)))
    if not fits:
        return None
    fits.sort(key=lambda fit: -round(fit[0], 9))
    margin = fits[0][0] - fits[1][0] if len(fits) > 1 and angle > 0.0 else math.inf
    return replace(fits[0][1], margin=margin)


def push_along(path: Path, doorway: Doorway) -> DoorPush:
    """The push through a doorway from the side from which a path comes to it."""
    middle = np.array(doorway.position_in_map_m)
    points = polyline_samples(path.points_m, 0.05)
    distance = np.hypot(*(points - middle).T)
    crossing = int(np.argmin(distance))
    before = np.flatnonzero(distance[:crossing] > 0.4)
    return plan_push(doorway, points[before[-1]] if before.size else points[0])


def is_passable(points_in_map_m: Array, doorway: Doorway, half_width_m: float = 0.29) -> bool:
    """Whether the latest scan's points (n, 2) leave the straight way through a doorway free for the base.

    Looks at STANDOFF_M to either side. Only meaningful while the doorway is in view.
    """
    local = _local(points_in_map_m, doorway.position_in_map_m, doorway.yaw_in_map_rad)
    return not bool(np.any((np.abs(local[:, 0]) < STANDOFF_M) & (np.abs(local[:, 1]) < half_width_m)))


def hinge_seen(points_in_map_m: Array, doorway: Doorway, push_yaw_rad: float) -> int:
    """Which side the leaf hangs on, seen along `push_yaw_rad`, from the scan's points (n, 2) on it: +1 left, −1 right,
    0 while it cannot be told (shut, or too little seen)."""
    local = _local(points_in_map_m, doorway.position_in_map_m, push_yaw_rad)
    half = 0.5 * doorway.width_m
    leaf = local[(np.abs(local[:, 1]) < half - 0.06) & (np.abs(local[:, 0]) < doorway.width_m)]
    if len(leaf) < 6:
        return 0
    slope, depth = np.polyfit(leaf[:, 1], leaf[:, 0], 1)
    residual = leaf[:, 0] - (slope * leaf[:, 1] + depth)
    if abs(slope) < 0.15 or float(np.sqrt((residual**2).mean())) > 0.05:
        return 0
    at_left, at_right = abs(depth + slope * half), abs(depth - slope * half)
    if max(at_left, at_right) < 2.0 * min(at_left, at_right) + 0.05:
        return 0
    return 1 if at_left < at_right else -1


def ram_aside_m(depth_m: float, hinge: int) -> float:
    """How far left of the base's middle a hand at `depth_m` behind the doorway's plane pushes a leaf best.

    First near the leaf's free edge, where little force turns it, then across to the hinge's side, so that the leaf is
    turned out of the base's way before the base gets there, and back to the middle once the hand is past it.
    """
    if hinge == 0 or depth_m > 1.15:
        return 0.0
    share = min(1.0, max(0.0, (depth_m - 0.15) / 0.45))
    return hinge * (-0.20 + 0.58 * share)


def without_leaf(points_in_map_m: Array, doorway: Doorway) -> Array:
    """(m, 2) the points outside the area the leaf sweeps: what `follow` must keep clear of while it pushes.

    The posts stay in: only what is nearer to the middle than they are is dropped.
    """
    local = _local(points_in_map_m, doorway.position_in_map_m, doorway.yaw_in_map_rad)
    reach, half = doorway.width_m + 0.05, 0.5 * doorway.width_m
    between_posts = (np.abs(local[:, 0]) < reach) & (np.abs(local[:, 1]) < half - 0.04)
    # Away from the wall there are no posts: the leaf's outer face stands there when it is fully open.
    beside = (np.abs(local[:, 0]) > 0.15) & (np.abs(local[:, 0]) < reach) & (np.abs(local[:, 1]) < half + 0.12)
    return points_in_map_m[~(between_posts | beside)]


def _local(points_in_map_m: Array, position_m: ArrayLike, yaw_rad: float) -> Array:
    offset = np.asarray(points_in_map_m, dtype=np.float64) - np.asarray(position_m, dtype=np.float64)
    return se2.rotate(-yaw_rad, offset)


def _yaw_through(middle: Array, doorway_yaw_rad: float, from_xy: ArrayLike) -> float:
    away = middle - np.asarray(from_xy, dtype=np.float64)[:2]
    ahead = away @ (math.cos(doorway_yaw_rad), math.sin(doorway_yaw_rad)) >= 0.0
    return se2.wrap(doorway_yaw_rad if ahead else doorway_yaw_rad + math.pi)
