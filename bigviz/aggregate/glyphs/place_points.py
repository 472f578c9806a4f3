"""The cells of points in an image: both sides of a row at once, without a branch, so that the compiler uses vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.canvas_bins import Bins
from bigviz.common.jit import frozen, jit

__all__ = ["Places", "terms"]

Array = npt.NDArray[Any]
Side = tuple[Array, Array | None]


@dataclass(frozen=True)
class Places:
    """Writes the cells of rows, `row * width + column`, and `outside` for rows that are in none."""

    x: Bins
    y: Bins
    outside: int

    def write(self, x: Side, y: Side, out: npt.NDArray[np.int32]) -> None:
        """The cells of rows whose numbers (float32, float64, int64 or uint64) are `x` and `y`, each with its mask or
        None. Null, NaN and numbers outside the window are outside."""
        if any(bins.log or bins.exact(values.dtype) for bins, (values, _) in ((self.x, x), (self.y, y))):
            self.x.place(*x, out)
            self.y.place(*y, out, self.x.size)
            np.copyto(out, np.int32(self.outside), where=out < 0)
            return
        xs, ys = (frozen(v if v.dtype.kind == "f" else v.astype(np.float64)) for v, _ in (x, y))
        _place(xs, ys, *terms(self.x), *terms(self.y), self.x.size, self.y.size, self.outside, out)
        for _, valid in (x, y):
            if valid is not None:
                np.copyto(out, np.int32(self.outside), where=~valid)


def terms(bins: Bins) -> tuple[float, float, float, float]:
    """Both ends of a side, and the scale and shift of its map, as kernels take them."""
    return float(bins.low), float(bins.high), bins.scale, bins.shift


@jit
def _place(
    x: Array,
    y: Array,
    x_low: float,
    x_high: float,
    x_scale: float,
    x_shift: float,
    y_low: float,
    y_high: float,
    y_scale: float,
    y_shift: float,
    width: int,
    height: int,
    outside: int,
    out: Array,
) -> None:
    """`Bins.place` of both sides. What rounding puts past an end goes into the cell at that end."""
    none, stride = np.int32(outside), np.int32(width)
    zero, last_column, last_row = np.int32(0), np.int32(width - 1), np.int32(height - 1)
    for k in range(x.size):
        across, up = np.float64(x[k]), np.float64(y[k])
        column, row = np.int32(across * x_scale + x_shift), np.int32(up * y_scale + y_shift)
        column = min(max(column, zero), last_column)
        row = min(max(row, zero), last_row)
        inside = (x_low <= across) & (across <= x_high) & (y_low <= up) & (up <= y_high)
        out[k] = np.int32(row * stride + column) if inside else none
