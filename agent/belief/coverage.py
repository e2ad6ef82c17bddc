"""What has been looked at: which surfaces and open containers were in view, near enough, often enough."""

import numpy as np
from numpy.typing import NDArray

from agent.belief.classes import DRAWER_TRAVEL_M, FRONTS, PRIOR_DEPTH_M, SURFACES, hinge_side
from agent.belief.entities import Entity, EntityTracker
from agent.belief.places import inside_centre, is_open
from agent.frames import Pose
from agent.messages import Look
from agent.view import View

Array = NDArray[np.float64]

NEAREST_M, SURFACE_RANGE_M, INSIDE_RANGE_M = 0.1, 2.0, 1.9
LOOKS_NEEDED = 7
"""A detector misses up to a quarter of half hidden things in a frame, and three sightings make an entity."""
ENOUGH = 0.8
SPACING_M = 0.3
UPPER_FROM_M = 1.15
BOARD_ABOVE_HANDLE_M = {"upper": -0.06, "lower": -0.26, "fridge": 0.0}
"""Where things stand in a closed container, from its handle: those of wall cabinets are low, of base cabinets high."""
OPENING_ABOVE_HANDLE_M = {"upper": (-0.20, 0.40), "lower": (-0.60, 0.08), "fridge": (-0.80, 0.60)}
BEHIND_DRAWER_FRONT_M = 0.18
INTO_DRAWER_SLOPE = 0.9
"""How steeply one must look down to see over a drawer's front."""


class Coverage:
    """Counts good looks at sample points of every place."""

    def __init__(self) -> None:
        self._counts: dict[str, NDArray[np.int64]] = {}

    def fraction(self, place_id: str) -> float:
        """Share of the place's sample points that were seen often enough."""
        counts = self._counts.get(place_id)
        return 0.0 if counts is None else float(np.mean(counts >= LOOKS_NEEDED))

    def is_searched(self, place_id: str) -> bool:
        return self.fraction(place_id) >= ENOUGH

    def unseen(self, place: Entity) -> Array:
        """(n, 3) the sample points that were not seen often enough; all of them when there is none."""
        points = self.points(place)
        counts = self._counts.get(place.id)
        if counts is None or len(counts) != len(points):
            return points
        missing = points[counts < LOOKS_NEEDED]
        return missing if len(missing) else points

    def update(self, look: Look, base_in_map: Pose, entities: EntityTracker) -> None:
        view = View(look, base_in_map)
        for place in entities.all():
            if place.size is None or not (place.class_name in SURFACES or place.class_name in FRONTS):
                continue
            inside = place.class_name in FRONTS
            if inside and not is_open(place):
                continue
            reach = INSIDE_RANGE_M if inside else SURFACE_RANGE_M
            gap = place.position - view.position
            if float(gap @ gap) > (reach + 2.0) ** 2:
                continue
            points = self.points(place)
            seen = view.shows(points, NEAREST_M, reach)
            if inside:
                seen &= _sees_inside(place, points, view.position)
            counts = self._counts.get(place.id)
            if counts is None or len(counts) != len(points):
                counts = np.zeros(len(points), np.int64)
            self._counts[place.id] = counts + seen

    @staticmethod
    def points(place: Entity) -> Array:
        """(n, 3) sample points of a place in the map frame."""
        assert place.size is not None
        if place.class_name in FRONTS:
            depth = PRIOR_DEPTH_M[place.class_name.split("_")[0]]
            middle = inside_centre(place)
            if place.class_name == "drawer":
                ahead = DRAWER_TRAVEL_M * (place.state or 0.0) - BEHIND_DRAWER_FRONT_M
                return (middle + place.point_from_own_frame(ahead, 0.0, -0.08) - place.position)[None]
            width = 0.4 if place.size is None else float(place.size[1])
            above = np.array([0.0, 0.0, BOARD_ABOVE_HANDLE_M[where_closed(place)]])
            spots = [(-0.4 * depth, side * 0.25 * width) for side in (-1.0, 1.0)]
            return np.array([middle + place.point_from_own_frame(*s) - place.position + above for s in spots])
        depth, width = float(place.size[0]), float(place.size[1])
        across = [0.0] if depth < 1.3 * SPACING_M else [0.25 * depth, -0.25 * depth]
        # A whole number of points whatever the noise of the size, so that counts stay comparable.
        n = max(1, round(width / SPACING_M))
        along = [(k + 0.5) / n * width - 0.5 * width for k in range(n)]
        above = place.top - float(place.position[2])
        if place.class_name == "shelf":
            above = 0.0
        return np.array([place.point_from_own_frame(a, s, above) for a in across for s in along])


def where_closed(front: Entity) -> str:
    """`fridge`, or `upper` or `lower` for a cabinet's door."""
    if front.class_name.startswith("fridge"):
        return "fridge"
    return "upper" if float(front.position[2]) > UPPER_FROM_M else "lower"


def _sees_inside(front: Entity, points: Array, eye: Array) -> NDArray[np.bool_]:
    """Which points behind an open front are not hidden by the container's edges or by the open front itself."""
    assert front.size is not None
    eye_ahead, eye_left, eye_above = front.in_own_frame(eye)
    if eye_ahead < 0.1:
        return np.zeros(len(points), np.bool_)
    local = np.array([front.in_own_frame(p) for p in points])
    _, middle_left, _ = front.in_own_frame(inside_centre(front))
    if front.class_name == "drawer":
        way = np.hypot(eye_ahead - local[:, 0], eye_left - local[:, 1])
        return (eye_above - local[:, 2] > INTO_DRAWER_SLOPE * way) & (np.abs(eye_left - middle_left) < 0.8)
    # Where the line of sight crosses the plane of the closed front: within the opening.
    share = local[:, 0] / (local[:, 0] - eye_ahead)
    left = local[:, 1] + share * (eye_left - local[:, 1]) - middle_left
    above = local[:, 2] + share * (eye_above - local[:, 2])
    half = 0.5 * float(front.size[1]) - 0.02
    low, high = OPENING_ABOVE_HANDLE_M[where_closed(front)]
    seen = (np.abs(left) < half) & (above > low) & (above < high)
    # The leaf stands out at the hinge: nobody looks in from beyond it.
    beyond = -hinge_side(front.class_name) * (eye_left - middle_left) > half + 0.05
    return seen & ~np.bool_(beyond)
