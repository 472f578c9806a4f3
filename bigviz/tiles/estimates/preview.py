"""Estimates of a layer from a sample of its rows, until its index is there.

Root and range are those of the first few units of the sample and stay; more units make the same tiles better. The error
is the jackknife's (B. Efron and C. Stein, The Jackknife Estimate of Variance, Ann. Statist. 9, 1981): the sample is in
a few groups of units, the tile is finished without each group in turn, and those tiles' spread is the variance of a
cell. It needs nothing of a reduction but its five functions, and counts rows that lie together in the file for what
they are: less information than as many rows from all over it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.dyadic_cells import INSIDE, Root
from bigviz.aggregate.layer import Layer
from bigviz.aggregate.reductions.base import Planes, Reduction, Rows
from bigviz.aggregate.reductions.jackknife import GROUPS, combined, error_of, scaled
from bigviz.aggregate.spaces import space
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.jit import jit
from bigviz.common.workers import Crew
from bigviz.data.columns.column import Column
from bigviz.data.columns.concat import all_labels, joined, relabelled
from bigviz.tiles.answers.answer import Cost, Drawn, Estimate, microseconds
from bigviz.tiles.answers.columns import Columns
from bigviz.tiles.answers.dense_part import DensePart, dense_of_sample
from bigviz.tiles.answers.layer_info import LayerInfo, facts_of
from bigviz.tiles.answers.line_layer import LineLayer
from bigviz.tiles.estimates.sample import Sample, Unit
from bigviz.tiles.grid.interleave import spread
from bigviz.tiles.grid.row_filter import hidden, row_filter
from bigviz.tiles.grid.survey import Survey, survey
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.grid.window import Number
from bigviz.tiles.morton.quadtree import Ranges, cells_of, positions_of, ranges_within
from bigviz.tiles.morton.sorted_keys import SortedKeys
from bigviz.tiles.pyramid.accumulators import wire
from bigviz.tiles.series.line import OneSeries
from bigviz.tiles.series.series import build_series
from bigviz.wire.codec import SIDE

__all__ = ["Known", "Preview"]

Array = npt.NDArray[Any]
_MOST_PLANES: Final = 16  # beyond so many a tile's groups are fewer: each holds all planes


@dataclass(frozen=True)
class Known:
    """What is known of a layer before it is sampled: its survey, and the labels of its columns that have some."""

    survey: Survey
    labels: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class _Ordered:
    """Rows of a unit in Morton order, and the columns of a reduction."""

    guard: SortedKeys
    rows: Rows
    read: int


class Preview:
    """A sampled layer. `grow` may be called from one thread at a time, everything else from any.

    `survey` holds what the first units say: roots and range; its counts of rows are scaled to the table.
    `generation` counts how often the sample has grown.
    """

    def __init__(self, layer: Layer, sample: Sample, crew: Crew, known: Known | None = None) -> None:
        """Read the first units; if the layer is `known` they add nothing. Raises what reading them does."""
        self.layer, self.sample = layer, sample
        self._reduction = layer.reduction
        self._filter = row_filter(sample.dataset, layer)
        self._names = layer.columns
        self._sizes = sample.sizes()
        self._lock = threading.Lock()
        self._ordered: tuple[_Ordered, ...] = ()
        self._line: LineLayer | None = None
        self._units: list[Unit] = []
        # Labels of the first units, by column.
        self._known: dict[str, tuple[str, ...]] = {} if known is None else dict(known.labels)
        self.generation = 0
        self.read = 0
        first = self._take(0, self._sizes[0], crew)
        x, y = self._all(first)
        quiet = Crew(crew.threads, cancel=crew.cancel)
        found = survey(x, y, layer.root == "default", quiet) if known is None else known.survey
        category = self._reduction.category
        self.labels = None if category is None else self._known.get(category, ())
        self.axes = x, y
        self._roots = found.x, found.y
        self._add(first, crew)
        rows = sample.dataset.num_rows
        self._kept = None if self._filter is None else _share_kept(first, rows)
        if known is not None:
            self.survey = found
            return
        factor = 1 / self.share
        outside, far = round(found.outside * factor), round(found.far * factor)
        self.survey = replace(found, rows=rows, inside=rows - outside - far, outside=outside, far=far)

    @property
    def roots(self) -> tuple[Root, Root]:
        """The roots that its tiles are of."""
        return self._roots

    @property
    def facts(self) -> LayerInfo:
        """The facts of the layer, according to the first units."""
        return facts_of(self.sample.dataset, self.layer, self.survey, self.axes, self.labels, False, self._kept)

    @property
    def dense(self) -> DensePart | None:
        """Where nearly all rows of a layer of points lie; None for lines, and for roots that hold all rows."""
        if self.layer.glyph != "points" or self.layer.root == "full":
            return None
        return dense_of_sample(self.survey, self.axes)

    @property
    def share(self) -> float:
        """Rows read / rows of the table."""
        return self.read / max(self.sample.dataset.num_rows, 1)

    @property
    def whole(self) -> bool:
        """Whether the sample has stopped growing."""
        return self.generation >= len(self._sizes)

    def grow(self, crew: Crew) -> None:
        """Take twice as many units."""
        if self.whole:
            return
        self._add(self._take(self._sizes[self.generation - 1], self._sizes[self.generation], crew), crew)

    def draw(self, key: TileKey, cancel: Cancel = NEVER) -> tuple[Drawn, Estimate]:
        """An estimate of a tile of these roots."""
        with self._lock:
            ordered, read = self._ordered, self.read
        begun = time.perf_counter()
        planes_each = len(self.labels or (0,))
        groups = min(len(ordered), GROUPS if planes_each <= _MOST_PLANES else GROUPS // 2)
        parts: list[Planes] = []
        sizes: list[int] = []
        rows = 0
        for group in range(groups):
            planes = self._create(ordered[0])
            for unit in ordered[group::groups]:
                cancel.check()
                rows += _append(self._reduction, planes, unit, key, cancel)
            parts.append(planes)
            sizes.append(sum(unit.read for unit in ordered[group::groups]))
        table = self.sample.dataset.num_rows
        total = parts[0] if groups == 1 else combined(self._reduction, parts)
        error = error_of(self._reduction, parts, sizes, table, cancel)
        summed = time.perf_counter()
        encoded = wire(self._reduction, scaled(self._reduction, total, table / max(sum(sizes), 1)))
        cost = Cost(0, microseconds(summed - begun), microseconds(time.perf_counter() - summed), rows, rows * 16)
        return Drawn(tuple(encoded), cost), Estimate(min(read / max(table, 1), 1.0), error, self.sample.start)

    def rehearse(self, cancel: Cancel = NEVER) -> None:
        """Draw once: the first drawing of a process loads kernels, in ten times the time that it takes itself."""
        low, high = self.survey.low, self.survey.high
        if self.layer.glyph != "line":
            self.draw(TileKey(0, 0, 0, 0), cancel)
        elif low is not None and high is not None and low[0] < high[0]:
            self.columns(low[0], high[0], SIDE, cancel)

    def columns(self, low: Number, high: Number, width: int, cancel: Cancel = NEVER) -> tuple[Columns, Estimate]:
        """A line through the sampled rows."""
        with self._lock:
            line, read, units = self._line, self.read, list(self._units)
        assert line is not None
        found = line.columns(low, high, width, cancel)
        numbers = np.concatenate([unit.rows for unit in units])
        share = min(read / max(self.sample.dataset.num_rows, 1), 1.0)
        return replace(found, row=numbers[found.row]), Estimate(share, None, self.sample.start)

    def _both(self, units: Sequence[Unit]) -> tuple[Axis, Axis]:
        """The axes of some units together, without the rows that the filter leaves out."""
        x, y = self._all(units)
        if self._filter is None:
            return x, y
        keep = np.concatenate([np.empty(0, np.bool_), *(unit.keep for unit in units if unit.keep is not None)])
        return Axis(hidden(x.column, keep), x.space), y

    def _all(self, units: Sequence[Unit]) -> tuple[Axis, Axis]:
        """The axes of all rows of some units."""
        layer = self.layer
        x, y = (joined([unit.columns[name] for unit in units]) for name in (layer.x, layer.y))
        return Axis(x, space(layer.xaxis, "x")), Axis(y, space(layer.yaxis, "y"))

    def _take(self, first: int, stop: int, crew: Crew) -> list[Unit]:
        """Units, in the order of their numbers, without those that are gone."""
        taken: dict[int, Unit | None] = {}

        def take(number: int) -> int:
            unit = self.sample.unit(number, self._names, crew.cancel)
            taken[number] = None if unit is None else self._filtered(unit, crew.cancel)
            return 0 if unit is None else len(unit.rows)

        threads = 1 if self.sample.start else crew.threads  # the pieces' streams are read in order
        Crew(threads, cancel=crew.cancel).run("sampling", take, range(first, stop), 1)
        units = [unit for number in range(first, stop) if (unit := taken[number]) is not None]
        for name in self._names:
            parts = [unit.columns[name] for unit in units]
            if parts and parts[0].categories is not None:
                self._known.setdefault(name, all_labels(parts))
        return [_relabelled(unit, self._known) for unit in units]

    def _filtered(self, unit: Unit, cancel: Cancel) -> Unit:
        """A unit with what the filter keeps of it. Where axis numbers do not decide that, its values are read again."""
        if self._filter is None or not len(unit.rows):
            return unit
        if self._filter.decided(_incomplete):
            return replace(unit, keep=self._filter.mask(unit.columns, len(unit.rows)))
        first = self.sample.dataset.first_row
        start, stop = int(unit.rows[0]) - first, int(unit.rows[-1]) + 1 - first
        whole = self._filter.masks(start, stop, cancel)(stop - start)
        return replace(unit, keep=whole[unit.rows - (start + first)])

    def _add(self, units: list[Unit], crew: Crew) -> None:
        read = self.read + sum(len(unit.rows) for unit in units)
        if self.layer.glyph == "line":
            known = sorted([*self._units, *units], key=lambda unit: int(unit.rows[0]))
            line = self._lined(known, crew)
            with self._lock:
                self._units, self._line, self.read = known, line, read
                self.generation += 1
            return
        made: dict[int, _Ordered] = {}

        def order(k: int) -> int:
            made[k] = self._order(units[k])
            return len(units[k].rows)

        Crew(crew.threads, cancel=crew.cancel).run("sampling", order, range(len(units)), 1)
        with self._lock:
            self._ordered = (*self._ordered, *(made[k] for k in range(len(units))))
            self.read = read
            self.generation += 1

    def _lined(self, units: Sequence[Unit], crew: Crew) -> LineLayer:
        x, y = self._both(units)
        quiet = Crew(crew.threads, cancel=crew.cancel)
        return LineLayer(x, y, survey(x, y, self.layer.root == "default", quiet), OneSeries(build_series(x, y, quiet)))

    def _order(self, unit: Unit) -> _Ordered:
        rows = len(unit.rows)
        codes = np.empty((2, rows), np.uint32)
        inside = np.ones(rows, np.bool_)
        for which, axis in enumerate(self._both([unit])):
            inside &= self._roots[which].codes(*axis.slice(0, rows), codes[which]) == INSIDE
        places = np.flatnonzero(inside)
        keys = np.empty(len(places), np.uint64)
        _interleave(codes[0], codes[1], places, keys)
        order = np.argsort(keys)
        return _Ordered(SortedKeys(keys[order]), self._rows(unit, places[order]), rows)

    def _rows(self, unit: Unit, places: Array) -> Rows:
        """The columns of the reduction, in order."""
        reduction = self._reduction
        values = valid = codes = None
        if reduction.column is not None:
            column = unit.columns[reduction.column]
            values, valid = column.at(places)
        if reduction.category is not None:
            codes = _codes(unit.columns[reduction.category])[places]
        return Rows(values, valid, unit.rows[places] if reduction.ordered else None, codes)

    def _create(self, unit: _Ordered) -> Planes:
        reduction = self._reduction
        own = unit.rows.values if reduction.traits.own else None  # what is scaled up is not a whole number
        dtype = np.dtype(np.float64) if own is None else reduction.accumulator(own)
        return reduction.create((SIDE, SIDE), dtype, len(self.labels or ()))


def _append(reduction: Reduction, planes: Planes, unit: _Ordered, key: TileKey, cancel: Cancel) -> int:
    """Add the rows of a unit that lie in a tile; how many were read."""
    ranges = ranges_within(unit.guard, key.codes, cancel)
    where: Any = positions_of(ranges.low, ranges.high) if key.zx != key.zy else _span(ranges)
    keys = unit.guard.keys.array[where]
    if not len(keys):
        return 0
    rows = unit.rows
    taken = Rows(
        *(None if each is None else each[where] for each in (rows.values, rows.valid, rows.numbers, rows.codes))
    )
    reduction.append(planes, cells_of(keys, key), taken)
    return len(keys)


def _span(ranges: Ranges) -> slice:
    """The rows of a square, which lie side by side."""
    return slice(int(ranges.low[0]), int(ranges.high[-1])) if len(ranges.low) else slice(0)


def _codes(column: Column) -> Array:
    """A category's codes, -1 for null."""
    if column.valid is None:
        return column.values
    return np.where(column.valid, column.values, column.values.dtype.type(-1))


def _relabelled(unit: Unit, known: Mapping[str, tuple[str, ...]]) -> Unit:
    """A unit whose categories have the labels of the first ones."""
    columns = {
        name: relabelled(column, known[name]) if name in known else column for name, column in unit.columns.items()
    }
    return replace(unit, columns=columns)


def _incomplete(name: str) -> bool:
    """Any column may lack numbers."""
    return False


def _share_kept(units: Sequence[Unit], rows: int) -> int:
    """About how many of so many rows a filter keeps."""
    read = sum(len(unit.rows) for unit in units)
    kept = sum(int(np.count_nonzero(unit.keep)) for unit in units if unit.keep is not None)
    return round(rows * kept / max(read, 1))


@jit
def _interleave(x: Array, y: Array, places: Array, keys: Array) -> None:
    """The Morton keys of some rows' codes."""
    for k in range(places.size):
        at = places[k]
        keys[k] = spread(np.uint64(x[at])) | spread(np.uint64(y[at])) << np.uint64(1)
