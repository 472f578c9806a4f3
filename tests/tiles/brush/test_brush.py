"""Random walks of brushes equal all rows anew, after every step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from bigviz.aggregate.layer import Layer
from bigviz.common.errors import TooLarge
from bigviz.data.dataset import Dataset
from bigviz.data.open import open as open_table
from bigviz.tiles.brush.linked import (
    BarTarget,
    BoxSource,
    HistogramTarget,
    LabelSource,
    OtherBrush,
    RasterTarget,
    RasterView,
    Source,
    SpanSource,
    Target,
    TotalTarget,
)  # fmt: skip
from bigviz.tiles.brush.orders.shapes import Box, Labels, Shape, Span
from bigviz.tiles.brush.targets import bin_blocks, counted_blocks
from bigviz.tiles.engine import Engine
from bigviz.tiles.morton import sorted_keys

from . import oracle

AGGS = (
    "count", "any", "count(value)", "count(few)", "sum(value)", "mean(value)", "sum(few)", "mean(few)", "sum(wide)",
    "mean(x)", "mean(stamp)", "min(value)", "max(wide)", "max(top)", "first(value)", "last(few)", "by(kind)",
    "by(kind, mean(x))", "by(kind, max(value))", "by(flag, any())", "sum(edges)", "mean(top)",
)  # fmt: skip
POINTS = Layer("points", "x", "y")
SIZE = 700


@pytest.fixture(autouse=True)
def _small_tables_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables of some hundred rows have tables of squares, and blocks of bins and of cells."""
    monkeypatch.setattr(sorted_keys, "_TOLD", 8)
    monkeypatch.setattr(bin_blocks, "_LEAST", 3)
    monkeypatch.setattr(bin_blocks, "_ROWS", 1)
    monkeypatch.setattr(counted_blocks, "_FINEST", 2)
    monkeypatch.setattr(counted_blocks, "_LEVELS", 3)
    monkeypatch.setattr(counted_blocks, "_WORTH", 0)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(threads=2)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return open_table(oracle.table(np.random.default_rng(1), SIZE))


def box(rng: Any, before: Shape | None) -> Shape | None:
    """Another box: moved, grown, shrunk, somewhere else, or none."""
    how = rng.integers(6)
    if not isinstance(before, Box) or how == 0:
        x, y = np.sort(rng.normal(size=2)).tolist(), np.sort(rng.normal(size=2)).tolist()
        return Box((x[0], x[1]), (y[0], y[1]))
    if how == 1:
        return None
    less, more = rng.normal(size=2) * 0.1, rng.normal(size=2) * 0.1
    x = sorted((before.x[0] + float(less[0]), before.x[1] + float(more[0])))
    y = sorted((before.y[0] + float(less[1]), before.y[1] + float(more[1])))
    return Box((x[0], x[1]), (y[0], y[1]))


def span(rng: Any, numbers: Any) -> Shape | None:
    """A span between numbers that rows have, and in between, to no end on some sides."""
    how = rng.integers(5)
    if how == 0:
        return None
    low, high = sorted(rng.choice(numbers, 2).tolist())
    low, high = (-np.inf if how == 1 else low), (np.inf if how == 2 else high)
    return Span(low, high) if low < high else None


def view(rng: Any) -> RasterView:
    zx, zy = (int(each) for each in rng.integers(0, 4, 2))
    left, top = int(rng.integers(-20, 200 << zx)), int(rng.integers(-20, 200 << zy))
    return RasterView(zx, zy, left, top, int(rng.integers(1, 300)), int(rng.integers(1, 300)))


HOME = RasterView(0, 0, 0, 0, 256, 256)


@pytest.mark.parametrize("agg", AGGS)
def test_boxes_walk_over_points(engine: Engine, dataset: Dataset, agg: str) -> None:
    rng = np.random.default_rng(AGGS.index(agg))
    targets: list[Target] = [
        RasterTarget(Layer("points", "few", "value", agg), HOME),
        HistogramTarget("value", (-5.0, -1.0, 0.0, 0.5, 3.0, 100.0), agg),
        BarTarget("kind", agg) if not agg.startswith("by") else HistogramTarget("few", (-1, 0, 1.5, 2), agg),
        TotalTarget(agg, "value < 1"),
    ]
    source, shape = BoxSource(POINTS), None
    brush = engine.brush(dataset, source, targets)
    for turn in range(8):
        shape = box(rng, shape)
        step = brush.move(shape)
        oracle.check(engine, dataset, source, shape, targets, step)
        if turn % 4 == 3:
            targets[0] = RasterTarget(Layer("points", "few", "value", agg), view(rng))
            oracle.check(engine, dataset, source, shape, targets, brush.retarget(0, targets[0]))
        if turn % 3 == 1:
            brush.count_blocks()
        if turn % 3 == 2:
            settled = brush.settle()
            assert settled.exact
            oracle.check(engine, dataset, source, shape, targets, settled)
    brush.close()


def test_targets_over_axes_of_the_source(engine: Engine, dataset: Dataset) -> None:
    """Codes that are in the keys of the source's order; those of rows without a key, and of an axis that is projected
    in another way on the other side, are looked up."""
    rng = np.random.default_rng(11)
    layers = [
        *(Layer("points", *names) for names in (("x", "y"), ("y", "x"), ("y", "value"), ("few", "x"), ("edges", "y"))),
        *(Layer("points", *names, xaxis="mercator", yaxis="mercator") for names in (("x", "few"), ("few", "x"))),
    ]
    targets: list[Target] = [RasterTarget(layer, HOME) for layer in layers]
    for source in (BoxSource(POINTS), BoxSource(layers[-1]), BoxSource(Layer("points", "edges", "x"))):
        shape: Shape | None = None
        brush = engine.brush(dataset, source, targets)
        for turn in range(6):
            shape = box(rng, shape)
            oracle.check(engine, dataset, source, shape, targets, brush.move(shape))
            if turn == 1:
                brush.count_blocks()
            if turn == 3:
                targets[0] = RasterTarget(layers[0], RasterView(3, 2, 700, 300, 300, 300))
                oracle.check(engine, dataset, source, shape, targets, brush.retarget(0, targets[0]))
        brush.close()


@pytest.mark.parametrize("column", ["few", "top", "wide", "stamp", "edges", "y", "t"])
def test_spans_walk_along_columns(engine: Engine, dataset: Dataset, column: str) -> None:
    rng = np.random.default_rng(7)
    values, some = oracle.numbers(dataset, column)
    numbers = values[some & (np.abs(values) < np.inf)]
    targets: list[Target] = [RasterTarget(Layer("points", "x", "y", "count"), HOME), BarTarget("kind", "mean(value)")]
    source: Source = SpanSource(column)
    brush = engine.brush(dataset, source, targets)
    for _ in range(15):
        shape = span(rng, numbers)
        oracle.check(engine, dataset, source, shape, targets, brush.move(shape))
        brush.count_blocks()
    brush.close()


def test_labels_come_and_go(engine: Engine, dataset: Dataset) -> None:
    targets: list[Target] = [RasterTarget(POINTS, HOME), HistogramTarget("few", (-2, -1, 0, 1, 2), closed=False)]
    source = LabelSource("kind")
    brush = engine.brush(dataset, source, targets)
    for codes in ({0}, {0, 2}, {2}, {-1}, set(), {0, 1, 2, -1}, {1, 7}):
        shape = Labels(frozenset(codes))
        oracle.check(engine, dataset, source, shape, targets, brush.move(shape))
    brush.close()


@pytest.mark.parametrize(
    "kept", [("", "", "", ""), ("few > 0", "kind != 'a'", "not (value > -0.5 and few < 1)", "value < 1")]
)
def test_brushes_filter_each_other(engine: Engine, dataset: Dataset, kept: tuple[str, ...]) -> None:
    """Each target shows the rows of all brushes but its own that their sources' filters keep, and its own filter."""
    rng = np.random.default_rng(3)
    first, second, third, fourth = kept
    targets: list[Target] = [
        RasterTarget(Layer("points", "few", "value", filter=fourth), HOME),
        HistogramTarget("x", (-1.0, 0.0, 1.0), "max(value)", filter=second),
        BarTarget("kind", filter=third),
    ]
    others = [
        OtherBrush(SpanSource("value", filter=third), Span(-1.0, np.inf), frozenset({0})),
        OtherBrush(LabelSource("kind", fourth), Labels(frozenset({0, 2})), frozenset({2})),
        OtherBrush(BoxSource(Layer("points", "x", "few", filter=first)), Box((-1.0, 1.5), (-1, 2)), frozenset({1})),
    ]
    shape: Shape | None = None
    source = BoxSource(replace(POINTS, filter=second))
    brush = engine.brush(dataset, source, targets, others)
    for _ in range(12):
        shape = box(rng, shape)
        oracle.check(engine, dataset, source, shape, targets, brush.move(shape), others)
    brush.close()


@pytest.mark.parametrize(
    ("source", "shapes"),
    [
        (BoxSource(replace(POINTS, filter="few > 0")), [Box((-1.0, 1.0), (-1.0, 1.0)), None]),
        (SpanSource("x", filter="value < 1"), [Span(-1.0, 0.5), Span(-0.9, 0.6), None]),
        (LabelSource("kind", "few > 0"), [Labels(frozenset({0, 1})), Labels(frozenset({1, 2}))]),
    ],
)
def test_a_brush_is_of_the_rows_that_its_source_keeps(
    engine: Engine, dataset: Dataset, source: Source, shapes: list[Shape | None]
) -> None:
    targets: list[Target] = [RasterTarget(Layer("points", "few", "value"), HOME), BarTarget("kind", filter="value < 1")]
    brush = engine.brush(dataset, source, targets)
    for shape in shapes:
        oracle.check(engine, dataset, source, shape, targets, brush.move(shape))
    brush.close()


def test_as_many_brushes_as_a_byte_has_bits(engine: Engine, dataset: Dataset) -> None:
    for filtered in (0, 1):
        source = SpanSource("x", filter="few > 0" if filtered else "")
        others = [OtherBrush(SpanSource("value"), Span(-1.0, 9.0 - k), frozenset({0})) for k in range(8 - filtered)]
        targets: list[Target] = [BarTarget("kind"), BarTarget("kind", filter="value < 1")]
        brush = engine.brush(dataset, source, targets, others)
        shape = Span(-1.0, 1.0)
        oracle.check(engine, dataset, source, shape, targets, brush.move(shape), others)
        brush.close()
        brush = engine.brush(dataset, source, [BarTarget("kind")], others + others[:1])
        with pytest.raises(TooLarge, match="at most 9 brushes"):
            brush.move(shape)
        brush.close()


@pytest.mark.parametrize("size", [0, 1, 2])
def test_few_rows(engine: Engine, size: int) -> None:
    few = open_table(oracle.table(np.random.default_rng(0), size))
    for source, shape in (
        (BoxSource(POINTS), Box((-9.0, 9.0), (-9.0, 9.0))),
        (SpanSource("t"), Span(0, 1)),
        (LabelSource("kind"), Labels(frozenset({0}))),
    ):
        targets: list[Target] = [RasterTarget(Layer("points", "x", "y", agg), HOME) for agg in ("count", "mean(value)")]
        brush = engine.brush(few, source, targets)
        for each in (None, shape, None):
            oracle.check(engine, few, source, each, targets, brush.move(each))
        brush.close()


@pytest.mark.parametrize("codes", [(1 << 16) - 1, 1 << 16])
@pytest.mark.parametrize("missing", [False, True])
def test_rows_outside_are_told_from_any_code(engine: Engine, codes: int, missing: bool) -> None:
    """Where rows have the last code of an axis, or all of them, rows without a number are still in no cell."""
    v = np.arange((1 << 16) - codes, 1 << 16, dtype=np.float64)
    v = np.concatenate([v, [0.0, 65535.5, np.nan if missing else 1.0]])
    u = np.random.default_rng(5).random(len(v))
    numbered = open_table(pa.table({"u": u, "w": u[::-1].copy(), "v": v}))
    source, layer = BoxSource(Layer("points", "u", "w")), Layer("points", "u", "v")
    target = RasterTarget(layer, RasterView(2, 8, 0, 0, 1024, 300))
    brush = engine.brush(numbered, source, [target])
    for shape in (Box((0.1, 0.8), (0.2, 0.9)), Box((0.2, 0.9), (0.2, 0.8)), None):
        found = brush.move(shape).targets[0].image
        assert found is not None
        mine, (cells, (width, height)) = oracle.decoded(found)[0], oracle.cells_of(engine, numbered, target)
        some = cells[(cells >= 0) & oracle.inside(numbered, source, shape)]
        wanted = np.bincount(some, minlength=width * height).reshape(height, width)
        np.testing.assert_array_equal(np.ma.getdata(mine.filled(0)), wanted)
    brush.close()
