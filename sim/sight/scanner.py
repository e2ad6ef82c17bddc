"""The depth scan: what stands around the base between floor and chest, collapsed to the plane.

A robot gets this from its depth camera by keeping, for each direction, the nearest point within a band of heights that
belongs to something solid: leaves and curtains give way. So a table is seen by its top's edge and not only by its legs.
Ray casting in the plane against footprints is exact for upright boxes and cylinders, which is what houses are made of,
and several times cheaper than `mj_multiRay` at as many heights.
"""

from collections.abc import Sequence
from math import pi

import mujoco
import numpy as np
from numpy.typing import NDArray

from agent.messages import Scan

Array = NDArray[np.float64]

RAYS = 240
MAX_RANGE_M = 6.0
NOISE_M = 0.01
BAND_M = (0.08, 1.30)
"""Heights within which things count."""
LOOSE_BAND_M = (0.03, 0.40)
"""The same for the centre of a loose thing: what is carried or stands on furniture is nothing to drive around."""

_UPRIGHT = 0.95
_ROUND = (mujoco.mjtGeom.mjGEOM_SPHERE, mujoco.mjtGeom.mjGEOM_CYLINDER, mujoco.mjtGeom.mjGEOM_CAPSULE)


class Scanner:
    """Scans from the base's centre, 360° from −π. Noise of scan k follows from the seed and k alone."""

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData, seed: Sequence[int]) -> None:
        self._data, self._seed = data, [int(part) for part in seed]
        self._base = int(model.jnt_bodyid[model.joint("base_yaw").id])
        robot = int(model.body_rootid[model.jnt_bodyid[model.joint("base_x").id]])
        self._angles = -pi + (2.0 * pi / RAYS) * np.arange(RAYS)
        at_start = mujoco.MjData(model)
        mujoco.mj_kinematics(model, at_start)
        shapes = _Footprints(model, robot)
        still, turning, self._loose = shapes.split()
        boxes, rounds = shapes.by_shape(at_start, still)
        walls = shapes.rectangles(at_start, boxes)
        walls = walls[_needed(walls, np.zeros(len(walls), dtype=np.intp))]
        self._still = walls, shapes.circles(at_start, rounds)
        # What turns does so about a vertical axis, what slides slides level: a part that is hidden by another of its
        # body stays hidden, and stays in the band of heights.
        boxes, self._turning_rounds = shapes.by_shape(at_start, turning)
        self._turning_boxes = boxes[_needed(shapes.rectangles(at_start, boxes), model.geom_bodyid[boxes])]
        self._shapes = shapes
        self.reset()

    def reset(self) -> None:
        self._number = 0

    def capture(self, time_s: float) -> Scan:
        """The scan of this moment; ranges are infinite where nothing is within MAX_RANGE_M."""
        data = self._data
        turn = data.xmat[self._base]
        heading = np.arctan2(turn[3], turn[0])
        at = data.xpos[self._base, :2]
        angles = self._angles + heading
        direction = np.stack([np.cos(angles), np.sin(angles)])
        shapes = self._shapes
        boxes = np.concatenate([self._still[0], shapes.rectangles(data, self._turning_boxes)])
        loose = shapes.loose(data, self._loose)
        circles = np.concatenate([self._still[1], shapes.circles(data, self._turning_rounds), loose])
        ranges = np.minimum(_to_rectangles(at, direction, boxes), _to_circles(at, direction, circles))
        rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([*self._seed, self._number])))
        self._number += 1
        ranges = np.where(ranges <= MAX_RANGE_M, ranges + NOISE_M * rng.standard_normal(RAYS), np.inf)
        return Scan(
            time_s=time_s,
            first_angle_rad=-pi,
            step_rad=2.0 * pi / RAYS,
            ranges_m=np.maximum(ranges, 0.0).astype(np.float32),
        )


class _Footprints:
    """Footprints of a model's solid geoms.

    Rectangles are (n, 6): x, y, cos and sin of the direction, half length, half width; circles (n, 3): x, y, radius.
    """

    def __init__(self, model: mujoco.MjModel, robot: int) -> None:
        self.model = model
        solid = np.flatnonzero(
            (model.body_rootid[model.geom_bodyid] != robot)
            & (model.geom_contype | model.geom_conaffinity != 0)
            & ~np.isin(model.geom_type, (mujoco.mjtGeom.mjGEOM_PLANE, mujoco.mjtGeom.mjGEOM_HFIELD))
        )
        body = model.geom_bodyid[solid]
        free = np.zeros(model.nbody, dtype=bool)
        free[model.jnt_bodyid[model.jnt_type == mujoco.mjtJoint.mjJNT_FREE]] = True
        rooted = free[model.body_rootid[body]]
        fixed = model.body_weldid[body] == 0
        self._solid, self._fixed, self._free = solid, fixed, rooted

    def split(self) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """Geoms that never move, geoms on joints, and one bounding geom for each loose body."""
        loose = self._solid[self._free]
        bodies = self.model.geom_bodyid[loose]
        order = np.lexsort((-self.model.geom_rbound[loose], bodies))
        _, first = np.unique(bodies[order], return_index=True)
        return self._solid[self._fixed], self._solid[~self._fixed & ~self._free], loose[order][first]

    def by_shape(self, data: mujoco.MjData, geoms: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Of these geoms those within the band: with rectangular and with circular footprint."""
        centre, half, turn = self._boxes(data, geoms)
        half_z = np.einsum("nj,nj->n", np.abs(turn[:, 2]), half)
        in_band = (centre[:, 2] + half_z > BAND_M[0]) & (centre[:, 2] - half_z < BAND_M[1])
        kind, upright = self.model.geom_type[geoms], np.abs(turn[:, 2, 2]) > _UPRIGHT
        is_round = np.isin(kind, _ROUND) & (upright | (kind == mujoco.mjtGeom.mjGEOM_SPHERE))
        return geoms[in_band & ~is_round], geoms[in_band & is_round]

    def rectangles(self, data: mujoco.MjData, geoms: NDArray[np.intp]) -> Array:
        centre, half, turn = self._boxes(data, geoms)
        # The axis of the box that lies flattest gives the rectangle its direction.
        flattest = np.argmin(np.abs(turn[:, 2]), axis=1)
        along = np.take_along_axis(turn[:, :2], flattest[:, None, None].repeat(2, 1), 2)[:, :, 0]
        along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
        across = np.stack([-along[:, 1], along[:, 0]], axis=1)
        length = np.einsum("nj,nj->n", np.abs(np.einsum("ni,nij->nj", along, turn[:, :2])), half)
        width = np.einsum("nj,nj->n", np.abs(np.einsum("ni,nij->nj", across, turn[:, :2])), half)
        return np.column_stack([centre[:, :2], along, length, width])

    def circles(self, data: mujoco.MjData, geoms: NDArray[np.intp]) -> Array:
        centre, half, _ = self._boxes(data, geoms)
        return np.column_stack([centre[:, :2], half[:, 0]])

    def loose(self, data: mujoco.MjData, geoms: NDArray[np.intp]) -> Array:
        """Circles around the loose bodies that lie on the floor."""
        centre = data.geom_xpos[geoms]
        low = (centre[:, 2] > LOOSE_BAND_M[0]) & (centre[:, 2] < LOOSE_BAND_M[1])
        return np.column_stack([centre[low, :2], 0.7 * self.model.geom_rbound[geoms[low]]])

    def _boxes(self, data: mujoco.MjData, geoms: NDArray[np.intp]) -> tuple[Array, Array, Array]:
        """Bounding boxes of geoms: centre (n, 3), half sizes (n, 3), axes as columns (n, 3, 3)."""
        turn = data.geom_xmat[geoms].reshape(-1, 3, 3)
        box = self.model.geom_aabb[geoms]
        return data.geom_xpos[geoms] + np.einsum("nij,nj->ni", turn, box[:, :3]), box[:, 3:], turn


def _needed(rectangles: Array, group: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Which rectangles do not lie within a larger one of the same group: a top hides its legs, a cabinet its boards."""
    order = np.lexsort((-rectangles[:, 4] * rectangles[:, 5], group))
    shown = np.ones(len(rectangles), dtype=bool)
    for rows in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        some = rectangles[rows]
        along, half = some[:, 2:4], some[:, 4:6]
        across = np.stack([-along[:, 1], along[:, 0]], axis=1)
        between = some[None, :, :2] - some[:, None, :2]  # (outer, inner, 2)
        inside = np.ones((len(some), len(some)), dtype=bool)
        for axis, bound in ((along, half[:, 0]), (across, half[:, 1])):
            offset = np.abs(np.einsum("oid,od->oi", between, axis))
            reach = np.abs(axis @ along.T) * half[:, 0] + np.abs(axis @ across.T) * half[:, 1]
            inside &= offset + reach <= bound[:, None] + 1e-6
        shown[rows] = ~np.triu(inside, 1).any(0)
    return shown


def _to_rectangles(at: Array, direction: Array, rectangles: Array) -> Array:
    """(n rays,) distance to the nearest rectangle by the slab method; infinite where none is hit."""
    offset = rectangles[:, :2] - at
    reach = np.hypot(rectangles[:, 4], rectangles[:, 5])
    near = np.hypot(offset[:, 0], offset[:, 1]) - reach < MAX_RANGE_M
    if not near.any():
        return np.full(direction.shape[1], np.inf)
    offset, (c, s, length, width) = offset[near], rectangles[near, 2:].T
    entry, leave = None, None
    for ax, ay, half in ((c, s, length), (-s, c, width)):
        speed = (np.outer(ax, direction[0]) + np.outer(ay, direction[1])).astype(np.float32)
        speed[np.abs(speed) < 1e-6] = 1e-6
        middle = (offset[:, 0] * ax + offset[:, 1] * ay).astype(np.float32)[:, None]
        np.reciprocal(speed, out=speed)
        centre = middle * speed
        np.abs(speed, out=speed)
        speed *= half.astype(np.float32)[:, None]
        low, high = centre - speed, centre + speed
        if entry is None or leave is None:
            entry, leave = low, high
        else:
            np.maximum(entry, low, out=entry)
            np.minimum(leave, high, out=leave)
    assert entry is not None
    assert leave is not None
    np.maximum(entry, 0.0, out=entry)
    entry[entry > leave] = np.inf
    return entry.min(0).astype(np.float64)


def _to_circles(at: Array, direction: Array, circles: Array) -> Array:
    """(n rays,) distance to the nearest circle; infinite where none is hit."""
    offset = circles[:, :2] - at
    near = np.hypot(offset[:, 0], offset[:, 1]) - circles[:, 2] < MAX_RANGE_M
    if not near.any():
        return np.full(direction.shape[1], np.inf)
    offset, radius = offset[near], circles[near, 2:]
    middle = offset @ direction
    across = offset[:, :1] * direction[1] - offset[:, 1:] * direction[0]
    inside = radius**2 - across**2
    distance = middle - np.sqrt(np.maximum(inside, 0.0))
    return np.where((inside > 0.0) & (distance > 0.0), distance, np.inf).min(0)
