"""The websocket: what a browser sends and what it gets."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.sync.client import connect

import bigviz as bv
from bigviz.aggregate.dyadic_cells import Root
from bigviz.common.progress import COMPILING
from bigviz.render import colormaps
from bigviz.server.websocket.connection import _binary_head
from bigviz.tiles.engine import Engine
from bigviz.wire.codec import decode
from bigviz.wire.frames import Type

from ..running import Gated, Running, running
from ..wire import Browser, cells, tiles_of


def test_hello_comes_first_and_is_the_document(served: Running, documents):
    with Browser(served.url, "points") as browser:
        hello = browser.hello
        assert hello.value["protocol"] == 1 and hello.value["server"].startswith("bigviz ")
        assert hello.value["document"] == documents[0].to_json()
        columns = {each["name"]: each for each in hello.value["datasets"]["rows"]["columns"]}
        assert columns["t"] == {
            "name": "t",
            "kind": "timestamp",
            "type": "timestamp[ns, tz=Europe/Paris]",
            "zone": "Europe/Paris",
            "plottable": True,
            "reason": None,
            "by_reason": None,
        }
        assert not columns["pair"]["plottable"] and "no place on an axis" in columns["pair"]["reason"]
        assert hello.value["limits"] == served.server.options.limits.told()
        assert hello.value["cmaps"] == list(colormaps.NAMES) and hello.body == colormaps.body()
        assert hello.value["cmap_aliases"] == colormaps.aliases()
        assert hello.frame.request == 0 and hello.frame.sequence == 1
        assert hello.frame.epoch == served.server.site.epoch


def test_layer_tells_what_is_there(served: Running, table):
    with Browser(served.url, "points") as browser:
        facts = browser.layer().value
        x = table["x"].to_numpy()
        assert facts["rows"] == len(x) and facts["rows_outside"] == facts["rows_far"] == 0
        assert facts["range"][0] == float(x.min()) and facts["range"][2] == float(x.max())
        assert (facts["index"], facts["reduction"], facts["planes"]) == ("ready", "count", None)
        start, exponent = facts["root"]["x"]
        assert [float(start), float(start) + 2.0**exponent] == [facts["extent"][0], facts["extent"][2]]
        assert facts["x"] == {"column": "x", "kind": "float", "zone": None, "categories": None}


def test_integers_are_categories():
    numbers = np.arange(1_000)
    table = pa.table({"x": numbers / 7, "y": numbers / 3, "small": numbers % 3 - 1, "id": numbers})
    made = bv.document(bv.figure(title="By").points(table, "x", "y", agg="by(small)"), id="by")
    with running([made]) as server, Browser(server.url, "by") as browser:
        (dataset,) = browser.hello.value["datasets"].values()
        reasons = {each["name"]: each["by_reason"] for each in dataset["columns"]}
        assert reasons["small"] is None and "more than 64 different values" in reasons["id"]
        facts = browser.layer().value
        assert facts["planes"] == ["-1", "0", "1"] and facts["traits"]["by"] == "small"
        assert facts["reduction"] == "by(small)"
        error = browser.layer(agg="by(id)").value
        assert "by shows at most 64 categories, and 'id' has 1,000" in error["error"] and error["field"] == "agg"
        rows = server.get("/by/layers/0/rows.arrow?x0=0&x1=1&y0=0&y1=9")
        found = pa.ipc.open_file(rows.body).read_all()
        assert found.column_names == ["row", "x", "y", "small"] and found["small"].to_pylist() == [
            -1,
            0,
            1,
            -1,
            0,
            1,
            -1,
        ]


def test_layer_of_times_speaks_in_decimal_strings(served: Running, table):
    with Browser(served.url, "line") as browser:
        facts = browser.layer().value
        t = table["t"].cast("int64").to_numpy()
        assert facts["range"][0] == str(t[0]) and facts["range"][2] == str(t[-1])
        assert isinstance(facts["range"][1], float) and facts["sorted"]
        assert facts["x"]["zone"] == "Europe/Paris"
        start, exponent = facts["root"]["x"]
        assert int(start) <= t[0] and t[-1] < int(start) + 2**exponent


def test_by_names_its_planes(served: Running):
    with Browser(served.url, "by") as browser:
        assert browser.layer().value["planes"] == ["<b>c</b>", "a", "b"]
        got = browser.view([[0, 0, 0, 0]])
        assert [plane.plane for plane in got[0].value.planes] == [0, 1, 2]


def test_tiles_hold_the_rows_of_their_cells(served: Running, table):
    with Browser(served.url, "points") as browser:
        facts = browser.layer().value
        got = browser.view([[1, 1, i, j] for i in (0, 1) for j in (0, 1)])
        assert sorted(tiles_of(got)) == [(1, 1, i, j) for i in (0, 1) for j in (0, 1)]
        done = got[-1].value
        assert got[-1].kind == Type.DONE and done["tiles"] == 4
        assert {g.frame.request for g in got} == {browser.id}
        start, exponent = facts["root"]["x"]
        root = Root(int(float(start) / 2.0 ** (exponent - 1)), exponent)
        edge = float(root.edge(1, 1))
        left = sum(int(cells(g.value.planes[0]).sum()) for g in got if g.kind == Type.TILE and g.value.i == 0)
        assert left == int((table["x"].to_numpy() < edge).sum())


def test_means_travel_exactly(served: Running):
    with Browser(served.url, "all%20of%20them%20%26%20%3Cmore%3E") as browser:
        got = browser.view([[0, 0, 0, 0]], figure=2)
        plane = got[0].value.planes[0]
        assert got[0].frame.figure == 2
        assert got[0].value.planes[1:] == () and plane.dtype == 10
        values, filled = decode(plane)
        want = np.load(io.BytesIO(served.get("/all%20of%20them%20%26%20%3Cmore%3E/layers/2/tiles/0/0/0.npy").body))
        np.testing.assert_array_equal(np.where(filled, values, np.nan), want)


def test_columns_of_a_line(served: Running, table):
    t = table["t"].cast("int64").to_numpy()
    with Browser(served.url, "line") as browser:
        wanted = {"x0": str(t[100]), "x1": str(t[1_100]), "width": 50}
        request = browser.say(
            op="view", figure=0, layers=[{"layer": 0, "definition": browser.definition(), "columns": wanted}]
        )
        got = browser.until(lambda each: each.kind == Type.DONE)
        columns, done = got[0].value, got[-1]
        assert done.frame.request == request and done.value["tiles"] == 0
        assert columns.info["width"] == 50 and columns.info["n"] == len(columns.x) <= 4 * 50 * 2 + 2
        assert columns.column[0] == -1 and columns.column[-1] == 50
        rows = columns.row.astype(int)
        assert (int(columns.info["xorigin"]) + columns.x.astype(int) == t[rows]).all()
        np.testing.assert_array_equal(columns.y, table["gap"].to_numpy(zero_copy_only=False)[rows])


def test_many_lines_over_one_x_in_one_view(served: Running, table):
    t = table["t"].cast("int64").to_numpy()
    names = [name for name in table.column_names if pa.types.is_floating(table.schema.field(name).type)]
    with Browser(served.url, "line") as browser:
        wanted = {"x0": str(t[50]), "x1": str(t[900]), "width": 40}
        layers = [
            {"layer": at, "definition": browser.definition(y=names[at % len(names)]), "columns": wanted}
            for at in range(20)
        ]
        browser.say(op="view", figure=0, layers=layers)
        *got, done = browser.until(lambda each: each.kind in (Type.DONE, Type.ERROR))
        assert done.kind == Type.DONE and sorted(each.frame.layer for each in got) == list(range(20))
        for each in got:
            values = table[names[each.frame.layer % len(names)]].to_numpy(zero_copy_only=False)
            np.testing.assert_array_equal(each.value.y, values[each.value.row.astype(int)])
        assert done.value["rows"] == sum(each.value.info["rows"] for each in got)


def test_a_line_on_a_log_axis_is_sent_in_axis_space(served: Running, table):
    with Browser(served.url, "points") as browser:
        definition = browser.definition(glyph="line", agg="any", x="value", y="value", xaxis="log", yaxis="log")
        wanted = {"layer": 0, "definition": definition, "columns": {"x0": 0, "x1": 0.1, "width": 10}}
        browser.say(op="view", figure=0, layers=[wanted])
        columns = browser.until(lambda each: each.kind in (Type.DONE, Type.ERROR))[0].value
        own = table["value"].to_numpy()[columns.row.astype(int)]
        np.testing.assert_allclose(columns.x, np.log10(own.astype(float)), rtol=1e-15)


def test_tiles_come_from_the_centre_outwards_and_prefetched_ones_last(documents):
    engine = Gated()
    with running(documents[:1], engine) as server, Browser(server.url, "points") as browser:
        browser.layer()
        grid = [[3, 3, i, j] for i in range(2, 7) for j in range(2, 7)]
        tiles = tiles_of(browser.view(grid, prefetch=[[3, 3, 1, 4], [4, 4, 9, 9]]))
        order = [(key.i, key.j) for key in engine.reached if key.zx == 3]
        rings = [max(abs(i - 4), abs(j - 4)) for i, j in order[:25]]
        assert rings == sorted(rings) and order[0] == (4, 4)
        assert len(tiles) == 27 and {t[:2] for t in tiles} == {(3, 3), (4, 4)}
        assert (engine.reached[-1].zx, order[-1]) in ((4, order[-1]), (3, (1, 4)))
        assert {(k.zx, k.i, k.j) for k in engine.reached[-2:]} == {(3, 1, 4), (4, 9, 9)}


def test_a_view_replaces_the_one_before(documents):
    engine = Gated()
    with running(documents[:1], engine) as server, Browser(server.url, "points") as browser:
        browser.layer()
        engine.open.clear()
        first = browser.ask([[4, 4, i, j] for i in range(16) for j in range(16)])
        engine.await_(lambda: len(engine.reached) >= 1)
        second = browser.ask([[5, 5, 1, 1], [5, 5, 2, 2]])
        engine.await_(lambda: len(engine.cancelled) == sum(key.zx == 4 for key in engine.reached))
        engine.open.set()
        got = browser.until(lambda each: each.kind == Type.DONE)
        assert got[-1].frame.request == second != first
        assert {each.frame.request for each in got} == {second}, "nothing is sent for the older view"
        assert len(engine.cancelled) <= server.server.site.loaded.runner.workers
        assert [key for key in engine.computed if key.zx == 4] == []


def test_what_two_views_want_goes_on(documents):
    engine = Gated()
    with running(documents[:1], engine) as server, Browser(server.url, "points") as browser:
        browser.layer()
        engine.open.clear()
        browser.ask([[4, 4, 8, 8]])
        engine.await_(lambda: len(engine.reached) == 1)
        second = browser.ask([[4, 4, 8, 8], [4, 4, 8, 9]])
        engine.await_(lambda: len(engine.reached) == 2)
        engine.open.set()
        got = browser.until(lambda each: each.kind == Type.DONE)
        assert {each.frame.request for each in got} == {second} and len(tiles_of(got)) == 2
        assert len(engine.computed) == 2 and not engine.cancelled


def two_layers(glyph: str) -> Running:
    """A document of two layers, of which memory holds one."""
    rows = 100_000
    a, b, c, d = np.random.default_rng(3).uniform(-0.99, 0.99, (4, rows))
    ds = bv.open(pa.table({"a": a, "b": b, "c": c, "d": d}), name="cloud")
    plot = bv.figure(id="f")
    for x, y in ("ab", "cd"):
        getattr(plot, glyph)(ds, x, y)
    return running([bv.document(plot, id="d")], Engine(index_bytes=24 * rows))


def ask_both(browser: Browser, wanted: dict) -> int:
    layers = [{"layer": k, "definition": browser.definition(layer=k), **wanted} for k in (0, 1)]
    return browser.say(op="view", figure=0, layers=layers)


ALL = {"tiles": [[0, 0, 0, 0]]}
ROOTED = {**ALL, "roots": {"x": ["-1", 1], "y": ["-1", 1]}}
NEAR = {**ALL, "window": {"x0": 0, "x1": 0.1, "y0": 0, "y1": 0.1, "width": 9, "height": 9}}
LINE = {"columns": {"x0": -1, "x1": 1, "width": 9}}


@pytest.mark.parametrize(
    ("glyph", "wanted", "kind"),
    [
        ("points", ALL, Type.TILE),
        ("points", ROOTED, Type.TILE),
        ("points", NEAR, Type.ROWS),
        ("line", LINE, Type.COLUMNS),
    ],
)
def test_layers_of_which_memory_holds_one_are_all_answered(glyph: str, wanted: dict, kind: Type):
    """What is built first is gone when the last one is there, which the view waits for."""
    with two_layers(glyph) as server, Browser(server.url, "d") as browser:
        request = ask_both(browser, wanted)
        got = browser.until(lambda each: each.kind in (Type.DONE, Type.ERROR))
        assert {(each.kind, each.frame.layer) for each in got[:-1]} == {(kind, 0), (kind, 1)}
        assert got[-1].kind == Type.DONE and {each.frame.request for each in got} == {request}


def test_tiles_of_another_root_are_not_sent_though_memory_holds_one_layer():
    with two_layers("points") as server, Browser(server.url, "d") as browser:
        given_up = ask_both(browser, {**ALL, "roots": {"x": ["-2", 2], "y": ["-1", 1]}})
        got = []
        for layer in (0, 1):
            browser.say(op="layer", figure=0, layer=layer, definition=browser.definition(layer=layer))
            got += browser.until(lambda each: each.kind == Type.LAYER)
        ask_both(browser, ALL)
        got += browser.until(lambda each: each.kind == Type.DONE)
        assert given_up not in {each.frame.request for each in got if each.kind in (Type.TILE, Type.DONE)}
        assert {each.frame.layer for each in got if each.kind == Type.TILE} == {0, 1}


def test_two_viewers_share_one_computation_until_both_have_left(documents):
    engine = Gated()
    with (
        running(documents[:1], engine) as server,
        Browser(server.url, "points") as one,
        Browser(server.url, "points") as two,
    ):
        one.layer()
        engine.open.clear()
        one.ask([[6, 6, 30, 30]])
        engine.await_(lambda: len(engine.reached) == 1)
        request = two.ask([[6, 6, 30, 30]])
        two.layer()  # its answer comes after the view has been taken in
        one.say(op="cancel", figure=0)
        one.layer()
        engine.open.set()
        got = two.until(lambda each: each.kind == Type.DONE)
        assert got[-1].frame.request == request and tiles_of(got) == [(6, 6, 30, 30)]
        assert len(engine.reached) == 1 and not engine.cancelled
        engine.open.clear()
        one.ask([[6, 6, 31, 31]])
        engine.await_(lambda: len(engine.reached) == 2)
        one.close()
        engine.await_(lambda: len(engine.cancelled) == 1)


def test_progress_is_pushed_while_an_index_is_built(documents):
    engine = Gated()
    engine.build_open.clear()
    with running(documents[:1], engine) as server, Browser(server.url, "points") as browser:
        request = browser.say(op="layer", figure=0, layer=0, definition=browser.definition())
        got = browser.until(lambda each: each.value["stage"] != COMPILING)[-1]
        assert got.kind == Type.PROGRESS and got.frame.request == request
        assert (got.value["stage"], got.value["done"], got.value["rows"]) == ("waiting", 0.5, 7)
        assert got.value["seconds"] >= 0
        engine.build_open.set()
        assert browser.until(lambda each: each.kind == Type.LAYER)[-1].frame.request == request
        assert engine.builds == 1, "the one that was begun at the start is shared"


def test_a_newer_definition_stops_the_build_of_the_older_one(documents):
    engine = Gated()
    with running(documents[:1], engine) as server, Browser(server.url, "points") as browser:
        browser.layer()
        engine.build_open.clear()
        first = browser.say(op="layer", figure=0, layer=0, definition=browser.definition(y="n"))
        engine.await_(lambda: engine.builds == 2)
        second = browser.say(op="layer", figure=0, layer=0, definition=browser.definition(y="value"))
        engine.await_(lambda: engine.builds_cancelled == 1)
        engine.build_open.set()
        got = browser.until(lambda each: each.kind == Type.LAYER)
        failed = [each.frame.request for each in got if each.kind == Type.ERROR]
        assert failed == [first] and got[-1].frame.request == second


def test_another_protocol_version_is_told_so(served: Running):
    with connect(served.url.replace("http", "ws") + "points/ws?protocol=2", origin=served.url.rstrip("/")) as socket:
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(10)
        assert closed.value.rcvd.code == 4009


def test_a_query_that_is_no_text_is_refused_before_the_upgrade(served: Running):
    with pytest.raises(InvalidStatus) as refused:
        Browser(served.url, "points", query="?session=%ff")
    assert refused.value.response.status_code == 400


def test_a_changed_document_is_fetched_anew(documents):
    with running(documents[:2]) as server, Browser(server.url, "points") as one, Browser(server.url, "points") as two:
        epoch = one.hello.frame.epoch
        server.loop.call_soon_threadsafe(server.server.publish, [documents[0]])
        for browser in (one, two):
            with pytest.raises(ConnectionClosed) as closed:
                browser.take()
            assert closed.value.rcvd.code == 1012
        with Browser(server.url, "points") as again:
            assert again.hello.frame.epoch != epoch
        server.loop.call_soon_threadsafe(server.server.publish, [documents[2]])
        with Browser(server.url, "line") as line:
            server.loop.call_soon_threadsafe(server.server.publish, [documents[0]])
            with pytest.raises(ConnectionClosed) as closed:
                line.take()
            assert closed.value.rcvd.code == 4001


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_frames_are_what_another_library_writes(size: int):
    payload = bytes(size)
    assert _binary_head(size) + payload == Frame(Opcode.BINARY, payload).serialize(mask=False)
