"""Warm-up: layers, filters, selections and brushes over a small table, so that their kernels are compiled or loaded."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq

from bigviz.aggregate.layer import Layer
from bigviz.aggregate.layer_options import BARS
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import BigvizError
from bigviz.common.workers import Crew
from bigviz.data.columns.column import ColumnInfo
from bigviz.data.dataset import Dataset
from bigviz.data.filters.tree import ColumnName
from bigviz.data.open import open_files
from bigviz.tiles.answers.row_lookup import RowOrder
from bigviz.tiles.brush.linked import (
    BarTarget,
    BoxSource,
    HistogramTarget,
    LineTarget,
    RasterTarget,
    RasterView,
    Source,
    SpanSource,
    Target,
)  # fmt: skip
from bigviz.tiles.brush.orders.shapes import Box, Shape, Span
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.grid.window import Number
from bigviz.tiles.interface import Engine
from bigviz.tiles.layer_inputs import kept_columns
from bigviz.tiles.morton.masked_cells import rehearse as rehearse_masked
from bigviz.tiles.rehearsal.small_table import small_table
from bigviz.tiles.rehearsal.table_types import TableTypes
from bigviz.tiles.selection.region import Lasso, Rectangle, Region, Strip
from bigviz.tiles.store.catalog.directory import StoreDirectory

__all__ = ["rehearse"]

EngineOf = Callable[[StoreDirectory | None], Engine]
Step = Callable[[], object]

_STORE_BYTES: Final = 1 << 28
_HOME: Final = TileKey(0, 0, 0, 0)
_MOST_STATS: Final = 4


def rehearse(engine_of: EngineOf, types: TableTypes, look: Step = lambda: None, cancel: Cancel = NEVER) -> None:
    """Ask for layers of a small table of these types, for their rows under filters and in selections, and brush them,
    over indexes on the disk where the table's are. What such a table does not have is left out. `look` is called before
    each step. Raises Cancelled."""
    layers = types.layers
    with tempfile.TemporaryDirectory(prefix="bigviz-rehearsal-") as folder:
        path = Path(folder) / "table.parquet"
        pq.write_table(small_table(types.schema), path)
        dataset = open_files(str(path))
        stores = StoreDirectory(Path(folder) / "stores", _STORE_BYTES, tell=_unsaid) if types.stored else None
        if stores is not None:
            for layer in layers:
                with suppress(BigvizError):
                    stores.build(dataset, OrderSpec.of(layer), kept_columns(layer), Crew(1, cancel=cancel),
                                 layer.reduction)  # fmt: skip
        engine = engine_of(stores)
        for layer in layers:
            for step in _steps(engine, dataset, layer, [each for each in layers if each.glyph == "line"]):
                look()
                cancel.check()
                with suppress(BigvizError):
                    step()
        engine.forget(dataset)


def _unsaid(words: str) -> None:
    """Nobody needs to know of indexes that are gone in a moment."""


def _steps(engine: Engine, dataset: Dataset, layer: Layer, lines: Sequence[Layer]) -> Iterator[Step]:
    """What is asked for, step by step: what comes first in a page first."""
    yield partial(_shown, engine, dataset, layer)
    if layer.glyph == "points":
        yield rehearse_masked
    infos = dataset.columns()
    numbers = [info for info in infos if info.readable and info.kind in ("integer", "float")]
    for info in infos:
        text = _filter_of(info)
        if text is not None:
            yield partial(_shown, engine, dataset, replace(layer, filter=text))
    if layer.glyph in BARS:
        return
    try:
        found = engine.info(dataset, layer).range
    except BigvizError:
        return
    if found is None:
        return
    x, y = _middle(found[0], found[2]), _middle(found[1], found[3])
    stats = [info.name for info in numbers][:_MOST_STATS]
    by = next((info.name for info in infos if info.kind == "category"), None)
    regions: list[Region] = [Strip(x)]
    if layer.glyph == "points":
        regions = [Rectangle(x, y), Lasso.of([(x[0], y[0]), (x[1], y[0]), (x[1], y[1])])]
        yield lambda: engine.first_rows(dataset, layer, x, y, RowOrder(layer.x), 10)
    for region in regions:
        yield partial(engine.select, dataset, layer, region, stats, by)
    yield partial(_brushed, engine, dataset, layer, (x, y), numbers, lines)


def _shown(engine: Engine, dataset: Dataset, layer: Layer) -> None:
    engine.ensure(dataset, layer)
    found = engine.info(dataset, layer).range
    if found is None:
        return
    if layer.glyph == "points":
        engine.tile(dataset, layer, _HOME)
        engine.window_image(dataset, layer, _middle(found[0], found[2]), _middle(found[1], found[3]), (64, 64))
    elif layer.glyph == "line":
        engine.columns(dataset, layer, found[0], found[2], 64)
    else:
        engine.bars(dataset, layer, found[0], found[2])


def _filter_of(info: ColumnInfo) -> str | None:
    """A filter that keeps some rows of a small table by a column; None for one without an order that texts can say."""
    name = ColumnName(info.name)
    if not info.readable:
        return None
    if info.kind in ("integer", "float", "decimal"):
        return f"{name} >= 3 and {name} < 90"
    return f"{name} != '1'" if info.kind == "category" else None


def _middle(low: Number, high: Number) -> tuple[Number, Number]:
    """The middle half of a range, which is not empty."""
    quarter = (high - low) // 4 if isinstance(low, int) and isinstance(high, int) else (high - low) / 4
    return low + quarter, max(high - quarter, low + quarter + 1)


def _brushed(
    engine: Engine,
    dataset: Dataset,
    layer: Layer,
    window: tuple[tuple[Number, Number], tuple[Number, Number]],
    numbers: Sequence[ColumnInfo],
    lines: Sequence[Layer],
) -> None:
    """A brush over the layer, moved once: over rasters, histograms, bars and lines of the same table."""
    (x, y), source, shapes = window, SpanSource(layer.x, _kind(layer)), list[Shape]()
    targets: list[Target] = [HistogramTarget(info.name, (0, 20, 50, 100)) for info in numbers[:_MOST_STATS]]
    targets += [BarTarget(info.name) for info in dataset.columns() if info.kind == "category"][:1]
    targets += [LineTarget(each, *_ends(engine, dataset, each), 64) for each in lines[:1]]
    moving: Source = source
    if layer.glyph == "points":
        targets.append(RasterTarget(layer, RasterView(1, 1, 0, 0, 512, 512)))
        moving, shapes = BoxSource(layer), [Box(x, y), Box((x[0], x[1]), (y[0], y[1] + 1))]
    else:
        shapes = [Span(*x), Span(x[0], x[1] + 1)]
    brush = engine.brush(dataset, moving, targets)
    try:
        brush.wait()
        for shape in shapes:
            brush.move(shape)
    finally:
        brush.close()


def _ends(engine: Engine, dataset: Dataset, line: Layer) -> tuple[Number, Number]:
    found = engine.info(dataset, line).range
    return (0, 1) if found is None else (found[0], found[2])


def _kind(layer: Layer) -> str:
    """The space of x; times are numbers."""
    return "linear" if layer.xaxis == "datetime" else layer.xaxis
