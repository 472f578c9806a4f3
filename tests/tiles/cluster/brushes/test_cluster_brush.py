"""Brushes over the parts of two workers against those of one process."""

from __future__ import annotations

import asyncio
import math
import threading
from typing import Any

import numpy as np
import pytest

from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import Cancel
from bigviz.common.errors import Cancelled
from bigviz.data.dataset import Dataset
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
    Step,
    Target,
    TotalTarget,
)  # fmt: skip
from bigviz.tiles.brush.orders.shapes import Box, Labels, Shape, Span
from bigviz.tiles.cluster.dask_engine import DaskEngine
from bigviz.tiles.engine import Engine

from ....patience import until

POINTS = Layer("points", "x", "y", "count")
HOME = RasterView(0, 0, 0, 0, 256, 256)
NEAR = RasterView(3, 2, 700, 300, 300, 270)
TARGETS: list[Target] = [
    RasterTarget(Layer("points", "f", "y", "by(kind)", filter="v > 20"), HOME),
    RasterTarget(Layer("points", "v", "f", "last(t)"), NEAR),
    RasterTarget(Layer("points", "f", "v", "max(f)"), NEAR),
    RasterTarget(Layer("points", "v", "y", "mean(t)"), HOME),
    HistogramTarget("v", tuple(range(0, 101, 10)), "sum(huge)"),
    HistogramTarget("f", (0.0, 0.25, 0.5, 1.0), "first(v)", filter="kind in ('a', 'z')"),
    BarTarget("kind"),
    TotalTarget("min(f)"),
    TotalTarget("any"),
]
SOURCES: dict[str, tuple[Source, list[Shape | None]]] = {
    "box": (
        BoxSource(Layer("points", "x", "y", "count", filter="n > 0")),
        [None, Box((-1.0, 1.0), (-1.0, 1.0)), Box((-0.5, 1.2), (-1.0, 0.75)), Box((50.0, 60.0), (0.0, 1.0))],
    ),
    "span": (SpanSource("v"), [Span(10, 60), Span(12, 70), Span(-math.inf, 5), None]),
    "labels": (LabelSource("kind"), [Labels(frozenset({0, 2})), Labels(frozenset({0})), None]),
}
OTHERS = [
    OtherBrush(SpanSource("f"), Span(0.1, 0.9), frozenset({4})),
    OtherBrush(LabelSource("kind"), Labels(frozenset({0, 1, 3}))),
]


def same(found: Step, expected: Step) -> None:
    assert found.exact and expected.exact
    assert (found.rows, found.of) == (expected.rows, expected.of)
    for one, other in zip(found.targets, expected.targets, strict=True):
        assert one.image is not None and other.image is not None
        assert one.image.planes == other.image.planes
        assert (one.image.width, one.image.height) == (other.image.width, other.image.height)
        assert (one.heights is None) == (other.heights is None)
        if one.heights is not None and other.heights is not None:
            for name in ("values", "filled", "rows"):
                here, there = getattr(one.heights, name), getattr(other.heights, name)
                assert here.dtype == there.dtype
                np.testing.assert_array_equal(
                    np.where(one.heights.filled, here, 0), np.where(other.heights.filled, there, 0)
                )


@pytest.mark.parametrize("name", SOURCES)
def test_steps_equal_those_of_one_process(
    engine: DaskEngine, alone: Engine, dataset: Dataset, whole: Dataset, name: str
) -> None:
    source, shapes = SOURCES[name]
    others = OTHERS if name == "box" else []
    brush, one = engine.brush(dataset, source, TARGETS, others), alone.brush(whole, source, TARGETS, others)
    for each in (brush, one):
        each.wait()
    assert brush.ready and brush.prepared
    for shape in shapes:
        brush.move(shape)
        one.move(shape)
        same(brush.settle(), one.settle())
    target = RasterTarget(Layer("points", "f", "y", "by(n, mean(v))"), HOME)
    for each in (brush, one):
        each.retarget(0, target)
    same(brush.settle(), one.settle())
    for each in (brush, one):
        each.close()


def test_sums_of_floats_differ_in_their_last_bits_alone(
    engine: DaskEngine, alone: Engine, dataset: Dataset, whole: Dataset
) -> None:
    targets: list[Target] = [HistogramTarget("v", (0, 50, 100), "mean(f)")]
    steps = []
    for each, data in ((engine, dataset), (alone, whole)):
        brush = each.brush(data, BoxSource(POINTS), targets)
        brush.wait()
        steps.append(brush.move(Box((-1.0, 1.0), (-1.0, 1.0))))
        brush.close()
    found, expected = steps
    assert found.targets[0].heights is not None and expected.targets[0].heights is not None
    np.testing.assert_allclose(found.targets[0].heights.values, expected.targets[0].heights.values, rtol=1e-14)


def test_a_move_that_nobody_waits_for_is_given_up_and_gone_on_from(engine: DaskEngine, dataset: Dataset) -> None:
    brush = engine.brush(dataset, BoxSource(POINTS), [BarTarget("kind")])
    brush.wait()
    whole, cancel = brush.move(None), Cancel()
    cancel.cancel()
    with pytest.raises(Cancelled):
        brush.move(Box((0.0, 1.0), (0.0, 1.0)), cancel)
    assert brush.move(None).rows == whole.rows
    brush.close()
    with pytest.raises(Cancelled):
        brush.move(None)


def test_moves_are_estimates_without_the_rows_of_a_part_that_is_lost(
    engine: DaskEngine, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    brush = engine.brush(dataset, BoxSource(POINTS), [BarTarget("kind")])
    brush.wait()
    exact = brush.move(None)
    parts, held = engine.workers.parts_of(dataset), engine.workers.holder
    with monkeypatch.context() as patch:
        patch.setattr(brush, "_prepare_parts", lambda: None)
        patch.setattr(engine.workers, "holder", lambda part: None if part == parts[0] else held(part))
        step = brush.move(None)
    rows = sum(part.rows for part in parts[1:])
    assert not step.exact and 0 < step.rows < exact.rows and step.of == dataset.num_rows
    assert all(not each.exact and each.share == rows / dataset.num_rows for each in step.targets)
    assert brush.move(None).exact and brush.settle().rows == exact.rows
    brush.close()


def test_brushes_that_wait_for_workers_take_no_thread(
    engine: DaskEngine, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, waiting, answers = asyncio.Event(), list[str](), engine.workers.answers

    async def slow(asked: Any, question: Any, ident: str, *more: Any) -> Any:
        if question["ask"] == "brush":
            waiting.append(ident)
            await gate.wait()
        return await answers(asked, question, ident, *more)

    monkeypatch.setattr(engine.workers, "answers", slow)
    brushes = [engine.brush(dataset, BoxSource(POINTS), [BarTarget("kind")]) for _ in range(9)]
    told = list[int]()
    for number, brush in enumerate(brushes):
        brush.tell(lambda number=number: told.append(number))
    until(lambda: len(waiting) == 9)
    until(lambda: not [each for each in threading.enumerate() if each.name.startswith("bigviz-brush")])
    assert not told and not any(brush.prepared for brush in brushes)
    brushes[0].close()
    assert told == [0]
    engine.workers.loop.call_soon_threadsafe(gate.set)
    steps = [brush.settle() for brush in brushes[1:]]
    assert {step.rows for step in steps} == {dataset.num_rows}
    until(lambda: sorted(told) == list(range(9)))
    for brush in brushes[1:]:
        brush.close()
