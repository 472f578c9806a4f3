"""What each Arrow type is on an axis."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.types as pt

from bigviz.data.columns.column import ColumnInfo, Kind, Unusable

__all__ = ["describe", "has_labels", "is_bytes", "is_text", "kind_of", "nanoseconds_per_unit", "storage_type"]

_MOST_DIGITS = {32: 9, 64: 18, 128: 38, 256: 76}
"""Arrow neither prints nor converts decimals whose scale is beyond the digits of their width; only damaged files have
them."""
_SIMPLE: tuple[tuple[object, Kind], ...] = (
    (pt.is_boolean, "bool"),
    (pt.is_integer, "integer"),
    (pt.is_floating, "float"),
    (pt.is_null, "float"),
    (lambda type_: pt.is_decimal(type_) and abs(type_.scale) <= _MOST_DIGITS[type_.bit_width], "decimal"),
    (pt.is_date, "date"),
    (pt.is_time, "time"),
    (pt.is_timestamp, "timestamp"),
    (pt.is_duration, "duration"),
)


def is_text(type_: pa.DataType) -> bool:
    """Whether it is text, of any width."""
    return bool(pt.is_string(type_) or pt.is_large_string(type_) or pt.is_string_view(type_))


def is_bytes(type_: pa.DataType) -> bool:
    """Whether it is bytes of any number, of any width."""
    return bool(pt.is_binary(type_) or pt.is_large_binary(type_) or pt.is_binary_view(type_))


def storage_type(type_: pa.DataType) -> pa.DataType:
    """The type that holds the values: extension types (uuid, json, bool8, unknown ones) and run-end encoding taken
    off."""
    while True:
        if isinstance(type_, pa.BaseExtensionType):
            type_ = type_.storage_type
        elif pt.is_run_end_encoded(type_):
            type_ = type_.value_type
        else:
            return type_


def kind_of(type_: pa.DataType) -> Kind:
    """The kind of a column of this type; "other" for those that cannot be plotted.

    Null columns are floats without a number. Dictionaries are categories whatever their values are, unless those are
    nested.
    """
    type_ = storage_type(type_)
    for test, kind in _SIMPLE:
        if test(type_):  # type: ignore[operator]
            return kind
    if _is_words(type_):
        return "category"
    if pt.is_dictionary(type_) and kind_of(type_.value_type) != "other":
        return "category"
    return "other"


def has_labels(type_: pa.DataType) -> bool:
    """True for text, bytes and dictionaries, without looking through extension types and run-end encoding."""
    return pt.is_dictionary(type_) or _is_words(type_)


def describe(field: pa.Field, unusable: Unusable | None = None) -> ColumnInfo:
    """The `ColumnInfo` of a field; `unusable` says why it cannot be plotted, whatever its type is."""
    if unusable is not None:
        return ColumnInfo(
            field.name, field.type, kind="other", zone=None, reason=unusable.reason, readable=unusable.readable
        )
    kind = kind_of(field.type)
    zone = storage_type(field.type).tz if kind == "timestamp" else None
    reason = f"holds {field.type}, which has no place on an axis" if kind == "other" else None
    return ColumnInfo(field.name, field.type, kind, zone, reason)


_UNIT = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}


def nanoseconds_per_unit(type_: pa.DataType) -> int:
    """How many nanoseconds one step of a time type's stored integer is."""
    if pt.is_date32(type_):
        return 86_400 * _UNIT["s"]
    return _UNIT["ms"] if pt.is_date64(type_) else _UNIT[type_.unit]


def _is_words(type_: pa.DataType) -> bool:
    return is_text(type_) or is_bytes(type_) or bool(pt.is_fixed_size_binary(type_))
