"""A scheduler that is away, and a worker that has much to do."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from bigviz import __version__
from bigviz.tiles.cluster import connect, worker_plugin
from bigviz.tiles.cluster.messages import Answer, decoded, encoded
from bigviz.tiles.cluster.options import ClusterOptions
from bigviz.tiles.cluster.worker_plugin import HostPlugin, HostSettings

SETTINGS = HostSettings(None, None, 64 << 20, "never")


def loops() -> set[threading.Thread]:
    return {each for each in threading.enumerate() if each.name == "IO loop"}


def test_looking_for_a_scheduler_again_and_again_takes_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    monkeypatch.setattr(connect, "Workers", lambda join, settings, end: made.extend((join, end)))
    monkeypatch.setattr(connect, "_SECONDS", 0.1)
    before = loops()
    connect.connect(ClusterOptions("tcp://127.0.0.1:1"), SETTINGS)
    join, end = made
    for _ in range(3):
        with pytest.raises(OSError):
            join()
    assert len(loops() - before) == 1
    end()


def test_a_worker_whose_threads_are_all_busy_answers_a_greeting() -> None:
    plugin = HostPlugin(SETTINGS)
    worker: Any = SimpleNamespace(
        state=SimpleNamespace(nthreads=1), memory_manager=SimpleNamespace(memory_limit=None), handlers={}
    )
    plugin.setup(worker)
    plugin.teardown(worker)  # no thread takes anything any more
    answer = asyncio.run(plugin.ask(**encoded(Answer({"ask": "hello"})), ident="a"))
    assert decoded(answer).head["version"] == __version__


def test_a_worker_that_prepares_brushes_answers_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_plugin, "_CALLERS", 1)
    monkeypatch.setattr(worker_plugin, "_PREPARING", 1)
    plugin, gate = HostPlugin(SETTINGS), threading.Event()
    worker: Any = SimpleNamespace(
        state=SimpleNamespace(nthreads=1), memory_manager=SimpleNamespace(memory_limit=None), handlers={}
    )
    plugin.setup(worker)

    def answer(asked: Answer, cancel: object) -> Answer:
        if asked.head["ask"] == "brush":
            gate.wait()
        return asked

    monkeypatch.setattr(plugin._host, "answer", answer)

    async def test() -> None:
        brushes = [
            asyncio.ensure_future(plugin.ask(**encoded(Answer({"ask": "brush", "do": do})), ident=do))
            for do in ("begin", "wait")
        ]
        found = await plugin.ask(**encoded(Answer({"ask": "tiles"})), ident="tiles")
        assert decoded(found).head == {"ask": "tiles"} and not any(each.done() for each in brushes)
        gate.set()
        await asyncio.gather(*brushes)

    try:
        asyncio.run(test())
    finally:
        gate.set()
        plugin.teardown(worker)
