"""What a script appends to a stream, as a table of the stream's schema."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput
from bigviz.data.sources.frames import to_table

__all__ = ["fitted", "fitted_patch", "stream_schema", "table_of"]

_ROW: Final = "_row"
_INDEX: Final = re.compile(r"__index_level_\d+__")  # how Arrow names the index of a pandas frame that has no name
_FAILURES: Final = (pa.ArrowException, ValueError, TypeError, KeyError, OverflowError)


def stream_schema(schema: pa.Schema | Mapping[str, Any]) -> pa.Schema:
    """The Arrow schema of a stream. Raises BadInput for one without columns, and for what is no type of Arrow."""
    try:
        if not isinstance(schema, pa.Schema):
            schema = pa.schema([_field(name, kind) for name, kind in dict(schema).items()])
    except _FAILURES as error:
        message = f"A schema is an Arrow schema, or a mapping of names to Arrow types, got {echoed(schema)}: {error}."
        raise BadInput(message, "schema") from error
    if not schema.names:
        raise BadInput("A schema has one column or more, got none.", "schema")
    return schema


def _field(name: str, kind: Any) -> pa.Field:
    try:
        return pa.field(name, kind)
    except _FAILURES as error:
        message = (
            f"Column {echoed(name)}: expected an Arrow type, such as 'float64', 'int32', 'string' or 'timestamp[ms]', "
            f"got {echoed(kind)}."
        )
        raise BadInput(message, "schema") from error


def table_of(rows: object) -> pa.Table:
    """Rows of any kind as a table. Raises BadInput for what is none, such as a path or a list of rows."""
    if isinstance(rows, str | os.PathLike):
        message = (
            f"Expected rows, got the path {echoed(os.fspath(rows))}: read the file first, or append it with "
            "`bigviz append NAME FILE`."
        )
        raise BadInput(message, "rows")
    if isinstance(rows, list | tuple):
        message = (
            "Expected a table or a mapping of names to lists, got a list: `pyarrow.Table.from_pylist(rows)` makes a "
            "table of a list of dictionaries."
        )
        raise BadInput(message, "rows")
    return rows if isinstance(rows, pa.Table) else to_table(rows)[0]


def fitted(rows: object, schema: pa.Schema) -> pa.Table:
    """Rows under a schema. The index of a pandas frame is left out where it has no name, and is no column.

    Raises BadInput where a column is missing or unknown in a mapping, or a value is none of its column's type; a table
    with other columns is given back as it is, since the server says which differ.
    """
    if isinstance(rows, Mapping):
        return _fitted_mapping(rows, schema)
    table = table_of(rows)
    if table.schema.equals(schema):
        return table
    index = [name for name in table.column_names if _INDEX.fullmatch(name) and name not in schema.names]
    table = table.drop_columns(index) if index else table
    if sorted(table.column_names) != sorted(schema.names):
        return table
    return pa.Table.from_arrays([_cast(table.column(field.name), field) for field in schema], schema=schema)


def fitted_patch(table: pa.Table, schema: pa.Schema, key: str | None) -> pa.Table:
    """The columns of a patch in the types of the stream, where they have one. BadInput as for `fitted`."""
    fields = []
    for field in table.schema:
        own = schema.get_field_index(field.name)
        if field.name == _ROW and key is None:
            field = pa.field(_ROW, pa.int64())
        fields.append(field if own < 0 else schema.field(own))
    columns = [_cast(column, field) for column, field in zip(table.columns, fields, strict=True)]
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def _fitted_mapping(rows: Mapping[Any, Any], schema: pa.Schema) -> pa.Table:
    names = ", ".join(schema.names)
    for name in rows:
        if name not in schema.names:
            raise BadInput(f"The stream has no column {echoed(name)}, it has {names}.", "rows")
    for field in schema:
        if field.name not in rows:
            message = (
                f"Column {echoed(field.name)} ({field.type}) is missing: give it, with None where nothing is known."
            )
            raise BadInput(message, "rows")
    arrays = [_array(rows[field.name], field) for field in schema]
    try:
        return pa.Table.from_arrays(arrays, schema=schema)
    except _FAILURES as error:
        told = ", ".join(f"{field.name} has {len(array):,}" for field, array in zip(schema, arrays, strict=True))
        raise BadInput(f"All columns have as many values as there are rows: {told}.", "rows") from error


def _array(values: Any, field: pa.Field) -> pa.Array | pa.ChunkedArray:
    """Values in the type of a column.

    Times and whole numbers are converted as what they are, and cast: pyarrow cuts off the fractions of a list of floats
    and the microseconds of a list of datetimes where it is given the type.
    """
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return _cast(values, field)
    if isinstance(values, str | bytes) or not (hasattr(values, "__iter__") or hasattr(values, "__arrow_c_array__")):
        message = f"Column {echoed(field.name)} is one value, {echoed(values)}: give a list, with a value for each row."
        raise BadInput(message, "rows")
    try:
        values = values if hasattr(values, "__len__") else list(values)
        if not (pt.is_integer(field.type) or pt.is_temporal(field.type)):
            return pa.array(values, field.type)
        came = _as_they_are(values, field.type)
        if not pt.is_floating(came.type) and not _can_cast(came.type, field.type):
            return pa.array(values, field.type)
    except _FAILURES as error:
        raise _refused(field, error) from error
    return _cast(came, field)


def _as_they_are(values: Any, wanted: pa.DataType) -> pa.Array | pa.ChunkedArray:
    if isinstance(values, list | tuple) and values and isinstance(values[0], np.datetime64):
        values = np.array(values)
    if isinstance(values, np.ndarray) and values.dtype.kind == "M":
        unit = np.datetime_data(values.dtype)[0]
        values = values if unit in ("D", "s", "ms", "us", "ns") else values.astype("datetime64[s]")
    try:
        return pa.array(values)
    except OverflowError:  # whole numbers from 2^63
        return pa.array(values, wanted)


def _can_cast(came: pa.DataType, wanted: pa.DataType) -> bool:
    try:
        pa.nulls(0, came).cast(wanted)
    except _FAILURES:
        return False
    return True


def _cast(column: Any, field: pa.Field) -> Any:
    if pt.is_floating(column.type) and pt.is_temporal(field.type) and column.null_count < len(column):
        advice = "give datetimes, or whole numbers of its unit"
        raise BadInput(f"Column {echoed(field.name)} is {field.type}, got floats: {advice}.", "rows")
    try:
        return column.cast(field.type)
    except _FAILURES as error:
        raise _refused(field, error) from error


def _refused(field: pa.Field, error: BaseException) -> BadInput:
    reason = str(error).strip().rstrip(".")
    advice = " Round it, or make the stream with a finer type." if "lose data" in reason else ""
    told = f"Column {echoed(field.name)} is {field.type}, which does not hold what came: {reason}.{advice}"
    return BadInput(told, "rows")
