"""Numbers on their way to a browser: named arrays in one binary block with a JSON description.

Bytes: `DOPV`, length of the description `u32`, the description (JSON), padding to 8, the arrays. All little-endian.
Slow values are stored as differences along the first axis, which wrap around: gzip then finds next to nothing in them.
"""

import json
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAGIC = b"DOPV"
_NAMES = {
    np.dtype("<f4"): "f4",
    np.dtype("<i4"): "i4",
    np.dtype("<i2"): "i2",
    np.dtype("u1"): "u1",
    np.dtype("<u2"): "u2",
}
NOTHING = -32768
"""In a quantised curve: no value."""
_STEPS = 32_000


class Arrays:
    """Collects arrays under names."""

    def __init__(self) -> None:
        self._arrays: dict[str, tuple[NDArray[Any], dict[str, Any]]] = {}

    def add(self, name: str, values: NDArray[Any], *, differences: bool = False, **about: Any) -> None:
        """An array of one of the known types; `about` goes into its description."""
        values = np.ascontiguousarray(values)
        if values.dtype not in _NAMES:
            raise TypeError(f"{name} is {values.dtype}; a page takes {', '.join(map(str, _NAMES))}")
        about = {"type": _NAMES[values.dtype], "shape": list(values.shape), **about}
        if differences and len(values):
            values = np.concatenate([values[:1], np.diff(values, axis=0)])
            about["differences"] = True
        self._arrays[name] = values, about

    def add_curve(self, name: str, values: NDArray[np.floating], **about: Any) -> None:
        """(n,) numbers as 16 bits over their range, NaN where there is none; left out where all are."""
        known = np.isfinite(values)
        if not known.any():
            return
        low, high = float(values[known].min()), float(values[known].max())
        scale = (high - low) / _STEPS or 1.0
        coded = np.full(len(values), NOTHING, np.int16)
        coded[known] = np.round((values[known] - low) / scale).astype(np.int16)
        self.add(name, coded, low=low, scale=scale, high=high, **about)

    def encode(self, about: dict[str, Any]) -> bytes:
        """The block, with `about` as JSON beside the arrays' descriptions."""
        parts, described, offset = [], {}, 0
        for name, (values, description) in self._arrays.items():
            data = values.tobytes()
            described[name] = {**description, "offset": offset}
            data += bytes(-len(data) % 8)
            parts.append(data)
            offset += len(data)
        text = json.dumps({**about, "arrays": described}, separators=(",", ":")).encode()
        text += b" " * (-(len(text) + 8) % 8)
        return MAGIC + struct.pack("<I", len(text)) + text + b"".join(parts)
