"""Write an episode so that whatever happens to the process, every finished tick can be read."""

import json
import os
import secrets
import threading
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Any

import msgspec

from agent.episodes.frame import pack_frame
from agent.episodes.pipe import ScribePipe
from agent.episodes.records import KIND_OF_TYPE, Control, EpisodeError, EpisodeHeader, Event, Kind, state_crc
from agent.episodes.report import EpisodeReport
from agent.messages import Step, encode
from agent.messages.arrays import F64

HAND_OVER_S = 0.1
"""In virtual time a tick takes a millisecond; the records of many at once cost less than one by one."""
Payload = msgspec.Struct | bytes | Callable[[], msgspec.Struct]
"""Of a record; or what makes it, when it is handed over."""
_HELD_BACK = frozenset({Kind.CONTROL, Kind.KEYFRAME, Kind.POSES, Kind.TOUCH, Kind.APPEARANCE, Kind.BELIEF, Kind.WIRE})
"""Kinds that wait for the tick's Step, which follows within the tick, and go to the scribe with it."""


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
    """Appends records to the log in `directory`, which a process of its own writes (`agent.scribe`).

    In real time a tick's records leave this process in one `write` to a pipe when its Step is recorded, in virtual time
    every HAND_OVER_S of the wall clock: from then on they survive `kill -9` of this process. The scribe syncs the disk
    about once a second, so that a power cut costs about a second; the loop never waits for a disk. In real time the
    robot's thread and the mind's both write.
    """

    def __init__(
        self,
        directory: Path,
        header: EpisodeHeader,
        *,
        allowance_bytes: int | None = None,
        segment_bytes: int | None = None,
    ) -> None:
        """Start the log. Raises EpisodeError where `directory` holds one already or cannot be written."""
        if any(directory.glob("log-*.dop")):
            raise EpisodeError(f"cannot write {directory}: it holds an episode already, and none is overwritten")
        if not os.access(directory, os.W_OK):
            raise EpisodeError(f"cannot write {directory}: it is missing or not writable")
        self.directory = directory
        self.header = header
        self._pending: deque[tuple[Kind, float, Payload]] = deque()
        self._period_s = 0.0 if header.realtime else HAND_OVER_S
        self._due = 0.0
        self._lock = threading.Lock()
        self._closed = False
        self.pipe = ScribePipe(
            directory,
            may_wait=not header.realtime,
            allowance_bytes=allowance_bytes,
            segment_bytes=segment_bytes,
        )
        self.write(Kind.HEADER, 0.0, header)

    @property
    def trouble(self) -> str:
        """What went wrong with recording so far; empty when all is there."""
        return "; ".join(self.pipe.history)

    def write(self, kind: Kind, time_s: float, payload: Payload) -> None:
        """Append one record, which must not change afterwards: it is encoded when it is handed over.

        Raises EpisodeError after `close`; a disk that fails is told in `trouble`.
        """
        if self._closed:
            raise EpisodeError(f"{self.directory} is finished; nothing can be added to it")
        self._pending.append((kind, time_s, payload))  # needs no lock
        if kind == Kind.STEP:
            self.tick_done()
        elif kind not in _HELD_BACK:
            self.flush()

    def message(self, time_s: float, message: msgspec.Struct) -> None:
        """Append a message under its own kind. Raises TypeError for one that has no kind."""
        kind = KIND_OF_TYPE.get(type(message))
        if kind is None:
            known = ", ".join(sorted(t.__name__ for t in KIND_OF_TYPE))
            raise TypeError(f"an episode has no record for {type(message).__name__}; it knows {known}")
        self.write(kind, time_s, message)

    def step(self, step: Step) -> None:
        """Append a tick of the mind; with it all that came before leaves this process, if that is due."""
        self.write(Kind.STEP, step.observation.time_s, step)

    def tick_done(self) -> None:
        """Hand over what was recorded so far, if that is due. For a mind, `step` does it."""
        if monotonic() >= self._due:
            self.flush()

    def control(self, tick: int, time_s: float, ctrl: F64, qpos: F64, qvel: F64) -> None:
        """Append what the actuators were told in this tick.

        ctrl: (steps, actuators) of each physics step. qpos, qvel: the state after it, of which the record keeps a hash.
        """
        self.write(Kind.CONTROL, time_s, Control(tick, ctrl, state_crc(qpos), state_crc(qvel)))

    def event(self, time_s: float, event: Event) -> None:
        """Append an event."""
        self.write(Kind.EVENT, time_s, event)

    def flush(self) -> None:
        """Hand all records to the scribe."""
        with self._lock:
            self._flush()

    def _flush(self) -> None:
        frames = []
        while self._pending:
            kind, time_s, payload = self._pending.popleft()
            if callable(payload):
                payload = payload()
            frames.append(pack_frame(kind, time_s, payload if isinstance(payload, bytes) else encode(payload)))
        if frames:
            self.pipe.send(b"".join(frames))
        self._due = monotonic() + self._period_s

    def finish(self, summary: EpisodeReport | Mapping[str, Any], time_s: float = 0.0) -> None:
        """Append the summary (a report or anything JSON can hold), write `report.json` beside the log, close."""
        if isinstance(summary, EpisodeReport):
            summary = msgspec.to_builtins(msgspec.structs.replace(summary, not_recorded=self.trouble))
        self.write(Kind.SUMMARY, time_s, json.dumps(summary).encode())
        self.close()
        report = {"header": msgspec.to_builtins(self.header), "summary": summary}
        temporary = self.directory / "report.json.part"
        try:
            temporary.write_text(json.dumps(report, indent=2) + "\n")
            temporary.replace(self.directory / "report.json")
        except OSError:
            temporary.unlink(missing_ok=True)  # the log has it; a full disk was told of already

    def close(self) -> None:
        """Hand over the rest and wait for the scribe; the episode stays readable without a summary."""
        with self._lock:
            if self._closed:
                return
            self._flush()
            self._closed = True
        self.pipe.close()

    def __enter__(self) -> "EpisodeWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
