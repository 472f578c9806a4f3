"""A brush over a websocket of `bigviz serve --workers 2`: what it shows is what a server of one process shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bigviz.commands.bench.run import serving
from bigviz.wire.frames import Type

from ..wire import Browser, Got

ROWS = 12_000


def table(path: Path) -> None:
    """Files of which each worker gets two; y is missing here and there, `t` ascends, and `u` lies in any order."""
    rng = np.random.default_rng(7)
    y = np.where(rng.random(ROWS) < 0.1, np.nan, rng.normal(size=ROWS))
    named = {"x": rng.normal(size=ROWS), "y": y, "z": rng.normal(size=ROWS), "fare": rng.gamma(2, 10, ROWS)}
    kinds = rng.choice(["a", "b", "c"], ROWS)
    every = pa.table({**named, "t": np.arange(ROWS) * 1.0, "u": rng.permutation(ROWS) * 1.0, "kind": kinds})
    path.mkdir()
    for number in range(4):
        pq.write_table(every.slice(ROWS // 4 * number, ROWS // 4), path / f"{number}.parquet")


def targets(points: dict[str, Any]) -> list[dict[str, Any]]:
    of = {"dataset": points["dataset"]}
    layers: list[dict[str, Any]] = [
        {"definition": {**points, "y": "fare", "agg": "by(kind)"}, "view": [0, 0, 0, 0, 256, 256]},
        {"definition": {**of, "glyph": "histogram", "x": "fare"}, "columns": {"x0": 0, "x1": 80, "width": 300}},
        {"definition": {**of, "glyph": "histogram", "x": "z", "agg": "max(fare)"},
         "columns": {"x0": -3, "x1": 3, "width": 90}},
        {"definition": {**of, "glyph": "bar", "x": "kind", "sort": "value"}},
        {"definition": {**of, "glyph": "line", "x": "t", "y": "z"}, "columns": {"x0": 0, "x1": ROWS, "width": 70}},
        {"definition": {**of, "glyph": "line", "x": "t", "y": "y"}, "columns": {"x0": 900, "x1": 9000, "width": 200}},
        {"definition": {**of, "glyph": "line", "x": "u", "y": "y"}, "columns": {"x0": 0, "x1": ROWS, "width": 70}},
    ]  # fmt: skip
    return [{"figure": 0, "layer": 0, **each} for each in layers]


def answer(browser: Browser, request: int) -> tuple[list[Got], Got]:
    got = browser.until(lambda each: each.kind in (Type.DONE, Type.ERROR) and each.frame.request == request)
    assert got[-1].kind == Type.DONE, got[-1].value
    return got, got[-1]


def steps(browser: Browser) -> list[list[Got]]:
    """What answers each step of a brush, once it is exact."""
    points = browser.definition()
    histogram = {"definition": {"dataset": points["dataset"], "glyph": "histogram", "x": "fare"}}
    asked: list[dict[str, Any]] = [
        {"definition": points, "box": [-1, -0.5, 0.3, 1]},
        {"definition": points, "box": [-1, -0.5, 0.4, 1.1]},
        {"definition": points, "box": [0, -9, 0.1, 9], "others": [{"figure": 0, **histogram, "range": [3, 60],
                                                                   "figures": []}]},
        {"definition": points, "box": [50, 50, 60, 60]},
        {**histogram, "range": [5, 20]},
        {"definition": {**histogram["definition"], "glyph": "bar", "x": "kind"}, "labels": ["a", "c"]},
    ]  # fmt: skip
    found = []
    for seq, each in enumerate(asked):
        request = browser.say(op="brush", figure=0, layer=0, seq=seq, targets=targets(points), **each)
        got, end = answer(browser, request)
        while not end.value["exact"]:
            got, end = answer(browser, request)
        found.append([each for each in got if each.frame.request == request])
    return found


def same(one: Got, other: Got) -> None:
    assert one.kind == other.kind
    here, there = one.value, other.value
    if one.kind == Type.DONE:
        assert {here[name] == there[name] for name in ("brush", "exact", "selected", "of")} == {True}
    elif one.kind == Type.IMAGE:
        assert repr(here.planes) == repr(there.planes)  # planes of no row have bounds that are not equal to themselves
        assert here.info["view"] == there.info["view"]
    else:
        assert here.info["n"] == there.info["n"] and here.info["flagged"] == there.info["flagged"]
        for name in ("column", "run", "row", "x", "y"):
            np.testing.assert_array_equal(getattr(here, name), getattr(there, name))


def test_steps_equal_those_of_one_process(tmp_path: Path) -> None:
    table(tmp_path / "trips")
    options = [f"trips={tmp_path / 'trips'}", "--x=x", "--y=y"]
    found = []
    for more in (["--workers=2"], []):
        with serving([*options, *more]) as url:
            name = url.rstrip("/").rpartition("/")[2]
            with Browser(url.rstrip("/").rpartition("/")[0] + "/", name) as browser:
                found.append(steps(browser))
    for one, other in zip(*found, strict=True):
        assert len(one) == len(other) == 8
        for each, expected in zip(one, other, strict=True):
            same(each, expected)
    assert any(len(each.value.row) for each in found[0][0] if each.kind == Type.COLUMNS)
