"""MessagePack encoding with numpy arrays as one extension type: dtype, shape, raw bytes.

Nothing is ever unpickled; object arrays are refused on both sides.
"""

from functools import cache
from math import prod
from typing import Annotated, Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

F64 = Annotated[NDArray[np.float64], "float64 array"]
F32 = Annotated[NDArray[np.float32], "float32 array"]
F16 = Annotated[NDArray[np.float16], "float16 array"]
I32 = Annotated[NDArray[np.int32], "int32 array"]

_ARRAY_CODE = 1
_DTYPES = {
    code: np.dtype(name)
    for code, name in {b"d": "<f8", b"f": "<f4", b"e": "<f2", b"i": "<i4", b"q": "<i8", b"B": "<u1"}.items()
}
_CODES = {dtype: code for code, dtype in _DTYPES.items()}
_MAX_DIMS = 8
_MOST_HEADS = 1000

T = TypeVar("T")


_heads: dict[tuple[np.dtype[Any], tuple[int, ...]], bytes] = {}
"""What precedes the bytes of an array, by dtype and shape: there are a few dozen."""


def _encode_array(value: Any) -> msgspec.msgpack.Ext:
    try:
        head = _heads[value.dtype, value.shape]
    except (KeyError, AttributeError):
        head = _new_head(value)
    return msgspec.msgpack.Ext(_ARRAY_CODE, head + value.tobytes())


def _new_head(value: Any) -> bytes:
    if not isinstance(value, np.ndarray):
        raise TypeError(f"cannot encode {type(value).__name__}; messages hold numbers, text, lists and numpy arrays")
    code = _CODES.get(value.dtype)
    if code is None:
        known = ", ".join(str(d) for d in _CODES)
        raise TypeError(f"cannot encode an array of dtype {value.dtype}; use one of {known}")
    head = code + bytes([len(value.shape)]) + np.asarray(value.shape, dtype="<u2").tobytes()
    if value.shape and len(_heads) < _MOST_HEADS:  # numpy's scalars look like arrays without dimensions
        _heads[value.dtype, value.shape] = head
    return head


def _decode_array(code: int, data: memoryview) -> NDArray[Any]:
    if code != _ARRAY_CODE:
        raise ValueError(f"unknown extension type {code}; only {_ARRAY_CODE} (array) is known")
    if len(data) < 2:
        raise ValueError(f"an array needs at least 2 header bytes, got {len(data)}")
    dtype = _DTYPES.get(bytes(data[:1]))
    ndim = data[1]
    if dtype is None or ndim > _MAX_DIMS or len(data) < 2 + 2 * ndim:
        raise ValueError(f"malformed array header {bytes(data[:2])!r}")
    shape = tuple(int(n) for n in np.frombuffer(data[2 : 2 + 2 * ndim], dtype="<u2"))
    body = data[2 + 2 * ndim :]
    needed = prod(shape) * dtype.itemsize
    if len(body) != needed:
        raise ValueError(f"array of shape {shape} and dtype {dtype} needs {needed} bytes, got {len(body)}")
    return np.frombuffer(bytes(body), dtype=dtype).reshape(shape)


def _accept_array(kind: type, value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value
    raise TypeError(f"expected {kind}, got {type(value).__name__}")


_encoder = msgspec.msgpack.Encoder(enc_hook=_encode_array)


@cache
def _decoder(kind: Any) -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(kind, dec_hook=_accept_array, ext_hook=_decode_array)


def encode(message: msgspec.Struct) -> bytes:
    """MessagePack bytes of a message. Raises TypeError for a value no message may hold."""
    return _encoder.encode(message)


def decode(data: bytes | memoryview, kind: type[T]) -> T:
    """The message of type `kind` (a Struct or a tagged union of them) in `data`.

    Raises msgspec.ValidationError with the path of the offending field, or msgspec.DecodeError.
    Arrays come back read-only.
    """
    try:
        return _decoder(kind).decode(data)
    except (msgspec.DecodeError, msgspec.ValidationError):
        raise
    except (TypeError, ValueError) as error:
        raise msgspec.DecodeError(str(error)) from error
