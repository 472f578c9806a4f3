"""Brushes before they are prepared, above what memory holds, over filtered layers, and what they leave behind."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import Cancel
from bigviz.common.errors import BadInput, Cancelled, NotFound, TooLarge, Unplottable
from bigviz.data.dataset import Dataset
from bigviz.data.open import open as open_table
from bigviz.tiles.brush import linked_brush, some_rows
from bigviz.tiles.brush.linked import (
    BarTarget,
    BoxSource,
    HistogramTarget,
    LabelSource,
    LineTarget,
    OtherBrush,
    RasterTarget,
    RasterView,
    SpanSource,
    Target,
)  # fmt: skip
from bigviz.tiles.brush.orders.shapes import Box, Labels, Span
from bigviz.tiles.engine import Engine

from ...patience import PATIENCE, until
from . import oracle

POINTS = Layer("points", "x", "y")
HOME = RasterView(0, 0, 0, 0, 256, 256)
BOX = Box((-1.0, 0.5), (-0.5, 2.0))


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return open_table(oracle.table(np.random.default_rng(1), 3000))


@pytest.fixture
def small_samples(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    for module in (linked_brush, some_rows):
        monkeypatch.setattr(module, "SAMPLED", 512)
    monkeypatch.setattr(some_rows, "_BLOCKS", 8)
    monkeypatch.setattr(some_rows, "_PIECES", 0)
    yield 512


@pytest.mark.parametrize(
    "source", [BoxSource(replace(POINTS, filter="few > 0")), SpanSource("x"), LabelSource("kind", "value < 1")]
)
@pytest.mark.parametrize("agg", ["count", "sum(few)", "max(value)", "by(kind)", "last(value)", "mean(value)"])
def test_what_memory_does_not_hold_is_estimated_and_then_passed(
    dataset: Dataset, small_samples: int, source: BoxSource | SpanSource | LabelSource, agg: str
) -> None:
    engine = Engine(threads=2, index_bytes=1)
    raster = RasterTarget(Layer("points", "few", "value", agg, filter="kind != 'a'"), HOME)
    targets: list[Target] = [raster, BarTarget("kind")]
    others = [OtherBrush(SpanSource("value", filter="kind != 'a'"), Span(-2.0, 50.0))]
    shape = BOX if isinstance(source, BoxSource) else Span(-1.0, 1.0) if isinstance(source, SpanSource) else None
    shape = Labels(frozenset({0, 1})) if shape is None else shape
    brush = engine.brush(dataset, source, targets, others)
    step = brush.move(shape)
    assert not step.exact and step.of == 3000
    kept = oracle.kept_by(dataset, source, shape, others, 0).sum()
    assert abs(step.rows - kept) < 400
    assert all(target.share == pytest.approx(512 / 3000) for target in step.targets)
    assert not brush.ready
    settled = brush.settle()
    assert settled.exact
    oracle.check(engine, dataset, source, shape, targets, settled, others)
    brush.close()


def test_counts_of_an_estimate_are_of_all_rows(dataset: Dataset, small_samples: int) -> None:
    engine = Engine(threads=2, index_bytes=1)
    brush = engine.brush(dataset, BoxSource(POINTS), [BarTarget("kind"), BarTarget("kind", "max(value)")])
    heights = brush.move(None).targets[0].heights
    assert heights is not None
    wanted = oracle.expected(engine, dataset, BarTarget("kind"), np.ones(3000, bool))[0]
    assert np.abs(heights.values.astype(int) - wanted).max() < 200
    brush.retarget(0, HistogramTarget("few", (-2, 0, 3)))
    assert brush.move(BOX).targets[0].image is not None
    brush.close()


def test_what_another_brush_has_had_made_needs_no_sample(
    dataset: Dataset, small_samples: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, samples, sampled = Engine(threads=2), list[object](), linked_brush.LinkedBrush._sampled

    def counted(self: linked_brush.LinkedBrush, asked: Any) -> Any:
        samples.append(asked)
        return sampled(self, asked)

    monkeypatch.setattr(linked_brush.LinkedBrush, "_sampled", counted)
    targets: list[Target] = [RasterTarget(Layer("points", "few", "value"), HOME), HistogramTarget("few", (-2, 0, 3))]
    one = engine.brush(dataset, BoxSource(POINTS), targets)
    one.wait()
    other = engine.brush(dataset, BoxSource(POINTS), targets)
    other.wait(ready=False)
    assert other.ready and len(samples) == 1
    oracle.check(engine, dataset, BoxSource(POINTS), BOX, targets, other.move(BOX))
    third = engine.brush(dataset, BoxSource(POINTS), [HistogramTarget("few", (-2, 1, 3))])
    third.wait()
    assert len(samples) == 2
    for each in (one, other, third):
        each.close()


def test_a_brush_that_is_closed_before_its_turn_is_not_made(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, gate = Engine(threads=2), threading.Event()
    for _ in range(4):
        engine._behind.quick.begin(lambda: gate.wait(PATIENCE))
    brush, told = engine.brush(dataset, BoxSource(POINTS), [BarTarget("kind")]), list[str]()
    brush.tell(lambda: told.append("told"))
    assert not told and not brush.prepared
    monkeypatch.setattr(linked_brush, "moving_brush", lambda *args: pytest.fail("it was made"))
    brush.close()
    assert told
    gate.set()
    with pytest.raises(Cancelled):
        brush.move(BOX)
    until(lambda: engine._behind.quick._threads == 0)


def test_without_a_sample_it_says_that_memory_does_not_hold_it(dataset: Dataset) -> None:
    brush = Engine(threads=2, index_bytes=1).brush(dataset, SpanSource("x"), [BarTarget("kind")])
    with pytest.raises(TooLarge, match="GB of memory"):
        brush.wait()
    brush.close()


def test_targets_show_what_their_filter_keeps(dataset: Dataset) -> None:
    engine = Engine(threads=2)
    keep = "value > 0 and kind != 'a'"
    column = dataset.column("kind")
    codes = np.where(column.valid, column.values, -1)
    mask = (dataset.column("value").values > 0) & (codes > 0)
    targets: list[Target] = [
        RasterTarget(Layer("points", "few", "value", filter=keep), HOME),
        HistogramTarget("x", (-1.0, 0.0, 2.0), filter=keep), BarTarget("kind", filter=keep),
        LineTarget(Layer("line", "t", "x", "any", filter=keep), 0, 3000, 50),
    ]  # fmt: skip
    source = BoxSource(Layer("points", "x", "y", filter="few > 0"))
    brush = engine.brush(dataset, source, targets)
    for shape in (None, BOX, Box((-0.9, 0.6), (-0.5, 1.0))):
        step = brush.move(shape)
        kept = oracle.inside(dataset, source, shape) & oracle.passes(dataset, "few > 0") & mask
        for target, brushed in zip(targets[:3], step.targets, strict=False):
            assert brushed.image is not None
            oracle.same(oracle.decoded(brushed.image), oracle.expected(engine, dataset, target, kept), False)
        rows = np.flatnonzero(kept)
        wanted = engine.columns(
            open_table(pa.table({"t": rows, "x": dataset.column("x").values[rows]})),
            Layer("line", "t", "x", "any"), 0, 3000, 50,
        )  # fmt: skip
        columns = step.targets[3].columns
        assert columns is not None
        np.testing.assert_array_equal(columns.row, rows[wanted.row])
    brush.close()


def test_views_at_any_depth(dataset: Dataset) -> None:
    engine = Engine(threads=2)
    layer = Layer("points", "wide", "value")
    brush = engine.brush(dataset, BoxSource(POINTS), [RasterTarget(layer, HOME)])
    info = engine.info(dataset, layer)
    row = 17
    x, y = dataset.column("wide").values[row].item(), dataset.column("value").values[row].item()
    brush.move(None)
    for level in (7, 8, 9, 16, 23, 24):
        left = info.root_x.cell(x, level + 8) - 100
        top = (256 << level) - 1 - info.root_y.cell(y, level + 8) - 50
        target = RasterTarget(layer, RasterView(level, level, left, top, 300, 200))
        step = brush.retarget(0, target)
        oracle.check(engine, dataset, BoxSource(POINTS), None, [target], step)
        assert any(plane.filled for plane in step.targets[0].image.planes)  # type: ignore[union-attr]
    brush.close()


def test_far_rows_are_in_brushes() -> None:
    rng = np.random.default_rng(2)
    x = rng.random(3000)
    x[[5, 900]] = 1e9, -1e12
    given = open_table(pa.table({"x": x, "y": rng.random(3000), "z": rng.random(3000)}))
    engine = Engine(threads=2)
    layer = Layer("points", "x", "y")
    assert engine.info(given, layer).rows_far == 2
    targets: list[Target] = [RasterTarget(layer, HOME), HistogramTarget("z", (0.0, 0.5, 1.0), "max(x)")]
    brush = engine.brush(given, BoxSource(layer), targets)
    for low, high in ((-1.0, 2e9), (-1.0, 1e9), (-2e12, 0.5), (-2e12, 3e9)):
        shape = Box((low, high), (0.0, 1.0))
        oracle.check(engine, given, BoxSource(layer), shape, targets, brush.move(shape))
    brush.close()


def test_a_move_that_is_cancelled_is_gone_on_with(dataset: Dataset) -> None:
    engine = Engine(threads=2)
    targets: list[Target] = [RasterTarget(Layer("points", "few", "value"), HOME)]
    brush = engine.brush(dataset, BoxSource(POINTS), targets)
    brush.move(None)
    stopped = Cancel()
    stopped.cancel()
    for shape in (BOX, Box((-0.9, 0.6), (-0.5, 1.0))):
        with pytest.raises(Cancelled):
            brush.move(shape, stopped)
        oracle.check(engine, dataset, BoxSource(POINTS), BOX, targets, brush.move(BOX))
    brush.close()
    with pytest.raises(Cancelled):
        brush.move(BOX)


class Later(Cancel):
    """A flag that goes up after so many looks at it."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.looks = looks

    @property
    def cancelled(self) -> bool:
        self.looks -= 1
        return self.looks < 0

    def check(self) -> None:
        if self.cancelled:
            raise Cancelled()


def test_moves_that_are_cancelled_on_the_way_are_made_up_for() -> None:
    rng = np.random.default_rng(0)
    x, y, z = rng.normal(size=(3, 400_000))
    given = open_table(pa.table({"x": x, "y": y, "z": z}))
    engine = Engine(threads=2)
    edges = tuple(np.linspace(-3.0, 3.0, 31).tolist())
    line = Layer("line", "z", "y", "any")
    targets: list[Target] = [HistogramTarget("z", edges, closed=False), LineTarget(line, -4, 4, 50)]
    brush = engine.brush(given, BoxSource(POINTS), targets)
    for turn in range(25):
        low = float(rng.choice([-3.0, -1.0, 0.0, 0.2]))
        shape = Box((low, low + float(rng.choice([0.3, 2.0, 5.0]))), (-1.0, float(rng.choice([0.5, 4.0]))))
        with suppress(Cancelled):
            brush.move(shape, Later(int(rng.integers(1, 12))))
        if turn % 3:
            continue
        step = brush.move(shape)
        mask = (x >= shape.x[0]) & (x < shape.x[1]) & (y >= shape.y[0]) & (y < shape.y[1])
        heights, columns = step.targets[0].heights, brush.settle().targets[1].columns
        assert heights is not None and columns is not None and step.rows == mask.sum()
        cells = np.searchsorted(edges, z[mask], "right") - 1
        np.testing.assert_array_equal(heights.values[0], np.bincount(cells[(cells >= 0) & (cells < 30)], minlength=30))
        wanted = engine.columns(open_table(pa.table({"z": z[mask], "y": y[mask]})), line, -4, 4, 50)
        np.testing.assert_array_equal(columns.row, np.flatnonzero(mask)[wanted.row])
    brush.close()


def test_memory_is_counted_and_given_back(dataset: Dataset) -> None:
    engine = Engine(threads=2)
    brush = engine.brush(dataset, SpanSource("x"), [RasterTarget(POINTS, HOME), BarTarget("kind", "sum(value)")])
    brush.wait()
    assert engine.memory()["brushes"] >= 3000 * (4 + 4 + 1 + 8)
    brush.close()
    del brush
    engine.forget(dataset)
    gc.collect()
    assert engine.memory()["brushes"] == 0


def test_what_cannot_be_brushed_is_refused(dataset: Dataset) -> None:
    engine = Engine(threads=2)
    for source, target, error in (
        (LabelSource("value"), BarTarget("kind"), Unplottable),
        (SpanSource("vlaue"), BarTarget("kind"), NotFound),
        (BoxSource(Layer("line", "x", "y", "any")), BarTarget("kind"), BadInput),
        (SpanSource("x"), BarTarget("value"), Unplottable),
        (SpanSource("x"), HistogramTarget("x", (1.0, 0.0)), BadInput),
        (SpanSource("x"), HistogramTarget("x", (1.0, 2.0), filter="nope >"), BadInput),
        (SpanSource("x", filter="few > 'ten'"), BarTarget("kind"), BadInput),
        (LabelSource("kind", "nope > 1"), BarTarget("kind"), BadInput),
        (SpanSource("x"), RasterTarget(POINTS, RasterView(25, 0, 0, 0, 1, 1)), BadInput),
    ):
        with pytest.raises(error):
            engine.brush(dataset, source, [target])
    brush = engine.brush(dataset, SpanSource("x"), [BarTarget("kind")])
    brush.move(None)
    for shape in (BOX, Labels(frozenset({1})), Span(2.0, 1.0), Span(float("nan"), 1.0)):
        with pytest.raises(BadInput):
            brush.move(shape)
    with pytest.raises(BadInput):
        brush.retarget(3, BarTarget("kind"))
    brush.close()
