"""Answers that take no work any more, as they go on the wire: the next view that wants one gets it without a thread."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bigviz.common.byte_cache import ByteCache
from bigviz.server.jobs.job_queue import Outcome

if TYPE_CHECKING:
    from bigviz.server.jobs.encoded import Prepared

__all__ = ["KeptAnswers"]

_BYTES: Final = 32 << 20
_BESIDES: Final = 1_000  # bytes of a key, and of what holds an answer


@dataclass(frozen=True)
class _Kept:
    outcome: Outcome
    nbytes: int


class KeptAnswers:
    """The 32 MiB of answers that were asked for last, by the keys of their jobs, which name the data's version: what is
    kept under one is true for ever. Thread-safe."""

    def __init__(self, limit: int = _BYTES) -> None:
        self._answers: ByteCache[_Kept] = ByteCache(limit)

    def get(self, key: Hashable) -> Outcome | None:
        """The outcome of a job; None where it has to be run."""
        found = self._answers.get(key)
        return None if found is None else found.outcome

    def put(self, key: Hashable, value: Prepared | None) -> None:
        """Keep what a job has brought without work, or that a window's tiles are its answer (None)."""
        size = 0 if value is None else sum(len(part.json) + len(part.body) for part in value.parts)
        self._answers.put(key, _Kept(Outcome(value, None, 0.0), size + _BESIDES))
