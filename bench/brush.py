"""`python -m bench.brush`: steps of a brush that is dragged over all rows, against a scan of all rows for each step.

What both sides computed is compared first, and a difference stops the run. Peers scan with the same predicate: DuckDB
over the Arrow table, and numpy and datashader over columns in memory. They are given one step each, since theirs do not
depend on how far the brush has moved.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import click
import datashader as ds
import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

import bigviz as bv
from bench import stores
from bench.data import arrow
from bench.places import LARGE
from bigviz.aggregate.layer import Layer
from bigviz.data.dataset import Dataset
from bigviz.data.filters.bind import bind
from bigviz.data.filters.dragged import moved_by, range_of
from bigviz.data.filters.parse import parse
from bigviz.tiles.answers.window_image import WindowImage
from bigviz.tiles.engine import Engine
from bigviz.tiles.interface import (
    Box,
    BoxSource,
    Brush,
    HistogramTarget,
    LineTarget,
    RasterTarget,
    RasterView,
    Shape,
    Source,
    Span,
    SpanSource,
    Step,
    Target,
)  # fmt: skip
from bigviz.tiles.store.catalog.directory import StoreDirectory
from bigviz.wire.codec import decode

__all__ = ["main"]

Array = npt.NDArray[Any]

WIDTH, HEIGHT = 1024, 768
PIXELS: Final = 8  # that the brush moves a step
STEPS: Final = 60
PEER_STEPS: Final = 3
BINS: Final = 100
NAMES: Final = ("x", "y", "value")


@dataclass
class Table:
    """A table of points with the layers that are linked: x by y is brushed, y by value and value alone show it."""

    path: Path
    dataset: Dataset
    engine: Engine

    @cached_property
    def columns(self) -> dict[str, Array]:
        """x, y and value in memory: 12 bytes a row."""
        return {name: self.dataset.column(name).values for name in NAMES}

    @cached_property
    def ends(self) -> dict[str, tuple[float, float]]:
        """The least and the greatest number of each column."""
        found = [{name: (piece[name].min(), piece[name].max()) for name in NAMES} for piece in self.pieces()]
        return {
            name: (float(min(each[name][0] for each in found)), float(max(each[name][1] for each in found)))
            for name in NAMES
        }

    def pieces(self) -> Iterator[dict[str, Array]]:
        """x, y and value of a record batch after another: memory does not hold those of 10^9 rows beside the rest."""
        with pa.memory_map(str(self.path)) as source:
            file = pa.ipc.open_file(source)
            for number in range(file.num_record_batches):
                batch = file.get_batch(number)
                yield {name: batch.column(name).to_numpy() for name in NAMES}

    @property
    def points(self) -> Layer:
        return Layer("points", "x", "y")

    @property
    def raster(self) -> RasterTarget:
        """y by value, about a cell a pixel."""
        layer = Layer("points", "y", "value")
        info = self.engine.info(self.dataset, layer)
        assert info.range is not None
        levels, corners = [], []
        for side, pixels in enumerate((WIDTH, HEIGHT)):
            extent = info.extent[side + 2] - info.extent[side]
            shown = info.range[side + 2] - info.range[side]
            levels.append(max(0, round(np.log2(pixels / 256 * extent / shown))))
            cell = extent / (256 << levels[-1])
            end = info.range[side] - info.extent[side] if side == 0 else info.extent[3] - info.range[3]
            corners.append(int(end / cell))
        return RasterTarget(layer, RasterView(levels[0], levels[1], corners[0], corners[1], WIDTH, HEIGHT))

    @property
    def histogram(self) -> HistogramTarget:
        return HistogramTarget("value", tuple(np.linspace(*self.ends["value"], BINS + 1).tolist()))

    @property
    def line(self) -> LineTarget:
        return LineTarget(Layer("line", "x", "value", "any"), *self.ends["x"], WIDTH)

    def boxes(self) -> Iterator[Box]:
        """A box of 300 x 300 pixels that is dragged to the right and up and down."""
        (x0, x1), (y0, y1) = self.ends["x"], self.ends["y"]
        across, up = (x1 - x0) / WIDTH, (y1 - y0) / HEIGHT
        for step in range(STEPS):
            left = 250 + (PIXELS * step) % 400
            bottom = 200 + abs(PIXELS * step % 160 - 80)
            yield Box((x0 + left * across, x0 + (left + 300) * across), (y0 + bottom * up, y0 + (bottom + 300) * up))

    def spans(self) -> Iterator[Span]:
        """A slider that lets more and more rows go."""
        low, high = self.ends["value"]
        for step in range(STEPS):
            yield Span(low + (100 + PIXELS * step) * (high - low) / WIDTH, np.inf)


def opened(rows: int) -> Table:
    """The table with its layers in order: in memory, or that of the source in its store."""
    path = arrow("points", rows)
    dataset = bv.open(str(path), name="table")
    if rows > LARGE:
        store = stores.of(path)
        table = Table(path, dataset, Engine(0, stores=StoreDirectory(store) if store else None, index="existing"))
        table.engine.ensure(dataset, table.points)
    else:
        table = Table(path, dataset, Engine(0))
        for layer in (table.points, table.raster.layer):
            table.engine.ensure(dataset, layer)
    table.engine.rehearse_brushes()  # as servers do
    return table


def dragged(brush: Brush, shapes: Sequence[Shape]) -> tuple[list[float], Step]:
    """Milliseconds of each step but the first, and the last step."""
    step = brush.move(shapes[0])
    found = []
    for shape in shapes[1:]:
        begun = time.perf_counter()
        step = brush.move(shape)
        found.append(1e3 * (time.perf_counter() - begun))
    return found, step


def filter_drag(table: Table) -> None:
    """A slider in a filter, `value >= $least`: each step is read from the filter, and moves 8 of its 1,024 pixels."""
    moving = moved_by(parse("value >= $least"), "least")
    assert moving is not None
    low, high = table.ends["value"]

    def span(step: int) -> Span:
        part = bind(moving.part, {"least": low + (100 + PIXELS * step) * (high - low) / WIDTH})
        ends = None if part is None else range_of(part, table.dataset, lambda name: True)
        assert ends is not None
        return Span(*ends)

    begun = time.perf_counter()
    brush = table.engine.brush(table.dataset, SpanSource(moving.column), [table.raster])
    first = brush.move(span(0))
    estimated = time.perf_counter() - begun
    brush.wait()
    kind = "exact" if first.exact else "an estimate"
    print(f"filter drag: ready after {time.perf_counter() - begun:.2f} s, {kind} after {estimated:.2f} s", flush=True)
    brush.move(span(0))
    samples = []
    for number in range(1, STEPS):
        begun = time.perf_counter()
        step = brush.move(span(number))
        samples.append(1e3 * (time.perf_counter() - begun))
    told(f"filter drag: a step of {PIXELS} pixels", samples)
    found = step.targets[0].image
    assert found is not None and step.exact
    np.testing.assert_array_equal(image(found), by_numpy(table, span(STEPS - 1), [table.columns]))
    brush.close()


def image(found: WindowImage) -> Array:
    """An image of counts as an array."""
    across, down = -(-found.width // 256), -(-found.height // 256)
    blocks = [decode(plane)[0] for plane in found.planes]
    rows = [np.concatenate(blocks[row * across : (row + 1) * across], axis=1) for row in range(down)]
    return np.concatenate(rows)[: found.height, : found.width].astype(np.int64)


def mask_of(columns: Mapping[str, Array], shape: Shape) -> Array:
    """Which rows are in a brush, by a look at all of them."""
    if isinstance(shape, Box):
        x, y = columns["x"], columns["y"]
        return (x >= shape.x[0]) & (x < shape.x[1]) & (y >= shape.y[0]) & (y < shape.y[1])
    assert isinstance(shape, Span)
    value = columns["value"]
    return (value >= shape.low) & (value < shape.high)


def by_numpy(table: Table, shape: Shape, pieces: Iterable[Mapping[str, Array]]) -> Array:
    """The raster's counts, of all pieces of the table."""
    target = table.raster
    info, view = table.engine.info(table.dataset, target.layer), target.view
    top = (256 << view.zy) - 1 - view.top
    counts = np.zeros(view.width * view.height, np.int64)
    for columns in pieces:
        mask = mask_of(columns, shape)
        y, value = (columns[name][mask].astype(np.float64) for name in ("y", "value"))
        column = np.floor((y - info.extent[0]) / ((info.extent[2] - info.extent[0]) / (256 << view.zx))) - view.left
        row = top - np.floor((value - info.extent[1]) / ((info.extent[3] - info.extent[1]) / (256 << view.zy)))
        inside = (column >= 0) & (column < view.width) & (row >= 0) & (row < view.height)
        cells = row[inside].astype(np.int64) * view.width + column[inside].astype(np.int64)
        counts += np.bincount(cells, minlength=len(counts))
    return counts.reshape(view.height, view.width)


def by_duckdb(table: Table, shape: Shape, rows: pa.Table) -> Array:
    """The same by a query."""
    target = table.raster
    info, view = table.engine.info(table.dataset, target.layer), target.view
    wide, high = ((info.extent[k + 2] - info.extent[k]) / (256 << z) for k, z in ((0, view.zx), (1, view.zy)))
    if isinstance(shape, Box):
        where = f"x >= {shape.x[0]!r} AND x < {shape.x[1]!r} AND y >= {shape.y[0]!r} AND y < {shape.y[1]!r}"
    else:
        assert isinstance(shape, Span)
        where = f"value >= {shape.low!r}"
    i = f"CAST(floor((y::DOUBLE - {info.extent[0]!r}) / {wide!r}) AS INTEGER) - {view.left}"
    j = f"{(256 << view.zy) - 1 - view.top} - CAST(floor((value::DOUBLE - {info.extent[1]!r}) / {high!r}) AS INTEGER)"
    query = f"SELECT {i} AS i, {j} AS j, count(*) AS n FROM rows WHERE {where} GROUP BY i, j"
    with duckdb.connect() as connection:
        connection.register("rows", rows)
        found: Any = connection.execute(query)
        cells = found.fetch_arrow_table()
    column, row, n = (cells.column(k).to_numpy() for k in range(3))
    inside = (column >= 0) & (column < view.width) & (row >= 0) & (row < view.height)
    out = np.zeros((view.height, view.width), np.int64)
    out[row[inside], column[inside]] = n[inside]
    return out


def by_datashader(frame: pd.DataFrame, table: Table, shape: Shape) -> int:
    """The number of rows that datashader draws of those in the brush, in its own cells."""
    part = frame[mask_of(table.columns, shape)]
    canvas = ds.Canvas(WIDTH, HEIGHT)
    return int(canvas.points(part, "y", "value").sum())


def timed(work: Callable[[], Any]) -> float:
    """Milliseconds of the median of a few calls."""
    found = []
    for _ in range(PEER_STEPS):
        begun = time.perf_counter()
        work()
        found.append(1e3 * (time.perf_counter() - begun))
    return float(np.median(found))


def told(what: str, samples: Sequence[float]) -> None:
    """Print a line of figures."""
    p50, p95 = np.percentile(samples, [50, 95])
    load = os.getloadavg()[0]
    print(f"{what:<62} p50 {p50:9.1f} ms   p95 {p95:9.1f} ms   load {load:.1f}", flush=True)


def case(table: Table, name: str, source: Source, targets: Sequence[Target], shapes: Sequence[Shape]) -> Step:
    """One brush, from the pointer's entering to its last step."""
    begun = time.perf_counter()
    brush = table.engine.brush(table.dataset, source, targets)
    first = brush.move(shapes[0])
    estimated = time.perf_counter() - begun
    brush.wait()
    kind = "exact" if first.exact else "an estimate"
    print(f"{name}: ready after {time.perf_counter() - begun:.2f} s, {kind} after {estimated:.2f} s", flush=True)
    samples, step = dragged(brush, shapes)
    told(f"{name}: a step of {PIXELS} pixels", samples)
    brush.close()
    return step


@click.command()
@click.option("--rows", default="1e7,1e8", show_default=True, help="Numbers of rows.")
@click.option("--alone", is_flag=True, help="Leave the peers out.")
def main(rows: str, alone: bool) -> None:
    """Measure steps of a brush: boxes over points into a raster, into a histogram and a line, and a slider, by itself
    and in a filter."""
    for count in (int(float(each)) for each in rows.split(",")):
        table = opened(count)
        boxes, spans = list(table.boxes()), list(table.spans())
        print(f"{count:,} rows", flush=True)
        box = case(table, "box -> raster", BoxSource(table.points), [table.raster], boxes)
        _check(table, box, boxes[-1])
        if count > LARGE:  # memory has no room for the orders of the others
            continue
        filter_drag(table)
        slider = case(table, "slider -> raster", SpanSource("value"), [table.raster], spans)
        _check(table, slider, spans[-1])
        if not alone:
            _peers(table, boxes[-1], box)
        table.engine.ensure(table.dataset, table.line.layer)
        case(table, "box -> histogram and line", BoxSource(table.points), [table.histogram, table.line], boxes)


def _check(table: Table, step: Step, shape: Shape) -> None:
    """That the last step is exact, and equals a scan."""
    found = step.targets[0].image
    assert found is not None and step.exact
    np.testing.assert_array_equal(image(found), by_numpy(table, shape, table.pieces()))


def _peers(table: Table, shape: Shape, step: Step) -> None:
    rows = pa.table(table.columns)
    found = step.targets[0].image
    assert found is not None
    np.testing.assert_array_equal(image(found), by_duckdb(table, shape, rows))
    told("box -> raster: DuckDB, a scan", [timed(lambda: by_duckdb(table, shape, rows))])
    told("box -> raster: numpy, a scan", [timed(lambda: by_numpy(table, shape, [table.columns]))])
    frame = pd.DataFrame(table.columns)
    assert by_datashader(frame, table, shape) == step.rows
    told("box -> raster: datashader, a scan", [timed(lambda: by_datashader(frame, table, shape))])


if __name__ == "__main__":
    main()
