"""Results laid out for the wire."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bigviz.tiles.interface import Tile
from bigviz.wire.columns import columns_parts
from bigviz.wire.frames import Part, Type, dump
from bigviz.wire.offsets import positions
from bigviz.wire.tiles import tile_part_with, tile_parts

if TYPE_CHECKING:
    from bigviz.server.request_values import Number
    from bigviz.tiles.interface import Bars, Columns, Cost, Drawn, Estimate, TileKey

__all__ = [
    "LaidColumns",
    "Prepared",
    "bars_message",
    "columns_message",
    "columns_update",
    "estimate_message",
    "laid_bars",
    "laid_columns",
    "tile_message",
    "with_cost",
]


@dataclass(frozen=True)
class Prepared:
    """A result laid out for the wire, shared by all viewers that wait for it."""

    kind: Type
    parts: list[Part]
    cost: Cost


def with_cost(prepared: Prepared, cost: Cost) -> Prepared:
    """The same exact answer as one that cost something else: its message tells that."""
    if prepared.kind == Type.TILE:
        parts = [tile_part_with(part, cost) for part in prepared.parts]
    else:
        parts = [replace(part, json=dump({**json.loads(part.json), **asdict(cost)})) for part in prepared.parts]
    return Prepared(prepared.kind, parts, cost)


def tile_message(tile: Tile) -> Prepared:
    """An exact tile."""
    return Prepared(Type.TILE, tile_parts(tile), tile.cost)


def estimate_message(key: TileKey, drawn: Drawn, estimate: Estimate) -> Prepared:
    """A tile that is an estimate."""
    tile = Tile(key, list(drawn.planes), drawn.cost, list)
    return Prepared(Type.TILE, tile_parts(tile, estimate=asdict(estimate)), drawn.cost)


@dataclass(frozen=True)
class LaidColumns:
    """A line's columns as they go on the wire: column, run, row, and x and y as offsets from whole numbers."""

    arrays: tuple[np.ndarray, ...]
    xorigin: int
    yorigin: int
    width: int
    flagged: list[int]
    cost: Cost

    @property
    def nbytes(self) -> int:
        """What keeping them costs."""
        return sum(array.nbytes for array in self.arrays)

    def kept(self, before: LaidColumns) -> int:
        """How many rows from the first on are those of earlier columns of the same window."""
        places = (self.xorigin, self.yorigin, *(array.dtype for array in self.arrays))
        if places != (before.xorigin, before.yorigin, *(array.dtype for array in before.arrays)):
            return 0
        n = min(len(self.arrays[0]), len(before.arrays[0]))
        # Bit by bit: a value and its like are drawn alike, and no NaN is a row.
        differs = [np.flatnonzero(now[:n] != then[:n]) for now, then in zip(self.arrays, before.arrays, strict=True)]
        return int(min((at[0] for at in differs if len(at)), default=n))


def laid_columns(found: Columns, window: tuple[Number, Number], width: int) -> LaidColumns:
    """A line's columns: positions in axis space, times and other integers as offsets from an integer near them."""
    xorigin, x = positions(found.x, (int(window[0]) + int(window[1])) // 2 if found.x.dtype.kind != "f" else None)
    yorigin, y = positions(found.y)
    flagged = [int(column) for column in found.flagged]
    return LaidColumns((found.column, found.run, found.row, x, y), xorigin, yorigin, width, flagged, found.cost)


def laid_bars(found: Bars, window: tuple[Number, Number], width: int) -> LaidColumns:
    """Bars, as a line's columns are laid out."""
    across, up = found.at
    xorigin, x = positions(across, (int(window[0]) + int(window[1])) // 2 if across.dtype.kind != "f" else None)
    yorigin, y = positions(up)
    return LaidColumns((found.column, found.run, found.row, x, y), xorigin, yorigin, width, [], found.cost)


def bars_message(
    found: Bars, window: tuple[Number, Number], width: int, estimate: dict[str, Any] | None = None
) -> Prepared:
    """Bars."""
    return _columns(laid_bars(found, window, width), 0, estimate)


def columns_message(
    found: Columns,
    window: tuple[Number, Number],
    width: int,
    estimate: dict[str, Any] | None = None,
) -> Prepared:
    """A line's columns."""
    return _columns(laid_columns(found, window, width), 0, estimate)


def columns_update(now: LaidColumns, before: LaidColumns | None) -> Prepared:
    """Those of a line's columns that come after the ones that a page has."""
    return _columns(now, 0 if before is None else now.kept(before))


def _columns(laid: LaidColumns, kept: int, estimate: dict[str, Any] | None = None) -> Prepared:
    info = {
        "width": laid.width,
        "xorigin": str(laid.xorigin),
        "yorigin": str(laid.yorigin),
        "flagged": laid.flagged,
        **({"kept": kept} if kept else {}),
        **asdict(laid.cost),
    }
    parts = columns_parts(info, [array[kept:] for array in laid.arrays], estimate=estimate)
    return Prepared(Type.COLUMNS, parts, laid.cost)
