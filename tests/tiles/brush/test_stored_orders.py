"""Brushes over an order in files: the same answers, and what happens when a file turns out to be damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import bigviz as bv
from bigviz.aggregate.layer import Layer
from bigviz.common.errors import Unreadable
from bigviz.tiles import disk_indexes
from bigviz.tiles.brush.linked import BarTarget, BoxSource, LineTarget, OtherBrush, RasterTarget, RasterView, Target
from bigviz.tiles.brush.orders.shapes import Box
from bigviz.tiles.engine import Engine
from bigviz.tiles.store.catalog.directory import StoreDirectory

from . import oracle

POINTS, LINE = Layer("points", "x", "value"), Layer("line", "t", "x", "any")
TARGETS: list[Target] = [
    RasterTarget(POINTS, RasterView(0, 0, 0, 0, 256, 256)),
    BarTarget("kind", "mean(value)"),
    LineTarget(LINE, 0, 9000, 80),
]
SHAPES = [Box((-1.0, 0.5), (-2.0, 5.0)), Box((-0.9, 0.6), (-1.5, 5.0)), None]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "points.parquet"
    pq.write_table(oracle.table(np.random.default_rng(4), 9000), made)
    return made


@pytest.mark.parametrize("damaged", [None, "keys.arrow", "rows.arrow"])
def test_brushes_over_stores(
    path: Path, tmp_path: Path, damaged: str | None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(disk_indexes, "STORED_ROWS", 1)
    stores = StoreDirectory(tmp_path / "stores", tell=lambda sentence: None)
    dataset = bv.open(str(path))
    engine = Engine(threads=2, stores=stores)
    for layer in (POINTS, LINE):
        engine.publish(dataset, layer)
        engine.ensure(dataset, layer)
    if damaged is not None:
        file = next(entry.path / damaged for entry in stores.entries() if (entry.path / damaged).exists())
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(data)
        engine = Engine(threads=2, stores=stores)
        for layer in (POINTS, LINE):
            engine.publish(dataset, layer)
    others = [OtherBrush(BoxSource(POINTS), Box((-3.0, 3.0), (-500.0, 50.0)))]
    faults = 0
    for _ in range(4):
        brush = engine.brush(dataset, BoxSource(POINTS), TARGETS, others)
        try:
            for shape in SHAPES:
                step = brush.move(shape)
                oracle.check(engine, dataset, BoxSource(POINTS), shape, TARGETS, step, others)
        except Unreadable as error:
            faults += 1
            assert error.message == f"The index of {dataset.name!r} is damaged: it is being built again, try once more."
            assert str(tmp_path) in caplog.text
            continue
        finally:
            brush.close()
        break
    assert faults == (0 if damaged is None else 1)
