"""What a brush needs before it can move: its source's order, and each target's columns in that order."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.dyadic_cells import Root
from bigviz.aggregate.inputs import bound, check
from bigviz.aggregate.layer import Layer
from bigviz.aggregate.reductions.parse import parse
from bigviz.common.errors import BadInput, Unplottable
from bigviz.common.jit import frozen
from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.data.filters.check import check as check_filter
from bigviz.data.filters.parse import parse as parse_filter
from bigviz.tiles.answers.line_layer import LineLayer
from bigviz.tiles.brush.linked import (
    BarTarget,
    BoxSource,
    HistogramTarget,
    LabelSource,
    LineTarget,
    RasterTarget,
    Source,
    SpanSource,
    Target,
    TotalTarget,
)  # fmt: skip
from bigviz.tiles.brush.orders.box_order import box_order
from bigviz.tiles.brush.orders.shapes import Box, Labels, Shape, Span
from bigviz.tiles.brush.orders.sorted_order import label_order, span_order
from bigviz.tiles.brush.orders.source_order import SourceOrder
from bigviz.tiles.brush.orders.unsorted_order import UnsortedOrder
from bigviz.tiles.brush.prepared import Prepared, within_ends
from bigviz.tiles.brush.targets.bin_blocks import bin_blocks
from bigviz.tiles.brush.targets.cells import ONE_CELL, Bins, Cells, Raster, bins_of
from bigviz.tiles.brush.targets.grid_target import GridTarget, KeptRows
from bigviz.tiles.brush.targets.halves import COARSE, Halves, lower_halves, upper_halves
from bigviz.tiles.brush.targets.in_order import AxisNumbers, in_order, numbers_in_order
from bigviz.tiles.brush.targets.keyed_halves import KeyedHalves, keyed_halves
from bigviz.tiles.brush.targets.lines.line_places import Places, places_of
from bigviz.tiles.brush.targets.lines.line_rows import LineRows
from bigviz.tiles.brush.targets.reduced import Beside, reduced
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.grid.row_filter import hidden
from bigviz.tiles.morton.order import Order, build_order
from bigviz.tiles.series.line import OneSeries
from bigviz.tiles.series.series import Series, build_series

__all__ = [
    "check_source", "check_target", "kept_rows", "names_of", "prepare_order", "prepare_target", "source_key",
]  # fmt: skip

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]
Keep = Callable[[Hashable, int, Callable[[Crew], Any]], Any]

_ORDER_BYTES: Final = 12


def check_source(dataset: Dataset, source: Source) -> None:
    """Raise BadInput, NotFound or Unplottable for a source that the dataset does not have; nothing is read."""
    if isinstance(source, BoxSource):
        if source.layer.glyph != "points":
            raise BadInput(
                f"a box is brushed over points, got glyph {source.layer.glyph!r}", "glyph", source.layer.glyph
            )
        source.layer.check(dataset)
        return
    if dataset.info(source.column).kind != "category" and isinstance(source, LabelSource):
        raise Unplottable(f"Column {source.column!r} of {dataset.name!r} is no category.", got=source.column)
    if source.filter:
        check_filter(parse_filter(source.filter), dataset)


def check_target(dataset: Dataset, target: Target) -> None:
    """The same for a target."""
    if isinstance(target, RasterTarget | LineTarget):
        glyph = "line" if isinstance(target, LineTarget) else "points"
        if target.layer.glyph != glyph:
            raise BadInput(f"a target's layer is of {glyph}, got {target.layer.glyph!r}", "glyph", target.layer.glyph)
        target.layer.check(dataset)
        if isinstance(target, RasterTarget):
            target.view.check()
        return
    if isinstance(target, HistogramTarget):
        target.check()
        dataset.info(target.column)
    elif isinstance(target, BarTarget) and dataset.info(target.column).kind != "category":
        raise Unplottable(f"Column {target.column!r} of {dataset.name!r} is no category.", got=target.column)
    check(dataset, parse(target.agg))
    if target.filter:
        check_filter(parse_filter(target.filter), dataset)


def names_of(source: Source | Target, dataset: Dataset) -> set[str]:
    """The columns that a source or a target reads."""
    if isinstance(source, BoxSource | RasterTarget | LineTarget):
        layer = source.layer.bound(dataset)
        names = {layer.x, layer.y, *(layer.expression.columns if layer.expression else ())}
        return names if isinstance(source, BoxSource) else names | set(layer.reduction.columns)
    names = set[str]() if isinstance(source, TotalTarget) else {source.column}
    names |= parse_filter(source.filter).columns if source.filter else set()
    if isinstance(source, HistogramTarget | BarTarget | TotalTarget):
        names |= set(bound(parse(source.agg), dataset).columns)
    return names


def source_key(source: Source) -> Hashable:
    """What tells a source's order from others of its dataset."""
    if isinstance(source, BoxSource):
        return "box", OrderSpec.of(source.layer)
    if isinstance(source, SpanSource):
        return "span", source.column, source.axis
    return "labels", source.column


def prepare_order(source: Source, prepared: Prepared) -> SourceOrder:
    """The rows of a dataset in the order of a source, sorted if need be; some rows as they are."""
    if prepared.some is not None:
        return UnsortedOrder(prepared.rows, lambda shape: _inside(source, shape, prepared))
    found: SourceOrder
    if isinstance(source, SpanSource):
        axis = prepared.axis(source.column, source.axis, "x")
        found = prepared.keep((source_key(source), "order"), 4, lambda crew: span_order(axis, crew))
        return found
    if isinstance(source, LabelSource):
        column = prepared.column(source.column)
        found = prepared.keep((source_key(source), "order"), 4, lambda crew: label_order(column, crew))
        return found
    rows, spec = _points(replace(source.layer, agg="count", filter=""), prepared), OrderSpec.of(source.layer)
    found = prepared.keep((source_key(source), "order"), 0, lambda crew: box_order(rows, spec, prepared.rows, crew))
    return found


def _points(layer: Layer, prepared: Prepared) -> Order:
    """Points in order: those of the layer that is shown, where it has one order."""
    dataset = prepared.dataset
    order = prepared.layers.order(dataset, layer)
    if order is None:
        prepared.ready(layer)
        order = prepared.layers.order(dataset, layer)
    if order is None:
        x, y = prepared.axes(layer)
        far = layer.root == "default"
        key = ("box", OrderSpec.of(layer), "rows")
        order = prepared.keep(key, _ORDER_BYTES, lambda crew: build_order(x, y, far, crew))
        assert order is not None
    return order


def _inside(source: Source, shape: Shape, prepared: Prepared) -> Mask:
    """Which of some rows are in a brush."""
    if isinstance(source, BoxSource) and isinstance(shape, Box):
        x, y = prepared.axes(source.layer)
        return within_ends(x, *shape.x) & within_ends(y, *shape.y)
    if isinstance(source, SpanSource) and isinstance(shape, Span):
        return within_ends(prepared.axis(source.column, source.axis, "x"), shape.low, shape.high)
    if isinstance(source, LabelSource) and isinstance(shape, Labels):
        column = prepared.column(source.column)
        codes = column.values if column.valid is None else np.where(column.valid, column.values, -1)
        return np.isin(codes, list(shape.codes))
    raise BadInput(f"a brush over such a source is not {shape}", "brush", str(shape))


def prepare_target(
    target: Target, source: Source, order: SourceOrder, prepared: Prepared, workers: int, ranges: bool
) -> GridTarget | LineRows:
    """A target without rows, its columns brought into the source's order. `ranges`: rows come as whole ranges, since
    neither other brushes nor a filter leave any of them out."""
    key = source_key(source)

    def keep(what: Hashable, row_bytes: int, make: Callable[[Crew], Any]) -> Any:
        return prepared.keep((key, what), row_bytes, make)

    if isinstance(target, LineTarget):
        return _line(target, order, prepared, keep)
    beside = Beside(prepared, order, keep)
    cells: Cells
    what: tuple[Hashable, ...] = ()
    if isinstance(target, RasterTarget):
        cells = _raster(target, order, prepared, keep)
        reduction = target.layer.bound(prepared.dataset).reduction
    elif isinstance(target, HistogramTarget):
        axis = prepared.axis(target.column, target.axis, "x")
        edges, closed = target.edges, target.closed
        what = ("bins", target.column, target.axis, edges, closed)
        held: AxisNumbers | None = prepared.kept_so_far((key, _numbers_key(target.column, target.axis, "x")))
        cells = keep(what, 4, lambda crew: bins_of(axis, edges, closed, order, held, crew))
        reduction = bound(parse(target.agg), prepared.dataset)
    else:
        cells = ONE_CELL
        if isinstance(target, BarTarget):
            cells, what = beside.labels(target.column), ("labels", target.column)
        reduction = bound(parse(target.agg), prepared.dataset)
    kept, read = _kept(target, order, prepared, keep), reduced(reduction, beside)
    if isinstance(cells, Bins) and ranges and order.ranged and kept is None and read.counts_rows:
        bins = cells
        cells = keep(("blocks", what), 1, lambda crew: bin_blocks(bins, crew))
    return GridTarget(cells, read, kept, workers)


def _numbers_key(column: str, kind: str, which: str) -> Hashable:
    """The name of the numbers of an axis in an order; latitudes and longitudes are projected each in its own way."""
    return "numbers", column, kind, which if kind == "mercator" else ""


def _kept(
    target: RasterTarget | HistogramTarget | BarTarget | TotalTarget, order: SourceOrder, prepared: Prepared, keep: Keep
) -> KeptRows | None:
    """Which rows a target's filter keeps; None: all."""
    text = target.layer.filter if isinstance(target, RasterTarget) else target.filter
    if not text:
        return None

    def make(crew: Crew) -> KeptRows:
        mask = kept_rows(text, prepared)
        every = np.ones(prepared.rows, np.bool_) if mask is None else mask
        return KeptRows(frozen(in_order(order, every.view(np.uint8), crew)))

    found: KeptRows = keep(("kept", text), 1, make)
    return found


def kept_rows(text: str, prepared: Prepared) -> Mask | None:
    """Which rows a filter keeps, in the order of the file; None: all of them."""
    if not text:
        return None

    def make(crew: Crew) -> Mask:
        layer = Layer("points", prepared.dataset.columns()[0].name, "", filter=text)
        mask = replace(prepared, crew=crew).kept(layer)
        return np.ones(prepared.rows, np.bool_) if mask is None else frozen(mask)

    found: Mask = prepared.keep(("mask", text), 1, make)
    return found


def _raster(target: RasterTarget, order: SourceOrder, prepared: Prepared, keep: Keep) -> Raster:
    layer, view = target.layer, target.view
    axes, spec = prepared.axes(layer), OrderSpec.of(layer)

    def upper(crew: Crew) -> Halves | KeyedHalves:
        roots = _roots(layer, replace(prepared, crew=crew))
        for keyed in (0, 1):
            which = order.key_axis(spec, roots, keyed)
            found = None if which is None else keyed_halves(axes, roots, order, keyed, which, crew)
            if found is not None:
                return found
        return upper_halves(axes, roots, order, crew)

    def lower(crew: Crew) -> Halves:
        return lower_halves(axes, _roots(layer, replace(prepared, crew=crew)), order, crew)

    first: Halves | KeyedHalves = keep(("upper", spec), 4, upper)
    second: Halves | None = keep(("lower", spec), 4, lower) if max(view.zx, view.zy) > COARSE else None
    return Raster(first, second, view)


def _roots(layer: Layer, prepared: Prepared) -> tuple[Root, Root]:
    """The roots of a layer of points, which no filter changes."""
    known = prepared.layers.order(prepared.dataset, layer)
    if known is not None:
        return known.survey.x, known.survey.y
    bare = replace(layer, agg="count", filter="")
    facts = prepared.ready(bare).facts(prepared.dataset, bare)
    return facts.root_x, facts.root_y


def _line(target: LineTarget, order: SourceOrder, prepared: Prepared, keep: Keep) -> LineRows:
    layer = target.layer
    axes = prepared.axes(layer)
    series = _series(layer, axes, prepared)
    what = ("places", layer.x, layer.y, layer.xaxis, layer.yaxis, layer.filter)
    heights: AxisNumbers | None = None
    if len(series) and not len(series.gaps):
        if series.check_y is not None:
            series.check_y(np.zeros(1, np.int64), np.array([len(series)]))
        column = _numbers_key(layer.y, layer.yaxis, "y")
        heights = keep(column, series.y.itemsize, lambda crew: numbers_in_order(axes[1], order, crew))
    places: Places = keep(what, 4, lambda crew: places_of(series, order, crew))
    return LineRows(axes, series, places, heights, prepared.numbers, (target.x0, target.x1, target.width))


def _series(layer: Layer, axes: tuple[Axis, Axis], prepared: Prepared) -> Series:
    """A line's rows in order: those of the layer that is shown, where they are one series."""
    if prepared.some is None:
        built = prepared.ready(layer)
        if isinstance(built, LineLayer) and isinstance(built.line, OneSeries):
            return built.line.series
    mask = prepared.kept(layer) if layer.filter else None
    x = axes[0] if mask is None else Axis(hidden(axes[0].column, mask), axes[0].space)
    found: Series = prepared.keep(("series", layer.key()), 24, lambda crew: build_series(x, axes[1], crew))
    return found
