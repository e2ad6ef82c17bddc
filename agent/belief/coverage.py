"""What has been looked at: which surfaces and open containers were in view, near enough, often enough."""

from math import tan

import numpy as np
from numpy.typing import NDArray

from agent.belief.classes import FRONTS, PRIOR_DEPTH_M, SURFACES
from agent.belief.entities import Entity, EntityTracker
from agent.belief.places import inside_centre, is_open
from agent.frames import Pose, from_quaternion
from agent.messages import Look

Array = NDArray[np.float64]

SURFACE_RANGE_M = 2.3
INSIDE_RANGE_M = 1.9
LOOKS_NEEDED = 4
ENOUGH = 0.8
SPACING_M = 0.3
INSIDE_ANGLE_COS = 0.6
INTO_DRAWER_SLOPE = 0.8
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

    def forget(self, place_id: str) -> None:
        self._counts.pop(place_id, None)

    def update(self, look: Look, base_in_map: Pose, entities: EntityTracker) -> None:
        camera = base_in_map @ from_quaternion(look.camera_pose_in_base[:3], look.camera_pose_in_base[3:])
        half_x, half_y = tan(0.5 * look.field_of_view_rad[0]), tan(0.5 * look.field_of_view_rad[1])
        for place in entities.all():
            if place.size is None or not (place.class_name in SURFACES or place.class_name in FRONTS):
                continue
            inside = place.class_name in FRONTS
            if inside and not is_open(place):
                continue
            reach = INSIDE_RANGE_M if inside else SURFACE_RANGE_M
            gap = place.position - camera.position
            if float(gap @ gap) > (reach + 2.0) ** 2:
                continue
            points = self.points(place)
            seen = _in_view(points, camera, half_x, half_y, reach)
            if inside:
                outward = np.array([np.cos(place.yaw), np.sin(place.yaw)])
                to_camera = camera.position[:2] - points[:, :2]
                cosine = (to_camera @ outward) / np.maximum(1e-6, np.linalg.norm(to_camera, axis=1))
                seen &= cosine > INSIDE_ANGLE_COS
                if place.class_name == "drawer":
                    drop = camera.position[2] - points[:, 2]
                    seen &= drop > INTO_DRAWER_SLOPE * np.linalg.norm(to_camera, axis=1)
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
                ahead = 0.16 * (place.state or 0.0) / 0.5
                return middle[None] + place.point_from_own_frame(ahead, 0.0)[None] - place.position[None]
            inward = place.point_from_own_frame(-0.4 * depth, 0.0) - place.position
            return (middle + inward)[None]
        depth, width = float(place.size[0]), float(place.size[1])
        across = [0.0] if depth < 1.3 * SPACING_M else [0.25 * depth, -0.25 * depth]
        # A whole number of points whatever the noise of the size, so that counts stay comparable.
        n = max(1, round(width / SPACING_M))
        along = [(k + 0.5) / n * width - 0.5 * width for k in range(n)]
        above = place.top - float(place.position[2])
        if place.class_name == "shelf":
            above = 0.0
        return np.array([place.point_from_own_frame(a, s, above) for a in across for s in along])


def _in_view(points: Array, camera: Pose, half_x: float, half_y: float, reach_m: float) -> NDArray[np.bool_]:
    local = (points - camera.position) @ camera.rotation
    ahead = -local[:, 2]
    near = (ahead > 0.1) & (np.einsum("ij,ij->i", local, local) < reach_m**2)
    safe = np.maximum(ahead, 1e-6)
    return near & (np.abs(local[:, 0]) < half_x * safe) & (np.abs(local[:, 1]) < half_y * safe)
