"""Sum and mean: accumulators of values and of their number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.reductions.base import CELLS_ONLY, Array, Grid, Planes, Reduction, Rows, valued
from bigviz.aggregate.reductions.kernels import add_halves, add_values, divide
from bigviz.aggregate.reductions.traits import Traits
from bigviz.common.jit import frozen


@dataclass(frozen=True)
class Sum(Reduction):
    """Sum of the values, int64 or float64, and their number; 0 where there is none.

    Floats are added in float64 in the order of the rows. Integers are added in int64, exactly, where the column's
    extremes rule out an overflow, else in float64.
    """

    name: ClassVar[str] = "sum"
    traits: ClassVar[Traits] = Traits(
        ("value", "count"), pixel="sum", total="sum", additive=True, zero=True, float_order=True
    )
    adds: ClassVar[bool] = True
    restarts: ClassVar[bool] = False  # a sum that became NaN (inf - inf) begins again with the next value

    def accumulator(self, values: Array) -> np.dtype[Any]:
        return _sum_dtype(values.dtype, len(values), lambda: (int(values.min()), int(values.max())))

    def accumulator_of(self, dtype: np.dtype[Any], rows: int, extremes: Callable[[], tuple[int, int]]) -> np.dtype[Any]:
        return _sum_dtype(dtype, rows, extremes)

    def _empty(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Planes:
        return np.zeros(shape, dtype), np.zeros(shape, np.uint32)

    def append(self, planes: Planes, cells: npt.NDArray[np.int32], rows: Rows = CELLS_ONLY) -> None:
        sums, counts = planes
        cells, values = valued(cells, rows, sums.dtype)
        add_values(sums.reshape(-1), counts.reshape(-1), frozen(cells), values, self.restarts)

    def combine(self, planes: Planes, others: Planes) -> None:
        for plane, other in zip(planes, others, strict=True):
            np.add(plane, other, out=plane)


@dataclass(frozen=True)
class Mean(Sum):
    """Mean of the values, float64: the sum divided by the number of values that are not null."""

    name: ClassVar[str] = "mean"
    traits: ClassVar[Traits] = Traits(("value", "count"), pixel="mean", total=None, derived=True, float_order=True)

    def finalize(self, planes: Planes) -> Grid:
        sums, counts = planes
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            return Grid(sums / counts, counts > 0)

    def finish(self, planes: Planes) -> Grid:
        sums, counts = planes
        if sums.dtype != np.float64 or not (sums.flags.c_contiguous and counts.flags.c_contiguous):
            return self.finalize(planes)
        divide(sums.reshape(-1), frozen(counts.reshape(-1)))
        return Grid(sums, counts > 0)


@dataclass(frozen=True)
class TimeMean(Mean):
    """Mean of a column of times: int64 nanoseconds, exact but for its fraction of one, which is left out (rounded
    down).

    Sums of nanoseconds leave int64 after a few rows, and float64 would lose their last digits: the upper and lower 32
    bits are added apart.
    """

    traits: ClassVar[Traits] = Traits(("value", "value", "count"), pixel="mean", total=None, derived=True)

    def accumulator(self, values: Array) -> np.dtype[Any]:
        return np.dtype(np.int64)

    def accumulator_of(self, dtype: np.dtype[Any], rows: int, extremes: Callable[[], tuple[int, int]]) -> np.dtype[Any]:
        return np.dtype(np.int64)

    def _empty(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Planes:
        return np.zeros(shape, np.int64), np.zeros(shape, np.uint64), np.zeros(shape, np.uint32)

    def append(self, planes: Planes, cells: npt.NDArray[np.int32], rows: Rows = CELLS_ONLY) -> None:
        high, low, counts = planes
        cells, values = valued(cells, rows, high.dtype)
        add_halves(high.reshape(-1), low.reshape(-1), counts.reshape(-1), frozen(cells), values)

    def finalize(self, planes: Planes) -> Grid:
        high, low, counts = planes
        number = np.maximum(counts, 1)
        upper, rest = np.divmod(high, number.astype(np.int64))
        lower, less = np.divmod(low, number.astype(np.uint64))
        carried = ((rest.astype(np.uint64) << np.uint64(32)) + less) // number.astype(np.uint64)
        return Grid((upper << np.int64(32)) + lower.astype(np.int64) + carried.astype(np.int64), counts > 0)

    def finish(self, planes: Planes) -> Grid:
        return self.finalize(planes)


def _sum_dtype(dtype: np.dtype[Any], rows: int, extremes: Callable[[], tuple[int, int]]) -> np.dtype[Any]:
    """int64 where no sum of the column's integers can leave it, else float64."""
    if dtype.kind == "f":
        return np.dtype(np.float64)
    bits = dtype.itemsize * 8
    if (bits < 64 and rows <= 1 << (63 - bits)) or not rows:
        return np.dtype(np.int64)
    low, high = extremes()
    largest = -low if -low > high else high
    return np.dtype(np.int64 if largest * rows < 1 << 63 else np.float64)
