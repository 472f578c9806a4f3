"""Rows of a window on the wire (docs/protocol.md, type 9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.wire.arrays import pack_arrays, position_dtypes, read_arrays, wide_axes
from bigviz.wire.codec import CODES, DTYPES
from bigviz.wire.frames import HEADER, MAX_FRAME, Frame, Part, ProtocolError, dump, read_json

__all__ = ["RowsMessage", "read_rows", "rows_parts"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class RowsMessage:
    """Rows of a window: the message's JSON, and arrays of equal length (`code` is None unless the JSON says coded)."""

    info: dict[str, Any]
    x: Array
    y: Array
    row: Array
    number: Array
    code: Array | None
    value: Array


def rows_parts(
    info: dict[str, Any], x: Array, y: Array, row: Array, number: Array, code: Array | None, value: Array,
    limit: int = MAX_FRAME,
) -> list[Part]:  # fmt: skip
    """The parts of a message of rows, from its JSON without `n`, `dtype`, `coded`, `xwide` and `ywide`; `value` has a
    protocol dtype."""
    own = value.dtype.newbyteorder("<")
    about = {**info, "dtype": CODES[own], "coded": code is not None, **wide_axes(x, y)}
    arrays = [x, y, row, number, *([] if code is None else [code]), value]
    dtypes = _dtypes(about)
    room = limit - HEADER.size - len(dump({"n": len(x), **about})) - 8 * len(arrays)
    most = room // sum(dtype.itemsize for dtype in dtypes)
    if most < 1:
        raise ValueError(f"the JSON of these rows leaves no room for them in a frame of {limit} bytes")
    parts = []
    for at in range(0, max(len(x), 1), most):
        piece = [array[at : at + most] for array in arrays]
        parts.append(Part(dump({"n": len(piece[0]), **about}), pack_arrays(piece, dtypes)))
    return parts


def read_rows(frames: Sequence[Frame]) -> RowsMessage:
    """The rows of a message's frames; `info["n"]` is the sum over the parts."""
    infos: list[dict[str, Any]] = []
    columns: list[list[Array]] = []
    for frame in frames:
        info, body = read_json([frame])
        if not isinstance(info, dict):
            raise ProtocolError(f"rows with {type(info).__name__} for JSON")
        n, dtype, coded = info.get("n"), info.get("dtype"), info.get("coded")
        if not isinstance(n, int) or isinstance(n, bool) or not 0 <= n <= len(body):
            raise ProtocolError(f"{n!r} rows in a body of {len(body)} bytes")
        if not isinstance(dtype, int) or isinstance(dtype, bool) or dtype not in DTYPES or not isinstance(coded, bool):
            raise ProtocolError(f"rows with values of dtype {dtype!r}, coded {coded!r}")
        if infos and _dtypes(info) != _dtypes(infos[0]):
            raise ProtocolError("the parts of a message of rows differ in their arrays")
        infos.append(info)
        columns.append(read_arrays(body, n, _dtypes(info)))
    x, y, row, number, *code, value = [np.concatenate(column) for column in zip(*columns, strict=True)]
    return RowsMessage({**infos[0], "n": len(x)}, x, y, row, number, code[0] if code else None, value)


def _dtypes(info: dict[str, Any]) -> list[np.dtype[Any]]:
    """Of x, y, row, number, code if there is one, and value, by a message's JSON."""
    others = map(np.dtype, ("<f8", "<u4", *(["<i4"] if info["coded"] else [])))
    return [*position_dtypes(info), *others, DTYPES[info["dtype"]]]
