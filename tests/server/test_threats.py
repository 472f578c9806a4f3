"""A hostile client against a real server: fuzzed frames, messages and numbers, floods, crowds, comings and goings."""

from __future__ import annotations

import gc
import io
import json
import random
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import InvalidStatus

import bigviz as bv
from bigviz.common.workers import usable_cores
from bigviz.document.document import document
from bigviz.document.figure import figure
from bigviz.document.spec import Document
from bigviz.server.limits import Limits
from bigviz.server.websocket.viewer import Viewer
from bigviz.tiles.engine import Engine
from bigviz.wire.frames import Type

from ..patience import PATIENCE
from .running import Gated, Running, deadline, running, unread
from .wire import Browser, cells, tiles_of

NUMBERS = st.one_of(
    st.floats().map(repr),
    st.integers().map(str),
    st.sampled_from(["", " 1", "0x10", "1_0", "٣", "1e400", "1" * 400, "5e-324", "-0", "1,5", "null", "2" + "0" * 308]),
)
WINDOW = ("x0", "x1", "y0", "y1")
ROUTES = {
    "image.npy": (*WINDOW, "width", "height"),
    "image.png": (*WINDOW, "width", "height", "low", "high"),
    "rows.arrow": (*WINDOW, "limit"),
    "rows.json": (*WINDOW, "limit"),
    "columns.arrow": ("x0", "x1", "width"),
    "tiles/2/1/1.png": ("low", "high"),
}
NAMES = [
    "<img src=x onerror=alert(1)>", '"><script>alert(1)</script>', "__proto__", "constructor", "=cmd|' /C calc'!A0",
    "a\nb\x00c", "sum(x)", "a`b", "by(", "", " ", "\u202e", "'; DROP TABLE x; --", "日本", "../../passwd", "x" * 2_000,
]  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_number_on_any_route_crashes_or_gives_nan(served: Running, data: st.DataObject):
    """Sizes are small or wrong, all else is anything: an answer, or an error that names one of the arguments."""
    route = data.draw(st.sampled_from(sorted(ROUTES)))
    size = st.one_of(st.integers(-1, 300).map(str), st.sampled_from(["1000000000", "16385", "1.5", "nan"]))
    numbers = {name: data.draw(size if name in ("width", "height", "limit") else NUMBERS) for name in ROUTES[route]}
    line = {"glyph": "line"} if route == "columns.arrow" else {}
    answer = served.get(f"/points/layers/0/{route}?{urlencode({**numbers, **line})}")
    if answer.status == 200 and route == "image.npy":
        counts = np.load(io.BytesIO(answer.body), allow_pickle=False)
        assert counts.dtype.kind == "u" and int(counts.sum(dtype=np.uint64)) <= 100_000
    elif answer.status != 200:
        assert answer.status in (400, 413), answer.body
        assert json.loads(answer.body)["field"] in numbers


def anything(rng: random.Random, depth: int = 0) -> Any:
    """A JSON value that no message has in this place."""
    if depth < 3 and rng.random() < 0.3:
        several = range(rng.randrange(4))
        if rng.random() < 0.5:
            return [anything(rng, depth + 1) for _ in several]
        return {rng.choice(["x", "\ud800", "__proto__", "<b>"]): anything(rng, depth + 1) for _ in several}
    return rng.choice(
        [None, True, -1, 0, 1.5, 1e308, 2**32, 2**64, 10**300, "", "1", "\ud800", "\0", "__proto__", "a" * 9_000]
    )


def test_whatever_a_message_holds_is_answered(documents):
    """Messages with a few places replaced: each gets a frame with its id (0 where it has none), the socket stays."""
    rng = random.Random(7)
    limits = Limits(messages_per_second=1e9, messages_burst=1e9, malformed_per_minute=10**9)
    with running(documents[:1], limits=limits) as server, Browser(server.url, "points") as browser:
        browser.layer()
        for number in range(1, 600):
            definition = browser.definition()
            for key in [*definition, "\ud800", "q"]:
                if rng.random() < 0.06 and (key in definition or rng.random() < 0.2):
                    definition[key] = anything(rng)
            wanted = {"layer": 0, "definition": definition, "tiles": [[1, 1, 0, 1]]}
            layer = {"op": "layer", "figure": 0, "layer": 0, "definition": definition}
            message = {"id": number, **rng.choice([layer, {"op": "view", "figure": 0, "layers": [wanted]}])}
            for at in (message, wanted):
                for key in [*at, "\ud800"]:
                    if key != "id" and rng.random() < 0.04:
                        at[key] = anything(rng)
            browser.socket.send(json.dumps(message))
            if message.get("op") == "cancel":
                continue
            end = browser.until(lambda got: got.kind in (Type.LAYER, Type.DONE, Type.ERROR))[-1]
            assert end.frame.request == number
            assert end.kind != Type.ERROR or "log says" not in end.value["error"], message
        assert browser.layer().value["rows"] == 100_000


def upgraded(server: Running) -> socket.socket:
    """A socket after the upgrade, the greeting still unread."""
    found = socket.create_connection(("127.0.0.1", server.server.port), timeout=PATIENCE)
    host = f"127.0.0.1:{server.server.port}"
    key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13"
    head = f"Host: {host}\r\nOrigin: http://{host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{key}"
    found.sendall(f"GET /points/ws HTTP/1.1\r\n{head}\r\n\r\n".encode())
    assert found.recv(1_000).startswith(b"HTTP/1.1 101")
    return found


def frames(rng: random.Random) -> Iterator[bytes]:
    """Frames with random opcodes, flags, masks and lengths, some of which lie."""
    for _ in range(rng.randrange(1, 8)):
        body = rng.randbytes(rng.choice([0, 1, 2, 10, 125, 126, 300]))
        first = rng.choice([0x81, 0x82, 0x01, 0x00, 0x80, 0x88, 0x89, 0x8A, 0xC1, 0xF1, 0x83, rng.randrange(256)])
        length = rng.choice([len(body)] * 8 + [0, 125, 126, 1 << 16, 1 << 31, (1 << 63) - 1, 1 << 63])
        masked = 0x80 if rng.random() < 0.9 else 0
        if length < 126:
            head = bytes([first, masked | length])
        elif length < 1 << 16:
            head = struct.pack(">BBH", first, masked | 126, length)
        else:
            head = struct.pack(">BBQ", first, masked | 127, length)
        yield head + (rng.randbytes(4) if masked else b"") + body


def test_random_frames_end_at_most_their_connection(documents):
    """After the noise comes the end of the stream, so that the server is never waited for."""
    rng = random.Random(11)
    with running(documents[:1]) as server:
        with Browser(server.url, "points") as other:
            for _ in range(150):
                with upgraded(server) as connection:
                    try:
                        for frame in frames(rng):
                            connection.sendall(frame)
                        connection.shutdown(socket.SHUT_WR)
                        while connection.recv(1 << 16):
                            pass
                    except OSError:  # the server has closed it: broken pipe, reset, or not connected any more
                        pass
            assert other.layer().value["rows"] == 100_000
        server.await_event("disconnected", viewers=0)
        assert not [facts for name, facts in server.events if name == "log"]


def test_comings_and_goings_leave_nothing_behind(documents):
    """200 browsers that request tiles and leave, half of them without closing."""
    with running(documents[:1]) as server:
        server.await_event("built")
        for number in range(200):
            browser = Browser(server.url, "points", max_queue=None)  # else closing may wait for unread frames
            browser.ask([[3, 3, i, j] for i in range(8) for j in range(8)])
            if number % 2:
                browser.socket.socket.shutdown(socket.SHUT_RDWR)
            browser.close()
        with server.changed:
            gone = server.changed.wait_for(lambda: [n for n, _ in server.events].count("disconnected") == 200, PATIENCE)
        assert gone
        site = server.server.site
        assert server.on_loop(
            lambda: (len(site.viewers), site.loaded._requests, len(site.loaded.runner._queue._owners))
        ) == (0, 0, 0)
        gc.collect()
        assert sum(type(each) is Viewer for each in gc.get_objects()) <= 2, "at most the last ones are still held"


def test_twenty_viewers_see_the_same_and_share_the_work(documents):
    engine = Gated()
    with running(documents[:1], engine) as server:
        server.await_event("built")
        engine.open.clear()
        begun, sums = threading.Barrier(21), []

        def look() -> None:
            with Browser(server.url, "points") as browser:
                request = browser.ask([[1, 1, i, j] for i in (0, 1) for j in (0, 1)])
                begun.wait(PATIENCE)
                got = browser.until(lambda each: each.kind == Type.DONE and each.frame.request == request)
                assert len(tiles_of(got)) == 4
                sums.append(sum(int(cells(each.value.planes[0]).sum()) for each in got if each.kind == Type.TILE))

        threads = [threading.Thread(target=look) for _ in range(20)]
        for each in threads:
            each.start()
        begun.wait(PATIENCE)
        runner = server.server.site.loaded.runner
        while server.on_loop(lambda: len(runner._queue._owners)) < 20:
            pass
        engine.open.set()
        for each in threads:
            each.join()
        assert sums == [100_000] * 20 and len(engine.computed) == 4


def test_a_flood_of_views_computes_only_the_last(documents):
    limits = Limits(messages_per_second=1e9, messages_burst=1e9)
    engine = Gated()
    with running(documents[:1], engine, limits=limits) as server, Browser(server.url, "points") as browser:
        browser.layer()
        engine.open.clear()
        for number in range(400):
            last = browser.ask([[10, 10, number, 500]])
        browser.layer()  # answered in its turn: all views were read
        engine.open.set()
        got = browser.until(lambda each: each.kind == Type.DONE)
        assert got[-1].frame.request == last
        assert len(engine.computed) <= usable_cores() + 1, "those under way: a tile for each thread"


def test_a_flood_of_requests_is_slowed_down_not_obeyed(documents):
    with running(documents[:1], limits=Limits(messages_per_second=0.001, messages_burst=20)) as server:
        with Browser(server.url, "points") as browser:
            for _ in range(30):
                browser.say(op="layer", figure=0, layer=0, definition=browser.definition())
            got = browser.until(lambda each: each.kind == Type.ERROR and "Too many requests" in each.value["error"])
            assert got[-1].frame.request == 0
        assert server.get("/healthz").status == 200


def test_a_large_answer_is_written_a_piece_at_a_time(documents):
    """64 MB for a client that reads nothing: hardly more than a piece waits in the server's buffers."""
    path = "/points/layers/0/image.npy?x0=-1&x1=1&y0=-1&y1=1&width=4000&height=4000"
    with running(documents[:1]) as server, unread(server, path) as connection:
        assert connection.recv(12, socket.MSG_WAITALL) == b"HTTP/1.1 200"
        streams = [stream for each in server.server._http._streams.values() for stream in each]
        assert server.on_loop(lambda: max(len(each._write_buffer) for each in streams)) <= 2 << 20
        assert server.get("/healthz").status == 200


def given_back(server: Running) -> None:
    """Wait until no answer holds anything of the budget."""
    left = deadline(PATIENCE)
    while server.on_loop(lambda: server.server.site.budget.held):
        assert left()


def test_answers_that_are_not_read_have_a_common_budget(wide: Document):
    """Clients that ask for tiles of 4 MiB and read nothing: the bytes that wait for them are bounded, and the next one
    is told so. What they held comes back when they leave."""
    path, size = "/points/layers/0/tiles/0/0/0.npy?agg=by(kind)", 20 << 20
    with running([wide], limits=Limits(answer_bytes=size)) as server, ExitStack() as stack:
        whole = server.get(path)
        assert whole.status == 200 and len(whole.body) > 4 << 20
        given_back(server)
        budget = server.server.site.budget
        statuses = []
        for _ in range(6):
            connection = stack.enter_context(unread(server, path))
            statuses.append(connection.recv(12, socket.MSG_WAITALL))
        assert statuses[0] == b"HTTP/1.1 200" and statuses[-1] == b"HTTP/1.1 503"
        assert 0 < server.on_loop(lambda: budget.held) <= size
        refused = server.get(path)
        assert refused.status == 503 and refused.headers["Retry-After"] == "1"
        assert server.get("/points/layers/0/tiles/0/0/0.png").status == 200, "a small one still fits"
        stack.close()
        given_back(server)
        assert server.get(path).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "tiles/0/0/0.npy",
        "tiles/0/0/0.arrow",
        "tiles/0/0/0.png",
        "image.npy?x0=-9&x1=9&y0=-9&y1=9&width=200&height=200",
        "rows.arrow?x0=-9&x1=9&y0=-9&y1=9&limit=1000",
        "columns.arrow?glyph=line&x=row&x0=0&x1=50000&width=1024",
    ],
)
def test_every_answer_takes_its_bytes_of_the_budget(wide: Document, path: str):
    with running([wide]) as server:
        assert server.get(f"/points/layers/0/{path}").status == 200
        given_back(server)
        budget = server.server.site.budget
        server.on_loop(lambda: budget.admit(budget.most - 100))
        answer = server.get(f"/points/layers/0/{path}")
        assert answer.status == 503 and answer.headers["Retry-After"] == "1"
        server.on_loop(lambda: budget.release(budget.held))
        assert server.get(f"/points/layers/0/{path}").status == 200
        given_back(server)


@pytest.fixture(scope="module")
def wide() -> Document:
    """Points of 16 kinds; `row` ascends, and a line over it turns at every row."""
    rng = np.random.default_rng(4)
    rows = 200_000
    columns = {"x": rng.normal(size=rows), "y": rng.normal(size=rows), "row": np.arange(rows, dtype=np.int64)}
    kinds = pa.DictionaryArray.from_arrays(rng.integers(0, 16, rows), [f"kind {number}" for number in range(16)])
    table = pa.table({**columns, "kind": kinds})
    return document(figure().points(bv.open(table, name="wide"), "x", "y"), id="points")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file whose columns, labels and zones are called what nobody should call them."""
    rng = np.random.default_rng(5)
    rows = 1_000
    columns: dict[str, Any] = {name: rng.normal(size=rows) for name in NAMES}
    columns["label"] = pa.DictionaryArray.from_arrays(rng.integers(0, len(NAMES), rows), NAMES)
    columns["when"] = pa.array(np.arange(rows), pa.timestamp("ns", "<img src=x onerror=alert(1)>"))
    path = tmp_path_factory.mktemp("hostile") / "<b>&'\".parquet"
    pq.write_table(pa.table(columns), path)
    return path


def quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def test_names_go_through_every_path_as_they_are(hostile: Path):
    dataset = bv.open(str(hostile))
    made = document(figure(title=NAMES[1]).points(dataset, NAMES[0], NAMES[1]), title=NAMES[0], id="d <b>&?#%日本")
    with running([made]) as server:
        listing = server.get("/")
        assert b"<img src=x" not in listing.body and b"<script>alert" not in listing.body and b"&lt;img" in listing.body
        address = json.loads(server.get("/", Accept="application/json").body)["documents"][0]["url"]
        assert server.get(f"/{address}").status == 200 and address.isascii()
        info = server.get(f"/{address}layers/0/tilejson.json")
        assert b"<" not in info.body and json.loads(info.body)["name"] == NAMES[1]
        with Browser(server.url, address.rstrip("/")) as browser:
            (held,) = browser.hello.value["datasets"].values()
            assert [column["name"] for column in held["columns"]] == [*NAMES, "label", "when"]
            for name in NAMES:
                got = browser.layer(x=name, agg=f"mean({quoted(name)})")
                assert got.kind == Type.LAYER and got.value["x"]["column"] == name
            assert browser.layer(agg="by(label)").value["planes"] == sorted(NAMES)
            assert browser.layer(x="when").value["x"]["zone"] == "<img src=x onerror=alert(1)>"
        for name in NAMES:
            query = urlencode({"x": name, "x0": -9, "x1": 9, "y0": -9, "y1": 9, "limit": 5})
            table = pa.ipc.open_file(server.get(f"/{address}layers/0/rows.arrow?{query}").body).read_all()
            assert name in table.column_names and table.num_rows == 5


def test_one_viewer_leaves_places_to_build_for_others(documents):
    """By messages and by addresses alike."""
    engine = Gated()
    engine.build_open.clear()
    limits = Limits(builds=4, builds_per_address=2)
    columns = ["x", "y", "n", "value", "gap"]
    pairs = [(x, y) for x in columns for y in columns if x != y and (x, y) != ("x", "y")]
    with running(documents[:1], engine, limits=limits) as server, ExitStack() as stack:
        for x, y in pairs[:2]:
            browser = stack.enter_context(Browser(server.url, "points"))
            browser.say(op="layer", figure=0, layer=0, definition=browser.definition(x=x, y=y))
            browser.until(lambda got: got.kind == Type.PROGRESS)
        browser = stack.enter_context(Browser(server.url, "points"))
        x, y = pairs[2]
        assert "for this address" in browser.layer(x=x, y=y).value["error"]
        wanted = {"layer": 0, "definition": browser.definition(x=x, y=y), "tiles": [[0, 0, 0, 0]]}
        browser.say(op="view", figure=0, layers=[wanted])
        assert "for this address" in browser.take().value["error"]
        answer = server.get(f"/points/layers/0/tiles/0/0/0.npy?x={x}&y={y}")
        assert answer.status == 503 and b"for this address" in answer.body
        engine.build_open.set()
        assert browser.layer().value["rows"] == 100_000, "the published layer has a place of its own"


@pytest.mark.parametrize("name", ["_", "..", ".", "healthz", "metrics", "%2e%2e", "%5f", "nope%00", "日本"])
def test_addresses_of_no_document_open_no_socket(served: Running, name: str):
    with pytest.raises((InvalidStatus, UnicodeEncodeError)):
        Browser(served.url, name)


def test_many_columns_picked_stay_within_the_memory_of_indexes():
    """A viewer that picks one pair of columns after the other: older indexes are dropped, and built again when
    needed."""
    rng = np.random.default_rng(2)
    table = pa.table({f"c{number}": rng.random(50_000) for number in range(12)})
    engine = Engine(index_bytes=4_000_000)
    made = document(figure().points(bv.open(table, name="wide"), "c0", "c1"), id="wide")
    with running([made], engine) as server, Browser(server.url, "wide") as browser:
        for x in range(12):
            for y in range(x):
                assert browser.layer(x=f"c{x}", y=f"c{y}").value["rows"] == 50_000
                held = engine.memory()
                assert held["orders"] + held["pyramids"] + held["series"] <= 4_000_000
        total = sum(int(cells(each.value.planes[0]).sum()) for each in browser.view([[0, 0, 0, 0]])[:-1])
        assert total == 50_000
