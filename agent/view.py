"""What a camera could see: which points lie in its image, and how far others are from its line of sight."""

import numpy as np
from numpy.typing import NDArray

from agent.frames import Array, Pose, from_quaternion
from agent.messages import Look

INNER_VIEW = 0.85
"""Share of the image's half width and height in which a thing cannot be missed for its edge."""
LOOKED_AT_FROM_M = 0.3
"""What is nearer to the camera cannot be looked at."""


class View:
    """Of the camera of one look, in the base frame, or in that in which the base is seen."""

    def __init__(self, look: Look, base: Pose | None = None) -> None:
        camera = from_quaternion(look.camera_pose_in_base[:3], look.camera_pose_in_base[3:])
        self._camera = camera if base is None else base @ camera
        self._half = np.tan(0.5 * np.array(look.field_of_view_rad))

    @property
    def position(self) -> Array:
        """(3,) m"""
        return self._camera.position

    def shows(self, points: Array, nearest_m: float, farthest_m: float, share: float = 1.0) -> NDArray[np.bool_]:
        """(n,) which of these points (n, 3) are in the image, or in this share of its half width and height."""
        way = points - self._camera.position
        local = way @ self._camera.rotation
        ahead = -local[:, 2]
        near = (ahead > nearest_m) & (np.einsum("ij,ij->i", way, way) < farthest_m**2)
        return near & (np.abs(local[:, :2]) < share * self._half * np.maximum(ahead, 1e-6)[:, None]).all(axis=1)

    def looks_at(self, point: Array, farthest_m: float = np.inf) -> bool:
        """Whether a thing at this point (3,) cannot be missed, if nothing hides it."""
        return bool(self.shows(point[None], LOOKED_AT_FROM_M, farthest_m, INNER_VIEW)[0])

    def beside(self, points: Array, seen: Array) -> Array:
        """(n,) m from points (n, 3) to the line of sight that ends at `seen` (3,); infinite behind the camera."""
        line, way = seen - self._camera.position, points - self._camera.position
        share = way @ line / float(line @ line)
        gap = np.linalg.norm(way - np.minimum(share, 1.0)[:, None] * line, axis=1)
        return np.where(share > 0.0, gap, np.inf)
