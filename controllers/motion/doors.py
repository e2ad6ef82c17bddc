"""Room doors that swing both ways: where to stand before one, how to drive through, when it is passable."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from controllers.motion import se2
from controllers.motion.grid import Array
from controllers.motion.paths import FOOTPRINT_RADIUS_M, Path

STANDOFF_M = 0.75
"""Distance of the base's centre from the doorway's plane before and after the push."""


@dataclass(frozen=True, slots=True)
class DoorLeaf:
    """A door leaf as it stands now."""

    position_in_map_m: tuple[float, float]
    """Centre of the leaf."""
    yaw_in_map_rad: float
    """Normal of the leaf at its present opening (either of the two)."""
    width_m: float
    opening: float
    """0 shut, 1 fully open."""


@dataclass(frozen=True, slots=True)
class DoorPush:
    """How to go through a doorway whose leaf is in the way."""

    approach_pose_in_map: Array
    """(3,) in front of the doorway's middle on our side, facing through it."""
    through: Path
    """Straight from the approach pose to STANDOFF_M behind the doorway; follow it with the limits DOOR_PUSH."""
    end_pose_in_map: Array
    """(3,)"""


def plan_push(doorway_xy_in_map_m: ArrayLike, doorway_yaw_rad: float, width_m: float, from_xy: ArrayLike) -> DoorPush:
    """The push through a doorway from the side where `from_xy` is. The sign of `doorway_yaw_rad` does not matter.

    A double-acting leaf may hang on either side and stand on either side: driving through the middle turns it away.
    """
    if width_m < 2.0 * FOOTPRINT_RADIUS_M:
        raise ValueError(f"a doorway of {width_m:.2f} m is narrower than the base ({2 * FOOTPRINT_RADIUS_M:.2f} m)")
    middle = np.array(np.asarray(doorway_xy_in_map_m, dtype=np.float64)[:2])
    yaw = _yaw_through(middle, doorway_yaw_rad, from_xy)
    way = STANDOFF_M * np.array((math.cos(yaw), math.sin(yaw)))
    points = np.stack((middle - way, middle + way))
    path = Path(points, 2.0 * STANDOFF_M, 0.5 * width_m - FOOTPRINT_RADIUS_M)
    return DoorPush(np.array((*points[0], yaw)), path, np.array((*points[1], yaw)))


def doorway_of_leaf(leaf: DoorLeaf, hinge: int, swing: int, open_angle_rad: float = math.pi / 2) -> Array:
    """(3,) middle and yaw of the doorway that a leaf closes, from how the leaf stands now.

    `hinge` +1: the hinge is at the leaf's end to the left of someone who looks along the leaf's normal, −1: to the
    right; `swing` +1: the leaf was opened counter-clockwise seen from above, −1: clockwise. A shut leaf needs neither.
    """
    angle = leaf.opening * open_angle_rad
    along = np.array((-math.sin(leaf.yaw_in_map_rad), math.cos(leaf.yaw_in_map_rad)))
    hinge_xy = np.asarray(leaf.position_in_map_m) + 0.5 * hinge * leaf.width_m * along
    shut = se2.rotate(-swing * angle, -0.5 * hinge * leaf.width_m * along)
    return np.array((*(hinge_xy + shut), se2.wrap(leaf.yaw_in_map_rad - swing * angle)))


def is_passable(
    points_in_map_m: Array, doorway_xy_in_map_m: ArrayLike, doorway_yaw_rad: float, half_width_m: float = 0.29
) -> bool:
    """Whether the latest scan's points (n, 2) leave the straight way through a doorway free for the base.

    Looks at STANDOFF_M to either side. Only meaningful while the doorway is in view.
    """
    offset = np.asarray(points_in_map_m, dtype=np.float64) - np.asarray(doorway_xy_in_map_m, dtype=np.float64)[:2]
    local = se2.rotate(-doorway_yaw_rad, offset)
    return not bool(np.any((np.abs(local[:, 0]) < STANDOFF_M) & (np.abs(local[:, 1]) < half_width_m)))


def without_leaf(points_in_map_m: Array, leaf: DoorLeaf, depth_m: float = 0.24) -> Array:
    """(m, 2) the points that do not belong to a leaf: what `follow` may not touch while it pushes."""
    local = se2.rotate(-leaf.yaw_in_map_rad, points_in_map_m - np.asarray(leaf.position_in_map_m))
    on_leaf = (np.abs(local[:, 0]) < 0.5 * depth_m) & (np.abs(local[:, 1]) < 0.5 * leaf.width_m + 0.03)
    return points_in_map_m[~on_leaf]


def without_doorway(
    points_in_map_m: Array, doorway_xy_in_map_m: ArrayLike, doorway_yaw_rad: float, width_m: float
) -> Array:
    """(m, 2) the points outside the area a swinging leaf sweeps: for `follow` while the leaf's angle is unknown.

    Keeps the posts: only what is nearer to the middle than they are is dropped.
    """
    offset = points_in_map_m - np.asarray(doorway_xy_in_map_m, dtype=np.float64)[:2]
    local = se2.rotate(-doorway_yaw_rad, offset)
    swept = (np.abs(local[:, 0]) < width_m + 0.05) & (np.abs(local[:, 1]) < 0.5 * width_m - 0.04)
    return points_in_map_m[~swept]


def _yaw_through(middle: Array, doorway_yaw_rad: float, from_xy: ArrayLike) -> float:
    away = middle - np.asarray(from_xy, dtype=np.float64)[:2]
    ahead = away @ (math.cos(doorway_yaw_rad), math.sin(doorway_yaw_rad)) >= 0.0
    return se2.wrap(doorway_yaw_rad if ahead else doorway_yaw_rad + math.pi)
