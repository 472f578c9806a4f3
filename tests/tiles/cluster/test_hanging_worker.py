"""What is left of questions to a worker that hangs, and of a cluster that cannot be joined: nothing."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from distributed import Client

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
