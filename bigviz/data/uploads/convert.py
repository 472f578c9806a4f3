"""Rows that are to be appended, from the body of a request to one sound batch of their dataset's columns.

Runs in the process that checks uploads (`bigviz.data.uploads.worker`), as bodies come from anybody.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from typing import Final

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.json as pj
import pyarrow.types as pt

from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput, Conflict, TooLarge, Unreadable
from bigviz.data.appending.plain import plain_schema, plain_type
from bigviz.data.uploads.check import MARK, NO_END, OLD_END, check_batch, check_columns, reason
from bigviz.data.uploads.facts import BodyFormat
from bigviz.data.uploads.schema_match import check_names, check_types, unknown_column

__all__ = ["MOST_BYTES", "arrow_table", "check_own", "converted", "one_batch"]

MOST_BYTES: Final = 256 << 20  # of a batch in memory
_OBJECT: Final = re.compile(rb"^[ \t\r]*\{", re.MULTILINE)
_TEXT: Final = re.compile(r"Column\(/(.*)\) changed from number to string", re.DOTALL)
_OTHER_KIND: Final = re.compile(r"Column\(/(.+)\) changed from \w+ to (\w+) in row (\d+)")
_NO_OBJECT: Final = re.compile(rb"^[ \t\r]*[^{\s][^\n]{0,60}", re.MULTILINE)


def converted(body: bytes, format: BodyFormat, schema: pa.Schema) -> tuple[pa.Buffer, int]:
    """The rows of a body as one batch of the `plain_schema` of a dataset's `schema`, an IPC message; and how many.

    Raises Conflict where the columns are others, BadInput for an Arrow stream without its end, TooLarge for one that
    takes too much memory, Unreadable for what is damaged, or holds a value that its column cannot.
    """
    try:
        table = _READERS[format](body, schema)
        plain = plain_schema(schema)
        batch = one_batch(table.select(plain.names).cast(plain))
        batch.validate(full=True)
        if batch.get_total_buffer_size() > MOST_BYTES:
            raise TooLarge(
                f"The rows take {batch.get_total_buffer_size() >> 20:,} MiB in memory, more than {MOST_BYTES >> 20}: "
                "append them in parts.",
                "body",
            )
        check_own(batch, schema)
        return batch.serialize(), batch.num_rows
    except (pa.ArrowMemoryError, MemoryError) as error:
        raise TooLarge("The rows need more memory to be read than one append may take.", "body") from error
    except (pa.ArrowException, OSError, ValueError, KeyError, OverflowError) as error:
        raise Unreadable(f"The body is no sound {_NAMES[format]} of these columns: {reason(error)}", "body") from error


def _arrow(body: bytes, schema: pa.Schema) -> pa.Table:
    def check(came: pa.Schema) -> None:
        check_names(schema, came.names)
        check_types(schema, came)

    return arrow_table(body, check)


def arrow_table(body: bytes, check: Callable[[pa.Schema], None]) -> pa.Table:
    """The rows of a whole Arrow IPC stream, whose schema is checked before its batches are. Raises BadInput for a
    stream without its end, and what Arrow does."""
    end = MARK + OLD_END if body.startswith(MARK) else OLD_END
    try:
        return _arrow_table(body, check, end)
    except (pa.ArrowException, OSError, ValueError):
        if body.startswith(MARK) and not body.endswith(end):
            raise BadInput(NO_END, "body") from None
        raise


def _arrow_table(body: bytes, check: Callable[[pa.Schema], None], end: bytes) -> pa.Table:
    stream = pa.BufferReader(body)
    with pa.ipc.open_stream(stream) as reader:
        came = reader.schema
        check_columns(came)
        check(came)
        batches, rows, total = [], 0, 0
        for batch in reader:
            rows, total = check_batch(batch, rows, total, len(body))
            batches.append(batch)
        if not body.endswith(end):
            raise BadInput(NO_END, "body")
        if stream.tell() != len(body):
            raise BadInput("The body goes on after the end of the Arrow stream: send each by itself.", "body")
        return pa.Table.from_batches(batches, came)


def _ndjson(body: bytes, schema: pa.Schema) -> pa.Table:
    plain = plain_schema(schema)
    if not body.strip():
        return plain.empty_table()
    other = _NO_OBJECT.search(body)  # pyarrow 26 does not survive a line of null
    if other is not None:
        raise Unreadable(
            f"Each line of NDJSON is an object, got {echoed(other[0].decode(errors='replace'), 60)}.", "body"
        )
    try:
        table = _objects(body, _numbered(plain))
        if table.num_rows != len(_OBJECT.findall(body)):
            raise Unreadable("Each line of NDJSON is one object, and some hold more.", "body")
        return table
    except pa.ArrowInvalid as error:
        if "unexpected field" in str(error):
            raise _unknown_in(body, schema) from error
        kinds = _OTHER_KIND.search(str(error))
        if kinds is not None and schema.get_field_index(kinds[1]) >= 0:
            raise _other_kind(schema.field(kinds[1]), kinds[2], int(kinds[3])) from error
        raise


def _numbered(plain: pa.Schema) -> pa.Schema:
    """The same with durations as numbers of their unit: Arrow reads none otherwise."""
    return pa.schema([each.with_type(pa.int64()) if pt.is_duration(each.type) else each for each in plain])


def _objects(body: bytes, plain: pa.Schema) -> pa.Table:
    """Objects in these types. Dates, which Arrow reads as numbers of their unit, may be texts in ISO 8601 instead: such
    columns are left texts."""
    reading = pj.ReadOptions(use_threads=False, block_size=len(body) + 1)
    options = pj.ParseOptions(plain, newlines_in_values=False, unexpected_field_behavior="error")
    try:
        return pj.read_json(io.BytesIO(body), reading, options)
    except pa.ArrowInvalid as error:
        found = _TEXT.search(str(error))
        at = plain.get_field_index(found[1]) if found else -1
        if at < 0 or not pt.is_date(plain.field(at).type):
            raise
        return _objects(body, plain.set(at, plain.field(at).with_type(pa.string())))


def _other_kind(field: pa.Field, came: str, row: int) -> Unreadable:
    """The error for a JSON value that is of another kind than its column takes."""
    kind = plain_type(field.type)
    wants = "a number" if pt.is_integer(kind) or pt.is_floating(kind) or pt.is_duration(kind) else "a text"
    if pt.is_timestamp(kind):
        wants = 'a text such as "2026-05-01T12:00:00.000"'
    elif pt.is_boolean(kind):
        wants = "true or false"
    elif pt.is_nested(kind):
        wants = "a list or an object"
    came = f"an {came}" if came[0] in "ao" else f"a {came}"
    message = f"Column {echoed(field.name)} is {field.type}, which is {wants} in NDJSON: got {came} in row {row + 1:,}."
    return Unreadable(message, "body")


def _unknown_in(body: bytes, schema: pa.Schema) -> Conflict:
    """The error that names the first key that no column has."""
    for line in body.splitlines():
        value = json.loads(line) if line.strip() else {}
        for name in value:
            if schema.get_field_index(name) < 0:
                return unknown_column(schema, name)
    raise ValueError("an object within an object has a key that its column has not")


def _csv(body: bytes, schema: pa.Schema) -> pa.Table:
    plain = plain_schema(schema)
    names = _header(body)
    check_names(schema, names)
    types = {field.name: field.type for field in plain}
    return pc.read_csv(
        io.BytesIO(body),
        pc.ReadOptions(use_threads=False, block_size=len(body) + 1),
        pc.ParseOptions(newlines_in_values=True),
        pc.ConvertOptions(
            column_types=types, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
        ),
    )


def _header(body: bytes) -> list[str]:
    """The names in the first line of a CSV file."""
    if not body.strip():
        raise Unreadable("The body is empty: the first line of a CSV file has the names of the columns.", "body")
    try:
        return next(csv.reader(io.TextIOWrapper(io.BytesIO(body), "utf-8-sig", newline="")))
    except (csv.Error, StopIteration) as error:
        raise Unreadable("The first line of a CSV file has the names of the columns: it holds none.", "body") from error


def one_batch(table: pa.Table) -> pa.RecordBatch:
    """A table in one piece."""
    arrays = [
        column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks or [pa.nulls(0, column.type)])
        for column in table.columns
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=table.schema)


def check_own(batch: pa.RecordBatch, schema: pa.Schema) -> None:
    """Raise where a column's own type cannot hold what came: codes of dictionaries are of few bits, and some columns
    take no null."""
    for field, column in zip(schema, batch.columns, strict=True):
        if field.type != column.type:
            column.cast(field.type)
        if not field.nullable and column.null_count:
            raise Unreadable(f"Column {echoed(field.name)} takes no null, and {column.null_count:,} came.", field.name)


_READERS: Final = {"arrows": _arrow, "ndjson": _ndjson, "csv": _csv}
_NAMES: Final = {"arrows": "Arrow IPC stream", "ndjson": "NDJSON", "csv": "CSV"}
