"""One type for the columns of one name in several files, as `pandas.concat` and DuckDB's `union_by_name` find one.

What is merged keeps its values; `docs/types.md` has the table. In short:

- The same type, and null with anything: that type. Extension types and run-end encoding are taken off if they differ.
- Integers: the narrowest that holds both. int64 and uint64: double, rounded to nearest, as in pandas.
- Integers and floats: the narrowest float that holds every such integer, at most double, which rounds to nearest
  beyond 2^53. Booleans are 0 and 1 among numbers.
- Decimals with decimals and integers: a decimal with room for both, double if 76 digits are too few; with floats
  double, rounded to nearest.
- Text with text or labels (dictionaries): text. With bytes: bytes, which are read as UTF-8 where they are.
- Labels that are not text: labels with labels, else what their values are.
- Dates with stamps without a zone: stamps, at midnight. Units: the finest; what it cannot hold is null.
- Stamps of two zones: the same instants in UTC. Stamps with a zone and dates or stamps without one are not merged,
  since nobody says what instants those are.
- Nothing else is merged: not text and numbers, times and numbers, or nested types that Arrow does not unify.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

from bigviz.data.columns.arrow_arrays import fixed_view, from_numpy, plain, valid_mask
from bigviz.data.columns.decimals import decimals
from bigviz.data.columns.kinds import is_bytes, is_text, nanoseconds_per_unit, storage_type

__all__ = ["as_type", "is_rounded", "merged"]

_UNITS = ("s", "ms", "us", "ns")
_MOST_DIGITS = 76
_DIGITS = {8: 3, 16: 5, 32: 10, 64: 20}
"""Decimal digits of the largest integer of so many bits; 64 bits without a sign need 20."""


def merged(types: Sequence[pa.DataType]) -> pa.DataType | None:
    """The type that holds the values of all `types`, in any order; None if there is none."""
    found = _distinct(type_ for type_ in types if not pt.is_null(storage_type(type_)))
    if len(found) < 2:
        return found[0] if found else types[0]
    found = _distinct(map(storage_type, found))
    if len(found) == 1:
        return found[0]
    values = _distinct(type_.value_type if pt.is_dictionary(type_) else type_ for type_ in found)
    if len(values) < len(found) or any(map(pt.is_dictionary, found)):
        value = merged(values)
        if value is None or is_text(value) or is_bytes(value) or not all(map(pt.is_dictionary, found)):
            return value
        return pa.dictionary(pa.int32(), value)
    for test, merge in _FAMILIES:
        if all(map(test, values)):
            return merge(values)
    return _unified(values)


def is_rounded(types: Iterable[pa.DataType], into: pa.DataType) -> bool:
    """True if some values of `types` may not be numbers of the floating type `into`, and are rounded to the nearest."""
    if not pt.is_floating(into):
        return False
    return any(
        pt.is_decimal(type_) or (pt.is_integer(type_) and type_.bit_width == 64) for type_ in map(storage_type, types)
    )


def as_type(array: pa.Array, type_: pa.DataType) -> pa.Array:
    """A validated array in the type that `merged` gave for its own and others.

    Labels that are to be text stay a dictionary, of that text. A time that the unit cannot hold becomes null.
    """
    array = array if array.type == type_ else plain(array)
    if array.type == type_:
        return array
    if pt.is_dictionary(type_):
        labels = as_type(array, type_.value_type)
        labels = labels if pt.is_dictionary(labels.type) else labels.dictionary_encode()
        indices = labels.indices.cast(type_.index_type)
        return pa.DictionaryArray.from_arrays(indices, labels.dictionary, ordered=type_.ordered)
    if pt.is_dictionary(array.type):
        if is_text(type_) or is_bytes(type_):
            return pa.DictionaryArray.from_arrays(array.indices, as_type(array.dictionary, type_))
        return as_type(array.dictionary_decode(), type_)
    if pt.is_temporal(array.type) and pt.is_temporal(type_) and not pt.is_interval(type_):
        return _in_unit(array, type_)
    if pt.is_decimal(array.type) and pt.is_floating(type_):
        numbers = np.zeros(len(array))
        decimals(array, numbers)
        return from_numpy(numbers, pa.float64(), valid_mask(array)).cast(type_)
    if pt.is_boolean(array.type) and not pt.is_integer(type_):
        array = array.cast(pa.int8())
    return array.cast(type_, safe=not pt.is_floating(type_))


def _in_unit(array: pa.Array, type_: pa.DataType) -> pa.Array:
    """Times in another unit, which is as fine or finer; zones change the type alone."""
    stored = fixed_view(array, np.dtype(np.int32 if array.type.bit_width == 32 else np.int64)).astype(np.int64)
    factor = nanoseconds_per_unit(array.type) // nanoseconds_per_unit(type_)
    valid = valid_mask(array)
    limit = (2 ** (type_.bit_width - 1) - 1) // factor
    inside = (stored >= -limit) & (stored <= limit)
    if not inside.all():
        valid = inside if valid is None else inside & valid
        stored[~inside] = 0
    return from_numpy((stored * factor).astype(np.int32 if type_.bit_width == 32 else np.int64), type_, valid)


def _distinct(types: Iterable[pa.DataType]) -> list[pa.DataType]:
    found: list[pa.DataType] = []
    for type_ in types:
        if type_ not in found:
            found.append(type_)
    return found


def _is_number(type_: pa.DataType) -> bool:
    return bool(pt.is_boolean(type_) or pt.is_integer(type_) or pt.is_floating(type_) or pt.is_decimal(type_))


def _is_day_or_stamp(type_: pa.DataType) -> bool:
    return bool(pt.is_date(type_) or pt.is_timestamp(type_))


def _merge_numbers(types: Sequence[pa.DataType]) -> pa.DataType:
    integers = [type_ for type_ in types if pt.is_integer(type_)]
    exact = [type_ for type_ in types if pt.is_decimal(type_)]
    floats = [type_ for type_ in types if pt.is_floating(type_)]
    if floats:
        # 11 bits of a half hold an int8, 24 of a float an int16.
        bits = max([type_.bit_width for type_ in floats] + [_float_bits(type_) for type_ in integers + exact])
        return {16: pa.float16(), 32: pa.float32()}.get(bits, pa.float64())
    if exact:
        return _merge_decimals(exact, integers)
    return _merge_integers(integers)


def _float_bits(type_: pa.DataType) -> int:
    return 64 if pt.is_decimal(type_) else {8: 16, 16: 32}.get(type_.bit_width, 64)


def _merge_integers(types: Sequence[pa.DataType]) -> pa.DataType:
    signed = max((type_.bit_width for type_ in types if pt.is_signed_integer(type_)), default=0)
    unsigned = max((type_.bit_width for type_ in types if pt.is_unsigned_integer(type_)), default=0)
    if not signed:
        return {8: pa.uint8(), 16: pa.uint16(), 32: pa.uint32(), 64: pa.uint64()}[unsigned]
    bits = max(signed, 2 * unsigned)
    return {8: pa.int8(), 16: pa.int16(), 32: pa.int32(), 64: pa.int64()}.get(bits, pa.float64())


def _merge_decimals(types: Sequence[pa.DataType], integers: Sequence[pa.DataType]) -> pa.DataType:
    scale = max(0, *(type_.scale for type_ in types))
    whole = [type_.precision - type_.scale for type_ in types] + [_DIGITS[type_.bit_width] for type_ in integers]
    digits = max(3, *whole) + scale  # a boolean is cast as an int8
    if digits > _MOST_DIGITS:
        return pa.float64()
    return pa.decimal128(digits, scale) if digits <= 38 else pa.decimal256(digits, scale)


def _merge_text(types: Sequence[pa.DataType]) -> pa.DataType:
    return pa.string() if all(map(pt.is_string, types)) else pa.large_string()


def _merge_bytes(types: Sequence[pa.DataType]) -> pa.DataType:
    short = all(pt.is_string(type_) or pt.is_binary(type_) or pt.is_fixed_size_binary(type_) for type_ in types)
    return pa.binary() if short else pa.large_binary()


def _merge_stamps(types: Sequence[pa.DataType]) -> pa.DataType | None:
    stamps = [type_ for type_ in types if pt.is_timestamp(type_)]
    if not stamps:
        return pa.date64()
    zones = {type_.tz for type_ in stamps}
    if zones != {None} and (None in zones or len(stamps) < len(types)):
        return None
    units = [type_.unit for type_ in stamps] + ["ms" for type_ in types if pt.is_date64(type_)]
    return pa.timestamp(_finest(units), zones.pop() if len(zones) == 1 else "UTC")


def _merge_times(types: Sequence[pa.DataType]) -> pa.DataType:
    unit = _finest(type_.unit for type_ in types)
    return pa.time32(unit) if unit in ("s", "ms") else pa.time64(unit)


def _merge_durations(types: Sequence[pa.DataType]) -> pa.DataType:
    return pa.duration(_finest(type_.unit for type_ in types))


def _finest(units: Iterable[str]) -> str:
    return max(units, key=_UNITS.index)


def _unified(types: Sequence[pa.DataType]) -> pa.DataType | None:
    """What Arrow makes of nested types whose fields can be merged by its own rules."""
    if not all(map(pt.is_nested, types)):
        return None
    try:
        schemas = [pa.schema([("column", type_)]) for type_ in types]
        return pa.unify_schemas(schemas, promote_options="permissive").field(0).type
    except (pa.ArrowException, ValueError, TypeError):
        return None


_FAMILIES = (
    (_is_number, _merge_numbers),
    (is_text, _merge_text),
    (lambda type_: is_bytes(type_) or pt.is_fixed_size_binary(type_), _merge_bytes),
    (lambda type_: is_text(type_) or is_bytes(type_), _merge_bytes),
    (_is_day_or_stamp, _merge_stamps),
    (pt.is_time, _merge_times),
    (pt.is_duration, _merge_durations),
)
"""Types that have one type for all of them, and how it is found."""
