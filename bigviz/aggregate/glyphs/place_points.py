"""The cells of points in an image: both sides of a row at once, without a branch, so that the compiler uses vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.glyphs.bins import Bins
from bigviz.common.jit import frozen, jit

__all__ = ["Places", "Sides", "edges", "hide", "place"]

Array = npt.NDArray[Any]
Side = tuple[Array, Array | None]


class Sides(NamedTuple):
    """Both sides of an image as kernels take them: the ends of each, the scale and shift of its map, its cells."""

    x_low: float
    x_high: float
    x_scale: float
    x_shift: float
    y_low: float
    y_high: float
    y_scale: float
    y_shift: float
    width: int
    height: int

    @staticmethod
    def of(x: Bins, y: Bins) -> Sides:
        """The sides of an image with these bins."""
        ends = (float(x.low), float(x.high), x.scale, x.shift, float(y.low), float(y.high), y.scale, y.shift)
        return Sides(*ends, x.size, y.size)


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
        place(xs, ys, Sides.of(self.x, self.y), self.outside, 0, out)
        for _, valid in (x, y):
            if valid is not None:
                np.copyto(out, np.int32(self.outside), where=~valid)


@jit
def place(x: Array, y: Array, sides: Sides, outside: int, spare: int, out: Array) -> None:
    """`Bins.place` of both sides. What rounding puts past an end goes into the cell at that end.

    Row k is in cell `outside + (k & spare)` where it is in none: a processor adds to one and the same cell only as
    fast as it reads what it has just written there.
    """
    none, stride, turns = np.int32(outside), np.int32(sides.width), np.int32(spare)
    zero, last_column, last_row = np.int32(0), np.int32(sides.width - 1), np.int32(sides.height - 1)
    left, right, bottom, top = edges(x, y, sides)
    for k in range(x.size):
        across, up = x[k], y[k]
        column = np.int32(np.float64(across) * sides.x_scale + sides.x_shift)
        row = np.int32(np.float64(up) * sides.y_scale + sides.y_shift)
        column = min(max(column, zero), last_column)
        row = min(max(row, zero), last_row)
        inside = (left <= across) & (across <= right) & (bottom <= up) & (up <= top)
        out[k] = np.int32(row * stride + column) if inside else np.int32(none + (np.int32(k) & turns))


@jit
def edges(x: Array, y: Array, sides: Sides) -> tuple[Any, Any, Any, Any]:
    """The least and the greatest x and y in the window, in the widths of x and y."""
    return (
        _least(sides.x_low, x),
        -_least(-sides.x_high, x),
        _least(sides.y_low, y),
        -_least(-sides.y_high, y),
    )


@jit
def _least(bound: float, values: Array) -> Any:
    """The least number of the dtype of some floats that is not below a bound: compared in their own width, twice as
    many float32 fit into a vector."""
    number_of = values.dtype.type
    number = number_of(bound)
    return number if number >= bound else np.nextafter(number, number_of(np.inf))


@jit
def hide(valid: Array, outside: int, out: Array) -> None:
    """Put the rows that are not valid into no cell."""
    for k in range(valid.size):
        out[k] = out[k] if valid[k] else np.int32(outside)
