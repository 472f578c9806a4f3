"""A server of several tables of which one is elsewhere, and its store does not answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Origin

from bigviz.common.errors import NotFound
from bigviz.data.remote import settings, stores, transfers
from bigviz.server import late_tables
from bigviz.server.late_tables import Opening, in_time
from bigviz.server.run.loading import Columns, open_paths
from bigviz.wire.frames import LATER
from tests.data.remote.range_server import RangeServer, range_server

from ..patience import PATIENCE, until
from .running import running
from .wire import Browser


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[RangeServer]:
    """A store that is not waited for long."""
    patience = settings.Patience(5, silence=0.2, request=5, retries=0, total=0, piece=5)
    monkeypatch.setattr(settings, "PATIENCE", patience)
    monkeypatch.setattr(late_tables, "_SOON", 0.0)
    monkeypatch.setattr(late_tables, "_AGAIN", 0.05)
    stores.store_of.cache_clear()
    transfers.host_of.cache_clear()
    with range_server() as told:
        yield told
    transfers.host_of.cache_clear()


def test_others_are_served_and_the_reason_is_told(web: RangeServer, tmp_path: Path):
    pq.write_table(pa.table({"x": [1.0, 2.0], "y": [1.0, 2.0]}), tmp_path / "near.parquet")
    web.files["far.parquet"] = (tmp_path / "near.parquet").read_bytes()
    web.always = "silent"
    paths = [("far", web.at("far.parquet")), ("near", str(tmp_path / "near.parquet"))]
    load = partial(open_paths, paths, Columns())
    with running([], names=["far", "near"], load=lambda progress: load(progress=progress)) as server:
        assert server.get("/near/layers/0/tiles/0/0/0.npy").status == 200
        with Browser(server.url, "near") as browser:
            assert browser.layer().value["rows"] == 2
        refused = server.get("/far/layers/0/tiles/0/0/0.npy")
        assert refused.status == 503
        assert b"far.parquet cannot be read" in refused.body and b"tries again every" in refused.body
        address = server.url.replace("http", "ws", 1) + "far/ws"
        with (
            connect(address, origin=Origin(server.url.rstrip("/"))) as socket,
            pytest.raises(ConnectionClosed) as closed,
        ):
            while True:
                socket.recv(PATIENCE)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == LATER
        assert "far.parquet cannot be read" in closed.value.rcvd.reason
        web.always = ""

        def answers() -> bool:
            transfers.host_of.cache_clear()  # it is asked again at once
            return server.get("/far/layers/0/tiles/0/0/0.npy").status == 200

        until(answers)
        with Browser(server.url, "far") as browser:
            assert browser.layer().value["rows"] == 2
        documents = server.get("/?q=", Accept="application/json").body
        assert documents.index(b'"far"') < documents.index(b'"near"')


def test_what_opens_soon_and_what_does_not(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(late_tables, "_SOON", 0.0)
    gate = threading.Event()
    made: Any = object()

    def later() -> Any:
        gate.wait()
        return made

    def missing() -> Any:
        raise NotFound("There is nothing.")

    slow = Opening("slow", later)
    assert in_time({"slow": slow}, alone=False) == ({}, [slow])
    fast = Opening("fast", lambda: made)
    assert in_time({"slow": slow, "fast": fast}, alone=True) == ({"fast": made}, [slow])
    with pytest.raises(NotFound):
        in_time({"slow": slow, "none": Opening("none", missing)}, alone=True)
    gate.set()
    assert slow.coming.result() is made and in_time({"slow": slow}, alone=True) == ({"slow": made}, [])
    assert in_time({}, alone=True) == ({}, [])


def test_what_nobody_waits_for_any_more_is_opened_in_peace():
    """As where the server ends meanwhile."""
    gate = threading.Event()
    made: Any = object()

    def later() -> Any:
        gate.wait()
        return made

    async def give_up(late: Opening) -> None:
        waiting = asyncio.wrap_future(late.coming)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    late = Opening("late", later)
    asyncio.run(give_up(late))
    gate.set()
    assert late.coming.result(PATIENCE) is made
