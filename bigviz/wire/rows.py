"""The frames that answer a window: rows, and images of any size (`docs/protocol.md`, sections 7 and 8). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.wire.codec import CODES, DTYPES
from bigviz.wire.frames import HEADER, MAX_FRAME, Frame, Part, ProtocolError, dump, padded, read_json

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
    """The parts of a message of rows, from its JSON without `n`, `dtype` and `coded`; `value` has a protocol dtype."""
    own = value.dtype.newbyteorder("<")
    about = {**info, "dtype": CODES[own], "coded": code is not None}
    double = np.dtype("<f8")
    held: list[tuple[Array, np.dtype[Any]]] = [(x, double), (y, double), (row, double), (number, np.dtype("<u4"))]
    held += [] if code is None else [(code, np.dtype("<i4"))]
    held.append((value, own))
    room = limit - HEADER.size - len(dump({"n": len(x), **about})) - 8 * len(held)
    most = room // sum(dtype.itemsize for _, dtype in held)
    if most < 1:
        raise ValueError(f"the JSON of these rows leaves no room for them in a frame of {limit} bytes")
    parts = []
    for at in range(0, max(len(x), 1), most):
        body = bytearray()
        for array, dtype in held:
            body += np.ascontiguousarray(array[at : at + most], dtype).tobytes()
            body += bytes(padded(len(body)) - len(body))
        parts.append(Part(dump({"n": len(x[at : at + most]), **about}), bytes(body)))
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
        if infos and (dtype, coded) != (infos[0]["dtype"], infos[0]["coded"]):
            raise ProtocolError("the parts of a message of rows differ in their arrays")
        offsets = ["<f8", "<f8", "<f8", "<u4", *(["<i4"] if coded else [])]
        dtypes = [*map(np.dtype, offsets), DTYPES[dtype]]
        arrays, at = [], 0
        sizes = [padded(n * each.itemsize) for each in dtypes]
        if sum(sizes) != len(body):
            raise ProtocolError(f"{n} rows in a body of {len(body)} bytes")
        for each, size in zip(dtypes, sizes, strict=True):
            arrays.append(np.frombuffer(body, each, n, at))
            at += size
        infos.append(info)
        columns.append(arrays)
    x, y, row, number, *code, value = [np.concatenate(column) for column in zip(*columns, strict=True)]
    return RowsMessage({**infos[0], "n": len(x)}, x, y, row, number, code[0] if code else None, value)
