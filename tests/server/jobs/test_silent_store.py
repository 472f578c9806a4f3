"""A store that takes requests and does not answer, or byte by byte: tables of this machine are served meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import bigviz as bv
from bigviz.data.remote import settings, stores, transfers
from bigviz.document.spec import Document
from bigviz.server.jobs import service
from bigviz.server.jobs.index_builds import _REMOTE_THREADS
from tests.data.remote.range_server import RangeServer, range_server

from ...patience import until
from ..running import running
from ..wire import Browser

TABLES = 8  # more than there are threads for builds


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[RangeServer]:
    """A store that is waited for longer than any test."""
    patient = settings.Patience(connect=5, silence=10_000, request=10_000, retries=0, total=10_000, piece=10_000)
    monkeypatch.setattr(settings, "PATIENCE", patient)
    stores.store_of.cache_clear()
    transfers.host_of.cache_clear()
    with range_server() as told:
        yield told
    stores.store_of.cache_clear()


def written(path: Path) -> bytes:
    rng = np.random.default_rng(2)
    pq.write_table(pa.table({"x": rng.random(70_000), "y": rng.random(70_000)}), path)
    return path.read_bytes()


def page(source: str | Path, name: str) -> Document:
    return bv.document(bv.figure().points(bv.open(source, name=name), "x", "y"), id=name)


@pytest.mark.parametrize("fault", ["silent", "trickle"])
def test_tables_of_this_machine_are_indexed_and_drawn(web: RangeServer, tmp_path: Path, fault: str):
    data = written(tmp_path / "a.parquet")
    web.files = {f"{number}.parquet": data for number in range(TABLES)}
    far = [page(web.at(name), f"far{number}") for number, name in enumerate(web.files)]
    near = page(tmp_path / "a.parquet", "near")
    web.always = fault  # type: ignore[assignment]
    web.requests.clear()
    with running([*far, near]) as server:
        pages = [Browser(server.url, each.id) for each in far]
        for each in pages:
            each.say(op="layer", figure=0, layer=0, definition=each.definition())
        until(lambda: len({each.path for each in web.requests}) >= _REMOTE_THREADS)
        with Browser(server.url, "near") as browser:
            assert browser.layer().value["rows"] == 70_000
        assert server.get("/near/layers/0/tiles/0/0/0.npy").status == 200
        assert len({each.path for each in web.requests}) == _REMOTE_THREADS
        for each in pages:
            each.close()


def test_pages_of_a_table_whose_first_rows_do_not_come_have_one_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """And are greeted."""
    gate, looks = threading.Event(), list[object]()

    def look(dataset: object, most: int) -> frozenset[str]:
        looks.append(dataset)
        gate.wait()
        return frozenset()

    written(tmp_path / "a.parquet")
    monkeypatch.setattr(service, "columns_of_many", look)
    monkeypatch.setattr(service, "_LOOKED", 0.01)
    with running([page(tmp_path / "a.parquet", "a")]) as server:
        for _ in range(3):
            with Browser(server.url, "a") as browser:
                assert browser.document["id"] == "a"
        assert len(looks) == 1
        gate.set()


def test_a_server_that_still_loads_stops(web: RangeServer, tmp_path: Path):
    web.files["a.parquet"] = written(tmp_path / "a.parquet")
    web.always = "silent"
    with running([], names=["a"], load=lambda progress: bv.open([web.at("a.parquet"), web.at("a.parquet")])):
        until(lambda: bool(web.requests))
