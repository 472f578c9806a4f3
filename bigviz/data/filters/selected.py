"""The rows of a dataset that a filter keeps, counted, summed, and taken."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Context, Decimal
from fractions import Fraction
from math import fsum, isfinite
from typing import Any, Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from bigviz.common.bounded_repr import echoed
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import BadInput
from bigviz.common.memory import available_memory
from bigviz.common.workers import Crew
from bigviz.data.columns.arrow_arrays import bits, fixed_view, from_bools, plain
from bigviz.data.columns.column import ColumnInfo, readable_names
from bigviz.data.columns.kinds import nanoseconds_per_unit, storage_type
from bigviz.data.filters.check import check
from bigviz.data.filters.kept import Slice, slices
from bigviz.data.filters.parse import parse
from bigviz.data.filters.predicate import Predicate
from bigviz.data.filters.table import Table

__all__ = ["Elsewhere", "Selected", "asked_elsewhere", "python_value", "time_value", "where"]

_WIDE: Final = Context(prec=200)


class Selected:
    """The rows of a dataset that a filter keeps, made by `Dataset.where`. Each answer reads the columns that it needs.

    Sums and means leave out null and NaN, as reductions do. A column that is none raises `NotFound`, one of another
    type than is needed `BadInput`; files that were changed or removed raise `Unreadable`.
    """

    def __init__(self, dataset: Table, predicate: Predicate, cancel: Cancel = NEVER) -> None:
        self._dataset = dataset
        self._predicate = predicate
        self._cancel = cancel

    def __repr__(self) -> str:
        return f"<Selected: rows of {self._dataset.name!r} where {echoed(str(self._predicate))}>"

    @property
    def expression(self) -> str:
        """The filter's canonical text."""
        return str(self._predicate)

    def count(self) -> int:
        """The number of rows."""
        return sum(self._each(lambda piece: int(np.count_nonzero(piece.mask))))

    def sum(self, column: str) -> Any:
        """The sum of a column of numbers: exact of integers, booleans (the number of true ones) and decimals, of floats
        rounded once in each 2^20 rows and at the end. 0 of no rows. Of durations it is exact, a `numpy.timedelta64` in
        nanoseconds."""
        info = self._additive(column, "sum")
        total = _total([each for each, _ in self._sums(column)])
        if info.is_time:
            return time_value(int(total) * nanoseconds_per_unit(_stored(info.type)), "sum", info.type)
        return total

    def mean(self, column: str) -> Any:
        """The mean of a column of numbers as a float, None of none. Of times, it is in whole nanoseconds, rounded down:
        `numpy.datetime64` in UTC, `numpy.timedelta64`, or `datetime.time`."""
        info = self._additive(column, "mean")
        sums = self._sums(column)
        count = sum(rows for _, rows in sums)
        if not count:
            return None
        total = _total([each for each, _ in sums])
        if info.is_time:
            return time_value(int(total) * nanoseconds_per_unit(_stored(info.type)) // count, "mean", info.type)
        return total / count if isinstance(total, float) else float(Fraction(total) / count)

    def min(self, column: str) -> Any:
        """The least value of a column as a Python object, None of none. Text goes by code points, NaN is left out; time
        stamps in nanoseconds are `numpy.datetime64` in UTC."""
        return self._extreme(column, "min")

    def max(self, column: str) -> Any:
        """The greatest value of a column, as `min` gives the least."""
        return self._extreme(column, "max")

    def to_arrow(self, limit: int | None = None, columns: Sequence[str] | None = None) -> pa.Table:
        """The rows in file order, in the columns' own types: the first `limit` of them, or all; without `columns` all
        that can be read. TooLarge where memory does not hold them."""
        if limit is not None and limit < 0:
            raise BadInput("limit is a number of rows, 0 or more.", field="limit", got=limit)
        names = readable_names(self._dataset.columns()) if columns is None else list(columns)
        return self._dataset.take(self._rows(limit), names, available_memory())

    def _rows(self, limit: int | None) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The numbers of the rows, at most `limit`, which are looked for from the first on."""
        parts: list[tuple[int, np.ndarray[Any, Any]]] = []
        if limit is None:
            parts = self._each(lambda piece: (piece.start, np.flatnonzero(piece.mask) + piece.start))
            parts.sort(key=lambda part: part[0])
        else:
            missing = limit
            for start, count in self._dataset.chunks():
                if missing <= 0:
                    break
                for piece in slices(self._dataset, self._predicate, start, start + count, self._cancel):
                    rows = np.flatnonzero(piece.mask)[:missing] + piece.start
                    parts.append((piece.start, rows))
                    missing -= len(rows)
                    if missing <= 0:
                        break
        found = [rows for _, rows in parts]
        return np.concatenate([np.zeros(0, np.int64), *found]) + self._dataset.first_row

    def _each(self, answer: Callable[[Slice], Any], also: Sequence[str] = ()) -> list[Any]:
        """An answer for each slice of rows, in any order."""
        found: list[Any] = []
        lock = threading.Lock()

        def work(piece: tuple[int, int]) -> int:
            start, count = piece
            mine = [
                answer(each)
                for each in slices(self._dataset, self._predicate, start, start + count, self._cancel, also)
            ]
            with lock:
                found.extend(mine)
            return count

        Crew(cancel=self._cancel).run("filtering rows", work, self._dataset.chunks(), self._dataset.num_rows)
        return found

    def _additive(self, column: str, what: Literal["sum", "mean"]) -> ColumnInfo:
        """A column that has a sum or a mean. Raises BadInput for any other."""
        info = self._dataset.info(column)
        if not (info.is_numeric or info.kind == "duration" or (what == "mean" and info.is_time)):
            kinds = "numbers or durations" if what == "sum" else "numbers or times"
            raise BadInput(
                f"{what} needs a column of {kinds}; {echoed(column)} holds {info.holds}.", field="column", got=column
            )
        return info

    def _sums(self, column: str) -> list[tuple[int | float | Decimal, int]]:
        """The sum of each slice, and the number of its values."""
        return self._each(lambda piece: _sum(plain(piece.values[0]), piece.mask), (column,))

    def _extreme(self, column: str, which: str) -> Any:
        self._dataset.info(column)
        found = self._each(lambda piece: _min_max(plain(piece.values[0]), piece.mask), (column,))
        values = [each for each in found if each is not None]
        ends = _min_max(pa.concat_arrays(values), np.ones(2 * len(values), np.bool_)) if values else None
        return None if ends is None else python_value(ends[int(which == "max")])


Elsewhere = Callable[[Table, Predicate], "Selected | None"]
"""Gives rows that another process answers for; None for a dataset that it does not know."""

_elsewhere: ContextVar[Elsewhere | None] = ContextVar("elsewhere", default=None)


@contextmanager
def asked_elsewhere(ask: Elsewhere) -> Iterator[None]:
    """While the block runs, what is made by `Dataset.where` in this thread answers as `ask` says."""
    token = _elsewhere.set(ask)
    try:
        yield
    finally:
        _elsewhere.reset(token)


def where(dataset: Table, text: str) -> Selected:
    """What `Dataset.where` gives."""
    predicate = check(parse(text), dataset)
    ask = _elsewhere.get()
    return (ask(dataset, predicate) if ask else None) or Selected(dataset, predicate)


def _filtered(array: pa.Array, mask: Any) -> pa.Array:
    """The values of the kept rows that are there."""
    if mask.all():
        return array.drop_null()
    return array.filter(from_bools(mask)).drop_null()


def _sum(array: pa.Array, mask: Any) -> tuple[int | float | Decimal, int]:
    values = _filtered(array, mask)
    type_ = storage_type(array.type)
    if pt.is_null(type_):
        return 0, 0
    if pt.is_decimal(type_):
        total = pc.sum(values.cast(pa.decimal256(76, type_.scale))).as_py()
        return Decimal(0) if total is None else total, len(values)
    if pt.is_floating(type_):
        numbers = fixed_view(values.cast(pa.float64()), np.dtype(np.float64))
        numbers = numbers[~np.isnan(numbers)]
        return float(numbers.sum()), len(numbers)
    if pt.is_temporal(type_):
        return _whole_sum(values.view(pa.int32() if type_.bit_width == 32 else pa.int64())), len(values)
    if pt.is_boolean(type_):
        return int(bits(values.buffers()[1], values.offset, len(values)).sum()) if len(values) else 0, len(values)
    return _whole_sum(values), len(values)


def _whole_sum(values: pa.Array) -> int:
    """Exact: the upper and the lower 32 bits of each are added apart."""
    numbers = values.cast(pa.uint64() if pt.is_unsigned_integer(values.type) else pa.int64())
    integers = fixed_view(numbers, np.dtype(str(numbers.type)))
    return (int((integers >> 32).sum()) << 32) + int((integers & 0xFFFFFFFF).sum())


def _total(sums: list[int | float | Decimal]) -> int | float | Decimal:
    if any(isinstance(each, float) for each in sums):
        floats = [float(each) for each in sums]
        if all(isfinite(each) for each in floats):
            return fsum(floats)
        return float(np.sum(floats))
    if any(isinstance(each, Decimal) for each in sums):
        total = Decimal(0)
        for each in sums:
            total = _WIDE.add(total, Decimal(each))
        return total
    return sum(sums)


def _min_max(array: pa.Array, mask: Any) -> pa.Array | None:
    """The least and the greatest value, in a type that pyarrow compares; None without any."""
    values = _filtered(array, mask)
    if pt.is_dictionary(values.type):
        values = plain(values.unique().dictionary_decode()).drop_null()
    type_ = values.type
    if pt.is_null(type_):
        return None
    if pt.is_float16(type_):
        values = values.cast(pa.float32())
    elif pt.is_decimal32(type_) or pt.is_decimal64(type_):
        values = values.cast(pa.decimal128(type_.precision, type_.scale))
    elif pt.is_string_view(type_) or pt.is_binary_view(type_):
        values = values.cast(pa.large_string() if pt.is_string_view(type_) else pa.large_binary())
    if pt.is_floating(values.type):
        values = values.filter(pc.invert(pc.is_nan(values)))
    if not len(values):
        return None
    stored = values.view(pa.int64()) if pt.is_duration(values.type) else values  # pyarrow does not compare durations
    ends = pc.min_max(stored)
    return pa.array([ends["min"], ends["max"]], stored.type).cast(values.type)


def python_value(value: pa.Scalar) -> Any:
    """The value as a Python object; of stamps and durations in nanoseconds, which Python has not, as numpy's."""
    type_ = value.type
    if pt.is_timestamp(type_) and type_.unit == "ns":
        return np.datetime64(value.cast(pa.int64()).as_py(), "ns")
    if pt.is_duration(type_) and type_.unit == "ns":
        return np.timedelta64(value.cast(pa.int64()).as_py(), "ns")
    return value.as_py()


def time_value(nanoseconds: int, what: str, type_: pa.DataType) -> Any:
    """What `min`, `max`, `mean` or `sum` (`what`) of a column of times gives, from its axis number: extremes as the
    column's type has them, the others in whole nanoseconds. Raises BadInput beyond what these hold."""
    type_ = _stored(type_)
    held = type_ if what in ("min", "max") else _finest(type_)
    try:
        return python_value(pa.scalar(nanoseconds // nanoseconds_per_unit(held), held))
    except (pa.ArrowInvalid, OverflowError) as error:
        raise BadInput(f"{what}: {nanoseconds:,} nanoseconds are beyond what {held} holds.", "column") from error


def _finest(type_: pa.DataType) -> pa.DataType:
    """The type in nanoseconds of the same kind of times."""
    if pt.is_time(type_):
        return pa.time64("ns")
    if pt.is_duration(type_):
        return pa.duration("ns")
    return pa.timestamp("ns", type_.tz if pt.is_timestamp(type_) else None)


def _stored(type_: pa.DataType) -> pa.DataType:
    """The type of a column's values, without extension types and dictionaries around it."""
    found = storage_type(type_)
    return found.value_type if pt.is_dictionary(found) else found
