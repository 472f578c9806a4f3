"""Rows as files, a batch at a time: an Arrow stream, Parquet, or CSV."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv
import pyarrow.parquet as pq
import pyarrow.types as pt

from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import Unplottable
from bigviz.data.columns.column import type_words
from bigviz.data.columns.kinds import is_text, storage_type

__all__ = ["KINDS", "RowFile", "row_file", "sortable"]

KINDS: Final = {
    "arrow": "application/vnd.apache.arrow.stream",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}
"""Formats and their content types."""
_NO_PLACE: Final = (
    pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError, OSError, OverflowError, UnicodeDecodeError,
)  # fmt: skip
_FORMULA: Final = r"^[=+\-@\t\r]"  # what a spreadsheet would run


class RowFile(Protocol):
    """A file that is written piece by piece; each call gives the bytes that have become ready."""

    def add(self, batch: pa.RecordBatch) -> bytes:
        """Add rows."""

    def end(self) -> bytes:
        """Nothing more comes."""


def row_file(extension: str, schema: pa.Schema) -> RowFile:
    """A file of a format over columns. Raises Unplottable for a type that the format has no place for."""
    if extension == "csv":
        return _Csv(schema)
    with _held(extension):
        return _Binary(extension, schema)


@contextmanager
def _held(extension: str, column: str | None = None) -> Iterator[None]:
    """Raise Unplottable for values that a format has no place for, such as times beyond its range."""
    try:
        yield
    except _NO_PLACE as error:
        which = "these columns" if column is None else f"column {echoed(column)}"
        said = echoed(str(error).partition("\n")[0], 200)
        raise Unplottable(
            f"A {extension} file cannot hold {which} ({said}): name others with columns=.", "columns"
        ) from error


class _Sink(io.RawIOBase):
    """Bytes that were written since they were taken last."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(self._parts[-1])

    def taken(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


class _Binary:
    def __init__(self, extension: str, schema: pa.Schema) -> None:
        self._sink, self._extension = _Sink(), extension
        self._writer: Any
        if extension == "arrow":
            self._writer = pa.ipc.new_stream(self._sink, schema)
        else:
            self._writer = pq.ParquetWriter(self._sink, schema)

    def add(self, batch: pa.RecordBatch) -> bytes:
        with _held(self._extension):
            self._writer.write_batch(batch)
        return self._sink.taken()

    def end(self) -> bytes:
        with _held(self._extension):
            self._writer.close()
        return self._sink.taken()


class _Csv:
    """A line of names, then rows; text that a spreadsheet would take for a formula begins with an apostrophe."""

    def __init__(self, schema: pa.Schema) -> None:
        names = pa.array(schema.names, pa.string())
        cells = ['"' + name.replace('"', '""') + '"' for name in _harmless(names).to_pylist()]
        self._head = (",".join(cells) + "\n").encode()

    def add(self, batch: pa.RecordBatch) -> bytes:
        out = io.BytesIO()
        columns = []
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            with _held("csv", name):
                columns.append(_cells(column))
        table = pa.Table.from_arrays(columns, [str(k) for k in range(len(columns))])
        with _held("csv"):
            pv.write_csv(table, out, pv.WriteOptions(include_header=False))
        head, self._head = self._head, b""
        return head + out.getvalue()

    def end(self) -> bytes:
        return self._head


def sortable(column: pa.ChunkedArray) -> pa.Array:
    """A column as something that has an order: numbers and times as they are, labels by their text. Raises Unplottable
    where Arrow gives it none."""
    try:
        return _ordered(column)
    except _NO_PLACE as error:
        words = type_words(column.type)
        raise Unplottable(f"Rows are not sorted by a column of {words}: name another.", "sort") from error


def _ordered(column: pa.ChunkedArray) -> pa.Array:
    array = column.combine_chunks()
    kind = storage_type(array.type)
    plain = _plain(array)
    if pt.is_dictionary(kind):
        plain, kind = plain.dictionary_decode(), kind.value_type
    if is_text(kind):
        return plain.cast(pa.large_string())
    if pt.is_float16(kind):  # Arrow does not sort them
        return plain.cast(pa.float32())
    if _is_plain(kind) or pt.is_decimal(kind) or pt.is_duration(kind):
        return plain
    return pa.array([None if value is None else _text(value) for value in plain.to_pylist()], pa.large_string())


def _cells(column: pa.Array) -> pa.Array:
    """A column as Arrow writes it to CSV: numbers and times as they are, all else as text without formulas."""
    kind = storage_type(column.type)
    if pt.is_dictionary(kind) and (is_text(kind.value_type) or _is_plain(kind.value_type)):
        column, kind = _plain(column).dictionary_decode(), kind.value_type
    if is_text(kind):
        return _harmless(_plain(column).cast(pa.string()))
    if _is_plain(kind):
        return _plain(column)
    if pt.is_float16(kind):  # a number, minus and all, as decimals are
        return _plain(column).cast(pa.float32())
    if pt.is_decimal(kind):
        return pa.array([None if value is None else f"{value:f}" for value in _plain(column).to_pylist()], pa.string())
    return _harmless(pa.array([None if value is None else _text(value) for value in column.to_pylist()], pa.string()))


def _plain(column: pa.Array) -> pa.Array:
    if isinstance(column, pa.ExtensionArray):
        return _plain(column.storage)
    return pc.run_end_decode(column) if pt.is_run_end_encoded(column.type) else column


def _is_plain(kind: pa.DataType) -> bool:
    return bool(
        pt.is_boolean(kind) or pt.is_integer(kind) or pt.is_float32(kind) or pt.is_float64(kind) or pt.is_date(kind)
        or pt.is_timestamp(kind) or pt.is_time(kind)
    )  # fmt: skip


def _text(value: Any) -> str:
    if isinstance(value, list | dict):
        return json.dumps(value, default=str)
    return value.hex() if isinstance(value, bytes) else str(value)


def _harmless(column: pa.Array) -> pa.Array:
    formulas = pc.match_substring_regex(column, _FORMULA)
    if not pc.any(formulas).as_py():
        return column
    return pc.if_else(formulas, pc.binary_join_element_wise("'", column, ""), column)
