"""A small table with columns of given types."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import pyarrow as pa

__all__ = ["chosen_fields", "small_table"]

ROWS: Final = 16_384  # more than 8 blocks of a line under a brush
_MOST: Final = 100  # small numbers are below it, which every type holds
_MOST_TYPES: Final = 8


def chosen_fields(schema: pa.Schema, used: Iterable[str]) -> pa.Schema:
    """The columns of these names, and of each further type the first column that has it, 8 at most."""
    names = [name for name in dict.fromkeys(used) if schema.get_field_index(name) >= 0]
    types = {schema.field(name).type for name in names}
    for field in schema:
        if field.type not in types and len(types) < _MOST_TYPES and schema.get_field_index(field.name) >= 0:
            types.add(field.type)
            names.append(field.name)
    return pa.schema([schema.field(name).remove_metadata() for name in names])


def small_table(schema: pa.Schema) -> pa.Table:
    """Seeded small numbers as each type has them, ascending ones for whole numbers and times, labels for texts; columns
    of other types are left out."""
    rng = np.random.default_rng(0)
    columns: dict[str, pa.Array] = {}
    for field in schema:
        try:
            columns[field.name] = _column(field.type, rng.integers(0, _MOST, ROWS))
        except (pa.ArrowException, ValueError):  # it has no such numbers: lists, structs
            continue
    return pa.table(columns)


def _column(kind: pa.DataType, numbers: np.ndarray[tuple[int], np.dtype[np.int64]]) -> pa.Array:
    if pa.types.is_dictionary(kind):
        return _column(kind.value_type, numbers).dictionary_encode().cast(kind)
    if pa.types.is_boolean(kind):
        return pa.array(numbers % 2 == 0)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pa.array([f"{number % 4}" for number in numbers.tolist()], kind)
    if pa.types.is_floating(kind):
        return pa.array(numbers / 7.0).cast(kind, safe=False)
    if pa.types.is_decimal(kind):
        return pa.array(numbers.astype(np.int8)).cast(kind)
    rising = np.arange(ROWS) if kind.bit_width > 8 else np.sort(numbers)
    narrow = pa.types.is_date32(kind) or pa.types.is_time32(kind)
    return pa.array(rising.astype(np.int32) if narrow else rising).cast(kind)
