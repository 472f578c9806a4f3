"""Morton keys of rows, and the numbers that a key gives back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.dyadic_cells import INSIDE, NOWHERE, Root, power_of_two
from bigviz.common.jit import frozen, jit
from bigviz.tiles.grid.batches import Batch
from bigviz.tiles.grid.interleave import compact, spread

__all__ = ["Derived", "derived", "encode"]

Array = npt.NDArray[Any]
_PART: Final = 1 << 16  # rows whose codes stay in the cache between the kernels
_MOST_CELL: Final = 1 << 62  # cells are counted from zero in int64


def encode(batch: Batch, roots: tuple[Root, Root], keys: Array, rows: Array) -> tuple[int, Array]:
    """Write keys (uint64) and row numbers (uint32) of the rows inside both roots to the front of `keys` and `rows`.

    Returns how many there are, and the far rows (int64): numbers on both axes that do not lie in both roots.
    """
    done = 0
    far = [np.empty(0, np.int64)]
    codes = np.empty((2, min(_PART, batch.rows)), np.uint32)
    for start in range(0, batch.rows, _PART):
        part = slice(start, min(start + _PART, batch.rows))
        where = []
        for axis in (0, 1):
            values, valid = (batch.x, batch.y)[axis]
            held = codes[axis, : part.stop - start]
            where.append(roots[axis].codes(values[part], None if valid is None else valid[part], held))
        x, y = codes[:, : part.stop - start]
        found = _interleave(x, y, where[0], where[1], batch.first + start, keys[done:], rows[done:])
        if found < part.stop - start:
            lost = (where[0] != NOWHERE) & (where[1] != NOWHERE) & ((where[0] != INSIDE) | (where[1] != INSIDE))
            far.append(np.flatnonzero(lost) + (batch.first + start))
        done += found
    return done, np.concatenate(far)


@dataclass(frozen=True)
class Derived:
    """How an axis's numbers follow from its codes: each is the low edge of its cell, but for a few exceptions.

    `which` is 0 for x, 1 for y; `dtype` is float32, float64, int64 or uint64. Floats are `(code + base) * width`,
    integers `first + (code - base)` cells, where a cell is 2^shift numbers (or a number 2^-shift cells).
    """

    which: int
    dtype: np.dtype[Any]
    base: int
    width: float
    first: int
    shift: int

    def numbers(self, keys: Array) -> Array:
        """The low edges of the keys' cells."""
        out = np.empty(len(keys), np.uint64 if self.dtype.kind in "iu" else np.float64)
        if self.dtype.kind == "f":
            _float_edges(frozen(keys), self.which, self.base, self.width, out)
            return out.astype(self.dtype, copy=False)
        _integer_edges(frozen(keys), self.which, self.base, np.uint64(self.first), self.shift, out)
        return out.view(self.dtype)

    def numbers_within(self, keys: Array, low: Array, high: Array) -> Array:
        """The same of the keys at half-open ranges, one after the other."""
        rows = int((high - low).sum())
        out = np.empty(rows, self.dtype if self.dtype.kind == "f" else np.uint64)
        ranges = frozen(low), frozen(high)
        if self.dtype.kind == "f":
            _float_edges_within(frozen(keys), *ranges, self.which, self.base, self.width, out)
            return out
        _integer_edges_within(frozen(keys), *ranges, self.which, self.base, np.uint64(self.first), self.shift, out)
        return out.view(self.dtype)

    def exceptions(self, keys: Array, values: Array) -> npt.NDArray[np.int64]:
        """The positions at which the values are not what the keys give back, bit for bit."""
        words = f"u{self.dtype.itemsize}"
        return np.flatnonzero(self.numbers(keys).view(words) != values.view(words))


def derived(which: int, root: Root, dtype: np.dtype[Any]) -> Derived | None:
    """The rule of an axis whose numbers are the column's own; None where no such rule holds in 64 bits."""
    if dtype.kind in "iu":
        first = math.ceil(root.start)
        if root.exponent > 64:
            return None
        base = int((first - root.start) / power_of_two(root.exponent - 32))
        return Derived(which, dtype, base, 0.0, first & ((1 << 64) - 1), root.exponent - 32)
    base, exponent = root.multiple << 31, root.exponent - 32
    if abs(base) >= _MOST_CELL or exponent < -1022:
        return None
    return Derived(which, dtype, base, math.ldexp(1.0, exponent), 0, 0)


@jit
def _interleave(x: Array, y: Array, where_x: Array, where_y: Array, first: int, keys: Array, rows: Array) -> int:
    """Pack keys and row numbers of the rows inside both roots at the front; how many. Row 0 has the number `first`."""
    count = 0
    for k in range(x.size):
        if where_x[k] == 0 and where_y[k] == 0:  # INSIDE
            keys[count] = spread(np.uint64(x[k])) | spread(np.uint64(y[k])) << np.uint64(1)
            rows[count] = first + k
            count += 1
    return count


@jit
def _float_edges(keys: Array, which: int, base: int, width: float, out: Array) -> None:
    for k in range(keys.size):
        code = np.int64(compact(keys[k] >> np.uint64(which)))
        out[k] = np.float64(code + base) * width


@jit
def _float_edges_within(
    keys: Array, low: Array, high: Array, which: int, base: int, width: float, out: Array
) -> None:  # fmt: skip
    """A code less 2^31 is a signed number of 32 bits, of which the compiler makes floats by vectors; what was taken
    away and the base are one multiple of 2^31, so the sum is rounded once, as that of integers is."""
    shift, half = np.uint64(which), np.uint64(1 << 31)
    start = np.float64(base) + 2147483648.0
    at = np.uint64(0)
    for r in range(low.size):
        first, rows = np.uint64(low[r]), np.uint64(high[r] - low[r])
        for k in range(rows):
            code = np.int32(compact(keys[first + k] >> shift) ^ half)
            out[at + k] = (np.float64(code) + start) * width
        at += rows


@jit
def _integer_edges_within(
    keys: Array, low: Array, high: Array, which: int, base: int, first: np.uint64, shift: int, out: Array
) -> None:  # fmt: skip
    at = 0
    for r in range(low.size):
        _integer_edges(keys[low[r] : high[r]], which, base, first, shift, out[at : at + high[r] - low[r]])
        at += high[r] - low[r]


@jit
def _integer_edges(keys: Array, which: int, base: int, first: np.uint64, shift: int, out: Array) -> None:
    for k in range(keys.size):
        code = compact(keys[k] >> np.uint64(which)) - np.uint64(base)
        if shift >= 0:
            out[k] = first + (code << np.uint64(shift))
        else:
            out[k] = first + (code >> np.uint64(-shift))
