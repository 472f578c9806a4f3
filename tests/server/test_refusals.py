"""What a viewer is refused over its websocket: wrong requests, malformed frames, too many, and never reading."""

from __future__ import annotations

import json
import socket
from contextlib import ExitStack

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from bigviz.server.limits import Limits
from bigviz.wire.frames import Type

from .running import Gated, Running, running
from .wire import Browser


@pytest.mark.parametrize(
    ("changes", "field", "word"),
    [
        ({"x": "nope"}, "x", "no column"),
        ({"x": "valu"}, "x", "'value'"),
        ({"x": "pair"}, "x", "pair"),
        ({"agg": "mean(labl)"}, "agg", "'label'"),
        ({"agg": "mean("}, "agg", "character 6"),
        ({"agg": "median(x)"}, "agg", "expected one of"),
        ({"glyph": "bars"}, "glyph", "points, line"),
        ({"xaxis": "mercator"}, "xaxis", "both"),
        ({"dataset": "/etc/passwd"}, "dataset", "no dataset"),
        ({"dataset": "row"}, "dataset", "'rows'"),
        ({"root": "half"}, "root", "default, full"),
        ({"path": "/etc/passwd"}, "definition.path", "unknown key"),
        ({"x": 3}, "x", "text"),
    ],
)
def test_wrong_definitions_are_answered_with_the_field(served: Running, changes, field, word):
    with Browser(served.url, "points") as browser:
        got = browser.layer(**changes)
        assert got.kind == Type.ERROR and got.value["field"] == field and word in got.value["error"]
        assert browser.layer().kind == Type.LAYER, "the connection goes on"


@pytest.mark.parametrize(
    ("key", "name"), [("x", "n" * 9_000), ("agg", "mean(" + "n" * 4_000 + ")"), ("agg", "(" * 4_000)]
)
def test_long_names_come_back_cut(served: Running, key: str, name: str):
    with Browser(served.url, "points") as browser:
        got = browser.layer(**{key: name})
        assert got.kind == Type.ERROR and got.value["field"] == key and len(got.value["error"]) < 400


def test_numbers_that_the_document_has_not(documents):
    """Each would be a task and a listener of its own; asking again and again for one layer is one listener."""
    engine = Gated()
    engine.build_open.clear()
    with running(documents[:1], engine) as server, Browser(server.url, "points") as browser:
        try:
            definition = browser.definition(y="n")
            for layer in range(1, 30):
                browser.say(op="layer", figure=0, layer=layer, definition=definition)
                got = browser.take()
                assert (got.kind, got.value["field"], got.value["got"]) == (Type.ERROR, "layer", layer)
                assert "layer is 0 to 0" in got.value["error"]
            browser.say(op="layer", figure=1, layer=0, definition=definition)
            assert browser.take().value["field"] == "figure"
            for _ in range(20):
                browser.say(op="layer", figure=0, layer=0, definition=definition)
            last = browser.id
            browser.until(lambda got: got.kind == Type.PROGRESS and got.frame.request == last)
            running_builds = server.server.site.loaded.builds._running.values()
            assert server.on_loop(lambda: sum(len(each.listeners) for each in running_builds)) == 1
        finally:
            engine.build_open.set()


def test_errors_of_a_view_end_it(served: Running):
    with Browser(served.url, "points") as browser:
        wrong = browser.definition(x="nope")
        request = browser.say(op="view", figure=0, layers=[{"layer": 3, "definition": wrong, "tiles": [[0, 0, 0, 0]]}])
        got = browser.take()
        assert (got.kind, got.frame.request, got.value["field"]) == (Type.ERROR, request, "x")
        assert browser.view([])[-1].kind == Type.DONE


@pytest.mark.parametrize(
    "tile", [[25, 0, 0, 0], [0, 0, 1, 0], [3, 3, 8, 0], [3, 3, 0, 8], [3, 3, -1, 0], [1, 1, 1.0, 0], [1, 1]]
)
def test_tiles_outside_their_level(served: Running, tile):
    with Browser(served.url, "points") as browser:
        got = browser.view([[0, 0, 0, 0], tile])
        assert len(got) == 1 and got[0].kind == Type.ERROR and got[0].value["field"] == "layers[0].tiles[1]"


@pytest.mark.parametrize(
    ("columns", "field"),
    [
        ({"x0": "1", "x1": "1", "width": 5}, "x0"),
        ({"x0": "2", "x1": "1", "width": 5}, "x0"),
        ({"x0": float("nan"), "x1": "1", "width": 5}, "x0"),
        ({"x0": "1", "x1": float("inf"), "width": 5}, "x1"),
        ({"x0": "1", "x1": "99999999999999999999", "width": 5}, "x1"),
        ({"x0": "1", "x1": "2", "width": 0}, "layers[0].columns.width"),
        ({"x0": "1", "x1": "2", "width": 16_385}, "layers[0].columns.width"),
        ({"x0": "1", "x1": "2"}, "layers[0].columns.width"),
        ({"x1": "2", "width": 5}, "x0"),
        ({"x0": "1", "x1": "2", "width": 5, "path": 1}, "layers[0].columns.path"),
    ],
)
def test_windows_that_are_none(served: Running, columns, field):
    with Browser(served.url, "line") as browser:
        browser.say(op="view", figure=0, layers=[{"layer": 0, "definition": browser.definition(), "columns": columns}])
        got = browser.take()
        assert got.kind == Type.ERROR and got.value["field"] == field


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ({"op": "shutdown"}, "op"),
        ({"op": ["view"]}, "op"),
        ({}, "op"),
        ({"op": "layer", "figure": 9, "layer": 0, "definition": {}}, "figure"),
        ({"op": "layer", "figure": -1, "layer": 0, "definition": {}}, "figure"),
        ({"op": "layer", "figure": 0, "layer": 0}, "definition"),
        ({"op": "layer", "figure": 0, "layer": 0, "definition": {}}, "definition.dataset"),
        ({"op": "cancel", "figure": 0, "now": True}, "now"),
        ({"op": "view", "figure": 0}, "layers"),
        ({"op": "view", "figure": 0, "layers": [{"layer": 0, "tiles": [], "columns": {}}]}, "layers[0]"),
        ({"op": "view", "figure": 0, "layers": [{"layer": 0, "tiles": [[0, 0, 0, 0]] * 1025}]}, "layers[0].tiles"),
        ({"op": "cancel", "figure": 0, "id": 0}, "id"),
        ({"op": "cancel", "figure": 0, "id": 2**32}, "id"),
        ({"op": "cancel", "figure": 0, "id": True}, "id"),
    ],
)
def test_objects_that_are_no_messages(served: Running, message, field):
    with Browser(served.url, "points") as browser:
        request = browser.say(**message)
        got = browser.take()
        assert got.kind == Type.ERROR and got.value["field"] == field
        assert got.frame.request == (0 if field == "id" else request)


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", "[]", "7", "null", '{"op":', '"view"', b"\0\1", "[" * 5_000, json.dumps({"a": "b" * 70_000})],
)
def test_malformed_frames_are_answered_and_ten_end_the_connection(served: Running, text):
    with Browser(served.url, "points") as browser:
        for _ in range(10):
            browser.socket.send(text)
        for _ in range(10):
            got = browser.take()
            assert got.kind == Type.ERROR and got.frame.request == 0
        with pytest.raises(ConnectionClosed) as closed:
            browser.take()
        assert closed.value.rcvd.code == 4002


def test_a_frame_beyond_all_bounds_ends_the_connection(served: Running):
    with Browser(served.url, "points") as browser:
        browser.socket.send("x" * 300_000)
        with pytest.raises(ConnectionClosed) as closed:
            browser.take()
        assert closed.value.rcvd is None or closed.value.rcvd.code == 1009
    assert served.get("/healthz").status == 200


def test_more_requests_than_allowed_are_refused_not_queued(documents):
    limits = Limits(messages_burst=5, messages_per_second=0.001)
    with running(documents[:1], limits=limits) as server, Browser(server.url, "points") as browser:
        for _ in range(40):
            browser.say(op="cancel", figure=0)
        got = browser.until(lambda each: each.kind == Type.ERROR)[-1]
        assert "Too many requests" in got.value["error"]


def test_a_browser_that_never_reads_is_closed_and_costs_bounded_memory(documents):
    """Its receive window is small and never emptied; it asks for more and more."""
    most = 4 << 20
    limits = Limits(
        unread_soft_bytes=1 << 20, unread_bytes=most, stalled_seconds=0.5, slowest_bytes=1 << 30, messages_burst=10_000
    )
    with running(documents[:1], limits=limits) as server, ExitStack() as stack:
        raw = stack.enter_context(socket.socket())
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        raw.connect(("127.0.0.1", server.server.port))
        key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13"
        host = f"Host: 127.0.0.1:{server.server.port}\r\nOrigin: {server.url[:-1]}"
        raw.sendall(
            f"GET /points/ws HTTP/1.1\r\n{host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{key}\r\n\r\n".encode()
        )
        server.await_event("connected")
        (viewer,) = server.server.site.viewers
        with Browser(server.url, "points") as other:
            other.layer()
            definition = other.definition()
            seen = 0
            for number in range(1, 400):
                z = 4 + number % 3
                tiles = [[z, z, i, j] for i in range(1 << z) for j in range(1 << z)][:1_000]
                layers = [{"layer": 0, "definition": definition, "tiles": tiles}]
                text = json.dumps({"op": "view", "id": number, "figure": 0, "layers": layers}).encode()
                try:
                    raw.sendall(Frame(Opcode.TEXT, text).serialize(mask=True))
                except OSError:
                    break
                other.layer()  # by its answer the server has taken the view in
                seen = max(seen, viewer.outbox._waiting)
                if viewer not in server.server.site.viewers:
                    break
            server.await_event("disconnected", document="points", viewers=1)
            assert seen <= most
            assert 'code="4008"' in server.get("/metrics").body.decode()
            assert other.layer().kind == Type.LAYER
            assert server.server.site.loaded.runner.waiting == 0
