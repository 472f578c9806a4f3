"""A layer of points, built: its rows in order and its pyramid."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.glyphs.bins import Bins
from bigviz.aggregate.glyphs.points import PointRows, PointsImage
from bigviz.aggregate.inputs import Inputs as ImageInputs
from bigviz.aggregate.inputs import Numbers
from bigviz.aggregate.layer import Layer
from bigviz.aggregate.reductions.base import Planes, Reduction
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.workers import Crew, slices, usable_cores
from bigviz.data.columns.column import Column
from bigviz.data.dataset import Dataset
from bigviz.render.level_values import KnownLevel, Level, LevelSource
from bigviz.tiles.answers.answer import Cost, Drawn, Estimate, microseconds
from bigviz.tiles.answers.dense_part import DensePart, dense_of_order
from bigviz.tiles.answers.layer_answers import Held, columns_held
from bigviz.tiles.answers.layer_info import LayerInfo, facts_of
from bigviz.tiles.answers.level_sample import level_sample
from bigviz.tiles.answers.marks import MOST_MARKS, Marks, find_marks
from bigviz.tiles.answers.ordered.ordered_image import image_nodes, ordered_planes
from bigviz.tiles.answers.ordered.runs import Runs
from bigviz.tiles.answers.ordered_estimate import rough_tile
from bigviz.tiles.answers.row_lookup import find_rows, true_rows
from bigviz.tiles.answers.shared_answers import NoColumnsOrBars, SingleVersion, TileByTile
from bigviz.tiles.answers.window_image import WindowImage, draw_window, ordered_rows
from bigviz.tiles.grid.row_filter import hidden
from bigviz.tiles.grid.survey import Survey
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.grid.window import Number, closed_within, codes_between
from bigviz.tiles.morton.filtered_order import FilteredOrder
from bigviz.tiles.morton.order import Order
from bigviz.tiles.morton.quadtree import LEAF, PART, Ranges, positions_in_parts, ranges_within
from bigviz.tiles.morton.radix_sort import sort_keys
from bigviz.tiles.pyramid.accumulators import finished, revive, wire
from bigviz.tiles.pyramid.levels.between import level_between, levels_about, with_ends_of
from bigviz.tiles.pyramid.pyramid import Pyramid
from bigviz.tiles.selection.chosen import Chosen, axes_kept, choose
from bigviz.tiles.selection.region import Region
from bigviz.wire.codec import NO_COUNTS

__all__ = ["PointsLayer", "finished_image"]

Array = npt.NDArray[Any]
Window = tuple[Number, Number]
Batches = Callable[[Cancel], Iterator[tuple[int, Axis, Axis, dict[str, Column]]]]

_FEW_TILES: Final = 6  # the sum of the levels of 64 tiles
_LONG: Final = 2  # levels on one axis beyond those on the other
_SPARSE: Final = 3  # an image of fewer rows than 1 in so many gathers them, else it reads the columns through
_APART: Final = 2  # rows a cell that pay for planes of their own, on each core
_FILE_ORDER: Final = 1 << 17  # rows up to which floats are added in file order, as `Canvas` adds them
_COARSE_LEAF: Final = 1 << 11  # rows outside of a window that are placed sooner, by keys alone, than told from others
_MOST_GATHERED: Final = 1 << 23  # and of no more rows than these: some 300 MB of them


@dataclass(frozen=True)
class PointsLayer(TileByTile, NoColumnsOrBars, SingleVersion):
    """Everything that answers for a layer of points.

    `x`, `y` and `loaded` (the columns of the reduction, by name) hold all rows, or, if `dataset` is given, hardly any:
    what a wide image needs is then read from there.
    """

    x: Axis
    y: Axis
    order: Order
    pyramid: Pyramid
    loaded: dict[str, Column]
    dataset: Dataset | None = None

    @property
    def survey(self) -> Survey:
        """The roots and the counts of rows."""
        return self.order.survey

    @cached_property
    def dense(self) -> DensePart | None:
        """Where nearly all rows lie, if that is a small part of their range: whatever the filter, as the roots are."""
        return dense_of_order(self.order.unfiltered, (self.x, self.y))

    @property
    def is_scanned(self) -> bool:
        """False: there is an index."""
        return False

    @property
    def level_source(self) -> LevelSource:
        """All cells, once they are summed up; an older store does without."""
        return "sample" if self.pyramid.shelf.levels is None else "summary"

    def facts(self, dataset: Dataset, layer: Layer) -> LayerInfo:
        """What is known of the layer."""
        kept = self.order.kept if isinstance(self.order, FilteredOrder) else None
        return facts_of(dataset, layer, self.survey, (self.x, self.y), self.pyramid.inputs.labels, False, kept)

    def held(self) -> Iterator[Held]:
        """The memory that it holds."""
        yield Held("orders", self.order, self.order.nbytes)
        if self.order.unfiltered is not self.order:
            yield Held("orders", self.order.unfiltered, self.order.unfiltered.nbytes)
        for column in self.pyramid.inputs.columns:
            yield Held("orders", column.owner, column.owner.nbytes)
        yield Held("pyramids", self.pyramid, self.pyramid.nbytes)
        yield from columns_held((self.x.column, self.y.column, *self.loaded.values()))

    def draw(self, key: TileKey, cancel: Cancel = NEVER) -> Drawn:
        """One tile, from the pyramid or from its rows."""
        inputs = self.pyramid.inputs
        kept = self.pyramid.kept(key)
        begun = time.perf_counter()
        if kept is not None and not inputs.reduction.traits.derived:
            return Drawn(kept.values, Cost(bytes=sum(len(plane.payload) for plane in kept.values)))
        counted = None if kept is not None else self.pyramid.counted(key, cancel)
        if kept is not None:
            planes, rows = revive(inputs.reduction, kept, inputs.dtype, cancel), 0
        elif counted is not None:
            planes, rows = (counted[0],), counted[1]
            if not rows:
                return Drawn((NO_COUNTS,), Cost(0, microseconds(time.perf_counter() - begun)))
        else:
            planes, rows = self.pyramid.scan(key, cancel)
        summed = time.perf_counter()
        encoded = wire(inputs.reduction, planes, cancel)
        encode_us = microseconds(time.perf_counter() - summed)
        size = rows * inputs.row_bytes + sum(len(plane.payload) for plane in encoded)
        return Drawn(tuple(encoded), Cost(0, microseconds(summed - begun), encode_us, rows, size))

    def estimate(self, key: TileKey, cancel: Cancel = NEVER) -> tuple[Drawn, Estimate] | None:
        """A tile from some of its rows; None where it is kept or has few."""
        return rough_tile(self.pyramid, key, cancel)

    def arrays(self, key: TileKey, cancel: Cancel = NEVER) -> list[Array]:
        """The tile's finished planes, from its exact accumulators."""
        inputs = self.pyramid.inputs
        return finished(inputs.reduction, self.accumulators(key, cancel)[0], inputs.own, cancel)

    def accumulators(self, key: TileKey, cancel: Cancel = NEVER) -> tuple[Planes, int]:
        """The tile's exact accumulators, and the rows read for them."""
        inputs = self.pyramid.inputs
        kept = self.pyramid.kept(key)
        if kept is not None:
            return revive(inputs.reduction, kept, inputs.dtype, cancel), 0
        return self.pyramid.scan(key, cancel)

    def level_values(self, level: Level, cancel: Cancel = NEVER) -> KnownLevel:
        """The values of a level's cells, as found when the tiles were made; where levels differ, by those of the square
        ones between. Until then, and of an older store, those of a sample of cells, of levels that have too many tiles
        to be read. (So are counts and sums in long cells: how many of these a line crosses depends on its slope.)"""
        known, guard, inputs = self.pyramid.shelf.levels, self.order.guard, self.pyramid.inputs
        few = sum(level) <= _FEW_TILES
        if known is None:
            return KnownLevel("sample", None if few else level_sample(guard, inputs, level, cancel))
        traits = inputs.reduction.traits
        coarse, fine = (known[each] for each in levels_about(level))
        between = level_between(coarse, fine, traits)
        long = traits.additive and abs(level[0] - level[1]) > _LONG and not few
        some = level_sample(guard, inputs, level, cancel) if long else None
        return KnownLevel("summary", between if some is None else with_ends_of(some, between))

    def image(self, dataset: Dataset, x_bins: Bins, y_bins: Bins, cancel: Cancel = NEVER) -> list[Array]:
        """The finished image of a window, row 0 the highest y, as `Canvas` draws it: floats may be added in another
        order."""
        inputs = self.pyramid.inputs
        return finished_image(inputs.reduction, self.image_planes(x_bins, y_bins, cancel), inputs.own, cancel)

    def image_planes(self, x_bins: Bins, y_bins: Bins, cancel: Cancel = NEVER) -> Planes:
        """The accumulators of an image, row 0 the lowest y."""
        inputs = self.pyramid.inputs
        planes = self._ordered(self._ranges(x_bins, y_bins, cancel), x_bins, y_bins, cancel)
        if planes is None:
            labels = len(inputs.labels or ())
            planes = inputs.reduction.create((y_bins.size, x_bins.size), inputs.dtype, labels, cancel.check)
            self.add_to_image(planes, x_bins, y_bins, cancel, self._batches, ordered=False)
        return planes

    def add_to_image(
        self, planes: Planes, x_bins: Bins, y_bins: Bins, cancel: Cancel, batches: Batches, ordered: bool = True
    ) -> None:
        """Add the rows of a window to an image's planes; `batches` reads all rows of the layer.

        They are read as they lie in the order, if that may be (`ordered`) and is not slower than in file order.
        """
        reduction = self.pyramid.inputs.reduction
        ranges = self._ranges(x_bins, y_bins, cancel)
        found = self._ordered(ranges, x_bins, y_bins, cancel) if ordered else None
        if found is not None:
            reduction.combine(planes, found)
            return
        if ranges is not None and ranges.rows <= min(self.survey.rows // _SPARSE, _MOST_GATHERED):
            rows = self._gathered(self._in_file_order(ranges, cancel), cancel)
        else:
            rows = self._through(batches(cancel))
        image = PointsImage(x_bins, y_bins, reduction)
        for batch in rows:
            if len(batch) < _APART * planes[0].size:
                image.add(planes, batch, cancel)
            else:
                reduction.combine(planes, image.planes(batch, cancel, usable_cores()))

    def _ordered(self, ranges: Ranges | None, x_bins: Bins, y_bins: Bins, cancel: Cancel) -> Planes | None:
        """The planes of the rows of a window in their order; None where file order is the better one, or the only
        one."""
        inputs = self.pyramid.inputs
        if ranges is None or (inputs.reduction.traits.float_order and ranges.rows < _FILE_ORDER):
            return None
        runs = Runs.of(ranges)
        nodes = image_nodes(self.order, runs, x_bins, y_bins)
        if nodes is None and self.order.has_columns and ranges.rows > self.survey.rows // _SPARSE:
            return None
        return ordered_planes(self.order, inputs, runs, x_bins, y_bins, nodes, self.pyramid, usable_cores(), cancel)

    def knows(self, x: Window, y: Window) -> bool:
        """True: rows are found by their keys."""
        return True

    def marks(self, x: Window, y: Window, most: int = MOST_MARKS, cancel: Cancel = NEVER) -> Marks | None:
        """The coordinates with rows of a half-open window; None if they are more than `most` or cannot be
        determined."""
        return find_marks(self.order, self.pyramid.inputs, x, y, most, cancel)

    def window_image(self, x: Window, y: Window, size: tuple[int, int], cancel: Cancel = NEVER) -> WindowImage | None:
        """An exact image of a half-open window; None where it is too large."""
        inputs = self.pyramid.inputs
        rows = ordered_rows(self.order, inputs, x, y, cancel)
        reduction, dtype, labels = inputs.reduction, inputs.dtype, inputs.labels
        return draw_window(rows, reduction, dtype, labels, x, y, size, inputs.row_bytes, cancel)

    def rows(
        self, dataset: Dataset, layer: Layer, x: Window, y: Window, limit: int, cancel: Cancel = NEVER
    ) -> tuple[pa.Table, int]:
        """True rows of a half-open window in Morton order, far ones last, at most `limit`, and how many there are."""
        found = find_rows(self.order, x, y, limit, cancel)
        return true_rows(dataset, layer, self.order, found), found.matched

    def select(self, dataset: Dataset, layer: Layer, region: Region, crew: Crew) -> tuple[Chosen, ...]:
        """The rows in a region, far ones included."""
        return (choose(self.order, region, crew, axes_kept(layer)),)

    def _ranges(self, x_bins: Bins, y_bins: Bins, cancel: Cancel) -> Ranges | None:
        """Ranges of the order that hold every row of a closed window; None where far rows may be among them."""
        x, y = (x_bins.low, x_bins.high), (y_bins.low, y_bins.high)
        if self._is_far_row_within(x, y):
            return None
        codes = _code_window(self.survey, x, y)
        if codes is None:
            return Ranges.one(0, 0)
        leaf = LEAF if self.pyramid.inputs.reduction.columns else _COARSE_LEAF
        return ranges_within(self.order.guard, codes, cancel, leaf=leaf)

    def _is_far_row_within(self, x: Window, y: Window) -> bool:
        """Whether a row without a key lies in a closed window."""
        if not len(self.order.far):
            return False
        within = closed_within(self.order.far_numbers(0), *x) & closed_within(self.order.far_numbers(1), *y)
        return bool(within.any())

    def _in_file_order(self, ranges: Ranges, cancel: Cancel) -> Array:
        numbers, positions = np.empty(ranges.rows, np.uint64), np.empty(ranges.rows, np.uint32)
        at = 0
        for part in positions_in_parts(ranges, PART, cancel):
            here = slice(at, at + len(part))
            numbers[here], positions[here] = self.order.row_numbers(part), part
            at = here.stop
        return sort_keys(numbers, positions, slices(ranges.rows), Crew(1, cancel=cancel))[1]

    def _gathered(self, positions: Array, cancel: Cancel) -> Iterator[PointRows]:
        """Ordered rows, in batches."""
        inputs = self.pyramid.inputs
        for start, stop in slices(len(positions), PART):
            cancel.check()
            part = positions[start:stop].astype(np.int64)
            x, y = (Numbers(self.order.numbers(which, part)) for which in (0, 1))
            rows = inputs.rows(part)
            values = None if rows.values is None else Numbers(rows.values, rows.valid)
            codes = None if rows.codes is None else Numbers(rows.codes)
            yield PointRows(x, y, ImageInputs(values, codes, rows.numbers, inputs.dtype, len(inputs.labels or ())))

    def _through(self, batches: Iterator[tuple[int, Axis, Axis, dict[str, Column]]]) -> Iterator[PointRows]:
        """All rows in file order, in batches."""
        inputs = self.pyramid.inputs
        names = inputs.reduction.column, inputs.reduction.category
        for first, x, y, columns in batches:
            values, codes = (None if name is None else Numbers.of(columns[name]) for name in names)
            numbers = np.arange(first, first + len(x), dtype=np.int64) if inputs.reduction.ordered else None
            yield PointRows(x, y, ImageInputs(values, codes, numbers, inputs.dtype, len(inputs.labels or ())))

    def _batches(self, cancel: Cancel) -> Iterator[tuple[int, Axis, Axis, dict[str, Column]]]:
        """All rows of the layer's dataset; those that its filter leaves out are hidden."""
        keep = self.order.mask() if isinstance(self.order, FilteredOrder) else None
        for first, x, y, columns in self._read(cancel):
            if keep is not None:
                x = Axis(hidden(x.column, keep[first : first + len(x)]), x.space)
            yield first, x, y, columns

    def _read(self, cancel: Cancel) -> Iterator[tuple[int, Axis, Axis, dict[str, Column]]]:
        if self.dataset is None:
            yield 0, self.x, self.y, self.loaded
            return
        axes = self.x.column.info.name, self.y.column.info.name
        names = list(dict.fromkeys((*axes, *self.pyramid.inputs.reduction.columns)))
        for number in range(len(self.dataset.chunks())):
            for first, batch in self.dataset.read(number, names, cancel):
                columns = dict(zip(names, batch, strict=True))
                x, y = (Axis(columns[name], axis.space) for name, axis in zip(axes, (self.x, self.y), strict=True))
                yield first, x, y, columns


def finished_image(reduction: Reduction, planes: Planes, own: np.dtype[Any], cancel: Cancel) -> list[Array]:
    """An image's planes as they are sent, row 0 the highest y: views of planes that have the lowest there."""
    return [plane[::-1] for plane in finished(reduction, planes, own, cancel)]


def _code_window(survey: Survey, x: Window, y: Window) -> tuple[int, int, int, int] | None:
    across, up = codes_between(survey.x, *x), codes_between(survey.y, *y)
    return None if across is None or up is None else (*across, *up)
