"""Windows in axis space compared with numbers exactly, whatever the types: no number is rounded to be compared."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.dyadic_cells import Root
from bigviz.common.errors import BadInput

__all__ = ["Number", "check_window", "closed_within", "codes_between", "float_from", "integer_from", "within"]

Array = npt.NDArray[Any]
Number = int | float


def check_window(low: Number, high: Number, axis: str) -> None:
    """Raise BadInput naming the field (`x0`, `x1`, ...) unless the ends are finite and ascend."""
    for name, end in ((f"{axis}0", low), (f"{axis}1", high)):
        if not math.isfinite(end):
            raise BadInput(f"{name} must be a finite number, got {end}", name, end)
    if not low < high:
        raise BadInput(f"{axis}0 must be below {axis}1, got {low} and {high}", f"{axis}0", low)


def float_from(number: Number | Fraction) -> float:
    """The smallest float64 that is not below a number; infinity beyond the largest."""
    if isinstance(number, float):
        return number
    try:
        nearest = float(number)
    except OverflowError:
        return math.inf if number > 0 else -float(np.finfo(np.float64).max)
    return nearest if Fraction(nearest) >= number else math.nextafter(nearest, math.inf)


def integer_from(number: Number | Fraction, dtype: np.dtype[Any]) -> tuple[int, bool]:
    """The smallest integer of a dtype that is not below a number; False where there is none."""
    bounds = np.iinfo(dtype)
    least = max(math.ceil(number), int(bounds.min))
    return (least, True) if least <= bounds.max else (int(bounds.max), False)


def within(values: Array, low: Number, high: Number) -> npt.NDArray[np.bool_]:
    """Where `low <= value < high`, exactly; False for NaN. `values` is float32, float64, int64 or uint64."""
    if values.dtype.kind == "f":
        numbers = values.astype(np.float64, copy=False)
        return np.logical_and(numbers >= float_from(low), numbers < float_from(high))
    first, some = integer_from(low, values.dtype)
    stop, bounded = integer_from(high, values.dtype)
    if not some:
        return np.zeros(len(values), np.bool_)
    above: npt.NDArray[np.bool_] = values >= values.dtype.type(first)
    return np.logical_and(above, values < values.dtype.type(stop)) if bounded else above


def closed_within(values: Array, low: Number, high: Number) -> npt.NDArray[np.bool_]:
    """The same for `low <= value <= high`."""
    if values.dtype.kind == "f":
        numbers = values.astype(np.float64, copy=False)
        return np.logical_and(numbers >= float_from(low), numbers <= -float_from(-high))
    return within(values, low, math.floor(high) + 1)


def codes_between(root: Root, low: Number, high: Number) -> tuple[int, int] | None:
    """The first and last code that numbers of `[low, high]` have in a root; None where the window misses the root."""
    first, last = max(root.cell(low, 32), 0), min(root.cell(high, 32), (1 << 32) - 1)
    return (first, last) if first <= last else None
