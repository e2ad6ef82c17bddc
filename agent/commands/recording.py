"""What is recorded of a simulation besides what the agent sees: its model, commands, states, and what happens in it."""

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from agent.episodes.records import Appearance, Event
from agent.messages import STEPS_PER_TICK
from controllers.plant import PlantCommand, Sensed

if TYPE_CHECKING:
    import mujoco

    from agent.commands.simulation import Simulation
    from agent.episodes.writer import EpisodeWriter
    from controllers.robot_side import StepHook

_LOOKS_TICKS = 20
_WATCH_TICKS = 10
"""Between looks at what broke, fell or was spilled."""
_SPILL_ML = 5.0
"""What is spilled is told of again after so much more."""


def model_bytes(model: "mujoco.MjModel") -> bytes:
    """The compiled model as MJB: reloaded from it, a replay is bit-exact; reloaded from XML it is not."""
    import mujoco

    buffer = np.empty(mujoco.mj_sizeModel(model), np.uint8)
    mujoco.mj_saveModel(model, None, buffer)
    return buffer.tobytes()


def record_simulation(writer: "EpisodeWriter", simulation: "Simulation", model: bytes) -> "StepHook":
    """A hook for the robot's side that records the simulation, judges it, and records what happens in it."""
    from agent.episodes.recorder import ControlRecorder

    plant = simulation.plant
    source = msgspec.json.encode(plant.house, enc_hook=_plain)
    watcher, looks = WorldWatcher(writer, simulation), LooksRecorder(writer, plant.model)

    def on_tick(tick: int, now: float) -> None:
        if tick % _LOOKS_TICKS == 0:
            looks.look(tick, now)
        if tick % _WATCH_TICKS == 0:
            watcher.look(now)

    recorder = ControlRecorder(writer, plant.data, on_tick=on_tick, snapshot=plant.snapshot, model=model, source=source)
    record, judge = recorder.hook(), simulation.on_step

    def on_step(began_s: float, command: PlantCommand, sensed: Sensed) -> None:
        judge(began_s, command, sensed)
        record(began_s, command, sensed)

    return on_step


def watch_simulation(writer: "EpisodeWriter", simulation: "Simulation") -> "StepHook":
    """A hook that judges the simulation and records what happens in it, but not how: training data need the labels."""
    watcher, steps = WorldWatcher(writer, simulation), 0

    def on_step(began_s: float, command: PlantCommand, sensed: Sensed) -> None:
        nonlocal steps
        steps += 1
        simulation.on_step(began_s, command, sensed)
        if steps % (_WATCH_TICKS * STEPS_PER_TICK) == 0:
            watcher.look(sensed.time_s)

    return on_step


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(f"a house holds a {type(value).__name__}")


class LooksRecorder:
    """Writes what changes in how things look: coffee rising in a mug, a light going on."""

    def __init__(self, writer: "EpisodeWriter", model: "mujoco.MjModel") -> None:
        self._writer = writer
        self._looks = (model.geom_rgba, model.geom_pos, model.geom_size)
        self._shown = [values.copy() for values in self._looks]

    def look(self, tick: int, now: float) -> None:
        """Compare with the last time."""
        if all(np.array_equal(new, old) for new, old in zip(self._looks, self._shown, strict=True)):
            return
        changed = np.zeros(len(self._shown[0]), dtype=bool)
        for new, old in zip(self._looks, self._shown, strict=True):
            changed |= (new != old).any(axis=1)
            old[:] = new
        geom = np.flatnonzero(changed)
        rgba, position, size = (values[geom].astype(np.float32) for values in self._looks)
        self._writer.message(now, Appearance(tick, geom.astype(np.int32), rgba, position, size))


class WorldWatcher:
    """Events of the simulated world that the robot cannot know of: the truth, for people."""

    def __init__(self, writer: "EpisodeWriter", simulation: "Simulation") -> None:
        self._writer, self._simulation = writer, simulation
        self._told: set[str] = set()
        self._spilled_ml = 0.0

    def look(self, now: float) -> None:
        """Tell what has happened since the last time."""
        processes = self._simulation.plant.processes
        for name in processes.broken:
            self._tell(now, "broke", name)
        for name in processes.dropped:
            self._tell(now, "dropped", name)
        spilled = float(processes.spilled_ml)
        if spilled > self._spilled_ml + _SPILL_ML:
            self._writer.event(now, Event(source="world", name="spilled", value=spilled, bound=0.0))
            self._spilled_ml = spilled
        for name, machine in processes.machine_states.items():
            if machine.brewing:
                self._tell(now, "brewing", name)
        if self._simulation.goal.success:
            self._tell(now, "success", "")

    def _tell(self, now: float, name: str, detail: str) -> None:
        if f"{name} {detail}" not in self._told:
            self._told.add(f"{name} {detail}")
            self._writer.event(now, Event(source="world", name=name, detail=detail))
