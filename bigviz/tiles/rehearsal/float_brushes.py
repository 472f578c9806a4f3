"""Warm-up of brushes over float columns, which any server may get first."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from bigviz.aggregate.layer import Layer
from bigviz.data.open import open as open_table
from bigviz.tiles.brush.linked import (
    BoxSource,
    HistogramTarget,
    LineTarget,
    OtherBrush,
    RasterTarget,
    RasterView,
    Source,
    SpanSource,
    Target,
)  # fmt: skip
from bigviz.tiles.brush.orders.shapes import Box, Shape, Span
from bigviz.tiles.interface import Engine

__all__ = ["rehearse_brushes"]

_ROWS = 16_384  # more than 8 blocks of a line
_STEPS: tuple[tuple[Source, tuple[Shape, Shape]], ...] = (
    (BoxSource(Layer("points", "x", "y")), (Box((0.2, 0.7), (0.2, 0.7)), Box((0.3, 0.8), (0.1, 0.6)))),
    (SpanSource("y"), (Span(0.2, 0.6), Span(0.3, 0.7))),
)
_RESTING = (OtherBrush(SpanSource("value", filter="x > 0.1"), Span(0.1, 0.9)),)


def rehearse_brushes(engine: Engine) -> None:
    """Move brushes of an engine over a few rows of floats, so that kernels are at hand: else the first one who brushes
    would wait for them (0.7 s; some more where the compiler has not put them on the disk yet)."""
    numbers = np.random.default_rng(0).random((3, _ROWS))
    for dtype in (np.float32, np.float64):
        x, y, value = numbers.astype(dtype)
        dataset = open_table(pa.table({"x": x, "y": y, "value": value}))
        filtered = HistogramTarget("value", (0.0, 0.5, 1.0), filter="value > 0.1")
        plain: list[Target] = [
            RasterTarget(Layer("points", "y", "value"), RasterView(0, 0, 0, 0, 256, 256)),
            HistogramTarget("value", (0.0, 0.5, 1.0)),
            LineTarget(Layer("line", "x", "value", "any"), 0, 1, 16),
            filtered,  # whose blocks are worth their memory, whatever the numbers
        ]
        for source, shapes in _STEPS:
            for targets, others in ((plain, ()), ([filtered], _RESTING)):
                brush = engine.brush(dataset, source, targets, others)
                brush.move(shapes[0])
                brush.count_blocks()
                brush.move(shapes[1])
                brush.close()
