"""Passes over the rows of parts, for which several callers wait."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import Cancelled
from bigviz.tiles.cluster.bars.bar_passes import BarPasses
from bigviz.tiles.cluster.messages import Answer
from bigviz.tiles.cluster.parts.division import Part

from ....patience import until

PART = Part("table", 0, 1, 10)


class Gated:
    """Workers that answer once the gate is open, unless they are told to stop."""

    def __init__(self) -> None:
        self.loop, self.gate, self.asked = asyncio.new_event_loop(), threading.Event(), list[str]()

    def next_ident(self) -> str:
        return str(len(self.asked))

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self.loop)

    def cancel(self, ident: str, parts: object) -> None:
        """What runs looks at its flag."""

    async def answers(
        self, parts: list[Part], asked: Any, ident: str, stop: Cancel, note: Callable[..., None], expected: None
    ) -> None:
        self.asked.append(ident)
        while not self.gate.is_set():
            stop.check()
            await asyncio.sleep(0)
        for part in parts:
            note(part, 1, Answer({}))


@pytest.fixture
def workers() -> Iterator[Gated]:
    made = Gated()
    thread = threading.Thread(target=made.loop.run_forever)
    thread.start()
    yield made
    made.loop.call_soon_threadsafe(made.loop.stop)
    thread.join()
    made.loop.close()


def test_who_still_waits_has_passes_begun_again_that_another_one_gave_up(workers: Gated) -> None:
    layer, cancel = Layer("bar", "kind", "", "count"), Cancel()
    passes = BarPasses(None, layer, [PART], (), np.dtype(np.uint32), 1, workers)  # type: ignore[arg-type]
    with ThreadPoolExecutor(2) as pool:
        gives_up, stays = pool.submit(passes.run, cancel), pool.submit(passes.some, NEVER)
        until(lambda: workers.asked == ["0"])
        cancel.cancel()
        with pytest.raises(Cancelled):
            gives_up.result()
        until(lambda: len(workers.asked) == 2)
        workers.gate.set()
        assert stays.result() is None and passes.whole
