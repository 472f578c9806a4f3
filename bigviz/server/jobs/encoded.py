"""Results laid out for the wire."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from bigviz.tiles.interface import Tile
from bigviz.wire.columns import columns_parts
from bigviz.wire.frames import Part, Type
from bigviz.wire.offsets import positions
from bigviz.wire.tiles import tile_parts

if TYPE_CHECKING:
    from bigviz.server.request_values import Number
    from bigviz.tiles.interface import Columns, Cost, Drawn, Estimate, TileKey

__all__ = ["Prepared", "columns_message", "estimate_message", "tile_message"]


@dataclass(frozen=True)
class Prepared:
    """A result laid out for the wire, shared by all viewers that wait for it."""

    kind: Type
    parts: list[Part]
    cost: Cost


def tile_message(tile: Tile) -> Prepared:
    """An exact tile."""
    return Prepared(Type.TILE, tile_parts(tile), tile.cost)


def estimate_message(key: TileKey, drawn: Drawn, estimate: Estimate) -> Prepared:
    """A tile that is an estimate."""
    tile = Tile(key, list(drawn.planes), drawn.cost, list)
    return Prepared(Type.TILE, tile_parts(tile, estimate=asdict(estimate)), drawn.cost)


def columns_message(
    found: Columns,
    window: tuple[Number, Number],
    width: int,
    estimate: dict[str, Any] | None = None,
) -> Prepared:
    """A line's columns: positions in axis space, times and other integers as offsets from an integer near them."""
    xorigin, x = positions(found.x, (int(window[0]) + int(window[1])) // 2 if found.x.dtype.kind != "f" else None)
    yorigin, y = positions(found.y)
    info = {
        "width": width,
        "xorigin": str(xorigin),
        "yorigin": str(yorigin),
        "flagged": [int(column) for column in found.flagged],
        **asdict(found.cost),
    }
    parts = columns_parts(info, (found.column, found.run, found.row, x, y), estimate=estimate)
    return Prepared(Type.COLUMNS, parts, found.cost)
