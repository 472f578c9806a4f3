"""Pages that follow data: one update answers each request, all of one version, and the same as a whole view of it."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa
import pytest

from bench.load.socket import Opcode, frame_of
from bigviz.common.errors import NotFound
from bigviz.server.documents.renewal import renew
from bigviz.server.documents.shelf import Shelf
from bigviz.server.limits import Limits
from bigviz.server.websocket import follower
from bigviz.wire.columns import ColumnsMessage
from bigviz.wire.frames import Type

from ...patience import PATIENCE
from ..api.calls import ARROW, call, document, stream_of
from ..people import People
from ..running import Running, running
from ..wire import Browser, Got, cells

FOLLOW = "?follow=1"
TILE = [0, 0, 0, 0]
WINDOW = {"x0": 0.0, "x1": 500.0, "y0": 0.0, "y1": 500.0, "width": 400, "height": 300}
WIDE = {"x0": 0.0, "x1": 1000.0, "width": 200}


def rows(first: int, count: int) -> pa.Table:
    """Rows whose x ascends by one; the first one holds the corners of the root, so that it stays."""
    x = np.arange(first, first + count, dtype=float)
    y = (x * 37) % 500
    if first == 0:
        x[:2], y[:2] = (0, 1000), (0, 500)
    return pa.table({"x": np.sort(x), "y": y})


@pytest.fixture
def plots(tmp_path) -> Iterator[Running]:
    with running([], library=tmp_path / "library") as served:
        assert put(served, rows(0, 100)) == 1
        call(served, "PUT", "documents/points", document("rows"))
        line = document("rows")
        line["layout"]["layers"][0] |= {"glyph": "line", "agg": "any"}
        call(served, "PUT", "documents/line", line)
        yield served


def put(served: Running, table: pa.Table, **headers: str) -> int:
    """Upload the dataset."""
    status, answer = call(served, "PUT", "datasets/rows", stream_of(table), Content_Type=ARROW, **headers)
    assert status in (200, 201)
    return int(answer["version"])


def append(served: Running, table: pa.Table) -> int:
    """Append to the dataset."""
    status, answer = call(served, "POST", "datasets/rows/append", stream_of(table), Content_Type=ARROW)
    assert status == 200
    return int(answer["version"])


def follow(page: Browser, version: int, **held: Any) -> int:
    """Say what the page has of its one layer."""
    layer = {"layer": 0, "definition": page.definition(), **held}
    return page.say(op="follow", versions={"rows": version}, figures=[{"figure": 0, "layers": [layer]}])


def update(page: Browser) -> list[Got]:
    """Everything up to an update, which is last."""
    return page.until(lambda got: got.kind in (Type.UPDATE, Type.ERROR))


def planes(got: Got) -> np.ndarray:
    return np.stack([cells(plane) for plane in got.value.planes])


def columns_of(found: ColumnsMessage) -> list[np.ndarray]:
    return [found.column, found.run, found.row, found.x, found.y]


def test_an_update_brings_the_tiles_of_a_version(plots: Running):
    with Browser(plots.url, "points", query=FOLLOW) as page:
        assert page.hello.value["follow"] == ["rows"]
        assert page.layer().value["version"] == 1
        page.view([TILE])
        version = 1
        for first in range(100, 500, 100):
            request = follow(page, version, tiles=[0, 0, 0, 0, 0, 0])
            version = append(plots, rows(first, 100))
            tile, told = update(page)
            assert (tile.kind, tile.frame.request, told.frame.request) == (Type.TILE, request, request)
            facts = told.value["datasets"]["rows"]
            assert (facts["version"], facts["rows"]) == (version, first + 100) and facts["age"] >= 0
            (layer,) = told.value["layers"]
            assert layer["changed"] == [TILE] and layer["facts"]["rows"] == first + 100
            assert layer["facts"]["version"] == version and not told.value["anew"]
            with Browser(plots.url, "points") as fresh:
                assert fresh.layer().value["root"] == page.layer().value["root"]
                (whole, _) = fresh.view([TILE])
            np.testing.assert_array_equal(planes(tile), planes(whole))


def test_filtered_tiles_are_sent_where_rows_that_are_kept_come(plots: Running):
    made = document("rows")
    made["layout"]["layers"][0]["filter"] = "y < 100"
    version = append(plots, rows(100, 100))
    call(plots, "PUT", "documents/some", made)
    with Browser(plots.url, "some", query=FOLLOW) as page:
        definition = page.definition(filter="y < 100")
        page.say(op="layer", figure=0, layer=0, definition=definition)
        facts = page.until(lambda got: got.kind in (Type.LAYER, Type.ERROR))[-1].value
        kept = sum(int((np.asarray(rows(first, 100)["y"]) < 100).sum()) for first in (0, 100))
        assert (facts["rows"], facts["rows_kept"]) == (200, kept)
        page.say(op="view", figure=0, layers=[{"layer": 0, "definition": definition, "tiles": [TILE]}])
        page.until(lambda got: got.kind == Type.DONE)
        for y, changed in ((300.0, []), (50.0, [TILE])):
            follow(page, version, definition=definition, tiles=[0, 0, 0, 0, 0, 0])
            version = append(plots, pa.table({"x": [500.0], "y": [y]}))
            *tiles, told = update(page)
            assert told.value["layers"][0]["changed"] == changed and len(tiles) == len(changed)
        assert planes(tiles[0]).sum() == kept + 1
        assert [told.value["layers"][0]["facts"][name] for name in ("rows", "rows_kept")] == [202, kept + 1]


def test_lines_get_the_columns_after_those_that_they_have(plots: Running):
    with Browser(plots.url, "line", query=FOLLOW) as page:
        assert page.layer().value["version"] == 1
        definition = page.definition()
        page.say(op="view", figure=0, layers=[{"layer": 0, "definition": definition, "columns": WIDE}])
        first, _ = page.until(lambda got: got.kind == Type.DONE)[-2:]
        has, version, sizes = columns_of(first.value), 1, []
        for start in range(100, 600, 100):
            follow(page, version, columns=WIDE)
            version = append(plots, rows(start, 100))
            got, told = update(page)
            assert told.value["datasets"]["rows"]["version"] == version
            kept = got.value.info.get("kept", 0)
            sizes.append(len(got.value.row))
            has = [np.concatenate([old[:kept], new]) for old, new in zip(has, columns_of(got.value), strict=True)]
            with Browser(plots.url, "line") as fresh:
                fresh.layer()
                fresh.say(op="view", figure=0, layers=[{"layer": 0, "definition": definition, "columns": WIDE}])
                whole, _ = fresh.until(lambda each: each.kind == Type.DONE)[-2:]
            for mine, theirs in zip(has, columns_of(whole.value), strict=True):
                np.testing.assert_array_equal(mine, theirs)
        assert sizes[-1] < len(has[0]) / 2, "what the page has is not sent again"


def test_rows_come_in_place_of_tiles_where_they_are_few(plots: Running):
    with Browser(plots.url, "points", query=FOLLOW) as page:
        page.layer()
        page.view([], window=WINDOW)
        follow(page, 1, tiles=[0, 0, 0, 0, 0, 0], window=WINDOW)
        append(plots, rows(100, 100))
        got, told = update(page)
        assert got.kind == Type.ROWS and got.value.info["matched"] == 200
        assert told.value["layers"][0]["rows"] is True


def test_rows_that_are_seen_before_they_are_told_of_are_an_update(plots: Running, monkeypatch: pytest.MonkeyPatch):
    """Other processes may have changed the library: it is looked at between a commit and the end of its append."""
    site = plots.server.site
    assert site is not None
    shelf = asyncio.run_coroutine_threadsafe(site.shelf(), plots.loop).result(PATIENCE)
    tell = shelf.appending._when_appended

    async def looked(name: str, version: int) -> None:
        await renew(site)
        assert shelf.heads.version(name) < version
        tell(name, version)

    looks: list[asyncio.Task[None]] = []
    monkeypatch.setattr(
        shelf.appending, "_when_appended", lambda *told: looks.append(asyncio.ensure_future(looked(*told)))
    )
    with Browser(plots.url, "points", query=FOLLOW) as page:
        page.layer()
        page.view([TILE])
        for first in (100, 200):
            request = follow(page, first // 100, tiles=[0, 0, 0, 0, 0, 0])
            append(plots, rows(first, 100))
            tile = page.take()
            assert (tile.kind, tile.frame.request) == (Type.TILE, request), "not CHANGED: pages would ask anew"
            assert planes(tile).sum() == first + 100
            update(page)
    assert len(looks) == 2 and all(each.exception() is None for each in looks)


def test_nothing_newer_comes_before_the_page_has_drawn(plots: Running):
    with Browser(plots.url, "points", query=FOLLOW) as page:
        page.layer()
        page.view([TILE])
        follow(page, 1, tiles=[0, 0, 0, 0, 0, 0])
        version = append(plots, rows(100, 100))
        assert update(page)[-1].value["datasets"]["rows"]["version"] == version
        for first in (200, 300, 400):
            version = append(plots, rows(first, 100))
        got = page.view([TILE])  # an answer is of the version that was sent last
        assert {each.kind for each in got} == {Type.TILE, Type.DONE} and planes(got[0]).sum() == 200
        at = 2
        while at < version:  # in one step, unless the data were being opened just now
            follow(page, at, tiles=[0, 0, 0, 0, 0, 0])
            tile, told = update(page)
            at = told.value["datasets"]["rows"]["version"]
            assert planes(tile).sum() == 100 * at
        assert at == version == 5


def test_another_root_is_asked_for_anew(plots: Running):
    with Browser(plots.url, "points", query=FOLLOW) as page:
        page.layer()
        page.view([TILE])
        follow(page, 1, tiles=[0, 0, 0, 0, 0, 0])
        append(plots, pa.table({"x": [5_000.0], "y": [1.0]}))
        (told,) = update(page)
        assert told.value["anew"] == [0] and told.value["layers"] == []
        assert page.layer().value["version"] == 2


def test_a_replaced_dataset_is_told_as_before(plots: Running):
    with Browser(plots.url, "points", query=FOLLOW) as page:
        page.layer()
        page.view([TILE])
        follow(page, 1, tiles=[0, 0, 0, 0, 0, 0])
        put(plots, rows(0, 50), If_Match='"1"')
        told = page.take()
        assert told.kind == Type.CHANGED and told.value["rows"] == 50


@pytest.mark.parametrize(
    "message",
    [
        {"versions": {}, "figures": []},
        {"versions": {"others": 1}, "figures": []},
        {"versions": {"rows": -1}, "figures": []},
        {"versions": {"rows": 1}, "figures": [{"figure": 1, "layers": []}]},
        {"versions": {"rows": 1}, "figures": [{"figure": 0, "layers": [{"layer": 0, "tiles": [0, 0, 1, 0, 0, 0]}]}]},
        {"versions": {"rows": 1}, "figures": [{"figure": 0, "layers": [{"layer": 0, "tiles": [9, 9, 0, 99, 0, 99]}]}]},
    ],
)
def test_what_cannot_be_followed_is_refused(plots: Running, message: dict[str, Any]):
    with Browser(plots.url, "points", query=FOLLOW) as page:
        request = page.say(op="follow", **message)
        got = page.take()
        assert got.kind == Type.ERROR and got.frame.request == request


def test_one_who_does_not_follow_is_told_so(plots: Running):
    with Browser(plots.url, "points") as page:
        follow(page, 1)
        assert page.take().kind == Type.ERROR


def test_a_page_that_comes_back_is_brought_up_to_date(plots: Running):
    held = {"tiles": [0, 0, 0, 0, 0, 0], "kept": [[1, 1, 1, 0]]}
    append(plots, rows(100, 100))
    with Browser(plots.url, "points", query=FOLLOW) as page:
        page.layer()
        page.view([TILE])
    append(plots, rows(200, 100))
    version = append(plots, rows(300, 100))
    with Browser(plots.url, "points", query=FOLLOW) as page:
        follow(page, 2, **held)
        tile, told = update(page)
        assert told.value["datasets"]["rows"]["version"] == version and planes(tile).sum() == 400
        assert told.value["layers"][0]["changed"] == [TILE], "new rows lie elsewhere than in the other tile"
        follow(page, version, **held)
        append(plots, rows(400, 100))
        assert planes(update(page)[0]).sum() == 500


def test_a_page_that_comes_back_with_a_version_that_is_not_known_asks_anew(plots: Running):
    append(plots, rows(100, 100))
    append(plots, rows(200, 100))
    with Browser(plots.url, "points", query=FOLLOW) as page:
        follow(page, 1, tiles=[0, 0, 0, 0, 0, 0])
        (told,) = update(page)
        assert told.value["anew"] == [0]


def test_a_page_that_opened_its_document_as_another_was_put_is_brought_up_to_date(
    plots: Running, monkeypatch: pytest.MonkeyPatch
):
    held = {"tiles": [0, 0, 0, 0, 0, 0]}
    read, versions = Shelf._read, []

    async def read_as_another_is_put(shelf: Shelf, name: str) -> Any:
        found = await read(shelf, name)
        versions.append(found.growing["rows"])
        if versions[-1] == 2:
            await shelf.renew()
        return found

    append(plots, rows(100, 100))
    monkeypatch.setattr(Shelf, "_read", read_as_another_is_put)
    with Browser(plots.url, "points", query=FOLLOW) as page:
        page.layer()
        page.view([TILE])
    append(plots, rows(200, 100))
    with Browser(plots.url, "points", query=FOLLOW) as page:
        follow(page, 2, **held)
        tile, told = update(page)
        assert {*versions} == {2, 3} and planes(tile).sum() == 300 and told.value["anew"] == []


def test_one_who_follows_without_asking_for_the_layer_is_told_what_to_send(plots: Running):
    with Browser(plots.url, "points", query=FOLLOW) as page:
        held, version = {"tiles": [0, 0, 0, 0, 0, 0]}, 1
        follow(page, version, **held)
        version = append(plots, rows(100, 100))
        assert update(page)[-1].value["anew"] == [0]
        for _ in range(2):
            request = follow(page, version, **held)
            refused = page.take()
            assert (refused.kind, refused.frame.request) == (Type.ERROR, request)
            assert "send `layer` for each of its layers" in refused.value["error"]
        page.layer()
        page.view([TILE])
        follow(page, version, **held)
        append(plots, rows(200, 100))
        tile, told = update(page)
        assert planes(tile).sum() == 300 and told.value["anew"] == []


def test_what_cannot_be_shown_is_tried_ever_more_rarely(plots: Running, monkeypatch: pytest.MonkeyPatch):
    waits: list[float] = []
    failing, sleep, newest = [True], asyncio.sleep, Shelf.newest

    async def slept(seconds: float) -> None:
        if failing[0]:
            waits.append(seconds)
            failing[0] = len(waits) < 9
        await sleep(0)

    async def shown(*values: Any) -> Any:
        if failing[0]:
            raise NotFound("its data is not there")
        return await newest(*values)

    with Browser(plots.url, "points", query=FOLLOW) as page:
        page.layer()
        page.view([TILE])
        with monkeypatch.context() as patched:
            patched.setattr(follower, "asyncio", SimpleNamespace(sleep=slept, Event=asyncio.Event))
            patched.setattr(Shelf, "newest", shown)
            follow(page, 1, tiles=[0, 0, 0, 0, 0, 0])
            append(plots, rows(100, 100))
            assert planes(update(page)[0]).sum() == 200
    assert waits == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]


def stopped(served: Running, layer: dict[str, Any]) -> socket.socket:
    """One who follows, and reads nothing after the upgrade."""
    host = urlsplit(served.url).netloc
    lines = ["GET /points/ws?follow=1 HTTP/1.1", f"Host: {host}", f"Origin: http://{host}", "Upgrade: websocket"]
    lines += ["Connection: Upgrade", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Version: 13"]
    found = socket.create_connection(("127.0.0.1", int(host.partition(":")[2])), PATIENCE)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    found.sendall("\r\n".join([*lines, "", ""]).encode())
    assert found.recv(12) == b"HTTP/1.1 101"
    while b"follow" not in found.recv(4096):  # in hello: nothing may be sent before
        pass
    message = {"op": "follow", "id": 1, "versions": {"rows": 1}, "figures": [{"figure": 0, "layers": [layer]}]}
    found.sendall(frame_of(Opcode.TEXT, json.dumps(message).encode()))
    return found


def test_one_who_reads_nothing_is_left_and_others_feel_nothing(tmp_path):
    with running([], library=tmp_path / "library", limits=Limits(ping_seconds=0.5)) as served:
        put(served, rows(0, 100))
        call(served, "PUT", "documents/points", document("rows"))
        with Browser(served.url, "points", query=FOLLOW) as page:
            page.layer()
            page.view([TILE])
            held = {"tiles": [0, 0, 0, 0, 0, 0]}
            with closing(stopped(served, {"layer": 0, "definition": page.definition(), **held})):
                version = 1
                end = time.monotonic() + PATIENCE
                while 'closed_total{code="4008"} 1.0' not in served.get("/metrics").body.decode():
                    assert time.monotonic() < end
                    follow(page, version, **held)
                    version = append(served, rows(100 * version, 100))
                    told = update(page)[-1].value
                    assert told["datasets"]["rows"]["version"] == version
                    if told["anew"]:
                        page.layer()
                        page.view([TILE])
            assert page.view([TILE])[-1].kind == Type.DONE


def test_a_page_whose_rights_have_changed_is_sent_what_it_may_see(tmp_path):
    """The dataset becomes private while a public document shows it: what the document names is seen all the same."""
    people = People.at(tmp_path / "library")
    with closing(people.library) as library, running([], library=library) as served:
        owner = {"Content_Type": ARROW, **people.bearer("owner")}
        assert call(served, "PUT", "datasets/rows", stream_of(rows(0, 100)), **owner)[0] == 201
        for kind, name in (("dataset", "rows"), ("document", "secret")):
            library.access.set(kind, name, True, {"owner": "owner"})
        with Browser(served.url, "secret", query=FOLLOW) as page:
            page.layer()
            page.view([TILE])
            follow(page, 1, tiles=[0, 0, 0, 0, 0, 0])
            (viewer,) = served.server.site.viewers
            for is_public in (False, True):
                library.access.set("dataset", "rows", is_public, {"owner": "owner"})
                end = time.monotonic() + PATIENCE
                while served.on_loop(lambda: not viewer.shown.usage.columns) is not is_public:
                    assert time.monotonic() < end
            call(served, "POST", "datasets/rows/append", stream_of(rows(100, 100)), **owner)
            assert update(page)[-1].value["datasets"]["rows"]["rows"] == 200
