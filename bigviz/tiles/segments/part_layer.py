"""A reduction over the rows of a part: the columns it reads, in the part's order, and the planes of its large tiles."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.layer import Layer
from bigviz.aggregate.reductions.base import CELLS_ONLY, Planes, Rows
from bigviz.common.cancel import Cancel
from bigviz.common.workers import Crew
from bigviz.data.columns.column import Column, widen
from bigviz.data.dataset import Dataset
from bigviz.tiles.answers.points_layer import PointsLayer
from bigviz.tiles.grid.near_runs import near_runs
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.grid.window import Number, within
from bigviz.tiles.morton.quadtree import count_rows
from bigviz.tiles.morton.verified_array import VerifiedArray
from bigviz.tiles.pyramid.layer_columns import Inputs, category_codes
from bigviz.tiles.pyramid.pyramid import Pyramid, Work
from bigviz.tiles.segments.column_pieces import read_columns
from bigviz.tiles.segments.growing_mask import KeptRows
from bigviz.tiles.segments.row_part import Roots, RowPart
from bigviz.tiles.segments.tile_pieces import TilePiece, tile_pieces
from bigviz.wire.codec import SIDE

__all__ = ["PartColumn", "PartLayer", "Strays", "column_of", "layer_key", "layer_of"]

Array = npt.NDArray[Any]
Window = tuple[Number, Number]

_SPARSE: Final = 8  # a part of fewer rows than one in so many of its range is read around them
_NEAR: Final = 1 << 12  # rows between two that are read along


@dataclass(frozen=True, eq=False)
class PartColumn:
    """A column in a part's order, and of its far rows: numbers, `valid` where not all are, or codes of a category (-1
    is null). `low` and `high` are the extremes of whole numbers."""

    values: VerifiedArray
    valid: VerifiedArray | None
    far: Array
    far_valid: Array | None
    low: int = 0
    high: int = 0

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.values.nbytes + (0 if self.valid is None else self.valid.nbytes)


def column_of(part: RowPart, dataset: Dataset, name: str, crew: Crew) -> PartColumn:
    """A column of a part, read unless it is there."""
    found: PartColumn | None = part.layers.get(name)
    if found is not None:
        return found
    order = part.order
    near = order.row_numbers(slice(None))
    count = len(near) + len(order.far)
    if count > 0 and count * _SPARSE < part.stop - part.first:
        rows = np.sort(np.append(near, order.far))
        column = _read_at(dataset, name, rows, crew)
        places, far = np.searchsorted(rows, near), np.searchsorted(rows, order.far)
    else:
        [column] = read_columns(dataset, [name], part.first, part.stop if count else part.first, crew)
        places, far = order.rows, order.far - part.first
    values, valid = column.values, column.valid
    if column.categories is not None:
        values, valid = category_codes(column, len(column.categories)), None
    whole = values.dtype.kind in "iu" and len(values)
    made = PartColumn(
        VerifiedArray(values[places]),
        None if valid is None else VerifiedArray(valid[places]),
        values[far],
        None if valid is None else valid[far],
        int(values.min()) if whole else 0,
        int(values.max()) if whole else 0,
    )
    part.layers[name] = made
    return made


def _read_at(dataset: Dataset, name: str, rows: Array, crew: Crew) -> Column:
    """A column of some rows, given by ascending number: what lies near them is read along."""
    runs = near_runs(rows, _NEAR)
    parts = [(run, read_columns(dataset, [name], int(run[0]), int(run[-1]) + 1, crew)[0]) for run in runs]
    values = np.concatenate([column.values[run - run[0]] for run, column in parts])
    masks = [np.ones(len(run), np.bool_) if c.valid is None else c.valid[run - run[0]] for run, c in parts]
    valid = None if all(column.valid is None for _, column in parts) else np.concatenate(masks)
    return Column(parts[0][1].info, values, valid, parts[-1][1].categories)


@dataclass(frozen=True, eq=False)
class PartLayer:
    """An ordinary layer of points over a part, and its rows that are in no cell of the part's root."""

    part: RowPart
    layer: Layer
    points: PointsLayer
    columns: tuple[PartColumn, ...]
    far: Rows

    @property
    def pyramid(self) -> Pyramid:
        """The keys, columns and planes."""
        return self.points.pyramid

    @property
    def inputs(self) -> Inputs:
        """The columns."""
        return self.points.pyramid.inputs

    def rows_of(
        self, dataset: Dataset, kept: KeptRows | None = None
    ) -> Callable[[Cancel], Iterator[tuple[int, Axis, Axis, dict[str, Column]]]]:
        """How to read the rows of a part from a dataset: row number, x, y, and columns by name, batch by batch. Those
        that are not kept are hidden."""
        axes = self.points.x, self.points.y
        names = list(dict.fromkeys((*(axis.column.info.name for axis in axes), *self.inputs.reduction.columns)))

        def read(cancel: Cancel) -> Iterator[tuple[int, Axis, Axis, dict[str, Column]]]:
            for first, batch in dataset.read_rows(names, self.part.first, self.part.stop, cancel):
                columns = dict(zip(names, batch, strict=True))
                x, y = (Axis(columns[axis.column.info.name], axis.space) for axis in axes)
                yield first, x if kept is None else Axis(kept.hide(x.column, first), x.space), y, columns

        return read

    def pieces(self, roots: Roots, key: TileKey) -> list[TilePiece]:
        """The tiles of this part that a tile of larger roots is made of: those with rows."""
        found = tile_pieces(roots, self.part.order.roots, key)
        return [piece for piece in found if len(self.pyramid.guard) and self.count(piece.key)]

    def count(self, key: TileKey) -> int:
        """How many rows of a part's tile there are."""
        return count_rows(self.part.order.guard, key)

    def add(self, piece: TilePiece, planes: Planes, work: Work) -> None:
        """Add a piece of a tile to the accumulators of the tile."""
        if piece.same:
            self.pyramid.add(piece.key, planes, work)
        else:
            self.pyramid.add_halved(piece.key, planes, piece.place, piece.less, work)

    def strays(self, roots: Roots) -> Strays | None:
        """The far rows that lie within larger roots; None without any."""
        found = self.part.strays(roots)
        return None if found is None else Strays(self, *found)


@dataclass(frozen=True, eq=False)
class Strays:
    """Far rows of a part that lie within the roots of a version: their places among its far rows, and their codes."""

    layer: PartLayer
    at: npt.NDArray[np.int64]
    x: npt.NDArray[np.int64]
    y: npt.NDArray[np.int64]

    def cells(self, key: TileKey) -> npt.NDArray[np.int32]:
        """The cell of a tile that each of them is in; -1 outside."""
        x0, x1, y0, y1 = key.codes
        inside = (self.x >= x0) & (self.x <= x1) & (self.y >= y0) & (self.y <= y1)
        column, line = (self.x - x0) >> (24 - key.zx), (self.y - y0) >> (24 - key.zy)
        return np.where(inside, (SIDE - 1 - line) * SIDE + column, -1).astype(np.int32)

    def add(self, key: TileKey, planes: Planes) -> int:
        """Add those in a tile to its accumulators; how many."""
        cells = self.cells(key)
        keep = cells >= 0
        if keep.any():
            inputs = self.layer.inputs
            if planes[0].ndim > 2:
                planes = tuple(plane[: len(inputs.labels or ())] for plane in planes)
            inputs.reduction.append(planes, cells[keep], self.rows(np.flatnonzero(keep)))
        return int(keep.sum())

    def numbers(self, which: int) -> Array:
        """Their axis-space numbers."""
        return self.layer.part.order.far_numbers(which)[self.at]

    def within(self, x: Window, y: Window) -> npt.NDArray[np.int64]:
        """Which of them lie in a half-open window."""
        return np.flatnonzero(within(self.numbers(0), *x) & within(self.numbers(1), *y))

    def row_numbers(self, which: Array) -> npt.NDArray[np.int64]:
        """The row numbers of some of them."""
        return np.asarray(self.layer.part.order.far[self.at[which]], np.int64)

    def rows(self, which: Array) -> Rows:
        """What a reduction knows of some of them."""
        far, at = self.layer.far, self.at[which]
        if far is CELLS_ONLY:
            return far
        values, valid, numbers, codes = (None if each is None else each[at] for each in far)
        return Rows(None if values is None else widen(values), valid, numbers, codes)


def layer_of(
    part: RowPart,
    layer: Layer,
    dtype: np.dtype[Any],
    own: np.dtype[Any],
    labels: tuple[str, ...] | None,
    axes: tuple[Axis, Axis],
) -> PartLayer:
    """The layer of a reduction over a part that has its columns, there or made. `dtype` and `own` are those of
    `Inputs`; `labels` may be more than those of its rows."""
    key = layer_key(layer, dtype)
    found: PartLayer | None = part.layers.get(key)
    if found is None:
        found = part.layers[key] = _made(part, layer, dtype, own, labels, axes)
    return found


def layer_key(layer: Layer, dtype: np.dtype[Any]) -> Hashable:
    """By what a part knows the layer of a reduction."""
    return str(layer.reduction), dtype.str


def _made(
    part: RowPart,
    layer: Layer,
    dtype: np.dtype[Any],
    own: np.dtype[Any],
    labels: tuple[str, ...] | None,
    axes: tuple[Axis, Axis],
) -> PartLayer:
    reduction, order = layer.reduction, part.order
    value: PartColumn | None = None if reduction.column is None else part.layers[reduction.column]
    codes: PartColumn | None = None if reduction.category is None else part.layers[reduction.category]
    numbers = order.row_numbers if reduction.ordered else None
    values, valid = (None, None) if value is None else (value.values, value.valid)
    inputs = Inputs(reduction, dtype, own, labels, numbers, values, valid, None if codes is None else codes.values)
    far = CELLS_ONLY
    if reduction.columns:
        far = Rows(
            None if value is None else value.far,
            None if value is None else value.far_valid,
            order.far if reduction.ordered else None,
            None if codes is None else codes.far,
        )
    points = PointsLayer(*axes, order, Pyramid(order.guard, inputs), {})
    columns = tuple(part.layers[name] for name in reduction.columns)
    # The part holds its layers: one that held the part itself would keep a dropped part until the garbage collector
    # looks for cycles, which was twice the memory of an index under rollover.
    alone = replace(part, layers={})
    return PartLayer(alone, layer, points, columns, far)
