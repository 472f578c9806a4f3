"""By: a reduction for each label of a category column."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.reductions.base import CELLS_ONLY, Array, Grid, Planes, Reduction, Rows, quoted
from bigviz.aggregate.reductions.counts import Count
from bigviz.aggregate.reductions.kernels import spread_cells
from bigviz.aggregate.reductions.traits import Traits
from bigviz.common.jit import frozen
from bigviz.data.columns.column import as_labels


@dataclass(frozen=True)
class By(Reduction):
    """One plane a label of a column, each with its own reduction; rows without a label are skipped.

    Every plane has the shape (categories, rows, columns), labels in their sorted order. `numbers` says that the column
    holds integers or booleans, which are its labels (see `inputs.bound`).
    """

    name: ClassVar[str] = "by"
    label: str = ""
    inner: Reduction = field(default_factory=Count)
    numbers: bool = False

    @property
    def category(self) -> str:
        return as_labels(self.label) if self.numbers else self.label

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.label, *self.inner.sources)))

    @property
    def plane(self) -> Reduction:
        return self.inner

    @property
    def traits(self) -> Traits:  # type: ignore[override]
        return self.inner.traits

    @property
    def ordered(self) -> bool:  # type: ignore[override]
        return self.inner.ordered

    def __str__(self) -> str:
        name = quoted(self.label)
        return f"by({name})" if self.inner == Count() else f"by({name}, {self.inner})"

    def accumulator(self, values: Array) -> np.dtype[Any]:
        return self.inner.accumulator(values)

    def accumulator_of(self, dtype: np.dtype[Any], rows: int, extremes: Callable[[], tuple[int, int]]) -> np.dtype[Any]:
        return self.inner.accumulator_of(dtype, rows, extremes)

    def _empty(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Planes:
        return self.inner._empty(shape, dtype)

    def append(self, planes: Planes, cells: npt.NDArray[np.int32], rows: Rows = CELLS_ONLY) -> None:
        if rows.codes is None:
            raise ValueError(f"by needs the category codes of {self.label!r}")
        count, *shape = planes[0].shape
        spread = np.empty(len(cells), np.int32)
        codes = frozen(np.ascontiguousarray(rows.codes, np.int32))
        spread_cells(frozen(cells), codes, math.prod(shape), count, -1, spread)
        self.inner.append(planes, spread, rows)

    def combine(self, planes: Planes, others: Planes) -> None:
        self.inner.combine(planes, others)

    def finalize(self, planes: Planes) -> Grid:
        return self.inner.finalize(planes)

    def finish(self, planes: Planes) -> Grid:
        return self.inner.finish(planes)
