"""Rows of a table as JSON: what the page shows next to a mark, or of what is under the pointer."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, Final

import numpy as np
import pyarrow as pa

from bigviz.common.bounded_repr import echoed
from bigviz.common.cancel import Cancel
from bigviz.data.columns.column import readable_names
from bigviz.data.dataset import Dataset

__all__ = ["MOST_COLUMNS", "row_json", "rows_json", "texts"]

MOST_COLUMNS: Final = 40  # each is read from the file for this one row
_LONGEST: Final = 300  # characters of a value
_FRACTION: Final = re.compile(r"\.(\d*?)0+(?!\d)")


def row_json(
    dataset: Dataset, row: int, first: tuple[str, ...], columns: Collection[str], cancel: Cancel
) -> dict[str, Any]:
    """`{row, columns: [{name, type, value}], more}`: the true values of a row in some columns, as text (null where
    there is none).

    The columns named in `first` come first, then the others in the table's order, `MOST_COLUMNS` at most; `more` counts
    those left out. Values are written as Arrow casts them to text, times in their column's zone; text is cut after 300
    characters. Raises BadInput for a row that the table does not have, Unreadable, and Cancelled.
    """
    names = [name for name in readable_names(dataset.columns()) if name in columns]
    ordered = list(dict.fromkeys((*(name for name in first if name in names), *names)))
    found = []
    for name in ordered[:MOST_COLUMNS]:
        cancel.check()
        value = dataset.take(np.array([row], np.int64), [name]).column(0)
        found.append({"name": name, "type": str(value.type), "value": _text(value)})
    return {"row": row, "columns": found, "more": len(ordered) - len(found)}


def rows_json(table: pa.Table, matched: int) -> dict[str, Any]:
    """`{columns: [{name, type}], rows: [[text or null]], row: [number], total}` of a table that begins with `row`, 40
    columns at most."""
    shown = table.columns[1 : 1 + MOST_COLUMNS]
    fields = list(table.schema)[1 : 1 + MOST_COLUMNS]
    return {
        "columns": [{"name": field.name, "type": str(field.type)} for field in fields],
        "rows": [list(row) for row in zip(*(texts(column) for column in shown), strict=True)],
        "row": table.column(0).to_pylist(),
        "total": matched,
    }


def texts(column: pa.ChunkedArray) -> list[str | None]:
    """The values of a few rows, each as `row_json` writes it."""
    return [_text(column.slice(k, 1)) for k in range(len(column))]


def _text(value: pa.ChunkedArray) -> str | None:
    """The one value of an array as text, cut where it is long."""
    if not value[0].is_valid:
        return None
    try:
        text = _cast(value)
    except (pa.ArrowException, ValueError, OverflowError):  # an unknown time zone, bytes that are not UTF-8, ...
        text = " ".join(value.combine_chunks().to_string().split()).removeprefix("[ ").removesuffix(" ]")
    if text is None:  # a null among the labels of a dictionary, which is no null among its rows
        return None
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _cast(value: pa.ChunkedArray) -> str | None:
    """The one value as Arrow or, for bytes and nested values, Python writes it."""
    kind = value.type
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_nested(kind):
        return echoed(value[0].as_py(), _LONGEST)
    try:
        text: str | None = value.cast(pa.string())[0].as_py()
    except pa.ArrowNotImplementedError:
        return str(value[0])
    if text is not None and pa.types.is_temporal(kind):
        text = _FRACTION.sub(lambda found: f".{found[1]}" if found[1] else "", text)
    return text
