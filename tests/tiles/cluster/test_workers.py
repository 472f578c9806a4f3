"""Who waits for workers when the cluster is left."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from bigviz.common.cancel import NEVER
from bigviz.common.errors import Cancelled
from bigviz.tiles.cluster.parts.division import Part
from bigviz.tiles.cluster.workers import Workers


def left(loop: asyncio.AbstractEventLoop) -> Any:
    """Workers of a cluster that was left, whose loop is this one."""
    made: Any = object.__new__(Workers)
    made.loop, made._members = loop, SimpleNamespace(is_closed=True)
    return made


async def nothing(ends: asyncio.Event) -> None:
    await ends.wait()


def test_nobody_waits_for_ever_once_the_cluster_is_left() -> None:
    loop, ends = asyncio.new_event_loop(), asyncio.Event()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    with pytest.raises(Cancelled):
        left(loop)._wait(nothing(ends), NEVER)

    async def end() -> None:
        ends.set()
        await asyncio.sleep(0)

    asyncio.run_coroutine_threadsafe(end(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
    with pytest.raises(Cancelled):
        left(loop)._wait(nothing(ends), NEVER)


def test_a_question_that_is_given_up_after_the_loop_has_ended_is_no_error() -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    workers = left(loop)
    workers.cancel("a-1", [])
    workers._idents = iter("12")
    workers._tell_forget(Part("table", 0, 1, 10), "tcp://a")
