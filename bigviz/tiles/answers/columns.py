"""A line's decimated rows."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bigviz.aggregate.axis import Axis
from bigviz.data.columns.column import Column
from bigviz.data.columns.numbers import axis_dtype
from bigviz.data.columns.true_values import Numeric
from bigviz.data.dataset import Dataset
from bigviz.tiles.answers.answer import Cost

__all__ = ["Columns"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Columns:
    """A line's decimated rows, in x order, ties in file order.

    `column` and `run` are int32 (column -1 and `width`: the nearest row on each side of the window; rows that follow
    each other with the same run are joined), `row` int64 row numbers, `x` and `y` axis-space numbers (int64
    nanoseconds for times). `flagged` lists the columns of more than two runs.
    """

    column: Array
    run: Array
    row: Array
    x: Array
    y: Array
    width: int
    flagged: list[int]
    axes: tuple[Axis, Axis]
    cost: Cost = field(default_factory=Cost)

    def table(self, dataset: Dataset) -> pa.Table:
        """The same as a table: column, run, row, and x and y in their own types under their own names; `flagged` as a
        JSON list in the schema's metadata."""
        arrays = [pa.array(self.column), pa.array(self.run), pa.array(self.row)]
        arrays += [self._own(dataset, *each) for each in zip(self.axes, (self.x, self.y), strict=True)]
        names = ["column", "run", "row", *(axis.column.info.name for axis in self.axes)]
        table = pa.Table.from_arrays(arrays, names=names)
        return table.replace_schema_metadata({"flagged": json.dumps(self.flagged)})

    def _own(self, dataset: Dataset, axis: Axis, numbers: Array) -> pa.Array | pa.ChunkedArray:
        """The column's own values: from the axis's numbers where they hold them, else read."""
        info = axis.column.info
        if not axis.keeps_numbers or info.kind in ("decimal", "category"):
            return dataset.take(self.row, [info.name]).column(0)
        values = np.ascontiguousarray(numbers.astype(axis_dtype(info.type), copy=False))
        return Numeric(Column(info, values, None, None))(np.arange(len(values)))
