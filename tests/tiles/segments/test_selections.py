"""Selections of versions of a dataset that grows are those of a table of its rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import bigviz as bv
from bigviz.aggregate.layer import Layer
from bigviz.tiles.engine import Engine
from bigviz.tiles.selection.region import Rectangle, Strip

from ...growing import Growing


def rows(rng: np.random.Generator, count: int) -> pa.Table:
    x, y = rng.random((2, count)) * 100
    return pa.table({"x": x, "y": y, "v": rng.integers(0, 9, count), "kind": rng.choice(list("abc"), count)})


@pytest.mark.parametrize("keep", ["", "v > 4 and kind != 'a'"])
@pytest.mark.parametrize("glyph", ["points", "line"])
def test_selections_follow(glyph: str, keep: str) -> None:
    rng = np.random.default_rng(6)
    growing, engine = Growing(rows(rng, 3_000)), Engine(threads=1)
    layer = Layer(glyph, "x", "y", "count" if glyph == "points" else "any", filter=keep)
    for step in range(3):
        growing.append(rows(rng, 200))
        if step == 1:
            growing.correct([5, 3_100], rows(rng, 2)).roll(4)
        dataset, other = growing.version(), bv.open(growing.table)
        for region in (Rectangle((10.0, 60.0), (5.0, 50.0)), Strip((3.0, 60.0))):
            found = engine.select(dataset, layer, region, ["v"], "kind")
            expected = Engine(threads=1).select(other, layer, region, ["v"], "kind")
            assert found.count == expected.count > 0 and found.stats == expected.stats
            assert found.groups == expected.groups
            assert found.table(limit=None).equals(expected.table(limit=None))
