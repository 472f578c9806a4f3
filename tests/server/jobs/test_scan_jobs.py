"""Scanned layers over the wire: estimates first, one pass for all of a view, progress, and an end when nobody waits."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import bigviz as bv
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.progress import Progress, no_progress
from bigviz.data.formats import parquet
from bigviz.document.document import document
from bigviz.document.figure import figure
from bigviz.document.spec import Document
from bigviz.tiles import disk_indexes
from bigviz.tiles.answers.answer import Tile
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.store.catalog.directory import StoreDirectory
from bigviz.wire.frames import Type

from ...patience import PATIENCE
from ..running import Running, running
from ..wire import Browser, Got, cells

ROWS = 160_000
LEVEL = [[2, 2, i, j] for i in range(4) for j in range(4)]


class Scanning(Engine):
    """An engine that scans what has more than some 40,000 rows; passes wait at a gate, half done."""

    def __init__(self, **options: Any) -> None:
        super().__init__(threads=2, index_bytes=1 << 20, preview_rows=1_000, **options)
        self.open = threading.Event()
        self.open.set()
        self.scans: list[Sequence[TileKey]] = []
        self.stopped = 0
        self.changed = threading.Condition()

    def scan(
        self, dataset: Any, layer: Any, keys: Any, window: Any = None, progress: Progress = no_progress,
        cancel: Cancel = NEVER,
    ) -> list[Tile]:  # fmt: skip
        with self.changed:
            self.scans.append(keys)
            self.changed.notify_all()
        while not self.open.wait(0.01):
            progress("scanning rows", 0.5, ROWS // 2)
            if cancel.cancelled:
                with self.changed:
                    self.stopped += 1
                    self.changed.notify_all()
                cancel.check()
        return super().scan(dataset, layer, keys, window, progress, cancel)

    def until(self, fits: Any) -> None:
        with self.changed:
            assert self.changed.wait_for(fits, PATIENCE)


@pytest.fixture(scope="module")
def table() -> pa.Table:
    rng = np.random.default_rng(3)
    x, y = rng.uniform(-0.99, 0.99, (2, ROWS))
    kind = pa.array(np.array(["a", "b", "c"])[rng.integers(0, 3, ROWS)])
    return pa.table({"x": x, "y": y, "v": rng.integers(0, 100, ROWS), "kind": kind})


@pytest.fixture(scope="module")
def path(table: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tables") / "cloud.parquet"
    pq.write_table(table, made, row_group_size=5_000)
    return made


@pytest.fixture
def documents(path: Path, table: pa.Table) -> list[Document]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet, "BATCH", 1)  # while it is opened: each row group is a piece
        cloud = bv.open(str(path))
    return [
        document(figure().points(cloud, "x", "y"), id="cloud"),
        document(figure().points(bv.open(table.slice(0, 500), name="few"), "x", "y"), id="few"),
    ]


@pytest.fixture
def engine() -> Scanning:
    return Scanning()


@pytest.fixture
def server(documents: list[Document], engine: Scanning) -> Iterator[Running]:
    with running(documents, engine=engine) as found:
        yield found
        engine.open.set()


def settled(browser: Browser, **changes: Any) -> Got:
    """The last answer about a layer."""
    browser.say(op="layer", figure=0, layer=0, definition=browser.definition(**changes))
    return browser.until(lambda got: got.kind == Type.LAYER and got.value["index"] != "building")[-1]


def grid(table: pa.Table, side: int) -> np.ndarray:
    """Counts of the root [-1, 1) in side x side squares, row 0 the highest y."""
    edges = np.linspace(-1, 1, side + 1)
    counts, _, _ = np.histogram2d(np.asarray(table["y"]), np.asarray(table["x"]), (edges, edges))
    return counts[::-1]


def test_a_view_is_estimated_then_scanned_in_one_pass(server: Running, engine: Scanning, table: pa.Table) -> None:
    with Browser(server.url, "cloud") as browser:
        answer = settled(browser)
        assert answer.value["index"] == "none" and answer.value["provisional"] is False
        assert answer.value["root"] == {"x": ["-1", 1], "y": ["-1", 1]}
        engine.open.clear()
        view = browser.ask(LEVEL)
        rough = browser.until(lambda got: got.kind == Type.PROGRESS and got.frame.request == view)
        while sum(got.kind == Type.TILE for got in rough) < 16:
            rough.append(browser.take())
        estimates = [got for got in rough if got.kind == Type.TILE]
        assert all(got.frame.flags & 1 and got.value.estimate["share"] == 0.25 for got in estimates)
        told = next(got for got in rough if got.kind == Type.PROGRESS)
        assert told.value["stage"] == "scanning rows" and told.value["done"] == 0.5
        engine.open.set()
        rest = browser.until(lambda got: got.kind == Type.DONE)
        tiles = [got.value for got in rest if got.kind == Type.TILE and not got.frame.flags]
        assert len(tiles) == 16 and len(engine.scans) == 1
        expected = grid(table, 4)
        for tile in tiles:
            assert cells(tile.planes[0]).sum() == expected[tile.j, tile.i]
        assert rest[-1].value["tiles"] == 32, "estimates are counted"
        assert ROWS < rest[-1].value["rows"] < 2 * ROWS, "one pass, and what the estimates read"


def test_equal_views_share_a_pass_and_its_progress(server: Running, engine: Scanning) -> None:
    with Browser(server.url, "cloud") as one, Browser(server.url, "cloud") as other:
        settled(one)
        engine.open.clear()
        views = [each.ask(LEVEL) for each in (one, other)]
        for browser, view in zip((one, other), views, strict=True):
            browser.until(lambda got, view=view: got.kind == Type.PROGRESS and got.frame.request == view)
        engine.open.set()
        for browser in (one, other):
            browser.until(lambda got: got.kind == Type.DONE)
        assert len(engine.scans) == 1


def test_a_newer_view_and_a_page_that_leaves_end_a_pass(server: Running, engine: Scanning) -> None:
    with Browser(server.url, "cloud") as browser:
        settled(browser)
        engine.open.clear()
        browser.ask(LEVEL[:4])
        engine.until(lambda: len(engine.scans) == 1)
        browser.ask(LEVEL[4:])
        engine.until(lambda: engine.stopped == 1 and len(engine.scans) == 2)
    engine.until(lambda: engine.stopped == 2)


def test_passes_keep_nobody_else_waiting(server: Running, engine: Scanning) -> None:
    with Browser(server.url, "cloud") as browser, Browser(server.url, "cloud") as another:
        settled(browser)
        engine.open.clear()
        browser.ask(LEVEL[:4])
        another.ask(LEVEL[4:])
        engine.until(lambda: len(engine.scans) == 2)
        with Browser(server.url, "few") as third:
            assert settled(third).value["index"] == "ready"
            got = third.view([[0, 0, 0, 0]])
            assert [each.kind for each in got] == [Type.TILE, Type.DONE]
        image = server.get("/few/layers/0/image.npy?x0=-1&x1=1&y0=-1&y1=1&width=20&height=20")
        assert image.status == 200 and np.load(io.BytesIO(image.body)).sum() == 500


def test_a_window_of_few_rows_is_answered_by_them(server: Running, engine: Scanning, table: pa.Table) -> None:
    with Browser(server.url, "cloud") as browser:
        settled(browser, agg="by(kind, max(v))")
        window = {"x0": 0.0, "x1": 0.1, "y0": 0.0, "y1": 0.1, "width": 100, "height": 100}
        definition = browser.definition(agg="by(kind, max(v))")
        wanted = {"layer": 0, "definition": definition, "tiles": [[5, 5, 16, 15]], "window": window}
        browser.say(op="view", figure=0, layers=[wanted])
        got = browser.until(lambda got: got.kind == Type.DONE)
        (rows,) = [each for each in got if each.kind == Type.ROWS]
        assert not any(each.kind == Type.TILE and not each.frame.flags for each in got)
        x, y = np.asarray(table["x"]), np.asarray(table["y"])
        assert rows.value.info["matched"] >= np.count_nonzero((x >= 0) & (x < 0.1) & (y >= 0) & (y < 0.1))


def test_routes_answer_for_scanned_layers(server: Running, engine: Scanning, table: pa.Table) -> None:
    facts = json.loads(server.get("/cloud/layers/0/tilejson.json").body)
    assert facts["index"] == "none" and facts["extent"] == [-1.0, -1.0, 1.0, 1.0]
    x, y = np.asarray(table["x"]), np.asarray(table["y"])

    def tile(place: tuple[int, int]) -> int:
        answer = server.get(f"/cloud/layers/0/tiles/2/{place[0]}/{place[1]}.npy")
        return int(np.load(io.BytesIO(answer.body)).sum(dtype=np.int64))

    with ThreadPoolExecutor(8) as pool:
        sums = list(pool.map(tile, [(i, j) for j in range(4) for i in range(4)]))
    np.testing.assert_array_equal(np.reshape(sums, (4, 4)), grid(table, 4))
    image = server.get("/cloud/layers/0/image.npy?x0=-0.5&x1=0.5&y0=-0.5&y1=0.5&width=30&height=20&agg=sum(v)")
    inside = (abs(x) <= 0.5) & (abs(y) <= 0.5)
    assert np.load(io.BytesIO(image.body)).sum() == np.asarray(table["v"])[inside].sum()
    rows = server.get("/cloud/layers/0/rows.arrow?x0=0&x1=0.25&y0=0&y1=0.25&limit=20")
    held = pa.ipc.open_file(io.BytesIO(rows.body)).read_all()
    matched = (x >= 0) & (x < 0.25) & (y >= 0) & (y < 0.25)
    assert held.num_rows == 20 and held.schema.metadata[b"matched"] == str(np.count_nonzero(matched)).encode()
    assert matched[np.asarray(held["row"])].all()


def test_what_a_viewer_picks_is_not_stored(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk_indexes, "STORED_ROWS", 1)
    stores = StoreDirectory(tmp_path / "stores", tell=lambda sentence: None)
    shown = document(figure().points(bv.open(str(path)), "x", "y"), id="cloud")
    with running([shown], engine=Scanning(stores=stores)) as server, Browser(server.url, "cloud") as browser:
        assert settled(browser).value["index"] == "ready"
        before = stores.entries()
        assert settled(browser, y="v").value["index"] == "none"
        got = browser.view([[0, 0, 0, 0]])
        assert got[-1].kind == Type.DONE and stores.entries() == before
