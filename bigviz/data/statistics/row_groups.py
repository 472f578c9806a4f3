"""The statistics in a Parquet footer, read from its bytes.

pyarrow ends the process where a statistic is shorter than its type (26: "Unexpected end of stream"), so it is not asked
for them. Here one of a wrong length says nothing. The bytes are Thrift's compact protocol, as in `parquet_footer`:
https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as pt

from bigviz.data.columns.kinds import is_text, nanoseconds_per_unit, storage_type
from bigviz.data.formats.parquet_footer import field_header, list_header, skipped, unzigzag, varint
from bigviz.data.statistics.values import Statistics

__all__ = ["RowGroups", "reader_of"]

_BYTES, _LIST, _STRUCT = 8, 9, 12
_MOST_CHUNKS: Final = 30_000  # about half a second
_UNITS: Final = {"milliseconds": 1_000_000, "microseconds": 1_000, "nanoseconds": 1}
_FAILURES: Final = (IndexError, ValueError, struct.error)

Reader = Callable[[bytes], Any]
"""From a statistic's bytes to a bound; None where they say nothing."""


class _Raw(NamedTuple):
    """What is written of one column of one row group."""

    low: bytes | None
    high: bytes | None
    nulls: int | None


class RowGroups:
    """The statistics of all columns of all row groups; none where there are very many, or the footer is damaged."""

    def __init__(self, footer: bytes, metadata: pq.FileMetaData) -> None:
        self._rows = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
        self._groups: list[list[_Raw]] = []
        if metadata.num_row_groups * metadata.num_columns <= _MOST_CHUNKS:
            try:
                self._groups = _row_groups(footer)
            except _FAILURES:
                return
        whole = len(self._groups) == len(self._rows)
        if not whole or any(len(each) != metadata.num_columns for each in self._groups):
            self._groups = []

    def of(self, group: int, leaf: int, read: Reader) -> Statistics | None:
        """Those of a column (one of Parquet's) in a row group."""
        if not self._groups:
            return None
        raw = self._groups[group][leaf]
        low, high = (None if each is None else read(each) for each in (raw.low, raw.high))
        return Statistics(low, high, nulls=raw.nulls != 0, values=raw.nulls != self._rows[group])


def reader_of(type_: pa.DataType, column: pq.ColumnSchema) -> Reader | None:
    """How a statistic of a column is read that holds values of an Arrow type; None where none of it is used."""
    type_ = storage_type(type_)
    if pt.is_dictionary(type_):
        type_ = type_.value_type
        if not is_text(type_):
            return None
    physical = column.physical_type
    if is_text(type_):
        return _text if physical == "BYTE_ARRAY" else None
    if pt.is_float32(type_) or pt.is_float64(type_):
        return {"FLOAT": _float, "DOUBLE": _double}.get(physical)
    if pt.is_decimal(type_) and column.scale == type_.scale and physical in ("FIXED_LEN_BYTE_ARRAY", "BYTE_ARRAY"):
        return lambda data: int.from_bytes(data, "big", signed=True)
    if physical not in ("INT32", "INT64"):
        return None
    size = 4 if physical == "INT32" else 8
    if pt.is_integer(type_):
        return _whole(size, 1, not pt.is_unsigned_integer(type_))
    if pt.is_decimal(type_):
        return _whole(size, 1) if column.scale == type_.scale else None
    if pt.is_temporal(type_) and not pt.is_interval(type_):
        step = _step(type_, column)
        return None if step is None else _whole(size, step)
    return None


def _step(type_: pa.DataType, column: pq.ColumnSchema) -> int | None:
    """The nanoseconds of one unit of the stored integers: the file's, which may be finer than the Arrow type's."""
    if pt.is_date32(type_) or pt.is_duration(type_):
        return nanoseconds_per_unit(type_)
    if pt.is_date64(type_):
        return None
    return _UNITS.get(json.loads(column.logical_type.to_json()).get("timeUnit", ""))


def _whole(size: int, step: int, signed: bool = True) -> Reader:
    def read(data: bytes) -> int | None:
        return int.from_bytes(data, "little", signed=signed) * step if len(data) == size else None

    return read


def _float(data: bytes) -> float | None:
    return _number("<f", data) if len(data) == 4 else None


def _double(data: bytes) -> float | None:
    return _number("<d", data) if len(data) == 8 else None


def _number(form: str, data: bytes) -> float | None:
    (value,) = struct.unpack(form, data)
    return None if math.isnan(value) else value


def _text(data: bytes) -> str | None:
    """Text may be cut off: a lower bound is a bound still, and a writer makes the last letter of an upper one larger.
    Where that is not UTF-8 any more nothing is known."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _row_groups(footer: bytes) -> list[list[_Raw]]:
    at = number = 0
    while footer[at]:
        number, kind, at = field_header(footer, at, number)
        if number == 4 and kind == _LIST:
            return _list(footer, at, _columns)[0]
        at = skipped(footer, at, kind)
    return []


def _list(data: bytes, at: int, read: Callable[[bytes, int], tuple[Any, int]]) -> tuple[list[Any], int]:
    """The structs of a list."""
    count, kind, at = list_header(data, at)
    if kind != _STRUCT or count > _MOST_CHUNKS:
        raise ValueError("not a list of structs")
    found = []
    for _ in range(count):
        each, at = read(data, at)
        found.append(each)
    return found, at


def _columns(data: bytes, at: int) -> tuple[list[_Raw], int]:
    """The columns of a row group, its field 1."""
    found: list[_Raw] = []

    def field(number: int, kind: int, at: int) -> int | None:
        if (number, kind) != (1, _LIST):
            return None
        columns, after = _list(data, at, _chunk)
        found.extend(columns)
        return after

    return found, _struct(data, at, field)


def _chunk(data: bytes, at: int) -> tuple[_Raw, int]:
    """A column chunk, whose metadata is its field 3, and the statistics that one's field 12."""
    found = [_Raw(None, None, None)]

    def statistics(number: int, kind: int, at: int) -> int | None:
        if (number, kind) != (12, _STRUCT):
            return None
        found[0], after = _raw(data, at)
        return after

    def metadata(number: int, kind: int, at: int) -> int | None:
        return _struct(data, at, statistics) if (number, kind) == (3, _STRUCT) else None

    after = _struct(data, at, metadata)
    return found[0], after


def _raw(data: bytes, at: int) -> tuple[_Raw, int]:
    """Statistics: null_count is field 3, max_value 5, min_value 6."""
    values: dict[int, Any] = {}

    def field(number: int, kind: int, at: int) -> int | None:
        if number in (5, 6) and kind == _BYTES:
            size, start = varint(data, at)
            values[number] = data[start : start + size]
            return start + size
        if number == 3 and kind == 6:
            count, after = varint(data, at)
            values[number] = unzigzag(count)
            return after
        return None

    after = _struct(data, at, field)
    return _Raw(values.get(6), values.get(5), values.get(3)), after


def _struct(data: bytes, at: int, field: Callable[[int, int, int], int | None]) -> int:
    """Where a struct ends. `field(number, type, at)` reads a field and says where it ends; None leaves it out."""
    number = 0
    while data[at]:
        number, kind, at = field_header(data, at, number)
        after = field(number, kind, at)
        at = skipped(data, at, kind) if after is None else after
    return at + 1
