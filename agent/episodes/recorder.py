"""Record a simulated robot from where its controllers run: commands, states, what it felt, where things are."""

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol
from zlib import compress, crc32

import numpy as np

from agent.episodes.records import Control, Keyframe, Kind, Poses, Touch
from agent.episodes.writer import EpisodeWriter
from agent.messages import STEPS_PER_TICK
from agent.messages.arrays import F64
from controllers.plant import PlantCommand, Sensed

if TYPE_CHECKING:
    from controllers.robot_side import StepHook

KEYFRAME_TICKS = 100
POSES_TICKS = 4
"""25 pictures a second."""
POSES_WHOLE_EVERY = 250
"""Of them: damage to one costs ten seconds of picture at most."""
_FELT = 12


class SimulatorState(Protocol):
    """The arrays of MuJoCo's MjData that matter here."""

    @property
    def ctrl(self) -> F64: ...
    @property
    def qpos(self) -> F64: ...
    @property
    def qvel(self) -> F64: ...


def model_identity(model: bytes) -> str:
    """SHA-256 of a compiled model, first 16 digits."""
    return hashlib.sha256(model).hexdigest()[:16]


class ControlRecorder:
    """Writes one Control and one Touch per tick, Poses and Keyframes as they fall due."""

    def __init__(
        self,
        writer: EpisodeWriter,
        data: SimulatorState,
        *,
        on_tick: Callable[[int, float], None] = lambda tick, time_s: None,
        snapshot: Callable[[], F64] | None = None,
        model: bytes = b"",
        source: bytes = b"",
    ) -> None:
        """`on_tick` is called after each tick with its number and time. `snapshot` gives the whole physical state,
        `model` is the compiled model and `source` the JSON of what it was built from."""
        self._writer = writer
        self._data = data
        self._on_tick = on_tick
        self._snapshot = snapshot
        self._actuators = len(data.ctrl)
        self._qpos = data.qpos
        self._positions, self._velocities = data.qpos.data, data.qvel.data
        """The same as bytes, for `state_crc` without its detour."""
        self._tick = 0
        self._shown = np.full(len(data.qpos), np.nan)
        self._pictures = 0
        if model:
            writer.write(Kind.MODEL, 0.0, compress(model, 1))
        if source:
            writer.write(Kind.SOURCE, 0.0, source)
        self._write_poses(-1, 0.0)

    def hook(self) -> "StepHook":
        """To be called after each physics step."""
        # A closure over few names: between steps of physics all of Python's memory has left the caches.
        concatenate, write_tick, on_tick = np.concatenate, self._write_tick, self._on_tick
        shape = STEPS_PER_TICK, self._actuators + _FELT
        table = np.empty(shape)
        bound: Sensed | None = None
        sources: tuple[F64, ...] = ()
        row = 0

        def on_step(began_s: float, command: PlantCommand, sensed: Sensed) -> None:
            nonlocal row, table, bound, sources
            if sensed is not bound:  # a plant reuses it
                bound, shear = sensed, sensed.pad_shear_n.reshape(4)
                sources = (self._data.ctrl, sensed.pad_normal_n, shear, sensed.wrist_wrench_in_tool)
            concatenate(sources, 0, table[row])
            row += 1
            if row == STEPS_PER_TICK:
                write_tick(table, sensed.time_s)
                on_tick(self._tick, sensed.time_s)
                self._tick += 1
                table, row = np.empty(shape), 0

        return on_step

    def _write_tick(self, table: F64, time_s: float) -> None:
        data, tick, writer, n = self._data, self._tick, self._writer, self._actuators
        positions, velocities = crc32(self._positions), crc32(self._velocities)
        writer.write(Kind.CONTROL, time_s, lambda: Control(tick, table[:, :n], positions, velocities))
        writer.write(Kind.TOUCH, time_s, lambda: Touch(tick, table[:, n:].astype(np.float32)))
        if tick % POSES_TICKS == 0:
            self._write_poses(tick, time_s)
        if tick % KEYFRAME_TICKS == 0:
            state = None if self._snapshot is None else self._snapshot()
            writer.write(Kind.KEYFRAME, time_s, Keyframe(tick, np.array(data.qpos), np.array(data.qvel), state))

    def _write_poses(self, tick: int, time_s: float) -> None:
        qpos, shown = self._qpos, self._shown
        whole = self._pictures % POSES_WHOLE_EVERY == 0
        self._pictures += 1
        changed = np.arange(len(qpos)) if whole else (qpos != shown).nonzero()[0]
        np.copyto(shown, qpos)
        poses = Poses(tick, changed.astype(np.int32), qpos[changed].astype(np.float32), whole)
        self._writer.write(Kind.POSES, time_s, poses)
