"""Schemas of append logs: the dataset's, which its uploaded file has, with values where it has dictionaries."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as pt

from bigviz.data.arrow_errors import reading

__all__ = ["plain_schema", "plain_type", "schema_of"]


def schema_of(path: Path) -> pa.Schema:
    """The schema of an Arrow IPC stream or a Parquet file that was checked before. Raises Unreadable."""
    with reading(str(path), "an uploaded table"):
        if path.suffix == ".parquet":
            return pq.read_schema(path)
        with path.open("rb") as file, pa.ipc.open_stream(file) as stream:
            return stream.schema


def plain_schema(schema: pa.Schema) -> pa.Schema:
    """The schema without dictionaries and without metadata of its own; that of the fields stays."""
    return pa.schema([field.with_type(plain_type(field.type)).with_nullable(True) for field in schema])


def plain_type(type_: pa.DataType) -> pa.DataType:
    """The type with the values of its dictionaries in their place, also within lists, structs and maps."""
    if pt.is_dictionary(type_):
        return plain_type(type_.value_type)
    if pt.is_struct(type_):
        return pa.struct([field.with_type(plain_type(field.type)) for field in type_])
    if pt.is_map(type_):
        return pa.map_(plain_type(type_.key_type), plain_type(type_.item_type), type_.keys_sorted)
    if pt.is_fixed_size_list(type_):
        return pa.list_(_plain_values(type_), type_.list_size)
    if pt.is_list(type_):
        return pa.list_(_plain_values(type_))
    return pa.large_list(_plain_values(type_)) if pt.is_large_list(type_) else type_


def _plain_values(type_: pa.DataType) -> pa.Field:
    field: pa.Field = type_.value_field
    return field.with_type(plain_type(field.type))
