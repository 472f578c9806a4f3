"""Tiles that are asked for at about the same time, as those of a view are, in one message to each worker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final

from bigviz.common.cancel import Cancel
from bigviz.common.errors import Cancelled
from bigviz.tiles.cluster.messages import Answer
from bigviz.tiles.cluster.parts.division import Part
from bigviz.tiles.cluster.workers import Workers
from bigviz.tiles.grid.tile_key import TileKey

__all__ = ["TileBatches", "tiles_of"]

_GATHERING: Final = 0.001  # seconds in which the tiles of a view come, and at most five times as long
_GATHERINGS: Final = 5
_COMING: Final = 0.0004  # seconds within which another tile came, so that more are waited for
_LOOK: Final = 0.02  # seconds between two looks at the callers' cancel flags
_DEAF: Final = 5.0  # seconds after which a caller looks at its flag itself: the loop may have ended


@dataclass
class _Asked:
    """A tile that a caller waits for."""

    key: TileKey
    cancel: Cancel
    found: Future[list[Answer]] = field(default_factory=Future)


class _Batch(Cancel):
    """Tiles of one message. Its flag is up once nobody waits for any of them."""

    __slots__ = ("asked",)

    def __init__(self, asked: Sequence[_Asked]) -> None:
        super().__init__()
        self.asked = asked

    @property
    def cancelled(self) -> bool:
        return all(each.cancel.cancelled for each in self.asked)

    def check(self) -> None:
        if self.cancelled:
            raise Cancelled()

    def release(self) -> None:
        """Tell those whose flag is up."""
        for each in self.asked:
            if each.cancel.cancelled and not each.found.done():
                each.found.set_exception(Cancelled())

    def fail(self, error: BaseException) -> None:
        """Tell all that still wait."""
        for each in self.asked:
            if not each.found.done():
                each.found.set_exception(error)


class TileBatches:
    """The tiles of one layer. Safe to use from any number of threads."""

    def __init__(self, workers: Workers, parts: Sequence[Part], question: str = "tiles") -> None:
        """`question` is what workers are asked; they answer with a head and a body a tile."""
        self._workers, self._parts, self._question = workers, parts, question
        self._waiting: list[_Asked] = []
        self._lock, self._latest = Lock(), 0.0

    def ask(
        self, key: TileKey, question: Mapping[str, Any], expected: Mapping[Part, int], cancel: Cancel
    ) -> list[Answer]:
        """What all parts have of a tile, in their order. `question` and `expected` are those of `Workers.ask`, and the
        same for all tiles that are asked for at a time."""
        asked = _Asked(key, cancel)
        with self._lock:
            self._waiting.append(asked)
            self._latest, first = time.perf_counter(), len(self._waiting) == 1
        if first:
            asyncio.run_coroutine_threadsafe(self._send(question, expected), self._workers.loop)
        while True:
            try:
                return asked.found.result(_DEAF)
            except TimeoutError:
                if asked.found.done():
                    raise
                cancel.check()

    async def _send(self, question: Mapping[str, Any], expected: Mapping[Part, int]) -> None:
        batch = _Batch(await self._gathered())
        keys = list(dict.fromkeys(each.key for each in batch.asked))
        told = {**question, "ask": self._question, "keys": [[key.zx, key.zy, key.i, key.j] for key in keys]}
        ident = self._workers.next_ident()
        work = asyncio.ensure_future(self._workers.answers(self._parts, told, ident, batch, None, expected))
        unwanted = False
        while not (await asyncio.wait([work], timeout=_LOOK))[0]:
            batch.release()
            if batch.cancelled and not unwanted:
                unwanted = True
                self._workers.cancel(ident, self._parts)
        try:
            parts = [tiles_of(answer) for answer in work.result()]
            by_key = {key: [part[at] for part in parts] for at, key in enumerate(keys)}
        except BaseException as error:  # handed to those that wait
            batch.fail(error)
            return
        for each in batch.asked:
            if not each.found.done():
                each.found.set_result(by_key[each.key])

    async def _gathered(self) -> list[_Asked]:
        """The tiles of the next message: threads take turns to ask, so as long as more come it is waited for them."""
        for _ in range(_GATHERINGS):
            await asyncio.sleep(_GATHERING)
            if time.perf_counter() - self._latest > _COMING:
                break
        with self._lock:
            asked, self._waiting = self._waiting, []
        return asked


def tiles_of(answer: Answer) -> list[Answer]:
    """The answer of a part for several tiles as one for each."""
    common = {name: answer.head[name] for name in ("dtype", "row_bytes")}
    return [Answer({**head, **common}, (body,)) for head, body in zip(answer.head["tiles"], answer.bodies, strict=True)]
