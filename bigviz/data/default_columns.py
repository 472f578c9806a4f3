"""Which columns to plot when nobody has said."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Literal

import numpy as np

from bigviz.common.did_you_mean import listing
from bigviz.common.errors import BigvizError, TooLarge, Unplottable, Unreadable
from bigviz.data.columns.column import Column, ColumnInfo, has_numbers
from bigviz.data.dataset import Dataset
from bigviz.data.formats.geometry import in_degrees

__all__ = ["Choice", "choose"]

Read = Callable[[], Column]

_NUMERIC = ("integer", "float", "decimal")
_LONGITUDE = frozenset({"lon", "lng", "long", "longitude"})
_LATITUDE = frozenset({"lat", "latitude"})
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|[^\W\d_]+")
_SLICE = 1 << 20
_MOST_ORDERED = 16  # columns that are looked at for an ascending order; it is mostly the first, and each is read
_MOST_EMPTY = 200  # columns without a number that are passed over


@dataclass(frozen=True)
class Choice:
    """Columns for a first look. `geographic` is True if x and y are degrees of longitude and latitude."""

    x: str
    y: str
    glyph: Literal["points", "line"]
    geographic: bool = False


def choose(dataset: Dataset) -> Choice:
    """The columns for a first look; only the few that are considered are read, and mostly only their first rows.

    In this order: numeric columns named as longitude and latitude in degrees (points); columns named x and y (points),
    coordinates of GeoParquet too, which are degrees if its reference system says so;
    the first stamp or date, or else one of the first 16 other columns if it is in ascending order, with the first
    numeric column (a line); the first two numeric columns, then any two that can be plotted (points). Names may have
    more words if both have the same ones (`pickup_lon`, `pickup_lat`). Columns without any number are passed over (200
    of them, then the next are taken as they come), unless all are: an empty table is shown as one. Columns that cannot
    be read are passed over too. Raises `Unplottable` if there are not two, or the error that kept one from being read.
    """
    candidates = _Candidates(dataset)
    choice = _first_choice(candidates)
    if choice is None and candidates.first_filled(candidates.infos) is None:
        candidates.pass_over_empty = False
        choice = _first_choice(candidates)
    if choice is not None:
        return choice
    if candidates.failure is not None:
        raise candidates.failure
    usable = [info.name for info in candidates.infos]
    filled = [info.name for info in candidates.infos if candidates.filled(info)]
    has = (listing(filled) or "none") + ("; its others are empty" if len(filled) < len(usable) else "")
    raise Unplottable(
        f"A plot needs two columns of numbers, times or labels; {dataset.name!r} has {has}.",
        field="x",
        got=usable,
    )


def _first_choice(candidates: _Candidates) -> Choice | None:
    choices = (choose_by(candidates) for choose_by in (_by_degrees, _by_letters, _as_line, _first_two))
    return next((choice for choice in choices if choice is not None), None)


class _Candidates:
    """The columns that can be plotted, with what had to be looked up about them."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        times = Counter(dataset.schema.names)
        infos = [info for info in dataset.columns() if info.plottable and times[info.name] == 1]
        # pandas writes a frame's index at the end under such a name; a real column goes first wherever it stands.
        self.infos = sorted(infos, key=lambda info: info.name.startswith("__index_level_"))
        self.numeric = [info for info in self.infos if info.kind in _NUMERIC]
        self.words = {info.name: [word.casefold() for word in _WORD.findall(info.name)] for info in self.infos}
        self.pass_over_empty = True
        self.failure: BigvizError | None = None  # the first of those that reading a column ended in
        self._filled: dict[str, bool] = {}
        self._empty = 0
        self._unreadable: set[str] = set()

    def filled(self, info: ColumnInfo) -> bool:
        """True if the column can be read and some row has a number, or none need have; the whole column is read only if
        its first million rows have none."""
        if info.name in self._unreadable:
            return False
        if not self.pass_over_empty:
            return True
        if info.name not in self._filled:
            if self._empty >= _MOST_EMPTY:
                return True
            found = self._tried(info, lambda head, column: has_numbers(head()) or has_numbers(column()))
            self._filled[info.name] = found
            self._empty += not found
        return self._filled[info.name]

    def ascends(self, info: ColumnInfo) -> bool:
        """True if each value is at least the one before it and all are numbers. Most columns are found out by their
        first rows."""
        return self._tried(info, lambda head, column: _ascends(head()) and _ascends(column()))

    def _tried(self, info: ColumnInfo, holds: Callable[[Read, Read], bool]) -> bool:
        """What `holds` says of a column, given how to read its first rows and all of it; False where that fails."""
        try:
            return holds(partial(self.dataset.head, info.name), partial(self.dataset.column, info.name))
        except (TooLarge, Unplottable, Unreadable) as error:
            self.failure = self.failure or error
            self._unreadable.add(info.name)
            return False

    def first_filled(self, infos: Iterable[ColumnInfo]) -> ColumnInfo | None:
        return next((info for info in infos if self.filled(info)), None)


def _by_degrees(candidates: _Candidates) -> Choice | None:
    def in_degrees(x: ColumnInfo, y: ColumnInfo) -> bool:
        head = candidates.dataset.head
        return _within(head(x.name), 360.0) and _within(head(y.name), 90.0)

    return _named(candidates, candidates.numeric, _LONGITUDE, _LATITUDE, in_degrees, geographic=True)


def _by_letters(candidates: _Candidates) -> Choice | None:
    infos = [info for info in candidates.infos if info.is_numeric or info.is_time]
    found = _named(candidates, infos, frozenset({"x"}), frozenset({"y"}), lambda x, y: True, geographic=False)
    if found is None:
        return None
    fields = [candidates.dataset.schema.field(name) for name in (found.x, found.y)]
    return replace(found, geographic=all(map(in_degrees, fields)))


def _as_line(candidates: _Candidates) -> Choice | None:
    stamps = [info for kind in ("timestamp", "date") for info in candidates.infos if info.kind == kind]
    x = candidates.first_filled(stamps)
    if x is None:
        others = (info for info in candidates.infos if info.kind in (*_NUMERIC, "time", "duration"))
        first = islice(others, _MOST_ORDERED)
        x = next(filter(candidates.ascends, first), None)
    if x is None:
        return None
    y = candidates.first_filled(info for info in candidates.numeric if info is not x)
    return None if y is None else Choice(x.name, y.name, "line")


def _first_two(candidates: _Candidates) -> Choice | None:
    order = candidates.numeric + [info for info in candidates.infos if info.kind not in _NUMERIC]
    x = candidates.first_filled(order)
    y = candidates.first_filled(info for info in order if info is not x)
    return None if x is None or y is None else Choice(x.name, y.name, "points")


def _named(
    candidates: _Candidates,
    infos: Sequence[ColumnInfo],
    x_words: frozenset[str],
    y_words: frozenset[str],
    fits: Callable[[ColumnInfo, ColumnInfo], bool],
    geographic: bool,
) -> Choice | None:
    """The pair whose names differ in one word only, one of `x_words` and one of `y_words`; shortest names first."""
    words = candidates.words
    partners = {rest: info for info in reversed(infos) for rest in _without(words[info.name], y_words)}
    pairs = [(rest, x, partners[rest]) for x in infos for rest in _without(words[x.name], x_words) if rest in partners]
    for _, x, y in sorted(pairs, key=lambda pair: len(pair[0])):
        if candidates.filled(x) and candidates.filled(y) and fits(x, y):
            return Choice(x.name, y.name, "points", geographic)
    return None


def _without(name: Sequence[str], words: frozenset[str]) -> list[tuple[str, ...]]:
    """A name's words with a gap in the place of one of `words`, for each such place."""
    return [(*name[:at], "", *name[at + 1 :]) for at, word in enumerate(name) if word in words]


def _within(column: Column, limit: float) -> bool:
    """True if all numbers lie between -limit and limit."""
    for start in range(0, len(column), _SLICE):
        values, _ = column.slice(start, start + _SLICE)
        finite = values[np.isfinite(values)]
        if len(finite) and not (finite.min() >= -limit and finite.max() <= limit):
            return False
    return True


def _ascends(column: Column) -> bool:
    values, valid = column.values, column.valid
    if len(values) < 2 or valid is not None or not values[0] < values[-1]:
        return False
    for start in range(0, len(values), _SLICE):
        part = values[start : start + _SLICE + 1]
        if not np.all(part[:-1] <= part[1:]):
            return False
    return True
