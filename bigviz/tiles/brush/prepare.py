"""What a brush needs before it can move: its source's order, and each target's columns in that order."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.inputs import bound, check
from bigviz.aggregate.layer import Layer
from bigviz.aggregate.reductions.parse import parse
from bigviz.aggregate.spaces import space
from bigviz.common.errors import BadInput, Unplottable
from bigviz.common.jit import frozen, jit
from bigviz.common.workers import Crew, slices
from bigviz.data.dataset import Dataset
from bigviz.tiles.answers.layer_answers import LayerAnswers
from bigviz.tiles.answers.line_layer import LineLayer
from bigviz.tiles.brush.held import BrushMemory
from bigviz.tiles.brush.linked import (
    BoxSource,
    HistogramTarget,
    LabelSource,
    LineTarget,
    RasterTarget,
    Source,
    SpanSource,
    Target,
)  # fmt: skip
from bigviz.tiles.brush.orders.box_order import box_order
from bigviz.tiles.brush.orders.sorted_order import label_order, span_order
from bigviz.tiles.brush.orders.source_order import SourceOrder
from bigviz.tiles.brush.targets.cells import Cells, Raster, Words, bins_of, words_of
from bigviz.tiles.brush.targets.grid_target import GridTarget
from bigviz.tiles.brush.targets.in_order import filled, in_order
from bigviz.tiles.brush.targets.line_rows import NOWHERE, LineRows, Places
from bigviz.tiles.brush.targets.reduced import Beside, reduced
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.morton.order import Order, build_order
from bigviz.tiles.series.line import OneSeries
from bigviz.tiles.series.series import Series, build_series

__all__ = ["Layers", "Prepared", "check_source", "check_target", "prepare_order", "prepare_target"]

Array = npt.NDArray[Any]
Keep = Callable[[Hashable, int, Callable[[Crew], Any]], Any]

_ORDER_BYTES: Final = 12


class Layers(Protocol):
    """The built layers of an engine."""

    def ready(self, dataset: Dataset, layer: Layer, crew: Crew) -> LayerAnswers:
        """A layer, built if need be."""

    def order(self, dataset: Dataset, layer: Layer) -> Order | None:
        """The rows of a layer of points in order, where it has one order of all of them."""


@dataclass(frozen=True)
class Prepared:
    """A dataset whose brushes are prepared with some layers and some memory."""

    dataset: Dataset
    layers: Layers
    memory: BrushMemory
    crew: Crew

    def axis(self, column: str, kind: str, which: str) -> Axis:
        """A column in a space."""
        found = self.dataset.column(column, self.crew.progress, self.crew.cancel)
        return Axis(found, space(kind, "x" if which == "x" else "y"))

    def axes(self, layer: Layer) -> tuple[Axis, Axis]:
        """Both axes of a layer."""
        return self.axis(layer.x, layer.xaxis, "x"), self.axis(layer.y, layer.yaxis, "y")

    def keep(self, key: Hashable, row_bytes: int, make: Callable[[Crew], Any]) -> Any:
        """What memory holds of this version of the dataset under a key, or is made now."""
        whole = (self.dataset.fingerprint, self.dataset.version, key)
        return self.memory.get(whole, self.dataset.num_rows * row_bytes, make, self.crew)


def check_source(dataset: Dataset, source: Source) -> None:
    """Raise BadInput, NotFound or Unplottable for a source that the dataset does not have; nothing is read."""
    if isinstance(source, BoxSource):
        if source.layer.glyph != "points":
            raise BadInput(
                f"a box is brushed over points, got glyph {source.layer.glyph!r}", "glyph", source.layer.glyph
            )
        source.layer.check(dataset)
    elif dataset.info(source.column).kind != "category" and isinstance(source, LabelSource):
        raise Unplottable(f"Column {source.column!r} of {dataset.name!r} is no category.", got=source.column)


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
    elif dataset.info(target.column).kind != "category":
        raise Unplottable(f"Column {target.column!r} of {dataset.name!r} is no category.", got=target.column)
    check(dataset, parse(target.agg))


def source_key(source: Source) -> Hashable:
    """What tells a source's order from others of its dataset."""
    if isinstance(source, BoxSource):
        return "box", OrderSpec.of(source.layer)
    if isinstance(source, SpanSource):
        return "span", source.column, source.axis
    return "labels", source.column


def prepare_order(source: Source, prepared: Prepared) -> SourceOrder:
    """The rows of a dataset in the order of a source, sorted if need be."""
    dataset = prepared.dataset
    if isinstance(source, SpanSource):
        axis = prepared.axis(source.column, source.axis, "x")
        found: SourceOrder = prepared.keep((source_key(source), "order"), 4, lambda crew: span_order(axis, crew))
        return found
    if isinstance(source, LabelSource):
        column = dataset.column(source.column, prepared.crew.progress, prepared.crew.cancel)
        found = prepared.keep((source_key(source), "order"), 4, lambda crew: label_order(column, crew))
        return found
    layer = source.layer
    prepared.layers.ready(dataset, layer, prepared.crew)
    order = prepared.layers.order(dataset, layer)
    if order is None:
        x, y = prepared.axes(layer)
        far = layer.root == "default"
        key = (source_key(source), "rows")
        order = prepared.keep(key, _ORDER_BYTES, lambda crew: build_order(x, y, far, crew))
    assert order is not None
    rows = order
    found = prepared.keep((source_key(source), "order"), 0, lambda crew: box_order(rows, dataset.num_rows))
    return found


def prepare_target(
    target: Target, source: Source, order: SourceOrder, prepared: Prepared, workers: int
) -> GridTarget | LineRows:
    """A target without rows, its columns brought into the source's order."""
    key = source_key(source)

    def keep(what: Hashable, row_bytes: int, make: Callable[[Crew], Any]) -> Any:
        return prepared.keep((key, what), row_bytes, make)

    if isinstance(target, LineTarget):
        return _line(target, order, prepared, keep, workers)
    beside = Beside(prepared.dataset, order, keep, prepared.crew)
    cells: Cells
    if isinstance(target, RasterTarget):
        cells = Raster(_words(target.layer, order, prepared, keep), target.view)
        reduction = target.layer.bound(prepared.dataset).reduction
    elif isinstance(target, HistogramTarget):
        axis = prepared.axis(target.column, target.axis, "x")
        edges, closed = target.edges, target.closed
        what = ("bins", target.column, target.axis, edges, closed)
        cells = keep(what, 4, lambda crew: bins_of(axis, edges, closed, order, crew))
        reduction = bound(parse(target.agg), prepared.dataset)
    else:
        cells = beside.labels(target.column)
        reduction = bound(parse(target.agg), prepared.dataset)
    return GridTarget(cells, reduced(reduction, beside), workers)


def _words(layer: Layer, order: SourceOrder, prepared: Prepared, keep: Keep) -> Words:
    bare = replace(layer, agg="count")
    what = ("words", OrderSpec.of(bare))
    built = prepared.layers.ready(prepared.dataset, layer, prepared.crew)
    facts = built.facts(prepared.dataset, layer.bound(prepared.dataset))
    axes = prepared.axes(layer)
    roots = facts.root_x, facts.root_y
    found: Words = keep(what, 8, lambda crew: words_of(axes, roots, order, crew))
    return found


def _line(target: LineTarget, order: SourceOrder, prepared: Prepared, keep: Keep, workers: int) -> LineRows:
    layer = target.layer
    built = prepared.layers.ready(prepared.dataset, layer, prepared.crew)
    axes = prepared.axes(layer)
    if isinstance(built, LineLayer) and isinstance(built.line, OneSeries):
        series = built.line.series
    else:
        series = prepared.keep(("series", layer.key()), 24, lambda crew: build_series(*axes, crew))
    what = ("places", layer.x, layer.y, layer.xaxis, layer.yaxis)
    places = keep(what, 8, lambda crew: _places(series, axes[1], order, crew))
    window = target.x0, target.x1, target.width
    return LineRows(axes, series, places, prepared.dataset.first_row, window, workers)


def _places(series: Series, y: Axis, order: SourceOrder, crew: Crew) -> Places:
    """Where each row lies in a line, and its y, unless the line has gaps."""
    rows, total = order.rows, len(series)
    places = np.full(rows, NOWHERE, np.uint32)

    def put(piece: tuple[int, int]) -> int:
        positions = np.arange(*piece, dtype=np.int64)
        _put(positions, series.numbers(positions), places)
        return piece[1] - piece[0]

    crew.run("finding rows", put, slices(total), total)
    found = frozen(in_order(order, places, crew))
    if len(series.gaps) or not total:
        return Places(found)
    if series.check_y is not None:
        series.check_y(np.zeros(1, np.int64), np.array([total]))
    heights = filled(rows, series.y.dtype, lambda start, stop: y.slice(start, stop)[0], crew)
    return Places(found, frozen(in_order(order, heights, crew)))


@jit
def _put(positions: Array, rows: Array, places: Array) -> None:
    for k in range(rows.size):
        places[rows[k]] = np.uint32(positions[k])
