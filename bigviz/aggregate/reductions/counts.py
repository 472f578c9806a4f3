"""Count and any: rows, without or with a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.reductions.base import CELLS_ONLY, Planes, Reduction, Rows, not_null
from bigviz.aggregate.reductions.kernels import count_rows, mark_cells
from bigviz.aggregate.reductions.traits import Traits
from bigviz.common.jit import frozen


@dataclass(frozen=True)
class Count(Reduction):
    """Rows of each cell, uint32; with a column, rows whose value is not null."""

    name: ClassVar[str] = "count"
    traits: ClassVar[Traits] = Traits(("count",), pixel="sum", total="sum", additive=True, zero=True)

    def _empty(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Planes:
        return (np.zeros(shape, np.uint32),)

    def append(self, planes: Planes, cells: npt.NDArray[np.int32], rows: Rows = CELLS_ONLY) -> None:
        if self.column is not None:
            cells = not_null(cells, rows)
        count_rows(planes[0].reshape(-1), frozen(cells))

    def combine(self, planes: Planes, others: Planes) -> None:
        np.add(planes[0], others[0], out=planes[0])


@dataclass(frozen=True)
class Presence(Reduction):
    """Whether a cell holds a row, uint8 0 or 1; with a column, a row whose value is not null."""

    name: ClassVar[str] = "any"
    traits: ClassVar[Traits] = Traits(("value",), pixel="any", total="any", zero=True)

    def _empty(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Planes:
        return (np.zeros(shape, np.uint8),)

    def append(self, planes: Planes, cells: npt.NDArray[np.int32], rows: Rows = CELLS_ONLY) -> None:
        if self.column is not None:
            cells = not_null(cells, rows)
        mark_cells(planes[0].reshape(-1), frozen(cells))

    def combine(self, planes: Planes, others: Planes) -> None:
        np.bitwise_or(planes[0], others[0], out=planes[0])
