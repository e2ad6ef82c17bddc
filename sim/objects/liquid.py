"""A ledger of coffee in millilitres: what is in which mug, and what was spilled.

A stream is credited to the mug whose mouth lies under the spout while it is upright, else it is spilled.
A mug spills as soon as the angle between its axis and the effective vertical (gravity minus the liquid's own
acceleration) exceeds atan(headroom / radius), where headroom is the height of air above the coffee.
The acceleration is low-passed at the first sloshing mode of the cup, 1.841 g / r (Lamb, Hydrodynamics, §257):
a liquid cannot follow faster. Coffee adds its mass, centre and inertia to the mug's body.
"""

from dataclasses import dataclass
from math import acos, atan, exp, hypot, pi, sqrt, tan

import mujoco
import numpy as np
from numpy.typing import NDArray

from sim.house.schema import Item
from sim.objects.draw import MUG_FLOOR_M, mug_capacity_ml, mug_inner_radius_m

Array = NDArray[np.float64]

UPRIGHT_COS = 0.966
"""15 degrees."""
STREAM_RADIUS_M = 0.003
MAX_FALL_M = 0.15
"""A stream that falls further splashes: it counts as spilled."""
KG_PER_ML = 0.001
GRAVITY = 9.81
SPILL_TIME_S = 0.12
"""The excess leaves a tilted cup with this time constant."""
MASS_STEP_ML = 0.5
"""The body's mass follows the ledger in steps of this size."""
WEIGHED = (
    *("body_mass", "body_subtreemass", "body_ipos", "body_inertia", "body_invweight0"),
    *("dof_invweight0", "dof_M0", "bvh_aabb"),
)
"""Fields of a model that change with the mass of what is in a mug."""


@dataclass(frozen=True)
class Cup:
    """Constants of one mug, SI except the capacity."""

    name: str
    body: int
    dof: int
    liquid_geom: int
    capacity_ml: float
    height: float
    mouth_radius: float
    mean_radius: float
    slosh_time_s: float
    mass: float
    centre: tuple[float, float, float]
    inertia: tuple[float, float, float]
    boxes: slice
    """Its bounding boxes in `bvh_aabb`."""
    boxes_around_centre: Array
    """(boxes, 3) their centres, which MuJoCo keeps relative to the body's centre of mass."""


def spill_angle_rad(capacity_ml: float, ml: float, mouth_radius_m: float) -> float:
    """Tilt at which spilling starts: atan(headroom / radius)."""
    headroom = max(0.0, capacity_ml - ml) * 1e-6 / (pi * mouth_radius_m**2)
    return atan(headroom / mouth_radius_m)


def kept_ml(capacity_ml: float, tilt_rad: float, mouth_radius_m: float) -> float:
    """What a cup tilted by `tilt_rad` can hold.

    A cylinder of the same capacity: the surface passes through the lowest point of the rim; from where it
    meets the bottom the volume falls as 1 / tan(tilt), continuously, to nothing at 90 degrees.
    """
    if tilt_rad >= pi / 2:
        return 0.0
    area = pi * mouth_radius_m**2
    height = capacity_ml * 1e-6 / area
    drop = mouth_radius_m * tan(tilt_rad)
    if 2 * drop <= height:
        return area * (height - drop) * 1e6
    return area * height * height / (4 * drop) * 1e6


class Liquid:
    """Coffee in the mugs of a house."""

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData, items: tuple[Item, ...]) -> None:
        self._model, self._data = model, data
        self.cups = [_cup(model, item) for item in items if item.class_name == "mug"]
        self._index = {cup.name: i for i, cup in enumerate(self.cups)}
        count = len(self.cups)
        self.ml = [0.0] * count
        self._weighed_ml = [0.0] * count
        self._velocity = np.zeros((count, 3))
        self._acceleration = np.zeros((count, 3))
        self.spilled_ml = 0.0
        self._wet = False
        for i in range(count):
            self.weigh(i)

    def reset(self) -> None:
        self.ml = [0.0] * len(self.cups)
        self._velocity[:] = 0.0
        self._acceleration[:] = 0.0
        self.spilled_ml = 0.0
        self._wet = False
        for i in range(len(self.cups)):
            self.weigh(i)

    def amount_ml(self, name: str) -> float:
        if name not in self._index:
            raise KeyError(f"no mug {name!r}; this house has {', '.join(self._index) or 'none'}")
        return self.ml[self._index[name]]

    def fill(self, name: str, ml: float) -> None:
        """Sets what a mug holds, for tasks that start with a full mug. Bound: its capacity."""
        cup = self.cups[self._index[name]]
        if not 0.0 <= ml <= cup.capacity_ml:
            raise ValueError(f"{name} holds 0 to {cup.capacity_ml:.0f} ml, not {ml}")
        i = self._index[name]
        self.ml[i] = ml
        self._velocity[i] = self._data.cvel[cup.body, 3:6]
        self._acceleration[i] = 0.0
        self.weigh(i)
        self._wet = any(self.ml)

    def update(self, duration_s: float, streams: list[tuple[Array, float]], broken: frozenset[str]) -> None:
        """Advances the ledger by `duration_s`."""
        for spout, ml in streams:
            self._pour(spout, ml, broken)
        if not self._wet:
            return
        for i, cup in enumerate(self.cups):
            if self.ml[i] > 0.0:
                self._slosh(i, cup, duration_s, cup.name in broken)
                if abs(self.ml[i] - self._weighed_ml[i]) >= MASS_STEP_ML or self.ml[i] == 0.0:
                    self.weigh(i)
        self._wet = any(self.ml)

    def under_spout(self, name: str, spout: Array) -> bool:
        """The mug's mouth is under the spout, near enough, and upright."""
        return self._gap_m(self.cups[self._index[name]], spout) is not None

    def _gap_m(self, cup: Cup, spout: Array) -> float | None:
        """Height of the spout above the mouth if the stream would fall into it."""
        rotation = self._data.xmat[cup.body]
        if rotation[8] < UPRIGHT_COS:
            return None
        mouth = self._data.xpos[cup.body] + rotation[2::3] * cup.height
        gap = float(spout[2] - mouth[2])
        away = hypot(spout[0] - mouth[0], spout[1] - mouth[1])
        if 0.0 <= gap <= MAX_FALL_M and away <= cup.mouth_radius - STREAM_RADIUS_M:
            return gap
        return None

    def _pour(self, spout: Array, ml: float, broken: frozenset[str]) -> None:
        best, best_gap = -1, MAX_FALL_M + 1.0
        for i, cup in enumerate(self.cups):
            gap = self._gap_m(cup, spout)
            if gap is not None and gap < best_gap and cup.name not in broken:
                best, best_gap = i, gap
        if best < 0:
            self.spilled_ml += ml
            return
        cup = self.cups[best]
        if self.ml[best] == 0.0:
            self._velocity[best] = self._data.cvel[cup.body, 3:6]
            self._acceleration[best] = 0.0
        room = cup.capacity_ml - self.ml[best]
        self.ml[best] += min(ml, room)
        self.spilled_ml += max(0.0, ml - room)
        self._wet = True

    def _tilt(self, i: int, cup: Cup) -> float:
        ax, ay, az = self._acceleration[i].tolist()
        x, y, z = self._data.xmat[cup.body][2::3].tolist()
        az += GRAVITY
        norm = sqrt(ax * ax + ay * ay + az * az)
        if norm < 0.2 * GRAVITY:
            return 0.0  # Falling freely, nothing flows anywhere; the landing decides.
        return acos(max(-1.0, min(1.0, (ax * x + ay * y + az * z) / norm)))

    def _slosh(self, i: int, cup: Cup, duration_s: float, broken: bool) -> None:
        velocity = self._data.cvel[cup.body, 3:6]
        share = 1.0 - exp(-duration_s / cup.slosh_time_s)
        self._acceleration[i] += share * ((velocity - self._velocity[i]) / duration_s - self._acceleration[i])
        self._velocity[i] = velocity
        keep = 0.0 if broken else kept_ml(cup.capacity_ml, self._tilt(i, cup), cup.mouth_radius)
        excess = self.ml[i] - keep
        if excess <= 0.0:
            return
        gone = excess * (1.0 - exp(-duration_s / SPILL_TIME_S))
        if self.ml[i] - gone < 0.05:
            gone = self.ml[i]
        self.ml[i] -= gone
        self.spilled_ml += gone

    def weigh(self, i: int) -> None:
        """Gives the body the mass of mug and coffee, and the constants that mj_setConst derives from it.

        mj_setConst itself recomputes the whole house (hundreds of µs); without these constants a held mug
        explodes. For a free body they are closed forms: with M the 6×6 inertia at the joint's frame, the
        inverse weights are means of the diagonal of M⁻¹. A test compares them with mj_setConst.
        """
        cup, ml, model = self.cups[i], self.ml[i], self._model
        self._weighed_ml[i] = ml
        coffee = ml * KG_PER_ML
        depth = ml * 1e-6 / (pi * cup.mean_radius**2)
        total = cup.mass + coffee
        middle = MUG_FLOOR_M + depth / 2
        x, y = cup.mass * cup.centre[0] / total, cup.mass * cup.centre[1] / total
        z = (cup.mass * cup.centre[2] + coffee * middle) / total
        # Parallel axes; the millimetres the centre moves sideways are left out of the products of inertia.
        lift_mug, lift_coffee = (cup.centre[2] - z) ** 2, (middle - z) ** 2
        across = coffee * (3 * cup.mean_radius**2 + depth**2) / 12 + cup.mass * lift_mug + coffee * lift_coffee
        inertia = (
            cup.inertia[0] + across,
            cup.inertia[1] + across,
            cup.inertia[2] + coffee * cup.mean_radius**2 / 2,
        )
        body, dof = cup.body, cup.dof
        model.body_subtreemass[0] += total - model.body_mass[body]
        model.body_subtreemass[body] = total
        model.body_mass[body] = total
        model.body_ipos[body] = (x, y, z)
        # Else the bounding boxes move with the centre of mass, and contacts are lost: a full mug chatters.
        model.bvh_aabb[cup.boxes, :3] = cup.boxes_around_centre + (np.array(cup.centre) - model.body_ipos[body])
        model.body_inertia[body] = inertia
        a, b, c = (1.0 / moment for moment in inertia)
        model.body_invweight0[body] = (1.0 / total, (a + b + c) / 3)
        levers = (c * y * y + b * z * z, c * x * x + a * z * z, b * x * x + a * y * y)
        model.dof_invweight0[dof : dof + 3] = 1.0 / total + sum(levers) / 3
        model.dof_invweight0[dof + 3 : dof + 6] = (a + b + c) / 3
        model.dof_M0[dof : dof + 3] = total
        model.dof_M0[dof + 3 : dof + 6] = (
            inertia[0] + total * (y * y + z * z),
            inertia[1] + total * (x * x + z * z),
            inertia[2] + total * (x * x + y * y),
        )
        self._show(cup, depth, ml)

    def _show(self, cup: Cup, depth: float, ml: float) -> None:
        """Moves the surface that is seen."""
        self._model.geom_pos[cup.liquid_geom, 2] = MUG_FLOOR_M + depth
        self._model.geom_rgba[cup.liquid_geom, 3] = 1.0 if ml > 1.0 else 0.0

    def vector(self) -> list[float]:
        """Everything here that MuJoCo's state does not hold."""
        return [
            self.spilled_ml,
            *self.ml,
            *self._weighed_ml,
            *self._velocity.ravel().tolist(),
            *self._acceleration.ravel().tolist(),
        ]

    def set_vector(self, numbers: list[float]) -> list[float]:
        """Takes what `vector` gave from the front and returns the rest; weighs the mugs again."""
        n = len(self.cups)
        self.spilled_ml, numbers = numbers[0], numbers[1:]
        ml, weighed = numbers[:n], numbers[n : 2 * n]
        self._velocity[:] = np.reshape(numbers[2 * n : 5 * n], (n, 3))
        self._acceleration[:] = np.reshape(numbers[5 * n : 8 * n], (n, 3))
        self.ml = weighed
        for i in range(n):
            self.weigh(i)
        self.ml = ml
        self._wet = any(ml)
        return numbers[8 * n :]


def _cup(model: mujoco.MjModel, item: Item) -> Cup:
    body = model.body(item.name).id
    p = item.params
    mouth = mug_inner_radius_m(p, p["height"])
    mean = sqrt(mug_capacity_ml(p) * 1e-6 / (pi * (p["height"] - MUG_FLOOR_M)))
    centre, inertia = model.body_ipos[body].tolist(), model.body_inertia[body].tolist()
    first = int(model.body_bvhadr[body])
    boxes = slice(first, first + int(model.body_bvhnum[body]))
    return Cup(
        name=item.name,
        body=body,
        dof=int(model.jnt_dofadr[model.joint(f"{item.name}_free").id]),
        liquid_geom=model.geom(f"{item.name}_liquid").id,
        capacity_ml=mug_capacity_ml(p),
        height=p["height"],
        mouth_radius=mouth,
        mean_radius=mean,
        slosh_time_s=1.0 / sqrt(1.841 * GRAVITY / mouth),
        mass=float(model.body_mass[body]),
        centre=(centre[0], centre[1], centre[2]),
        inertia=(inertia[0], inertia[1], inertia[2]),
        boxes=boxes,
        boxes_around_centre=model.bvh_aabb[boxes, :3].copy(),
    )
