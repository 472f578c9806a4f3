"""Columns of a line in which rows of several parts lie between each other, and rows without a y among them.

What M4 draws of such a column follows from its first and last value, the first row without a y after the one, and the
last one before the other: what is before, between and after these. Each part says of its own rows which these are, and,
once those of all are known, what is drawn of its rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.tiles.cluster.lines.part_picks import Keys
from bigviz.tiles.series.merged_m4 import SlotRows, before, extremes_of, gap_from, gap_to, value_from, value_to
from bigviz.tiles.series.part import Part
from bigviz.tiles.series.sorted_numbers import Positions

__all__ = ["added_runs", "first_gaps", "gaps_between", "runs_between"]

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]
Found = tuple[Keys, Mask]


def gaps_between(part: Part, low: Positions, high: Positions, first: Keys, last: Keys) -> tuple[Found, Found]:
    """Of columns, of which the part has positions `low` to `high`: its first row without a y after the `first` value of
    all parts, its last one before the `last` value; and where there is one."""
    begin = np.clip(part.rank(first.x, first.rows), low, high)
    end = np.clip(part.rank(last.x, last.rows), low, high)
    after, until = gap_from(part, begin), gap_to(part, end - 1)
    return _found(part, after, after < high), _found(part, until, until >= low)


def _found(part: Part, at: Positions, there: Mask) -> Found:
    keys = Keys(np.zeros(len(at), part.series.x.dtype), np.zeros(len(at), np.int64))
    some = Keys.at(part, at[there])
    keys.x[there], keys.rows[there] = some.x, some.rows
    return keys, there


def first_gaps(found: Sequence[tuple[Found, Found]], last: Keys) -> tuple[Keys, Keys, Mask]:
    """Of what `gaps_between` gave of each part: the first row without a y after the first value, the last one before
    the `last` value, and where the former is before the latter, so that there is a gap between values."""
    opening, known = _best([each for each, _ in found], False)
    closing, _ = _best([each for _, each in found], True)
    return opening, closing, known & before(opening.x, opening.rows, last.x, last.rows)


def _best(found: Sequence[Found], last: bool) -> Found:
    """The first (or `last`) key of all that there are of each column."""
    (key, known), *more = found
    best, there = Keys(key.x.copy(), key.rows.copy()), known.copy()
    for key, known in more:
        better = known & (~there | (before(key.x, key.rows, best.x, best.rows) != last))
        best.x[better], best.rows[better] = key.x[better], key.rows[better]
        there |= known
    return best, there


def runs_between(part: Part, low: Positions, high: Positions, opening: Keys, closing: Keys) -> SlotRows:
    """What a part has of columns before the gap that `opening` begins, between that and the one that ends with
    `closing`, and after that: three slots a column."""
    cut = np.clip(part.rank(opening.x, opening.rows), low, high)
    join = np.clip(part.rank(closing.x, closing.rows), low, high)
    starts = [value_from(part, each) for each in (low, cut, join)]
    stops = [cut, value_to(part, join - 1) + 1, value_to(part, high - 1) + 1]
    first, stop = (np.stack(each, axis=1).reshape(1, -1) for each in (starts, stops))
    return extremes_of([part], first, stop)


def added_runs(found: Sequence[SlotRows]) -> SlotRows:
    """The slots of all parts."""
    out, *more = found
    for each in more:
        there = np.flatnonzero(each.known)
        out.add(there, each.x[:, there], each.rows[:, there], each.y[:, there])
    return out
