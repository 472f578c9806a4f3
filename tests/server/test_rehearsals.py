"""Layers of large tables are rehearsed once for each document."""

from __future__ import annotations

import asyncio
import gc
from typing import Any, cast

import pytest

import bigviz as bv
from bigviz.aggregate.layer import Layer
from bigviz.data.dataset import Dataset
from bigviz.server import rehearsals
from bigviz.server.rehearsals import Rehearsals

from ..patience import until


class Heard:
    """An engine that notes what it is to rehearse."""

    def __init__(self) -> None:
        self.asked: list[tuple[Dataset, list[Layer]]] = []

    def rehearse(self, dataset: Dataset, layers: list[Layer], cancel: Any) -> None:
        self.asked.append((dataset, layers))


def test_once_for_each_document_and_of_large_tables_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsals, "_LEAST_ROWS", 3)
    large, small = bv.open({"x": [1.0, 2.0, 3.0]}, name="large"), bv.open({"x": [1.0]}, name="small")
    document = bv.document(bv.row(bv.figure().points(large, "x", "x"), bv.figure().points(small, "x", "x")), id="d")
    layers = [Layer("points", "x", "x"), Layer("line", "x", "x", "any")]
    engine: Any = Heard()

    async def main() -> None:
        found = Rehearsals(engine)
        for _ in range(2):
            found.begin(document, lambda: [(large, layers[0]), (small, layers[0]), (large, layers[1])], 0.0)
        await asyncio.to_thread(until, lambda: len(engine.asked) == 1)
        again = bv.document(bv.figure().points(large, "x", "x"), id="d")
        found.begin(again, lambda: [(large, layers[0])], 0.0)
        await asyncio.to_thread(until, lambda: len(engine.asked) == 2)
        found.close()
        found.begin(document, lambda: [(large, layers[0])], 0.0)
        await asyncio.sleep(0)

    asyncio.run(main())
    assert engine.asked == [(large, layers), (large, layers[:1])]


def test_once_for_tables_of_the_same_types(monkeypatch: pytest.MonkeyPatch) -> None:
    """A document over a table that grows, or is replaced, is another one with each version."""
    monkeypatch.setattr(rehearsals, "_LEAST_ROWS", 3)
    layer, engine = Layer("points", "x", "x"), Heard()
    first, later = bv.open({"x": [1.0, 2.0, 3.0]}), bv.open({"x": [4.0, 5.0, 6.0]})
    whole = bv.open({"x": [1, 2, 3]})

    async def main() -> None:
        found = Rehearsals(cast("Any", engine))
        for table in (first, later, whole):
            document = bv.document(bv.figure().points(table, "x", "x"), id="d")
            found.begin(document, lambda table=table: [(table, layer)], 0.0)
        await asyncio.to_thread(until, lambda: len(engine.asked) == 2)
        del document
        gc.collect()
        assert not found._known

    asyncio.run(main())
    assert sorted(engine.asked, key=lambda asked: asked[0] is whole) == [(first, [layer]), (whole, [layer])]
