"""What is asked of workers in one message, without workers: who waits is answered, and who does not is let go."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import Cancelled
from bigviz.tiles.cluster.messages import Answer
from bigviz.tiles.cluster.tile_batches import TileBatches
from bigviz.tiles.grid.tile_key import TileKey

from ...patience import PATIENCE

KEYS = [TileKey(4, 4, i, j) for i in range(5) for j in range(5)]


class Echo:
    """Answers of one part: each tile's body is its key. They wait for `go`."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.go, self.came, self.unwanted = threading.Event(), threading.Event(), threading.Event()
        self.asked: list[list[list[int]]] = []
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    def next_ident(self) -> str:
        return "question"

    def cancel(self, ident: str, parts: Any) -> None:
        self.unwanted.set()

    async def answers(self, parts: Any, told: Any, ident: str, cancel: Cancel, *_: Any) -> list[Answer]:
        self.asked.append(told["keys"])
        self.came.set()
        while not self.go.is_set():
            if self.unwanted.is_set():
                cancel.check()
            await asyncio.sleep(0.001)
        head = {"tiles": [{} for _ in told["keys"]], "dtype": "<u4", "row_bytes": 8}
        return [Answer(head, [bytes(key) for key in told["keys"]])]


@pytest.fixture
def echo() -> Iterator[Echo]:
    made = Echo()
    yield made
    made.close()


def test_tiles_that_are_asked_for_together_are_in_few_messages_and_each_is_answered(echo: Echo) -> None:
    batches = TileBatches(echo, ())  # type: ignore[arg-type]
    echo.go.set()
    with ThreadPoolExecutor(len(KEYS)) as pool:
        found = list(pool.map(lambda key: batches.ask(key, {}, {}, NEVER)[0], KEYS))
    assert [each.bodies[0] for each in found] == [bytes((key.zx, key.zy, key.i, key.j)) for key in KEYS]
    assert sorted(key for keys in echo.asked for key in keys) == sorted([k.zx, k.zy, k.i, k.j] for k in KEYS)


def test_who_does_not_wait_any_more_is_let_go_and_workers_are_told_once_nobody_does(echo: Echo) -> None:
    batches = TileBatches(echo, ())  # type: ignore[arg-type]
    cancels = [Cancel(), Cancel()]
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(batches.ask, key, {}, {}, cancel) for key, cancel in zip(KEYS[:2], cancels, strict=True)]
        assert echo.came.wait(PATIENCE)
        cancels[0].cancel()
        with pytest.raises(Cancelled):
            waiting[0].result(PATIENCE)
        cancels[1].cancel()
        with pytest.raises(Cancelled):
            waiting[1].result(PATIENCE)
    assert echo.unwanted.is_set()
