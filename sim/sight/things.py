"""The catalogue of everything a detector knows: where it is on which body, and the points that show whether it is seen.

Built once per house from the compiled model and the House; arrays with one row per thing, so that a camera frame is a
few numpy expressions. Names and ids stay here: a Detection carries none.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from math import cos, pi, sin

import mujoco
import numpy as np
from numpy.typing import NDArray

from agent.messages.classes import FURNITURE_CLASSES, OBJECT_CLASSES
from sim.house.schema import Doorway, Fixture, Front, House, Item, Machine
from sim.objects.machine import WELL_DEPTH_M
from sim.objects.shapes import LOOK

Array = NDArray[np.float64]

OBJECT_RANGE_M = 5.0
FURNITURE_RANGE_M = 6.0
POINTS = 9
"""Sample points per thing."""
DOOR_HEIGHT_M = 2.0
"""Roughly: tells a room door's leaf from its handles."""
SEEN_GROUPS = (0, 1, 2)
"""Geom groups that are drawn: what is in the others collides and is not seen."""
HANDLE_POINTS = 3
"""The last of them, where a thing has a handle."""

ROUND_CLASSES = frozenset({"pod", "bowl", "plate", "bottle", "fruit", "loose_lid"})
FLIPPED_CLASSES = frozenset({"box", "book"})
"""Look the same from behind: their yaw is known up to π."""
TOPPED_CLASSES = frozenset({"counter", "table", "side_table"})
"""What is under their tops belongs to other things, or is nothing."""


class Kind(IntEnum):
    OBJECT = 0
    FURNITURE = 1
    FRONT = 2
    DOOR = 3
    PART = 4


class State(IntEnum):
    NONE = 0
    OPENING = 1
    LIGHT = 2
    POD_IN = 3


@dataclass(slots=True)
class Thing:
    """One row of the catalogue. Local means: in the frame of `body`."""

    name: str
    class_name: str
    kind: Kind
    body: int
    centre_local: Array
    """(3,) what a Detection's position means."""
    points_local: Array
    """(POINTS, 3)"""
    radius: float
    heading_local: Array | None = None
    """(3,) direction whose heading is the yaw; None where the yaw does not turn with the body."""
    yaw: float = 0.0
    """World yaw where it does not turn with the body."""
    has_handle: bool = False
    by_place: bool = False
    """A point of it is seen when a ray gets there, whatever it then meets."""
    size: tuple[float, float, float] | None = None
    state: State = State.NONE
    joint: int = -1
    travel: float = 1.0
    """Joint position at which it is fully open."""
    light: int = -1
    """Geom whose colour shows whether a lamp is lit."""
    text: str | None = None
    geoms: Iterable[int] = ()
    """Geoms that are the thing."""


@dataclass(slots=True)
class Catalogue:
    """`things` and the same as arrays, (n, …) in that order."""

    things: list[Thing]
    body: NDArray[np.intp] = field(init=False)
    centre_local: Array = field(init=False)
    points_local: Array = field(init=False)
    radius: Array = field(init=False)
    kind: NDArray[np.int64] = field(init=False)
    has_handle: NDArray[np.bool_] = field(init=False)
    by_place: NDArray[np.bool_] = field(init=False)
    max_range: Array = field(init=False)
    size: Array = field(init=False)

    def __post_init__(self) -> None:
        things = self.things
        self.body = np.array([t.body for t in things], dtype=np.intp)
        self.centre_local = np.array([t.centre_local for t in things]).reshape(-1, 3)
        self.points_local = np.array([t.points_local for t in things]).reshape(-1, POINTS, 3)
        self.radius = np.array([t.radius for t in things])
        self.kind = np.array([int(t.kind) for t in things])
        self.has_handle = np.array([t.has_handle for t in things], dtype=bool)
        self.by_place = np.array([t.by_place for t in things], dtype=bool)
        small = (self.kind == Kind.OBJECT) | (self.kind == Kind.PART)
        self.max_range = np.where(small, OBJECT_RANGE_M, FURNITURE_RANGE_M)
        self.size = np.array([t.size if t.size is not None else (0.0, 0.0, 0.0) for t in things]).reshape(-1, 3)


def catalogue(model: mujoco.MjModel, house: House) -> Catalogue:
    """Everything of `house` that can be detected. Raises ValueError where the model lacks a name the house uses."""
    closed = mujoco.MjData(model)
    for name in [front.joint for front in house.fronts] + [d.door_joint for d in house.doorways if d.door_joint]:
        closed.qpos[model.jnt_qposadr[_id(model, mujoco.mjtObj.mjOBJ_JOINT, name)]] = 0.0
    mujoco.mj_kinematics(model, closed)
    builder = _Builder(model, closed)
    things = [builder.item(item) for item in house.items if item.class_name in OBJECT_CLASSES]
    things += [builder.fixture(fixture) for fixture in house.fixtures if fixture.class_name in FURNITURE_CLASSES]
    things += [builder.front(front) for front in house.fronts]
    things += [builder.door(doorway) for doorway in house.doorways if doorway.door_joint is not None]
    for machine in house.machines:
        things += builder.machine(machine)
    return Catalogue(things)


def _id(model: mujoco.MjModel, kind: mujoco.mjtObj, name: str) -> int:
    found = mujoco.mj_name2id(model, kind, name)
    if found < 0:
        raise ValueError(
            f"the house names {kind.name.removeprefix('mjOBJ_').lower()} {name!r}, the model has none such"
        )
    return found


class _Builder:
    """Turns entries of the House into Things, with all fronts closed in `closed`."""

    def __init__(self, model: mujoco.MjModel, closed: mujoco.MjData) -> None:
        self.model, self.closed = model, closed

    def item(self, item: Item) -> Thing:
        body = _id(self.model, mujoco.mjtObj.mjOBJ_BODY, item.name)
        centre = self.model.site_pos[_id(self.model, mujoco.mjtObj.mjOBJ_SITE, f"{item.name}_centre")].copy()
        low, high = self._bounds(body, self._geoms(body))
        half = np.minimum(high - centre, centre - low)
        points = centre + 0.6 * half * _CUBE
        handle: list[int] = []
        if item.class_name == "mug":
            # The handle's rods are the geoms whose middle lies outside the cup.
            outside = [g for g in self._geoms(body) if self.model.geom_pos[g, 0] > item.params["radius"]]
            handle = [g for g in outside if int(self.model.geom_group[g]) in SEEN_GROUPS]
        if handle:
            points[-HANDLE_POINTS:] = self._handle_points(body, handle)
        return Thing(
            item.name,
            item.class_name,
            Kind.OBJECT,
            body,
            centre,
            points,
            float(np.linalg.norm(half)),
            heading_local=np.array([1.0, 0.0, 0.0]),
            has_handle=bool(handle),
            text=item.text or None,
            geoms=self._geoms(body),
        )

    def fixture(self, fixture: Fixture) -> Thing:
        depth, across, up = 0.5 * np.array(fixture.size)
        centre = np.array([fixture.x, fixture.y, fixture.z])
        body = mujoco.mj_name2id(self.model, mujoco.mjtObj.mjOBJ_BODY, fixture.name)
        cut_in = body < 0 and fixture.class_name == "sink"
        if cut_in:
            # A hole in its counter: it is seen where nothing hides its opening.
            body = 0
            grid = [(0.6 * d * depth, 0.6 * w * across, up) for w in (-1, 0, 1) for d in (-1, 0, 1)]
        else:
            body = _id(self.model, mujoco.mjtObj.mjOBJ_BODY, fixture.name)
            # Its top and the upper half of its front are what a camera at head height sees of furniture.
            grid = np.array(_TOP if fixture.class_name in TOPPED_CLASSES else _FACE) * (depth, across, up)
        return Thing(
            fixture.name,
            fixture.class_name,
            Kind.FURNITURE,
            body,
            self._local(body, centre),
            self._local(body, centre + np.array(grid) @ _turn(fixture.yaw).T),
            0.5 * float(np.linalg.norm(fixture.size)),
            yaw=fixture.yaw,
            by_place=cut_in,
            size=fixture.size,
            geoms=[] if cut_in else self._subtree_geoms(body),
        )

    def front(self, front: Front) -> Thing:
        joint = _id(self.model, mujoco.mjtObj.mjOBJ_JOINT, front.joint)
        body = int(self.model.jnt_bodyid[joint])
        handle = [_id(self.model, mujoco.mjtObj.mjOBJ_GEOM, name) for name in front.handle_geoms]
        centre = self._local(body, np.array([front.handle_x, front.handle_y, front.handle_z]))
        low, high = self._bounds(body, [self._panel(body, front.size)])
        grid = 0.5 * (low + high) + 0.35 * (high - low) * _CUBE
        grid[-HANDLE_POINTS:] = self._handle_points(body, handle)
        return Thing(
            front.name,
            front.class_name,
            Kind.FRONT,
            body,
            centre,
            grid,
            float(np.linalg.norm(grid - centre, axis=1).max()),
            yaw=front.yaw,
            has_handle=True,
            size=front.size,
            state=State.OPENING,
            joint=joint,
            travel=front.open_joint,
            geoms=self._geoms(body),
        )

    def door(self, doorway: Doorway) -> Thing:
        joint = _id(self.model, mujoco.mjtObj.mjOBJ_JOINT, doorway.door_joint or "")
        body = int(self.model.jnt_bodyid[joint])
        low, high = self._bounds(body, [self._panel(body, (0.04, doorway.width, DOOR_HEIGHT_M))])
        centre, half = 0.5 * (low + high), 0.5 * (high - low)
        limit = float(np.abs(self.model.jnt_range[joint]).max()) if self.model.jnt_limited[joint] else 0.5 * pi
        return Thing(
            doorway.name,
            "door",
            Kind.DOOR,
            body,
            centre,
            centre + 0.7 * half * _CUBE,
            float(np.linalg.norm(half)),
            yaw=doorway.yaw,
            size=(2.0 * float(min(half[:2])), 2.0 * float(max(half[:2])), 2.0 * float(half[2])),
            state=State.OPENING,
            joint=joint,
            travel=limit,
            geoms=self._geoms(body),
        )

    def machine(self, machine: Machine) -> list[Thing]:
        """The machine and those of its parts that a detector knows."""
        model, name = self.model, machine.name
        body = _id(model, mujoco.mjtObj.mjOBJ_BODY, name)
        geoms = self._subtree_geoms(body)
        turn = _turn(machine.yaw)
        corners = np.concatenate([self._world_corners(g) for g in geoms]) @ turn
        low, high = corners.min(0), corners.max(0)
        half = 0.5 * (high - low)
        centre = turn @ (0.5 * (low + high))
        things = [
            Thing(
                name,
                "coffee_machine",
                Kind.FURNITURE,
                body,
                self._local(body, centre),
                self._local(body, centre + (0.7 * half * _CUBE) @ turn.T),
                float(np.linalg.norm(half)),
                yaw=machine.yaw,
                size=tuple((2.0 * half).tolist()),
                geoms=geoms,
            )
        ]
        lid = _id(model, mujoco.mjtObj.mjOBJ_JOINT, f"{name}_lid")
        tab = self._part(machine, "lid_tab", f"machine_lid_hinge_{machine.lid_hinge}", spread=0.006)
        tab.geoms = [_id(model, mujoco.mjtObj.mjOBJ_GEOM, f"{name}_lid_tab")]
        tab.state, tab.joint, tab.travel = State.OPENING, lid, float(model.jnt_range[lid, 1])
        holder = self._part(machine, "holder", "pod_holder", spread=0.020, lift=WELL_DEPTH_M)
        holder.state = State.POD_IN
        tray = self._part(machine, "tray", "drip_tray", spread=0.025)
        button = self._part(machine, "button_face", f"brew_button_{machine.button_place}", spread=0.008)
        button.geoms = self._geoms(button.body)
        lights = []
        for light_name in ("power_light", "brew_light"):
            light = self._part(machine, light_name, light_name, spread=0.003)
            light.state, light.light = State.LIGHT, _id(model, mujoco.mjtObj.mjOBJ_GEOM, f"{name}_{light_name}")
            lights.append(light)
        return [*things, tab, holder, tray, button, *lights]

    def _part(self, machine: Machine, part: str, class_name: str, *, spread: float, lift: float = 0.0) -> Thing:
        """A machine part at its site; its sample points lie up to `spread` m around a point `lift` m above it."""
        name = f"{machine.name}_{part}"
        site = _id(self.model, mujoco.mjtObj.mjOBJ_SITE, name)
        centre = self.model.site_pos[site].copy()
        points = centre + spread * _CUBE * np.array([1.0, 1.0, 0.3]) + np.array([0.0, 0.0, lift])
        body = int(self.model.site_bodyid[site])
        reach = spread + lift
        return Thing(name, class_name, Kind.PART, body, centre, points, reach, yaw=machine.yaw, by_place=True)

    def _geoms(self, body: int) -> list[int]:
        """Geoms of a body, with those that only show it."""
        model = self.model
        shown = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_BODY, f"{model.body(body).name}{LOOK}")
        bodies = [body] if shown < 0 else [body, shown]
        return [int(model.body_geomadr[b]) + i for b in bodies for i in range(int(model.body_geomnum[b]))]

    def _subtree_geoms(self, body: int) -> list[int]:
        inside = {body}
        for child in range(body + 1, self.model.nbody):
            if int(self.model.body_parentid[child]) in inside:
                inside.add(child)
        return np.flatnonzero(np.isin(self.model.geom_bodyid, sorted(inside))).tolist()

    def _corners(self, geom: int) -> Array:
        """(8, 3) corners of a geom's bounding box in its body's frame."""
        box = self.model.geom_aabb[geom]
        turn = np.empty(9)
        mujoco.mju_quat2Mat(turn, self.model.geom_quat[geom])
        return (box[:3] + box[3:] * _CORNERS) @ turn.reshape(3, 3).T + self.model.geom_pos[geom]

    def _bounds(self, body: int, geoms: list[int]) -> tuple[Array, Array]:
        """Lowest and highest corner of some geoms of `body`, in its frame."""
        if not geoms:
            raise ValueError(f"body {self.model.body(body).name!r} has no geom that could be seen")
        corners = np.concatenate([self._corners(g) for g in geoms])
        return corners.min(0), corners.max(0)

    def _world_corners(self, geom: int) -> Array:
        body = int(self.model.geom_bodyid[geom])
        return self._corners(geom) @ self.closed.xmat[body].reshape(3, 3).T + self.closed.xpos[body]

    def _panel(self, body: int, size: tuple[float, float, float]) -> int:
        """The geom of `body` whose box is most like `size` (thickness, width, height)."""
        geoms = self._geoms(body)
        if not geoms:
            raise ValueError(f"body {self.model.body(body).name!r} has no panel")
        sizes = np.sort(2.0 * self.model.geom_aabb[geoms, 3:], axis=1)
        return geoms[int(np.argmin(np.abs(sizes - np.sort(size)).sum(1)))]

    def _handle_points(self, body: int, geoms: list[int]) -> Array:
        """(HANDLE_POINTS, 3): middles of a handle's geoms, or points along it where it has fewer."""
        if len(geoms) >= HANDLE_POINTS:
            picked = np.linspace(0, len(geoms) - 1, HANDLE_POINTS).round().astype(int)
            return self.model.geom_pos[np.array(geoms)[picked]]
        low, high = self._bounds(body, geoms)
        middle, half = 0.5 * (low + high), 0.5 * (high - low)
        along = np.zeros(3)
        along[int(np.argmax(half))] = 0.7 * float(half.max())
        return np.array([middle - along, middle, middle + along])

    def _local(self, body: int, points: Array) -> Array:
        turn = self.closed.xmat[body].reshape(3, 3)
        return (points - self.closed.xpos[body]) @ turn


def _turn(yaw: float) -> Array:
    return np.array([[cos(yaw), -sin(yaw), 0.0], [sin(yaw), cos(yaw), 0.0], [0.0, 0.0, 1.0]])


_CORNERS = np.array([(x, y, z) for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (-1.0, 1.0)])
# The centre comes first and the lower corners last: they are the first to go when a handle needs their place.
_CUBE = np.array(
    [(0.0, 0.0, 0.0)]
    + [(x, y, 1.0) for x in (-1.0, 1.0) for y in (-1.0, 1.0)]
    + [(x, y, -1.0) for x in (-1.0, 1.0) for y in (-1.0, 1.0)]
)
_TOP = [(0.9, w, 0.97) for w in (-0.9, -0.45, 0.0, 0.45, 0.9)] + [
    (d, w, 0.97) for d in (-0.5, 0.3) for w in (-0.6, 0.6)
]
_FACE = [(0.6, w, 0.6) for w in (-0.9, -0.45, 0.0, 0.45, 0.9)] + [
    (d, w, h) for d, h in ((-0.2, 0.7), (0.7, 0.0)) for w in (-0.6, 0.6)
]
"""Sample points of furniture, in half sizes: most along the upper front edge, for some of it is long.
Those of tops lie just inside the top: a ray that meets its edge or its surface has met it."""
