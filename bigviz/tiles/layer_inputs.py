"""What a layer of points reads: its columns, found in the order that they are needed in or gathered into it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bigviz.aggregate.layer import Layer
from bigviz.aggregate.reductions.base import Reduction
from bigviz.common.workers import Crew
from bigviz.data.columns.column import Column
from bigviz.data.columns.numbers import axis_dtype
from bigviz.data.dataset import Dataset
from bigviz.tiles.morton.order import Order, OrderedColumn
from bigviz.tiles.pyramid.layer_columns import Inputs, gather_inputs
from bigviz.tiles.scans.scan_factory import check_categories

__all__ = ["gathered_bytes", "kept_columns", "read_bytes", "read_columns", "stored_inputs"]


def stored_inputs(
    dataset: Dataset, order: Order, reduction: Reduction, stored: Mapping[str, OrderedColumn | None], crew: Crew
) -> tuple[Inputs, dict[str, Column]]:
    """A reduction's columns in a stored order: those of the store if all are there, else gathered into memory."""
    found = {name: column for name, column in stored.items() if column is not None}
    if len(found) < len(stored):
        columns = read_columns(dataset, reduction, crew)
        return gather_inputs(order, reduction, columns, crew), columns
    dtype = own = np.dtype(np.uint32)
    values = valid = codes = labels = None
    if reduction.column is not None:
        column = found[reduction.column]
        values, valid = column.values, column.valid
        assert values is not None
        own = values.array.dtype
        dtype = reduction.accumulator(values.array)
    if reduction.category is not None:
        codes, labels = found[reduction.category].codes, found[reduction.category].labels
        labels = dataset.labels(reduction.category) if labels is None else labels
        check_categories(reduction.category, labels)
    numbers = order.row_numbers if reduction.ordered else None
    return Inputs(reduction, dtype, own, labels, numbers, values, valid, codes), {}


def read_columns(dataset: Dataset, reduction: Reduction, crew: Crew) -> dict[str, Column]:
    """A reduction's columns in memory. Raises what reading does, and BadInput for too many categories."""
    columns = {name: dataset.column(name, crew.progress, crew.cancel) for name in reduction.columns}
    if reduction.category is not None:
        check_categories(reduction.category, columns[reduction.category].categories or ())
    return columns


def read_bytes(dataset: Dataset, layer: Layer) -> int:
    """Bytes a row of both axes, where they have to be read: what is in memory already is shared."""
    axes = (dataset.info(name).type for name in layer.axis_columns)
    return sum(axis_dtype(each).itemsize for each in axes) if dataset.files else 0


def kept_columns(layer: Layer) -> tuple[str, ...]:
    """The columns that a layer of points has in its order, its reduction's first."""
    if layer.glyph == "line":
        return ()
    expression = layer.expression
    return tuple(dict.fromkeys((*layer.reduction.columns, *(() if expression is None else sorted(expression.columns)))))


def gathered_bytes(dataset: Dataset, layer: Layer) -> int:
    """Bytes a row of a reduction's columns, as they are read and as they are in order."""
    return sum(2 * axis_dtype(dataset.info(name).type).itemsize for name in layer.reduction.columns)
