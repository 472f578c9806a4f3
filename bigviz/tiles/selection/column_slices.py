"""The numbers of a column at selected rows, in slices: from the order where it is kept there, else gathered or read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.cancel import Cancel
from bigviz.common.jit import frozen, jit
from bigviz.common.workers import Crew
from bigviz.data.columns.column import Column, widen
from bigviz.data.dataset import Dataset
from bigviz.tiles.grid.near_runs import near_runs
from bigviz.tiles.morton.order import Order, OrderedColumn
from bigviz.tiles.morton.quadtree import positions_of
from bigviz.tiles.morton.verified_array import VerifiedArray
from bigviz.tiles.selection.chosen import Chosen, OrderedRows, parts_of, rows_of
from bigviz.tiles.selection.ranks import Load, Slice

__all__ = ["code_slices", "column_loads", "count_codes", "numbered_slices", "taken"]

Array = npt.NDArray[Any]

_SLICE: Final = 1 << 18
_MOST_KEPT: Final = 1 << 25  # numbers that are kept between the passes over them: 256 MB
_MOST_READ: Final = 1 << 24  # rows of a table whose columns are read whole


def column_loads(
    dataset: Dataset, parts: Sequence[Chosen], name: str, by: str | None, labels: tuple[str, ...], crew: Crew
) -> list[Load]:
    """What loads the numbers of a column, and the codes of the category `by` among `labels`, at the rows of parts.

    Each may be called several times. Columns that the order keeps are read where they are. Others are gathered from
    memory, or read in a pass over the source; up to 2^25 of their numbers are kept between calls, beyond that they are
    read again.
    """
    loads: list[Load] = []
    elsewhere: list[Chosen] = []
    for part in parts:
        found = _kept(part, name, by, labels) if isinstance(part, OrderedRows) else None
        if found is None or not isinstance(part, OrderedRows):
            elsewhere.append(part)
            continue
        loads += [partial(found.at, low, high) for low, high in parts_of(part.low, part.high, _SLICE)]
        if len(part.far):
            far = part.far
            loads.append(_remembered(partial(taken, dataset, name, by, far, crew.cancel)))
    if elsewhere:
        loads += _others(dataset, elsewhere, name, by, crew)
    return loads


def code_slices(
    dataset: Dataset, parts: Sequence[Chosen], by: str, labels: tuple[str, ...], crew: Crew
) -> Iterator[tuple[Array, Array, Array]]:
    """The codes of a category at the rows of parts, -1 for none, some 10^5 at a time: those at half-open ranges of an
    array."""
    elsewhere: list[Chosen] = []
    for part in parts:
        column = part.order.column(by) if isinstance(part, OrderedRows) else None
        if not isinstance(part, OrderedRows) or column is None or column.codes is None or column.labels != labels:
            elsewhere.append(part)
            continue
        for low, high in parts_of(part.low, part.high, _SLICE):
            crew.look()
            yield column.codes.ranges(low, high)
        if len(part.far):
            yield _codes_of(taken(dataset, by, None, part.far, crew.cancel))
    for load in _others(dataset, elsewhere, by, None, crew) if elsewhere else ():
        crew.look()
        yield _codes_of(load())


def _codes_of(given: Slice) -> tuple[Array, Array, Array]:
    codes = given.values if given.valid is None else np.where(given.valid, given.values, -1)
    return codes.astype(np.int8), given.low, given.high


def count_codes(codes: Array, low: Array, high: Array, counts: Array) -> None:
    """Count the codes (int8) at half-open ranges; those below 0 last."""
    _count_codes(frozen(codes), frozen(low), frozen(high), counts)


@jit
def _copy_codes(codes: Array, low: Array, high: Array, out: Array) -> None:
    at = 0
    for r in range(low.size):
        for k in range(low[r], high[r]):
            out[at] = codes[k]
            at += 1


@jit
def _count_codes(codes: Array, low: Array, high: Array, counts: Array) -> None:
    for r in range(low.size):
        for k in range(low[r], high[r]):
            counts[codes[k] if codes[k] >= 0 else counts.size - 1] += 1


@dataclass(frozen=True)
class _OfAxis:
    """The numbers of an axis in the order of a selection's rows, which are those of its column, and codes."""

    order: Order
    which: int
    codes: VerifiedArray | None

    def at(self, low: Array, high: Array) -> Slice:
        """The numbers at ranges of positions."""
        values = self.order.numbers_within(self.which, low, high)
        codes = None
        if self.codes is not None:
            codes = np.empty(len(values), np.int8)
            held, *where = self.codes.ranges(low, high)
            _copy_codes(held, frozen(where[0]), frozen(where[1]), codes)
        return Slice(values, None, codes, np.zeros(1, np.int64), np.full(1, len(values)))


@dataclass(frozen=True)
class _InOrder:
    """A column, and codes, in the order of a selection's rows."""

    values: VerifiedArray
    valid: VerifiedArray | None
    codes: VerifiedArray | None

    def at(self, low: Array, high: Array) -> Slice:
        """The numbers at ranges of positions: where they are, or a copy where they have to be widened."""
        values, *where = self.values.ranges(low, high)
        valid, codes = (None if each is None else each.ranges(low, high)[0] for each in (self.valid, self.codes))
        if values.dtype.itemsize < 8 and values.dtype != np.float32:
            positions = positions_of(*where)
            values = widen(values[positions])
            valid, codes = (None if each is None else each[positions] for each in (valid, codes))
            where = [np.zeros(1, np.int64), np.full(1, len(positions))]
        return Slice(values, valid, codes, where[0], where[1])


def _kept(part: OrderedRows, name: str, by: str | None, labels: tuple[str, ...]) -> _InOrder | _OfAxis | None:
    values = part.order.column(name)
    codes = OrderedColumn() if by is None else part.order.column(by)
    if codes is None or (by is not None and (codes.codes is None or codes.labels != labels)):
        return None
    if values is None and name in part.axes:
        return _OfAxis(part.order, part.axes.index(name), codes.codes)
    if values is None or values.values is None:
        return None
    return _InOrder(values.values, values.valid, codes.codes)


def _others(dataset: Dataset, parts: Sequence[Chosen], name: str, by: str | None, crew: Crew) -> list[Load]:
    loads = [load for _, load in numbered_slices(dataset, parts, [name] if by is None else [name, by], crew)]
    kept = sum(part.count for part in parts) <= _MOST_KEPT
    return [_remembered(load) if kept else load for load in loads]


def numbered_slices(
    dataset: Dataset, parts: Sequence[Chosen], names: Sequence[str], crew: Crew
) -> Iterator[tuple[Array, Load]]:
    """The numbers of the rows of parts, some 10^5 at a time, each time with what loads the first of the columns `names`
    (and the codes of the second) there: gathered from memory, or read in a pass over the source."""
    held = {column.info.name for column in dataset.loaded()}
    if dataset.num_rows <= _MOST_READ or held.issuperset(names):
        columns = [dataset.column(each, cancel=crew.cancel) for each in names]
        for part in parts:
            for numbers in part.row_numbers(crew.cancel):
                yield numbers, partial(_gathered, columns, numbers - dataset.first_row)
        return
    wanted = rows_of(parts, dataset.first_row, dataset.num_rows, crew.cancel)
    for numbers in _in_pieces(dataset, wanted.batches(_SLICE)):
        yield numbers, partial(_read, dataset, names, numbers, crew.cancel)


def _in_pieces(dataset: Dataset, batches: Iterator[Array]) -> Iterator[Array]:
    """Ascending numbers of rows, cut where the table's pieces end, so that each is read once."""
    starts = np.array([first + dataset.first_row for first, _ in dataset.chunks()][1:], np.int64)
    for numbers in batches:
        yield from (each for each in np.split(numbers, np.searchsorted(numbers, starts)) if len(each))


def _gathered(columns: Sequence[Column], places: Array) -> Slice:
    return _slice([column.at(places) for column in columns])


def _read(dataset: Dataset, names: Sequence[str], numbers: Array, cancel: Cancel) -> Slice:
    """Columns at ascending numbers of rows; what lies between them is read along."""
    found: list[list[tuple[Array, Array | None]]] = []
    for first, columns in dataset.read_rows(names, int(numbers[0]), int(numbers[-1]) + 1, cancel):
        cancel.check()
        here = numbers[np.searchsorted(numbers, first) : np.searchsorted(numbers, first + len(columns[0]))] - first
        found.append([column.at(here) for column in columns])
    return _slice([_joined([each[k] for each in found]) for k in range(len(names))])


def taken(dataset: Dataset, name: str, by: str | None, numbers: Array, cancel: Cancel) -> Slice:
    """Columns at a few rows that lie anywhere."""
    names = [name] if by is None else [name, by]
    parts = [_read(dataset, names, each, cancel) for each in near_runs(np.sort(numbers), _SLICE)]
    values = np.concatenate([part.values for part in parts])
    valid = [np.ones(part.rows, np.uint8) if part.valid is None else part.valid for part in parts]
    codes = None if by is None else np.concatenate([part.codes for part in parts if part.codes is not None])
    return Slice(values, np.concatenate(valid), codes, np.zeros(1, np.int64), np.full(1, len(values)))


def _joined(parts: Sequence[tuple[Array, Array | None]]) -> tuple[Array, Array | None]:
    values = np.concatenate([values for values, _ in parts])
    if all(valid is None for _, valid in parts):
        return values, None
    return values, np.concatenate([np.ones(len(v), np.bool_) if m is None else m for v, m in parts])


def _slice(columns: Sequence[tuple[Array, Array | None]]) -> Slice:
    values, valid = columns[0]
    codes = None
    if len(columns) > 1:
        codes, known = columns[1]
        codes = codes.astype(np.int32) if known is None else np.where(known, codes, -1).astype(np.int32)
    return Slice(values, valid, codes, np.zeros(1, np.int64), np.full(1, len(values)))


def _remembered(load: Load) -> Load:
    """A load that keeps what it gave."""
    held: list[Slice] = []

    def loaded() -> Slice:
        if not held:
            held.append(load())
        return held[0]

    return loaded
