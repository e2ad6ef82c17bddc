"""Planar poses (3,): x, y in metres, yaw in radians. `a_from_b` composed with `b_from_c` is `a_from_c`."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def wrap(angle_rad: float) -> float:
    """The same direction in [-pi, pi)."""
    return (angle_rad + math.pi) % (2.0 * math.pi) - math.pi


def compose(a_from_b: ArrayLike, b_from_c: ArrayLike) -> Array:
    """(3,) pose of c in a. Yaw is wrapped."""
    ax, ay, ayaw = _numbers(a_from_b)
    bx, by, byaw = _numbers(b_from_c)
    c, s = math.cos(ayaw), math.sin(ayaw)
    return np.array((ax + c * bx - s * by, ay + s * bx + c * by, wrap(ayaw + byaw)))


def inverse(a_from_b: ArrayLike) -> Array:
    """(3,) pose of a in b."""
    x, y, yaw = _numbers(a_from_b)
    c, s = math.cos(yaw), math.sin(yaw)
    return np.array((-c * x - s * y, s * x - c * y, wrap(-yaw)))


def between(world_from_a: ArrayLike, world_from_b: ArrayLike) -> Array:
    """(3,) pose of b in a, both given in one world."""
    ax, ay, ayaw = _numbers(world_from_a)
    bx, by, byaw = _numbers(world_from_b)
    c, s = math.cos(ayaw), math.sin(ayaw)
    dx, dy = bx - ax, by - ay
    return np.array((c * dx + s * dy, -s * dx + c * dy, wrap(byaw - ayaw)))


def transform_points(a_from_b: ArrayLike, points_in_b: ArrayLike) -> Array:
    """(..., 2) the points in a. Accepts (..., 2) points in b."""
    x, y, yaw = _numbers(a_from_b)
    return rotate(yaw, points_in_b) + np.array((x, y))


def rotate(yaw_rad: float, vectors: ArrayLike) -> Array:
    """(..., 2) vectors turned counter-clockwise by `yaw_rad`."""
    c, s = math.cos(yaw_rad), math.sin(yaw_rad)
    return np.asarray(vectors, dtype=np.float64) @ np.array(((c, s), (-s, c)))


def facing(from_xy: ArrayLike, to_xy: ArrayLike) -> float:
    """Yaw of the direction from one point to another; 0 where they coincide."""
    a, b = np.asarray(from_xy, dtype=np.float64), np.asarray(to_xy, dtype=np.float64)
    return math.atan2(float(b[1] - a[1]), float(b[0] - a[0]))


def _numbers(pose: ArrayLike) -> tuple[float, float, float]:
    x, y, yaw = np.asarray(pose, dtype=np.float64).tolist()
    return x, y, yaw
