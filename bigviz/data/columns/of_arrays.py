"""From arrays of a source to columns."""

from __future__ import annotations

import pyarrow as pa

from bigviz.data.columns.categories import Categories, LabelSet, Sorted
from bigviz.data.columns.column import Column, ColumnInfo
from bigviz.data.columns.numbers import Numbers, viewed
from bigviz.data.columns.true_values import dress

__all__ = ["builder_of", "column_of", "in_own_type"]


def in_own_type(array: pa.Array, type_: pa.DataType) -> pa.Array:
    """An array of a source in its column's type: text may have come dictionary-encoded."""
    if array.type != type_ and pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    return array if array.type == type_ else dress(array, type_)


def builder_of(info: ColumnInfo, num_rows: int) -> Categories | Numbers:
    """What makes a column of so many rows out of a source's arrays."""
    return (Categories if info.kind == "category" else Numbers)(info, num_rows)


def column_of(info: ColumnInfo, array: pa.Array, labels: Sorted | None) -> Column:
    """Some rows as axis numbers, over Arrow's memory where it holds them."""
    if info.kind == "category":
        if labels is None:
            own = LabelSet(info)
            own.add(0, array)
            labels = own.finish()
        return labels.column(info, array)
    column = viewed(info, array)
    if column is not None:
        return column
    builder = Numbers(info, len(array))
    builder.add(0, array)
    return builder.finish().column
