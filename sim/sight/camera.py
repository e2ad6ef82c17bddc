"""The head camera and its detector: what can be seen now becomes a Look."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import atan, atan2, cos, pi, radians, sin, tan

import mujoco
import numpy as np
from numpy.typing import NDArray

from agent.messages import Detection, Look
from sim.house.schema import House
from sim.sight import errors
from sim.sight.rays import Rays
from sim.sight.things import (
    FLIPPED_CLASSES,
    HANDLE_POINTS,
    OBJECT_RANGE_M,
    ROUND_CLASSES,
    SEEN_GROUPS,
    Catalogue,
    Kind,
    State,
    Thing,
    catalogue,
)

Array = NDArray[np.float64]

ASPECT = 4.0 / 3.0
"""Width to height of the image; its vertical field of view is the model camera's."""
NEAREST_M = 0.10
MAX_RAYS = 400
"""Rays of one frame; the nearest things come first."""
SEEN_POINTS = {Kind.OBJECT: 3, Kind.FURNITURE: 2, Kind.FRONT: 3, Kind.DOOR: 2, Kind.PART: 4}
"""Sample points (of POINTS) that must be seen."""
POINT_TOLERANCE_M = 0.012
"""A point of a machine's part or of a mug's handle counts as seen when the ray gets this near to it."""
BAR_TOLERANCE_M = 0.03
"""The same for the thicker handles of furniture."""
TEXT_RANGE_M = 1.5
READABLE_FRACTION = 0.5

REDRAW_MOVED_M = 0.05
REDRAW_TURNED_RAD = radians(10.0)
REDRAW_AFTER_S = 2.0
REDRAW_THING_MOVED_M = 0.02

_LARGE = (Kind.FURNITURE, Kind.DOOR)

POD_OFF_AXIS_M, POD_ABOVE_FLOOR_M = 0.018, 0.028
"""A pod whose middle is this near to the well's axis and floor looks as if it were in."""


@dataclass(slots=True)
class _View:
    """What is seen from where: rows are things."""

    time_s: float
    eye: Array
    axes: Array
    index: NDArray[np.intp]
    """(n,) rows of the catalogue, the nearest first."""
    seen: NDArray[np.bool_]
    """(n, POINTS)"""
    centre: Array
    """(n, 3) in the world."""
    offset: Array
    """(n, 3) from the eye."""
    distance: Array


class Camera:
    """Detections of what `head_camera` sees. Random numbers of frame k follow from the seed and k alone."""

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData, house: House, seed: Sequence[int]) -> None:
        self._model, self._data, self._seed = model, data, [int(part) for part in seed]
        self._camera = model.camera("head_camera").id
        half = 0.5 * radians(float(model.cam_fovy[self._camera]))
        self.field_of_view_rad = (2.0 * atan(ASPECT * tan(half)), 2.0 * half)
        self._head = int(model.cam_bodyid[self._camera])
        self._base = int(model.jnt_bodyid[model.joint("base_yaw").id])
        self._rays = Rays(model)
        self.catalogue: Catalogue = catalogue(model, house)
        self._owner, self._outer = _owners(model, self.catalogue)
        things = self.catalogue.things
        pods = [t for t in things if t.class_name == "pod"]
        self._pod_sites = np.array([model.site(f"{t.name}_centre").id for t in pods], dtype=np.intp)
        self._tolerance = np.where(self.catalogue.kind == Kind.FRONT, BAR_TOLERANCE_M, POINT_TOLERANCE_M)
        self._is_holder = np.array([t.state == State.POD_IN for t in things], dtype=bool)
        self._is_pod = np.isin(np.arange(model.ngeom + 1), [geom for t in pods for geom in t.geoms])
        self._geomgroup = np.isin(np.arange(mujoco.mjNGROUP), SEEN_GROUPS).astype(np.uint8)
        self._min_points = np.array([SEEN_POINTS[t.kind] for t in things])
        self._centred = np.isin(self.catalogue.kind, (Kind.OBJECT, Kind.PART, Kind.FRONT))
        self._factor = np.where(np.isin(self.catalogue.kind, _LARGE), errors.FURNITURE_FACTOR, 1.0)
        self.reset()

    def reset(self) -> None:
        """Back to the first frame of the same seed."""
        n = len(self.catalogue.things)
        self._frame = 0
        self._drawn_time = np.full(n, -np.inf)
        self._drawn_from, self._drawn_axes, self._drawn_at = np.zeros((n, 3)), np.zeros((n, 9)), np.zeros((n, 3))
        self._bias, self._bias_yaw = np.zeros((n, 3)), np.zeros(n)
        self._held_size, self._held_uniform = np.zeros((n, 3)), np.zeros((n, 4))

    def capture(self, time_s: float) -> Look:
        """The Look of this moment. Needs up-to-date kinematics."""
        data = self._data
        eye, axes = data.cam_xpos[self._camera], data.cam_xmat[self._camera].reshape(3, 3)
        base_at, base_turn = data.xpos[self._base], data.xmat[self._base].reshape(3, 3)
        rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([*self._seed, self._frame])))
        self._frame += 1
        view = self._visible(time_s, eye, axes)
        detections = self._detect(view, base_at, base_turn, rng)
        quaternion = np.empty(4)
        mujoco.mju_mat2Quat(quaternion, (base_turn.T @ axes).ravel())
        return Look(
            time_s=time_s,
            detections=detections,
            camera_pose_in_base=np.concatenate([base_turn.T @ (eye - base_at), quaternion]),
            field_of_view_rad=self.field_of_view_rad,
            max_range_m=OBJECT_RANGE_M,
        )

    def _visible(self, time_s: float, eye: Array, axes: Array) -> _View:
        all_things, data = self.catalogue, self._data
        turns = data.xmat[all_things.body].reshape(-1, 3, 3)
        centre = data.xpos[all_things.body] + np.einsum("nij,nj->ni", turns, all_things.centre_local)
        offset = centre - eye
        distance = np.sqrt(np.einsum("ni,ni->n", offset, offset))
        slack = np.where(self._centred, 0.0, all_things.radius)
        near = (distance <= all_things.max_range + slack) & _in_view(offset @ axes, self.field_of_view_rad, slack)
        index = np.flatnonzero(near)
        index = index[np.argsort(distance[index], kind="stable")]

        points = np.einsum("nij,nkj->nki", turns[index], all_things.points_local[index])
        rays = points + (data.xpos[all_things.body[index]] - eye)[:, None]
        length = np.sqrt(np.einsum("nki,nki->nk", rays, rays))
        asked = _in_view(rays @ axes, self.field_of_view_rad, 0.0) & (length <= all_things.max_range[index][:, None])
        asked &= (np.cumsum(asked) <= MAX_RAYS).reshape(asked.shape)
        seen = np.zeros(asked.shape, dtype=bool)
        if asked.any():
            wanted = np.broadcast_to(index[:, None], asked.shape)[asked]
            on_handle = np.zeros(asked.shape, dtype=bool)
            on_handle[:, -HANDLE_POINTS:] = all_things.has_handle[index][:, None]
            seen[asked] = self._unhidden(eye, rays[asked], length[asked], wanted, on_handle[asked])
        enough = seen.sum(1) >= self._min_points[index]
        index = index[enough]
        return _View(time_s, eye, axes, index, seen[enough], centre[index], offset[index], distance[index])

    def _unhidden(
        self, eye: Array, rays: Array, length: Array, wanted: NDArray[np.intp], on_handle: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """Which of the rays (n, 3), `length` (n,) long, meet the thing `wanted`, or its handle, first."""
        hit, reach = self._rays.cast(
            self._data,
            eye,
            rays / length[:, None],
            float(length.max()) + 0.5,
            groups=self._geomgroup,
            without=self._head,
        )
        itself = (self._owner[hit] == wanted) | (self._outer[hit] == wanted)
        itself |= self._is_holder[wanted] & self._is_pod[hit]  # a pod that stands out of the well shows the well
        arrived = (hit < 0) | (reach >= length - self._tolerance[wanted])
        return np.where(on_handle, itself & arrived, itself | (arrived & self.catalogue.by_place[wanted]))

    def _detect(self, view: _View, base_at: Array, base_turn: Array, rng: np.random.Generator) -> list[Detection]:
        index, distance, axes = view.index, view.distance, view.axes
        # One block for all things, seen or not: what one thing draws never depends on another being in view.
        total = len(self.catalogue.things)
        normal, uniform = rng.standard_normal((total, 14))[index], rng.random((total, 5))[index]
        self._redraw(view, normal, uniform)
        cosine = np.clip(-(view.offset @ axes[:, 2]) / distance, -1.0, 1.0)
        off_axis = np.minimum(np.arccos(cosine) / (0.5 * self.field_of_view_rad[0]), 1.0)
        fraction = view.seen.mean(1)
        kind, factor = self.catalogue.kind[index], self._factor[index]
        handle_seen: NDArray[np.bool_] = np.any(view.seen[:, -HANDLE_POINTS:], axis=1)
        hidden = np.where(np.isin(kind, _LARGE), 1.0 - fraction, 0.0)
        hidden = errors.HIDDEN_BIAS_M * np.where((kind == Kind.FRONT) & ~handle_seen, 1.0, hidden)
        held = self._held_uniform[index]
        bias_length = factor * errors.bias_length_m(held[:, 0], distance) + hidden
        jitter = factor * errors.jitter_std_m(distance, off_axis)
        bias = bias_length[:, None] * (self._bias[index] @ axes.T)
        position = (view.centre + bias + jitter[:, None] * normal[:, 0:3] - base_at) @ base_turn
        std = np.sqrt(errors.bias_variance_m2(distance, factor, hidden) + jitter**2)
        missed = uniform[:, 0] < errors.missed_probability(distance, self.catalogue.max_range[index], fraction)
        confused = held[:, 1] < errors.confused_probability(distance)
        score = np.clip(0.98 - 0.06 * distance - 0.25 * (1.0 - fraction) + 0.03 * normal[:, 4], 0.05, 0.99)
        size = np.maximum(self.catalogue.size[index] + errors.SIZE_STD_M * self._held_size[index], 0.01)
        readable = (distance <= TEXT_RANGE_M) & (fraction >= READABLE_FRACTION)
        base_yaw = atan2(base_turn[1, 0], base_turn[0, 0])
        detections: list[Detection] = []
        for row in np.flatnonzero(~missed).tolist():
            thing = self.catalogue.things[int(index[row])]
            class_name, confidence = thing.class_name, float(score[row])
            if confused[row] and class_name in errors.CONFUSED_WITH:
                class_name = errors.CONFUSED_WITH[class_name]
                confidence *= errors.CONFUSED_SCORE_FACTOR
            yaw, yaw_std = self._yaw(view, row, bool(handle_seen[row]), float(normal[row, 3]))
            detections.append(
                Detection(
                    class_name=class_name,
                    score=confidence,
                    position_in_base_m=tuple(position[row].tolist()),
                    position_std_m=float(std[row]),
                    yaw_in_base_rad=(yaw - base_yaw + pi) % (2.0 * pi) - pi,
                    yaw_std_rad=yaw_std,
                    size_m=tuple(size[row].tolist()) if thing.size is not None else None,
                    state=self._state(thing, float(normal[row, 5])),
                    text=thing.text if readable[row] else None,
                )
            )
        return detections

    def _redraw(self, view: _View, normal: Array, uniform: Array) -> None:
        """New biases for the things of which the view has changed enough."""
        index, flat = view.index, view.axes.ravel()
        # Trace of the rotation between the two camera attitudes: 1 + 2 cos(angle).
        turned = self._drawn_axes[index] @ flat < 1.0 + 2.0 * cos(REDRAW_TURNED_RAD)
        moved = np.linalg.norm(self._drawn_from[index] - view.eye, axis=1) > REDRAW_MOVED_M
        shifted = np.linalg.norm(self._drawn_at[index] - view.centre, axis=1) > REDRAW_THING_MOVED_M
        old = view.time_s - self._drawn_time[index] >= REDRAW_AFTER_S - 1e-9
        due = turned | moved | shifted | old
        rows = index[due]
        self._drawn_time[rows], self._drawn_from[rows], self._drawn_axes[rows] = view.time_s, view.eye, flat
        self._drawn_at[rows] = view.centre[due]
        self._bias[rows] = errors.unit_vectors(normal[due, 6:9])
        self._bias_yaw[rows] = normal[due, 9]
        self._held_size[rows] = normal[due, 10:13]
        self._held_uniform[rows] = uniform[due, 1:5]

    def _yaw(self, view: _View, row: int, handle_seen: bool, noise: float) -> tuple[float, float]:
        """Yaw in the world as the detector has it, and its standard deviation."""
        which, reach = int(view.index[row]), float(view.distance[row])
        thing, bias = self.catalogue.things[which], float(self._bias_yaw[which])
        away = atan2(view.offset[row, 1], view.offset[row, 0])
        if thing.heading_local is None:
            spread = errors.FURNITURE_YAW_BIAS_RAD + errors.FURNITURE_YAW_GROWTH_RAD_PER_M * reach
            jitter = errors.FURNITURE_YAW_JITTER_RAD
            yaw = thing.yaw
            if thing.kind == Kind.DOOR and cos(yaw - away) > 0.0:
                yaw += pi  # of the two sides the one that is seen
        elif thing.class_name in ROUND_CLASSES:
            return 2.0 * pi * float(self._held_uniform[which, 2]), errors.UNKNOWN_YAW_STD_RAD
        elif thing.has_handle and not handle_seen:
            return away + errors.HIDDEN_HANDLE_GUESS_RAD * bias, errors.HIDDEN_HANDLE_YAW_STD_RAD
        else:
            spread = errors.OBJECT_YAW_BIAS_RAD + errors.OBJECT_YAW_GROWTH_RAD_PER_M * reach
            jitter = errors.OBJECT_YAW_JITTER_RAD
            heading = self._data.xmat[thing.body].reshape(3, 3) @ thing.heading_local
            yaw = atan2(heading[1], heading[0])
            if thing.class_name in FLIPPED_CLASSES and self._held_uniform[which, 3] < 0.5:
                yaw += pi
        return yaw + spread * bias + jitter * noise, (spread**2 + jitter**2) ** 0.5

    def _state(self, thing: Thing, noise: float) -> float | None:
        data, model = self._data, self._model
        if thing.state == State.OPENING:
            opening = abs(float(data.qpos[model.jnt_qposadr[thing.joint]])) / thing.travel
            return min(max(opening + errors.OPENING_STD * noise, 0.0), 1.0)
        if thing.state == State.POD_IN:
            holder = data.xpos[thing.body] + data.xmat[thing.body].reshape(3, 3) @ thing.centre_local
            gap = data.site_xpos[self._pod_sites] - holder
            inside = (np.hypot(gap[:, 0], gap[:, 1]) < POD_OFF_AXIS_M) & (np.abs(gap[:, 2]) < POD_ABOVE_FLOOR_M)
            return float(inside.any())
        if thing.state == State.LIGHT:
            return float(model.geom_rgba[thing.light, :3].max() > 0.5)
        return None


def _in_view(in_camera: Array, field_of_view_rad: tuple[float, float], slack: Array | float) -> NDArray[np.bool_]:
    """Which points (…, 3) of the camera frame lie in its pyramid, widened by `slack` m."""
    x, y, depth = np.abs(in_camera[..., 0]), np.abs(in_camera[..., 1]), -in_camera[..., 2]
    half_x, half_y = 0.5 * field_of_view_rad[0], 0.5 * field_of_view_rad[1]
    inside = depth + slack >= NEAREST_M
    # Distance to the two side planes, so that a sphere of radius `slack` is judged exactly.
    inside &= x * cos(half_x) - depth * sin(half_x) <= slack
    inside &= y * cos(half_y) - depth * sin(half_y) <= slack
    return inside


def _owners(model: mujoco.MjModel, all_things: Catalogue) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """For each geom the thing that it is, and the furniture that it is a piece of (−1: none)."""
    owner = np.full(model.ngeom + 1, -1, dtype=np.intp)
    outer = np.full(model.ngeom + 1, -1, dtype=np.intp)
    for number, thing in enumerate(all_things.things):
        target = outer if thing.kind == Kind.FURNITURE else owner
        target[list(thing.geoms)] = number
    return owner, outer
