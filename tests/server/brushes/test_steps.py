"""What a connection's brush shows is what it says it shows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import Cancel
from bigviz.common.errors import BadInput
from bigviz.data.open import open as open_table
from bigviz.server.brushes.cell_budget import CellBudget
from bigviz.server.brushes.steps import HeldBrush
from bigviz.server.brushes.wanted import AskedBrush, ShapeWant, TargetWant
from bigviz.server.jobs.wanted import ColumnsWant
from bigviz.tiles.engine import Engine

ROWS = 3_000
Window = tuple[int, int, int]


def test_a_target_that_cannot_be_zoomed_leaves_the_others_as_they_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = np.random.default_rng(4).normal(size=(2, ROWS))
    dataset = open_table(pa.table({"t": np.arange(ROWS), "x": x, "y": y}))
    held = HeldBrush(Engine(threads=2), CellBudget(1 << 30, 1 << 30))
    line = Layer("line", "t", "y", "any")

    def asked(*windows: Window) -> AskedBrush:
        targets = [TargetWant(at, 0, None, columns=ColumnsWant(*each)) for at, each in enumerate(windows, 1)]
        box = ShapeWant("box", (-1.0, -1.0, 1.0, 1.0))
        return AskedBrush(dataset, Layer("points", "x", "y"), box, tuple((each, line) for each in targets), ())

    def step(*windows: Window) -> list[tuple[bytes, bytes]]:
        held.begin(asked(*windows), Cancel())
        answers, _ = held.move(asked(*windows), 1, Cancel())
        return [(part.json, part.body) for each in answers for part in each.parts]

    wide, near, far = (0, ROWS, 50), (100, 900, 30), (2_000, 2_500, 20)
    held.begin(asked(wide, wide), Cancel()).wait()
    bodies = [body for _, body in step(wide, wide)]
    brush: Any = held._brush
    retarget = brush.retarget

    def fails(number: int, *more: Any) -> Any:
        if number == 1:
            raise BadInput("no")
        return retarget(number, *more)

    monkeypatch.setattr(brush, "retarget", fails)
    with pytest.raises(BadInput):
        held.begin(asked(near, far), Cancel())
    monkeypatch.undo()
    assert [body for _, body in step(wide, wide)] == bodies
    held.close()
