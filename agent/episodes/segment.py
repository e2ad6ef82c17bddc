"""One file of a log as its reader sees it: frames one after the other, each alone or packed with others."""

import mmap
from collections import OrderedDict
from pathlib import Path
from typing import NamedTuple

from zstandard import ZstdDecompressor, ZstdError, frame_content_size

from agent.episodes.frame import FILE_HEADER, FORMAT_VERSION, MAGIC, MARKER_BYTES, Frame, read_frame
from agent.episodes.places import Place
from agent.episodes.records import EpisodeError
from agent.scribe.layout import MAX_PAYLOAD, PACKED

_KEPT_BLOCKS = 8

Found = tuple[int, int, int, int, float]
"""Kind, segment, inside, offset, time in s, as in agent.episodes.places.ENTRY."""


class Damage(NamedTuple):
    """Bytes that could not be read."""

    file: Path
    offset: int
    length: int
    what: str
    at_end: bool
    """Nothing readable follows: what a killed process leaves."""

    def __str__(self) -> str:
        extent = "the file ends in the middle of a record" if self.at_end else f"{self.length} bytes are damaged"
        return f"{self.file}, offset {self.offset}: {extent}: {self.what}"


class Segment:
    """A file that is mapped, not read; what is packed is unpacked when a record in it is asked for."""

    def __init__(self, path: Path, number: int) -> None:
        """Raises EpisodeError for a file that cannot be read."""
        self.path, self.number = path, number
        self._data = _map(path)
        self._unpacker = ZstdDecompressor()
        self._blocks: OrderedDict[int, memoryview] = OrderedDict()

    def __len__(self) -> int:
        """Bytes of the file."""
        return len(self._data)

    def frame(self, place: Place) -> Frame | str:
        """The frame of a record, or in words what is wrong with it."""
        if not place.inside:
            return read_frame(self._data, place.offset)
        block = self._blocks.get(place.offset)
        if block is None:
            frame = read_frame(self._data, place.offset)
            block = frame if isinstance(frame, str) else self._unpacked(frame)
            if isinstance(block, str):
                return block
            self._blocks[place.offset] = block
            if len(self._blocks) > _KEPT_BLOCKS:
                self._blocks.popitem(last=False)
        return read_frame(block, place.inside - 1)

    def ends_with(self, place: Place) -> bool:
        """Nothing follows this record, or what it is packed with."""
        frame = read_frame(self._data, place.offset)
        return not isinstance(frame, str) and frame.end == len(self._data)

    def scan(self, found: list[Found], damage: list[Damage]) -> None:
        """Read everything and append what there is, and what is damaged. Raises EpisodeError for another format."""
        data, path = self._data, self.path
        if len(data) < FILE_HEADER.size:
            what = "the file is empty" if not len(data) else f"the file header needs {FILE_HEADER.size} bytes"
            damage.append(Damage(path, 0, len(data), what, at_end=True))
            return
        if self.number > 0 and not any(data[: FILE_HEADER.size]):
            damage.append(Damage(path, 0, len(data), "a power cut left zeros for its beginning", at_end=True))
            return
        self._check_beginning()
        offset = FILE_HEADER.size
        while offset < len(data):
            frame = read_frame(data, offset)
            wrong = frame if isinstance(frame, str) else self._take(frame, offset, found)
            after = _next_frame(data, offset + 1) if isinstance(frame, str) else frame.end
            if wrong:
                damage.append(Damage(path, offset, after - offset, wrong, at_end=after == len(data)))
            offset = after

    def _take(self, frame: Frame, offset: int, found: list[Found]) -> str:
        """Append the record, or the packed records, of a frame; in words what is wrong with it."""
        if frame.kind != PACKED:
            found.append((frame.kind, self.number, 0, offset, frame.time_s))
            return ""
        block = self._unpacked(frame)
        if isinstance(block, str):
            return block
        at = 0
        while at < len(block):
            record = read_frame(block, at)
            if isinstance(record, str):
                return f"in what is packed, at {at}: {record}"
            found.append((record.kind, self.number, 1 + at, offset, record.time_s))
            at = record.end
        return ""

    def _unpacked(self, frame: Frame) -> memoryview | str:
        try:
            size = frame_content_size(frame.payload)
            if not 0 < size <= MAX_PAYLOAD:
                return f"it says that it holds {size} bytes where 1 to {MAX_PAYLOAD} are possible"
            return memoryview(self._unpacker.decompress(frame.payload))
        except ZstdError as error:
            return f"it cannot be unpacked: {error}"

    def _check_beginning(self) -> None:
        magic, version, segment = FILE_HEADER.unpack_from(self._data)
        path, number = self.path, self.number
        if magic != MAGIC:
            raise EpisodeError(f"{path} is no episode log: it begins with {magic!r} instead of {MAGIC!r}")
        if not 1 <= version <= FORMAT_VERSION:
            raise EpisodeError(f"{path} has format version {version}; this program reads 1 to {FORMAT_VERSION}")
        if segment != number:
            raise EpisodeError(f"{path} says it is segment {segment}, but its name says {number}")


def _next_frame(data: memoryview, start: int) -> int:
    """Offset of the next sound frame at or after `start`, or the length of the data."""
    buffer = data.obj
    assert isinstance(buffer, mmap.mmap | bytes)
    offset = buffer.find(MARKER_BYTES, start)
    while offset >= 0:
        if not isinstance(read_frame(data, offset), str):
            return offset
        offset = buffer.find(MARKER_BYTES, offset + 1)
    return len(data)


def _map(path: Path) -> memoryview:
    try:
        with path.open("rb") as file:
            if not path.stat().st_size:
                return memoryview(b"")
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except OSError as error:
        raise EpisodeError(f"cannot read {path}: {error.strerror}") from error
