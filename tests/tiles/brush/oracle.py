"""What a brush's targets show, from all rows anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.dyadic_cells import INSIDE
from bigviz.aggregate.inputs import bound
from bigviz.aggregate.reductions.base import Reduction, Rows
from bigviz.aggregate.reductions.parse import parse
from bigviz.aggregate.spaces import space
from bigviz.data.columns.column import widen
from bigviz.data.dataset import Dataset
from bigviz.tiles.answers.window_image import WindowImage
from bigviz.tiles.brush.linked import (
    BarTarget,
    BoxSource,
    HistogramTarget,
    LineTarget,
    OtherBrush,
    RasterTarget,
    Source,
    SpanSource,
    Target,
    TotalTarget,
    filter_of,
)  # fmt: skip
from bigviz.tiles.brush.orders.shapes import Box, Shape, Span
from bigviz.tiles.engine import Engine
from bigviz.tiles.pyramid.accumulators import finished
from bigviz.wire.codec import decode

Array = np.ndarray[Any, Any]


def axis_of(dataset: Dataset, column: str, kind: str, side: Any) -> Axis:
    return Axis(dataset.column(column), space(kind, side))


def numbers(dataset: Dataset, column: str, kind: str = "linear", side: Any = "x") -> tuple[Array, Array]:
    """Axis numbers of all rows, and which are some."""
    axis = axis_of(dataset, column, kind, side)
    values, valid = axis.slice(0, dataset.num_rows)
    some = np.ones(len(values), bool) if valid is None else valid.copy()
    if values.dtype.kind == "f":
        some &= ~np.isnan(values)
    return values, some


def between(values: Array, some: Array, low: Any, high: Any) -> Array:
    """`low <= v < high` with Python's exact comparisons; an end at infinity is none."""
    pairs = zip(values.tolist(), some, strict=True)
    return np.array([bool(ok) and low <= v and (v < high or v == high == np.inf) for v, ok in pairs], bool)


def inside(dataset: Dataset, source: Source, shape: Shape | None) -> Array:
    """The rows of a brush."""
    if shape is None:
        return np.ones(dataset.num_rows, bool)
    if isinstance(shape, Box):
        assert isinstance(source, BoxSource)
        layer = source.layer
        x, y = numbers(dataset, layer.x, layer.xaxis, "x"), numbers(dataset, layer.y, layer.yaxis, "y")
        return between(*x, *shape.x) & between(*y, *shape.y)
    if isinstance(shape, Span):
        assert isinstance(source, SpanSource)
        return between(*numbers(dataset, source.column, source.axis), shape.low, shape.high)
    column = dataset.column(source.column)
    codes = column.values if column.valid is None else np.where(column.valid, column.values, -1)
    return np.isin(codes, list(shape.codes))


def passes(dataset: Dataset, text: str) -> Array:
    """The rows that one of the filters of the tests keeps."""
    if not text:
        return np.ones(dataset.num_rows, bool)
    few, known = numbers(dataset, "few")
    value, (kind, labelled) = dataset.column("value").values, numbers(dataset, "kind")
    kept: dict[str, Any] = {
        "few > 0": known & (few > 0),
        "value < 1": value < 1,
        "kind != 'a'": labelled & (kind != 0),
        "value > 0 and kind != 'a'": (value > 0) & labelled & (kind != 0),
        "not (value > -0.5 and few < 1)": (value <= -0.5) | (known & (few >= 1)),
    }
    return np.asarray(kept[text], bool)


def kept_by(dataset: Dataset, source: Source, shape: Shape | None, others: Sequence[OtherBrush], number: int) -> Array:
    """The rows of all brushes that a target shows, and the filters of their sources keep."""
    kept = inside(dataset, source, shape) & passes(dataset, filter_of(source))
    for other in others:
        if number not in other.spares:
            kept = kept & inside(dataset, other.source, other.shape) & passes(dataset, filter_of(other.source))
    return kept


def cells_of(engine: Engine, dataset: Dataset, target: Target) -> tuple[Array, tuple[int, int]]:
    """The cell of each row of a target, -1 for none, row by row from the top; and the target's width and height."""
    if isinstance(target, RasterTarget):
        layer, view = target.layer, target.view
        info = engine.info(dataset, layer)
        where, places = [], []
        for root, column, kind, side, level in (
            (info.root_x, layer.x, layer.xaxis, "x", view.zx), (info.root_y, layer.y, layer.yaxis, "y", view.zy),
        ):  # fmt: skip
            axis = axis_of(dataset, column, kind, side)
            codes = np.empty(dataset.num_rows, np.uint32)
            where.append(root.codes(*axis.slice(0, dataset.num_rows), codes) == INSIDE)
            places.append(codes.astype(np.int64) >> (24 - level))
        column = places[0] - view.left
        row = (256 << view.zy) - 1 - places[1] - view.top
        inside = where[0] & where[1] & (column >= 0) & (column < view.width) & (row >= 0) & (row < view.height)
        return np.where(inside, row * view.width + column, -1), (view.width, view.height)
    if isinstance(target, HistogramTarget):
        values, some = numbers(dataset, target.column, target.axis)
        count = len(target.edges) - 1
        cells = np.full(dataset.num_rows, -1)
        for k in range(count):
            cells[between(values, some, target.edges[k], target.edges[k + 1])] = k
        if target.closed:
            cells[[bool(ok) and v == target.edges[-1] for v, ok in zip(values.tolist(), some, strict=True)]] = count - 1
        return cells, (count, 1)
    if isinstance(target, TotalTarget):
        return np.zeros(dataset.num_rows, np.int64), (1, 1)
    assert isinstance(target, BarTarget)
    column = dataset.column(target.column)
    codes = column.values if column.valid is None else np.where(column.valid, column.values, -1)
    return codes.astype(np.int64), (len(column.categories or ()), 1)


def reduction_of(dataset: Dataset, target: Target) -> Reduction:
    if isinstance(target, RasterTarget):
        return target.layer.bound(dataset).reduction
    assert isinstance(target, HistogramTarget | BarTarget | TotalTarget)
    return bound(parse(target.agg), dataset)


def expected(engine: Engine, dataset: Dataset, target: Target, kept: Array) -> list[Any]:
    """The finished planes of a target."""
    reduction = reduction_of(dataset, target)
    cells, (width, height) = cells_of(engine, dataset, target)
    name, category = reduction.plane.column or reduction.column, reduction.category
    values = valid = codes = None
    dtype = np.dtype(np.uint32)
    own = dtype
    if name is not None:
        column = dataset.column(name)
        values, valid, own = widen(column.values), column.valid, column.values.dtype
        dtype = reduction.accumulator(column.values)
    labels: tuple[str, ...] = ()
    if category is not None:
        column = dataset.column(category)
        labels = column.categories or ()
        codes = column.values if column.valid is None else np.where(column.valid, column.values, -1)
    planes = reduction.create((height, width), dtype, len(labels))
    rows = Rows(values, valid, np.arange(dataset.num_rows), codes)
    reduction.append(planes, np.where(kept, cells, -1).astype(np.int32), rows)
    return finished(reduction, planes, own)


def decoded(image: WindowImage) -> list[Any]:
    """The planes of an image as they came, masked where cells are empty."""
    across, down = -(-image.width // 256), -(-image.height // 256)
    out = []
    for plane in range(image.planes_per_block):
        blocks = []
        for block in range(across * down):
            encoded = image.planes[block * image.planes_per_block + plane]
            assert encoded.plane == plane
            found, filled = decode(encoded)
            blocks.append(np.ma.MaskedArray(found.astype(WIDEST[found.dtype.kind]), ~filled))
        rows = [np.ma.concatenate(blocks[row * across : (row + 1) * across], axis=1) for row in range(down)]
        values = np.ma.concatenate(rows)
        assert values[image.height :].count() == 0 and values[:, image.width :].count() == 0
        out.append(values[: image.height, : image.width])
    return out


WIDEST = {"u": np.uint64, "i": np.int64, "f": np.float64}


def same(got: list[Any], wanted: list[Any], close: bool) -> None:
    """Planes as they came, and finished ones."""
    assert len(got) == len(wanted)
    for mine, theirs in zip(got, wanted, strict=True):
        raw = np.ma.getdata(theirs)
        filled = ~np.ma.getmaskarray(theirs) & ~(raw != raw)
        if not np.ma.isMaskedArray(theirs) and raw.dtype.kind in "ub":
            filled = raw != 0
        numbers = np.ma.getdata(mine)
        np.testing.assert_array_equal(~np.ma.getmaskarray(mine) & ~(numbers != numbers), filled)
        for a, b in zip(numbers[filled].tolist(), raw[filled].tolist(), strict=True):
            assert a == b or (close and abs(a - b) <= 1e-9 * max(abs(a), abs(b), 1.0)), (a, b)


def check(
    engine: Engine,
    dataset: Dataset,
    source: Source,
    shape: Shape | None,
    targets: Sequence[Target],
    step: Any,
    others: Sequence[OtherBrush] = (),
) -> None:
    """Compare a step's images with all rows."""
    for number, (target, brushed) in enumerate(zip(targets, step.targets, strict=True)):
        if brushed.image is None or not brushed.exact:
            continue
        kept = kept_by(dataset, source, shape, others, number)
        assert not isinstance(target, LineTarget)
        text = target.layer.filter if isinstance(target, RasterTarget) else target.filter
        kept = kept & passes(dataset, text)
        close = reduction_of(dataset, target).traits.float_order
        planes = expected(engine, dataset, target, kept)
        same(decoded(brushed.image), planes, close)
        if brushed.heights is not None:
            assert not isinstance(target, RasterTarget)
            heights = np.ma.MaskedArray(brushed.heights.values, ~brushed.heights.filled)
            same([each[np.newaxis] for each in heights], planes, close)
    every = [OtherBrush(other.source, other.shape) for other in others]
    assert step.rows == int(kept_by(dataset, source, shape, every, 0).sum())
    assert step.of == dataset.num_rows


def table(rng: Any, size: int) -> pa.Table:
    """Numbers of all kinds, with what is in no cell and what lies on edges."""
    missing = rng.random(size) < 0.1
    return pa.table(
        {
            "x": rng.normal(size=size).astype(np.float32),
            "y": np.where(rng.random(size) < 0.05, np.nan, rng.normal(size=size)),
            "edges": rng.choice([0.0, -0.0, 1.0, 2.0, 2.5, 2.0**-30, -1.0, np.nan, np.inf, -np.inf], size),
            "few": pa.array(rng.integers(-2, 3, size), pa.int8(), mask=missing),
            "wide": rng.integers(-(2**62), 2**62, size),
            "top": pa.array(rng.integers(2**64 - 50, 2**64 - 1, size, dtype=np.uint64, endpoint=True), mask=missing),
            "stamp": pa.array(rng.integers(-(2**60), 2**60, size), pa.timestamp("ns", "UTC"), mask=missing),
            "value": (rng.normal(size=size) * 10.0 ** rng.integers(-3, 3, size)),
            "kind": pa.array([["b", "a", "c", None][k] for k in rng.integers(0, 4, size)], pa.string()),
            "flag": pa.array(rng.random(size) < 0.5, mask=missing),
            "t": np.arange(size),
        }
    )
