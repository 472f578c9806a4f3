"""How many rows of a square are past the edge of a pixel on an axis, by the bits of that axis in their keys.

Loops over rows are in functions of their own, without a branch and over unsigned positions, so that the compiler makes
vectors of them; a slice for each would cost as much as twenty rows.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import jit

__all__ = ["BITS", "NO_EDGE", "VECTOR", "Edges", "bits_of", "few_past_both", "few_past_one", "past", "shared_rows"]

Array = npt.NDArray[Any]
Edges = tuple[Any, Any, Any, Any]  # of a node: the bits of the edge that cuts x and of its shared code, then of y's

NO_EDGE: Final = np.iinfo(np.int64).max  # bits of no code
BITS: Final = 0x5555555555555555  # those of one axis in a key
_VECTOR_BITS: Final = 4
VECTOR: Final = 1 << _VECTOR_BITS  # keys that the compiler takes at a time
_ZERO: Final[Any] = np.int64(0)  # of a literal numba would compile what it is given to once more


@jit
def bits_of(key: np.uint64, which: int) -> Any:
    """The bits of one axis, 0 for x, as a number in the order of its codes."""
    return np.int64(key >> np.uint64(which) & np.uint64(BITS))


@jit
def past(keys: Array, at: int, stop: int, edges: Edges) -> tuple[Any, Any, Any]:
    """How many rows are past the edge of x, past that of y, and past both."""
    if edges[2] == NO_EDGE:
        return _past_one(keys, at, stop, 0, edges[0]), 0, 0
    if edges[0] == NO_EDGE:
        return 0, _past_one(keys, at, stop, 1, edges[2]), 0
    return _past_both(keys, at, stop, edges[0], edges[2])


@jit
def _past_one(keys: Array, at: int, stop: int, which: int, edge: int) -> int:
    count, by, first = 0, np.uint64(which), np.uint64(at)
    for k in range(np.uint64(stop - at)):
        count += int(np.int64(keys[first + k] >> by & np.uint64(BITS)) > edge)
    return count


@jit
def _past_both(keys: Array, at: int, stop: int, x_edge: int, y_edge: int) -> tuple[int, int, int]:
    zero: Any = 0
    rights, aboves, corners, first = zero, zero, zero, np.uint64(at)
    for k in range(np.uint64(stop - at)):
        is_right, is_above = bits_of(keys[first + k], 0) > x_edge, bits_of(keys[first + k], 1) > y_edge
        rights += np.int64(is_right)
        aboves += np.int64(is_above)
        corners += np.int64(is_right & is_above)
    return rights, aboves, corners


@jit
def shared_rows(keys: Array, at: int, stop: int, x_code: int, y_code: int) -> int:
    """How many rows are on a code of x or one of y."""
    count, first = 0, np.uint64(at)
    for k in range(np.uint64(stop - at)):
        count += int((bits_of(keys[first + k], 0) == x_code) | (bits_of(keys[first + k], 1) == y_code))
    return count


# Those of few rows go on to the end of a vector: to count what is left over one by one takes longer.


@jit
def few_past_one(keys: Array, at: Any, rows: Any, which: int, edge: Any) -> Any:
    count, by, first = _ZERO, np.uint64(which), np.uint64(at)
    for k in range(_filled(rows)):
        count += np.int64((bits_of(keys[first + k] >> by, 0) > edge) & (np.int64(k) < rows))
    return count


@jit
def few_past_both(keys: Array, at: Any, rows: Any, x_edge: Any, y_edge: Any) -> tuple[Any, Any, Any]:
    rights, aboves, corners, first = _ZERO, _ZERO, _ZERO, np.uint64(at)
    for k in range(_filled(rows)):
        known = np.int64(k) < rows
        is_right, is_above = (bits_of(keys[first + k], 0) > x_edge) & known, bits_of(keys[first + k], 1) > y_edge
        rights += np.int64(is_right)
        aboves += np.int64(is_above & known)
        corners += np.int64(is_right & is_above)
    return rights, aboves, corners


@jit
def _filled(rows: Any) -> Any:
    """A number of rows and of those that fill the last vector."""
    return np.uint64(rows + VECTOR - 1 >> _VECTOR_BITS) << np.uint64(_VECTOR_BITS)
