"""One side of an image: equal bins of a closed interval, by datashader's affine map or, for large integers, exactly."""

import math
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.spaces import LOG
from bigviz.common.errors import BadInput
from bigviz.common.jit import frozen, jit

Array = npt.NDArray[Any]

MOST_BINS: Final = 1 << 24
_EXACT: Final = 1 << 53  # below it, a float64 holds every integer
_BIAS: Final = 1 << 63
_WORD: Final = (1 << 64) - 1
_NO_MASK: Final = frozen(np.empty(0, np.bool_))


@dataclass(frozen=True)
class Bins:
    """`size` equal bins of `[low, high]`, both ends included: `high` itself falls in the last bin.

    The bin of v is `trunc(v * scale + shift)` in float64, with `scale = size / (high - low)` and `shift = -low *
    scale`; with `log`, of log10 of v and of the ends (in float32 where v is float32, as datashader does). Integers in
    an interval that reaches 2^53 or beyond, nanosecond stamps above all, are placed exactly: bin `floor((v - low)
    size / (high - low))`. Raises BadInput naming `name` where low and high are not finite and ascending, are too
    close or too far apart for float64, are not positive under `log`, or `size` is not from 1 to 2^24.

    With `descending`, low may be the higher end: then no number is in the interval, and the bins run downwards, as
    datashader has it.
    """

    low: int | float
    high: int | float
    size: int
    log: bool = False
    name: str = "x_range"
    descending: bool = False
    scale: float = field(init=False)
    shift: float = field(init=False)

    def __post_init__(self) -> None:
        if not 1 <= self.size <= MOST_BINS:
            raise BadInput(f"an image has 1 to {MOST_BINS} cells a side, got {self.size}", self.name, self.size)
        got = [self.low, self.high]
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            raise BadInput(f"{self.name} must be two finite numbers, got {got}", self.name, got)
        if not (self.low < self.high or (self.descending and self.low > self.high)):
            raise BadInput(f"{self.name} must ascend, got {got}", self.name, got)
        if self.log and min(self.low, self.high) <= 0:
            message = f"Range values must be >0 for logarithmic axes, got {self.name} {got}"  # datashader's words
            raise BadInput(message, self.name, got)
        start, stop = (math.log10(self.low), math.log10(self.high)) if self.log else (self.low, self.high)
        span = stop - start
        scale = self.size / span if math.isfinite(span) and span != 0 else math.inf
        if not (0.0 < abs(scale) < math.inf and math.isfinite(-start * scale)):
            raise BadInput(
                f"{self.name} is too narrow or too wide to be divided by {self.size}, got {got}", self.name, got
            )
        object.__setattr__(self, "scale", scale)
        object.__setattr__(self, "shift", -start * scale)

    def centres(self) -> Array:
        """The number at the middle of each bin, float64."""
        places = (np.arange(self.size, dtype=np.float64) + 0.5 - self.shift) / self.scale
        return np.array([LOG.value(place) for place in places.tolist()]) if self.log else places

    def exact(self, dtype: np.dtype[Any]) -> bool:
        """Whether values of a dtype are placed by exact integer edges."""
        return dtype.kind in "iu" and not self.log and max(abs(self.low), abs(self.high)) >= _EXACT

    def firsts(self) -> list[int]:
        """The smallest integer of each bin, and of what would follow the last one, by the exact rule."""
        low, step = Fraction(self.low), (Fraction(self.high) - Fraction(self.low)) / self.size
        over, under = low.numerator * step.denominator, low.denominator * step.denominator
        return [-((-over - k * step.numerator * low.denominator) // under) for k in range(self.size + 1)]

    def place(self, values: Array, valid: Array | None, out: npt.NDArray[np.int32], stride: int = 0) -> None:
        """Write each value's bin into `out`, or -1 for null, NaN and values outside.

        `values` is float32, float64, int64 or uint64, contiguous. With `stride` the bin counts rows: `out`, which
        holds the column (or -1), becomes `bin * stride + column`.
        """
        mask = _NO_MASK if valid is None else frozen(valid)
        if self.exact(values.dtype):
            _place_words(frozen(values.view(np.uint64)), mask, *_edges(self, values.dtype == np.int64), stride, out)
            return
        numbers = values if values.dtype.kind == "f" else values.astype(np.float64)
        limits = np.array([self.low, self.high, self.scale, self.shift], np.float64)
        _place_numbers(frozen(numbers), mask, limits, self.size, self.log, stride, out)


@lru_cache(maxsize=32)
def _edges(bins: Bins, signed: bool) -> tuple[Any, Array, float, float, int]:
    """For `_place_words`: sign bit, edges from the lowest value on, scale and shift of a guess, highest bin (-1: none).

    Cached, because an image needs the same edges for every slice.
    """
    bias = _BIAS if signed else 0
    low, high = Fraction(bins.low), Fraction(bins.high)
    lowest, highest = max(math.ceil(low) + bias, 0), min(math.floor(high) + bias, _WORD)
    if lowest > highest:
        return np.uint64(bias), frozen(np.zeros(3, np.uint64)), 0.0, 0.0, -1
    step = (high - low) / bins.size
    words = [lowest, *(min(max(edge + bias - lowest, 0), _WORD) for edge in bins.firsts()), highest - lowest]
    last = min(math.floor((highest - bias - low) / step), bins.size - 1)
    return (
        np.uint64(bias),
        frozen(np.array(words, np.uint64)),
        float(1 / step),
        float((lowest - bias - low) / step),
        last,
    )


@jit
def _place_numbers(values: Array, valid: Array, limits: Array, size: int, log: bool, stride: int, out: Array) -> None:
    """Bins of floats. A point that rounding puts past either end goes into the bin at that end."""
    low, high, scale, shift = limits[0], limits[1], limits[2], limits[3]
    masked = valid.size > 0
    for k in range(values.size):
        value = values[k]
        if not (low <= value <= high) or (masked and not valid[k]) or (stride > 0 and out[k] < 0):
            out[k] = -1
            continue
        place = (math.log10(value) if log else value) * scale + shift
        chosen = 0 if place < 0.0 else size - 1 if place >= size else int(place)
        out[k] = chosen * stride + out[k] if stride > 0 else chosen


@jit
def _place_words(
    values: Array,
    valid: Array,
    bias: np.uint64,
    words: Array,
    scale: float,
    shift: float,
    last: int,
    stride: int,
    out: Array,
) -> None:
    """Bins of 64-bit integers, seen as uint64 with the sign bit flipped: a guess in float64, put right by the edges.

    `words` holds the lowest value inside, the distance from it of each bin's first value, and that of the highest
    inside.
    """
    masked = valid.size > 0
    lowest, reach = words[0], words[words.size - 1]
    for k in range(values.size):
        word = values[k] ^ bias
        if word < lowest or word - lowest > reach or last < 0:
            out[k] = -1
            continue
        if (masked and not valid[k]) or (stride > 0 and out[k] < 0):
            out[k] = -1
            continue
        distance = word - lowest
        chosen = min(max(int(np.float64(distance) * scale + shift), 0), last)
        while chosen > 0 and distance < words[1 + chosen]:
            chosen -= 1
        while chosen < last and distance >= words[2 + chosen]:
            chosen += 1
        out[k] = chosen * stride + out[k] if stride > 0 else chosen
