"""Build the simulation of a recorded episode again."""

from typing import TYPE_CHECKING

import mujoco
import numpy as np
from numpy.typing import NDArray

from agent.commands.changes import apply_changes, parse_change
from agent.commands.simulation import start_simulation
from agent.episodes import EpisodeError, EpisodeHeader
from agent.messages import STEPS_PER_TICK
from agent.messages.arrays import F64

if TYPE_CHECKING:
    from agent.commands.changes import Change
    from sim.plant import MujocoPlant


class RebuiltWorld:
    """The initial state of an episode, steered by its actuator commands (agent.episodes.verify.World)."""

    def __init__(self, plant: "MujocoPlant", changes: "list[Change] | None" = None, changed_at_step: int = -1) -> None:
        """`changes` take place once `changed_at_step` physics steps were made."""
        self.plant = plant
        self._changes, self._changed_at = changes or [], changed_at_step
        self._steps = 0
        self.initial_state_hash = plant.state_hash()

    def apply_raw(self, ctrl: F64) -> None:
        """One physics step and what the plant does after it."""
        plant = self.plant
        if ctrl.shape != plant.data.ctrl.shape:
            raise EpisodeError(f"a command has {ctrl.size} actuators, this robot has {plant.data.ctrl.size}")
        if self._steps == self._changed_at:
            apply_changes(plant, self._changes)
        self._steps += 1
        plant.data.ctrl[:] = ctrl
        plant.step_physics()

    def resume(self, tick: int, state: F64) -> None:
        """Go on as if after `tick`, whose keyframe has this state. Raises EpisodeError where that is impossible."""
        self._steps = (tick + 1) * STEPS_PER_TICK
        if 0 <= self._changed_at < self._steps:
            apply_changes(self.plant, self._changes)
        try:
            self.plant.resume(state)
        except ValueError as error:
            raise EpisodeError(f"cannot begin in the middle: {error}") from error

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
    plant = start_simulation(header.task, header.split, header.index, header.disturbance).plant
    changes = [parse_change(f"{name}={value}") for name, value in header.changes.items()]
    return RebuiltWorld(plant, changes, header.forked_at_step * STEPS_PER_TICK)


def _name(model: mujoco.MjModel, index: int, addresses: NDArray[np.int32]) -> str:
    joint = int((addresses <= index).sum()) - 1
    return f"{model.joint(joint).name or model.body(model.jnt_bodyid[joint]).name}[{index - int(addresses[joint])}]"
