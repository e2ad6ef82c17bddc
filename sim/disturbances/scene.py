"""The simulator's truth as disturbances need it: what the hand is at, what it holds, how to change a body."""

from dataclasses import replace
from typing import TYPE_CHECKING

import mujoco
import numpy as np
from numpy.typing import NDArray

from sim.robot.hand import HAND_BODY, PAD_GEOMS

if TYPE_CHECKING:
    from sim.plant import MujocoPlant

Array = NDArray[np.float64]

NEAR_M = 0.20
PAST_M = 1e-5
"""Beyond a surface that a ray has met."""
ABOVE_FOOT_M = 0.01
REACH_M = 0.42
"""A tool farther ahead of the base's centre is at work; nearer it is tucked in."""


class Scene:
    """One plant's model and data, with the few questions that disturbances ask."""

    def __init__(self, plant: "MujocoPlant") -> None:
        self.plant, self.model, self.data = plant, plant.model, plant.data
        self.happened: list[tuple[float, str]] = []
        """(time, name) of what befell the robot; for records and labels, never for a mind."""
        model = plant.model
        self.items = [item.name for item in plant.house.items]
        self._body_of = {name: int(model.body(name).id) for name in self.items}
        self._item_bodies = np.array(list(self._body_of.values()), dtype=np.intp)
        self._tool = int(model.site("tool").id)
        self._base = int(model.jnt_bodyid[model.joint("base_yaw").id])
        self.hand = int(model.body(HAND_BODY).id)
        self.pads = [int(model.geom(name).id) for name in PAD_GEOMS]
        self._fronts = [front.joint for front in plant.house.fronts]
        self._front_bodies = {int(model.jnt_bodyid[model.joint(joint).id]): joint for joint in self._fronts}

    @property
    def time_s(self) -> float:
        return float(self.data.time)

    @property
    def tool_in_world_m(self) -> Array:
        """(3,)"""
        return self.data.site_xpos[self._tool]

    def note(self, name: str) -> None:
        self.happened.append((self.time_s, name))

    def body(self, item: str) -> int:
        return self._body_of[item]

    def nearest_item(self, within_m: float = NEAR_M) -> str | None:
        """The item whose body is nearest to the tool."""
        away = np.linalg.norm(self.data.xpos[self._item_bodies] - self.tool_in_world_m, axis=1)
        nearest = int(np.argmin(away))
        return self.items[nearest] if away[nearest] < within_m else None

    def between_pads(self) -> int | None:
        """The body that both pads touch; None where they touch none or different ones."""
        touched: list[set[int]] = [set(), set()]
        for a, b in self.data.contact.geom.tolist():
            for side, pad in enumerate(self.pads):
                if pad in (a, b):
                    touched[side].add(int(self.model.geom_bodyid[b if a == pad else a]))
        both = touched[0] & touched[1]
        return min(both) if both else None

    def held_item(self) -> str | None:
        """The item between the pads."""
        body = self.between_pads()
        return next((name for name, b in self._body_of.items() if b == body), None)

    def lifted_item(self) -> str | None:
        """What is held while nothing but the robot touches it: its whole weight is on the hand."""
        item = self.held_item()
        return None if item is None or self.stands(item) else item

    def stands(self, item: str) -> bool:
        """Something that is not the robot touches it."""
        model, body, robot = self.model, self.body(item), self.model.body_rootid[self.hand]
        for a, b in self.data.contact.geom.tolist():
            first, second = int(model.geom_bodyid[a]), int(model.geom_bodyid[b])
            if body in (first, second) and robot not in (model.body_rootid[first], model.body_rootid[second]):
                return True
        return False

    def room_below_m(self, item: str) -> float:
        """From the foot of an upright item down to what is there."""
        # Origins are at the underside; from a little above it, for what stands sinks in by a hair.
        model, body, geom = self.model, self.body(item), np.zeros(1, np.int32)
        start, down = self.data.xpos[body] + np.array([0.0, 0.0, ABOVE_FOOT_M]), np.array([0.0, 0.0, -1.0])
        passed = 0.0
        while True:
            hit = mujoco.mj_ray(model, self.data, start + passed * down, down, None, 1, body, geom)
            if hit < 0.0:
                return float("inf")
            passed += hit
            # What it shows and what it holds are bodies of their own.
            if model.body_rootid[model.geom_bodyid[geom[0]]] != model.body_rootid[body]:
                return passed - ABOVE_FOOT_M
            passed += PAST_M

    def reaching(self) -> bool:
        """The arm is stretched out: the robot is at work and not under way."""
        x, y, _ = (self.tool_in_world_m - self.data.xpos[self._base]).tolist()
        return x * x + y * y > REACH_M**2

    def touching(self) -> bool:
        """Something that is not the robot touches hand or fingers."""
        model = self.model
        hand = {self.hand, *(int(model.geom_bodyid[pad]) for pad in self.pads)}
        root = model.body_rootid[self.hand]
        for a, b in self.data.contact.geom.tolist():
            first, second = int(model.geom_bodyid[a]), int(model.geom_bodyid[b])
            if (first in hand and model.body_rootid[second] != root) or (
                second in hand and model.body_rootid[first] != root
            ):
                return True
        return False

    def front_joint_in_hand(self) -> str | None:
        """The joint of the front whose handle is between the pads."""
        body = self.between_pads()
        return None if body is None else self._front_bodies.get(body)

    def move_item(self, item: str, shift_m: Array) -> None:
        """Put an item elsewhere, at rest and awake."""
        model, data = self.model, self.data
        body = self.body(item)
        at, dof = int(model.jnt_qposadr[model.body_jntadr[body]]), int(model.jnt_dofadr[model.body_jntadr[body]])
        data.qpos[at : at + 3] += shift_m
        data.qvel[dof : dof + 6] = 0.0
        self.wake(item)

    def pose(self, item: str) -> Array:
        """(7,) a view of position and quaternion in the world."""
        at = int(self.model.jnt_qposadr[self.model.body_jntadr[self.body(item)]])
        return self.data.qpos[at : at + 7]

    def knock(self, item: str, velocity_m_s: Array) -> None:
        """Give an item a velocity (3,) in the world."""
        dof = int(self.model.jnt_dofadr[self.model.body_jntadr[self.body(item)]])
        self.data.qvel[dof : dof + 3] = velocity_m_s
        self.wake(item)

    def hold(self, item: str, pose: Array) -> None:
        """Put an item at a pose (7,), at rest."""
        dof = int(self.model.jnt_dofadr[self.model.body_jntadr[self.body(item)]])
        self.pose(item)[:] = pose
        self.data.qvel[dof : dof + 6] = 0.0

    def wake(self, item: str) -> None:
        """A push of next to nothing: MuJoCo wakes what forces act on."""
        self.data.xfrc_applied[self.body(item), 2] += 1e-9

    def scale_mass(self, item: str, factor: float) -> None:
        """Mass and inertia of an item times `factor`, with all that MuJoCo derives from them."""
        liquid = self.plant.processes.liquid
        for i, cup in enumerate(liquid.cups):
            if cup.name == item:
                x, y, z = cup.inertia
                inertia = (factor * x, factor * y, factor * z)
                liquid.cups[i] = replace(cup, mass=factor * cup.mass, inertia=inertia)
                liquid.weigh(i)
                return
        model, body = self.model, self.body(item)
        model.body_mass[body] *= factor
        model.body_inertia[body] *= factor
        # Derived constants are those of the initial posture: computed on data of their own.
        mujoco.mj_setConst(model, mujoco.MjData(model))

    def scale_friction(self, factor: float) -> None:
        """Sliding and turning friction of everything; an item's own decides how it is held, the pads' on handles."""
        self.model.geom_friction *= factor
