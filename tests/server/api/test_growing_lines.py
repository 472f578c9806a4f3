"""A line of a server follows appended rows, late ones too, and equals one of all its rows."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import bigviz as bv
from bigviz.aggregate.layer import Layer
from bigviz.tiles.engine import Engine

from ..running import Running
from .calls import ARROW, call, document, stream_of, upload

LAYER = Layer("line", "x", "y", "any")


def batch(rng: np.random.Generator, first: int, count: int) -> pa.Table:
    """Rows of which some come late, some have no y, and some have no x."""
    x = first + np.arange(count) - np.where(rng.random(count) < 0.3, 40, 0)
    xs = pa.array(x, pa.int64(), mask=rng.random(count) < 0.1)
    return pa.table({"x": xs, "y": pa.array(rng.normal(size=count), mask=rng.random(count) < 0.1)})


def plot() -> dict[str, Any]:
    value = document("rows", agg="any")
    value["layout"]["layers"][0]["glyph"] = "line"
    return value


@pytest.mark.parametrize("kept", [None, 70])
def test_each_version_is_drawn_as_a_line_of_its_rows(plots: Running, kept: int | None) -> None:
    rng = np.random.default_rng(4)
    table = batch(rng, 0, 100)
    upload(plots, "rows" if kept is None else f"rows?rollover_rows={kept}", table)
    assert call(plots, "PUT", "documents/a", plot())[0] == 201
    for number, count in enumerate((0, 1, 30, 60), 1):
        more = batch(rng, 100 * number, count)
        assert call(plots, "POST", "datasets/rows/append", stream_of(more), Content_Type=ARROW)[0] == 200
        table = pa.concat_tables([table, more])
        facts = json.loads(plots.get("/a/layers/0/tilejson.json").body)
        there = table.slice(table.num_rows - facts["rows"])
        assert facts["rows"] == table.num_rows if kept is None else facts["rows"] <= max(kept, count)
        _same(plots, there, table.num_rows - facts["rows"])


@pytest.mark.parametrize("glyph", ["points", "line"])
def test_the_first_who_looks_sees_the_root_of_all_rows(plots: Running, glyph: str) -> None:
    rng = np.random.default_rng(5)
    table = pa.table({"x": np.arange(5_000), "y": rng.normal(size=5_000) * np.geomspace(1000, 1, 5_000)})
    upload(plots, "rows?rollover_rows=1000", table.slice(0, 1_500))
    for first in range(1_500, 5_000, 500):
        more = stream_of(table.slice(first, 500))
        assert call(plots, "POST", "datasets/rows/append", more, Content_Type=ARROW)[0] == 200
    upload(plots, "all", table)
    found = {}
    for name in ("rows", "all"):
        value = document(name, agg="any" if glyph == "line" else "count")
        value["layout"]["layers"][0]["glyph"] = glyph
        assert call(plots, "PUT", f"documents/{name}", value)[0] == 201
        found[name] = json.loads(plots.get(f"/{name}/layers/0/tilejson.json").body)
    assert found["rows"]["extent"] == found["all"]["extent"]
    assert (found["rows"]["rows"], found["rows"]["range"][0]) == (1_000, 4_000), found["rows"]


def _same(plots: Running, table: pa.Table, first: int) -> None:
    engine, dataset = Engine(threads=1), bv.open(table)
    for x0, x1, width in ((-50, 600, 500), (0, 99, 10), (60, 210, 3)):
        answer = plots.get(f"/a/layers/0/columns.arrow?x0={x0}&x1={x1}&width={width}")
        ours = pa.ipc.open_file(answer.body).read_all()
        theirs = engine.columns(dataset, LAYER, x0, x1, width).table(dataset)
        assert ours["row"].to_pylist() == [row + first for row in theirs["row"].to_pylist()]
        assert ours.drop_columns("row").to_pydict() == theirs.drop_columns("row").to_pydict()
        query = f"x0={x0}&x1={x1}&y0=-3&y1=3&width={width}&height=20"
        image = np.load(io.BytesIO(plots.get(f"/a/layers/0/image.npy?{query}").body))
        assert (image == engine.image(dataset, LAYER, x0, x1, -3, 3, width, 20)[0]).all()
