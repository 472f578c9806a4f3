"""HTTP requests for a table whose rows workers hold: they wait for rows that are being indexed, but not for ever."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import Busy
from bigviz.common.progress import Progress, no_progress
from bigviz.data.dataset import Dataset
from bigviz.data.open import open as open_dataset
from bigviz.server.access.principal import Principal
from bigviz.server.jobs import service
from bigviz.server.jobs.index_builds import Builds
from bigviz.server.jobs.service import Backend
from bigviz.server.limits import Limits
from bigviz.server.metrics import Metrics
from bigviz.tiles.engine import Engine
from bigviz.tiles.holders import Holders
from bigviz.tiles.readiness import Readiness

from ...patience import PATIENCE

LAYER = Layer("points", "x", "y")
CALLER = Principal("127.0.0.1")


class OnWorkers(Engine):
    """An engine whose workers hold no rows until they are told to."""

    def __init__(self) -> None:
        super().__init__(threads=1, index="never")
        self.indexed = threading.Event()
        self.asked = threading.Event()

    def holders(self, dataset: Dataset, layer: Layer) -> Holders:
        return Holders(2, 1, dataset.num_rows if self.indexed.is_set() else 1)

    def readiness(self, dataset: Dataset, layer: Layer) -> Readiness:
        return super().readiness(dataset, layer) if self.indexed.is_set() else "building"

    def ensure(self, dataset: Dataset, layer: Layer, progress: Progress = no_progress, cancel: Cancel = NEVER) -> None:
        self.asked.set()
        while not self.indexed.wait(0.01):
            cancel.check()
        super().ensure(dataset, layer, progress, cancel)


def serving(test: Callable[[Backend, OnWorkers, Dataset], Coroutine[Any, Any, None]], **limits: Any) -> None:
    async def run() -> None:
        engine = OnWorkers()
        backend = Backend(engine, Limits(**limits), Metrics())
        table = open_dataset({"x": [0.0, 1.0, 2.0], "y": [0.0, 1.0, 4.0]})
        try:
            await asyncio.wait_for(test(backend, engine, table), PATIENCE)
        finally:
            engine.indexed.set()
            backend.close()

    asyncio.run(run())


def test_a_request_waits_for_rows_that_are_being_indexed() -> None:
    async def test(backend: Backend, engine: OnWorkers, table: Dataset) -> None:
        answer = asyncio.ensure_future(backend.run(CALLER, table, LAYER, "rows", lambda cancel: table.num_rows))
        await asyncio.get_running_loop().run_in_executor(None, engine.asked.wait)
        assert not answer.done()
        engine.indexed.set()
        assert await answer == 3

    serving(test)


def test_a_request_that_waits_too_long_is_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_INDEXED_WITHIN", 0.01)

    async def test(backend: Backend, engine: OnWorkers, table: Dataset) -> None:
        with pytest.raises(Busy, match="still index rows"):
            await backend.run(CALLER, table, LAYER, "rows", lambda cancel: table.num_rows)

    serving(test)


def test_a_picture_waits_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_INDEXED_WITHIN", 0.01)

    async def test(backend: Backend, engine: OnWorkers, table: Dataset) -> None:
        with pytest.raises(Busy, match="still index rows"):
            await backend.wait(table, LAYER, CALLER)

    serving(test)


def test_who_may_begin_no_more_indexes_is_told_so_and_holds_up_nobody() -> None:
    async def test(backend: Backend, engine: OnWorkers, table: Dataset) -> None:
        answer = asyncio.ensure_future(backend.run(CALLER, table, LAYER, "rows", lambda cancel: table.num_rows))
        await asyncio.get_running_loop().run_in_executor(None, engine.asked.wait)
        with pytest.raises(Busy, match="being built for this address"):
            await backend.run(CALLER, table, Layer("points", "y", "x"), "rows", lambda cancel: table.num_rows)
        assert not answer.done()
        engine.indexed.set()
        assert await answer == 3

    serving(test, builds_per_address=1)


def test_a_request_whose_worker_was_lost_is_answered_by_the_next_one() -> None:
    async def test(backend: Backend, engine: OnWorkers, table: Dataset) -> None:
        engine.indexed.set()
        await backend.info(table, LAYER)
        engine.asked.clear()
        calls: list[bool] = []

        def call(cancel: Cancel) -> int:
            calls.append(engine.indexed.is_set())
            if len(calls) == 1:
                engine.indexed.clear()
                raise Busy("lost")
            return len(calls)

        answer = asyncio.ensure_future(backend.run(CALLER, table, LAYER, "rows", call))
        await asyncio.get_running_loop().run_in_executor(None, engine.asked.wait)
        engine.indexed.set()
        assert await answer == 2 and calls == [True, True]

    serving(test)


def test_a_layer_that_may_not_be_indexed_now_is_refused_at_once() -> None:
    async def test(backend: Backend, engine: OnWorkers, table: Dataset) -> None:
        backend.builds = Builds(engine, 0)
        with pytest.raises(Busy, match="indexes are being built"):
            await backend.run(CALLER, table, LAYER, "rows", lambda cancel: table.num_rows)

    serving(test)


def test_too_many_requests_are_told_so() -> None:
    async def test(backend: Backend, engine: OnWorkers, table: Dataset) -> None:
        engine.indexed.set()

        def call(cancel: Cancel) -> int:
            raise Busy("enough")

        with pytest.raises(Busy, match="enough"):
            await backend.run(CALLER, table, LAYER, "rows", call)

    serving(test)
