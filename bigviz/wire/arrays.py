"""Arrays in a body, one after the other, each padded to a multiple of 8 bytes (docs/protocol.md, sections 4 and 7)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.wire.frames import ProtocolError, padded

__all__ = ["pack_arrays", "position_dtypes", "read_arrays", "wide_axes"]

Array = npt.NDArray[Any]
Dtypes = Sequence[np.dtype[Any]]

_WIDE: Final = {"x": "xwide", "y": "ywide"}  # key of a message's JSON by axis


def wide_axes(x: Array, y: Array) -> dict[str, bool]:
    """What a message's JSON says of positions that are int64; of float64 ones it says nothing."""
    return {_WIDE[axis]: True for axis, array in (("x", x), ("y", y)) if array.dtype.kind == "i"}


def position_dtypes(info: dict[str, Any]) -> list[np.dtype[Any]]:
    """The dtypes of x and y, by a message's JSON."""
    return [np.dtype("<i8" if info.get(key) is True else "<f8") for key in _WIDE.values()]


def pack_arrays(arrays: Sequence[Array], dtypes: Dtypes) -> bytes:
    """A body of arrays, each in its dtype."""
    body = bytearray()
    for array, dtype in zip(arrays, dtypes, strict=True):
        body += np.ascontiguousarray(array, dtype).tobytes()
        body += bytes(padded(len(body)) - len(body))
    return bytes(body)


def read_arrays(body: bytes, length: int, dtypes: Dtypes) -> list[Array]:
    """The arrays of a body, each of `length` (0 or more) values. Raises ProtocolError if it has another size."""
    sizes = [padded(length * dtype.itemsize) for dtype in dtypes]
    if sum(sizes) != len(body):
        raise ProtocolError(f"{length} rows in a body of {len(body)} bytes")
    starts = accumulate(sizes, initial=0)
    return [np.frombuffer(body, dtype, length, start) for dtype, start in zip(dtypes, starts, strict=False)]
