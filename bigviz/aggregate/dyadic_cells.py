"""Which cell a number lies in: exact, dyadic, and the same for every kernel.

A number v lies in cell `floor(v / 2^e)` of exponent e. Within a root `[start, start + 2^E)` cells of exponent E - 32
are numbered from 0, which gives each number of the root a 32-bit code; a cell of level L (0 .. 32) is a code's first L
bits.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import frozen, jit

Number = int | float | Fraction
Array = npt.NDArray[Any]

CODE_BITS: Final = 32
INSIDE: Final = 0  # in the root: the code is set
NOWHERE: Final = 1  # null, NaN, infinite, or |v| >= 2^1023: in no cell of any root
FAR: Final = 2  # a number, but not in this root
LIMIT: Final = math.ldexp(1.0, 1023)  # the widest root is [-2^1023, 2^1023)
_SAFE: Final = math.ldexp(1.0, 62)  # a scaled number below this fits an int64 with room for the subtraction
_EXACT: Final = 1 << 52  # from a number up to this one whole numbers below 2^53 are subtracted exactly in float64
_NO_MASK: Final = frozen(np.empty(0, np.bool_))
_BIAS: Final = 1 << 63


@dataclass(frozen=True, slots=True)
class Root:
    """The half-open interval `[multiple * 2^(exponent - 1), + 2^exponent)` that a layer's cells divide on one axis."""

    multiple: int
    exponent: int

    @property
    def start(self) -> Fraction:
        """The exact lower end, which belongs to the root."""
        return self.multiple * power_of_two(self.exponent - 1)

    @property
    def stop(self) -> Fraction:
        """The exact upper end, which does not belong to the root."""
        return (self.multiple + 2) * power_of_two(self.exponent - 1)

    @property
    def start_text(self) -> str:
        """The start as a decimal string: digits for an integer of up to 64 bits, else the shortest that reads back."""
        start = self.start
        if start.denominator == 1 and abs(start) <= 1 << 64:
            return str(start.numerator)
        return repr(float(start))

    def edge(self, level: int, index: int) -> Fraction:
        """The exact lower edge of cell `index` of `level`, whose cells are `2^(exponent - level)` wide."""
        return self.start + index * power_of_two(self.exponent - level)

    def cell(self, value: Number, level: int) -> int:
        """The number of the cell of `level` that holds `value`; below 0 or at least `2^level` outside the root."""
        over, under = value.as_integer_ratio() if isinstance(value, float) else (value.numerator, value.denominator)
        over, under, shift = int(over), int(under), level - self.exponent + 1
        halves = (over << shift) // under if shift >= 0 else over // (under << -shift)  # of cells, from 0 on
        return (halves - (self.multiple << level)) >> 1

    def holds(self, value: Number) -> bool:
        """Whether the number lies in the root."""
        return self.start <= Fraction(value) < self.stop

    def codes(self, values: Array, valid: Array | None, out: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint8]:
        """Write the 32-bit code of each number into `out` and return where each number lies.

        `values` is a contiguous slice of float32, float64, int64 or uint64; `valid` (bool, True is a number) may be
        None. The answer is uint8 of the same length: INSIDE, NOWHERE or FAR; only under INSIDE does `out` hold a code,
        else it holds 0. A number on an edge belongs to the cell above it. All of it is exact, denormals included.
        Raises TypeError for another dtype and ValueError for a root wider than 2^64 over integers.
        """
        where = np.empty(len(values), np.uint8)
        values, mask = frozen(values), _NO_MASK if valid is None else frozen(valid)
        kind = values.dtype
        if kind == np.float64 or kind == np.float32:
            _float_codes(values, mask, *self._float_terms(), out, where)
        elif kind == np.int64 or kind == np.uint64:
            _integer_codes(values.view(np.uint64), mask, *self._integer_terms(kind == np.int64), out, where)
        else:
            raise TypeError(f"codes need float32, float64, int64 or uint64 values, got {kind}")
        return where

    def upper_codes(self, values: Array, valid: Array | None, out: npt.NDArray[np.uint16]) -> npt.NDArray[np.bool_]:
        """Write the upper 16 bits of the codes that `codes` gives into `out`, and return which numbers have one. For
        floats it takes a fifth of the time."""
        one, two, _, base = self._float_terms()
        if values.dtype.kind == "f" and valid is None and abs(base) <= _EXACT:
            inside = np.empty(len(values), np.bool_)
            _upper_float_codes(frozen(values), one, two, float(base), out, inside)
            return inside
        whole = np.empty(len(values), np.uint32)
        where = self.codes(values, valid, whole)
        out[:] = whole >> np.uint32(16)
        return np.asarray(where == INSIDE, np.bool_)

    def _float_terms(self) -> tuple[float, float, float, int]:
        shift = CODE_BITS - self.exponent
        half = shift // 2
        base = self.multiple << (CODE_BITS - 1)
        edge = (1 << 62) + (1 << 34)  # past it no scaled number below 2^62 is in the root; the kernel's int64 holds it
        start = math.ldexp(float(self.multiple), self.exponent - 1)
        return math.ldexp(1.0, half), math.ldexp(1.0, shift - half), start, max(-edge, min(edge, base))

    def _integer_terms(self, signed: bool) -> tuple[Any, Any, Any, Any, int, Any, bool]:
        if self.exponent > 64:
            raise ValueError(f"a root over integers is at most 2^64 wide, got 2^{self.exponent}")
        bias = _BIAS if signed else 0
        first = math.ceil(self.start) + bias
        last = math.ceil(self.stop) - 1 + bias
        low, high = max(first, 0), min(last, (1 << 64) - 1)
        code = int((first - bias - self.start) / power_of_two(self.exponent - CODE_BITS))
        empty = low > high
        bounds = (0, 0) if empty else (low, high)
        words = [np.uint64(word & ((1 << 64) - 1)) for word in (bias, first, *bounds)]
        base = np.uint32(0 if empty else code)
        return words[0], words[1], words[2], words[3], max(self.exponent - CODE_BITS, -63), base, empty


def power_of_two(exponent: int) -> Fraction:
    """2^exponent, exactly."""
    return Fraction(1 << exponent) if exponent >= 0 else Fraction(1, 1 << -exponent)


def floor_log2(value: Fraction) -> int:
    """The exponent of the largest power of two that is not above a positive number."""
    guess = value.numerator.bit_length() - value.denominator.bit_length()
    return guess if power_of_two(guess) <= value else guess - 1


def root_of(low: Number | None, high: Number | None) -> Root:
    """The smallest root that holds both numbers: see docs/reference.md, "Roots and tiles".

    `low <= high` are the finite extremes of an axis's numbers; None where there are none. One number v alone gets the
    exponent `max(0, floor(log2 |v|) - 30)`, and zero alone the root [0, 1).
    """
    if low is None or high is None or (low == 0 and high == 0):
        return Root(0, 0)
    bottom, top = Fraction(low), Fraction(high)
    if bottom > top:
        raise ValueError(f"low must not be above high, got {low!r} and {high!r}")
    if bottom == top:
        exponent = max(0, floor_log2(abs(bottom)) - 30)
        return Root(math.floor(bottom / power_of_two(exponent - 1)), exponent)
    exponent = floor_log2(top - bottom)
    while True:
        half = power_of_two(exponent - 1)
        multiple = math.floor(bottom / half)
        if math.floor(top / half) - multiple <= 1:
            return Root(multiple, exponent)
        exponent += 1


@jit
def _float_codes(
    values: Array,
    valid: Array,
    scale: float,
    rest: float,
    start: float,
    base: int,
    out: Array,
    where: Array,
) -> None:
    """Codes of floats: `floor(v * scale * rest) - base`, where the product of the two factors is `2^-e`.

    One factor alone overflows where the root is 1e-300 wide. From 2^62 on the product no longer fits; there the start
    is of v's own size, so `v - start` is exact (it would not be near zero).
    """
    masked = valid.size > 0
    for k in range(values.size):
        value = np.float64(values[k])
        out[k] = 0
        if not abs(value) < LIMIT or (masked and not valid[k]):
            where[k] = NOWHERE
            continue
        where[k] = FAR
        scaled = value * scale * rest
        if abs(scaled) < _SAFE:
            code = math.floor(scaled) - base
            if value < 0.0 and scaled == 0.0:
                code -= 1  # the product underflowed to -0
        else:
            offset = value - start
            scaled = offset * scale * rest
            if offset < 0.0 or not scaled < 4294967296.0:
                continue
            code = math.floor(scaled)
        if 0 <= code < 4294967296:
            out[k] = code
            where[k] = INSIDE


@jit
def _upper_float_codes(
    values: Array, scale: float, rest: float, base: float, out: Array, inside: npt.NDArray[np.bool_]
) -> None:
    """In float64 and without a branch, so that several numbers are taken at a time; NaN compares as outside."""
    for k in range(values.size):
        value = np.float64(values[k])
        scaled = value * scale * rest
        cell = np.floor(scaled)
        under = (value < 0.0) & (scaled == 0.0)  # the product underflowed to -0
        offset = (cell - 1.0 if under else cell) - base
        within = (offset >= 0.0) & (offset < 4294967296.0) & (abs(value) < LIMIT)
        inside[k] = within
        out[k] = np.int32(offset * 2.0**-16) if within else np.int32(0)


@jit
def _integer_codes(
    values: Array,
    valid: Array,
    bias: np.uint64,
    first: np.uint64,
    low: np.uint64,
    high: np.uint64,
    shift: int,
    base: np.uint32,
    empty: bool,
    out: Array,
    where: Array,
) -> None:
    """Codes of 64-bit integers seen as uint64: int64 has its sign bit flipped (`bias`), which keeps its order.

    Nothing is ever subtracted across the two types, which numba would turn into float64; differences wrap at 2^64 and
    are used only between numbers of the root.
    """
    masked = valid.size > 0
    for k in range(values.size):
        out[k] = 0
        if masked and not valid[k]:
            where[k] = NOWHERE
            continue
        word = values[k] ^ bias
        if empty or word < low or word > high:
            where[k] = FAR
            continue
        offset = word - first
        if shift >= 0:
            out[k] = base + np.uint32(offset >> np.uint64(shift))
        else:
            out[k] = base + np.uint32(offset << np.uint64(-shift))
        where[k] = INSIDE
