"""The fixed sizes of a log's bytes, shared by all who write or read one. docs/episodes.md describes them."""

import struct

FILE_HEADER = struct.Struct("<10sHI")
"""Magic, format version, segment number."""
MAGIC = b"DOPPIO-LOG"
FORMAT_VERSION = 2
"""1 had no PACKED frames."""

FRAME_HEADER = struct.Struct("<HBBId")
"""Marker, kind, flags, stored payload length, time in s. The CRC-32 of these 16 bytes and the payload follows."""
MARKER = 0x99D0
MARKER_BYTES = MARKER.to_bytes(2, "little")
CHECKSUM = struct.Struct("<I")
FRAME_OVERHEAD = FRAME_HEADER.size + CHECKSUM.size

MAX_PAYLOAD = 64 << 20
"""A longer length in a frame header is damage, not data."""
MAX_RECORD = MAX_PAYLOAD // 2
"""Packed with others it is still a payload."""

PACKED = 20
"""Kind of a frame whose payload is many frames, compressed by zstd."""

INDEX_NAME = "log.idx"
INDEX_ENTRY = struct.Struct("<BxHIQd")
"""Kind, segment, place within a packed frame from 1 on (0: it is in none), offset, time of each record in order.
Written when a log is closed; a log without one is scanned."""


def segment_name(number: int) -> str:
    """`log-000.dop` and so on."""
    return f"log-{number:03d}.dop"
