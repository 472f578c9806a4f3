"""Estimates over the wire: a layer whose index is held back is sampled, estimated ever better, and exact in the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import bigviz as bv
from bench.load.socket import Opcode, frame_of
from bigviz.data.sources import memory
from bigviz.document.document import document
from bigviz.document.figure import figure
from bigviz.document.spec import Document
from bigviz.tiles import disk_indexes
from bigviz.tiles.engine import Engine
from bigviz.tiles.store.catalog.directory import StoreDirectory
from bigviz.wire.frames import Type

from .running import Gated, Running, running
from .wire import Browser, Got, cells

ROWS = 160_000
PIECE = 5_000


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables in memory are read in pieces of 5,000 rows."""
    monkeypatch.setattr(memory, "_PIECE", PIECE)


@pytest.fixture
def table() -> pa.Table:
    """A cloud within [-1, 1) and a series in x order; the one row that widens the cloud's root lies in an odd piece."""
    rng = np.random.default_rng(3)
    x, y = rng.uniform(-0.99, 0.99, (2, ROWS))
    kind = pa.DictionaryArray.from_arrays(rng.integers(0, 3, ROWS).astype(np.int32), pa.array(["a", "b", "c"]))
    return pa.table(
        {"x": x, "y": y, "v": np.arange(ROWS) / ROWS, "walk": np.cumsum(rng.normal(size=ROWS)), "kind": kind}
    )


@pytest.fixture
def documents(table: pa.Table, small_pieces: None) -> list[Document]:
    ds = bv.open(table, name="cloud")
    return [
        document(figure().points(ds, "x", "y"), id="points"),
        document(figure().line(ds, "v", "walk"), id="line"),
    ]


@pytest.fixture
def engine() -> Gated:
    """Builds wait until they are let go."""
    held = Gated(preview_rows=1_000)
    held.build_open.clear()
    return held


@pytest.fixture
def held(documents: list[Document], engine: Gated) -> Iterator[Running]:
    with running(documents, engine=engine) as server:
        yield server
        engine.build_open.set()


def is_layer(got: Got) -> bool:
    return got.kind == Type.LAYER


def is_final(got: Got) -> bool:
    return got.kind == Type.LAYER and got.value["index"] == "ready"


def ask(browser: Browser, answer: Got, tiles: list[list[int]], **changes: Any) -> int:
    """A view of tiles on the roots of a layer answer."""
    definition = browser.definition(**changes)
    roots = {"roots": answer.value["root"]} if answer.value["provisional"] else {}
    return browser.say(op="view", figure=0, layers=[{"layer": 0, "definition": definition, "tiles": tiles, **roots}])


@contextmanager
def together(browser: Browser) -> Iterator[None]:
    """What is said inside arrives at once: however busy the machine is, nothing is answered in between."""
    said: list[bytes] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(browser.socket, "send", lambda text: said.append(frame_of(Opcode.TEXT, text.encode())))
        yield
    browser.socket.socket.sendall(b"".join(said))


def test_a_layer_is_sampled_estimated_and_exact_in_the_end(held: Running, engine: Gated, table: pa.Table):
    with Browser(held.url, "points") as browser:
        first = browser.layer()
        assert first.value["provisional"] is True and first.value["index"] == "building"
        assert first.value["rows"] == ROWS and first.value["root"] == {"x": ["-1", 1], "y": ["-1", 1]}
        view = ask(browser, first, [[0, 0, 0, 0], [1, 1, 1, 0]])
        shares: list[float] = []
        while shares.count(1) < 2:
            got = browser.take()
            if got.kind == Type.PROGRESS:
                continue
            assert got.kind == Type.TILE and got.frame.request == view and got.frame.flags & 1
            error, share = got.value.estimate["error"], got.value.estimate["share"]
            assert (error > 0) == (share < 1) and got.value.estimate["start"] is False
            total = cells(got.value.planes[0]).sum(dtype=np.int64)
            assert total == pytest.approx(ROWS / 4**got.value.zx, rel=0.1)
            shares.append(got.value.estimate["share"])
        assert shares == sorted(shares) and shares[0] >= 8 * PIECE / ROWS and shares[-1] == 1
        engine.build_open.set()
        rest = browser.until(lambda each: each.kind == Type.DONE)
        if not any(map(is_final, rest)):
            rest += browser.until(is_final)
        final = next(filter(is_final, rest))
        assert final.value["provisional"] is False and final.frame.request == first.frame.request
        assert final.value["root"] == first.value["root"]
        tiles = {got.value.zx: got for got in rest if got.kind == Type.TILE and not got.frame.flags}
        assert set(tiles) == {0, 1} and cells(tiles[0].value.planes[0]).sum() == ROWS
        x, y = np.asarray(table["x"]), np.asarray(table["y"])
        assert cells(tiles[1].value.planes[0]).sum() == np.count_nonzero((x >= 0) & (y >= 0))
        assert next(got for got in rest if got.kind == Type.DONE).frame.request == view


def test_a_root_that_a_sample_did_not_see_is_told_and_its_tiles_given_up(
    engine: Gated, table: pa.Table, small_pieces: None
):
    wide = np.asarray(table["x"]).copy()
    wide[PIECE + 7] = 3.5  # its piece is not among the first ones
    ds = bv.open(table.set_column(0, "x", pa.array(wide)), name="cloud")
    shown = document(figure().points(ds, "x", "y"), id="points")
    with running([shown], engine=engine) as server, Browser(server.url, "points") as browser:
        first = browser.layer(root="full")
        assert first.value["root"]["x"] == ["-1", 1]
        view = ask(browser, first, [[0, 0, 0, 0]], root="full")
        browser.until(lambda each: each.kind == Type.TILE and each.value.estimate["share"] == 1)
        engine.build_open.set()
        final = browser.until(is_final)[-1]
        assert final.value["root"]["x"] == ["-4", 3] and final.value["range"][2] == 3.5
        again = ask(browser, final, [[0, 0, 0, 0]], root="full")
        rest = browser.until(lambda each: each.kind == Type.DONE)
        assert rest[-1].frame.request == again
        assert [got.frame.request for got in rest if got.kind == Type.TILE] == [again]
        assert not any(got.frame.request == view for got in rest)


@pytest.mark.parametrize(
    "agg", ["count", "any", "sum(v)", "mean(v)", "min(v)", "max(v)", "by(kind)", "by(kind, mean(v))"]
)
def test_every_reduction_is_estimated_alike(held: Running, engine: Gated, agg: str):
    """An estimate of all rows is the exact tile, but for how its numbers are written."""
    with Browser(held.url, "points") as browser:
        first = browser.layer(agg=agg)
        assert first.value["planes"] == (["a", "b", "c"] if agg.startswith("by") else None)
        ask(browser, first, [[0, 0, 0, 0]], agg=agg)
        whole = browser.until(lambda each: each.kind == Type.TILE and each.value.estimate["share"] == 1)[-1]
        engine.build_open.set()
        exact = browser.until(lambda each: each.kind == Type.TILE and not each.frame.flags)[-1]
        assert whole.value.estimate["error"] == 0
        for estimated, plane in zip(whole.value.planes, exact.value.planes, strict=True):
            np.testing.assert_allclose(cells(estimated), cells(plane), rtol=1e-6)
            assert estimated.filled == plane.filled


def test_a_line_is_drawn_through_sampled_rows_first(held: Running, engine: Gated, table: pa.Table):
    with Browser(held.url, "line") as browser:
        assert browser.layer().value["provisional"] is True
        definition = browser.definition()
        wanted = {"layer": 0, "definition": definition, "columns": {"x0": 0, "x1": 1, "width": 50}}
        browser.say(op="view", figure=0, layers=[wanted])
        rough = browser.until(lambda each: each.kind == Type.COLUMNS)[-1]
        estimate = rough.value.estimate
        assert estimate["share"] in (0.25, 0.5, 1) and (estimate["error"], estimate["start"]) == (None, False)
        rows = rough.value.row.astype(np.int64)
        np.testing.assert_array_equal(rough.value.y, np.asarray(table["walk"])[rows])
        engine.build_open.set()
        got = browser.until(lambda each: each.kind == Type.DONE)
        exact = [each for each in got if each.kind == Type.COLUMNS and not each.frame.flags]
        assert len(exact) == 1 and exact[0].value.estimate is None
        walk = np.asarray(table["walk"])
        assert exact[0].value.y.max() == walk.max() and exact[0].value.y.min() == walk.min()


def test_builds_make_way_for_a_page_that_opens(held: Running, engine: Gated, monkeypatch: pytest.MonkeyPatch):
    expected: list[float] = []
    monkeypatch.setattr(engine, "expect", expected.append)
    held.await_event("loaded")
    assert held.get("/points/").status == 200
    assert len(expected) == 1
    assert held.get("/nothing/").status == 404
    with Browser(held.url, "points"):
        assert len(expected) == 2


def test_a_page_that_leaves_ends_the_build_and_its_sample(held: Running, engine: Gated):
    with Browser(held.url, "points") as browser:
        first = browser.layer(agg="sum(v)")
        ask(browser, first, [[0, 0, 0, 0]], agg="sum(v)")
        browser.until(lambda each: each.kind == Type.TILE)
    engine.await_(lambda: engine.builds_cancelled > 0)
    held.await_event("disconnected")


def test_a_newer_view_replaces_estimates_too(held: Running):
    with Browser(held.url, "points") as browser:
        first = browser.layer()
        with together(browser):
            old = ask(browser, first, [[2, 2, 1, 1]])
            new = ask(browser, first, [[3, 3, 1, 1]])
        got = browser.until(lambda each: each.kind == Type.TILE and each.value.estimate["share"] == 1)
        late = [each.frame.request for each in got if each.kind == Type.TILE]
        assert set(late[1:]) == {new} or set(late) == {new}, (old, new, late)


@pytest.mark.parametrize(
    "roots", [3, {"x": ["0", 1]}, {"x": ["0", 1], "y": [0, 1]}, {"x": ["0", 1], "y": ["0" * 500, 1]}, {"z": 1}]
)
def test_roots_that_are_none(held: Running, roots: Any):
    with Browser(held.url, "points") as browser:
        wanted = {"layer": 0, "definition": browser.definition(), "tiles": [[0, 0, 0, 0]], "roots": roots}
        browser.say(op="view", figure=0, layers=[wanted])
        got = browser.until(lambda each: each.kind == Type.ERROR)[-1]
        assert got.value["field"].startswith("layers[0].roots")


def test_a_view_over_a_damaged_store_waits_for_the_new_one(table: pa.Table, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(disk_indexes, "STORED_ROWS", 1)
    pq.write_table(table, tmp_path / "cloud.parquet")
    shown = document(figure().points(bv.open(str(tmp_path / "cloud.parquet")), "x", "y"), id="points")
    stores = StoreDirectory(tmp_path / "stores", tell=lambda sentence: None)
    with running([shown], engine=Engine(stores=stores)) as server, Browser(server.url, "points") as browser:
        browser.layer()
        expected = browser.view([[0, 0, 0, 0]])[0].value.planes
    (entry,) = stores.entries()
    for pyramid in (entry.path / "pyramids").iterdir():
        stores.drop(pyramid)  # so that rows are read
    keys = bytearray((entry.path / "keys.arrow").read_bytes())
    keys[len(keys) // 2] ^= 4
    (entry.path / "keys.arrow").write_bytes(keys)
    again = Engine(stores=stores)
    with running([shown], engine=again) as server, Browser(server.url, "points") as browser:
        while True:
            answer = browser.layer()
            if answer.kind == Type.LAYER:
                break
        got = browser.view([[0, 0, 0, 0]])
        tiles = [each for each in got if each.kind == Type.TILE]
        assert tiles[-1].value.planes == expected and got[-1].kind == Type.DONE
    assert [each.state for each in stores.entries()] == ["ready"]
