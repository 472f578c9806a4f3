"""The frames that answer a window: rows, and images of any size (`docs/protocol.md`, sections 7 and 8). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.server.protocol import (
    DTYPES,
    HEADER,
    MAX_FRAME,
    PLANE,
    Frame,
    Part,
    Plane,
    PlaneLike,
    ProtocolError,
    dump,
    pack_planes,
    padded,
    read_json,
    read_plane,
)

__all__ = ["BLOCK", "ImageMessage", "RowsMessage", "blocks_of", "image_parts", "read_image", "read_rows", "rows_parts"]

Array = npt.NDArray[Any]

BLOCK: Final = 256  # cells of a side of an image's block
_CODES: Final = {np.dtype(f"<{name}"): code for code, name in enumerate(DTYPES) if name}


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


@dataclass(frozen=True)
class ImageMessage:
    """An image: the message's JSON, and planes, all of a block after each other, blocks from the top left."""

    info: dict[str, Any]
    planes: tuple[Plane, ...]


def rows_parts(
    info: dict[str, Any], x: Array, y: Array, row: Array, number: Array, code: Array | None, value: Array,
    limit: int = MAX_FRAME,
) -> list[Part]:  # fmt: skip
    """The parts of a message of rows, from its JSON without `n`, `dtype` and `coded`; `value` has a protocol dtype."""
    own = value.dtype.newbyteorder("<")
    about = {**info, "dtype": _CODES[own], "coded": code is not None}
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


def image_parts(info: dict[str, Any], planes: Sequence[PlaneLike], limit: int = MAX_FRAME) -> list[Part]:
    """The parts of an image, from its JSON without `first` and from the planes of its blocks."""
    groups: list[list[PlaneLike]] = [[]]
    start = HEADER.size + len(dump({**info, "first": len(planes)})) + 8
    size = start
    for plane in planes:
        more = PLANE.size + padded(len(plane.payload))
        if groups[-1] and size + more > limit:
            groups.append([])
            size = start
        groups[-1].append(plane)
        size += more
    parts, first = [], 0
    for group in groups:
        parts.append(Part(dump({**info, "first": first}), pack_planes(group), len(group)))
        first += len(group)
    return parts


def blocks_of(width: int, height: int) -> int:
    """How many blocks an image has."""
    return -(-width // BLOCK) * -(-height // BLOCK)


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
        if not isinstance(dtype, int) or not 1 <= dtype < len(DTYPES) or not isinstance(coded, bool):
            raise ProtocolError(f"rows with values of dtype {dtype!r}, coded {coded!r}")
        if infos and (dtype, coded) != (infos[0]["dtype"], infos[0]["coded"]):
            raise ProtocolError("the parts of a message of rows differ in their arrays")
        names = ["f8", "f8", "f8", "u4", *(["i4"] if coded else []), DTYPES[dtype]]
        arrays, at = [], 0
        sizes = [padded(n * np.dtype(name).itemsize) for name in names]
        if sum(sizes) != len(body):
            raise ProtocolError(f"{n} rows in a body of {len(body)} bytes")
        for name, size in zip(names, sizes, strict=True):
            arrays.append(np.frombuffer(body, f"<{name}", n, at))
            at += size
        infos.append(info)
        columns.append(arrays)
    x, y, row, number, *code, value = [np.concatenate(column) for column in zip(*columns, strict=True)]
    return RowsMessage({**infos[0], "n": len(x)}, x, y, row, number, code[0] if code else None, value)


def read_image(frames: Sequence[Frame]) -> ImageMessage:
    """The image of a message's frames. Planes are checked (number, place, codec, dtype, offsets), not decoded."""
    found: list[Plane] = []
    infos: list[dict[str, Any]] = []
    for frame in frames:
        info, body = read_json([frame])
        if not isinstance(info, dict):
            raise ProtocolError(f"an image with {type(info).__name__} for JSON")
        sizes = [info.get(name) for name in ("width", "height", "planes")]
        if not all(isinstance(size, int) and 0 < size <= 1 << 16 for size in sizes) or info.get("first") != len(found):
            raise ProtocolError(f"an image of {sizes} that goes on at plane {info.get('first')!r} after {len(found)}")
        if len(body) < PLANE.size * frame.planes:
            raise ProtocolError(f"{frame.planes} plane headers in a body of {len(body)} bytes")
        infos.append(info)
        found += [read_plane(body, number, frame.planes) for number in range(frame.planes)]
    planes = infos[0]["planes"]
    if len(found) != blocks_of(infos[0]["width"], infos[0]["height"]) * planes:
        raise ProtocolError(f"{len(found)} planes in an image of {infos[0]['width']} x {infos[0]['height']}")
    if any(plane.plane != at % planes for at, plane in enumerate(found)):
        raise ProtocolError("the planes of an image are out of order")
    return ImageMessage({key: value for key, value in infos[0].items() if key != "first"}, tuple(found))
