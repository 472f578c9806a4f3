"""`select` and the downloads of what was selected."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import bigviz as bv
from bigviz.document.document import document
from bigviz.document.figure import figure
from bigviz.server.limits import Limits
from bigviz.server.selections import kept

from ..running import Answer, Running, running
from .answers import MORE, L

BOX = {"box": [-1, -1, 1, 2]}


def select(served: Running, body: Any, path: str = L, **headers: str) -> Answer:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return served.get(f"{path}/select", "POST", text, **headers)


def selected(served: Running, body: Any, path: str = L) -> dict[str, Any]:
    answer = select(served, body, path)
    assert answer.status == 200, answer.body
    return dict(json.loads(answer.body))


@pytest.fixture(scope="module")
def frame(table: pa.Table) -> pd.DataFrame:
    return table.drop_columns(["pair"]).to_pandas()


def test_a_box_with_statistics_by_label(served: Running, frame: pd.DataFrame):
    found = selected(served, {**BOX, "stats": ["value", "n", "t"], "by": "label"})
    inside = frame[(frame.x >= -1) & (frame.x < 1) & (frame.y >= -1) & (frame.y < 2)]
    assert found["rows"] == len(inside) and found["expression"] == "x >= -1 and x < 1 and y >= -1 and y < 2"
    stats = found["stats"]["n"]
    assert (stats["count"], stats["min"], stats["max"]) == (len(inside), inside.n.min(), inside.n.max())
    assert [stats[name] for name in ("q25", "median", "q75")] == np.quantile(inside.n, [0.25, 0.5, 0.75]).tolist()
    assert found["stats"]["t"]["min"] == str(inside.t.astype("int64").min())
    groups = {each["label"]: each for each in found["by"]["groups"]}
    assert found["by"]["column"] == "label" and {k: v["rows"] for k, v in groups.items()} == (
        inside.label.value_counts().to_dict()
    )
    here = inside[inside.label == "a"].value
    assert groups["a"]["stats"]["value"]["mean"] == pytest.approx(here.mean(), rel=1e-5)
    assert groups["a"]["stats"]["value"]["median"] == float(np.quantile(here.astype(float), 0.5))


def test_rows_under_brushes(served: Running, frame: pd.DataFrame):
    """The rows of a region that lie in brushes over other layers too, and that the filters of these keep."""
    points = {"dataset": "rows", "glyph": "points", "x": "x", "y": "y", "filter": "n > 10"}
    bars = {"dataset": "rows", "glyph": "bar", "x": "label", "y": ""}
    stamps = {"dataset": "rows", "glyph": "histogram", "x": "t"}
    since = frame.t.quantile(0.25)
    brushes = [
        {"definition": points, "box": [-2, -1, 0.5, 9]},
        {"definition": bars, "labels": ["a", "<b>c</b>"]},
        {"definition": stamps, "range": [str(since.value), str(frame.t.max().value)]},
    ]
    found = selected(served, {**BOX, "brushes": brushes})
    inside = (frame.x >= -1) & (frame.x < 0.5) & (frame.y >= -1) & (frame.y < 2)
    kept = (frame.n > 10) & frame.label.isin(["a", "<b>c</b>"]) & (frame.t >= since) & (frame.t < frame.t.max())
    assert found["rows"] == (inside & kept).sum() > 0
    page = json.loads(served.get(f"/points/selections/{found['id']}.json?columns=n&limit=5").body)
    assert page["row"] == np.flatnonzero(inside & kept)[:5].tolist()
    for wrong, words in (
        ([{"definition": points}], "with a box, a range or labels"),
        ([{"definition": bars, "labels": ["nope"]}], "no label 'nope'"),
        ([{"definition": bars, "labels": []}], "cannot be written as a filter"),
        ([{"definition": points, "box": [1]}], "box is [x0, y0, x1, y1]"),
        ("all", "at most 9"),
        ([{"definition": {**points, "x": "nope"}, "box": [0, 0, 1, 1]}], "no column 'nope'"),
    ):
        answer = select(served, {**BOX, "brushes": wrong})
        assert answer.status in (400, 404) and words in json.loads(answer.body)["error"], answer.body


def test_a_lasso_and_a_range_of_a_line(served: Running, frame: pd.DataFrame):
    triangle = [[-1, -1], [2, -1], [0, 3]]
    found = selected(served, {"lasso": triangle})
    x, y = frame.x.to_numpy(float), frame.y.to_numpy()
    left = (y + 1) / 4 - 1 <= x
    right = x < 2 - (y + 1) / 2
    assert found["rows"] == int((left & right & (y >= -1) & (y < 3)).sum()) and found["expression"] is None
    stamps = [str(1_700_000_000_000_000_000 + k * 1_000_000) for k in (10, 1_010)]
    found = selected(served, {"range": stamps}, "/line/layers/0")
    assert found["rows"] == int(frame.gap[10:1_010].notna().sum())
    answer = select(served, {"range": ["0", 1e300]}, "/line/layers/0")
    assert answer.status == 400 and "to 2262-04-11" in json.loads(answer.body)["error"]


@pytest.mark.parametrize("extension", ["parquet", "arrow", "csv"])
def test_downloads_have_the_rows_in_file_order(served: Running, frame: pd.DataFrame, extension: str):
    found = selected(served, BOX)
    inside = frame[(frame.x >= -1) & (frame.x < 1) & (frame.y >= -1) & (frame.y < 2)]
    answer = served.get(f"/points/selections/{found['id']}.{extension}?columns=n,label,t")
    assert answer.status == 200 and "attachment" in answer.headers["Content-Disposition"]
    body = io.BytesIO(answer.body)
    if extension == "csv":
        lines = list(csv.reader(io.TextIOWrapper(body, "utf-8")))
        assert lines[0] == ["n", "label", "t"] and len(lines) == len(inside) + 1
        assert [line[:2] for line in lines[1:]] == [
            [str(n), label] for n, label in zip(inside.n, inside.label, strict=True)
        ]
        return
    table = pq.read_table(body) if extension == "parquet" else pa.ipc.open_stream(body).read_all()
    assert table.column_names == ["n", "label", "t"] and table["n"].to_pylist() == inside.n.tolist()
    assert table["label"].cast(pa.string()).to_pylist() == inside.label.tolist()
    assert table["t"].type == pa.timestamp("ns", "Europe/Paris")
    few = served.get(f"/points/selections/{found['id']}.arrow?limit=3")
    whole = pa.ipc.open_stream(io.BytesIO(few.body)).read_all()
    assert whole.num_rows == 3 and "pair" in whole.column_names and whole["n"].to_pylist() == inside.n[:3].tolist()
    head = served.get(f"/points/selections/{found['id']}.{extension}", "HEAD")
    assert head.status == 200 and head.body == b""


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "box"),
        ({"box": [0, 0, 1, 1], "range": [0, 1]}, "range"),
        ({"box": [1, 0, 0, 1]}, "x0"),
        ({"box": [0, 1, 1, 0]}, "y0"),
        ({"box": [0, 0, 1]}, "box"),
        ({"box": "all"}, "box"),
        ({"lasso": [[0, 0], [1, 1]]}, "lasso"),
        ({"lasso": [[0, 0], [1, 1], [1]]}, "lasso"),
        ({"lasso": [[0, 0], [1, 1], [1, "NaN"]]}, "lasso"),
        ({"lasso": [[0, 0]] * 5_001}, "lasso"),
        ({"range": [1, None]}, "x1"),
        ({**BOX, "stats": "n"}, "stats"),
        ({**BOX, "stats": ["label"]}, "stats"),
        ({**BOX, "by": 3}, "by"),
        ({**BOX, "by": "value"}, "by"),
        ({**BOX, "filter": 1}, "filter"),
        ({**BOX, "limit": 1}, "body"),
        (b"[]", "body"),
        (b"{", "body"),
    ],
)
def test_what_selects_nothing(served: Running, body: Any, field: str):
    answer = select(served, body)
    assert answer.status == 400 and json.loads(answer.body)["field"] == field, answer.body


def test_ids_are_known_to_one_document_and_for_an_hour(served: Running, monkeypatch: pytest.MonkeyPatch):
    found = selected(served, BOX)
    id = found["id"]
    assert len(id) == 22 and id != selected(served, BOX)["id"]
    for path in (f"/line/selections/{id}.csv", f"/points/selections/{id[:-1]}x.csv", "/points/selections/0.csv"):
        assert served.get(path).status == 404, path
    assert served.get(f"/points/selections/{id}.csv?columns=nope").status == 404
    assert served.get(f"/points/selections/{id}.csv?columns=").status == 400
    assert served.get(f"/points/selections/{id}.csv?limit=-1").status == 400
    assert served.get(f"/points/selections/{id}.xlsx").status == 404
    assert selected(served, {"box": [0, -50, 1, 50]}, f"{MORE}/layers/2")["rows"] > 0
    later = kept.now() + kept.SECONDS + 1
    monkeypatch.setattr(kept, "now", lambda: later)
    assert served.get(f"/points/selections/{id}.csv").status == 404


def test_text_that_a_spreadsheet_would_run():
    words = ["=cmd()", "+1", "-1", "@x", "\tx", "plain", None, 'say "no"']
    table = pa.table(
        {
            "x": np.arange(8.0),
            "y": -np.arange(8),
            "=word": words,
            "coded": pa.array(words).dictionary_encode(),
            "bytes": pa.array([b"-"] * 8),
            "list": pa.array([["=1"]] * 8),
            "span": pa.array([-5] * 8, pa.duration("s")),
        }
    )
    with running([document(figure().points(bv.open(table, name="t"), "x", "y"), id="t")]) as served:
        id = selected(served, {"box": [0, -9, 9, 9]}, "/t/layers/0")["id"]
        lines = list(csv.reader(io.StringIO(served.get(f"/t/selections/{id}.csv").body.decode(), newline="")))
    assert lines[0] == ["x", "y", "'=word", "coded", "bytes", "list", "span"]
    safe = ["'=cmd()", "'+1", "'-1", "'@x", "'\tx", "plain", "", 'say "no"']
    assert [line[2] for line in lines[1:]] == safe and [line[3] for line in lines[1:]] == safe
    assert [line[1] for line in lines[1:]] == [str(-k) for k in range(8)], "numbers stay numbers"
    assert not any(cell.startswith(("=", "@", "-", "+")) for line in lines[1:] for cell in line[4:])


def test_a_client_reads_few_files_at_a_time(documents: list[Any]):
    with running(documents, limits=Limits(downloads=0)) as served:
        answer = served.get(f"/points/selections/{selected(served, BOX)['id']}.csv")
        assert answer.status == 429 and answer.headers["Retry-After"] == "5"


def test_a_table_of_rows_in_pages_and_sorted(served: Running, frame: pd.DataFrame):
    found = selected(served, BOX)
    inside = frame[(frame.x >= -1) & (frame.x < 1) & (frame.y >= -1) & (frame.y < 2)]

    def page(query: str) -> dict[str, Any]:
        answer = served.get(f"/points/selections/{found['id']}.json?{query}")
        assert answer.status == 200, answer.body
        return dict(json.loads(answer.body))

    first = page("columns=n,label&limit=3&offset=70000")
    assert first["total"] == len(inside) and first["offset"] == 70_000 and first["rows"] == []
    second = page("columns=n,label&limit=3&offset=5")
    assert second["row"] == inside.index[5:8].tolist() and [each["name"] for each in second["columns"]] == [
        "n",
        "label",
    ]
    assert second["rows"] == [[str(n), label] for n, label in zip(inside.n[5:8], inside.label[5:8], strict=True)]
    for name, desc in (("y", False), ("n", True), ("label", False), ("gap", True)):
        rows = page(f"sort={name}&desc={int(desc)}&limit=200")["row"]
        ordered = inside.sort_values(name, ascending=not desc, kind="stable", na_position="last")
        assert inside[name][rows].astype(str).tolist() == ordered[name][:200].astype(str).tolist(), name
    assert len(page("")["rows"]) == 50 and len(page("")["columns"]) == 8
    for query, status in (("sort=nope", 404), ("limit=0", 400), ("limit=201", 400), ("desc=2", 400), ("offset=x", 400)):
        assert served.get(f"/points/selections/{found['id']}.json?{query}").status == status, query
