"""After a rehearsal no kernel of a brush is compiled."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from bigviz.aggregate.layer import Layer
from bigviz.common.jit import told_of_compiling
from bigviz.data.open import open as open_table
from bigviz.tiles.brush.linked import BoxSource, HistogramTarget, LineTarget, RasterTarget, RasterView
from bigviz.tiles.brush.orders.shapes import Box
from bigviz.tiles.engine import Engine


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_first_brush_waits_for_no_compiler(dtype: type[np.floating]) -> None:
    Engine(threads=2).rehearse_brushes()
    compiled: list[bool] = []
    x, y, value = np.random.default_rng(1).normal(size=(3, 9_000)).astype(dtype)
    dataset = open_table(pa.table({"a": x, "b": y, "c": value}))
    targets = [
        RasterTarget(Layer("points", "b", "c"), RasterView(1, 1, 0, 0, 512, 512)),
        HistogramTarget("c", (-2.0, 0.0, 1.0, 2.0)),
        LineTarget(Layer("line", "a", "c", "any"), -3, 3, 200),
        HistogramTarget("c", (-2.0, 0.0, 1.0, 2.0), filter="c > 0"),
    ]
    with told_of_compiling(lambda: compiled.append(True)):
        brush = Engine(threads=2).brush(dataset, BoxSource(Layer("points", "a", "b")), targets)
        brush.move(Box((-1.0, 1.0), (-1.0, 1.0)))
        brush.count_blocks()
        assert brush.move(Box((-0.5, 1.5), (-0.8, 1.2))).exact
        brush.close()
    assert not compiled
