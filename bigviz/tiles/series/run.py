"""A sorted run of a line's rows, which more can be added to while there is room, and several of them made into one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.cancel import NEVER
from bigviz.tiles.morton.order import MOST_ROWS
from bigviz.tiles.series.growing_series import GrowingSeries
from bigviz.tiles.series.merged_rows import MergedRows, Piece, rows_of_parts
from bigviz.tiles.series.part import Part
from bigviz.tiles.series.series import Series

__all__ = ["Merge", "Run", "copied"]

Array = npt.NDArray[Any]
Rows = npt.NDArray[np.int64]
Types = tuple[np.dtype[Any], np.dtype[Any]]

_EATEN: Final = 1 << 18  # rows that are filtered whenever some of them vanish: some milliseconds


@dataclass(frozen=True)
class Run:
    """Rows in x order: `part`. More can be added to `growing`, if it is not None. `ordered`: row numbers ascend too.
    Of those from `lowest` to `highest_row` it has some. `token` is the run's as long as no row of it is corrected."""

    part: Part
    growing: GrowingSeries | None
    ordered: bool
    lowest: int
    highest_row: int
    token: object = field(default_factory=object)

    @staticmethod
    def of(series: Series, base: int) -> Run:
        """The rows of a series that does not grow."""
        rows = series.rows
        ordered = rows is None or bool((rows[1:] > rows[:-1]).all())
        last = base + (len(series) - 1 if rows is None else int(rows.max()))
        return Run(Part(series, base, 0, series, series.nbytes), None, ordered, base, last)

    @staticmethod
    def empty(x: np.dtype[Any], y: np.dtype[Any], capacity: int, base: int) -> Run:
        """A run with room; `base` is not above the number of any row to come."""
        growing = GrowingSeries(x, y, capacity)
        return Run(Part(growing.series(True), base, 0, growing, 0), growing, True, base, base - 1)

    def __len__(self) -> int:
        return len(self.part)

    @property
    def room(self) -> int:
        """How many rows can be added."""
        return 0 if self.growing is None else self.growing.room

    @property
    def highest(self) -> Any:
        """The x of the last row."""
        return self.part.x_of(self.part.stop - 1)

    def takes(self, piece: Piece) -> bool:
        """Whether there is room for rows with such numbers."""
        return self.room > 0 and int(piece.rows.max()) - self.part.base < MOST_ROWS

    def with_rows(self, piece: Piece) -> Run:
        """The same with more rows, all after the last one, which there is room for."""
        growing, base = self.growing, self.part.base
        assert growing is not None
        local = piece.rows - base
        follows = self.part.series.rows is None and bool((local == growing.size + np.arange(len(local))).all())
        growing.append(piece.x, piece.y, piece.known, None if follows else local.astype(np.uint32))
        last = int(piece.rows.max(initial=self.highest_row))
        ascends = follows or bool((np.diff(piece.rows, prepend=self.highest_row) > 0).all())
        part = Part(growing.series(True), base, self.part.start, growing, growing.nbytes)
        return replace(self, part=part, ordered=self.ordered and ascends, highest_row=last)

    def closed(self) -> Run:
        """The same, but nothing can be added."""
        return replace(self, growing=None)

    def from_row(self, row: int, gone: list[Piece]) -> list[Run]:
        """What is left of the run when rows below a number are gone: one run mostly. Those rows go to `gone`.

        A large run whose numbers do not ascend is cut in halves by them, as long as the older half is large: so the
        next time few rows have to be looked at.
        """
        if row <= self.lowest:
            return [self]
        if self.ordered:
            at = _position_of(self.part, row)
            gone += MergedRows([self.part], (self.part.start,), (at,)).pieces()
            left = replace(self, part=replace(self.part, start=at), lowest=row)
            return [left] if len(left) else []
        if self.highest_row < row:
            gone += rows_of_parts([self.part])
            return []
        gone += (piece.where(piece.rows < row) for piece in rows_of_parts([self.part]))
        edges = [self.highest_row + 1]
        while edges[0] - row > _EATEN:
            edges.insert(0, (row + edges[0]) // 2)
        oldest, *newer = self._cut([row, *edges])
        return [run for run in (replace(oldest, token=self.token), *newer) if len(run)]

    def _cut(self, edges: Sequence[int]) -> list[Run]:
        """Copies of the rows with the numbers from each edge to the next."""
        counts = np.zeros(len(edges) + 1, np.int64)
        for piece in rows_of_parts([self.part]):
            counts += np.bincount(np.searchsorted(edges, piece.rows, "right"), minlength=len(counts))
        ends = list(pairwise(edges))
        made = [
            Run.empty(*self._types, max(int(count), 1), first)
            for (first, _), count in zip(ends, counts[1:], strict=False)
        ]
        for piece in rows_of_parts([self.part]):
            for at, (first, stop) in enumerate(ends):
                made[at] = made[at].with_rows(piece.where((piece.rows >= first) & (piece.rows < stop)))
        return [replace(run.closed(), highest_row=stop - 1) for run, (_, stop) in zip(made, ends, strict=True)]

    def without(self, rows: Rows, removed: list[Piece]) -> Run:
        """The rows whose numbers are not among some, which go to `removed`."""
        inside = rows[np.searchsorted(rows, self.lowest) : np.searchsorted(rows, self.highest_row, "right")]
        if not len(inside):
            return self
        found = [piece.where(np.isin(piece.rows, inside)) for piece in rows_of_parts([self.part])]
        gone = [piece for piece in found if len(piece.x)]
        if not gone:
            return self
        removed += gone
        kept = (piece.where(~np.isin(piece.rows, inside)) for piece in rows_of_parts([self.part]))
        return copied(kept, len(self), self._types, self.lowest).closed()

    @property
    def _types(self) -> Types:
        return self.part.series.x.dtype, self.part.series.y.dtype


@dataclass(frozen=True)
class Merge:
    """Runs that one is to be made of."""

    runs: tuple[Run, ...]
    types: Types

    @property
    def tokens(self) -> frozenset[object]:
        """The tokens of the runs."""
        return frozenset(run.token for run in self.runs)

    @property
    def fits(self) -> bool:
        """Whether the row numbers of one run hold those of all."""
        return max(run.highest_row for run in self.runs) - min(run.lowest for run in self.runs) < MOST_ROWS

    def run(self, look: Callable[[], None] = NEVER.check) -> Run:
        """The run of all their rows. Calls `look`, which may wait or raise, before each piece of 2^18 rows."""

        def pieces() -> Iterable[Piece]:
            for piece in rows_of_parts([run.part for run in self.runs]):
                look()
                yield piece

        return copied(pieces(), sum(map(len, self.runs)), self.types, min(run.lowest for run in self.runs))


def copied(pieces: Iterable[Piece], rows: int, types: Types, lowest: int) -> Run:
    """A run of at most so many rows, which come in order, and of which none has a lower number than `lowest`."""
    run = Run.empty(*types, max(rows, 1), lowest)
    for piece in pieces:
        run = run.with_rows(piece)
    return run


def _position_of(part: Part, row: int) -> int:
    """The first position whose row number is not below one; numbers ascend."""
    rows = part.series.rows
    local = row - part.base
    if rows is None:
        return min(max(local, part.start), part.stop)
    return max(int(np.searchsorted(rows, min(max(local, 0), MOST_ROWS))), part.start)
