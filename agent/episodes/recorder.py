"""Record what a simulated robot's actuators are told, from where its controllers run."""

from typing import Protocol

import numpy as np

from agent.episodes.writer import EpisodeWriter
from agent.messages import STEPS_PER_TICK
from agent.messages.arrays import F64
from controllers.plant import PlantCommand, Sensed


class SimulatorState(Protocol):
    """The arrays of MuJoCo's MjData that matter here."""

    @property
    def ctrl(self) -> F64: ...
    @property
    def qpos(self) -> F64: ...
    @property
    def qvel(self) -> F64: ...


class ControlRecorder:
    """Writes one Control record per tick. Pass `on_step` as StepHook to the robot's side."""

    def __init__(self, writer: EpisodeWriter, data: SimulatorState) -> None:
        self._writer = writer
        self._data = data
        self._ctrl = np.empty((STEPS_PER_TICK, len(data.ctrl)))
        self._step = 0
        self._tick = 0

    def on_step(self, began_s: float, command: PlantCommand, sensed: Sensed) -> None:
        """Called after each physics step."""
        data = self._data
        self._ctrl[self._step] = data.ctrl
        self._step += 1
        if self._step == STEPS_PER_TICK:
            self._writer.control(self._tick, sensed.time_s, self._ctrl, data.qpos, data.qvel)
            self._step = 0
            self._tick += 1
