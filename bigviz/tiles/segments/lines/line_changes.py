"""Over which x the versions of a line differ.

A version adds, drops or corrects rows, each of which changes the line from the value before it to the value after it.
So the x axis is divided into spans, and of each is known in which version something in it has changed last.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.tiles.grid.window import Number
from bigviz.tiles.series.line import MergedLine
from bigviz.tiles.series.merged_m4 import value_from, value_to
from bigviz.tiles.series.merged_rows import Piece

__all__ = ["LineChanges", "Span", "spans_of"]

Array = npt.NDArray[Any]
Span = tuple[Number, Number]

_MOST: Final = 1 << 13  # spans: of more, each two neighbours among the lower half become one
_APART: Final = 16  # spans at most of what one piece of rows changes
_LOOKED: Final = 1 << 16  # rows of which a span is that of all


@dataclass(frozen=True, eq=False)
class LineChanges:
    """The line from `edges[k]` to `edges[k + 1]` has changed last in version `numbers[k]`. The first edge is minus
    infinity, and after the last one the line goes on to infinity."""

    edges: tuple[Number, ...]
    numbers: tuple[int, ...]

    @classmethod
    def whole(cls, number: int) -> LineChanges:
        """All of the line is another one."""
        return cls((-math.inf,), (number,))

    def then(self, spans: Sequence[Span], number: int) -> LineChanges:
        """The same after changes in a later version."""
        edges, numbers = list(self.edges), list(self.numbers)
        for low, high in spans:
            begin = bisect_left(edges, low)  # edges before it stay
            end = bisect_left(edges, high)
            after = numbers[end - 1] if end else number
            if high < math.inf and (end == len(edges) or edges[end] > high):
                edges[begin:end], numbers[begin:end] = [low, high], [number, after]
            else:
                edges[begin:end], numbers[begin:end] = [low], [number]
        while len(edges) > _MOST:
            half = len(edges) // 4
            numbers = [max(numbers[2 * k : 2 * k + 2]) for k in range(half)] + numbers[2 * half :]
            edges = edges[: 2 * half : 2] + edges[2 * half :]
        return LineChanges(tuple(edges), tuple(numbers))

    def last(self, low: Fraction, high: Fraction) -> int:
        """The version in which something from an x to another one has changed last."""
        return max(self.numbers[max(bisect_left(self.edges, low) - 1, 0) : bisect_left(self.edges, high)])

    def since(self, number: int) -> Number:
        """The lowest x of the changes after a version; infinity where there are none."""
        found = (edge for edge, changed in zip(self.edges, self.numbers, strict=True) if changed > number)
        return next(found, math.inf)


def spans_of(line: MergedLine, piece: Piece) -> list[Span]:
    """Where a line changes that some rows become part of, or leave: around each group of rows from the last value of
    the line before it to the first one after it, and to infinity where there is none."""
    x = piece.x
    if not len(x):
        return []
    if len(x) > _LOOKED:
        lows, highs = x.min(keepdims=True), x.max(keepdims=True)
    else:
        x = np.sort(x)
        steps = np.diff(x.astype(np.float64))
        cuts = np.sort(np.argsort(steps)[max(len(steps) - _APART + 1, 0) :])
        lows, highs = x[np.append(0, cuts + 1)], x[np.append(cuts, len(x) - 1)]
    return list(zip(_before(line, lows), _after(line, highs), strict=True))


def _before(line: MergedLine, x: Array) -> list[Number]:
    """The x of the last value of a line before each x; minus infinity where there is none."""
    found: list[Number] = [-math.inf] * len(x)
    for part in line.parts:
        at = value_to(part, part.rank(x, np.full(len(x), -1)) - 1)
        known = np.flatnonzero(at >= part.start)
        for k, value in zip(known.tolist(), part.series.x.at(at[known]).tolist(), strict=True):
            found[k] = max(found[k], value)
    return found


def _after(line: MergedLine, x: Array) -> list[Number]:
    """The x of the first value of a line after each x; infinity where there is none."""
    found: list[Number] = [math.inf] * len(x)
    for part in line.parts:
        at = value_from(part, part.rank(x, np.full(len(x), np.iinfo(np.int64).max)))
        known = np.flatnonzero(at < part.stop)
        for k, value in zip(known.tolist(), part.series.x.at(at[known]).tolist(), strict=True):
            found[k] = min(found[k], value)
    return found
