"""A histogram, built: a column in its own order, where the rows of a bin follow each other."""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bigviz.aggregate.inputs import SLICE, Inputs, Numbers
from bigviz.aggregate.layer import Layer
from bigviz.aggregate.reductions.base import Planes, Reduction
from bigviz.aggregate.spaces import space
from bigviz.aggregate.value_kind import value_kind
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.workers import Crew, slices
from bigviz.data.appending.growth import Version
from bigviz.data.columns.column import ColumnInfo
from bigviz.data.dataset import Dataset
from bigviz.tiles.answers.answer import Cost, microseconds
from bigviz.tiles.answers.bars import Bars
from bigviz.tiles.answers.layer_answers import Held
from bigviz.tiles.answers.layer_info import LayerInfo
from bigviz.tiles.answers.line_layer import LineLayer
from bigviz.tiles.bars.bar_facts import with_heights
from bigviz.tiles.bars.bin_edges import BinRule, Edges
from bigviz.tiles.bars.binned import Binned
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.grid.window import Number
from bigviz.tiles.selection.chosen import Chosen
from bigviz.tiles.selection.region import Region, Strip
from bigviz.tiles.series.line import MergedLine, OneSeries
from bigviz.tiles.series.m4 import first_above
from bigviz.tiles.series.series import Series
from bigviz.tiles.series.sorted_numbers import Ascending

__all__ = ["Counted", "HistogramLayer", "bars_of", "gathered", "line_below"]

Array = npt.NDArray[Any]
Window = tuple[Number, Number]


def line_below(layer: Layer) -> Layer:
    """The line whose index a histogram has: its column over itself."""
    return replace(layer, glyph="line", y=layer.x, agg="any", yaxis=layer.xaxis)


@dataclass(frozen=True)
class HistogramLayer(Binned):
    """Everything that answers for a histogram. It does not change once it is built.

    `line` is that of the column over itself; `inputs` are what the reduction reads in its order, None where rows are
    only counted; `categories` the labels under `by`.
    """

    layer: Layer
    line: LineLayer
    inputs: Inputs | None
    categories: tuple[str, ...] | None

    @property
    def spans_versions(self) -> bool:
        """Whether versions of a dataset share the line's rows."""
        return self.line.spans_versions

    @cached_property
    def rule(self) -> BinRule | None:
        """Where the bins lie; None without rows."""
        survey = self.line.survey
        if survey.low is None or survey.high is None:
            return None
        dtype = self._parts()[0][0].dtype
        return BinRule(survey.low[0], survey.high[0], self.layer.bins, dtype)

    def facts(self, dataset: Dataset, layer: Layer) -> LayerInfo:
        """What is known of the layer."""
        found = self.line.facts(dataset, line_below(layer))
        found = replace(found, value=value_kind(layer.reduction, dataset))
        return with_heights(found, layer, self.whole, self.categories)

    def held(self) -> Iterator[Held]:
        """The memory that it holds."""
        yield from self.line.held()
        for numbers in () if self.inputs is None else (self.inputs.values, self.inputs.codes):
            if numbers is not None:
                yield Held("series", numbers.values, numbers.values.nbytes)

    def rows(
        self, dataset: Dataset, layer: Layer, x: Window, y: Window, limit: int, cancel: Cancel = NEVER
    ) -> tuple[pa.Table, int]:
        """True rows of the half-open window of x in x order, at most `limit`, and how many there are; y says
        nothing."""
        return self.line.rows(dataset, replace(layer, y=""), x, x, limit, cancel)

    def select(self, dataset: Dataset, layer: Layer, region: Region, crew: Crew) -> tuple[Chosen, ...]:
        """The rows in the half-open window of x; y says nothing."""
        return self.line.select(dataset, layer, Strip(region.windows[0]), crew)

    def state(self, key: TileKey) -> Hashable:
        """None: there are no tiles."""
        return None

    def changed(self, before: Version, keys: Sequence[TileKey]) -> list[bool] | None:
        """None: there are no tiles."""
        return None

    def changed_from(self, before: Version) -> Number | None:
        """None: a bin may change wherever the rows are."""
        return None

    def _parts(self) -> list[tuple[Ascending, int]]:
        """The column in order, in one part or more, each with the position of its first row."""
        line = self.line.line
        if isinstance(line, OneSeries):
            return [(line.series.x, 0)]
        assert isinstance(line, MergedLine)
        return [(part.series.x, part.start) for part in line.parts]

    def counted(self, edges: Edges, cancel: Cancel) -> Counted:
        """What the rows have in some bins."""
        numbers, places = np.zeros(len(edges), np.int64), np.zeros(1, np.int64)
        for x, start in self._parts() if len(edges) else ():
            places = np.maximum(_places(x, edges), start)
            numbers += np.diff(places)
        if self.inputs is None:
            return Counted(numbers, None, 0)
        planes = _added(self.layer.reduction, self.inputs, places, cancel)
        return Counted(numbers, planes, int(places[-1] - places[0]))

    def _bars(self, edges: Edges, cancel: Cancel) -> Bars:
        begun = time.perf_counter()
        counted = self.counted(edges, cancel)
        return bars_of(self.layer, edges, counted, self.categories, self.line.x.column.info, begun)


@dataclass(frozen=True)
class Counted:
    """Of some bins the numbers of rows, and what a reduction has of them: None where rows are only counted. `looked`
    are the rows that were read for it."""

    numbers: npt.NDArray[np.int64]
    planes: Planes | None
    looked: int


def bars_of(
    layer: Layer, edges: Edges, counted: Counted, categories: tuple[str, ...] | None, info: ColumnInfo, begun: float
) -> Bars:
    """The bars of a histogram of a column, which somebody began to count at `begun` (time.perf_counter)."""
    reduction, rows = layer.reduction, counted.numbers[np.newaxis]
    if counted.planes is None:
        values = rows
        filled = np.ones(values.shape, np.bool_)
    else:
        grid = reduction.finalize(counted.planes)
        shape = (1 if categories is None else len(categories), len(edges))
        values, filled = grid.values.reshape(shape), grid.filled.reshape(shape) | reduction.traits.zero
        values = values.astype(np.int64) if values.dtype == np.uint32 else values
        if categories is not None:
            rows = counted.planes[-1].reshape(shape).astype(np.int64)
    cost = Cost(0, microseconds(time.perf_counter() - begun), 0, counted.looked, counted.looked * 8)
    kinds = space(layer.xaxis, "x"), space(layer.yaxis, "y")
    at = edges.first, info, kinds, edges.closed, reduction.traits.zero
    return Bars(edges.values, values, filled, rows, *at, categories, None, cost)


def _places(x: Ascending, edges: Edges) -> npt.NDArray[np.int64]:
    """The positions that separate bins."""
    found = x.first(edges.values)
    if edges.closed:
        last = edges.values[-1].item()
        found[-1] = first_above(x, last)
    return found


def _added(reduction: Reduction, inputs: Inputs, places: npt.NDArray[np.int64], cancel: Cancel) -> Planes:
    """What a reduction has of the rows between ascending positions."""
    bins = len(places) - 1
    planes = reduction.create((1, bins), inputs.dtype, inputs.categories, cancel.check)
    first, last = int(places[0]), int(places[-1])
    for start in range(first, last, SLICE):
        cancel.check()
        stop = min(start + SLICE, last)
        ends = np.clip(places, start, stop)
        cells = np.repeat(np.arange(bins, dtype=np.int32), ends[1:] - ends[:-1])
        reduction.append(planes, cells, inputs.rows(start, stop, reduction.ordered))
    return planes


def gathered(series: Series, inputs: Inputs, reduction: Reduction, crew: Crew) -> Inputs:
    """What a reduction reads, in the order of a series."""
    total = len(series)
    if series.rows is None:
        return inputs
    columns = [each for each in (inputs.values, inputs.codes) if each is not None]
    values = [np.empty(total, each.values.dtype) for each in columns]
    masks = [None if each.valid is None else np.empty(total, np.bool_) for each in columns]

    def take(piece: tuple[int, int]) -> int:
        start, stop = piece
        rows = series.numbers(np.arange(start, stop))
        for column, out, mask in zip(columns, values, masks, strict=True):
            out[start:stop] = column.values[rows]
            if mask is not None and column.valid is not None:
                mask[start:stop] = column.valid[rows]
        return stop - start

    crew.run("ordering values", take, slices(total), total)
    made = [Numbers(*pair) for pair in zip(values, masks, strict=True)]
    numbers = series.rows if reduction.ordered else None
    return replace(
        inputs,
        values=made[0] if inputs.values is not None else None,
        codes=made[-1] if inputs.codes is not None else None,
        numbers=numbers,
    )
