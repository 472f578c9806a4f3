"""The rows of a window one by one, where they are few enough to be drawn as marks.

Rows on one coordinate are one mark. They share a key, so the window is walked through as runs of equal keys: a pile of
any height costs its logarithm, and the walk ends with the first run too many. That the rows of a run are equal is known
where both axes are whole numbers in a root of at most 2^32 of them; elsewhere their numbers are looked at.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.jit import frozen, jit
from bigviz.tiles.answers.answer import Cost, microseconds
from bigviz.tiles.grid.interleave import compact
from bigviz.tiles.grid.window import Number, codes_between, within
from bigviz.tiles.morton.order import Order
from bigviz.tiles.morton.quadtree import Ranges, batches_within, positions_of
from bigviz.tiles.morton.sorted_keys import Fenced, SortedKeys, open_block, run_end
from bigviz.tiles.pyramid.layer_columns import Inputs

__all__ = ["MOST_LOOKED", "MOST_MARKS", "MOST_SORTED", "Marks", "find_marks", "keys_tell", "runs_within"]

Array = npt.NDArray[Any]
Window = tuple[Number, Number]

MOST_MARKS: Final = 50_000
MOST_LOOKED: Final = 1 << 20  # rows whose numbers a view has the time to look at: 20 ms
MOST_SORTED: Final = 1 << 18  # rows that it has the time to gather values of, or to sort
_BATCH: Final = 1 << 5  # ranges that are looked for first: few may hold more runs than are sent
_ROWS_A_RUN: Final = 4  # that are counted, per run, to tell quickly that there are too many runs


@dataclass(frozen=True)
class Marks:
    """Coordinates with rows, in Morton order.

    `x`, `y` are axis-space numbers (float32, float64, int64 or uint64), `row` (int64) the first row there, `number`
    (uint32) how many rows, `code` (int32) the category under `by`, else None; `value` what the reduction (under `by`
    the inner one) makes of them. Marks without a value are left out. `matched` counts the rows in the window.
    """

    x: Array
    y: Array
    row: Array
    number: Array
    code: Array | None
    value: Array
    matched: int
    cost: Cost = field(default_factory=Cost)

    def __len__(self) -> int:
        return len(self.x)


def find_marks(
    order: Order, inputs: Inputs, x: Window, y: Window, most: int = MOST_MARKS, cancel: Cancel = NEVER
) -> Marks | None:
    """The marks of rows in order, and of the columns in that order, in the half-open window `x` by `y` in axis space.

    None if there are more than `most`, or if finding out would mean looking at more than a million rows. Far rows are
    not among them. Raises Cancelled.
    """
    begun = time.perf_counter()
    runs = runs_within(order, x, y, most, cancel)
    if runs is None:
        return None
    low, high = runs
    rows = int((high - low).sum())
    columns = bool(inputs.reduction.columns)
    if rows == len(low) and not columns:  # as of floats nearly always: nothing is left to group
        found = _piled(order, inputs, low, high, x, y, most)
    elif rows <= (MOST_SORTED if columns else MOST_LOOKED):
        found = _grouped(order, inputs, positions_of(low, high), np.repeat(np.arange(len(low)), high - low), x, y, most)
    elif columns or not keys_tell(order):
        return None
    else:
        found, rows = _piled(order, inputs, low, high, x, y, most), len(low)
    if found is None:
        return None
    found.cost.kernel_us = microseconds(time.perf_counter() - begun)
    found.cost.rows, found.cost.bytes = rows, rows * inputs.row_bytes
    return found


def runs_within(order: Order, x: Window, y: Window, most: int, cancel: Cancel) -> tuple[Array, Array] | None:
    """First and end position of each run of equal keys in the window's codes; None for more than `most` that lie
    inside for certain, or more than twice as many in all.

    Ranges are listed last: counting the runs of whole ones, which is ten times as fast, may tell before that there are
    too many. At most so many rows wait to be listed as are counted.
    """
    across, up = codes_between(order.survey.x, *x), codes_between(order.survey.y, *y)
    if across is None or up is None:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    guard, budget = order.guard, _ROWS_A_RUN * most
    inner = (across[0] + 1, across[1] - 1, up[0] + 1, up[1] - 1)
    listed = _Runs(guard, np.array([(*across, *up), inner], np.int64), most)
    waiting: list[Ranges] = []
    rows, runs, left = 0, 0, budget
    for ranges in batches_within(guard, (*across, *up), cancel, inner, _BATCH):
        runs, left = _count_runs(guard.fenced, *_arrays(ranges), runs, left, most)
        guard.keys.check()
        if runs > most:
            return None
        waiting.append(ranges)
        rows += ranges.rows
        if rows > budget:
            if not listed.add(waiting, cancel):
                return None
            waiting, rows = [], 0
    return listed.found if listed.add(waiting, cancel) else None


class _Runs:
    """The runs of equal keys in a window, as far as they are listed; `bounds` are the window's codes and those whose
    rows lie inside for certain."""

    def __init__(self, guard: SortedKeys, bounds: Array, most: int) -> None:
        self._guard, self._bounds, self._most = guard, bounds, most
        self._low, self._high = np.empty(2 * most + 1, np.int64), np.empty(2 * most + 1, np.int64)
        self._count, self._certain = 0, 0

    @property
    def found(self) -> tuple[Array, Array]:
        """First and end position of each."""
        return self._low[: self._count], self._high[: self._count]

    def add(self, batches: Sequence[Ranges], cancel: Cancel) -> bool:
        """List those of more ranges; False once there are too many."""
        for ranges in batches:
            cancel.check()
            self._count, self._certain = _add_runs(
                self._guard.fenced, self._bounds, *_arrays(ranges), self._low, self._high, self._count, self._certain,
                self._most,
            )  # fmt: skip
            self._guard.keys.check()
            if self._certain > self._most or self._count > 2 * self._most:
                return False
        return True


def _arrays(ranges: Ranges) -> tuple[Array, Array, Array]:
    return frozen(ranges.low), frozen(ranges.high), frozen(ranges.whole)


def _grouped(
    order: Order, inputs: Inputs, positions: Array, run: Array, x: Window, y: Window, most: int
) -> Marks | None:
    """The marks of ordered rows; `run` (ascending) is the same for those of equal keys."""
    xs, ys = order.numbers(0, positions), order.numbers(1, positions)
    keep = within(xs, *x) & within(ys, *y)
    matched = int(keep.sum())
    codes = None if inputs.codes is None else inputs.codes.take(positions).astype(np.int32)
    if codes is not None:
        keep &= codes >= 0
    parts = [each[keep] for each in (positions, run, xs, ys, codes) if each is not None]
    same_run = np.diff(parts[1], prepend=-1) == 0
    many = np.zeros(int(run[-1]) + 1 if len(run) else 0, np.bool_)  # runs on several coordinates
    many[parts[1][same_run & _changes(parts[2:])]] = True
    mixed = many[parts[1]]
    if mixed.any():
        if mixed.sum() > MOST_SORTED:
            return None
        sorting = np.lexsort([each[mixed] for each in reversed(parts[1:])])
        for each in parts:
            each[mixed] = each[mixed][sorting]
    starts = np.flatnonzero(_changes(parts[1:]))
    if len(starts) > most:
        return None
    number = np.diff(starts, append=len(parts[0]))
    group = np.repeat(np.arange(len(starts), dtype=np.int32), number)
    value, filled = _values(inputs, parts[0], group, number.astype(np.uint32))
    starts = starts[filled]
    places = parts[0][starts]
    code = None if codes is None else parts[4][starts]
    row = order.row_numbers(places)
    return Marks(
        parts[2][starts], parts[3][starts], row, number[filled].astype(np.uint32), code, value[filled], matched
    )


def _piled(order: Order, inputs: Inputs, low: Array, high: Array, x: Window, y: Window, most: int) -> Marks | None:
    """The marks of runs whose rows are equal, or that have one row each, by the first row of each."""
    row = order.row_numbers(low)
    xs, ys = order.numbers(0, low), order.numbers(1, low)
    keep = within(xs, *x) & within(ys, *y)
    if keep.sum() > most:
        return None
    number = (high - low)[keep]
    value, _ = _values(inputs, low[keep], np.empty(0, np.int32), number.astype(np.uint32))
    return Marks(xs[keep], ys[keep], row[keep], number.astype(np.uint32), None, value, int(number.sum()))


def _values(inputs: Inputs, positions: Array, group: Array, number: Array) -> tuple[Array, npt.NDArray[np.bool_]]:
    """What the reduction makes of each group of ordered rows, and where that is a value; `number` counts their rows."""
    reduction = inputs.reduction.plane
    if reduction.column is None:
        value = number if reduction.traits.counts else np.ones(len(number), np.uint8)
        return value, np.ones(len(number), np.bool_)
    planes = reduction.create((1, max(len(number), 1)), inputs.dtype)
    reduction.append(planes, group, inputs.rows(positions))
    grid = reduction.finalize(planes)
    return grid.values[0, : len(number)], grid.filled[0, : len(number)]


def _changes(columns: list[Array]) -> npt.NDArray[np.bool_]:
    """Where a row differs from the one before in any column; True for the first."""
    out = np.zeros(len(columns[0]), np.bool_)
    out[:1] = True
    for column in columns:
        out[1:] |= column[1:] != column[:-1]
    return out


def keys_tell(order: Order) -> bool:
    """Whether rows of equal keys have equal numbers: on axes of whole numbers a code is at most one of them."""
    kinds = [order.numbers(which, np.empty(0, np.int64)).dtype.kind for which in (0, 1)]
    return set(kinds) <= {"i", "u"} and order.survey.x.exponent <= 32 and order.survey.y.exponent <= 32


@jit
def _count_runs(
    fenced: Fenced, lows: Array, highs: Array, whole: Array, runs: int, left: int, most: int
) -> tuple[int, int]:
    """Count the runs of equal keys of whole ranges, ten times as fast as by listing them, until they are more than
    `most` or `left` rows were looked at: the runs, `runs` of earlier ranges included, and the rows that are left."""
    for r in range(lows.size):
        if runs > most or left <= 0:
            break
        if not whole[r] or lows[r] == highs[r]:
            continue
        start, stop = lows[r], min(highs[r], lows[r] + left)
        for block in range(start >> 13, ((stop - 1) >> 13) + 1):
            open_block(fenced, block)
        changes = 0
        for at in range(start + 1, stop):
            changes += fenced.keys[at] != fenced.keys[at - 1]
        runs += 1 + changes
        left -= stop - start
    return runs, left


@jit
def _add_runs(
    fenced: Fenced,
    bounds: Array,
    lows: Array,
    highs: Array,
    whole: Array,
    low: Array,
    high: Array,
    count: int,
    certain: int,
    most: int,
) -> tuple[int, int]:
    """Append the runs of equal keys of ranges to the `count` in `low` and `high`, of which `certain` lie in the inner
    bounds, until those are more than `most` or there is no more room: both numbers."""
    x0, x1, y0, y1 = bounds[0]
    left, right, bottom, top = bounds[1]
    keys, state = fenced.keys, fenced.state
    for r in range(lows.size):
        at = lows[r]
        stop, all_sure = highs[r], whole[r]
        while at < stop:
            if count == low.size or certain > most:
                return count, certain
            if state[at >> 13] == 0:  # a call costs as much as all the rest
                open_block(fenced, at >> 13)
            key = keys[at]
            end = at + 1
            if end < stop and keys[end] == key:
                end = run_end(fenced, at, stop, np.uint64(0))
            sure = all_sure
            if not all_sure:
                column, row = np.int64(compact(key)), np.int64(compact(key >> np.uint64(1)))
                if column < x0 or column > x1 or row < y0 or row > y1:
                    at = end
                    continue
                sure = left <= column <= right and bottom <= row <= top
            low[count] = at
            high[count] = end
            count += 1
            certain += sure
            at = end
    return count, certain
