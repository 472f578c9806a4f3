"""Min and max."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.reductions.base import CELLS_ONLY, Planes, Reduction, Rows, valued
from bigviz.aggregate.reductions.kernels import combine_extremes, keep_extreme
from bigviz.aggregate.reductions.traits import Traits
from bigviz.common.jit import frozen


@dataclass(frozen=True)
class Extreme(Reduction):
    """Smallest or largest value, in the column's kind of number (float64, int64 or uint64); the first of equals."""

    lowest: ClassVar[bool] = True

    def _empty(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Planes:
        return np.zeros(shape, dtype), np.zeros(shape, np.uint8)

    def append(self, planes: Planes, cells: npt.NDArray[np.int32], rows: Rows = CELLS_ONLY) -> None:
        best, filled = planes
        cells, values = valued(cells, rows, best.dtype)
        keep_extreme(best.reshape(-1), filled.reshape(-1), frozen(cells), values, self.lowest)

    def combine(self, planes: Planes, others: Planes) -> None:
        (best, filled), (other, has) = planes, others
        if all(plane.flags.c_contiguous for plane in (best, filled, other, has)):
            flat = best.reshape(-1), filled.reshape(-1), frozen(other.reshape(-1)), frozen(has.reshape(-1))
            combine_extremes(*flat, self.lowest)
            return
        beats = other < best if self.lowest else other > best
        np.copyto(best, other, where=(has > 0) & ((filled == 0) | beats))
        np.bitwise_or(filled, has, out=filled)


@dataclass(frozen=True)
class Min(Extreme):
    """Smallest value."""

    name: ClassVar[str] = "min"
    traits: ClassVar[Traits] = Traits(("value", "mask"), pixel="min", total="min", own=True)


@dataclass(frozen=True)
class Max(Extreme):
    """Largest value."""

    name: ClassVar[str] = "max"
    traits: ClassVar[Traits] = Traits(("value", "mask"), pixel="max", total="max", own=True)
    lowest: ClassVar[bool] = False
