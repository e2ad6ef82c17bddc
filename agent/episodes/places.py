"""Where the records of a log lie: from its index where there is one, else found by reading everything."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from agent.scribe.layout import INDEX_ENTRY, INDEX_NAME

ENTRY = np.dtype(
    {
        "names": ["kind", "segment", "inside", "offset", "time_s"],
        "formats": ["u1", "<u2", "<u4", "<u8", "<f8"],
        "offsets": [0, 2, 4, 8, 16],
        "itemsize": INDEX_ENTRY.size,
    }
)


class Place(NamedTuple):
    """Where a record lies."""

    kind: int
    time_s: float
    segment: int
    offset: int
    """Of its frame in the segment, or of the packed frame that holds it."""
    inside: int = 0
    """From 1 on where it begins in what is packed; 0 where it is not packed."""


class Places(Sequence[Place]):
    """Many Places, held as an array: a ten-minute episode has 200,000."""

    def __init__(self, entries: NDArray[np.void]) -> None:
        self.entries = entries
        self._of_kind: dict[int, Places] = {}

    @property
    def times_s(self) -> NDArray[np.float64]:
        """(n,)"""
        return self.entries["time_s"]

    def of_kind(self, kind: int) -> "Places":
        """Those of one kind, in order."""
        if kind not in self._of_kind:
            self._of_kind[kind] = Places(self.entries[self.entries["kind"] == kind])
        return self._of_kind[kind]

    def of_kinds(self, kinds: Sequence[int]) -> "Places":
        """Those of several kinds, in order."""
        return Places(self.entries[np.isin(self.entries["kind"], np.array(kinds, np.uint8))])

    def __len__(self) -> int:
        return len(self.entries)

    @overload
    def __getitem__(self, index: int) -> Place: ...
    @overload
    def __getitem__(self, index: slice) -> "Places": ...
    def __getitem__(self, index: int | slice) -> "Place | Places":
        if isinstance(index, slice):
            return Places(self.entries[index])
        kind, segment, inside, offset, time_s = self.entries[index].item()
        return Place(kind, time_s, segment, offset, inside)

    def __iter__(self) -> Iterator[Place]:
        for kind, segment, inside, offset, time_s in self.entries.tolist():
            yield Place(kind, time_s, segment, offset, inside)


def read_index(directory: Path, sizes: list[int]) -> Places | None:
    """The index beside a log whose segments have these sizes; None where it is missing or not this log's."""
    try:
        data = (directory / INDEX_NAME).read_bytes()
    except OSError:
        return None
    if not data or len(data) % ENTRY.itemsize:
        return None
    entries = np.frombuffer(data, ENTRY)
    last = int(entries["segment"][-1])
    ends = entries["offset"] < np.array([*sizes, 0], np.uint64)[np.minimum(entries["segment"], len(sizes))]
    return Places(entries) if last == len(sizes) - 1 and bool(ends.all()) else None
