"""A layer of points, built: its rows in order and its pyramid."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.bins import Bins
from bigviz.aggregate.inputs import Inputs as ImageInputs
from bigviz.aggregate.inputs import Numbers
from bigviz.aggregate.points import points_image
from bigviz.aggregate.reductions import Mean
from bigviz.data.cancel import NEVER, Cancel
from bigviz.data.column import Column
from bigviz.tiles.axis import Axis
from bigviz.tiles.bounds import Number, codes_between, within
from bigviz.tiles.order import Order
from bigviz.tiles.planes import finished, finished_grid, inner_of, revive, wire
from bigviz.tiles.pyramid import Pyramid
from bigviz.tiles.root import Survey
from bigviz.tiles.scan import TileKey, positions_of, ranges_within
from bigviz.tiles.tile import Cost, Drawn, microseconds
from bigviz.tiles.work import SLICE

__all__ = ["PointsLayer"]

Array = npt.NDArray[Any]
Window = tuple[Number, Number]

_SPARSE: Final = 3  # an image of fewer rows than 1 in so many gathers them, else it reads the columns through


@dataclass(frozen=True)
class PointsLayer:
    """Everything that answers for a layer of points. Nothing of it changes once it is built."""

    x: Axis
    y: Axis
    order: Order
    pyramid: Pyramid
    columns: dict[str, Column]

    @property
    def survey(self) -> Survey:
        """The roots and the counts of rows."""
        return self.order.survey

    @property
    def nbytes(self) -> int:
        """Bytes held, without the order and its columns, which layers share."""
        return self.pyramid.nbytes

    def draw(self, key: TileKey, cancel: Cancel = NEVER) -> Drawn:
        """One tile, from the pyramid or from its rows."""
        inputs = self.pyramid.inputs
        kept = self.pyramid.kept(key)
        begun = time.perf_counter()
        if kept is not None and not isinstance(inner_of(inputs.reduction), Mean):
            return Drawn(kept.values, Cost(bytes=sum(len(plane.payload) for plane in kept.values)))
        if kept is not None:
            planes, rows = revive(inputs.reduction, kept, inputs.dtype), 0
        else:
            planes, rows = self.pyramid.scan(key, cancel)
        summed = time.perf_counter()
        encoded = wire(inputs.reduction, planes)
        encode_us = microseconds(time.perf_counter() - summed)
        size = rows * inputs.row_bytes + sum(len(plane.payload) for plane in encoded)
        return Drawn(tuple(encoded), Cost(0, microseconds(summed - begun), encode_us, rows, size))

    def arrays(self, key: TileKey) -> list[Array]:
        """The tile's finished planes, from its exact accumulators."""
        inputs = self.pyramid.inputs
        kept = self.pyramid.kept(key)
        planes = revive(inputs.reduction, kept, inputs.dtype) if kept is not None else self.pyramid.scan(key, NEVER)[0]
        return finished(inputs.reduction, planes, inputs.own)

    def image(self, x_bins: Bins, y_bins: Bins, cancel: Cancel = NEVER) -> list[Array]:
        """The finished image of a window, row 0 the highest y; rows are added in file order, as `Canvas` adds them."""
        reduction = self.pyramid.inputs.reduction
        rows = self._candidates(x_bins, y_bins, cancel)
        if rows is None:
            grid = points_image(self.x, self.y, x_bins, y_bins, reduction, self._inputs(None), cancel)
        else:
            x, y = Numbers(*self.x.at(rows)), Numbers(*self.y.at(rows))
            grid = points_image(x, y, x_bins, y_bins, reduction, self._inputs(rows), cancel)
        planes = finished_grid(reduction, grid, self.pyramid.inputs.own)
        return [np.ascontiguousarray(plane[::-1]) if type(plane) is np.ndarray else plane[::-1] for plane in planes]

    def rows(self, x: Window, y: Window, limit: int, cancel: Cancel) -> tuple[Array, int]:
        """Row numbers of the half-open window, at most `limit`, and how many there are.

        Rows are in Morton order, ties in file order; far rows come last, in file order.
        """
        low, high = np.empty(0, np.int64), np.empty(0, np.int64)
        codes = _code_window(self.survey, x, y)
        if codes is not None:
            inner = (codes[0] + 1, codes[1] - 1, codes[2] + 1, codes[3] - 1)
            ranges = ranges_within(self.order.guard, codes, cancel, inner)
            edge = self._exact(ranges.low[~ranges.whole], ranges.high[~ranges.whole], x, y, cancel)
            low, high = np.append(ranges.low[ranges.whole], edge), np.append(ranges.high[ranges.whole], edge + 1)
        order = np.argsort(low)
        low, lengths = low[order], (high - low)[order]
        before = np.cumsum(lengths) - lengths
        used = before < limit
        taken = np.minimum(lengths[used], limit - before[used])
        chosen = self.order.rows[positions_of(low[used], low[used] + taken)].astype(np.int64)
        far = self.order.far[self._inside(self.order.far, x, y)]
        return np.append(chosen, far[: limit - len(chosen)]), int(lengths.sum()) + len(far)

    def _exact(self, low: Array, high: Array, x: Window, y: Window, cancel: Cancel) -> Array:
        """The positions within the ranges whose rows lie in the window, by comparing their numbers."""
        found = [np.empty(0, np.int64)]
        ends = np.cumsum(high - low) // SLICE
        for part in np.split(np.arange(len(ends)), np.flatnonzero(np.diff(ends)) + 1):
            positions = positions_of(low[part], high[part])
            for start in range(0, len(positions), SLICE):
                cancel.check()
                some = positions[start : start + SLICE]
                found.append(some[self._inside(self.order.rows[some], x, y)])
        return np.concatenate(found)

    def _inside(self, rows: Array, x: Window, y: Window) -> npt.NDArray[np.bool_]:
        """Where rows lie in the half-open window."""
        keep = np.ones(len(rows), np.bool_)
        for axis, window in ((self.x, x), (self.y, y)):
            values, valid = axis.at(rows)
            keep &= within(values, *window)
            if valid is not None:
                keep &= valid
        return keep

    def _candidates(self, x_bins: Bins, y_bins: Bins, cancel: Cancel) -> Array | None:
        """Row numbers, ascending, that hold every row of a window; None where that is a large part of all."""
        codes = _code_window(self.survey, (x_bins.low, x_bins.high), (y_bins.low, y_bins.high))
        parts = [self.order.far]
        if codes is not None:
            ranges = ranges_within(self.order.guard, codes, cancel)
            if ranges.rows * _SPARSE > self.survey.rows:
                return None
            bounds = zip(ranges.low.tolist(), ranges.high.tolist(), strict=True)
            parts += [self.order.rows[low:high] for low, high in bounds]
        return np.sort(np.concatenate([part.astype(np.int64, copy=False) for part in parts]))

    def _inputs(self, rows: Array | None) -> ImageInputs:
        inputs = self.pyramid.inputs
        reduction = inputs.reduction

        def column(name: str | None) -> Numbers | None:
            return None if name is None else _taken(self.columns[name], rows)

        values, codes = column(reduction.column), column(reduction.category)
        return ImageInputs(values, codes, rows, inputs.dtype, len(inputs.labels or ()))


def _taken(column: Column, rows: Array | None) -> Numbers:
    if rows is None:
        return Numbers(column.values, column.valid)
    return Numbers(column.values[rows], None if column.valid is None else column.valid[rows])


def _code_window(survey: Survey, x: Window, y: Window) -> tuple[int, int, int, int] | None:
    across, up = codes_between(survey.x, *x), codes_between(survey.y, *y)
    return None if across is None or up is None else (*across, *up)
