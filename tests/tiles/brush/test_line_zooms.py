"""A line that is zoomed while a brush is on is, after each step, the line of the rows in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from bigviz.aggregate.layer import Layer
from bigviz.common.errors import Cancelled
from bigviz.data.open import open as open_table
from bigviz.tiles.answers.columns import Columns
from bigviz.tiles.brush import linked_brush, some_rows
from bigviz.tiles.brush.linked import BoxSource, LineTarget, OtherBrush, RasterTarget, RasterView, SpanSource, Target
from bigviz.tiles.brush.orders.shapes import Box, Shape, Span
from bigviz.tiles.brush.targets.lines import line_blocks
from bigviz.tiles.engine import Engine

from . import oracle
from .test_linked_brush import Later

SIZE = 2_000
ENGINE = Engine(threads=2)
LINE = Layer("line", "t", "v", "any")


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"_LEAST": 0, "_MOST": 1 << 20, "_FINEST": 3}.items():
        monkeypatch.setattr(line_blocks, name, value)


def table(rng: np.random.Generator, gaps: bool, sort: bool) -> pa.Table:
    whole = oracle.table(rng, SIZE)
    t = np.arange(SIZE) * 5 if sort else rng.integers(0, 5 * SIZE, SIZE)
    missing = rng.random(SIZE) < 0.2 if gaps else None
    v = pa.array(np.round(np.cumsum(rng.normal(size=SIZE)), 1), mask=missing)
    return whole.set_column(whole.schema.get_field_index("t"), "t", pa.array(t)).append_column("v", v)


def window(rng: np.random.Generator) -> tuple[int, int, int]:
    """Somewhere in the line, or beside it."""
    start = int(rng.integers(-100, 5 * SIZE + 100))
    return start, start + int(rng.choice([1, 40, 700, 9_000, 30_000])), int(rng.integers(1, 400))


def compare(mine: Columns | None, given: pa.Table, kept: np.ndarray, target: LineTarget) -> None:
    """Columns of a brush are those of a table that has its rows alone."""
    assert mine is not None
    numbers = np.flatnonzero(kept)
    if not len(numbers):
        assert not len(mine.row)
        return
    wanted = ENGINE.columns(open_table(given.filter(pa.array(kept))), LINE, target.x0, target.x1, target.width)
    np.testing.assert_array_equal(mine.row, numbers[wanted.row])
    np.testing.assert_array_equal(mine.column, wanted.column)
    np.testing.assert_array_equal(mine.y, wanted.y)
    np.testing.assert_array_equal(np.diff(mine.run) > 0, np.diff(wanted.run) > 0)


@pytest.mark.parametrize(
    ("gaps", "sort", "filtered"), [(False, False, True), (False, True, False), (True, False, True)]
)
def test_after_each_step_of_a_walk_with_zooms_between(gaps: bool, sort: bool, filtered: bool) -> None:
    rng = np.random.default_rng(11)
    given = table(rng, gaps, sort)
    dataset = open_table(given)
    text = "value < 1" if filtered else ""
    layer = replace(LINE, filter=text)
    resting = [OtherBrush(SpanSource("value", filter="few > 0"), Span(-20.0, 3.0), frozenset({2}))] if filtered else []
    sources = [BoxSource(Layer("points", "x", "value", filter="kind != 'a'" if filtered else "")), SpanSource("x")]
    for source in sources:
        targets: list[Target] = [
            LineTarget(layer, 0, 5 * SIZE, 60),
            RasterTarget(Layer("points", "x", "y"), RasterView(0, 0, 0, 0, 256, 256)),
            LineTarget(layer, 10, 900, 300),
        ]
        brush = ENGINE.brush(dataset, source, targets, resting)
        for _ in range(10):
            for number in (0, 2):
                zoomed = LineTarget(layer, *window(rng))
                with suppress(Cancelled):
                    brush.retarget(number, zoomed, Later(int(rng.integers(0, 30))))
                    targets[number] = zoomed
            low = float(rng.normal())
            size = float(rng.choice([0.01, 0.4, 3.0]))
            shape: Shape | None = Span(low, low + size)
            if isinstance(source, BoxSource):
                shape = Box((low, low + size), (-3.0, float(rng.choice([0.0, 5.0]))))
            shape = None if rng.random() < 0.1 else shape
            with suppress(Cancelled):
                brush.move(shape, Later(int(rng.integers(0, 30))))
            step = brush.move(shape)
            assert step.exact
            for number in (0, 2):
                kept = oracle.kept_by(dataset, source, shape, resting, number) & oracle.passes(dataset, text)
                target: Any = targets[number]
                compare(step.targets[number].columns, given, kept, target)
        brush.close()


@pytest.fixture
def small_samples(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for module in (linked_brush, some_rows):
        monkeypatch.setattr(module, "SAMPLED", 512)
    yield


def test_an_estimate_says_so_after_a_zoom_too(small_samples: None) -> None:
    given = table(np.random.default_rng(3), False, True)
    brush = Engine(threads=2, index_bytes=1).brush(
        open_table(given), SpanSource("x"), [LineTarget(LINE, 0, 5 * SIZE, 50)]
    )
    shape = Span(-1.0, 1.0)
    before = brush.move(shape)
    step = brush.retarget(0, LineTarget(LINE, 2_000, 6_000, 70))
    assert (step.rows, step.of, step.exact) == (before.rows, SIZE, False) and 0 < step.rows < SIZE
    (found,) = step.targets
    assert found.columns is not None and (found.share, found.exact) == (pytest.approx(512 / SIZE), False)
    inside = (found.columns.x >= 2_000) & (found.columns.x < 6_000)
    assert found.columns.width == 70 and 20 < inside.sum() >= len(inside) - 2
    brush.close()
