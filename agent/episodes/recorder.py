"""Record a simulated robot from where its controllers run: commands, states, what it felt, where things are."""

import hashlib
import zlib
from collections.abc import Callable
from typing import Protocol

import numpy as np

from agent.episodes.records import Control, Keyframe, Kind, Poses, Touch, state_crc
from agent.episodes.writer import EpisodeWriter
from agent.messages import STEPS_PER_TICK
from agent.messages.arrays import F64
from controllers.plant import PlantCommand, Sensed

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
    """Writes one Control and one Touch per tick, Poses and Keyframes as they fall due. `on_step` is a StepHook."""

    def __init__(
        self,
        writer: EpisodeWriter,
        data: SimulatorState,
        *,
        snapshot: Callable[[], F64] | None = None,
        model: bytes = b"",
        source: bytes = b"",
    ) -> None:
        """`snapshot` gives the whole physical state, `model` is the compiled model and `source` the JSON of what it
        was built from."""
        self._writer = writer
        self._data = data
        self._snapshot = snapshot
        self._ctrl = np.empty((STEPS_PER_TICK, len(data.ctrl)))
        self._felt = np.empty((STEPS_PER_TICK, _FELT))
        self._step = 0
        self._tick = 0
        self._shown = np.full(len(data.qpos), np.nan)
        self._pictures = 0
        if model:
            writer.write(Kind.MODEL, 0.0, zlib.compress(model, 1))
        if source:
            writer.write(Kind.SOURCE, 0.0, source)
        self._write_poses(-1, 0.0)

    def on_step(self, began_s: float, command: PlantCommand, sensed: Sensed) -> None:
        """Called after each physics step."""
        row = self._step
        self._ctrl[row] = self._data.ctrl
        felt = (sensed.pad_normal_n, sensed.pad_shear_n.reshape(4), sensed.wrist_wrench_in_tool)
        np.concatenate(felt, out=self._felt[row])
        self._step = row + 1
        if self._step == STEPS_PER_TICK:
            self._write_tick(sensed.time_s)
            self._step = 0
            self._tick += 1

    def _write_tick(self, time_s: float) -> None:
        data, tick, writer = self._data, self._tick, self._writer
        control = Control(tick, self._ctrl, state_crc(data.qpos), state_crc(data.qvel))
        writer.write(Kind.CONTROL, time_s, control)
        writer.write(Kind.TOUCH, time_s, Touch(tick, self._felt.astype(np.float32)))
        if tick % POSES_TICKS == 0:
            self._write_poses(tick, time_s)
        if tick % KEYFRAME_TICKS == 0:
            state = None if self._snapshot is None else self._snapshot()
            writer.write(Kind.KEYFRAME, time_s, Keyframe(tick, np.array(data.qpos), np.array(data.qvel), state))

    def _write_poses(self, tick: int, time_s: float) -> None:
        qpos, shown = self._data.qpos, self._shown
        whole = self._pictures % POSES_WHOLE_EVERY == 0
        self._pictures += 1
        changed = np.arange(len(qpos)) if whole else np.flatnonzero(qpos != shown)
        shown[:] = qpos
        poses = Poses(tick, changed.astype(np.int32), qpos[changed].astype(np.float32), whole)
        self._writer.write(Kind.POSES, time_s, poses)
