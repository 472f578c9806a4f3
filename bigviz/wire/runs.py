"""The filled cells of a flat plane: where they lie, as runs, and their values one after the other.

Values are moved as the words of bits that they are, so a kernel is compiled once a size and not once a dtype. Finding
runs and gathering values pass over eight cells at once where none begins or ends, and have no branch on the data
elsewhere: half-full planes, where none could be predicted, take no longer.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import frozen, jit

__all__ = ["add_to_runs", "extremes", "find_runs", "gather", "scatter"]

Array = npt.NDArray[Any]

_NONE: Final = np.uint64(0)  # eight cells of a mask
_ALL: Final = np.uint64(0x0101010101010101)


def find_runs(filled: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.uint32], int]:
    """The runs of True in a flat mask of a multiple of 8 cells, and how many cells are True in all.

    A row of the (runs, 2) result holds the number of cells between the run before and this one, and its length.
    """
    lengths = np.empty(filled.size + 2, np.uint32)
    number, count = _find_runs(frozen(filled), frozen(filled.view(np.uint64)), lengths)
    return lengths[:number].reshape(-1, 2), int(count)


def gather(values: Array, filled: npt.NDArray[np.bool_], count: int) -> Array:
    """The values of the `count` cells of a flat plane that are filled."""
    kept = np.empty(count + 1, values.dtype)
    _gather(frozen(_words(values)), frozen(filled), frozen(filled.view(np.uint64)), _words(kept))
    return kept[:count]


def scatter(kept: Array, pairs: npt.NDArray[np.uint32], values: Array, filled: npt.NDArray[np.bool_]) -> None:
    """Put values back into the runs of a flat plane of their dtype, and mark these in a flat mask.

    The runs must lie within the plane and hold as many cells as there are values.
    """
    _scatter(frozen(_words(kept)), frozen(pairs), _words(values), filled)


def add_to_runs(kept: Array, pairs: npt.NDArray[np.uint32], values: Array) -> bool:
    """Add the values `kept` to the cells of the runs `pairs` in a flat plane. False, with some added already, where the
    runs reach beyond the plane or do not have as many cells as there are values."""
    if kept.dtype != np.float32 or values.dtype != np.float64:  # the kernel widens these as it goes
        kept = kept.astype(values.dtype, copy=False)
    return bool(_add_to_runs(frozen(kept), frozen(pairs), values))


def extremes(values: npt.NDArray[np.floating[Any]]) -> tuple[bool, float, float]:
    """Whether float32 holds float32 or float64 values exactly (NaN counts as NaN), and the lowest and highest of them:
    NaN where no value is a number."""
    exact, low, high = _extremes(frozen(values))
    return bool(exact), *((float(low), float(high)) if low <= high else (math.nan, math.nan))


def _words(values: Array) -> Array:
    """The same memory as unsigned words of the same size."""
    return values.view(f"u{values.dtype.itemsize}")


@jit
def _find_runs(filled: Array, eights: Array, lengths: Array) -> tuple[int, int]:
    """Write how far each change of the mask is from the one before; their number, and how many cells are filled."""
    number = 0
    count = 0
    last = 0
    before = False
    for eight in range(eights.size):
        if eights[eight] == (_ALL if before else _NONE):
            count += 8 * before
            continue
        for k in range(8 * eight, 8 * eight + 8):
            lengths[number] = k - last
            changes = filled[k] != before
            number += changes
            last = k if changes else last
            before = filled[k]
            count += before
    lengths[number] = filled.size - last
    return number + before, count


@jit
def _gather(values: Array, filled: Array, eights: Array, kept: Array) -> None:
    at = 0
    for eight in range(eights.size):
        if eights[eight] == _NONE:
            continue
        for k in range(8 * eight, 8 * eight + 8):
            kept[at] = values[k]
            at += filled[k]


@jit
def _scatter(kept: Array, pairs: Array, values: Array, filled: Array) -> None:
    cell = np.int64(0)
    at = np.int64(0)
    for run in range(pairs.shape[0]):
        cell += pairs[run, 0]
        for _ in range(pairs[run, 1]):
            values[cell] = kept[at]
            filled[cell] = True
            at += 1
            cell += 1


@jit
def _add_to_runs(kept: Array, pairs: Array, values: Array) -> bool:
    cell = np.int64(0)
    at = np.int64(0)
    for run in range(pairs.shape[0]):
        cell += pairs[run, 0]
        length = np.int64(pairs[run, 1])
        if at + length > kept.size or cell + length > values.size:
            return False
        for k in range(length):
            values[cell + k] += kept[at + k]
        at += length
        cell += length
    return bool(at == kept.size)


@jit
def _extremes(values: Array) -> tuple[bool, float, float]:
    exact = True
    low = np.inf
    high = -np.inf
    for k in range(values.size):
        value = values[k]
        exact &= (np.float32(value) == value) | (value != value)
        low = value if value < low else low
        high = value if value > high else high
    return exact, low, high
