"""Numbers and times of rows: columns, constants, arithmetic and functions.

Integers are int64: what it cannot hold is null. Floats are float64 and follow IEEE 754, and so do decimals as soon as
they are reckoned with.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from math import inf
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from bigviz.data.columns.arrow_arrays import fixed_view, from_numpy, valid_mask
from bigviz.data.columns.column import ColumnInfo
from bigviz.data.columns.kinds import nanoseconds_per_unit, storage_type
from bigviz.data.columns.numbers import Numbers
from bigviz.data.filters.cells import Bools, Cells, PerLabels, Rows, Vector, everywhere

__all__ = [
    "CALENDAR", "ROUNDINGS", "Calendar", "Constant", "FloatFunction", "Magnitude", "Negative", "NumberColumn",
    "NumberValue", "Reckoned", "as_floats", "as_int64", "nearest",
]  # fmt: skip

_INT64: Final = np.iinfo(np.int64)
_TOP: Final = 2.0**63
_EXACT_DIGITS: Final = 15  # decimals of so many digits differ as float64 too


class NumberValue(Protocol):
    """A number or time of each row.

    `kind` is "integer", "float", "decimal", "instant" (dates and stamps), "time", "duration" or "bool"; `scale` that
    of a decimal; `zone` that of a stamp.
    """

    @property
    def kind(self) -> str: ...

    @property
    def scale(self) -> int: ...

    @property
    def zone(self) -> str | None: ...

    @property
    def sources(self) -> tuple[tuple[str, str], ...]: ...

    def vector(self, rows: Rows) -> Vector: ...

    def valid(self, rows: Rows) -> Bools | None: ...


class _Value:
    """What the values below share."""

    scale = 0
    zone: str | None = None

    def __init__(self, kind: str, sources: tuple[tuple[str, str], ...]) -> None:
        self.kind = kind
        self.sources = sources

    def vector(self, rows: Rows) -> Vector:
        raise NotImplementedError

    def valid(self, rows: Rows) -> Bools | None:
        return self.vector(rows).valid


class NumberColumn(_Value):
    """A column. Where it comes as a category, its labels are read as its own type."""

    def __init__(self, info: ColumnInfo, own: ColumnInfo, kind: str, scale: int) -> None:
        super().__init__(kind, ((info.name, _doubt(info, kind, storage_type(own.type))),))
        self.name = info.name
        self.scale = scale
        self.zone = own.zone
        self.has_axis = info.kind != "category"  # else the axis numbers are codes
        self._own = own
        self._decoded = PerLabels(self._of_labels)

    def vector(self, rows: Rows) -> Vector:
        cells = rows(self.name)
        if cells.categories is None:
            return Vector(cells.values, cells.valid, cells.step, cells.exact)
        return _gathered(cells, self._decoded(cells.categories))

    def _of_labels(self, labels: tuple[str, ...]) -> Cells:
        array = pa.array(labels, pa.string())
        try:
            array = array.cast(self._own.type)
        except pa.ArrowException:  # texts of times that are out of range, or of durations
            array = pa.nulls(len(labels), self._own.type)
        numbers = Numbers(self._own, len(array))
        numbers.add(0, array)
        column = numbers.finish().column
        return Cells(column.values, valid_mask(array) if column.valid is None else column.valid)


def _doubt(info: ColumnInfo, kind: str, type_: pa.DataType) -> str:
    """The kind of a column among `sources`: "exact" where its axis numbers tell all values and null apart."""
    if info.kind == "category" and pt.is_temporal(type_):
        return "decimal"  # never: Arrow reads back few of the texts that it writes of times
    if kind == "decimal" and type_.precision <= _EXACT_DIGITS:
        return "exact"
    if pt.is_temporal(type_):  # stamps and durations in coarser units may lie beyond int64 nanoseconds
        return "exact" if pt.is_time32(type_) or nanoseconds_per_unit(type_) == 1 else "far"
    return kind


def _gathered(cells: Cells, labels: Cells) -> Vector:
    if not len(labels.values):
        return Vector(np.zeros(len(cells.values), np.int64), np.zeros(len(cells.values), np.bool_))
    valid = everywhere(cells.valid, None if labels.valid is None else labels.valid[cells.values])
    return Vector(labels.values[cells.values], valid)


class Constant(_Value):
    """A number that is the same in every row.

    `value` is what was written, of which arithmetic takes the nearest float64 where it is no integer of 64 bits. One
    that was `reckoned` and is no integer is a float64 in comparisons too.
    """

    def __init__(self, value: int | Decimal | float) -> None:
        self.reckoned = isinstance(value, float)
        whole = isinstance(value, int) and _INT64.min <= value < 2**64
        super().__init__("integer" if whole else "float", ())
        self.value = Fraction(value)
        self._vector = Vector(np.array([value if whole else nearest(self.value)]))

    def vector(self, rows: Rows) -> Vector:
        return self._vector


def nearest(value: Fraction) -> float:
    """The float64 nearest to a number, an infinity beyond the largest."""
    try:
        return float(value)
    except OverflowError:
        return inf if value > 0 else -inf


class Reckoned(_Value):
    """Two numbers joined by one of + - * / %."""

    def __init__(self, op: str, left: NumberValue, right: NumberValue) -> None:
        whole = left.kind == right.kind == "integer" and op != "/"
        super().__init__("integer" if whole else "float", left.sources + right.sources)
        self.left, self.right = left, right
        self._join = (_WHOLE if whole else _FLOATS)[op]
        self._convert = as_int64 if whole else as_floats

    def vector(self, rows: Rows) -> Vector:
        left, right = (self._convert(each.vector(rows)) for each in (self.left, self.right))
        values, fits = self._join(left.values, right.values)
        return Vector(values, everywhere(everywhere(left.valid, right.valid), fits))


class Negative(_Value):
    """A number with its sign changed."""

    def __init__(self, of: NumberValue) -> None:
        super().__init__("integer" if of.kind == "integer" else "float", of.sources)
        self.of = of

    def vector(self, rows: Rows) -> Vector:
        if self.kind == "float":
            values, valid, *_ = as_floats(self.of.vector(rows))
            return Vector(np.negative(values), valid)
        values, valid, *_ = as_int64(self.of.vector(rows))
        return Vector(np.negative(values), everywhere(valid, _where_not(values == _INT64.min)))


class Magnitude(_Value):
    """`abs`."""

    def __init__(self, of: NumberValue) -> None:
        super().__init__("integer" if of.kind == "integer" else "float", of.sources)
        self.of = of

    def vector(self, rows: Rows) -> Vector:
        vector = self.of.vector(rows)
        if self.kind == "float":
            values, valid, *_ = as_floats(vector)
            return Vector(np.abs(values), valid)
        if vector.values.dtype.kind == "u":
            return vector
        values, valid, *_ = as_int64(vector)
        return Vector(np.abs(values), everywhere(valid, _where_not(values == _INT64.min)))


class FloatFunction(_Value):
    """A function of floats; integers stay what they are under those that round."""

    def __init__(self, function: Callable[[Any], Any], of: NumberValue, rounds: bool) -> None:
        self._kept = rounds and of.kind == "integer"
        super().__init__("integer" if self._kept else "float", of.sources)
        self.of, self._function = of, function

    def vector(self, rows: Rows) -> Vector:
        vector = self.of.vector(rows)
        if self._kept:
            return vector
        values, valid, *_ = as_floats(vector)
        return Vector(self._function(values), valid)


class Calendar(_Value):
    """A part of a date, stamp or time of day, in the zone of its column."""

    def __init__(self, part: str, of: NumberValue) -> None:
        super().__init__("integer", of.sources)
        self.of, self._part = of, CALENDAR[part]

    def vector(self, rows: Rows) -> Vector:
        vector = self.of.vector(rows)
        found = self._part(_moments(vector, self.of.kind, self.of.zone))
        return Vector(fixed_view(found, np.dtype(np.int64)), vector.valid)


_STEPS: Final = {1: "ns", 1_000: "us", 1_000_000: "ms", 1_000_000_000: "s"}
_DAY: Final = 86_400


def _moments(vector: Vector, kind: str, zone: str | None) -> pa.Array:
    """Times as an array, in their own step; dates as stamps."""
    values, step = vector.values.astype(np.int64, copy=False), vector.step
    if step not in _STEPS:
        values, step = values * _DAY, 1_000_000_000
    unit = _STEPS[step]
    if kind == "time":
        return (
            from_numpy(values * step, pa.time64("ns")) if unit in ("s", "ms") else from_numpy(values, pa.time64(unit))
        )
    return from_numpy(values, pa.timestamp(unit, zone))


def _weekday(moments: pa.Array) -> pa.Array:
    return pc.day_of_week(moments, count_from_zero=False)


CALENDAR: Final[dict[str, Callable[[pa.Array], pa.Array]]] = {
    "year": pc.year,
    "month": pc.month,
    "day": pc.day,
    "hour": pc.hour,
    "minute": pc.minute,
    "second": pc.second,
    "weekday": _weekday,
}


def _round(values: Any) -> Any:
    """Half away from zero: adding a half first would round 0.49999999999999994 up."""
    size = np.abs(values)
    whole = np.rint(size)  # half to even
    whole[size - whole == 0.5] += 1.0
    return np.copysign(whole, values)  # of -0.3 it is -0


ROUNDINGS: Final[dict[str, Callable[[Any], Any]]] = {"floor": np.floor, "ceil": np.ceil, "round": _round}


def as_floats(vector: Vector) -> Vector:
    """The numbers as float64."""
    return Vector(vector.values.astype(np.float64, copy=False), vector.valid)


def as_int64(vector: Vector) -> Vector:
    """Integers as int64; not valid where it cannot hold them."""
    values = vector.values
    if values.dtype != np.uint64:
        return Vector(values.astype(np.int64, copy=False), vector.valid)
    fits = _where_not(np.asarray(values > np.uint64(_INT64.max)))
    return Vector(values.astype(np.int64), everywhere(vector.valid, fits))


def _where_not(mask: Bools) -> Bools | None:
    return ~mask if mask.any() else None


_Joined = tuple[Any, Bools | None]
_Join = Callable[[Any, Any], _Joined]


def _add(left: Any, right: Any) -> _Joined:
    found = left + right
    return found, _where_not(((left ^ found) & (right ^ found)) < 0)


def _subtract(left: Any, right: Any) -> _Joined:
    found = left - right
    return found, _where_not(((left ^ right) & (left ^ found)) < 0)


def _multiply(left: Any, right: Any) -> _Joined:
    found = left * right
    if _largest(left) * _largest(right) <= _INT64.max:
        return found, None
    near = left.astype(np.float64) * right.astype(np.float64)
    over = np.abs(near) >= _TOP
    # Within rounding of 2^63 the product of floats does not say it: those few rows are multiplied exactly.
    close = np.flatnonzero((np.abs(near) > _TOP * 0.999) & (np.abs(near) < _TOP * 1.001))
    if len(close):
        pairs = zip(*(np.broadcast_to(each, over.shape)[close].tolist() for each in (left, right)), strict=True)
        over[close] = [not _INT64.min <= one * other <= _INT64.max for one, other in pairs]
    return found, _where_not(over)


def _largest(values: Any) -> int:
    """The greatest of the absolute values."""
    return max(abs(int(values.min())), abs(int(values.max()))) if len(values) else 0


def _remainder(left: Any, right: Any) -> _Joined:
    # By -1 nothing is left, and the processor would trap on the least integer.
    by = np.where((right == 0) | (right == -1), 1, right)
    return np.fmod(left, by), _where_not(np.broadcast_to(right == 0, np.broadcast_shapes(left.shape, right.shape)))


def _plain(function: Callable[[Any, Any], Any]) -> _Join:
    return lambda left, right: (function(left, right), None)


_WHOLE: Final[dict[str, _Join]] = {"+": _add, "-": _subtract, "*": _multiply, "%": _remainder}
_FLOATS: Final[dict[str, _Join]] = {
    "+": _plain(np.add),
    "-": _plain(np.subtract),
    "*": _plain(np.multiply),
    "/": _plain(np.divide),
    "%": _plain(np.fmod),
}
