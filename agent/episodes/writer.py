"""Write an episode so that whatever happens to the process, every finished tick can be read."""

import json
import os
import secrets
import threading
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from agent.episodes.frame import FILE_HEADER, FORMAT_VERSION, MAGIC, pack_frame
from agent.episodes.records import (
    KIND_OF_TYPE,
    Control,
    EpisodeError,
    EpisodeHeader,
    Event,
    Keyframe,
    Kind,
    state_crc,
)
from agent.episodes.report import EpisodeReport
from agent.messages import Step, encode
from agent.messages.arrays import F64

SEGMENT_BYTES = 256 << 20
SYNC_PERIOD_S = 1.0
KEYFRAME_TICKS = 100
_HELD_BACK = frozenset({Kind.CONTROL, Kind.KEYFRAME})
"""Kinds that wait for the tick's Step, which follows within the tick, and go to the kernel with it."""


def episodes_root() -> Path:
    """Where episodes go: $DOPPIO_EPISODES, else `episodes/` in the current folder."""
    return Path(os.environ.get("DOPPIO_EPISODES") or "episodes")


def new_episode_directory(root: Path, task: str, split: str, index: int) -> Path:
    """Create `YYYYMMDD-HHMMSS-task-split-index-xxxx` under `root`. Raises EpisodeError where that is impossible."""
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    directory = root / f"{stamp}-{task}-{split}-{index}-{secrets.token_hex(2)}"
    try:
        directory.mkdir(parents=True)
    except OSError as error:
        raise EpisodeError(
            f"cannot create {directory}: {error.strerror}; choose another place with --record or $DOPPIO_EPISODES"
        ) from error
    return directory


class EpisodeWriter:
    """Appends records to `directory`/log-000.dop, log-001.dop, …

    A tick's records reach the kernel in one `write` when its Step is written: from then on they survive
    `kill -9`. A thread calls fsync about once a second, so that a power cut costs about a second, and the
    loop never waits for a disk. In real time the robot's thread and the mind's both write.
    """

    def __init__(self, directory: Path, header: EpisodeHeader) -> None:
        """Start the log. Raises EpisodeError where `directory` holds one already or cannot be written."""
        self.directory = directory
        self.header = header
        self._pending: list[bytes] = []
        self._segment = -1
        self._file = -1
        self._segment_size = 0
        self._write_lock = threading.Lock()
        self._file_lock = threading.Lock()
        self._closing = threading.Event()
        self._sync_error: OSError | None = None
        self._open_segment()
        self._sync_thread = threading.Thread(target=self._sync_regularly, name="episode-sync", daemon=True)
        self._sync_thread.start()
        self.write(Kind.HEADER, 0.0, header)

    def write(self, kind: Kind, time_s: float, payload: msgspec.Struct | bytes) -> None:
        """Append one record. Raises EpisodeError where the disk refuses it."""
        data = payload if isinstance(payload, bytes) else encode(payload)
        frame = pack_frame(kind, time_s, data)
        with self._write_lock:
            if self._file < 0:
                raise EpisodeError(f"{self.directory} is finished; nothing can be added to it")
            self._pending.append(frame)
            if kind not in _HELD_BACK:
                self._flush()

    def message(self, time_s: float, message: msgspec.Struct) -> None:
        """Append a message under its own kind. Raises TypeError for one that has no kind."""
        kind = KIND_OF_TYPE.get(type(message))
        if kind is None:
            known = ", ".join(sorted(t.__name__ for t in KIND_OF_TYPE))
            raise TypeError(f"an episode has no record for {type(message).__name__}; it knows {known}")
        self.write(kind, time_s, message)

    def step(self, step: Step) -> None:
        """Append a tick of the mind; with it everything before reaches the kernel."""
        self.write(Kind.STEP, step.observation.time_s, step)

    def control(self, tick: int, time_s: float, ctrl: F64, qpos: F64, qvel: F64) -> None:
        """Append what the actuators were told in this tick.

        ctrl: (steps, actuators) of each physics step. qpos, qvel: the state after it, of which the record keeps a
        hash, and every KEYFRAME_TICKS the whole.
        """
        self.write(Kind.CONTROL, time_s, Control(tick, np.array(ctrl), state_crc(qpos), state_crc(qvel)))
        if tick % KEYFRAME_TICKS == 0:
            self.write(Kind.KEYFRAME, time_s, Keyframe(tick, np.array(qpos), np.array(qvel)))

    def event(self, time_s: float, event: Event) -> None:
        """Append an event."""
        self.write(Kind.EVENT, time_s, event)

    def flush(self) -> None:
        """Hand all records to the kernel. Raises EpisodeError where the disk refuses them."""
        with self._write_lock:
            self._flush()

    def _flush(self) -> None:
        if not self._pending:
            return
        data = memoryview(b"".join(self._pending))
        self._pending.clear()
        if self._segment_size + len(data) > SEGMENT_BYTES:
            self._open_segment()
        self._segment_size += len(data)
        try:
            if self._sync_error:
                raise self._sync_error
            while data:
                data = data[os.write(self._file, data) :]
        except OSError as error:
            path = self._segment_path()
            raise EpisodeError(f"cannot write {path}: {error.strerror}; all before this tick is kept") from error

    def finish(self, summary: EpisodeReport | Mapping[str, Any], time_s: float = 0.0) -> None:
        """Append the summary (a report or anything JSON can hold), write `report.json` beside the log, close."""
        if isinstance(summary, EpisodeReport):
            summary = msgspec.to_builtins(summary)
        self.write(Kind.SUMMARY, time_s, json.dumps(summary).encode())
        self.close()
        report = {"header": msgspec.to_builtins(self.header), "summary": summary}
        temporary = self.directory / "report.json.part"
        temporary.write_text(json.dumps(report, indent=2) + "\n")
        temporary.replace(self.directory / "report.json")

    def close(self) -> None:
        """Flush, sync and close; the episode stays readable without a summary. May be called twice."""
        if self._file < 0:
            return
        try:
            self.flush()
        finally:
            self._closing.set()
            self._sync_thread.join()
            with self._file_lock:
                os.close(self._file)
                self._file = -1

    def __enter__(self) -> "EpisodeWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _segment_path(self) -> Path:
        return self.directory / f"log-{self._segment:03d}.dop"

    def _open_segment(self) -> None:
        with self._file_lock:
            if self._file >= 0:
                threading.Thread(target=_sync_and_close, args=(self._file,), name="episode-sync-last").start()
            self._segment += 1
            path = self._segment_path()
            try:
                self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o644)
                self._segment_size = os.write(self._file, FILE_HEADER.pack(MAGIC, FORMAT_VERSION, self._segment))
            except OSError as error:
                raise EpisodeError(f"cannot write {path}: {error.strerror}") from error

    def _sync_regularly(self) -> None:
        done = False
        while not done:
            done = self._closing.wait(SYNC_PERIOD_S)
            with self._file_lock:
                # A duplicate, so that a new segment or close() never waits for a slow disk.
                file = os.dup(self._file)
            try:
                _sync_and_close(file)
            except OSError as error:
                self._sync_error = error
                return


def _sync_and_close(file: int) -> None:
    try:
        os.fsync(file)
    finally:
        os.close(file)
