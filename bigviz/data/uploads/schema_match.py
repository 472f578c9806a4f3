"""Whether rows that are to be appended have the columns of their dataset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import pyarrow as pa
import pyarrow.types as pt

from bigviz.common.bounded_repr import echoed
from bigviz.common.did_you_mean import hint, listing
from bigviz.common.errors import Conflict
from bigviz.data.appending.plain import plain_type
from bigviz.data.columns.kinds import is_bytes, is_text

__all__ = ["check_names", "check_types", "unknown_column"]

_LONGEST: Final = 200  # characters of a name that came, in the answer: it may be as long as the body


def check_names(schema: pa.Schema, came: Sequence[str]) -> None:
    """Raise Conflict unless these are the names of the dataset's columns, in any order."""
    for name in came:
        if schema.get_field_index(name) < 0:
            raise unknown_column(schema, name)
    for name, times in Counter(came).items():
        if times > 1:
            raise Conflict(f"Column {echoed(name)} came {times} times: give each column a name of its own.", name)
    known = set(came)
    for field in schema:
        if field.name not in known:
            raise Conflict(
                f"Column {echoed(field.name)} ({field.type}) did not come: an append has all columns of its dataset, "
                "null where nothing is known.",
                field.name,
            )


def check_types(schema: pa.Schema, came: pa.Schema) -> None:
    """Raise Conflict unless each column has the type that it has in the dataset.

    Types that hold the same values in another form are the same here: dictionaries and what they stand for, text of
    any width, zones of time stamps. A column of nulls has any type.
    """
    for field in schema:
        type_ = came.field(field.name).type
        if not _same(plain_type(field.type), plain_type(type_)):
            raise Conflict(
                f"Column {echoed(field.name)} is {field.type} in this dataset, and {type_} came: convert it, or upload "
                "the table under another name.",
                field.name,
                str(type_),
            )


def unknown_column(schema: pa.Schema, name: str) -> Conflict:
    """The error for a column that the dataset does not have."""
    more = hint(name, schema.names, f"It has {listing(schema.names)}.")
    return Conflict(f"The dataset has no column {echoed(name)}.{more}", name[:_LONGEST], name[:_LONGEST])


def _same(expected: pa.DataType, came: pa.DataType) -> bool:
    if expected == came or pt.is_null(came):
        return True
    if is_text(expected) or is_bytes(expected):
        return is_text(came) if is_text(expected) else is_bytes(came)
    zoned = pt.is_timestamp(expected) and pt.is_timestamp(came) and bool(expected.tz) and bool(came.tz)
    return zoned and expected.unit == came.unit
