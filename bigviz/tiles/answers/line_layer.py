"""A layer of a line, built: its rows in x order and the tree above them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.bins import Bins
from bigviz.aggregate.glyphs.line import line_image
from bigviz.aggregate.inputs import Numbers, Slices
from bigviz.aggregate.reductions.counts import Presence
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.workers import slices
from bigviz.data.columns.column import Column, widen
from bigviz.data.columns.numbers import axis_dtype
from bigviz.data.columns.true_values import Numeric
from bigviz.data.dataset import Dataset
from bigviz.tiles.answers.answer import Cost, Drawn, microseconds
from bigviz.tiles.grid.survey import Survey
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.grid.window import Number, check_window, within
from bigviz.tiles.series.line_tiles import draw_tile
from bigviz.tiles.series.m4 import Picks, column_bounds, first_from, pick_rows
from bigviz.tiles.series.series import Series
from bigviz.wire.codec import encode_values

__all__ = ["Columns", "LineLayer"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Columns:
    """A line's decimated rows, in x order, ties in file order.

    `column` and `run` are int32 (column -1 and `width`: the nearest row on each side of the window; rows that follow
    each other with the same run are joined), `row` int64 row numbers, `x` and `y` axis-space numbers (int64
    nanoseconds for times). `flagged` lists the columns of more than two runs.
    """

    column: Array
    run: Array
    row: Array
    x: Array
    y: Array
    width: int
    flagged: list[int]
    axes: tuple[Axis, Axis]
    cost: Cost = field(default_factory=Cost)

    def table(self, dataset: Dataset) -> pa.Table:
        """The same as a table: column, run, row, and x and y in their own types under their own names; `flagged` as a
        JSON list in the schema's metadata."""
        arrays = [pa.array(self.column), pa.array(self.run), pa.array(self.row)]
        arrays += [self._own(dataset, *each) for each in zip(self.axes, (self.x, self.y), strict=True)]
        names = ["column", "run", "row", *(axis.column.info.name for axis in self.axes)]
        table = pa.Table.from_arrays(arrays, names=names)
        return table.replace_schema_metadata({"flagged": json.dumps(self.flagged)})

    def _own(self, dataset: Dataset, axis: Axis, numbers: Array) -> pa.Array | pa.ChunkedArray:
        """The column's own values: from the axis's numbers where they hold them, else read."""
        info = axis.column.info
        if not axis.keeps_numbers or info.kind in ("decimal", "category"):
            return dataset.take(self.row, [info.name]).column(0)
        values = np.ascontiguousarray(numbers.astype(axis_dtype(info.type), copy=False))
        return Numeric(Column(info, values, None, None))(np.arange(len(values)))


@dataclass(frozen=True)
class LineLayer:
    """Everything that answers for a line. Nothing of it changes once it is built."""

    x: Axis
    y: Axis
    survey: Survey
    series: Series

    @property
    def nbytes(self) -> int:
        """Bytes held, without those that are the dataset's own columns."""
        ends = ((self.series.x.values, self.x), (self.series.y, self.y))
        shared = [array.nbytes for array, axis in ends if np.may_share_memory(array, axis.column.values)]
        return self.series.nbytes - sum(shared)

    def draw(self, key: TileKey, cancel: Cancel = NEVER) -> Drawn:
        """One tile: `any`, uint8."""
        cancel.check()
        begun = time.perf_counter()
        plane, rows = draw_tile(self.series, (self.survey.x, self.survey.y), key)
        drawn = time.perf_counter()
        encoded = encode_values(plane, plane > 0)
        encode_us = microseconds(time.perf_counter() - drawn)
        cost = Cost(0, microseconds(drawn - begun), encode_us, rows, rows * self._row_bytes)
        return Drawn((encoded,), cost)

    def arrays(self, key: TileKey) -> list[Array]:
        """The tile's finished plane."""
        return [draw_tile(self.series, (self.survey.x, self.survey.y), key)[0]]

    def columns(self, low: Number, high: Number, width: int, cancel: Cancel = NEVER) -> Columns:
        """The rows that draw the window `[low, high]` (axis space) at a width in pixels, and one more on each side."""
        cancel.check()
        check_window(low, high, "x")
        begun = time.perf_counter()
        picks = pick_rows(self.series, column_bounds(self.series.x, low, high, width))
        rows = self.series.numbers(picks.positions)
        spent = microseconds(time.perf_counter() - begun)
        cost = Cost(0, spent, 0, len(rows), len(rows) * self._row_bytes)
        return Columns(
            picks.columns, picks.runs, rows, picks.x, picks.y, width, picks.flagged.tolist(), (self.x, self.y), cost
        )

    def image(self, x_bins: Bins, y_bins: Bins, cancel: Cancel = NEVER) -> list[Array]:
        """The uint8 image of a window, row 0 the highest y: what drawing every row gives.

        Drawn from the decimated rows, unless a column has more than two runs; then from all rows of the window.
        """
        picks = pick_rows(self.series, column_bounds(self.series.x, x_bins.low, x_bins.high, x_bins.size))
        if len(picks.flagged):
            first, last = (int(edge) for edge in picks.positions[[0, -1]])
            x: Slices = _Part(lambda start, stop: (self.series.x.slice(start, stop), None), first, last + 1)
            y: Slices = _Part(self.series.heights, first, last + 1)
        else:
            x, y = _separated(picks)
        grid = line_image(x, y, x_bins, y_bins, Presence(), cancel=cancel)
        return [grid.values[::-1]]

    def rows(self, x: tuple[Number, Number], y: tuple[Number, Number], limit: int, cancel: Cancel) -> tuple[Array, int]:
        """Row numbers of the half-open window in x order, at most `limit`, and how many there are."""
        first, stop = first_from(self.series.x, x[0]), first_from(self.series.x, x[1])
        found: list[Array] = []
        matched = 0
        for start, end in slices(max(stop - first, 0)):
            cancel.check()
            heights, valid = self.series.heights(first + start, first + end)
            inside = within(heights, *y)
            if valid is not None:
                inside &= valid
            positions = np.flatnonzero(inside) + first + start
            found.append(positions[: max(limit - matched, 0)])
            matched += len(positions)
        chosen = np.concatenate(found) if found else np.empty(0, np.int64)
        return self.series.numbers(chosen), matched

    @property
    def _row_bytes(self) -> int:
        return int(self.series.x.dtype.itemsize + self.series.y.itemsize)


@dataclass(frozen=True)
class _Part:
    """A range of a series' positions, for `aggregate.line`: slices of what `read(start, stop)` gives."""

    read: Callable[[int, int], tuple[Array, Array | None]]
    first: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.first

    def slice(self, start: int, stop: int) -> tuple[Array, Array | None]:
        values, valid = self.read(self.first + start, min(self.first + stop, self.stop))
        return widen(values), valid


def _separated(picks: Picks) -> tuple[Numbers, Numbers]:
    """The picked rows with a gap between runs."""
    breaks = np.flatnonzero(np.diff(picks.runs)) + 1
    chosen = np.insert(np.arange(len(picks.positions)), breaks, breaks)
    valid = np.ones(len(chosen), np.bool_)
    valid[breaks + np.arange(len(breaks))] = False
    return Numbers(picks.x[chosen]), Numbers(picks.y[chosen], valid)
