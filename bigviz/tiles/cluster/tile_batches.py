"""Tiles that are asked for at about the same time, as those of a view are, in one message to each worker."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, wait
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

_GATHERING: Final = 0.001  # seconds from the first tile of a message to its sending
_LOOK: Final = 0.02  # seconds between two looks at a caller's cancel flag


@dataclass
class _Asked:
    """A tile that a caller waits for; `batch` is what it was sent with."""

    key: TileKey
    cancel: Cancel
    found: Future[list[Answer]] = field(default_factory=Future)
    batch: _Batch | None = None


class _Batch(Cancel):
    """Tiles of one message. Its flag is up once nobody waits for any of them."""

    __slots__ = ("asked", "ident")

    def __init__(self, asked: Sequence[_Asked], ident: str) -> None:
        super().__init__()
        self.asked, self.ident = asked, ident

    @property
    def cancelled(self) -> bool:
        return all(each.cancel.cancelled for each in self.asked)

    def check(self) -> None:
        if self.cancelled:
            raise Cancelled()


class TileBatches:
    """The tiles of one layer. Safe to use from any number of threads."""

    def __init__(self, workers: Workers, parts: Sequence[Part], question: str = "tiles") -> None:
        """`question` is what workers are asked; they answer with a head and a body a tile."""
        self._workers, self._parts, self._question = workers, parts, question
        self._waiting: list[_Asked] = []
        self._lock = Lock()

    def ask(
        self, key: TileKey, question: Mapping[str, Any], expected: Mapping[Part, int], cancel: Cancel
    ) -> list[Answer]:
        """What all parts have of a tile, in their order. `question` and `expected` are those of `Workers.ask`, and the
        same for all tiles that are asked for at a time."""
        asked = _Asked(key, cancel)
        with self._lock:
            self._waiting.append(asked)
            first = len(self._waiting) == 1
        if first:
            asyncio.run_coroutine_threadsafe(self._send(question, expected), self._workers.loop)
        while not wait([asked.found], _LOOK).done:
            if cancel.cancelled:
                if asked.batch is not None and asked.batch.cancelled:
                    self._workers.cancel(asked.batch.ident, self._parts)
                raise Cancelled()
        return asked.found.result()

    async def _send(self, question: Mapping[str, Any], expected: Mapping[Part, int]) -> None:
        await asyncio.sleep(_GATHERING)
        with self._lock:
            asked, self._waiting = self._waiting, []
        batch = _Batch(asked, self._workers.next_ident())
        for each in asked:
            each.batch = batch
        keys = list(dict.fromkeys(each.key for each in asked))
        told = {**question, "ask": self._question, "keys": [[key.zx, key.zy, key.i, key.j] for key in keys]}
        try:
            answers = await self._workers.answers(self._parts, told, batch.ident, batch, None, expected)
            parts = [tiles_of(answer) for answer in answers]
        except BaseException as error:  # handed to those that wait
            for each in asked:
                each.found.set_exception(error)
            return
        by_key = {key: [part[at] for part in parts] for at, key in enumerate(keys)}
        for each in asked:
            each.found.set_result(by_key[each.key])


def tiles_of(answer: Answer) -> list[Answer]:
    """The answer of a part for several tiles as one for each."""
    common = {name: answer.head[name] for name in ("dtype", "row_bytes")}
    return [Answer({**head, **common}, (body,)) for head, body in zip(answer.head["tiles"], answer.bodies, strict=True)]
