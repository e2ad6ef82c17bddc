"""Read frames from standard input, append them to the log in blocks, sync it, say on standard output what fails.

It ends when its input does: a recorded process that is killed leaves everything it had handed over.
"""

import argparse
import json
import os
import signal
import sys
import threading
from collections import deque
from contextlib import suppress
from pathlib import Path
from select import select
from time import monotonic, sleep

from agent.scribe.block import BLOCK_BYTES, Block
from agent.scribe.segments import KEEP_FREE_BYTES, SEGMENT_BYTES, Segments, SegmentsError, whole_frames

SYNC_PERIOD_S = 0.5
BLOCK_PERIOD_S = 0.4
"""What is killed with this process, or lost in a power cut, is younger than the two together."""
TRY_AGAIN_S = 2.0
WAITING_BYTES = 32 << 20
"""What is held, before compression, while nothing can be written: about a minute of a run in real time."""
_CHUNK = 1 << 20
_BUSY_BYTES = 1 << 17
_REST_S = 0.02


class Scribe:
    """Moves frames from a pipe to segments."""

    def __init__(self, segments: Segments) -> None:
        self._segments = segments
        self._rest = bytearray()
        self._block = Block()
        self._block_until = 0.0
        self._waiting: deque[Block] = deque()
        """Blocks that could not be written yet. In order: what follows them waits too, so that a log has no gap."""
        self._held = 0
        self._closing = threading.Event()
        self._trouble = ""
        self._lost = 0
        self._try_at = 0.0

    def run(self, source: int) -> None:
        """Until `source` ends."""
        sync = threading.Thread(target=self._sync_regularly, name="sync")
        sync.start()
        try:
            while True:
                if self._block and not select([source], [], [], BLOCK_PERIOD_S)[0]:
                    self._append()
                data = os.read(source, _CHUNK)
                if not data:
                    break
                self._take(data)
                if len(data) < _BUSY_BYTES:
                    # A reader that waits is woken at every write, which costs the writer more than the write.
                    sleep(_REST_S)
        finally:
            self._closing.set()
            sync.join()
            self._try_at = 0.0
            self._append()
            self._lost += self._held
            try:
                self._segments.close()
                self._segments.write_index()
            except OSError as error:
                self._say(str(error))
            say("done", bytes=self._segments.written, lost=self._lost)

    def _take(self, data: bytes) -> None:
        self._rest += data
        view = memoryview(self._rest)
        end = 0
        while size := whole_frames(view[end:], BLOCK_BYTES - len(self._block)):
            if not self._block:
                self._block_until = monotonic() + BLOCK_PERIOD_S
            self._block.add(view[end : end + size])
            end += size
            # What a log begins with makes it readable: it does not wait.
            if len(self._block) >= BLOCK_BYTES or monotonic() >= self._block_until or not self._segments.written:
                self._append()
        view.release()
        del self._rest[:end]

    def _append(self) -> None:
        """Write the block that was collected, after those that wait."""
        if self._block:
            if self._held + len(self._block) <= WAITING_BYTES:
                self._waiting.append(self._block)
                self._held += len(self._block)
            else:
                self._lost += len(self._block)
            self._block = Block()
        if not self._waiting or (self._trouble and monotonic() < self._try_at):
            return
        while self._waiting:
            try:
                self._segments.append(self._waiting[0])
            except (SegmentsError, OSError) as error:
                self._try_at = monotonic() + TRY_AGAIN_S
                self._say(str(error))
                return
            self._held -= len(self._waiting.popleft())
        if self._trouble:
            self._trouble = ""
            say("again", lost=self._lost)

    def _sync_regularly(self) -> None:
        while not self._closing.wait(SYNC_PERIOD_S):
            try:
                self._segments.sync()
            except OSError as error:
                self._say(f"the disk does not confirm what was written: {error.strerror or error}")

    def _say(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            say("trouble", what=trouble, lost=self._lost)


def say(event: str, **fields: object) -> None:
    """One line of JSON for the process that is recorded; nothing if that has gone."""
    with suppress(OSError):
        os.write(sys.stdout.fileno(), json.dumps({"event": event, **fields}).encode() + b"\n")


def main() -> None:
    """The process."""
    parser = argparse.ArgumentParser(prog="python -m agent.scribe", description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--segment-bytes", type=int, default=SEGMENT_BYTES)
    parser.add_argument("--allowance-bytes", type=int)
    parser.add_argument("--keep-free-bytes", type=int, default=KEEP_FREE_BYTES)
    args = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the end of its input ends it
    segments = Segments(
        args.directory,
        segment_bytes=args.segment_bytes,
        allowance_bytes=args.allowance_bytes,
        keep_free_bytes=args.keep_free_bytes,
    )
    Scribe(segments).run(sys.stdin.fileno())


if __name__ == "__main__":
    main()
