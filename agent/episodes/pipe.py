"""The recorded process's end of the pipe to its scribe: never waits in real time, never loses without saying so."""

import fcntl
import json
import logging
import os
import subprocess
import sys
import threading
from collections import deque
from contextlib import suppress
from pathlib import Path
from select import select
from time import monotonic

log = logging.getLogger(__name__)

PIPE_BYTES = 1 << 20
"""What the kernel holds for a scribe that waits for its disk: over a second of a run in real time."""
BACKLOG_BYTES = 64 << 20
"""What this process holds beyond that."""
_FINISH_WITHIN_S = 60.0
_STUCK_S = 30.0
_RESTARTS = 3


class ScribePipe:
    """Hands frames to a process of its own that writes them. A scribe that dies is started again."""

    def __init__(
        self, directory: Path, *, may_wait: bool, allowance_bytes: int | None = None, segment_bytes: int | None = None
    ) -> None:
        """`may_wait`: in virtual time a slow disk slows the run down; in real time frames are dropped, and counted."""
        self._directory = directory
        self._may_wait = may_wait
        self._options = [
            *(() if allowance_bytes is None else ("--allowance-bytes", str(allowance_bytes))),
            *(() if segment_bytes is None else ("--segment-bytes", str(segment_bytes))),
        ]
        self._backlog: deque[memoryview] = deque()
        self._held = 0
        self._restarts = 0
        self.dropped = 0
        """Frames that found no room."""
        self.trouble = ""
        """Why recording does not work now, in words; empty while it does."""
        self.history: list[str] = []
        """All troubles of this run."""
        self.lost_bytes = 0
        """That the scribe could not write."""
        self._start()

    def _start(self) -> None:
        root = str(Path(__file__).resolve().parents[2])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "agent.scribe", str(self._directory.absolute()), *self._options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": root},
            start_new_session=True,  # an interrupt from the keyboard is for the run alone
        )
        assert self._process.stdin is not None
        self._pipe = self._process.stdin.fileno()
        os.set_blocking(self._pipe, False)
        with suppress(OSError, AttributeError):  # smaller elsewhere: the backlog holds more then
            fcntl.fcntl(self._pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self._listener = threading.Thread(target=self._listen, args=(self._process,), name="scribe", daemon=True)
        self._listener.start()

    @property
    def process_id(self) -> int:
        """Of the scribe."""
        return self._process.pid

    def send(self, frames: bytes) -> bool:
        """Hand over whole frames; False where they were dropped because the scribe cannot keep up."""
        view = memoryview(frames)
        if not self._backlog:
            rest = self._write(view)
            view = view if rest is None else rest  # nothing of it has reached a new scribe
            if not view:
                return True
        elif self._held + len(view) > BACKLOG_BYTES and not self._wait_for_room():
            self.dropped += 1
            self._note("the disk is slower than the run: records are dropped")
            return False
        self._backlog.append(view)
        self._held += len(view)
        self._drain()
        return True

    def _write(self, view: memoryview) -> memoryview | None:
        """What is left of it; None where the scribe was gone and another one has been started."""
        try:
            return view[os.write(self._pipe, view) :]
        except BlockingIOError:
            return view
        except BrokenPipeError:
            self._restart()
            return None

    def _drain(self) -> None:
        while self._backlog:
            view = self._backlog[0]
            rest = self._write(view)
            if rest is None:
                continue  # the backlog is another one now
            self._held -= len(view) - len(rest)
            if rest:
                self._backlog[0] = rest
                return
            self._backlog.popleft()

    def _wait_for_room(self) -> bool:
        if not self._may_wait:
            self._drain()
            return self._held < BACKLOG_BYTES
        until = monotonic() + _STUCK_S
        while self._held > BACKLOG_BYTES // 2 and monotonic() < until:
            select([], [self._pipe], [], 0.1)
            self._drain()
        return self._held < BACKLOG_BYTES

    def _restart(self) -> None:
        status = self._process.wait()
        self._release()
        if self._restarts >= _RESTARTS:
            self._note(f"the writer's process ended {_RESTARTS + 1} times (status {status}): no longer recorded")
            self._backlog.clear()
            self._held = 0
            self._pipe = os.open(os.devnull, os.O_WRONLY)
            return
        self._restarts += 1
        self._note(f"the writer's process ended (status {status}) and was started again: up to a second is lost")
        if self._backlog:
            # The front of it may be cut: the scribe that got its beginning is gone.
            self._held -= len(self._backlog[0])
            self._backlog.popleft()
        self._start()
        self.trouble = ""

    def _listen(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            try:
                message = json.loads(line)
            except ValueError:
                continue
            self.lost_bytes = message.get("lost", self.lost_bytes)
            if message["event"] == "trouble":
                self._note(message["what"])
            elif message["event"] == "again":
                self.trouble = ""
                log.warning("%s: recording works again; %d bytes were lost", self._directory, self.lost_bytes)

    def _note(self, trouble: str) -> None:
        if trouble not in self.history:
            self.history.append(trouble)
            log.error("%s: NOT RECORDED: %s; what was written is kept", self._directory, trouble)
        self.trouble = trouble

    def close(self) -> None:
        """Hand over what is left and wait until it is on the disk. May be called twice."""
        if self._process.stdin is None or self._process.stdin.closed:
            return
        until = monotonic() + _FINISH_WITHIN_S
        self._drain()
        while self._backlog and monotonic() < until:
            select([], [self._pipe], [], 0.1)
            self._drain()
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(max(1.0, until - monotonic()))
        except subprocess.TimeoutExpired:
            self._note(f"the disk takes longer than {_FINISH_WITHIN_S:g} s; the writer goes on by itself")
            return
        self._release()

    def _release(self) -> None:
        """Close this end of the pipes of a scribe that has ended."""
        process = self._process
        if process.stdin is not None and not process.stdin.closed:
            with suppress(BrokenPipeError):
                process.stdin.close()
        self._listener.join()
        if process.stdout is not None:
            process.stdout.close()
