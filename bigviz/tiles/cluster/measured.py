"""A worker's side: passes over all rows of a part whose answers never change, made once for all servers that ask."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from threading import Lock
from typing import Final

from cachetools import LRUCache

from bigviz.common.cancel import Cancel
from bigviz.common.progress import Progress, no_progress
from bigviz.common.single_flight import Flights
from bigviz.tiles.cluster.messages import Answer
from bigviz.tiles.cluster.question import Question

__all__ = ["Measured"]

Work = Callable[[Question], Answer]

_BYTES: Final = 32 << 20  # of answers that are kept
_HEAD: Final = 1 << 10  # bytes that one takes beside its bodies


class Measured:
    """Safe to use from any number of threads."""

    def __init__(self, works: Mapping[str, Work]) -> None:
        """`works`, by the names of questions, answer from what a question says and nothing else."""
        self._works = works
        self._kept: LRUCache[tuple[str, str], Answer] = LRUCache(_BYTES, _size)
        self._flights: Flights[Answer] = Flights()
        self._lock = Lock()

    @property
    def questions(self) -> dict[str, Work]:
        """The works by their names; each is done once for a question."""
        return {name: partial(self._answer, work) for name, work in self._works.items()}

    def _answer(self, work: Work, asked: Question) -> Answer:
        key = asked.part.fingerprint, json.dumps(asked.head, sort_keys=True)
        with self._lock:
            found = self._kept.get(key)
        if found is not None:
            return found

        def measure(tell: Progress, stop: Cancel) -> Answer:
            made = work(replace(asked, crew=replace(asked.crew, cancel=stop)))
            with self._lock:
                if _size(made) < _BYTES:
                    self._kept[key] = made
            return made

        return self._flights.get(key, measure, no_progress, asked.crew.cancel)


def _size(answer: Answer) -> int:
    return _HEAD + sum(map(len, answer.bodies))
