"""Build the simulation of a recorded episode again."""

from typing import TYPE_CHECKING

import mujoco
import numpy as np
from numpy.typing import NDArray

from agent.commands.simulation import start_simulation
from agent.episodes import EpisodeError, EpisodeHeader
from agent.messages.arrays import F64

if TYPE_CHECKING:
    from sim.plant import MujocoPlant


class RebuiltWorld:
    """The initial state of an episode, steered by its actuator commands (agent.episodes.verify.World)."""

    def __init__(self, plant: "MujocoPlant") -> None:
        self.plant = plant
        self.initial_state_hash = plant.state_hash()

    def apply_raw(self, ctrl: F64) -> None:
        """One physics step and what the plant does after it."""
        plant = self.plant
        if ctrl.shape != plant.data.ctrl.shape:
            raise EpisodeError(f"a command has {ctrl.size} actuators, this robot has {plant.data.ctrl.size}")
        plant.data.ctrl[:] = ctrl
        plant.step_physics()

    def state(self) -> tuple[F64, F64]:
        """qpos and qvel."""
        return self.plant.data.qpos, self.plant.data.qvel

    def position_name(self, index: int) -> str:
        """`joint[k]` of a number in qpos."""
        return _name(self.plant.model, index, self.plant.model.jnt_qposadr)

    def velocity_name(self, index: int) -> str:
        """`joint[k]` of a number in qvel."""
        return _name(self.plant.model, index, self.plant.model.jnt_dofadr)


def rebuild_world(header: EpisodeHeader) -> RebuiltWorld:
    """The house and robot of an episode as they were at its start.

    Raises EpisodeError for an episode that was not recorded beside its simulator.
    """
    if header.robot != "in-process":
        raise EpisodeError(
            f"this episode was recorded by the agent of the robot at {header.robot}, without what its actuators were "
            "told; replay the episode that the robot's side recorded"
        )
    return RebuiltWorld(start_simulation(header.task, header.split, header.index, header.disturbance).plant)


def _name(model: mujoco.MjModel, index: int, addresses: NDArray[np.int32]) -> str:
    joint = int((addresses <= index).sum()) - 1
    return f"{model.joint(joint).name or model.body(model.jnt_bodyid[joint]).name}[{index - int(addresses[joint])}]"
