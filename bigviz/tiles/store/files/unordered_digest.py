"""Sums that do not depend on the order of rows: they show that sorting has neither lost nor invented one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import frozen, jit

__all__ = ["digests"]

Array = npt.NDArray[Any]


def digests(values: Array, rows: Array, bounds: Array) -> npt.NDArray[np.uint64]:
    """For each run between two bounds (int64) a 64-bit sum over its (value, row number) pairs: the same for the same
    pairs in any order."""
    out = np.zeros(len(bounds) - 1, np.uint64)
    _digests(frozen(values).view(f"u{values.itemsize}"), frozen(rows), frozen(bounds), out)
    return out


@jit
def _digests(values: Array, rows: Array, bounds: Array, out: Array) -> None:
    """Each pair is mixed as splitmix64 does (G. Steele, D. Lea, C. Flood, OOPSLA 2014)."""
    for run in range(out.size):
        total = np.uint64(0)
        for k in range(bounds[run], bounds[run + 1]):
            word = np.uint64(values[k]) + np.uint64(rows[k] + 1) * np.uint64(0x9E3779B97F4A7C15)
            word = (word ^ word >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
            word = (word ^ word >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
            total += word ^ word >> np.uint64(31)
        out[run] = total
