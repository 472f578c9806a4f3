"""Sums of floats that can be taken back: as whole numbers of a unit so small that every value of the column is one.

A float sum drifts when values are added and taken away again: (a + b) - b is not a. A value is therefore cut into limbs
of whole numbers, each of which is added up in int64 by itself, without carries; so sums are exact, in any order, and
what is rounded is only the result.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import frozen, jit
from bigviz.common.workers import Crew, slices

__all__ = ["FixedPoint", "add_floats", "add_integers", "fixed_point_of", "from_halves"]

Array = npt.NDArray[Any]

_MOST_LIMBS: Final = 4
_MOST_BITS: Final = 52  # of a limb: so many are exact in a float


@dataclass(frozen=True)
class FixedPoint:
    """Values are whole numbers of `2^unit`, in `limbs` limbs of `bits` bits. `endless`: some are infinite."""

    unit: int
    bits: int
    limbs: int
    endless: bool

    @property
    def scale(self) -> tuple[float, float]:
        """Two factors that take a value to whole numbers: one would overflow for values of 1e-300."""
        half = -self.unit // 2
        return math.ldexp(1.0, half), math.ldexp(1.0, -self.unit - half)

    def sums(self, state: Array) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.uint32]]:
        """The sums of the cells of `state` (parts, cells, columns), whose parts `add_floats` made, as floats that are
        correct to one unit in the last place; and how many values they are of."""
        sums, counts = np.empty(state.shape[1]), np.empty(state.shape[1], np.uint32)
        sizes = np.ldexp(1.0, [self.bits * (self.limbs - 1 - k) + self.unit for k in range(self.limbs)])
        _finish(frozen(state), self.bits, frozen(sizes), self.endless, sums, counts)
        return sums, counts


def fixed_point_of(values: Array, crew: Crew) -> FixedPoint | None:
    """How a column of floats is cut; None where its values are of too different sizes."""
    lock = threading.Lock()
    found = [math.inf, 0.0, 0.0]

    def look(piece: tuple[int, int]) -> int:
        low, high, endless = _sizes(frozen(values[slice(*piece)]))
        with lock:
            found[:] = min(found[0], low), max(found[1], high), max(found[2], float(endless))
        return piece[1] - piece[0]

    crew.run("measuring", look, slices(len(values)), len(values))
    low, high, endless = found
    bits = min(_MOST_BITS, 62 - len(values).bit_length())
    if high == 0.0:
        return FixedPoint(0, bits, 1, endless > 0)
    digits = 24 if values.dtype == np.float32 else 53
    unit = max(math.frexp(low)[1] - digits, -1074)
    limbs = -(-(math.frexp(high)[1] - unit) // bits)
    return FixedPoint(unit, bits, limbs, endless > 0) if limbs <= _MOST_LIMBS else None


def from_halves(state: Array) -> npt.NDArray[np.float64]:
    """Sums of the upper and the lower 32 bits of integers, of shape (cells, 2), as floats."""
    high, low = state[:, 0] + (state[:, 1] >> 32), state[:, 1] & 0xFFFFFFFF
    found: npt.NDArray[np.float64] = high.astype(np.float64) * 2.0**32 + low.astype(np.float64)
    return found


@jit
def _sizes(values: Array) -> tuple[float, float, bool]:
    """The least and the largest size of finite values other than 0, and whether any is infinite."""
    low, high, endless = math.inf, 0.0, False
    for k in range(values.size):
        size = abs(np.float64(values[k]))
        if size == math.inf:
            endless = True
        elif size > 0.0:
            low, high = min(low, size), max(high, size)
    return low, high, endless


@jit
def add_floats(
    cells: Array, values: Array, sign: int, one: float, two: float, bits: int, limbs: int, state: Array
) -> None:
    """Add values to cells, or take them away: `state` (cells, limbs + 1, or limbs + 3 where some values are infinite)
    holds the limbs, the number of values, and of those how many are infinite above and below."""
    step, back = 2.0**bits, 2.0 ** (-bits * (limbs - 1))
    for k in range(cells.size):
        cell = cells[k]
        value = np.float64(values[k])
        if cell < 0 or value != value:
            continue
        state[cell, limbs] += sign
        if abs(value) == math.inf:
            state[cell, limbs + (1 if value > 0 else 2)] += sign
            continue
        rest = value * one * two * back
        for limb in range(limbs - 1):
            whole = float(int(rest))
            state[cell, limb] += sign * int(whole)
            rest = (rest - whole) * step
        state[cell, limbs - 1] += sign * int(rest)


@jit
def _finish(state: Array, bits: int, sizes: Array, endless: bool, sums: Array, counts: Array) -> None:
    """Carry from the lowest limb up, and add the limbs as floats in that order; `sizes` are their units."""
    limbs, mask = sizes.size, (np.int64(1) << bits) - 1
    for cell in range(counts.size):
        total, carry, count = 0.0, np.int64(0), np.int64(0)
        for part in range(state.shape[0]):
            count += state[part, cell, limbs]
        counts[cell] = count
        sums[cell] = 0.0
        if count == 0:
            continue
        for limb in range(limbs - 1, -1, -1):
            for part in range(state.shape[0]):
                carry += state[part, cell, limb]
            here = carry
            if limb > 0:
                here, carry = carry & mask, carry >> bits
            total += np.float64(here) * sizes[limb]
        sums[cell] = total
        if endless:
            above, below = np.int64(0), np.int64(0)
            for part in range(state.shape[0]):
                above += state[part, cell, limbs + 1]
                below += state[part, cell, limbs + 2]
            if above > 0 or below > 0:
                sums[cell] = np.inf if below == 0 else -np.inf if above == 0 else np.nan


@jit
def add_integers(cells: Array, values: Array, sign: int, halves: bool, unsigned: bool, state: Array) -> None:
    """The same for integers, seen as int64: `state` (cells, 2 or 3) holds their sum, or with `halves` those of their
    upper and lower 32 bits, and their number."""
    for k in range(cells.size):
        cell = cells[k]
        if cell < 0:
            continue
        if halves:
            high = values[k] >> 32
            state[cell, 0] += sign * (high & 0xFFFFFFFF if unsigned else high)
            state[cell, 1] += sign * (values[k] & 0xFFFFFFFF)
            state[cell, 2] += sign
        else:
            state[cell, 0] += sign * values[k]
            state[cell, 1] += sign
