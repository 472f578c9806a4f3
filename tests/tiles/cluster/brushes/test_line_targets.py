"""Lines under brushes over the parts of two workers against those of one process."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from bigviz.aggregate.layer import Layer
from bigviz.data.dataset import Dataset
from bigviz.tiles.brush.linked import (
    BoxSource,
    HistogramTarget,
    LabelSource,
    LineTarget,
    OtherBrush,
    Source,
    SpanSource,
    Step,
    Target,
)  # fmt: skip
from bigviz.tiles.brush.orders.shapes import Box, Labels, Shape, Span
from bigviz.tiles.cluster.dask_engine import DaskEngine
from bigviz.tiles.engine import Engine


def line(x: str, y: str, low: Any = -5, high: Any = 3005, width: int = 60, **more: Any) -> LineTarget:
    return LineTarget(Layer("line", x, y, "any", **more), low, high, width)


STAMPS = 17 * 10**17, 17 * 10**17 + 3000 * 10**12
TARGETS: list[Target] = [
    line("ascending", "full"),
    line("ascending", "y"),
    line("stamp", "whole", *STAMPS, 200, xaxis="datetime"),
    line("descending", "rare", 700, 2100, 333),
    HistogramTarget("full", (-20.0, 0.0, 20.0)),
    line("shuffled", "y"),  # rows of parts lie between each other, and rows without a y
    line("shuffled", "half", 0, 3000, 45),  # the second part has a y in each row
    line("shuffled", "full", 100.5, 130.25, 900),
    line("shuffled", "whole", 0, 3000, 40),
    line("positive", "y", -9.0, 0.0, 50, xaxis="log", filter="kind != 'b'"),
    line("ascending", "kind", 0, 10, 7),
]
BOX = BoxSource(Layer("points", "shuffled", "full", "count", filter="positive > 0.1"))
SOURCES: dict[str, tuple[Source, list[Shape | None], list[OtherBrush]]] = {
    "box": (
        BOX,
        [Box((200.0, 2500.0), (-9.0, 5.0)), Box((210.0, 2500.0), (-9.0, 4.0)), Box((1e6, 2e6), (0.0, 1.0)), None],
        [OtherBrush(SpanSource("positive"), Span(0.2, 0.9), frozenset({1, 5}))],
    ),
    "span": (SpanSource("full"), [Span(-5, 9), Span(-4.5, 12), Span(-math.inf, -20), None], []),
    "labels": (LabelSource("kind"), [Labels(frozenset({0, 2})), Labels(frozenset({1}))], []),
}


def same(found: Step, expected: Step) -> None:
    assert found.exact and expected.exact and found.rows == expected.rows
    for one, other in zip(found.targets, expected.targets, strict=True):
        assert (one.columns is None) == (other.columns is None)
        if one.columns is None or other.columns is None:
            continue
        for name in ("column", "run", "row", "x", "y"):
            here, there = getattr(one.columns, name), getattr(other.columns, name)
            np.testing.assert_array_equal(here, there)
            assert here.dtype == there.dtype
        assert one.columns.flagged == other.columns.flagged and one.columns.width == other.columns.width


@pytest.mark.parametrize("name", SOURCES)
def test_lines_equal_those_of_one_process(
    engine: DaskEngine,
    alone: Engine,
    lines: Dataset,
    same_lines: Dataset,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source, shapes, others = SOURCES[name]
    brush, one = engine.brush(lines, source, TARGETS, others), alone.brush(same_lines, source, TARGETS, others)
    for each in (brush, one):
        each.wait()
    drawn, ask, torn = 0, brush._ask, []

    def counted(learnt: Any, do: str, *args: Any, **more: Any) -> Any:
        torn.extend([do] * (do == "line"))
        return ask(learnt, do, *args, **more)

    monkeypatch.setattr(brush, "_ask", counted)
    for shape in shapes:
        found, expected = brush.move(shape), one.move(shape)
        same(found, expected)
        drawn += sum(len(each.columns.row) for each in found.targets if each.columns is not None)
        same(brush.settle(), one.settle())
    assert drawn
    assert torn, "no columns were asked for again"
    for number, target in ((1, line("ascending", "y", 1000, 1300, 80)), (5, line("shuffled", "half", 900, 950, 30))):
        for each in (brush, one):
            each.retarget(number, target)
        same(brush.move(shapes[0]), one.move(shapes[0]))
    for each in (brush, one):
        each.close()


def test_no_line_crosses_the_rows_of_a_part_that_is_lost(
    engine: DaskEngine, lines: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    brush = engine.brush(lines, SpanSource("full"), [line("ascending", "full"), line("shuffled", "full")])
    brush.wait()
    exact = brush.move(None)
    parts, held = engine.workers.parts_of(lines), engine.workers.holder
    with monkeypatch.context() as patch:
        patch.setattr(brush, "_prepare_parts", lambda: None)
        patch.setattr(engine.workers, "holder", lambda part: None if part == parts[0] else held(part))
        step = brush.move(None)
    rows = sum(part.rows for part in parts[1:])
    assert not step.exact and all(each.share == rows / lines.num_rows for each in step.targets)
    for each in step.targets:
        assert each.columns is not None and not each.exact
        assert len(each.columns.row) and min(each.columns.row) >= parts[0].rows
    again = brush.move(None)
    assert again.exact
    for one, other in zip(again.targets, exact.targets, strict=True):
        assert one.columns is not None and other.columns is not None
        np.testing.assert_array_equal(one.columns.row, other.columns.row)
    brush.close()
