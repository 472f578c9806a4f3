"""True rows of a window, from an order in memory or on the disk: found by their keys, checked by their numbers, and
their values put back into the types of the table without reading whole columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import BadInput
from bigviz.common.workers import SLICE, Crew
from bigviz.data.columns.column import Column
from bigviz.data.columns.numbers import axis_dtype
from bigviz.data.columns.true_values import restored
from bigviz.data.dataset import Dataset
from bigviz.tiles.grid.window import Number, codes_between, within
from bigviz.tiles.morton.order import Order
from bigviz.tiles.morton.quadtree import positions_of, ranges_within
from bigviz.tiles.selection.chosen import Chosen, OrderedRows
from bigviz.tiles.selection.first_rows import first_rows

__all__ = [
    "Found", "RowOrder", "check_limit", "find_rows", "first_names", "first_table", "named_rows", "rows_table",
    "true_rows",
]  # fmt: skip

Array = npt.NDArray[Any]
Window = tuple[Number, Number]

MOST_ROWS: Final = 50_000  # that one answer of rows holds
_ROW_FIELD: Final = pa.field("row", pa.int64(), False)


@dataclass(frozen=True)
class Found:
    """Rows of a window: positions in the order, ascending, and row numbers of far rows; `matched` counts them all."""

    positions: npt.NDArray[np.int64]
    far: npt.NDArray[np.int64]
    matched: int


def find_rows(order: Order, x: Window, y: Window, limit: int, cancel: Cancel = NEVER) -> Found:
    """The first `limit` rows of the half-open window `x` by `y`: in Morton order, ties in file order; far rows last.

    Raises Cancelled, and Unreadable for a damaged store.
    """
    low, high = np.empty(0, np.int64), np.empty(0, np.int64)
    across, up = codes_between(order.survey.x, *x), codes_between(order.survey.y, *y)
    if across is not None and up is not None:
        inner = (across[0] + 1, across[1] - 1, up[0] + 1, up[1] - 1)
        ranges = ranges_within(order.guard, (*across, *up), cancel, inner)
        edge = _exact(order, ranges.low[~ranges.whole], ranges.high[~ranges.whole], x, y, cancel)
        low, high = np.append(ranges.low[ranges.whole], edge), np.append(ranges.high[ranges.whole], edge + 1)
    by_place = np.argsort(low)
    low, lengths = low[by_place], (high - low)[by_place]
    before = np.cumsum(lengths) - lengths
    used = before < limit
    taken = np.minimum(lengths[used], limit - before[used])
    positions = positions_of(low[used], low[used] + taken)
    far = order.far
    if len(far):
        far = far[within(order.far_numbers(0), *x) & within(order.far_numbers(1), *y)]
    return Found(positions, far[: limit - len(positions)], int(lengths.sum()) + len(far))


def true_rows(
    dataset: Dataset, layer: Layer, order: Order, found: Found, names: Sequence[str] | None = None
) -> pa.Table:
    """`row` (int64), then these columns (default: x, y and the layer's) in their own types, of rows that were found.

    What is on disk in this order is taken from there, if nothing was lost on the way (a decimal is not kept as it is,
    and a null among floats is a NaN); the rest is read from the source, these rows only.
    """
    names = _names_of(layer) if names is None else names
    near = order.row_numbers(found.positions)
    rows = np.append(near, found.far)
    kept = {} if order.has_columns else _kept(dataset, layer, order, found.positions, names)
    missing = [name for name in names if name not in kept]
    columns = dict(zip(missing, dataset.take(rows, missing).columns, strict=True)) if missing else {}
    far = dataset.take(found.far, list(kept)) if kept and len(found.far) else None
    for name, values in kept.items():
        columns[name] = values if far is None else pa.chunked_array([values, *far[name].chunks], values.type)
    fields = [_ROW_FIELD, *(dataset.schema.field(name) for name in names)]
    return pa.Table.from_arrays([pa.array(rows), *(columns[name] for name in names)], schema=pa.schema(fields))


def rows_table(dataset: Dataset, layer: Layer, numbers: Array) -> pa.Table:
    """The same of rows given by their numbers, all read from the source."""
    return named_rows(dataset, _names_of(layer), numbers)


def named_rows(dataset: Dataset, names: Sequence[str], numbers: Array) -> pa.Table:
    """`row` and the columns `names` of rows given by their numbers, read from the source."""
    return dataset.take(numbers, names).add_column(0, _ROW_FIELD, pa.array(numbers))


def _names_of(layer: Layer) -> list[str]:
    """The columns of x, y and the reduction, each once."""
    return list(dict.fromkeys((*layer.axis_columns, *layer.reduction.sources)))


def _kept(dataset: Dataset, layer: Layer, order: Order, positions: Array, names: Sequence[str]) -> dict[str, pa.Array]:
    """The columns whose true values follow from the order's own files."""
    out = {}
    for name in names:
        info = dataset.info(name)
        column = order.column(name)
        if column is not None and column.values is not None:
            valid = None if column.valid is None else column.valid.take(positions).astype(np.bool_)
            held = Column(info, np.ascontiguousarray(column.values.take(positions)), valid, None)
        elif column is not None and column.codes is not None and column.labels is not None:
            codes = column.codes.take(positions).astype(np.int32)
            held = Column(info, np.maximum(codes, 0), codes >= 0, column.labels)
        else:
            which = 0 if name == layer.x else 1
            axis = (layer.xaxis, layer.yaxis)[which]
            if name not in (layer.x, layer.y) or axis not in ("linear", "datetime") or info.kind == "category":
                continue
            numbers = order.numbers(which, positions)
            held = Column(info, numbers.astype(axis_dtype(info.type), copy=False), None, None)
        values = restored(held)
        if values is not None:
            out[name] = values
    return out


def _exact(order: Order, low: Array, high: Array, x: Window, y: Window, cancel: Cancel) -> Array:
    """The positions within the ranges whose rows lie in the window, by comparing their numbers."""
    found = [np.empty(0, np.int64)]
    ends = np.cumsum(high - low) // SLICE
    for part in np.split(np.arange(len(ends)), np.flatnonzero(np.diff(ends)) + 1):
        positions = positions_of(low[part], high[part])
        for start in range(0, len(positions), SLICE):
            cancel.check()
            some = positions[start : start + SLICE]
            found.append(some[within(order.numbers(0, some), *x) & within(order.numbers(1, some), *y)])
    return np.concatenate(found)


class RowOrder(NamedTuple):
    """By which column rows are ordered: the least values first, or the greatest."""

    column: str
    descending: bool = False


def check_limit(limit: int) -> None:
    """Raise BadInput for more rows than one answer holds."""
    if not 0 <= limit <= MOST_ROWS:
        raise BadInput(f"limit is 0 to {MOST_ROWS:,}, got {limit}", "limit", limit)


def first_names(layer: Layer, order: RowOrder, columns: Sequence[str] | None) -> list[str]:
    """The columns that a table of first rows has, besides `row`."""
    return list(dict.fromkeys((*_names_of(layer), order.column) if columns is None else columns))


def first_table(
    dataset: Dataset,
    layer: Layer,
    parts: Sequence[Chosen],
    order: RowOrder,
    limit: int,
    columns: Sequence[str] | None,
    crew: Crew,
) -> pa.Table:
    """`row` (int64) and some columns (default: x, y, the layer's, and the one that orders), in their own types, of the
    first `limit` rows of parts. What the order of rows keeps is taken from there, the rest is read from the source,
    these rows only."""
    names = first_names(layer, order, columns)
    first = first_rows(dataset, parts, order.column, limit, order.descending, crew)
    if len(parts) != 1 or not isinstance(parts[0], OrderedRows):
        return named_rows(dataset, names, first.numbers)
    near = first.positions >= 0
    found = Found(first.positions[near], first.numbers[~near], len(near))
    at = np.empty(len(near), np.int64)
    at[np.append(np.flatnonzero(near), np.flatnonzero(~near))] = np.arange(len(near))
    return true_rows(dataset, layer, parts[0].order, found, names).take(pa.array(at))
