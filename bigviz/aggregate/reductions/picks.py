"""First and last: the value of the row with the lowest or the highest number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.reductions.base import CELLS_ONLY, Grid, Planes, Reduction, Rows, valued
from bigviz.aggregate.reductions.kernels import keep_row
from bigviz.aggregate.reductions.traits import Traits
from bigviz.common.jit import frozen

_LAST_ROW: Final = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Pick(Reduction):
    """Value of the row with the lowest or the highest number among those that are not null."""

    ordered: ClassVar[bool] = True
    lowest: ClassVar[bool] = True

    def _empty(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Planes:
        return np.zeros(shape, dtype), np.full(shape, _LAST_ROW if self.lowest else -1, np.int64)

    def append(self, planes: Planes, cells: npt.NDArray[np.int32], rows: Rows = CELLS_ONLY) -> None:
        picked, numbers = planes
        cells, values = valued(cells, rows, picked.dtype)
        if rows.numbers is None:
            raise ValueError(f"{self.name} needs the row numbers")
        own = frozen(np.ascontiguousarray(rows.numbers, np.int64))
        keep_row(picked.reshape(-1), numbers.reshape(-1), frozen(cells), values, own, self.lowest)

    def combine(self, planes: Planes, others: Planes) -> None:
        (picked, numbers), (other, rival) = planes, others
        beats = rival < numbers if self.lowest else rival >= numbers
        np.copyto(picked, other, where=beats)
        np.copyto(numbers, rival, where=beats)

    def finalize(self, planes: Planes) -> Grid:
        return Grid(planes[0], planes[1] != (_LAST_ROW if self.lowest else -1))


@dataclass(frozen=True)
class First(Pick):
    """Value of the lowest row number."""

    name: ClassVar[str] = "first"
    traits: ClassVar[Traits] = Traits(("value", "value"), pixel="first", total=None, own=True)


@dataclass(frozen=True)
class Last(Pick):
    """Value of the highest row number."""

    name: ClassVar[str] = "last"
    traits: ClassVar[Traits] = Traits(("value", "value"), pixel="last", total=None, own=True)
    lowest: ClassVar[bool] = False
