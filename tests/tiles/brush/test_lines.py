"""A line under a brush is the line of the rows in it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from bigviz.aggregate.layer import Layer
from bigviz.data.open import open as open_table
from bigviz.tiles.brush.linked import BoxSource, LineTarget, SpanSource, Target
from bigviz.tiles.brush.orders.shapes import Box, Span
from bigviz.tiles.brush.targets.lines import line_blocks
from bigviz.tiles.engine import Engine

from . import oracle

ENGINE = Engine(threads=2)
SIZE = 3_000


def table(rng: np.random.Generator, gaps: bool, sort: bool, whole: bool) -> pa.Table:
    y = rng.integers(-50, 50, SIZE) if whole else np.round(np.cumsum(rng.normal(size=SIZE)), 1)
    t = np.arange(SIZE) * 3 if sort else rng.integers(0, 4 * SIZE, SIZE)
    missing = (rng.random(SIZE) < 0.2) | ((np.arange(SIZE) > 1400) & (np.arange(SIZE) < 1700)) if gaps else None
    return pa.table(
        {"t": t, "y": pa.array(y, mask=missing), "u": rng.normal(size=SIZE), "v": rng.normal(size=SIZE).round(2)}
    )


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("sort", [False, True])
@pytest.mark.parametrize("whole", [False, True])
def test_lines_under_boxes_and_spans(gaps: bool, sort: bool, whole: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if whole:  # blocks of a few rows, and so some levels of them
        monkeypatch.setattr(line_blocks, "_LEAST", 0)
        monkeypatch.setattr(line_blocks, "_MOST", 1 << 20)
        monkeypatch.setattr(line_blocks, "_FINEST", 3)
    rng = np.random.default_rng(5)
    given = table(rng, gaps, sort, whole)
    dataset, layer = open_table(given), Layer("line", "t", "y", "any")
    targets: list[Target] = [LineTarget(layer, 0, 4 * SIZE, 40), LineTarget(layer, 100, 5000, 300)]
    # Rows of a brush over the line's own axis are in few columns.
    for source in (BoxSource(Layer("points", "u", "v")), SpanSource("v"), BoxSource(Layer("points", "t", "v"))):
        brush = ENGINE.brush(dataset, source, targets)
        low = -0.5
        for turn in range(14):
            low += float(rng.normal()) * 0.2
            size = float(rng.choice([0.001, 0.3, 1.0, 5.0]))
            unit = 4 * SIZE if isinstance(source, BoxSource) and source.layer.x == "t" else 1
            shape = (
                Span(low, low + size)
                if isinstance(source, SpanSource)
                else Box((low * unit, (low + size) * unit), (low, low + 2.0))
            )
            if turn % 5 == 4:
                start = int(rng.integers(0, SIZE))
                targets[1] = LineTarget(layer, start, start + int(rng.integers(10, SIZE)), int(rng.integers(2, 500)))
                brush.retarget(1, targets[1])
            step = brush.move(shape if turn else None)
            assert step.exact
            kept = oracle.inside(dataset, source, shape if turn else None)
            numbers = np.flatnonzero(kept)
            alone = open_table(given.filter(pa.array(kept)))
            for target, brushed in zip(targets, step.targets, strict=True):
                assert isinstance(target, LineTarget) and brushed.columns is not None
                mine = brushed.columns
                if not len(numbers):
                    assert not len(mine.row)
                    continue
                wanted = ENGINE.columns(alone, layer, target.x0, target.x1, target.width)
                np.testing.assert_array_equal(mine.column, wanted.column)
                np.testing.assert_array_equal(mine.row, numbers[wanted.row])
                np.testing.assert_array_equal(mine.x, wanted.x)
                np.testing.assert_array_equal(mine.y, wanted.y)
                np.testing.assert_array_equal(np.diff(mine.run) > 0, np.diff(wanted.run) > 0)
                assert mine.flagged == wanted.flagged
        brush.close()
