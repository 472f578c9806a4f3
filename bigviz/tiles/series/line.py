"""What a layer of a line asks of its rows, whether they are one series or the parts of one that grows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.inputs import Slices
from bigviz.common.workers import slices
from bigviz.data.columns.column import widen
from bigviz.tiles.grid.window import Number
from bigviz.tiles.series.m4 import Picks, first_from, pick_rows
from bigviz.tiles.series.merged_m4 import pick_merged
from bigviz.tiles.series.merged_rows import MergedRows, sides
from bigviz.tiles.series.part import Part
from bigviz.tiles.series.series import Series
from bigviz.tiles.series.sorted_numbers import Ascending, Positions

__all__ = ["Line", "LineBatch", "MergedLine", "OneSeries"]

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]
Bounds = Callable[[Ascending], Positions]


class LineBatch(NamedTuple):
    """Rows that follow each other: x, y, which y are numbers (None: those that are not NaN), and the row numbers of
    places among them."""

    x: Array
    y: Array
    known: Mask | None
    numbers: Callable[[Array], Array]


class Line(Protocol):
    """The rows of a line in x order, ties in file order. Safe to use from any number of threads."""

    @property
    def sorted(self) -> bool:
        """Whether x needed no sort."""

    @property
    def row_bytes(self) -> int:
        """Bytes of x and y of a row."""

    def held(self, columns: Sequence[Array]) -> Iterator[tuple[object, int]]:
        """What holds memory, and how many bytes, without arrays that are of these columns."""

    def picks(self, bounds: Bounds) -> Picks:
        """The rows that draw some columns, which `bounds` finds in ascending numbers."""

    def numbers(self, positions: Array) -> npt.NDArray[np.int64]:
        """The row numbers of picks' positions."""

    def between(self, picks: Picks) -> tuple[Slices, Slices]:
        """x and y of all rows from the first of some picks to the last."""

    def batches(self, low: Number, high: Number) -> Iterator[LineBatch]:
        """The rows whose x lies in a half-open window, in order."""


@dataclass(frozen=True)
class OneSeries:
    """A line whose rows are one series."""

    series: Series

    @property
    def sorted(self) -> bool:
        return self.series.sorted

    @property
    def row_bytes(self) -> int:
        return int(self.series.x.dtype.itemsize + self.series.y.itemsize)

    def held(self, columns: Sequence[Array]) -> Iterator[tuple[object, int]]:
        ends = zip((self.series.x.values, self.series.y), columns, strict=True)
        shared = sum(array.nbytes for array, column in ends if np.may_share_memory(array, column))
        yield self.series, self.series.nbytes - shared

    def picks(self, bounds: Bounds) -> Picks:
        return pick_rows(self.series, bounds(self.series.x))

    def numbers(self, positions: Array) -> npt.NDArray[np.int64]:
        return self.series.numbers(positions)

    def between(self, picks: Picks) -> tuple[Slices, Slices]:
        first, last = (int(edge) for edge in picks.positions[[0, -1]])
        x = _Range(lambda start, stop: (self.series.x.slice(start, stop), None), first, last + 1)
        return x, _Range(self.series.heights, first, last + 1)

    def batches(self, low: Number, high: Number) -> Iterator[LineBatch]:
        first, stop = first_from(self.series.x, low), first_from(self.series.x, high)
        for start, end in slices(max(stop - first, 0)):
            y, known = self.series.heights(first + start, first + end)
            x = self.series.x.slice(first + start, first + end)
            yield LineBatch(x, y, known, partial(self._numbers_from, first + start))

    def _numbers_from(self, first: int, places: Array) -> Array:
        return self.series.numbers(places + first)


@dataclass(frozen=True)
class MergedLine:
    """A line in one or more parts, whose rows lie between each other in any way. Positions of picks are row numbers."""

    parts: tuple[Part, ...]
    sorted: bool

    @property
    def row_bytes(self) -> int:
        series = self.parts[0].series
        return int(series.x.dtype.itemsize + series.y.itemsize)

    def held(self, columns: Sequence[Array]) -> Iterator[tuple[object, int]]:
        for part in self.parts:
            yield part.owner, part.nbytes

    def picks(self, bounds: Bounds) -> Picks:
        return pick_merged(self.parts, [bounds(part.series.x) for part in self.parts])

    def numbers(self, positions: Array) -> npt.NDArray[np.int64]:
        return positions

    def between(self, picks: Picks) -> tuple[Slices, Slices]:
        first, last = (self._ranks(picks, at) for at in (0, -1))
        ends = tuple(int(rank) + self._has(part, int(rank), picks) for part, rank in zip(self.parts, last, strict=True))
        return sides(MergedRows(self.parts, tuple(first), ends))

    def batches(self, low: Number, high: Number) -> Iterator[LineBatch]:
        first, stop = (
            tuple(max(first_from(part.series.x, edge), part.start) for part in self.parts) for edge in (low, high)
        )
        if any(start < end for start, end in zip(first, stop, strict=True)):
            for piece in MergedRows(self.parts, first, stop).pieces():
                yield LineBatch(piece.x, piece.y, piece.known, piece.rows.__getitem__)

    def _ranks(self, picks: Picks, at: int) -> list[int]:
        """Where a pick stands in each part."""
        x, rows = picks.x[[at]], picks.positions[[at]]
        return [int(part.rank(x, rows)[0]) for part in self.parts]

    def _has(self, part: Part, rank: int, picks: Picks) -> bool:
        """Whether the last pick is the row at a position of a part."""
        return rank < part.stop and bool(part.numbers(np.array([rank]))[0] == picks.positions[-1])


@dataclass(frozen=True)
class _Range:
    """A range of a series' positions, for `aggregate.line`: slices of what `read(start, stop)` gives."""

    read: Callable[[int, int], tuple[Array, Mask | None]]
    first: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.first

    def slice(self, start: int, stop: int) -> tuple[Array, Mask | None]:
        values, valid = self.read(self.first + start, min(self.first + stop, self.stop))
        return widen(values), valid
