"""A line's decimated columns on the wire (docs/protocol.md, type 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.wire.arrays import pack_arrays, position_dtypes, read_arrays, wide_axes
from bigviz.wire.frames import (
    ESTIMATE,
    HEADER,
    MAX_FRAME,
    ROW_BYTES,
    Frame,
    Part,
    ProtocolError,
    dump,
    read_estimate,
    read_json,
)

__all__ = ["ColumnsMessage", "columns_parts", "read_columns"]

_FIRST: Final = tuple(map(np.dtype, ("<i4", "<i4", "<f8")))  # column, run, row


@dataclass(frozen=True)
class ColumnsMessage:
    """Rows of a line: the message's JSON and five arrays of equal length (column, run int32; row float64; x, y float64,
    or int64 where the JSON says `xwide`, `ywide`); `estimate` is None where they are exact."""

    info: dict[str, Any]
    column: npt.NDArray[np.int32]
    run: npt.NDArray[np.int32]
    row: npt.NDArray[np.float64]
    x: npt.NDArray[np.float64 | np.int64]
    y: npt.NDArray[np.float64 | np.int64]
    estimate: dict[str, Any] | None = None


def columns_parts(
    info: dict[str, Any],
    arrays: Sequence[np.ndarray],
    limit: int = MAX_FRAME,
    estimate: dict[str, Any] | None = None,
) -> list[Part]:
    """A line's parts, from the message's JSON without `n`, `xwide` and `ywide`, and from column, run, row, x and y of
    equal length; with `estimate` as for tiles."""
    rows = len(arrays[0])
    flags = 0 if estimate is None else ESTIMATE
    info = {**info, **wide_axes(np.asarray(arrays[3]), np.asarray(arrays[4])), **(estimate or {})}
    room = limit - HEADER.size - len(dump({**info, "n": rows})) - 4 * 8
    most = room // ROW_BYTES
    if most < 1:
        raise ValueError(f"the JSON of these columns leaves no room for rows in a frame of {limit} bytes")
    return [_columns_part(info, [a[at : at + most] for a in arrays], flags) for at in range(0, max(rows, 1), most)]


def _columns_part(info: dict[str, Any], arrays: Sequence[np.ndarray], flags: int) -> Part:
    return Part(dump({"n": len(arrays[0]), **info}), pack_arrays(arrays, _dtypes(info)), flags=flags)


def read_columns(frames: Sequence[Frame]) -> ColumnsMessage:
    """The rows of a line from a message's frames; `info["n"]` is the sum over the parts."""
    infos: list[dict[str, Any]] = []
    arrays: list[list[np.ndarray]] = []
    for one in frames:
        info, body = read_json([one])
        n = info.get("n") if isinstance(info, dict) else None
        if not isinstance(n, int) or isinstance(n, bool) or n < 0:
            raise ProtocolError(f"{n!r} rows in a body of {len(body)} bytes")
        infos.append(info)
        arrays.append(read_arrays(body, n, _dtypes(info)))
    column, run, row, x, y = (np.concatenate(parts) for parts in zip(*arrays, strict=True))
    return ColumnsMessage({**infos[0], "n": len(row)}, column, run, row, x, y, read_estimate(frames[0]))


def _dtypes(info: dict[str, Any]) -> list[np.dtype[Any]]:
    return [*_FIRST, *position_dtypes(info)]
