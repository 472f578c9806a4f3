"""Open pages are told of a new version, and go on with new data; what other processes do is noticed too."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path

import pyarrow as pa
import pytest
from websockets.exceptions import ConnectionClosed

from bigviz.data.trim_memory import trim_memory
from bigviz.library.access import OPERATOR
from bigviz.library.library import Library
from bigviz.server.documents import renewal
from bigviz.wire.frames import GONE, RESTART, UNUSABLE, Type

from ...patience import PATIENCE, until
from ..running import running
from ..wire import Browser
from .calls import ARROW, TABLE, ask, call, document, stream_of, upload

MORE = pa.concat_tables([TABLE, TABLE])
SECOND = {"dataset": "rows", "version": 2, "rows": 8, "time": None, "age": None}


def closed(browser: Browser) -> int:
    """The code that the connection is closed with, whatever comes before."""
    with pytest.raises(ConnectionClosed) as found:
        while True:
            browser.take()
    assert found.value.rcvd is not None
    return found.value.rcvd.code


@pytest.fixture
def page(plots):
    upload(plots, "rows")
    call(plots, "PUT", "documents/a", document("rows"))
    with Browser(plots.url, "a") as browser:
        assert browser.layer().value["rows"] == 4
        yield browser


def test_a_new_version_is_announced_once(plots, page):
    for title, version in (("Second", 2), ("Third", 3)):
        call(plots, "PUT", "documents/a", document("rows", title=title))
        told = page.take()
        assert told.kind == Type.CHANGED and told.value == {"document": "a", "version": version}
    assert page.layer().value["rows"] == 4  # the version that is shown goes on


def test_new_data_is_drawn_on_the_same_connection(plots, page):
    assert upload(plots, "rows", MORE, If_Match='"1"') == (200, {"name": "rows", "version": 2, "rows": 8})
    told = page.take()
    assert told.kind == Type.CHANGED and told.value == SECOND
    facts = page.layer().value
    assert (facts["rows"], facts["version"]) == (8, 2)
    tiles = [got for got in page.view([[0, 0, 0, 0]]) if got.kind == Type.TILE]
    assert len(tiles) == 1
    assert call(plots, "GET", "documents/a")[1]["datasets"] == ["rows"]
    assert ask(plots, "GET", "documents/a").headers["ETag"] == '"1"'  # the document's version is what it was


def test_an_older_version_gets_the_new_data_too(plots, page):
    call(plots, "PUT", "documents/a", document("rows", title="Second"))
    assert page.take().value["document"] == "a"
    upload(plots, "rows", MORE, If_Match='"1"')
    assert page.take().value == SECOND
    assert page.document["title"] == "A plot" and page.layer().value["rows"] == 8


def test_other_columns_make_the_page_load_again(plots, page):
    upload(plots, "rows", MORE.append_column("z", MORE["x"]), If_Match='"1"')
    assert closed(page) == RESTART
    with Browser(plots.url, "a") as again:
        assert [each["name"] for each in again.hello.value["datasets"]["rows"]["columns"]][-1] == "z"


def test_a_document_without_the_column_that_it_shows(plots, page):
    upload(plots, "rows", MORE.drop_columns(["y"]), If_Match='"1"')
    told = page.take()
    assert told.kind == Type.ERROR and told.value["field"] == "y"
    assert closed(page) == UNUSABLE
    told = json.loads(plots.get("/a/layers/0/tilejson.json").body)
    assert told["field"] == "y" and "secret" not in told["error"]  # no column that a viewer may not know of
    blank = ask(plots, "GET", "documents/a/thumbnail.png")
    assert (blank.status, blank.headers["ETag"]) == (200, '"blank"')
    upload(plots, "rows", MORE, If_Match='"2"')
    assert ask(plots, "GET", "documents/a/thumbnail.png").headers["ETag"] != '"blank"'


def test_a_document_that_is_taken_away(plots, page):
    assert ask(plots, "DELETE", "documents/a").status == 204
    assert closed(page) == GONE


def test_what_another_process_does_is_noticed(tmp_path: Path):
    with running([], library=tmp_path / "library") as plots, Library.open(tmp_path / "library") as other:
        plots.await_event("loaded")
        upload(plots, "rows")
        call(plots, "PUT", "documents/a", document("rows"))
        with Browser(plots.url, "a") as page:
            value = document("rows", title="Second") | {"id": "a"}
            other.documents.put("a", value, title="Second", datasets=["rows"], author=None, caller=OPERATOR)
            assert page.take().value == {"document": "a", "version": 2}
            other.documents.delete("a")
            assert closed(page) == GONE


def test_memory_is_given_back_after_rows_were_appended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    given = threading.Semaphore(0)
    monkeypatch.setattr(renewal, "trim_memory", given.release)
    monkeypatch.setattr(renewal, "_SECONDS_BETWEEN_GIVINGS", 0.0)
    with running([], library=tmp_path / "library") as served:
        upload(served, "rows")
        assert not given.acquire(timeout=0.0)
        call(served, "POST", "datasets/rows/append", stream_of(TABLE), Content_Type=ARROW)
        assert given.acquire(timeout=PATIENCE)
        call(served, "DELETE", "datasets/rows")
    trim_memory()


def test_what_is_known_of_datasets_that_are_gone_is_let_go_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(renewal, "_SECONDS_BETWEEN_COLLECTIONS", 0.0)
    with running([], library=tmp_path / "library") as served:
        for name in ("rows", "others"):
            upload(served, name)
            call(served, "POST", f"datasets/{name}/append", stream_of(TABLE), Content_Type=ARROW)
        heads = served.server.site._shelf.heads
        assert heads.names == ["rows", "others"]
        call(served, "DELETE", "datasets/rows")
        until(lambda: served.on_loop(lambda: heads.names) == ["others"])


def test_a_document_that_is_let_go_of_while_it_is_looked_at_is_opened_anew(plots, monkeypatch):
    upload(plots, "rows")
    call(plots, "PUT", "documents/a", document("rows"))
    shelf = asyncio.run_coroutine_threadsafe(plots.server.site.shelf(), plots.loop).result(PATIENCE)
    is_current = shelf._binding.is_current

    def look(name, found):
        plots.loop.call_soon_threadsafe(shelf._kept.pop, name, None)  # as an append does
        return is_current(name, found)

    async def again():
        before = await shelf.open("a")
        monkeypatch.setattr(shelf, "is_shared", True)
        monkeypatch.setattr(shelf._binding, "is_current", look)
        return before, await shelf.open("a")

    before, after = asyncio.run_coroutine_threadsafe(again(), plots.loop).result(PATIENCE)
    assert after is not before and after.version == before.version
