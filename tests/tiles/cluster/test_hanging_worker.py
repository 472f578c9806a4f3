"""Workers that hang hold up no start; of questions to them, and of a cluster that cannot be joined, nothing is left."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from distributed import Client

from bigviz import __version__
from bigviz.common.errors import BadInput
from bigviz.tiles.cluster import membership
from bigviz.tiles.cluster.membership import Membership
from bigviz.tiles.cluster.messages import Answer, encoded
from bigviz.tiles.cluster.part_host import PROTOCOL
from bigviz.tiles.cluster.worker_plugin import HostSettings
from bigviz.tiles.cluster.workers import Workers


def test_a_question_to_a_worker_that_hangs_ends_once_it_is_lost() -> None:
    async def run() -> None:
        gone, asked, given_up = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def hang(**message: Any) -> None:
            asked.set()
            try:
                await asyncio.Event().wait()
            finally:
                given_up.set()

        workers: Any = object.__new__(Workers)
        workers._members = SimpleNamespace(gone=lambda worker: gone, rpc=lambda worker: SimpleNamespace(ask=hang))
        question = asyncio.ensure_future(workers._handled("tcp://a", "ask", head="{}"))
        await asked.wait()
        gone.set()
        with pytest.raises(ConnectionError, match="is gone"):
            await question
        await given_up.wait()

    asyncio.run(run())


def test_what_was_started_for_a_cluster_that_cannot_be_joined_is_ended() -> None:
    ended: list[bool] = []

    def join() -> Client:
        raise TimeoutError("nobody answers")

    with pytest.raises(TimeoutError, match="nobody answers"):
        Workers(join, HostSettings(None, None, None, "never"), lambda: ended.append(True))
    assert ended == [True]


class Hanging:
    """A client of a cluster in which nobody finishes loading, and some workers answer no greeting either."""

    def __init__(self, loop: asyncio.AbstractEventLoop, **answers: bool) -> None:
        self.loop, self.status = SimpleNamespace(asyncio_loop=loop), "running"
        self.answers, self.given_up, self.closed = answers, threading.Event(), False
        self.scheduler = SimpleNamespace(identity=self._identity)

    async def _identity(self, n_workers: int) -> dict[str, Any]:
        return {"id": "scheduler", "workers": dict.fromkeys(self.answers)}

    async def register_plugin(self, plugin: object) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.given_up.set()

    def sync(self, call: Callable[..., Any], *args: Any, callback_timeout: float) -> Any:
        work = asyncio.wait_for(call(*args), callback_timeout)
        return asyncio.run_coroutine_threadsafe(work, self.loop.asyncio_loop).result()

    def rpc(self, worker: str) -> Any:
        async def greet(**message: Any) -> Any:
            if not self.answers[worker]:
                await asyncio.Event().wait()
            return encoded(Answer({"version": __version__, "protocol": PROTOCOL}))

        return SimpleNamespace(bigviz_ask=greet)

    def close(self, timeout: float) -> None:
        self.closed = True


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Iterator[asyncio.AbstractEventLoop]:
    """A loop that runs; nobody waits long for a worker."""
    monkeypatch.setattr(membership, "_LOADS", 0.01)
    monkeypatch.setattr(membership, "_HANGS", 0.5)
    made = asyncio.new_event_loop()
    thread = threading.Thread(target=made.run_forever)
    thread.start()
    yield made
    made.call_soon_threadsafe(made.stop)
    thread.join()
    made.close()


def test_a_worker_that_hangs_holds_up_no_start_and_is_named(
    loop: asyncio.AbstractEventLoop, caplog: pytest.LogCaptureFixture
) -> None:
    client = Hanging(loop, well=True, ill=False)
    members = Membership(lambda: client, HostSettings(None, None, None, "never"))  # type: ignore[arg-type, return-value]
    try:
        assert client.given_up.is_set() and members.there == ["well"]
        assert "the worker at ill does not answer" in caplog.text
    finally:
        members.close()
        members._watcher.join()


def test_a_cluster_whose_workers_all_hang_is_refused_by_their_names(loop: asyncio.AbstractEventLoop) -> None:
    client = Hanging(loop, ill=False, worse=False)
    with pytest.raises(BadInput, match="those at ill, worse do not answer"):
        Membership(lambda: client, HostSettings(None, None, None, "never"))  # type: ignore[arg-type, return-value]
    assert client.closed
