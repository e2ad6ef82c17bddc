"""Many rays from one point, as exact as `mj_ray`.

`mj_multiRay` of MuJoCo 3.17 first tests a bounding sphere of each body, and puts its centre at `xipos` plus the
bounding box's centre *without turning it* into the world. Furniture without mass, whose inertial frame MuJoCo
places far away, is then missed altogether. So rays are cast with a copy of the model in which that sum is right for
what never moves, and in which the sphere is wide enough for what does.
"""

from copy import copy

import mujoco
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Rays:
    """Casts rays in worlds of one model."""

    def __init__(self, model: mujoco.MjModel) -> None:
        self.model = copy(model)
        """The copy. Its geom groups may be changed, to choose what rays meet."""
        widen_bounds(self.model)

    def cast(
        self,
        data: mujoco.MjData,
        origin: Array,
        directions: Array,
        reach_m: float,
        *,
        groups: NDArray[np.uint8],
        without: int = -1,
    ) -> tuple[NDArray[np.int32], Array]:
        """Geoms hit (n,), −1 for none, and distances (n,) along unit `directions` (n, 3), −1 for none.

        Only geoms of the `groups` (6,) that are not 0 are met, and none of body `without`. What is beyond `reach_m`
        may be missed.
        """
        count = len(directions)
        hit, distance = np.empty(count, dtype=np.int32), np.empty(count)
        flat = np.ascontiguousarray(directions).ravel()
        mujoco.mj_multiRay(self.model, data, origin, flat, groups, True, without, hit, distance, None, count, reach_m)
        return hit, distance


def widen_bounds(model: mujoco.MjModel) -> None:
    """Change the bounding boxes at the root of each body's hierarchy so that `mj_multiRay` misses nothing.

    Only for a model that is never stepped: collision detection reads the same boxes.
    """
    still = mujoco.MjData(model)
    mujoco.mj_kinematics(model, still)
    for body in np.flatnonzero(model.body_bvhadr >= 0).tolist():
        box = model.bvh_aabb[model.body_bvhadr[body]]
        if model.body_weldid[body] == 0:
            box[:3] = still.ximat[body].reshape(3, 3) @ box[:3]
        else:
            # Whatever the attitude, the true centre is within 2 |offset| of the wrong one.
            box[3:] += 2.0 * np.linalg.norm(box[:3])
