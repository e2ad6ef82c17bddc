"""The simulator's truth as predicates need it: who touches what, what stands where, how hard the robot pushes.

Never shown to an agent. One Truth serves all predicates of an episode; `feel` is called at every step of physics and
`refresh` once a tick.
"""

from collections import deque
from math import atan2, cos, sin, sqrt
from typing import TypeVar

import mujoco
import numpy as np
from numpy.typing import NDArray

from sim.house.schema import Fixture, Front, House, Item, Machine, Place
from sim.objects.processes import Processes

Array = NDArray[np.float64]
T = TypeVar("T", Fixture, Front, Place, Machine)

ROBOT_ROOT_JOINT = "base_x"
PADS = ("pad_left", "pad_right")
FORCE_LIMIT_N = 140.0
"""Quasi-static contact of a hand or finger, ISO/TS 15066:2016 table A.2: what a robot among people may exert."""
FORCE_WINDOW_S = 0.05
"""The limit is on the mean over so long: single-step peaks depend on contact stiffness, impulses do not."""
UPRIGHT_COS = 0.985
"""10 degrees."""
STILL_M_S = 0.02


class Truth:
    """Truth about one simulated house with a robot in it."""

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData, house: House, processes: Processes) -> None:
        self.model, self.data, self.house, self.processes = model, data, house, processes
        self._items = {item.name: item for item in house.items}
        self._body = {item.name: model.body(item.name).id for item in house.items}
        self._tree = {name: int(model.body_treeid[body]) for name, body in self._body.items()}
        root = int(model.body_rootid[model.jnt_bodyid[model.joint(ROBOT_ROOT_JOINT).id]])
        self._robot_body = root
        self._base_dof = int(model.joint(ROBOT_ROOT_JOINT).dofadr[0])
        on_robot = model.body_rootid == root
        geom_body = model.geom_bodyid
        self._robot_geom: NDArray[np.bool_] = on_robot[geom_body]
        self._is_plane: list[bool] = (model.geom_type == int(mujoco.mjtGeom.mjGEOM_PLANE)).tolist()
        self._body_of_geom: list[int] = geom_body.tolist()
        self._is_robot: list[bool] = self._robot_geom.tolist()
        self._pads = tuple(model.geom(name).id for name in PADS)
        hand = {int(geom_body[g]) for g in self._pads}
        hand |= {int(model.body_parentid[body]) for body in hand}
        self._hand_bodies = frozenset(hand)
        """The fingers and what carries them."""
        self._pairs: list[tuple[int, int]] = []
        steps = round(FORCE_WINDOW_S / model.opt.timestep)
        self._pushes = deque([0.0] * steps, steps)
        self.force_peak_n = 0.0
        """Largest mean force over 50 ms of the robot on the world; two pads that pinch something cancel."""

    @property
    def time_s(self) -> float:
        return float(self.data.time)

    def feel(self) -> None:
        """Reads how hard the robot pushed in the last step."""
        pushing = 0.0
        if self.data.ncon:
            geoms = self.data.contact.geom
            rows = np.flatnonzero(self._robot_geom[geoms].any(axis=1)).tolist()
            if rows:
                pushing = self._pushing(rows, geoms)
        self._pushes.append(pushing)
        if pushing > 0.0:
            self.force_peak_n = max(self.force_peak_n, sum(self._pushes) / len(self._pushes))

    def refresh(self) -> None:
        """Reads who touches whom after the last step."""
        self._pairs = self.data.contact.geom.tolist() if self.data.ncon else []

    def _pushing(self, rows: list[int], geoms: NDArray[np.int32]) -> float:
        """How hard the robot pushes now: the larger of the net force of all its contacts (where a pinch cancels)
        and the largest total normal force on one of its bodies other than the pads.

        Contact by contact: the robot has few of them, and this runs at every step.
        """
        contact, forces = self.data.contact, self.data.efc_force
        addresses, frames, sizes = contact.efc_address, contact.frame, contact.dim
        ours, plane, pads, of = self._is_robot, self._is_plane, self._pads, self._body_of_geom
        x = y = z = 0.0
        on_body: dict[int, float] = {}
        for row in rows:
            a, b = geoms[row].tolist()
            address = addresses.item(row)
            if ours[a] is ours[b] or plane[a] or plane[b] or address < 0:
                continue
            # A contact's frame points from its first geom to its second.
            geom, sign = (b, 1.0) if ours[b] else (a, -1.0)
            nx, ny, nz, ux, uy, uz, vx, vy, vz = frames[row].tolist()
            if sizes.item(row) >= 3:
                normal, along_u, along_v = forces[address : address + 3].tolist()
            else:
                normal, along_u, along_v = forces.item(address), 0.0, 0.0
            x += sign * (normal * nx + along_u * ux + along_v * vx)
            y += sign * (normal * ny + along_u * uy + along_v * vy)
            z += sign * (normal * nz + along_u * uz + along_v * vz)
            if geom not in pads:
                on_body[of[geom]] = on_body.get(of[geom], 0.0) + abs(normal)
        return max((sqrt(x * x + y * y + z * z), *on_body.values()))

    def touchers(self, bodies: frozenset[int]) -> set[int]:
        """Geoms of other bodies that touch any of `bodies`."""
        of = self._body_of_geom
        found: set[int] = set()
        for a, b in self._pairs:
            if of[a] in bodies:
                if of[b] not in bodies:
                    found.add(b)
            elif of[b] in bodies:
                found.add(a)
        return found

    def item(self, name: str) -> Item:
        if name not in self._items:
            raise KeyError(f"no item {name!r}; this house has {', '.join(self._items)}")
        return self._items[name]

    def released(self, name: str) -> bool:
        """No geom of the robot touches the item."""
        return not any(self._is_robot[g] for g in self.touchers(frozenset((self._body_of(name),))))

    def held(self, name: str) -> bool:
        """Both pads touch the item, and nothing but the hand does."""
        geoms = self.touchers(frozenset((self._body_of(name),)))
        hand = all(self._body_of_geom[g] in self._hand_bodies for g in geoms)
        return hand and all(pad in geoms for pad in self._pads)

    def is_robot(self, geom: int) -> bool:
        """The geom is part of the robot."""
        return self._is_robot[geom]

    def robot_is_free(self) -> bool:
        """The robot touches nothing but itself and the floor."""
        ours, plane = self._is_robot, self._is_plane
        return not any(ours[a] != ours[b] and not (plane[a] or plane[b]) for a, b in self._pairs)

    def robot_touches_joint(self, joint: str) -> bool:
        """The robot touches the body that moves with `joint`."""
        body = int(self.model.jnt_bodyid[self.model.joint(joint).id])
        return any(self._is_robot[g] for g in self.touchers(frozenset((body,))))

    def stands(self, name: str) -> bool:
        """Something that is not the robot carries the item: it touches it, or the item has gone to sleep at rest."""
        if self.data.tree_asleep[self._tree[name]] >= 0:
            return True  # Contacts among sleeping things are not listed; what the hand holds never sleeps.
        return any(not self._is_robot[g] for g in self.touchers(frozenset((self._body_of(name),))))

    def _body_of(self, name: str) -> int:
        self.item(name)
        return self._body[name]

    def position(self, name: str) -> Array:
        """(3,) centre of the item's underside in the world."""
        return self.data.xpos[self._body_of(name)]

    def upright_cos(self, name: str) -> float:
        """Cosine of the angle between the item's axis and the vertical."""
        return float(self.data.xmat[self._body_of(name)][8])

    def speed_m_s(self, name: str) -> float:
        # Not `cvel`: a body that fell asleep keeps the one of its last step awake.
        address = int(self.model.jnt_dofadr[self.model.body_jntadr[self._body_of(name)]])
        return float(np.linalg.norm(self.data.qvel[address : address + 3]))

    def joint(self, name: str) -> float:
        return float(self.data.qpos[self.model.jnt_qposadr[self.model.joint(name).id]])

    def base_pose(self) -> tuple[float, float, float]:
        """x, y in m, yaw in rad of the robot's base in the world."""
        x, y, _ = self.data.xpos[self._robot_body].tolist()
        return x, y, atan2(self.data.xmat[self._robot_body][3], self.data.xmat[self._robot_body][0])

    def base_speed_m_s(self) -> float:
        return float(np.linalg.norm(self.data.qvel[self._base_dof : self._base_dof + 2]))

    def base_distance_m(self, fixture: Fixture) -> float:
        """From the centre of the base to the fixture's rectangle on the floor."""
        return self.distance_m(*self.base_pose()[:2], fixture)

    @staticmethod
    def distance_m(x: float, y: float, fixture: Fixture) -> float:
        """From a point on the floor to the fixture's rectangle."""
        along, across = _in_frame(x, y, fixture.x, fixture.y, fixture.yaw)
        beyond = (max(0.0, abs(along) - fixture.size[0] / 2), max(0.0, abs(across) - fixture.size[1] / 2))
        return float(np.hypot(*beyond))

    def on_top(self, name: str, fixture: Fixture, slack_m: float = 0.01) -> bool:
        """The item's underside is on the fixture's top, within its rectangle."""
        x, y, z = self.position(name).tolist()
        along, across = _in_frame(x, y, fixture.x, fixture.y, fixture.yaw)
        inside = abs(along) <= fixture.size[0] / 2 and abs(across) <= fixture.size[1] / 2
        return inside and abs(z - (fixture.z + fixture.size[2] / 2)) <= slack_m

    def front(self, name: str) -> Front:
        return _named(self.house.fronts, name, "front")

    def place(self, name: str) -> Place:
        return _named(self.house.places, name, "place")

    def fixture(self, name: str) -> Fixture:
        return _named(self.house.fixtures, name, "fixture")

    def machine(self, name: str) -> Machine:
        return _named(self.house.machines, name, "machine")

    def dining_table(self) -> Fixture:
        """The fixture that carries the places of kind `dining_table`."""
        for place in self.house.places:
            if place.kind == "dining_table":
                return self.fixture(place.fixture)
        raise ValueError("this house has no place of kind dining_table")

    def working_machine(self) -> Machine:
        """The machine with mains."""
        for machine in self.house.machines:
            if machine.has_mains:
                return machine
        raise ValueError("this house has no machine with mains")

    def mugs(self) -> list[str]:
        return [name for name, item in self._items.items() if item.class_name == "mug"]


def _named(things: tuple[T, ...], name: str, kind: str) -> T:
    for thing in things:
        if thing.name == name:
            return thing
    raise KeyError(f"no {kind} {name!r}; this house has {', '.join(t.name for t in things) or 'none'}")


def _in_frame(x: float, y: float, x0: float, y0: float, yaw: float) -> tuple[float, float]:
    """Coordinates along and across `yaw` of a point seen from (x0, y0)."""
    dx, dy = x - x0, y - y0
    return cos(yaw) * dx + sin(yaw) * dy, -sin(yaw) * dx + cos(yaw) * dy
