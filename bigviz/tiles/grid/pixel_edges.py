"""Where the pixels of an image begin among the codes of an axis.

The pixel of a number never falls as the number grows, whatever the map rounds: so it is told by one number for each
pixel, the smallest one in it or in those after it. It is found by halving intervals of the numbers that the axis may
hold, with the map itself, and its code tells the pixel of every row by integers alone. Where the cell of a code holds
such a number and a smaller one, rows of that code are told by their numbers.
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.dyadic_cells import CODE_BITS, INSIDE, Root
from bigviz.aggregate.glyphs.bins import Bins
from bigviz.common.jit import jit

__all__ = ["PixelEdges", "pixel_edges"]

Array = npt.NDArray[Any]

_FLOAT64, _FLOAT32, _WHOLE = range(3)
_CODES: Final = 1 << CODE_BITS
_NEAR: Final = 2.0**-50  # of a place and of what it is the difference of: what a first guess may be off


class PixelEdges(NamedTuple):
    """One axis of an image. Rows of a code below `firsts[k]` (int64, 0 to 2^32, ascending) lie before pixel k, the
    others in it or after it; k is 0 to the number of pixels. Where `shared[k]`, rows of the code `firsts[k] - 1` may
    lie on either side."""

    firsts: npt.NDArray[np.int64]
    shared: npt.NDArray[np.bool_]

    @property
    def closest(self) -> int:
        """The shortest distance between two edges, in codes; edges outside of the root do not count."""
        inside = self.firsts[(self.firsts > 0) & (self.firsts < _CODES)]
        return int(np.diff(inside).min()) if len(inside) > 1 else _CODES


def pixel_edges(root: Root, bins: Bins, dtype: np.dtype[Any]) -> PixelEdges | None:
    """The edges of an image's pixels on an axis of numbers of a dtype (float32, float64, int64 or uint64).

    None on a logarithmic axis, whose map is not known to ascend, and where the pixels run downwards.
    """
    if bins.log or bins.low > bins.high:
        return None
    numbers, beyond = _first_numbers(bins, dtype)
    before, some = _before(numbers)
    (codes, inside), (codes_before, inside_before) = _codes(root, numbers), _codes(root, before)
    shared = inside & inside_before & some & ~beyond & (codes == codes_before)
    return PixelEdges(np.where(beyond, _CODES, codes + shared), shared)


def _first_numbers(bins: Bins, dtype: np.dtype[Any]) -> tuple[Array, npt.NDArray[np.bool_]]:
    """For each pixel, and for what follows the last one, the smallest number of the dtype that lies in it or after it;
    and where there is none."""
    if dtype.kind == "f":
        out = np.empty(bins.size + 1)
        kind = _FLOAT32 if dtype == np.float32 else _FLOAT64
        _find(float(bins.low), float(bins.high), bins.scale, bins.shift, bins.size, kind, out)
        return out.astype(dtype), np.isinf(out)
    bounds = np.iinfo(dtype)
    least, most = int(bounds.min), int(bounds.max)
    if bins.exact(dtype):
        whole = [math.ceil(bins.low), *bins.firsts()[1:-1], math.floor(bins.high) + 1]
    else:
        out = np.empty(bins.size + 1)
        _find(float(bins.low), float(bins.high), bins.scale, bins.shift, bins.size, _WHOLE, out)
        whole = [int(each) for each in out.tolist()]
    numbers = np.array([min(max(each, least), most) for each in whole], dtype)
    return numbers, np.array([each > most for each in whole], np.bool_)


def _before(numbers: Array) -> tuple[Array, npt.NDArray[np.bool_]]:
    """The next smaller number of the dtype, and where there is one."""
    if numbers.dtype.kind == "f":
        before = np.nextafter(numbers, numbers.dtype.type(-np.inf))
        return before, np.isfinite(before)
    some = numbers > np.iinfo(numbers.dtype).min
    return numbers - some.astype(numbers.dtype), some


def _codes(root: Root, numbers: Array) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """The code of each number, 0 before the root and 2^32 after it, and which lie in the root."""
    found = np.empty(len(numbers), np.uint32)
    inside = root.codes(numbers, None, found) == INSIDE
    codes = found.astype(np.int64)
    for k in np.flatnonzero(~inside).tolist():
        number = numbers[k].item()
        after = root.cell(number, CODE_BITS) > 0 if math.isfinite(number) else number > 0
        codes[k] = _CODES if after else 0
    return codes, inside


@jit
def _find(low: float, high: float, scale: float, shift: float, size: int, kind: int, out: Array) -> None:
    """`_first_numbers` in float64, infinity where there is none: of floats, or of whole numbers below 2^53."""
    first = _rounded(low, kind)
    if first < low:
        first = _next(first, kind)
    last = _rounded(high, kind)
    past = last if last > high else _next(last, kind)
    if last > high:
        last = -_next(-last, kind)
    blur = (abs(shift) + size) * _NEAR / scale
    out[0], out[size] = min(first, past), past
    low = out[0]
    for k in range(1, size):
        if first > last or last * scale + shift < k:
            out[k] = past
            continue
        if low * scale + shift >= k:
            out[k] = low
            continue
        high = last
        guess = (k - shift) / scale
        for end in (guess - blur, guess + blur):
            middle = _rounded(end, kind)
            if low < middle < high:
                if middle * scale + shift < k:
                    low = middle
                else:
                    high = middle
        while True:
            middle = _rounded(low + (high - low) * 0.5, kind)
            if not low < middle < high:
                break
            if middle * scale + shift < k:
                low = middle
            else:
                high = middle
        low = out[k] = high


@jit
def _rounded(number: float, kind: int) -> float:
    """A number of the kind next to a number, or itself."""
    if kind == _FLOAT32:
        return float(np.float32(number))
    return float(np.floor(number)) if kind == _WHOLE else number


@jit
def _next(number: float, kind: int) -> float:
    """The next larger number of the kind."""
    if kind == _FLOAT32:
        return float(np.nextafter(np.float32(number), np.float32(np.inf)))
    return number + 1.0 if kind == _WHOLE else np.nextafter(number, np.inf)
