"""Memory is given back once viewers have left and nothing is computed."""

from __future__ import annotations

import threading

import pytest

from bigviz.server.run import freed_memory

from ...patience import PATIENCE
from ..running import Gated, running
from ..wire import Browser


def test_memory_is_given_back_after_viewers_left_but_not_while_others_are_served(
    documents, monkeypatch: pytest.MonkeyPatch
):
    given, slept = threading.Semaphore(0), threading.Semaphore(0)
    monkeypatch.setattr(freed_memory, "trim_memory", given.release)
    monkeypatch.setattr(freed_memory, "_QUIET", 0.01)
    is_busy = freed_memory._is_busy

    def looked(site: object) -> bool:
        found = is_busy(site)
        if found:
            slept.release()
        return found

    monkeypatch.setattr(freed_memory, "_is_busy", looked)
    engine = Gated()
    with running(documents[:1], engine) as server:
        server.await_event("loaded")
        with Browser(server.url, "points") as browser:
            browser.layer()
            assert not given.acquire(timeout=0.0)
            engine.open.clear()
            browser.ask([[1, 1, 0, 0]])
            engine.await_(lambda: bool(engine.reached))
            with Browser(server.url, "points"):
                pass
            for _ in range(3):
                assert slept.acquire(timeout=PATIENCE)
            assert not given.acquire(timeout=0.0)
            engine.open.set()
            assert given.acquire(timeout=PATIENCE)
        assert given.acquire(timeout=PATIENCE)
