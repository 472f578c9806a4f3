"""A line that rows are added to, late ones too, at the cost of what is new.

Rows that come in x order, none below the greatest x so far, are added to the end of a series with room for more, so the
usual stream is never sorted, copied or merged. Late rows are kept apart, in sorted runs. Keeping them out of the rows
in order is Apache IoTDB's way (Kang et al., "Separation or Not: On Handling Out-of-Order Time-Series Data in Leveled
LSM-Tree", ICDE 2022): a few of them do not make the others be written again. The runs are merged as O'Neil et al.
("The log-structured merge-tree", 1996) and Bentley and Saxe ("Decomposable searching problems", 1980) do: a run is
merged with those after it once these are half as large, so a row is written again O(log n) times, whatever the order of
x; and few runs are left, of which none that was merged holds more than a quarter of the rows. Up to 2^16 rows are
merged at once, more of them by whoever asks what is due, on another thread.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from bigviz.tiles.series.falls import Falls
from bigviz.tiles.series.line import MergedLine
from bigviz.tiles.series.merged_rows import Piece, rows_of_parts
from bigviz.tiles.series.run import Merge, Run, copied
from bigviz.tiles.series.series import Series

__all__ = ["GrowingLine"]

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]

_AT_ONCE: Final = 1 << 16  # rows that are merged while their version is made: a millisecond or two
_ROOM: Final = 1 << 18  # rows that a series has room for at least, and of late ones
_LATE_ROOM: Final = 1 << 14
_MOST: Final = 1 << 25
_AHEAD: Final = 3  # times the rows so far that the next series has room for
_SMALL: Final = 1 << 20  # rows that are merged in any case
_LARGEST: Final = 4  # of larger ones, a merge makes one part in so many at most
_MOST_LATE: Final = 9  # runs of late rows at rest
_SHARES: Final = 8  # parts of the rows that series have room for where rows vanish: then little outlives its rows


class GrowingLine:
    """The rows of a line, and of each version of it a `MergedLine` that stays as it is. Safe to use from any number of
    threads; rows are added by one at a time."""

    def __init__(self, x: np.dtype[Any], y: np.dtype[Any]) -> None:
        """`x` and `y` are the dtypes of the axes' numbers."""
        self._types = x, y
        self._order: list[Run] = []  # each after the one before
        self._late: list[Run] = []
        self._falls = Falls()
        self._first_row = 0
        self._merging: Merge | None = None
        self._lock = threading.Lock()

    @classmethod
    def of(cls, series: Series, base: int, falls: Falls) -> Self:
        """A line that begins with a series, whose row k is the dataset's row `base + k`."""
        out = cls(series.x.dtype, series.y.dtype)
        out._first_row, out._falls = base, falls
        if len(series):
            out._order.append(Run.of(series, base))
        return out

    def snapshot(self) -> MergedLine:
        """The line as it is now."""
        with self._lock:
            parts = tuple(run.part for run in (*self._order, *self._late))
            if not parts:
                parts = (Run.empty(*self._types, 1, 0).part,)
            return MergedLine(parts, self._falls.last < self._first_row)

    def append(self, x: Array, y: Array, known: Mask | None, rows: Rows) -> None:
        """Add rows whose x are numbers, with ascending row numbers above all before; `known` says which y are numbers
        (None: all; floats that are not finite are none)."""
        if not len(x):
            return
        batch = Piece(x, y, known, rows)
        with self._lock:
            self._falls.add(x, rows)
            top = self._order[-1].highest if self._order else x[0]
            in_order = x >= np.maximum(np.maximum.accumulate(x), top)
            if in_order.all():
                self._add_in_order(batch)
                return
            self._add_in_order(batch.where(in_order))
            late = batch.where(~in_order)
            self._add_late(late.where(np.argsort(late.x, kind="stable")))
            self._merge_at_once()

    def forget_before(self, row: int) -> list[Piece]:
        """Rows below a number are no more; returns them."""
        gone: list[Piece] = []
        with self._lock:
            if row > self._first_row:
                self._first_row = row
                order = [run.from_row(row, gone) for run in self._order]
                late = [run.from_row(row, gone) for run in self._late]
                self._order = [run for each in order if len(each) == 1 for run in each]
                cut = [run for each in order if len(each) > 1 for run in each]  # by row number: they are not in order
                self._late = [*cut, *(run for each in late for run in each)]
        return gone

    def correct(self, rows: Rows, x: Array, y: Array, known: Mask | None, kept: Mask) -> list[Piece]:
        """Rows (by ascending number) have other values: x and y, of which only the ones that are `kept` have a number
        as x. Returns what they were."""
        new = Piece(x, y, known, rows).where(kept)
        with self._lock:
            removed: list[Piece] = []
            self._order, self._late = (
                [each for each in (run.without(rows, removed) for run in runs) if len(each)]
                for runs in (self._order, self._late)
            )
            if len(new.x):
                sorted_ = new.where(np.argsort(new.x, kind="stable"))
                self._late.append(copied([sorted_], len(new.x), self._types, int(new.rows[0])))
            if not _same_x(removed, new):
                parts = [run.part for run in (*self._order, *self._late)]
                self._falls = Falls.of(rows_of_parts(parts))
            self._merge_at_once()
        return removed

    @property
    def is_due(self) -> bool:
        """Whether `due` would give something."""
        with self._lock:
            return self._next_merge() is not None

    def due(self) -> Merge | None:
        """Runs that are to be one, and have too many rows to be merged at once; None while others are being merged.

        Nothing is added to these runs from now on."""
        with self._lock:
            found = self._next_merge()
            if found is None:
                return None
            self._merging, tokens = found, found.tokens
            self._order, self._late = (
                [run.closed() if run.token in tokens else run for run in runs] for runs in (self._order, self._late)
            )
            return found

    def put(self, merge: Merge, made: Run | None) -> None:
        """Replace the runs of a merge that is over by what was made of them (None: nothing). Nothing is replaced where
        one of them was corrected, or has vanished, meanwhile."""
        with self._lock:
            self._merging = None
            there = {run.token for run in (*self._order, *self._late)}
            if made is not None and merge.tokens <= there:
                self._swap(merge, made.from_row(self._first_row, []))

    def _swap(self, merge: Merge, made: Sequence[Run]) -> None:
        in_order = [run.token in merge.tokens for run in self._order]
        late = [run.token in merge.tokens for run in self._late]
        whole = any(in_order)
        at = (in_order if whole else late).index(True)
        self._order = [run for run, gone in zip(self._order, in_order, strict=True) if not gone]
        self._late = [run for run, gone in zip(self._late, late, strict=True) if not gone]
        if whole and len(made) == 1:
            self._order[at:at] = made
        else:
            at = 0 if whole else at
            self._late[at:at] = made

    def _add_in_order(self, piece: Piece) -> None:
        while len(piece.x):
            if not self._order or not self._order[-1].takes(piece):
                self._order.append(Run.empty(*self._types, self._room(), int(piece.rows[0])))
            room = self._order[-1].room
            self._order[-1] = self._order[-1].with_rows(piece.where(slice(room)))
            piece = piece.where(slice(room, None))

    def _add_late(self, piece: Piece) -> None:
        while len(piece.x):
            last = self._late[-1] if self._late else None
            if last is None or not last.takes(piece) or piece.x[0] < last.highest:
                capacity = min(max(4 * len(piece.x), _LATE_ROOM), _MOST)
                self._late.append(Run.empty(*self._types, capacity, int(piece.rows.min())))
            room = self._late[-1].room
            self._late[-1] = self._late[-1].with_rows(piece.where(slice(room)))
            piece = piece.where(slice(room, None))

    def _merge_at_once(self) -> None:
        found = self._plan(_AT_ONCE)
        if found is not None and found.fits:
            self._swap(found, [found.run()])

    def _plan(self, limit: int) -> Merge | None:
        """The runs to merge, at most `limit` rows, if it is time to."""
        busy = self._merging.tokens if self._merging is not None else frozenset()
        order, late = ([run for run in runs if run.token not in busy] for runs in (self._order, self._late))
        sizes = [sum(map(len, runs)) for runs in (order, late)]
        if not busy and late and order and 2 * sizes[1] >= sizes[0] and sum(sizes) <= limit:
            return Merge((*order, *late), self._types)
        total, first = 0, len(late)
        while first and (not total or len(late[first - 1]) <= 2 * total) and total + len(late[first - 1]) <= limit:
            first -= 1
            total += len(late[first])
        if len(late) - first > 1:
            return Merge(tuple(late[first:]), self._types)
        if order and not busy and _ROOM < 2 * order[0].part.start > len(order[0]) and len(order[0]) <= limit:
            return Merge((order[0],), self._types)  # most of its memory is of rows that are no more
        return None

    def _next_merge(self) -> Merge | None:
        """What is to be merged next while nothing else is."""
        found = None if self._merging is not None else self._plan(self._limit()) or self._least()
        return found if found is not None and found.fits else None

    def _least(self) -> Merge | None:
        """The two neighbouring runs of late rows to merge where there are too many of them."""
        late = self._late
        if len(late) <= _MOST_LATE:
            return None
        at = min(range(len(late) - 1), key=lambda at: len(late[at]) + len(late[at + 1]))
        return Merge(tuple(late[at : at + 2]), self._types)

    def _limit(self) -> int:
        """Rows that are merged at most: a merge holds them twice, and where rows vanish, little is to outlive them."""
        rows = sum(len(run) for run in (*self._order, *self._late))
        return max(rows // (_SHARES if self._first_row else _LARGEST), _ROOM if self._first_row else _SMALL)

    def _room(self) -> int:
        """Rows that the next series has room for."""
        rows = sum(len(run) for run in (*self._order, *self._late))
        return min(max(rows // _SHARES if self._first_row else _AHEAD * rows, _ROOM), _MOST)


def _same_x(old: Sequence[Piece], new: Piece) -> bool:
    """Whether rows have the x that they had."""
    rows = np.concatenate([np.empty(0, np.int64), *(piece.rows for piece in old)])
    if len(rows) != len(new.rows):
        return False
    x = np.concatenate([piece.x for piece in old]) if old else new.x
    order = np.argsort(rows)
    return bool((rows[order] == new.rows).all() and (x[order] == new.x).all())
