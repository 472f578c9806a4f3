"""Integers as float64 offsets from an integer near them, so that a browser's numbers hold them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["middle", "offsets"]

Array = npt.NDArray[Any]


def middle(values: Array) -> int:
    """The integer halfway between the smallest and the largest of integers; 0 of floats and of none."""
    if values.dtype.kind == "f" or not len(values):
        return 0
    return (int(values.min()) + int(values.max())) // 2


def offsets(values: Array, origin: int) -> npt.NDArray[np.float64]:
    """float64, shape as `values`: integers of any width less `origin`, floats as they are.

    Exact within 2^53 of the origin, rounded to nearest further away, never wrapped.
    """
    if values.dtype.kind == "f":
        return values.astype(np.float64)
    words = values.astype(np.uint64 if values.dtype.kind == "u" else np.int64, copy=False)
    near = words.astype(np.float64) - float(origin)
    exact = (words.view(np.uint64) - np.uint64(origin % (1 << 64))).view(np.int64).astype(np.float64)
    return np.where(np.abs(near) < 2.0**62, exact, near)
