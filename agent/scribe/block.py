"""Frames that are compressed together: touch is mostly noise of few digits, and the next tick is like the last."""

import zlib

from zstandard import ZstdCompressor

from agent.scribe.layout import CHECKSUM, FRAME_HEADER, FRAME_OVERHEAD, MARKER, PACKED

BLOCK_BYTES = 1 << 19
"""More compresses a little better, but damage to one byte costs a block."""
_LEVEL = 3


class Block:
    """Collects whole frames until they are `packed`."""

    def __init__(self) -> None:
        self._compressor = ZstdCompressor(level=_LEVEL)
        self._frames = bytearray()
        self.entries: list[tuple[int, int, float]] = []
        """Kind, offset within the block, time in s of each frame."""

    def __len__(self) -> int:
        """Bytes before compression."""
        return len(self._frames)

    def add(self, frames: memoryview) -> None:
        """Append whole frames."""
        at, start = 0, len(self._frames)
        while at < len(frames):
            _, kind, _, length, time_s = FRAME_HEADER.unpack_from(frames, at)
            self.entries.append((kind, start + at, time_s))
            at += FRAME_OVERHEAD + length
        self._frames += frames

    def packed(self) -> bytes:
        """All of them as one frame."""
        payload = self._compressor.compress(self._frames)
        header = FRAME_HEADER.pack(MARKER, PACKED, 0, len(payload), self.entries[0][2])
        return header + CHECKSUM.pack(zlib.crc32(payload, zlib.crc32(header))) + payload
