"""M4 of a line whose parts are elsewhere: what they pick, put together to the picks of one series of all rows.

A row is before another one if its x is less, or equal and its number less. Where the rows that parts have in a column
follow each other, so do their runs: the last one of a part and the first one of the next are one run, unless a row
without a y lies between them. Where rows of parts lie between each other, and no row without a y does, all of them are
one run. What is left are columns in which both do (`Joined.torn`): there each part has to be asked for the rows without
a y next to the first and the last value of all, and then for what these separate (`torn_columns.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.tiles.cluster.lines.part_picks import Keys, PartPicks
from bigviz.tiles.series.m4 import Picks
from bigviz.tiles.series.merged_m4 import SlotRows, before

__all__ = ["Joined"]

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]

_FIRST, _LOW, _HIGH, _LAST = range(4)  # of the rows of a run


@dataclass
class _Gaps:
    """Of each column (0 is what lies before the window) the first and the last row without a y, if one is `known`."""

    first: Keys
    last: Keys
    known: Mask

    @classmethod
    def of(cls, x: np.dtype[Any], columns: int) -> _Gaps:
        first, last = (Keys(np.zeros(columns, x), np.zeros(columns, np.int64)) for _ in range(2))
        return cls(first, last, np.zeros(columns, np.bool_))

    def add(self, at: Array, first: Keys, last: Keys) -> None:
        """Rows of one more part, in columns `at`."""
        new = ~self.known[at]
        earlier = new | before(first.x, first.rows, self.first.x[at], self.first.rows[at])
        later = new | before(self.last.x[at], self.last.rows[at], last.x, last.rows)
        self.first.x[at[earlier]], self.first.rows[at[earlier]] = first.x[earlier], first.rows[earlier]
        self.last.x[at[later]], self.last.rows[at[later]] = last.x[later], last.rows[later]
        self.known[at] = True

    def before(self, at: Array, key: Keys) -> Mask:
        """In which of some columns there is one before a row."""
        return np.asarray(self.known[at] & before(self.first.x[at], self.first.rows[at], key.x, key.rows))

    def after(self, at: Array, key: Keys) -> Mask:
        """In which of some columns there is one after a row."""
        return np.asarray(self.known[at] & before(key.x, key.rows, self.last.x[at], self.last.rows[at]))


class _Columns:
    """Up to three runs of each of some columns, as `merged_m4` has them: slots 3c + 1 to 3c + 3 are the first run of
    column c, what lies between, and the last run if it is another one. Slot 0 and the last one are the rows outside."""

    def __init__(self, x: np.dtype[Any], y: np.dtype[Any], width: int) -> None:
        self.width = width
        self.slots = SlotRows.of(x, y, 3 * width + 2)
        self.gaps = _Gaps.of(x, width + 2)

    def first(self, columns: Array) -> Keys:
        """The first value of each column that has one."""
        head = 3 * columns + 1
        return Keys(self.slots.x[_FIRST, head], self.slots.rows[_FIRST, head])

    def last(self, columns: Array) -> Keys:
        """The last value of each column that has one."""
        tail = 3 * columns + 3
        tail = np.where(self.slots.known[tail], tail, tail - 2)
        return Keys(self.slots.x[_LAST, tail], self.slots.rows[_LAST, tail])

    def ends(self, columns: Array) -> tuple[Keys, Keys]:
        """The first and the last row of each column, which has some."""
        known, gaps = self.slots.known[3 * columns + 1], self.gaps.known[columns + 1]
        first, last = self.first(columns), self.last(columns)
        early = ~known | self.gaps.before(columns + 1, first)
        late = ~known | self.gaps.after(columns + 1, last)
        for key, gap, better in ((first, self.gaps.first, early & gaps), (last, self.gaps.last, late & gaps)):
            at = columns[better] + 1
            key.x[better], key.rows[better] = gap.x[at], gap.rows[at]
        return first, last

    @classmethod
    def of(cls, part: PartPicks, inside: Array, width: int) -> _Columns:
        """Those of a part: `inside` are the numbers of its columns among the `width` columns of the window."""
        picks, out = part.picks, cls(part.picks.x.dtype, part.picks.y.dtype, len(inside))
        own, gaps = (
            np.where(each < 0, -1, np.where(each < width, np.searchsorted(inside, each), len(inside)))
            for each in (picks.columns, part.gaps)
        )
        slots, which = _slots_of(own, picks.runs, picks.y, len(inside))
        if len(slots):
            out.slots.add(slots, picks.x[which], picks.positions[which], picks.y[which])
        if len(gaps):
            out.gaps.add(gaps + 1, part.first, part.last)
        return out

    def move(self, columns: Array, source: int, target: int) -> None:
        """Add the rows of a run of columns to another run of theirs, and take them from it."""
        columns = columns[self.slots.known[3 * columns + source]]
        self.put(columns, self, columns, source, target)
        self.slots.known[3 * columns + source] = False

    def put(self, columns: Array, other: _Columns, theirs: Array, source: int, target: int) -> None:
        """Add the rows of run `source` of another's columns, where these have some, to run `target` of `columns`."""
        there = other.slots.known[3 * theirs + source]
        slots = 3 * theirs[there] + source
        if len(slots):
            found = other.slots
            self.slots.add(3 * columns[there] + target, found.x[:, slots], found.rows[:, slots], found.y[:, slots])


class Joined:
    """The picks of a line, of which each part has told what it picks of the same columns. `parts` are not empty, and
    `width` is the number of columns."""

    def __init__(self, parts: Sequence[PartPicks], width: int) -> None:
        self._types = parts[0].picks.x.dtype, parts[0].picks.y.dtype
        self._all = _Columns(*self._types, width)
        self._mixed, self._seen = np.zeros(width, np.bool_), np.zeros(width, np.bool_)
        self._rows = sum(part.picks.rows for part in parts)
        for part in sorted(parts, key=_first_key):
            there = part.picks.columns
            there = np.sort(np.concatenate([there, part.gaps])) if len(part.gaps) else there
            there = there[np.append(True, there[1:] != there[:-1])[: len(there)]].astype(np.int64)
            inside = there[(there >= 0) & (there < width)]
            columns = _Columns.of(part, inside, width)
            self._append(columns, inside)
            self._add_sides(columns)
        slots = self._all.slots
        for slot, side in ((0, _LAST), (-1, _FIRST)):  # one row is next to the window
            for rows in (slots.x, slots.rows, slots.y):
                rows[:, slot] = rows[side, slot]

    @property
    def torn(self) -> Array:
        """The columns in which the rows of parts lie between each other, and there may be gaps in addition."""
        at = np.flatnonzero(self._mixed & self._all.slots.known[1:-1:3])
        inside = self._all.gaps.before(at + 1, self._all.last(at)) & self._all.gaps.after(at + 1, self._all.first(at))
        return at[inside]

    def ends(self, columns: Array) -> tuple[Keys, Keys]:
        """The first and the last value of columns."""
        return self._all.first(columns), self._all.last(columns)

    def tear(self, columns: Array, runs: SlotRows) -> None:
        """The runs of torn columns, three slots each."""
        slots = (3 * columns[:, np.newaxis] + [1, 2, 3]).reshape(-1)
        self._all.slots.known[slots] = False
        there = np.flatnonzero(runs.known)
        self._all.slots.add(slots[there], runs.x[:, there], runs.rows[:, there], runs.y[:, there])

    def picks(self) -> Picks:
        """The rows to draw."""
        width = self._all.width
        columns = np.concatenate([[-1], np.repeat(np.arange(width), 3), [width]]).astype(np.int32)
        whole = np.ones(len(columns), np.bool_)
        whole[2:-1:3] = False
        slots = self._all.slots
        column, run, rows, x, y = slots.picks(columns, whole, self._runs(columns))
        flagged = np.flatnonzero(slots.known[2:-1:3]).astype(np.int32)
        return Picks(column, run, rows, x, y, flagged, self._rows)

    def _append(self, part: _Columns, columns: Array) -> None:
        """Take in a part, whose columns are these, and none of whose rows is before the first one of parts that were
        taken in."""
        own = np.arange(len(columns))
        _, last = self._all.ends(columns)
        first, _ = part.ends(own)
        follows = ~self._seen[columns] | (~self._mixed[columns] & before(last.x, last.rows, first.x, first.rows))
        self._follow(part, columns[follows], own[follows])
        if not follows.all():
            self._mix(part, columns[~follows], own[~follows])
        gaps = part.gaps.known[1:-1]
        self._add_gaps(part, columns[gaps] + 1, own[gaps] + 1)
        self._seen[columns] = True

    def _follow(self, part: _Columns, columns: Array, own: Array) -> None:
        """Put a part's runs of columns (its `own` numbers of them) after those that there are."""
        here, slots = self._all, self._all.slots
        there = slots.known[3 * columns + 1] & part.slots.known[3 * own + 1]
        for source in (1, 2, 3):
            here.put(columns[~there], part, own[~there], source, source)
        columns, own = columns[there], own[there]
        if not len(columns):
            return
        gap = here.gaps.after(columns + 1, here.last(columns)) | part.gaps.before(own + 1, part.first(own))
        several, more = slots.known[3 * columns + 3], part.slots.known[3 * own + 3]
        here.move(columns[several & (gap | more)], 3, 2)
        target = np.where(several | gap, 3, 1)  # of the part's first run
        target = np.where(more & (gap | several), 2, target)
        for which in (1, 2, 3):
            here.put(columns[target == which], part, own[target == which], 1, which)
        for source in (2, 3):
            here.put(columns, part, own, source, source)

    def _mix(self, part: _Columns, columns: Array, own: Array) -> None:
        """Make one run of all that there is in columns, and of a part's."""
        for source in (2, 3):
            self._all.move(columns, source, 1)
        for source in (1, 2, 3):
            self._all.put(columns, part, own, source, 1)
        self._mixed[columns] = True

    def _add_sides(self, part: _Columns) -> None:
        """Take in what a part has outside the window."""
        for slot in (0, -1):
            if part.slots.known[slot]:
                at, slots = np.array([slot]), part.slots
                self._all.slots.add(at, slots.x[:, at], slots.rows[:, at], slots.y[:, at])
            if part.gaps.known[slot]:
                self._add_gaps(part, np.array([slot]), np.array([slot]))

    def _add_gaps(self, part: _Columns, at: Array, own: Array) -> None:
        if len(at):
            first, last = (Keys(each.x[own], each.rows[own]) for each in (part.gaps.first, part.gaps.last))
            self._all.gaps.add(at, first, last)

    def _runs(self, columns: Array) -> Array:
        """The run of each slot that has rows: equal for neighbours between which there is no gap."""
        slots, gaps = self._all.slots, self._all.gaps
        there = np.flatnonzero(slots.known)
        one, other = there[:-1], there[1:]
        start, stop = columns[one] + 1, columns[other] + 1
        last, first = (Keys(slots.x[end, at], slots.rows[end, at]) for end, at in ((_LAST, one), (_FIRST, other)))
        empty = gaps.known.copy()  # columns of gaps alone
        empty[columns[there] + 1] = False
        passed = np.append(0, np.cumsum(empty))
        gap = gaps.after(start, last) | gaps.before(stop, first) | (passed[stop] > passed[start + 1])
        out = np.zeros(len(columns), np.int64)
        out[other] = np.cumsum((start == stop) | gap)
        return out


def _first_key(part: PartPicks) -> tuple[Any, int]:
    """What the parts are ordered by: the first row that is told of."""
    picks = part.picks
    keys = [(picks.x[0].item(), int(picks.positions[0]))] if len(picks.x) else []
    keys += [(part.first.x[0].item(), int(part.first.rows[0]))] if len(part.gaps) else []
    return min(keys, default=(0, 0))


def _slots_of(columns: Array, runs: Array, y: Array, width: int) -> tuple[Array, Array]:
    """The slots that picks of one part fill, and which of them is the first, lowest, highest and last row of each."""
    if not len(columns):
        return np.empty(0, np.int64), np.empty((4, 0), np.int64)
    starts = np.flatnonzero(np.append(True, (columns[1:] != columns[:-1]) | (runs[1:] != runs[:-1])))
    stops = np.append(starts[1:], len(columns))
    group = np.repeat(np.arange(len(starts)), stops - starts)
    extremes = [np.minimum.reduceat(y, starts), np.maximum.reduceat(y, starts)]
    low, high = (_first_of_each(np.flatnonzero(y == each[group]), group) for each in extremes)
    column = columns[starts].astype(np.int64)
    changes = column[1:] != column[:-1]
    turn = np.where(np.append(True, changes), 1, np.where(np.append(changes, True), 3, 2))
    slots = np.where(column < 0, 0, np.where(column < width, 3 * column + turn, 3 * width + 1))
    return slots, np.stack([starts, low, high, stops - 1])


def _first_of_each(found: Array, group: Array) -> Array:
    """The first of ascending places in each group, which has some."""
    groups = group[found]
    return np.asarray(found[np.append(True, groups[1:] != groups[:-1])])
