"""Which fronts are in the way of whoever works at something, as long as they stand open."""

from math import cos, sin

import numpy as np
from numpy.typing import NDArray

from agent.belief.classes import DRAWER_TRAVEL_M, HINGE_TRAVEL_RAD, hinge_side
from agent.belief.entities import Entity, hinge_offset
from agent.belief.places import is_shut

Array = NDArray[np.float64]

STAND_M = 0.66
"""From what is worked at to the middle of the base."""
BASE_ROOM_M, ARM_ROOM_M = 0.33, 0.17
"""Fronts of upper cabinets too: the head is as high as they are."""
EDGE_M = 0.05
"""From a handle to the free edge of its leaf."""


def crowds(front: Entity, point: Array, out_yaw: float) -> bool:
    """Whether an open front is in the way of one who stands before `point` (3,), from which `out_yaw` leads to them.

    A front that is shut counts as if it were wide open: it tells what opening it would do.
    """
    if front.size is None:
        return False
    edges = standing_out(front) - np.asarray(point)[:2]
    out, across = np.array([cos(out_yaw), sin(out_yaw)]), np.array([-sin(out_yaw), cos(out_yaw)])
    along, aside = edges @ out, edges @ across
    arm = (along > 0.0) & (along < STAND_M) & (np.abs(aside) < ARM_ROOM_M)
    return bool(np.any(arm | (np.hypot(along - STAND_M, aside) < BASE_ROOM_M)))


def standing_out(front: Entity) -> Array:
    """Points (n, 2) in the map frame of what stands out of the furniture's face: a drawer's sides, or a leaf.

    Of a front that is shut: where they would be if it were wide open.
    """
    assert front.size is not None
    ahead = np.array([cos(front.yaw), sin(front.yaw)])
    left = np.array([ahead[1], -ahead[0]])  # of someone who faces the front
    opening = 1.0 if is_shut(front) or front.state is None else front.state
    side, width = hinge_side(front.class_name), float(front.size[1])
    share = np.linspace(0.2, 1.0, 5)[:, None]
    if side == 0:
        out = front.position[:2] + share * (opening * DRAWER_TRAVEL_M * ahead)
        return np.concatenate([out + 0.5 * width * left, out, out - 0.5 * width * left])
    radius, angle = hinge_offset(front.class_name, front.size), opening * HINGE_TRAVEL_RAD
    hinge = front.position[:2] + side * radius * left
    return hinge + share * (radius + EDGE_M) * (sin(angle) * ahead - side * cos(angle) * left)
