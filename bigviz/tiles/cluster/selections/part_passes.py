"""Passes over the numbers of selected rows that workers hold: each makes its own, and what they find is added up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.common.cancel import Cancel
from bigviz.common.workers import Crew
from bigviz.tiles.cluster.messages import Answer, arrays_of
from bigviz.tiles.selection.quantiles import Surveyed, Window
from bigviz.tiles.selection.ranks import Tally

__all__ = ["Ask", "PartPasses"]

Array = npt.NDArray[Any]
Ask = Callable[[Mapping[str, Any], Cancel], list[Answer]]


@dataclass(frozen=True)
class PartPasses:
    """See `bigviz.tiles.selection.quantiles.Passes`. `ask` has the answers of all parts, in their order; `column` and
    `by` name the numbers and their groups, and `round` these passes."""

    ask: Ask
    column: str
    by: str | None
    groups: int
    round: str

    def ends(self, crew: Crew) -> tuple[int, int] | None:
        found = [answer.head["ends"] for answer in self._ask("ends", crew)]
        there = [each for each in found if each is not None]
        return (min(low for low, _ in there), max(high for _, high in there)) if there else None

    def survey(self, window: Window, crew: Crew) -> Surveyed:
        tallies = [Tally() for _ in range(self.groups + 1)]
        bins = np.zeros((self.groups + 1, window.count + 1), np.int64)
        for answer in self._ask("survey", crew, window=_facts(window)):
            crew.cancel.check()
            *sums, places, counts = _there(answer)
            for tally, told, floats in zip(tallies, answer.head["tallies"], sums, strict=True):
                count, total, least, most = told
                tally.count, tally.total = tally.count + count, tally.total + total
                tally.least, tally.most = min(tally.least, least), max(tally.most, most)
                tally.sums += floats.tolist()
            bins.reshape(-1)[places] += counts
        return Surveyed(tallies, bins)

    def collected(self, window: Window, flags: Array, crew: Crew) -> tuple[Array, Array]:
        places = np.flatnonzero(flags).tolist()
        return _joined(self._ask("collected", crew, window=_facts(window), flags=places))

    def histograms(self, windows: Array, shifts: Sequence[int], bins: int, grouped: bool, crew: Crew) -> Array:
        asked = {"windows": windows.tolist(), "shifts": list(shifts), "bins": bins, "grouped": grouped}
        total = np.zeros(0, np.int64)
        shape: tuple[int, ...] = ()
        for answer in self._ask("histograms", crew, **asked):
            shape = tuple(answer.head["shape"])
            if not len(total):
                total = np.zeros(int(np.prod(shape)), np.int64)
            places, counts = _there(answer)
            total[places] += counts
        return total.reshape(shape)

    def within(self, windows: Array, last: Array, grouped: bool, crew: Crew) -> tuple[Array, Array]:
        asked = {"windows": windows.tolist(), "last": last.tolist(), "grouped": grouped}
        return _joined(self._ask("within", crew, **asked))

    def _ask(self, what: str, crew: Crew, **more: Any) -> list[Answer]:
        told = {"ask": what, "column": self.column, "by": self.by, "round": self.round, **more}
        return self.ask(told, crew.cancel)


def _facts(window: Window) -> list[int]:
    return [window.base, window.shift, window.count]


def _there(answer: Answer) -> list[Array]:
    return [each for each in arrays_of(answer.head["arrays"], answer.bodies) if each is not None]


def _joined(answers: Sequence[Answer]) -> tuple[Array, Array]:
    found = [_there(answer) for answer in answers]
    return np.concatenate([keys for keys, _ in found]), np.concatenate([which for _, which in found])
