"""Bars over a real server: as an Arrow file, on the websocket, as a small picture, and in files."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

import bigviz as bv
from bigviz.common.cancel import NEVER
from bigviz.document.spec import Document
from bigviz.export.html.export import export_html
from bigviz.tiles.engine import Engine
from bigviz.wire.frames import Type

from ..running import Running, running
from ..wire import Browser

ROWS = 4_000


@pytest.fixture(scope="module")
def rows() -> pa.Table:
    rng = np.random.default_rng(11)
    kind = rng.choice(["a", "b", "c"], ROWS, p=[0.6, 0.3, 0.1])
    return pa.table({"fare": rng.gamma(2, 10, ROWS), "kind": kind, "when": np.arange(ROWS).astype("datetime64[s]")})


@pytest.fixture(scope="module")
def plots(rows: pa.Table) -> Document:
    dataset = bv.open(rows, name="trips")
    first = bv.figure(title="Fares").histogram(dataset, "fare", bins=20, color="#d33")
    second = bv.figure().bar(dataset, "kind", agg="by(kind)", sort="value")
    return bv.document(bv.row(first, second), id="d", title="Bars")


@pytest.fixture(scope="module")
def served(plots: Document) -> Iterator[Running]:
    with running([plots]) as server:
        yield server


def table(served: Running, query: str, layer: int = 0) -> pa.Table:
    answer = served.get(f"/d/layers/{layer}/bars.arrow?{query}")
    assert answer.status == 200, answer.body
    return pa.ipc.open_file(answer.body).read_all()


def test_an_arrow_file_has_the_bars_of_a_window(served: Running, rows: pa.Table) -> None:
    fare = rows.column("fare").to_numpy()
    counts, edges = np.histogram(fare, 20)
    whole = table(served, "")
    assert whole.column("value").to_pylist() == counts.tolist()
    assert whole.column("start").to_pylist() == edges[:-1].tolist()
    middle = (edges[0] + edges[-1]) / 2
    half = table(served, f"x0={edges[0]!r}&x1={middle!r}".replace("np.float64(", "").replace(")", ""))
    assert half.column("value").to_pylist() == np.histogram(fare, np.linspace(edges[0], edges[-1], 41))[0][:20].tolist()
    assert table(served, "bins=4&agg=mean(fare)").num_rows == 4
    times = table(served, "x=when&bins=10")
    assert times.column("value").to_pylist() == np.histogram(np.arange(ROWS), 10)[0].tolist()
    assert times.schema.field("start").type == pa.timestamp("ns")
    labels = table(served, "", 1)
    assert labels.column_names == ["label", "value", "category"]
    assert sum(labels.column("value").to_pylist()) == ROWS and labels.column("label").to_pylist()[:3] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("query", "field"),
    [("bins=0", "bins"), ("bins=x", "bins"), ("x0=1", "x1"), ("x0=2&x1=1", "x0"), ("glyph=points&y=fare", "glyph"),
     ("agg=any", "agg"), ("x=kind", "x"), ("sort=size", "sort"), ("y=fare", "y")],
)  # fmt: skip
def test_what_is_wrong_is_named(served: Running, query: str, field: str) -> None:
    answer = served.get(f"/d/layers/0/bars.arrow?{query}")
    assert answer.status == 400 and json.loads(answer.body)["field"] == field


def test_pages_get_bars_as_columns(served: Running, rows: pa.Table) -> None:
    with Browser(served.url, "d") as browser:
        info = browser.layer(bins="20").value
        assert info["y"] == {"column": "count", "kind": "integer", "zone": None, "categories": None}
        low, high = info["range"][0], info["range"][2]
        wanted = {
            "layer": 0,
            "definition": browser.definition(bins="20"),
            "columns": {"x0": low, "x1": high, "width": 9},
        }
        browser.say(op="view", figure=0, layers=[wanted])
        (found, _) = browser.until(lambda got: got.kind == Type.DONE)
    bars = found.value
    counts, edges = np.histogram(rows.column("fare").to_numpy(), 20)
    np.testing.assert_array_equal(bars.x, edges)
    np.testing.assert_array_equal(bars.y[:-1] + int(bars.info["yorigin"]), counts)
    assert bars.row.tolist() == [*counts.tolist(), -1] and bars.column.tolist() == list(range(21))
    assert bars.run.tolist() == [0] * 21


def test_pictures_and_files_have_them(served: Running, plots: Document, tmp_path: Path) -> None:
    answer = served.get("/_/api/documents/d/thumbnail.png")
    pixels = np.asarray(Image.open(io.BytesIO(answer.body)).convert("RGBA"))
    left, right = pixels[:, :240], pixels[:, 240:]
    red = (left == (0xDD, 0x33, 0x33, 255)).all(-1)
    assert red.sum() > 1_000 and red.any(1).argmax() < red.shape[0] // 4
    assert len({tuple(each) for each in right[right[..., 3] == 255].tolist()}) == 3
    export_html(plots, tmp_path / "d.html", Engine(threads=1), cancel=NEVER)
    page = (tmp_path / "d.html").read_text()
    assert '"bars":[' in page and '"bins":"20"' in page and '"sort":"value"' in page
