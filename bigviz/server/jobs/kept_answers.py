"""A cache of exact answers in wire format, shared by all viewers: a hit needs no thread."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bigviz.common.byte_cache import ByteCache
from bigviz.server.jobs.encoded import with_cost
from bigviz.server.jobs.job_queue import Outcome

if TYPE_CHECKING:
    from bigviz.server.jobs.encoded import Prepared
    from bigviz.tiles.interface import Cost

__all__ = ["KeptAnswers"]

_BYTES: Final = 64 << 20
_LARGEST: Final = 4 << 20  # of one answer: larger ones would take the place of too many others
_BESIDES: Final = 1_000  # bytes of a key, and of what holds an answer


@dataclass(frozen=True)
class _Kept:
    """`cost` is what the answer costs those who get it from here; `answer` may still tell what it has cost to make."""

    answer: Prepared | None
    cost: Cost
    nbytes: int


class KeptAnswers:
    """The 64 MiB of answers that were asked for last, by the keys of their jobs, which name the data's version: what is
    kept under one is true for ever. Thread-safe."""

    def __init__(self, limit: int = _BYTES) -> None:
        self._answers: ByteCache[_Kept] = ByteCache(limit)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._answers.nbytes

    def get(self, key: Hashable) -> Outcome | None:
        """The outcome of a job, which took no work this time; None where it has to be run."""
        found = self._answers.get(key)
        if found is None:
            return None
        answer = found.answer
        if answer is not None and answer.cost != found.cost:  # rewritten when it is first wanted: most never are
            answer = with_cost(answer, found.cost)
            self._answers.put(key, _Kept(answer, found.cost, found.nbytes))
        return Outcome(answer, None, 0.0)

    def put(self, key: Hashable, answer: Prepared | None, cost: Cost) -> None:
        """Keep what a job has brought, or that a window's tiles are its answer (None); `cost` is what it costs from
        then on."""
        size = 0 if answer is None else sum(len(part.json) + len(part.body) for part in answer.parts)
        if size <= _LARGEST:
            self._answers.put(key, _Kept(answer, cost, size + _BESIDES))
