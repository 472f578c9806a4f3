"""Integers as float64 offsets from an integer near them, so that a browser's numbers hold them; as int64 offsets where
they lie too far apart for that."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = ["middle", "offsets", "positions"]

Array = npt.NDArray[Any]

_EXACT: Final = 2.0**53


def middle(values: Array) -> int:
    """The integer halfway between the smallest and the largest of integers, rounded up; 0 of floats and of none.

    All of them lie within an int64 of it.
    """
    if values.dtype.kind == "f" or not len(values):
        return 0
    return (int(values.min()) + int(values.max()) + 1) // 2


def positions(values: Array, near: int | None = None) -> tuple[int, Array]:
    """An origin and the values less it: `near` (by default their middle) and float64 offsets, exact; or, where float64
    does not hold these, the middle and int64 offsets. Floats are float64, as they are, from origin 0."""
    origin = middle(values) if near is None or values.dtype.kind == "f" else near
    found = offsets(values, origin)
    if values.dtype.kind == "f" or not len(values) or np.abs(found).max() < _EXACT:
        return origin, found
    origin = middle(values)
    return origin, _less(values, origin)


def offsets(values: Array, origin: int) -> npt.NDArray[np.float64]:
    """float64, shape as `values`: integers of any width less `origin`, floats as they are.

    Exact within 2^53 of the origin, rounded to nearest further away, never wrapped.
    """
    if values.dtype.kind == "f":
        return values.astype(np.float64)
    near = values.astype(np.float64) - float(origin)
    return np.where(np.abs(near) < 2.0**62, _less(values, origin).astype(np.float64), near)


def _less(values: Array, origin: int) -> npt.NDArray[np.int64]:
    """Integers less an origin, modulo 2^64."""
    words = values.astype(np.uint64 if values.dtype.kind == "u" else np.int64, copy=False)
    return (words.view(np.uint64) - np.uint64(origin % (1 << 64))).view(np.int64)
