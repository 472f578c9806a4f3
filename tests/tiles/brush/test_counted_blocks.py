"""Blocks of a source's order, counted by the cells of a target."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from bigviz.aggregate.layer import Layer
from bigviz.common.workers import Crew
from bigviz.data.open import open as open_table
from bigviz.tiles.brush import block_counting
from bigviz.tiles.brush.linked import BarTarget, BoxSource, HistogramTarget, RasterTarget, RasterView, Target
from bigviz.tiles.brush.orders.position_ranges import Picked
from bigviz.tiles.brush.orders.shapes import Box
from bigviz.tiles.brush.targets import counted_blocks as module
from bigviz.tiles.brush.targets.counted_blocks import CountedBlocks, counted_blocks
from bigviz.tiles.engine import Engine

from ...patience import until
from . import oracle

CELLS = 50


@pytest.fixture(autouse=True)
def _blocks_are_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FINEST", 3)
    monkeypatch.setattr(module, "_LEVELS", 3)


def blocks(cells: Any, size: int = CELLS) -> CountedBlocks:
    return counted_blocks(lambda start, stop: cells[start:stop].copy(), len(cells), size, Crew(threads=1))


@pytest.mark.parametrize("rows", [1, 7, 8, 511, 512, 513, 2_000])
def test_blocks_and_the_rows_left_are_the_rows_of_ranges(rows: int) -> None:
    rng = np.random.default_rng(rows)
    cells = (np.arange(rows) // 41 % (CELLS + 1) - 1).astype(np.int32)
    found = blocks(cells)
    assert found.some
    for _ in range(20):
        ends = np.unique(rng.integers(0, rows, 6, endpoint=True))
        ends = np.repeat(ends, np.where(rng.random(len(ends)) < 0.3, 2, 1))  # some ranges touch
        low, high = (ends[k : len(ends) // 2 * 2 : 2].astype(np.int64) for k in (0, 1))
        places = rng.integers(0, rows, 5).astype(np.uint32)
        counts = np.full(CELLS, 7, np.int32)
        left = found.count(Picked(low, high, places, int((high - low).sum()) + 5), -1, counts)
        rest = left.positions()
        assert left.rows == len(rest)
        assert len(rest) - 5 <= 2 * 7 * len(low)
        wanted = np.concatenate([*(np.arange(a, b) for a, b in zip(low, high, strict=True)), places]).astype(np.int64)
        mine, all_of = (np.bincount(cells[each][cells[each] >= 0], minlength=CELLS) for each in (rest, wanted))
        np.testing.assert_array_equal(7 - counts + mine, all_of)


def test_blocks_of_scattered_cells_are_not_made() -> None:
    scattered = np.random.default_rng(0).integers(0, 100_000, 3_000).astype(np.int32)
    assert not blocks(scattered, 100_000).some
    few = blocks((scattered % 10).astype(np.int32))
    assert few.some
    assert few.bits == 6  # blocks of 8 rows have nearly 8 of the 10 cells


def test_a_step_of_many_rows_has_blocks_counted_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_counting, "_MANY", 10)
    monkeypatch.setattr(module, "_WORTH", 0)
    dataset, engine = open_table(oracle.table(np.random.default_rng(2), 400)), Engine(threads=2)
    source = BoxSource(Layer("points", "x", "y"))
    targets: list[Target] = [
        RasterTarget(Layer("points", "y", "value"), RasterView(0, 0, 0, 0, 256, 256)),
        RasterTarget(Layer("points", "x", "value", "by(kind)"), RasterView(1, 1, 0, 0, 300, 300)),
        HistogramTarget("value", (-1.0, 0.0, 1.0), filter="value < 1"),
        BarTarget("kind", "max(value)"),
    ]
    brush = engine.brush(dataset, source, targets)
    brush.wait()
    moving = brush._exact
    assert moving is not None
    for number, target in enumerate((None, RasterTarget(Layer("points", "few", "y"), RasterView(0, 0, 9, 9, 99, 99)))):
        if target is not None:
            brush.retarget(0, target)
            targets[0] = target
        assert moving.uncounted()
        brush.move(Box((-1.0, 1.0), (-1.0, 1.0 - number)))
        until(lambda: not moving.uncounted())
        for shape in (Box((-0.9, 1.1), (-0.7, 1.2)), Box((-0.8, 1.1), (-0.7, 0.2))):
            oracle.check(engine, dataset, source, shape, targets, brush.move(shape))
    brush.close()


def test_without_memory_for_blocks_rows_are_counted_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_counting, "_ROW_BYTES", 1 << 50)
    x = np.random.default_rng(3).normal(size=(3, 200))
    dataset, engine = open_table(pa.table({"x": x[0], "y": x[1], "value": x[2]})), Engine(threads=1)
    target = RasterTarget(Layer("points", "y", "value"), RasterView(0, 0, 0, 0, 256, 256))
    source, shape = BoxSource(Layer("points", "x", "y")), Box((-1.0, 1.0), (-1.0, 1.0))
    brush = engine.brush(dataset, source, [target])
    brush.count_blocks()
    oracle.check(engine, dataset, source, shape, [target], brush.move(shape))
    brush.close()
