"""The rows of a dataset sorted by one column, in which a span is one range, and grouped by label, in which labels are.

A sorted order keeps the row numbers (4 bytes a row) and every 256th number; what lies between is looked up in the
column. A column that ascends already needs no order at all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.axis import Axis
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import BadInput, TooLarge
from bigviz.common.workers import Crew, slices
from bigviz.data.columns.column import Column
from bigviz.tiles.brush.orders.position_ranges import Picked, PositionRanges, one_range, picked_in, whole_ranges
from bigviz.tiles.brush.orders.shapes import Labels, Shape, Span
from bigviz.tiles.brush.orders.source_order import Change, Keyless
from bigviz.tiles.grid.window import Number, float_from, integer_from
from bigviz.tiles.morton.order import MOST_ROWS
from bigviz.tiles.morton.radix_sort import sort_keys
from bigviz.tiles.series.series import sortable

__all__ = ["LabelOrder", "SpanOrder", "label_order", "span_order"]

Array = npt.NDArray[Any]

_PITCH: Final = 256
_NO_KEYS: Final = np.empty(0, np.uint64)
_STAGE: Final = "ordering rows"


class _Ranged(Keyless):
    """What is common to orders whose brushes are whole ranges: the rows in `numbers` (None: as they are)."""

    numbers: Array | None
    rows: int

    @property
    def ranged(self) -> bool:
        """True: a brush is a range."""
        return True

    @property
    def nbytes(self) -> int:
        return 0 if self.numbers is None else int(self.numbers.nbytes)

    def row_numbers(self, start: int, stop: int) -> Array:
        if self.numbers is None:
            return np.arange(start, stop, dtype=np.uint32)
        return self.numbers[start:stop]

    def rows_at(self, positions: Array) -> Array:
        return positions if self.numbers is None else self.numbers[positions]

    def picked(self, part: PositionRanges) -> Picked:
        return picked_in(part, _NO_KEYS)[0]


@dataclass(frozen=True)
class SpanOrder(_Ranged):
    """All `rows` rows by ascending number, the `known` ones first. `fences` is the number of every 256th of them."""

    axis: Axis
    numbers: Array | None
    rows: int
    known: int
    fences: Array

    @property
    def nbytes(self) -> int:
        return int(self.fences.nbytes) + super().nbytes

    def within(self, shape: Shape, cancel: Cancel = NEVER) -> Change:
        span = _span(shape)
        low, high = self._first(span.low), self._first(span.high)
        return [one_range(low, high)] if low < high else []

    def _first(self, number: Number) -> int:
        """The first position whose number is not below one."""
        dtype = self.fences.dtype
        if number == math.inf or number == -math.inf:
            return 0 if number < 0 else self.known
        if dtype.kind == "f":
            least: Any = np.float64(float_from(number))
        else:
            found, some = integer_from(number, dtype)
            if not some:
                return self.known
            least = dtype.type(found)
        if not self.known:
            return 0
        block = int(np.searchsorted(self.fences, least))
        if block == 0:
            return 0
        start, stop = (block - 1) * _PITCH, min(block * _PITCH, self.known)
        numbers, _ = self.axis.at(self.row_numbers(start, stop))
        return start + int(np.searchsorted(numbers.astype(dtype, copy=False), least))


@dataclass(frozen=True)
class LabelOrder(_Ranged):
    """All `rows` rows by the code of their label: label k from `starts[k]` to `starts[k + 1]`, and those without one
    after the last."""

    numbers: Array | None
    rows: int
    starts: Array

    def within(self, shape: Shape, cancel: Cancel = NEVER) -> Change:
        codes = _labels(shape)
        count = len(self.starts) - 1
        known = np.array(sorted(code for code in codes if 0 <= code < count), np.int64)
        low, high = self.starts[known], self.starts[known + 1]
        if -1 in codes:
            low, high = np.append(low, self.starts[-1]), np.append(high, self.rows)
        found = whole_ranges(low, high)
        return [found] if len(found.low) else []


def span_order(axis: Axis, crew: Crew) -> SpanOrder:
    """Sort the rows by one axis, ties by row number; NaN and null are left to the end. Peak memory: 24 bytes a row, of
    which 4 stay. Raises TooLarge from 2^32 - 1 rows on."""
    rows = len(axis)
    _require_few(rows)
    found = _read(axis, crew.within(_STAGE, 0.0, 0.2, rows))
    if found.ascends:
        return SpanOrder(axis, None, rows, rows, _fences(axis, np.arange(0, rows, _PITCH)))
    sorting = crew.within(_STAGE, 0.2, 1.0, rows)
    _, numbers = sort_keys(found.keys, found.numbers, found.filled, sorting)
    known = len(numbers)
    return SpanOrder(axis, np.concatenate([numbers, found.lost]), rows, known, _fences(axis, numbers[::_PITCH]))


def _fences(axis: Axis, rows: Array) -> Array:
    """Numbers of some rows, in the type that they are compared in."""
    numbers = axis.at(rows)[0]
    return numbers.astype(np.float64) if numbers.dtype.kind == "f" else numbers


def label_order(column: Column, crew: Crew) -> LabelOrder:
    """Group the rows by label, in row order within each; those without one come last. Raises TooLarge as `span_order`
    does."""
    rows, count = len(column), len(column.categories or ())
    _require_few(rows)
    codes = column.values if column.valid is None else np.where(column.valid, column.values, count)
    keys = np.where(codes < 0, count, codes).astype(np.uint64)
    sizes = np.bincount(codes.clip(0, count), minlength=count + 1)[:count] if rows else np.zeros(count, np.int64)
    _, numbers = sort_keys(keys, np.arange(rows, dtype=np.uint32), slices(rows), crew)
    return LabelOrder(numbers, rows, np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64))


class _Read(NamedTuple):
    """Words in the order of the numbers, with their rows, at the front of each slice (`filled`), and the rows without a
    number, `lost`. `ascends`: there are none of these, and the words never fall."""

    keys: Array
    numbers: Array
    filled: list[tuple[int, int]]
    lost: Array
    ascends: bool


def _read(axis: Axis, crew: Crew) -> _Read:
    rows = len(axis)
    keys, numbers = np.empty(rows, np.uint64), np.empty(rows, np.uint32)
    pieces = slices(rows)
    ends, ascend, lost = [0] * len(pieces), [True] * len(pieces), [np.empty(0, np.uint32)] * len(pieces)

    def read(k: int) -> int:
        start, stop = pieces[k]
        values, valid = axis.slice(start, stop)
        some = np.ones(len(values), np.bool_) if valid is None else valid
        if values.dtype.kind == "f":
            some = some & ~np.isnan(values)
        words, these = sortable(values), np.arange(start, stop, dtype=np.uint32)
        if not some.all():
            lost[k] = these[~some]
            words, these = words[some], these[some]
        ends[k] = start + len(words)
        keys[start : ends[k]], numbers[start : ends[k]] = words, these
        ascend[k] = bool((words[1:] >= words[:-1]).all())
        return stop - start

    crew.run("reading", read, range(len(pieces)), rows)
    filled = [(start, end) for (start, _), end in zip(pieces, ends, strict=True) if end > start]
    without = np.concatenate([np.empty(0, np.uint32), *lost])
    edges = np.array([start for start, _ in pieces[1:]], np.int64)
    ascends = not len(without) and all(ascend) and bool((keys[edges] >= keys[edges - 1]).all())
    return _Read(keys, numbers, filled, without, ascends)


def _require_few(rows: int) -> None:
    if rows >= MOST_ROWS:
        raise TooLarge(f"a brush is over fewer than {MOST_ROWS:,} rows, got {rows:,}", "dataset", rows)


def _span(shape: Shape) -> Span:
    if not isinstance(shape, Span):
        raise BadInput(f"a brush over one axis is a span, got {shape}", "brush", str(shape))
    return shape


def _labels(shape: Shape) -> frozenset[int]:
    if not isinstance(shape, Labels):
        raise BadInput(f"a brush over categories is a set of labels, got {shape}", "brush", str(shape))
    return shape.codes
