"""Tiles on the wire (docs/protocol.md, type 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from bigviz.wire.codec import EncodedPlane
from bigviz.wire.frames import (
    ESTIMATE,
    HEADER,
    MAX_FRAME,
    MAX_LEVEL,
    TILE,
    Frame,
    Part,
    ProtocolError,
    Type,
    dump,
    frames,
    padded,
    read_estimate,
)
from bigviz.wire.planes import PLANE, pack_planes, read_plane

__all__ = ["TileMessage", "read_tile", "tile_frames", "tile_part_with", "tile_parts"]


@dataclass(frozen=True)
class TileMessage:
    """A tile as it travels: place, costs (microseconds, rows, bytes), planes in order, and what it is an estimate
    of."""

    zx: int
    zy: int
    planes_in_all: int
    i: int
    j: int
    queue_us: int
    kernel_us: int
    encode_us: int
    rows: int
    bytes: int
    planes: tuple[EncodedPlane, ...]
    estimate: dict[str, Any] | None = None


def tile_frames(tile: Any, *, request: int, figure: int, layer: int) -> list[bytes]:
    """A tile's frames as the first of a connection; for measurements of the whole way to bytes."""
    return frames(Type.TILE, tile_parts(tile), sequence=1, epoch=0, request=request, figure=figure, layer=layer)


def tile_parts(tile: Any, limit: int = MAX_FRAME, estimate: dict[str, Any] | None = None) -> list[Part]:
    """A tile's parts, each with the tile record; `tile` has `key`, `cost` and `planes` as in `bigviz.tiles`. With
    `estimate` (share, error, start) the frames are flagged and carry it."""
    text = b"" if estimate is None else dump(estimate)
    groups: list[list[EncodedPlane]] = [[]]
    limit -= len(text)
    size = HEADER.size + TILE.size
    for plane in tile.planes:
        more = PLANE.size + padded(len(plane.payload))
        if groups[-1] and size + more > limit:
            groups.append([])
            size = HEADER.size + TILE.size
        groups[-1].append(plane)
        size += more
    return [_tile_part(tile, group, text) for group in groups]


def tile_part_with(part: Part, cost: Any) -> Part:
    """A part of the same tile that cost something else."""
    place = TILE.unpack_from(part.body)[:5]
    return replace(part, body=TILE.pack(*place, *_costs(cost)) + part.body[TILE.size :])


def _tile_part(tile: Any, planes: Sequence[EncodedPlane], text: bytes) -> Part:
    key = tile.key
    record = TILE.pack(key.zx, key.zy, len(tile.planes), key.i, key.j, *_costs(tile.cost))
    return Part(text, pack_planes(planes, record), len(planes), ESTIMATE if text else 0)


def _costs(cost: Any) -> tuple[int, ...]:
    """The last five fields of a tile's record."""
    times = (min(int(us), 0xFFFF_FFFF) for us in (cost.queue_us, cost.kernel_us, cost.encode_us))
    return *times, cost.rows, cost.bytes


def read_tile(frames: Sequence[Frame]) -> TileMessage:
    """The tile of a message's frames. Planes are checked (level, place, codec, dtype, offsets), not decoded."""
    parts = [_read_tile_part(frame) for frame in frames]
    planes = tuple(plane for part in parts for plane in part.planes)
    if len(planes) != parts[0].planes_in_all:
        raise ProtocolError(f"{len(planes)} planes in a tile of {parts[0].planes_in_all}")
    return replace(parts[0], planes=planes, estimate=read_estimate(frames[0]))


def _read_tile_part(frame: Frame) -> TileMessage:
    body = frame.body
    if len(body) < TILE.size + PLANE.size * frame.planes:
        raise ProtocolError(f"{frame.planes} plane headers in a body of {len(body)} bytes")
    zx, zy, planes, i, j, queue, kernel, encode, rows, touched = TILE.unpack_from(body)
    if zx > MAX_LEVEL or zy > MAX_LEVEL or i >> zx or j >> zy:
        raise ProtocolError(f"tile ({zx}, {zy}, {i}, {j}): levels go to {MAX_LEVEL}, places to 2**level - 1")
    found = tuple(read_plane(body, number, frame.planes, TILE.size) for number in range(frame.planes))
    return TileMessage(zx, zy, planes, i, j, queue, kernel, encode, rows, touched, found)
