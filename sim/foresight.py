"""A second copy of a simulated world that runs ahead of the first: what a mind without error would foresee.

For baselines alone. It shares nothing with the first but what is copied over by `follow`.
"""

import copy

import mujoco
import numpy as np

from agent.messages import Look, Scan
from controllers.robot_side import RobotSide
from sim.objects.liquid import WEIGHED
from sim.plant import MujocoPlant

_EDITED = (*WEIGHED, "geom_friction", "dof_damping", "actuator_gainprm", "actuator_biasprm")
"""What disturbances and coffee change in a model while it runs."""


class Twin(MujocoPlant):
    """A plant that is put where another one is, and runs on from there: blind, and without coffee flowing or things
    breaking."""

    def __init__(self, plant: MujocoPlant) -> None:
        super().__init__(plant.house, 0, model=copy.copy(plant.model))

    def follow(self, plant: MujocoPlant, side: RobotSide) -> RobotSide:
        """Take over the present state of `plant`; returns a copy of the robot's side that drives this one."""
        for name in _EDITED:
            np.copyto(getattr(self.model, name), getattr(plant.model, name))
        mujoco.mj_copyData(self.data, self.model, plant.data)
        self._touch.reset()
        self.sense()
        return copy.deepcopy(side, {id(side.plant): self, id(side._sensed): self._sensed, id(side._on_step): None})

    def step_physics(self) -> None:
        mujoco.mj_step(self.model, self.data)

    def look(self) -> tuple[Look | None, Scan | None]:
        return None, None
