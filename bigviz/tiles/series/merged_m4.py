"""M4 of a line in several parts, as of one series: which rows of each pixel column are drawn.

Rows of the parts lie between each other in any way. What M4 asks of a column (its first and last value, the first and
the last gap, the extremes of what lies between) each part answers for its own rows, and the first, last, lowest or
highest of the answers is the line's: a row is before another one if its x is less, or equal and its number less. So a
window costs each part a few searches a column in which it has rows, and nothing is merged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import frozen
from bigviz.tiles.series.m4 import Picks, check_blocks
from bigviz.tiles.series.minmax_search import find_parts
from bigviz.tiles.series.part import Part
from bigviz.tiles.series.series import Series
from bigviz.tiles.series.sorted_numbers import Positions

__all__ = [
    "SlotRows", "before", "extremes_between", "extremes_of", "gap_from", "gap_to", "missing_between", "pick_merged",
    "value_from", "value_to",
]  # fmt: skip

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]

_BEYOND: Final = np.iinfo(np.int64).max
_FIRST, _LOW, _HIGH, _LAST = range(4)  # of a run of a column


def pick_merged(parts: Sequence[Part], bounds: Sequence[Positions]) -> Picks:
    """What `m4.pick_rows` picks of one series of all rows, of which each part has the columns between its `bounds`.

    The picks' `positions` are row numbers. There is at least one part.
    """
    spans = [np.maximum(each, part.start) for part, each in zip(parts, bounds, strict=True)]
    slots = _Slots.of(parts, spans)
    found = extremes_of(parts, slots.low, slots.high)
    runs = slots.runs(parts, found.known)
    columns, run, rows, x, y = found.picks(slots.columns, slots.whole, runs)
    flagged = np.flatnonzero(slots.middle & found.known[2:-1:3]).astype(np.int32)
    return Picks(columns, run, rows, x, y, flagged, sum(int(span[-1] - span[0]) for span in spans))


@dataclass
class _Keys:
    """For each of some columns a row, where there is one: its x, number, part, and position there."""

    x: Array
    rows: Array
    known: Mask
    owner: Array
    at: Positions

    @classmethod
    def choose(cls, parts: Sequence[Part], positions: Sequence[Positions], valid: Sequence[Mask], last: bool) -> _Keys:
        """The first (or `last`) of the rows that the parts have for each column, at `positions` where these are
        `valid`."""
        count = len(positions[0])
        whole = np.zeros(count, np.int64)
        out = cls(
            np.zeros(count, parts[0].series.x.dtype), whole, np.zeros(count, np.bool_), whole.copy(), whole.copy()
        )
        for number, part in enumerate(parts):
            columns = np.flatnonzero(valid[number])
            if len(columns):
                out._take(number, part, columns, positions[number][columns], last)
        return out

    def _take(self, number: int, part: Part, columns: Array, positions: Positions, last: bool) -> None:
        x, rows = part.series.x.at(positions), part.numbers(positions)
        better = before(x, rows, self.x[columns], self.rows[columns]) != last
        better |= ~self.known[columns]
        columns = columns[better]
        self.x[columns], self.rows[columns], self.at[columns] = x[better], rows[better], positions[better]
        self.known[columns], self.owner[columns] = True, number

    def ranks(self, number: int, part: Part, low: Positions, high: Positions) -> tuple[Positions, Positions]:
        """Where each row stands in a part: how many positions are before it, and how many when it is counted too.

        It lies from `low` to `high`, and is taken to be `low` where there is no row."""
        own = self.known & (self.owner == number)
        first = np.where(own, self.at, low)
        asked = np.flatnonzero(self.known & ~own & (low < high))
        if len(asked):
            first[asked] = np.clip(part.rank(self.x[asked], self.rows[asked]), low[asked], high[asked])
        return first, first + own

    def before(self, other: _Keys) -> Mask:
        """Whether both rows are there, and this one is before the other."""
        return self.known & other.known & before(self.x, self.rows, other.x, other.rows)


def before(x: Array, rows: Array, other_x: Array, other_rows: Array) -> Mask:
    """Whether rows are before others: by x, equal ones by number."""
    return np.asarray((x < other_x) | ((x == other_x) & (rows < other_rows)))


@dataclass
class _Slots:
    """Up to three runs a column, and one row on each side: in each part, the positions from `low` to `high`.

    Slot 0 is the row before the window, slots 3c + 1 to 3c + 3 are the first run of column c, what lies between, and
    the last run if it is another one; the last slot is the row after the window. Where a part has no row in a slot that
    others fill, `low` and `high` are the place where these would be. `middle`: the columns with something between.
    """

    low: Positions
    high: Positions
    columns: npt.NDArray[np.int32]
    whole: Mask
    middle: Mask

    @classmethod
    def of(cls, parts: Sequence[Part], spans: Sequence[Positions]) -> _Slots:
        width = len(spans[0]) - 1
        shape = len(parts), 3 * width + 2
        columns = np.concatenate([[-1], np.repeat(np.arange(width), 3), [width]]).astype(np.int32)
        whole = np.ones(shape[1], np.bool_)
        whole[2:-1:3] = False
        out = cls(np.zeros(shape, np.int64), np.zeros(shape, np.int64), columns, whole, np.zeros(width, np.bool_))
        out._fill_sides(parts, spans)
        if any(len(part.series.gaps) for part in parts):
            out._fill_columns(parts, spans)
        else:
            for number, span in enumerate(spans):
                out.low[number, 1:-1:3], out.high[number, 1:-1:3] = span[:-1], span[1:]
        return out

    def _fill_sides(self, parts: Sequence[Part], spans: Sequence[Positions]) -> None:
        starts = [np.array([part.start]) for part in parts]
        stops = [np.array([part.stop]) for part in parts]
        left = [value_to(part, span[:1] - 1) for part, span in zip(parts, spans, strict=True)]
        right = [value_from(part, span[-1:]) for part, span in zip(parts, spans, strict=True)]
        first = _Keys.choose(parts, left, [each >= start for each, start in zip(left, starts, strict=True)], True)
        last = _Keys.choose(parts, right, [each < stop for each, stop in zip(right, stops, strict=True)], False)
        for number, (part, span) in enumerate(zip(parts, spans, strict=True)):
            self.low[number, :1], self.high[number, :1] = first.ranks(number, part, starts[number], span[:1])
            self.low[number, -1:], self.high[number, -1:] = last.ranks(number, part, span[-1:], stops[number])

    def _fill_columns(self, parts: Sequence[Part], spans: Sequence[Positions]) -> None:
        """Of columns in which there may be gaps: find the first gap after the first value, and the last one before the
        last value; what is before the one and after the other is a run, and what is between is drawn by its extremes.
        """
        lows, highs = [span[:-1] for span in spans], [span[1:] for span in spans]
        begin = [value_from(part, low) for part, low in zip(parts, lows, strict=True)]
        end = [value_to(part, high - 1) for part, high in zip(parts, highs, strict=True)]
        first = _Keys.choose(parts, begin, _each(np.less, begin, highs), False)
        last = _Keys.choose(parts, end, _each(np.greater_equal, end, lows), True)
        heads = [first.ranks(number, part, lows[number], highs[number]) for number, part in enumerate(parts)]
        tails = [last.ranks(number, part, lows[number], highs[number]) for number, part in enumerate(parts)]
        begin = [gap_from(part, head[1]) for part, head in zip(parts, heads, strict=True)]
        end = [gap_to(part, tail[0] - 1) for part, tail in zip(parts, tails, strict=True)]
        opening = _Keys.choose(parts, begin, _each(np.less, begin, highs), False)
        closing = _Keys.choose(parts, end, _each(np.greater_equal, end, lows), True)
        apart = opening.before(last)
        for number, (part, low, high) in enumerate(zip(parts, lows, highs, strict=True)):
            cut, _ = opening.ranks(number, part, low, high)
            _, join = closing.ranks(number, part, low, high)
            stop = np.where(apart, cut, tails[number][1])
            self.low[number, 1:-1:3], self.high[number, 1:-1:3] = heads[number][0], stop
            self.low[number, 3::3] = np.where(apart, join, stop)
            self.high[number, 3::3] = np.where(apart, tails[number][1], stop)
            from_, to = value_from(part, cut), value_to(part, join - 1) + 1
            some = apart & (from_ < to)
            self.low[number, 2:-1:3], self.high[number, 2:-1:3] = np.where(some, from_, cut), np.where(some, to, cut)
            self.middle |= some

    def runs(self, parts: Sequence[Part], known: Mask) -> Positions:
        """The run of each slot that is `known`: equal for neighbours between which there is no gap."""
        slots = np.flatnonzero(known)
        one, other = slots[:-1], slots[1:]
        joined = self.columns[one] != self.columns[other]
        for number, part in enumerate(parts):
            if len(part.series.gaps):
                start, stop = self.high[number, one], self.low[number, other]
                joined &= (start >= stop) | (gap_from(part, start) >= stop)
        out = np.zeros(len(known), np.int64)
        out[other] = np.cumsum(~joined)
        return out


@dataclass
class SlotRows:
    """Of each slot the first, lowest, highest and last row, as arrays of shape (4, slots), where it is `known`."""

    x: Array
    rows: Array
    y: Array
    known: Mask

    @classmethod
    def of(cls, x: np.dtype[Any], y: np.dtype[Any], slots: int) -> SlotRows:
        """So many slots without rows; `x` and `y` are the dtypes of their numbers."""
        shape = 4, slots
        return cls(np.zeros(shape, x), np.zeros(shape, np.int64), np.zeros(shape, y), np.zeros(slots, np.bool_))

    def add(self, slots: Array, x: Array, rows: Array, y: Array) -> None:
        """Take in the rows of some slots in one more part."""
        new = ~self.known[slots]
        if new.all():
            self.x[:, slots], self.rows[:, slots], self.y[:, slots], self.known[slots] = x, rows, y, True
            return
        old_x, old_rows, old_y = self.x[:, slots], self.rows[:, slots], self.y[:, slots]
        better = before(x, rows, old_x, old_rows)
        better[_LAST] = ~better[_LAST]
        better[_LOW] = (y[_LOW] < old_y[_LOW]) | ((y[_LOW] == old_y[_LOW]) & better[_LOW])
        better[_HIGH] = (y[_HIGH] > old_y[_HIGH]) | ((y[_HIGH] == old_y[_HIGH]) & better[_HIGH])
        better |= new
        self.x[:, slots] = np.where(better, x, old_x)
        self.rows[:, slots] = np.where(better, rows, old_rows)
        self.y[:, slots] = np.where(better, y, old_y)
        self.known[slots] = True

    def picks(self, columns: Array, whole: Mask, runs: Array) -> tuple[Array, Array, Array, Array, Array]:
        """Column, run, row, x and y of the rows to draw, in order, each once; of slots that are not `whole` neither the
        first nor the last."""
        slots = np.flatnonzero(self.known)
        x, rows, y = self.x[:, slots], self.rows[:, slots], self.y[:, slots]
        early = before(x[_HIGH], rows[_HIGH], x[_LOW], rows[_LOW])
        sides = np.where(early, [[_FIRST], [_HIGH], [_LOW], [_LAST]], [[_FIRST], [_LOW], [_HIGH], [_LAST]])
        kept = np.ones((len(slots), 4), np.bool_)
        kept[:, _FIRST] = kept[:, _LAST] = whole[slots]
        flat, number = kept.reshape(-1), np.take_along_axis(rows, sides, 0).T.reshape(-1)[kept.reshape(-1)]
        once = np.append(True, number[1:] != number[:-1])[: len(number)]
        at = np.flatnonzero(flat)[once]
        slot = slots[at // 4]
        xs, ys = (np.take_along_axis(each, sides, 0).T.reshape(-1)[at] for each in (x, y))
        return columns[slot], runs[slot].astype(np.int32), number[once], xs, ys


def extremes_of(parts: Sequence[Part], low: Positions, high: Positions) -> SlotRows:
    """The first, lowest, highest and last row of slots, of which part k has the positions from `low[k]` to `high[k]`,
    the first of them with a y."""
    series = parts[0].series
    out = SlotRows.of(series.x.dtype, series.y.dtype, low.shape[1])
    for number, part in enumerate(parts):
        some = np.flatnonzero(low[number] < high[number])
        if not len(some):
            continue
        ranges = np.zeros((len(some), 4), np.int64)
        ranges[:, 2], ranges[:, 3] = low[number, some], high[number, some]
        found, heights = np.empty((len(some), 4), np.int64), np.empty((len(some), 4), series.y.dtype)
        _find(part.series, ranges, found, heights)
        positions = np.stack([ranges[:, 2], found[:, 0], found[:, 1], ranges[:, 3] - 1])
        flat = positions.reshape(-1)
        out.add(some, part.series.x.at(flat).reshape(4, -1), part.numbers(flat).reshape(4, -1), heights.T)
    return out


def _find(series: Series, ranges: Array, found: Array, heights: Array) -> None:
    check_blocks(series, ranges)
    tree = series.tree
    values, places, starts = frozen(tree.values), frozen(tree.places), frozen(tree.starts)
    find_parts(frozen(series.y), values, places, starts, frozen(ranges), found, heights)


def extremes_between(part: Part, first: int, stop: int) -> tuple[Any, Any]:
    """The lowest and the highest y of positions of which the first has a y."""
    found, heights = np.empty((1, 4), np.int64), np.empty((1, 4), part.series.y.dtype)
    _find(part.series, np.array([[0, 0, first, stop]], np.int64), found, heights)
    return heights[0, 1].item(), heights[0, 2].item()


def missing_between(part: Part, first: int, stop: int) -> int:
    """How many of some positions have no y."""
    gaps = part.series.gaps
    if not len(gaps) or first >= stop:
        return 0
    rank, last = _edges_to(part, np.array([first, stop - 1])).tolist()
    sides = np.array([first] * (rank % 2), np.int64), np.array([stop] * (last % 2), np.int64)
    ends = np.concatenate([sides[0], gaps.slice(rank, last), sides[1]])
    return int((ends[1::2] - ends[0::2]).sum())


def _each(compare: Any, first: Sequence[Array], second: Sequence[Array]) -> list[Mask]:
    return [compare(one, other) for one, other in zip(first, second, strict=True)]


def _edges_to(part: Part, positions: Positions) -> Positions:
    """How many edges of gaps are at each position or before it: in a gap an odd number."""
    return part.series.gaps.first(positions + 1)


def _edge(part: Part, ranks: Positions, beyond: int) -> Positions:
    """The edges of some ranks; `beyond` where there is none."""
    gaps = part.series.gaps
    inside = (ranks >= 0) & (ranks < len(gaps))
    return np.where(inside, gaps.at(np.where(inside, ranks, 0)), beyond)


def value_from(part: Part, positions: Positions) -> Positions:
    """The first positions that are not in a gap, from each on; anything not below the part's end where none are."""
    if not len(part.series.gaps):
        return positions
    ranks = _edges_to(part, positions)
    return np.where(ranks % 2 == 1, _edge(part, ranks, _BEYOND), positions)


def value_to(part: Part, positions: Positions) -> Positions:
    """The last positions that are not in a gap, up to each; -1 or less where none are."""
    if not len(part.series.gaps):
        return positions
    ranks = _edges_to(part, positions)
    return np.where(ranks % 2 == 1, _edge(part, ranks - 1, 0) - 1, positions)


def gap_from(part: Part, positions: Positions) -> Positions:
    """The first positions that are in a gap, from each on; beyond the part's end where none are."""
    if not len(part.series.gaps):
        return np.full(len(positions), _BEYOND)
    ranks = _edges_to(part, positions)
    return np.where(ranks % 2 == 1, positions, _edge(part, ranks, _BEYOND))


def gap_to(part: Part, positions: Positions) -> Positions:
    """The last positions that are in a gap, up to each; -1 where none are."""
    if not len(part.series.gaps):
        return np.full(len(positions), -1)
    ranks = _edges_to(part, positions)
    return np.where(ranks % 2 == 1, positions, _edge(part, ranks - 1, 0) - 1)
