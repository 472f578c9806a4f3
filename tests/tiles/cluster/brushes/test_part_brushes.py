"""A worker makes no brush for a question that comes when nobody wants it any more."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bigviz.common.cancel import Cancel
from bigviz.common.errors import Cancelled
from bigviz.common.workers import Crew
from bigviz.tiles.cluster.brushes.part_brushes import PartBrushes
from bigviz.tiles.cluster.question import Question


class Brushes:
    """An engine that counts the brushes that are made."""

    def __init__(self) -> None:
        self.made = 0

    def brush_of_part(self, *_: object) -> Any:
        self.made += 1
        return SimpleNamespace(wait=lambda cancel, ready: None, ready=True, close=lambda: None)


def asked(ident: str, do: str, cancel: Cancel) -> Question:
    part: Any = SimpleNamespace(fingerprint="part", offset=0)
    brush = {"source": {"kind": "span", "column": "v"}, "targets": [], "others": []}
    return Question(part, {"ident": ident, "do": do, "shape": None, "brush": brush}, Crew(1, cancel=cancel))


def test_a_question_after_the_last_word_or_after_its_cancel_makes_no_brush() -> None:
    engine: Any = Brushes()
    brushes, cancelled = PartBrushes(engine), Cancel()
    cancelled.cancel()
    brush, close = brushes.questions["brush"], brushes.questions["brush_close"]
    with pytest.raises(Cancelled):
        brush(asked("a", "begin", cancelled))
    close(asked("b", "", Cancel()))
    with pytest.raises(Cancelled):
        brush(asked("b", "begin", Cancel()))
    assert engine.made == 0 and not brushes._held
    assert brush(asked("c", "begin", Cancel())).head == {"ready": True}
    assert engine.made == 1
