"""Append blocks of frames to log-000.dop, log-001.dop, … and keep what is there whatever the disk does."""

import threading
from pathlib import Path

from agent.scribe.block import Block
from agent.scribe.disk import Disk, RealDisk
from agent.scribe.layout import (
    FILE_HEADER,
    FORMAT_VERSION,
    FRAME_HEADER,
    FRAME_OVERHEAD,
    INDEX_ENTRY,
    INDEX_NAME,
    MAGIC,
    MARKER,
    segment_name,
)

SEGMENT_BYTES = 256 << 20
KEEP_FREE_BYTES = 512 << 20
"""Recording stops before the disk is so full that other programs fail."""
_LOOK_AT_DISK_EVERY_BYTES = 32 << 20


class SegmentsError(OSError):
    """Nothing more can be written now; what was written is sound. `str` says why."""


class Segments:
    """The files of one log. One thread appends, another may call `sync`."""

    def __init__(
        self,
        directory: Path,
        disk: Disk | None = None,
        *,
        segment_bytes: int = SEGMENT_BYTES,
        allowance_bytes: int | None = None,
        keep_free_bytes: int = KEEP_FREE_BYTES,
    ) -> None:
        """`allowance_bytes` bounds this log; None leaves only `keep_free_bytes` of the disk as a bound."""
        self._directory = directory
        self._disk = disk or RealDisk()
        self._segment_bytes = segment_bytes
        self._allowance = allowance_bytes
        self._keep_free = keep_free_bytes
        self._unlooked = _LOOK_AT_DISK_EVERY_BYTES
        self._lock = threading.Lock()
        self._next = len(list(directory.glob("log-[0-9][0-9][0-9].dop")))
        self._file: int | None = None
        self._size = 0
        self._index = bytearray()
        self._whole = self._next == 0
        """This object wrote the log from its beginning, so that its index is the log's."""
        self.written = 0
        """Bytes of all segments that were begun here."""

    def append(self, block: Block) -> None:
        """Write all frames of a block, as one. Raises SegmentsError with nothing written of one that did not fit."""
        frame = block.packed()
        self._check_room(len(frame))
        if self._file is None or self._size + len(frame) > self._segment_bytes:
            self._begin(frame)
            start = FILE_HEADER.size
        else:
            start = self._size
            self._write(memoryview(frame))
        for kind, at, time_s in block.entries:
            self._index += INDEX_ENTRY.pack(kind, self._next - 1, 1 + at, start, time_s)

    def write_index(self) -> None:
        """Leave a list of all records beside the closed log. Raises OSError; the log is complete without it."""
        if not self._whole or not self._index:
            return
        path = self._directory / INDEX_NAME
        part = path.with_suffix(".part")
        file = self._disk.create(part)
        try:
            view = memoryview(self._index)
            while view:
                view = view[self._disk.write(file, view) :]
            self._disk.sync(file)
        finally:
            self._disk.close(file)
        part.replace(path)

    def _check_room(self, size: int) -> None:
        if self._allowance is not None and self.written + size > self._allowance:
            raise SegmentsError(f"the bound of {self._allowance / 1e9:.2f} GB for episodes is reached")
        self._unlooked += size
        if self._unlooked >= _LOOK_AT_DISK_EVERY_BYTES:
            free = self._disk.free_bytes(self._directory)
            if free < self._keep_free:
                raise SegmentsError(
                    f"only {free / 1e6:.0f} MB are free where {self._keep_free / 1e6:.0f} MB are left to other programs"
                )
            self._unlooked = 0

    def _begin(self, frame: bytes) -> None:
        """A new segment with its first frame in it: whoever finds a log can read it."""
        self.close()
        path = self._directory / segment_name(self._next)
        try:
            file = self._disk.create(path)
        except OSError as error:
            raise SegmentsError(f"cannot create {path}: {error.strerror or error}") from error
        self._next += 1
        self._size = 0
        with self._lock:
            self._file = file
        try:
            self._write(memoryview(FILE_HEADER.pack(MAGIC, FORMAT_VERSION, self._next - 1) + frame))
            self._disk.sync(file)
            self._disk.sync_folder(self._directory)
        except OSError as error:
            with self._lock:
                self._file = None
            self._next -= 1
            self.written -= self._size
            self._disk.close(file)
            self._disk.remove(path)
            raise (
                error if isinstance(error, SegmentsError) else SegmentsError(f"cannot begin {path}: {error}")
            ) from error

    def _write(self, data: memoryview) -> None:
        assert self._file is not None
        done = 0
        try:
            while done < len(data):
                done += self._disk.write(self._file, data[done:])
        except OSError as error:
            self._disk.truncate(self._file, self._size)  # half a frame would be taken for damage
            path = self._directory / segment_name(self._next - 1)
            raise SegmentsError(f"cannot write {path}: {error.strerror or error}") from error
        self._size += done
        self.written += done

    def sync(self) -> None:
        """Let what was appended so far survive a power cut. Raises OSError."""
        with self._lock:
            if self._file is not None:
                self._disk.sync(self._file)

    def close(self) -> None:
        """Sync and close the present segment, if any; a later `append` begins another one."""
        with self._lock:
            file, self._file = self._file, None
        if file is not None:
            try:
                self._disk.sync(file)
            finally:
                self._disk.close(file)


def frame_size(data: memoryview, offset: int) -> int:
    """Bytes of the frame that begins at `offset`, of which at least the header is there."""
    marker, _, _, length, _ = FRAME_HEADER.unpack_from(data, offset)
    if marker != MARKER:
        raise ValueError(f"no frame begins at byte {offset} of what was sent: {marker:#06x}")
    return FRAME_OVERHEAD + length


def whole_frames(data: memoryview, enough: int) -> int:
    """Length of the whole frames at the beginning of `data`, up to the one with which they are `enough` bytes."""
    end = 0
    while end < enough and len(data) - end >= FRAME_HEADER.size:
        size = frame_size(data, end)
        if end + size > len(data):
            break
        end += size
    return end
