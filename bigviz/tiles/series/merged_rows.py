"""The rows of several parts of a line in one order, a piece at a time."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from bigviz.tiles.series.part import Part

__all__ = ["MergedRows", "Piece", "rows_of_parts", "sides"]

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]
Ends = tuple[int, ...]  # a position in each part

_PIECE: Final = 1 << 18  # rows at most
_HELD: Final = 2  # pieces: a loop over slices reads its last rows twice


class Piece(NamedTuple):
    """Rows that follow each other: x, y, which y are numbers (None: those that are not NaN), and row numbers."""

    x: Array
    y: Array
    known: Mask | None
    rows: npt.NDArray[np.int64]

    def where(self, which: Any) -> Piece:
        """Some of the rows."""
        return Piece(self.x[which], self.y[which], None if self.known is None else self.known[which], self.rows[which])


class MergedRows:
    """The rows of parts from positions `low` to positions `high`, which no row of the line lies across.

    They are cut at rows of the part that has most, so a piece is merged from a few rows of each part. Safe to use from
    any number of threads.
    """

    def __init__(self, parts: Sequence[Part], low: Ends, high: Ends) -> None:
        self._parts = parts
        self._ends = [low, *self._cuts(low, high), high]
        self.firsts = np.array([sum(ends) for ends in self._ends], np.int64) - sum(low)
        self._held: OrderedDict[int, Piece] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return int(self.firsts[-1])

    def pieces(self) -> Iterator[Piece]:
        """All rows."""
        for number in range(len(self._ends) - 1):
            yield self._merged(number)

    def slice(self, start: int, stop: int) -> Piece:
        """The rows of a range of places in the order."""
        stop = min(stop, len(self))
        first, last = np.searchsorted(self.firsts, [start, max(stop - 1, start)], "right").tolist()
        found = []
        for number in range(first - 1, min(last, len(self._ends) - 1)):
            begin = int(self.firsts[number])
            part = slice(max(start - begin, 0), stop - begin)
            found.append(self._piece(number).where(part))
        return _joined(found)

    def _cuts(self, low: Ends, high: Ends) -> Iterator[Ends]:
        sizes = [stop - start for start, stop in zip(low, high, strict=True)]
        if sum(sizes) <= _PIECE:
            return
        most = int(np.argmax(sizes))
        at = np.array([low[most] + sizes[most] // 2])
        x, row = self._parts[most].series.x.at(at), self._parts[most].numbers(at)
        middle = tuple(
            int(at[0]) if number == most else min(max(int(part.rank(x, row)[0]), low[number]), high[number])
            for number, part in enumerate(self._parts)
        )
        yield from self._cuts(low, middle)
        yield middle
        yield from self._cuts(middle, high)

    def _piece(self, number: int) -> Piece:
        with self._lock:
            if number in self._held:
                return self._held[number]
        made = self._merged(number)
        with self._lock:
            self._held[number] = made
            while len(self._held) > _HELD:
                self._held.popitem(last=False)
        return made

    def _merged(self, number: int) -> Piece:
        ends = zip(self._parts, self._ends[number], self._ends[number + 1], strict=True)
        found = [_rows_of(part, start, stop) for part, start, stop in ends if start < stop]
        if len(found) == 1:
            return found[0]
        whole = _joined(found) if found else _rows_of(self._parts[0], 0, 0)
        order = _order(whole.x, whole.rows)
        return whole.where(order)


def rows_of_parts(parts: Sequence[Part]) -> Iterator[Piece]:
    """All rows of some parts."""
    if parts:
        yield from MergedRows(parts, tuple(part.start for part in parts), tuple(part.stop for part in parts)).pieces()


def _rows_of(part: Part, start: int, stop: int) -> Piece:
    y, known = part.series.heights(start, stop)
    return Piece(part.series.x.slice(start, stop), y, known, part.numbers(np.arange(start, stop)))


def _joined(found: Sequence[Piece]) -> Piece:
    if len(found) == 1:
        return found[0]
    known = None
    if any(each.known is not None for each in found):
        known = np.concatenate([np.ones(len(each.x), np.bool_) if each.known is None else each.known for each in found])
    x, y, rows = (np.concatenate([each[side] for each in found]) for side in (0, 1, 3))
    return Piece(x, y, known, rows)


def _order(x: Array, rows: Array) -> Array:
    """The order by x, equal ones by row number. Sorted runs are merged (timsort); equal x of several of them come
    in the order of rows already, unless corrections have come between."""
    order = np.argsort(x, kind="stable")
    same = x[order[1:]] == x[order[:-1]]
    if (same & (rows[order[1:]] < rows[order[:-1]])).any():
        return np.lexsort((rows, x))
    return order


@dataclass(frozen=True)
class _Side:
    """x (0) or y (1) of merged rows, for loops over slices of a column."""

    rows: MergedRows
    side: int

    def __len__(self) -> int:
        return len(self.rows)

    def slice(self, start: int, stop: int) -> tuple[Array, Mask | None]:
        piece = self.rows.slice(start, stop)
        return (piece.x, None) if self.side == 0 else (piece.y, piece.known)


def sides(rows: MergedRows) -> tuple[_Side, _Side]:
    """x and y as `aggregate.inputs.Slices`."""
    return _Side(rows, 0), _Side(rows, 1)
