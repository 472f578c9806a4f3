"""The rows of a table in memory as images read them: two axes, what the reduction reads, and the labels of its
category."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.canvas.table import declared, opened
from bigviz.aggregate.inputs import Inputs, bound, load
from bigviz.aggregate.reductions.base import Reduction
from bigviz.aggregate.reductions.by import By
from bigviz.common.workers import Crew
from bigviz.data.columns.column import Column, ColumnInfo
from bigviz.data.dataset import Dataset
from bigviz.data.filters.check import check
from bigviz.data.filters.kept import kept
from bigviz.data.filters.parse import parse

__all__ = ["TableRows", "Wanted"]

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Wanted:
    """What is drawn of a table: the columns of both axes, the reduction, and the expression that rows meet, if any."""

    x: str
    y: str
    reduction: Reduction
    filter: str = ""

    @property
    def columns(self) -> set[str]:
        """The names of all columns that are read."""
        filtering = parse(self.filter).columns if self.filter else ()
        return {self.x, self.y, *self.reduction.sources, *filtering}

    @property
    def coded(self) -> str | None:
        """The category, where it is read as nothing else."""
        if not isinstance(self.reduction, By):
            return None
        label = self.reduction.label
        return None if label in replace(self, reduction=self.reduction.inner).columns else label


@dataclass(frozen=True)
class TableRows:
    """Rows of a table; `reduction` is the one that was wanted as it reads this table, and `dataset` the table where all
    of its rows are here."""

    x: Column
    y: Column
    reduction: Reduction
    inputs: Inputs
    labels: list[Any]
    dataset: Dataset | None = None

    def __len__(self) -> int:
        return len(self.x)

    @property
    def infos(self) -> tuple[ColumnInfo, ColumnInfo]:
        """What is known of the axes."""
        return self.x.info, self.y.info

    @staticmethod
    def of(source: object, wanted: Wanted) -> TableRows:
        """The rows of whatever `bigviz.open` takes. Raises NotFound, Unplottable and BadInput for columns that are
        missing or of no use, and for a wrong filter."""
        dataset = opened(source, wanted.columns, wanted.coded)
        keep = None
        if wanted.filter:
            keep = kept(dataset, check(parse(wanted.filter), dataset), Crew())
        x, y = (_some(dataset.column(name), keep) for name in (wanted.x, wanted.y))
        reduction, inputs, labels = _inputs(source, dataset, wanted.reduction)
        return TableRows(x, y, reduction, _taken(inputs, keep), labels, None if wanted.filter else dataset)


def _some(column: Column, keep: Mask | None) -> Column:
    """The rows of a column that are kept (None: all)."""
    return column if keep is None else column.take(keep)


def _taken(inputs: Inputs, keep: Mask | None) -> Inputs:
    """What a reduction reads of the rows that are kept (None: all)."""
    if keep is None:
        return inputs
    values, codes = (None if each is None else each.take(keep) for each in (inputs.values, inputs.codes))
    return replace(inputs, values=values, codes=codes)


def _inputs(source: object, dataset: Dataset, reduction: Reduction) -> tuple[Reduction, Inputs, list[Any]]:
    """The reduction as it reads the table, what it reads, and the labels of its category."""
    if not isinstance(reduction, By):
        bare = bound(reduction, dataset)
        return bare, load(dataset, bare), []
    known = declared(source, dataset, reduction.label)
    if known is None:
        reduction = bound(reduction, dataset)
        assert reduction.category is not None
        return reduction, load(dataset, reduction), list(dataset.column(reduction.category).categories or ())
    inner = bound(reduction.inner, dataset)
    inputs = replace(load(dataset, inner), codes=known.codes, categories=len(known.labels))
    return replace(reduction, inner=inner), inputs, known.labels
