"""The first of selected rows by a column, without sorting the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from bigviz.common.cancel import Cancel
from bigviz.common.errors import naming
from bigviz.common.workers import Crew
from bigviz.data.columns.column import widen
from bigviz.data.dataset import Dataset
from bigviz.tiles.morton.order import OrderedColumn
from bigviz.tiles.morton.quadtree import positions_of
from bigviz.tiles.selection.chosen import PART, Chosen, OrderedRows, parts_of
from bigviz.tiles.selection.column_slices import numbered_slices, taken
from bigviz.tiles.selection.ranks import Slice
from bigviz.tiles.selection.sort_keys import keys_of

__all__ = ["FirstRows", "check_order", "first_rows"]

Array = npt.NDArray[Any]


class FirstRows(NamedTuple):
    """Row numbers (int64), the first one first, their `positions` in the order of the only part, -1 for those that have
    none there, and the `keys` (uint64, ascending) of the rows that have a number, which come first."""

    numbers: npt.NDArray[np.int64]
    positions: npt.NDArray[np.int64]
    keys: npt.NDArray[np.uint64]


def check_order(dataset: Dataset, name: str) -> None:
    """Raise NotFound or Unplottable, which name the field, for a column by which no rows are ordered."""
    with naming("order_by"):
        dataset.info(name)


def first_rows(
    dataset: Dataset, parts: Sequence[Chosen], name: str, limit: int, descending: bool, crew: Crew
) -> FirstRows:
    """The `limit` rows of parts with the least numbers of a column, or the greatest.

    Numbers are those of an axis (decimals as float64), labels are in the order of code points. Ties are in file order;
    rows without a number (null, NaN, times out of range) come last. A column that the order keeps is read there, any
    other as statistics read it. Raises what reading does, and Cancelled.
    """
    best = _Best(limit)
    for batch in _batches(dataset, parts, name, crew):
        crew.look()
        keys = _keys(batch.values)
        best.add(~keys if descending else keys, _missing(batch), batch.places)
    return best.rows()


class _Batch(NamedTuple):
    """Some rows: the numbers of a column, where they are valid (None: everywhere), and what gives the row numbers and
    positions of some of them."""

    values: Array
    valid: Array | None
    places: Callable[[Array], tuple[Array, Array]]


def _batches(dataset: Dataset, parts: Sequence[Chosen], name: str, crew: Crew) -> Iterator[_Batch]:
    elsewhere: list[Chosen] = []
    for part in parts:
        read = _reader(dataset, part, name, crew.cancel) if isinstance(part, OrderedRows) else None
        if read is None or not isinstance(part, OrderedRows):
            elsewhere.append(part)
            continue
        for low, high in parts_of(part.low, part.high, PART):
            positions = positions_of(low, high)
            yield _Batch(*read(positions), partial(_ordered, part, positions))
        if len(part.far):
            numbers = np.sort(part.far)
            yield _read(dataset, name, numbers, taken(dataset, name, None, numbers, crew.cancel), crew.cancel)
    for numbers, load in numbered_slices(dataset, elsewhere, [name], crew) if elsewhere else ():
        yield _read(dataset, name, numbers, load(), crew.cancel)


def _read(dataset: Dataset, name: str, numbers: Array, given: Slice, cancel: Cancel) -> _Batch:
    """Rows that were read by their numbers."""
    return _Batch(*_ranked(dataset, name, None, given.values, given.valid, cancel), partial(_loose, numbers))


def _reader(
    dataset: Dataset, part: OrderedRows, name: str, cancel: Cancel
) -> Callable[[Array], tuple[Array, Array | None]] | None:
    """What gives a column's numbers at positions of an order, and where they are valid; None for one that is not
    there."""
    column = part.order.column(name)
    if column is not None:
        return partial(_kept, dataset, name, column, cancel)
    if name in part.axes and dataset.info(name).kind != "category":
        which = part.axes.index(name)
        return lambda positions: (part.order.numbers(which, positions), None)
    return None


def _kept(
    dataset: Dataset, name: str, column: OrderedColumn, cancel: Cancel, positions: Array
) -> tuple[Array, Array | None]:
    if column.codes is not None:
        codes = column.codes.take(positions).astype(np.int32)
        return _ranked(dataset, name, column.labels, np.maximum(codes, 0), codes >= 0, cancel)
    assert column.values is not None
    valid = None if column.valid is None else column.valid.take(positions).view(np.bool_)
    return widen(column.values.take(positions)), valid


def _ranked(
    dataset: Dataset, name: str, labels: tuple[str, ...] | None, values: Array, valid: Array | None, cancel: Cancel
) -> tuple[Array, Array | None]:
    """Numbers as they are, and codes as the places of their labels in order: labels that came later are last."""
    if dataset.info(name).kind != "category":
        return values, valid
    known = dataset.labels(name, cancel) if labels is None else labels
    ranks = np.empty(len(known), np.int64)
    ranks[np.array(sorted(range(len(known)), key=known.__getitem__), np.int64)] = np.arange(len(known))
    return ranks[values] if len(known) else np.zeros(len(values), np.int64), valid


def _ordered(part: OrderedRows, positions: Array, at: Array) -> tuple[Array, Array]:
    return part.order.row_numbers(positions[at]), positions[at]


def _loose(numbers: Array, at: Array) -> tuple[Array, Array]:
    return numbers[at], np.full(len(at), -1, np.int64)


def _missing(batch: _Batch) -> Array | None:
    """Where there is no number; None: nowhere."""
    missing = None if batch.valid is None else ~batch.valid.astype(np.bool_)
    if batch.values.dtype.kind == "f":
        nan = np.isnan(batch.values)
        missing = nan if missing is None else missing | nan
    return None if missing is None or not missing.any() else missing


def _keys(values: Array) -> npt.NDArray[np.uint64]:
    """Numbers (float32, float64, int64 or uint64) as uint64 in their order; -0 is 0."""
    return keys_of(values.astype(np.float64) + 0.0 if values.dtype.kind == "f" else values)


@dataclass
class _Best:
    """The first rows so far: those with numbers by key, then by row number, and those without."""

    limit: int
    keys: Array = field(default_factory=lambda: np.empty(0, np.uint64))
    numbers: Array = field(default_factory=lambda: np.empty(0, np.int64))
    positions: Array = field(default_factory=lambda: np.empty(0, np.int64))
    lacking: tuple[Array, Array] = field(default_factory=lambda: (np.empty(0, np.int64), np.empty(0, np.int64)))

    def add(self, keys: Array, missing: Array | None, places: Callable[[Array], tuple[Array, Array]]) -> None:
        """Add rows, of which `places` gives numbers and positions."""
        at = np.arange(len(keys)) if missing is None else np.flatnonzero(~missing)
        if len(self.keys) == self.limit:
            at = at[keys[at] <= self.keys[-1]] if self.limit else at[:0]
        at, numbers, positions = self._cut(at, keys, places)
        merged = np.append(self.keys, keys[at]), np.append(self.numbers, numbers), np.append(self.positions, positions)
        first = np.lexsort((merged[1], merged[0]))[: self.limit]
        self.keys, self.numbers, self.positions = (each[first] for each in merged)
        if missing is not None and len(self.keys) < self.limit:
            more = places(np.flatnonzero(missing))
            numbers, positions = (np.append(*each) for each in zip(self.lacking, more, strict=True))
            first = np.argsort(numbers, kind="stable")[: self.limit]
            self.lacking = numbers[first], positions[first]

    def _cut(
        self, at: Array, keys: Array, places: Callable[[Array], tuple[Array, Array]]
    ) -> tuple[Array, Array, Array]:
        """Of rows given by their places in a batch those that may be among the first, with numbers and positions."""
        if len(at) <= self.limit:
            return at, *places(at)
        last = np.partition(keys[at], self.limit - 1)[self.limit - 1]
        below, ties = at[keys[at] < last], at[keys[at] == last]
        numbers, positions = places(ties)
        needed = self.limit - len(below)
        if len(ties) > needed:
            some = np.argpartition(numbers, needed - 1)[:needed]
            ties, numbers, positions = ties[some], numbers[some], positions[some]
        also = places(below)
        return np.append(below, ties), np.append(also[0], numbers), np.append(also[1], positions)

    def rows(self) -> FirstRows:
        """The first rows; those without a number last."""
        left = self.limit - len(self.keys)
        numbers, positions = (each[:left] for each in self.lacking)
        return FirstRows(np.append(self.numbers, numbers), np.append(self.positions, positions), self.keys)
