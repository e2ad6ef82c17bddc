"""Which believed thing stands where, and where there is room to put something down."""

from math import cos, sin

import numpy as np
from numpy.typing import NDArray

from agent.belief.classes import FRONTS, OBJECTS, PRIOR_DEPTH_M, SURFACES, hinge_side
from agent.belief.entities import Entity, EntityTracker
from agent.frames import Pose, planar

Array = NDArray[np.float64]

OPEN_ENOUGH, SHUT = 0.6, 0.15
EDGE_M = 0.05
CLEARANCE_M = 0.17
SPOT_INSET_M = 0.13
SPOT_STEP_M = 0.06


def is_open(front: Entity) -> bool:
    return (front.state or 0.0) >= OPEN_ENOUGH


def is_shut(front: Entity) -> bool:
    return (front.state or 0.0) < SHUT


def inside_centre(front: Entity) -> Array:
    """Middle (3,) of the opening behind a front, in the plane of the closed front."""
    width = 0.4 if front.size is None else float(front.size[1])
    # The handle sits near the free edge, so the middle of the panel is half a width towards the hinge.
    shift = max(0.0, 0.5 * width - 0.05) * hinge_side(front.class_name)
    # `left` in the front's own frame is to the right of someone who faces it.
    return front.point_from_own_frame(0.0, -shift)


def is_behind(front: Entity, point: Array) -> bool:
    """Whether a point lies in the container that the front closes."""
    if front.size is None:
        return False
    centre = inside_centre(front)
    ahead, left, _ = front.in_own_frame(point)
    _, centre_left, _ = front.in_own_frame(centre)
    width, height = float(front.size[1]), float(front.size[2])
    above = float(point[2] - front.position[2])
    if abs(left - centre_left) > 0.5 * width + 0.02:
        return False
    depth = PRIOR_DEPTH_M[front.class_name.split("_")[0]]
    if front.class_name == "drawer":
        return -depth < ahead < 0.45 * (front.state or 0.0) and abs(above) < 0.5 * height + 0.12
    return -depth - 0.05 < ahead < 0.02 and abs(above) < height


def is_on(surface: Entity, point: Array) -> bool:
    """Whether a point lies just above a piece of furniture (for shelves: anywhere between its boards)."""
    if surface.size is None:
        return False
    ahead, left, _ = surface.in_own_frame(point)
    depth, width, height = (float(s) for s in surface.size)
    if abs(ahead) > 0.5 * depth + EDGE_M or abs(left) > 0.5 * width + EDGE_M:
        return False
    above_top = float(point[2]) - surface.top
    lowest = -height if surface.class_name == "shelf" else -0.06
    return lowest < above_top < 0.25


def place_of(entity: Entity, entities: EntityTracker) -> Entity | None:
    """The front behind which, or the furniture on which, an object stands."""
    for front in entities.of_class(*sorted(FRONTS)):
        if is_open(front) and is_behind(front, entity.position):
            return front
    on = [s for s in entities.of_class(*sorted(SURFACES)) if is_on(s, entity.position)]
    if not on:
        return None
    # A dish rack stands on a counter: the smaller one is meant.
    return min(on, key=lambda s: float(np.prod(s.size[:2])) if s.size is not None else np.inf)


def front_directions(surface: Entity) -> list[float]:
    """Yaws from which furniture can be approached: all four sides of a table, only the front of the rest."""
    if surface.class_name in ("table", "side_table"):
        return [surface.yaw + k * np.pi / 2 for k in range(4)]
    return [surface.yaw]


def free_spots(surface: Entity, entities: EntityTracker, side_yaw: float, ignore: str = "") -> list[Array]:
    """Points (3,) along the edge of a surface that faces `side_yaw` with room around them, middle first."""
    if surface.size is None:
        return []
    depth, width, _ = (float(s) for s in surface.size)
    turned = abs(np.sin(side_yaw - surface.yaw)) > 0.7
    along, across = (depth, width) if turned else (width, depth)
    inset = min(SPOT_INSET_M, 0.5 * across)
    centre: Pose = planar(float(surface.position[0]), float(surface.position[1]), side_yaw, surface.top)
    reach = max(0.0, 0.5 * along - 0.14)
    count = int(reach / SPOT_STEP_M)
    steps = sorted(range(-count, count + 1), key=lambda k: (abs(k), k))
    spots = [centre.point(np.array([0.5 * across - inset, step * SPOT_STEP_M, 0.0])) for step in steps]
    blockers = _blockers(entities, ignore)
    return [spot for spot in spots if all(_clear(spot, other) for other in blockers)]


def is_free(spot: Array, entities: EntityTracker, ignore: str = "", slack_m: float = 0.0) -> bool:
    """Whether nothing known stands nearer to a spot (3,) than what is put down there needs, less a slack."""
    return all(_clear(spot, other, slack_m) for other in _blockers(entities, ignore))


def _blockers(entities: EntityTracker, ignore: str) -> list[Entity]:
    return [
        e
        for e in entities.all()
        if e.id != ignore and (e.class_name in OBJECTS or e.class_name in ("coffee_machine", "sink", "dish_rack"))
    ]


def _clear(spot: Array, other: Entity, slack_m: float = 0.0) -> bool:
    gap = spot - other.position
    if abs(float(gap[2])) > 0.4:
        return True
    if other.size is None:
        return float(np.hypot(gap[0], gap[1])) > CLEARANCE_M - slack_m
    c, s = cos(other.yaw), sin(other.yaw)
    ahead = abs(c * gap[0] + s * gap[1]) - 0.5 * float(other.size[0])
    left = abs(-s * gap[0] + c * gap[1]) - 0.5 * float(other.size[1])
    return max(ahead, left) > CLEARANCE_M - 0.04 - slack_m
