"""The bytes of a log: a file header, then frames that each carry their own checksum.

docs/episodes.md describes the format for readers in other languages.
"""

import struct
import zlib
from typing import NamedTuple

import numpy as np

from agent.scribe.layout import (
    CHECKSUM,
    FILE_HEADER,
    FORMAT_VERSION,
    FRAME_HEADER,
    FRAME_OVERHEAD,
    MAGIC,
    MARKER,
    MARKER_BYTES,
    MAX_PAYLOAD,
    MAX_RECORD,
)

__all__ = [
    "FILE_HEADER",
    "FORMAT_VERSION",
    "FRAME_OVERHEAD",
    "MAGIC",
    "MARKER_BYTES",
    "Frame",
    "pack_frame",
    "put_back_zero_words",
    "read_frame",
]

ZERO_WORDS_LEFT_OUT = 1
"""Flag: the payload is for `put_back_zero_words`."""

_PACKED_HEADER = struct.Struct("<I")


class Frame(NamedTuple):
    """One frame as found in a file."""

    kind: int
    time_s: float
    payload: bytes
    end: int
    """Offset of the byte after it."""


def put_back_zero_words(packed: bytes) -> bytes:
    """Of length, bit mask of the 8-byte words that are not zero, and those words, the original.

    Logs of format 1 may hold such payloads; none are written any more. Raises ValueError where lengths do not agree.
    """
    if len(packed) < _PACKED_HEADER.size:
        raise ValueError(f"a packed payload needs at least {_PACKED_HEADER.size} bytes, got {len(packed)}")
    (length,) = _PACKED_HEADER.unpack_from(packed)
    count = -(-length // 8)
    mask_end = _PACKED_HEADER.size + -(-count // 8)
    if length > MAX_PAYLOAD or mask_end > len(packed):
        raise ValueError(f"a packed payload of {len(packed)} bytes cannot hold {length} bytes")
    mask = np.frombuffer(packed[_PACKED_HEADER.size : mask_end], np.uint8)
    used = np.unpackbits(mask, count=count).astype(bool)
    words = np.zeros(count, np.uint64)
    kept = int(used.sum())
    if len(packed) != mask_end + 8 * kept:
        raise ValueError(f"a packed payload with {kept} words needs {mask_end + 8 * kept} bytes, got {len(packed)}")
    words[used] = np.frombuffer(packed[mask_end:], np.uint64)
    return words.tobytes()[:length]


def pack_frame(kind: int, time_s: float, payload: bytes) -> bytes:
    """The bytes of one frame. Raises ValueError for a payload above MAX_RECORD."""
    if len(payload) > MAX_RECORD:
        raise ValueError(f"a payload of {len(payload)} bytes is above the bound of {MAX_RECORD}")
    header = FRAME_HEADER.pack(MARKER, kind, 0, len(payload), time_s)
    return header + CHECKSUM.pack(zlib.crc32(payload, zlib.crc32(header))) + payload


def read_frame(data: memoryview, offset: int) -> Frame | str:
    """The frame that begins at `offset`, or in words what is wrong with it."""
    left = len(data) - offset
    if left < FRAME_OVERHEAD:
        return f"{left} bytes are left where a frame header needs {FRAME_OVERHEAD}"
    marker, kind, flags, length, time_s = FRAME_HEADER.unpack_from(data, offset)
    if marker != MARKER:
        return f"no frame begins here (found {marker:#06x}, a frame begins with {MARKER:#06x})"
    if length > MAX_PAYLOAD:
        return f"the frame says it has {length} bytes, more than any frame ({MAX_PAYLOAD})"
    start = offset + FRAME_OVERHEAD
    if length > len(data) - start:
        return f"the frame has {length} bytes but only {len(data) - start} are there"
    payload = bytes(data[start : start + length])
    expected = zlib.crc32(payload, zlib.crc32(data[offset : offset + FRAME_HEADER.size]))
    (found,) = CHECKSUM.unpack_from(data, offset + FRAME_HEADER.size)
    if found != expected:
        return f"the checksum is {found:#010x} but the bytes give {expected:#010x}"
    if flags & ZERO_WORDS_LEFT_OUT:
        try:
            payload = put_back_zero_words(payload)
        except ValueError as error:
            return str(error)
    return Frame(kind, time_s, payload, start + length)
