"""Normalisation of cell values to 0 .. 1, by the page's formulas (which are datashader's).

linear is v - low, log is log1p(v - low), cbrt the cube root of v - low, each over its value at high; eq_hist is the
share of the values above the lowest bin, over 65,536 bins: one for each count below 65,536, else equal steps of the
order-preserving bits of float32, else (all values within one octave) equal steps of the values. Where only few
different counts occur the lowest is lifted off the first colour (datashader's rescale_discrete_levels).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = ["BINS", "Clip", "Norm", "Percentile"]

Array = npt.NDArray[Any]

BINS: Final = 65_536
_FEW: Final = 1 << 14  # values that are sorted sooner than all bins are gone through
_EXACT: Final = 2**53  # beyond it float64 rounds whole numbers
_LARGEST: Final = 2.0**126  # beyond these a float32 would overflow or lose its mantissa
_SMALLEST: Final = 2.0**-100
_FORWARD: Final[dict[str, Any]] = {"linear": lambda d: d, "log": np.log1p, "cbrt": np.cbrt}
# The same where values are a quarter of themselves, because their differences would overflow: log1p(d) is log(d) there.
_HUGE: Final = {**_FORWARD, "log": lambda d: np.maximum(0, np.log(d) + math.log(4))}
# The same where they are 2^600 times themselves, because their differences are subnormal: log1p(d) is d there.
_TINY: Final = {**_FORWARD, "log": _FORWARD["linear"]}
_INVERSE: Final[dict[str, Any]] = {"linear": lambda t: t, "log": math.expm1, "cbrt": lambda t: t * t * t}
_HUGE_INVERSE: Final = {**_INVERSE, "log": lambda t: math.exp(t - math.log(4))}
_TINY_INVERSE: Final = {**_INVERSE, "log": _INVERSE["linear"]}


@dataclass(frozen=True)
class Percentile:
    """The value below or at which `percent` (0 to 100) of the values lie, by nearest rank and to the bin."""

    percent: float


Clip = float | Percentile | None
"""An end of a colour map: a value, a percentile of the values, or their own end."""


class Norm:
    """A normalisation over one set of values.

    `values` are those of the cells that hold one, 1-D, any numeric dtype; infinities and NaN are ignored. Each stands
    for as many cells as `weights` (int64) says, by default one. `low` and `high` default to their ends. `counts` says
    that they are counts, which have a bin each.

    Whole numbers that float64 rounds though they lie within an octave are taken as offsets from the lowest, so that
    neighbours differ. With `counted_from` the values are such offsets already, of float64, from that number.
    """

    def __init__(
        self,
        values: Array,
        how: str,
        low: Clip,
        high: Clip,
        counts: bool,
        counted_from: int = 0,
        weights: npt.NDArray[np.int64] | None = None,
    ) -> None:
        self.origin = counted_from or _origin_of(values)
        self._less = 0 if counted_from else self.origin
        held = np.isfinite(values)
        finite, self._weights = self._offsets(values[held]), None if weights is None else weights[held]
        own = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
        self.how = how
        self._own = own
        self._whole = counts
        self._counts = counts and own[1] < BINS and own[0] >= 0
        self._octave = self.origin != 0 or _within_octave(*own)
        self._unit = _unit_of(max(abs(own[0]), abs(own[1])))
        first, last = (float(each) for each in _ordered(np.array(own) * self._unit))
        self._first, self._step = first, BINS / (last - first + 1)
        ends = self._clipped(low, own[0], finite), self._clipped(high, own[1], finite)
        self.low, self.high = min(ends), max(ends)
        self.lift = 0.0
        """The fraction of the lowest value."""
        if how == "eq_hist":
            self._shares = self._distribute(finite)

    def fraction(self, values: Array) -> npt.NDArray[np.float64]:
        """Where values lie along the colour map; the ends stand for what lies beyond them, NaN becomes 0."""
        out: npt.NDArray[np.float64]
        numbers = np.nan_to_num(np.clip(self._offsets(values), self.low, self.high), nan=self.low)
        if self.how == "eq_hist":
            out = self._shares[self._bin(numbers)]
        else:
            unit, forwards, _ = _scale_of(self.low, self.high)
            forward = forwards[self.how]
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                span = float(forward(self.high * unit - self.low * unit))
                out = forward(numbers * unit - self.low * unit) / span
        out = np.clip(np.nan_to_num(np.asarray(out, np.float64), nan=1.0), 0.0, 1.0)
        out[numbers <= self.low] = self.lift
        out[numbers >= self.high] = 1.0
        return out

    def value(self, fraction: float) -> float:
        """The value, counted from the origin, that gets a fraction: under eq_hist the lowest one that reaches it."""
        if not fraction > 0:
            return self.low
        if fraction >= 1:
            return self.high
        if self.how == "eq_hist":
            first, last = self._bin(np.array([self.low, self.high])).tolist()
            reached = first + int(np.searchsorted(self._shares[first : last + 1], fraction, "left"))
            return min(self.high, max(self.low, self._edge(min(reached, last))))
        unit, forwards, inverses = _scale_of(self.low, self.high)
        span = float(forwards[self.how](self.high * unit - self.low * unit))
        return min(self.high, (self.low * unit + float(inverses[self.how](fraction * span))) / unit)

    def told(self, value: float) -> float:
        """A value counted from the origin as it is told: an exact int where there is one."""
        return self.origin + math.floor(value + 0.5) if self.origin else value

    def _clipped(self, clip: Clip, own: float, finite: Array) -> float:
        if isinstance(clip, Percentile):
            clip = self._percentile(clip.percent, finite)
        elif clip is not None:
            clip = clip - self.origin
        return own if clip is None or not math.isfinite(clip) else float(clip)

    def _percentile(self, percent: float, finite: Array) -> float:
        if not len(finite) or percent <= 0 or percent >= 100:
            return self._own[percent >= 100]
        cells = len(finite) if self._weights is None else int(self._weights.sum())
        rank = max(1, math.ceil(percent / 100 * cells))
        return self._edge(int(np.searchsorted(self._binned(finite).cumsum(), rank)))

    def _edge(self, number: int) -> float:
        """The lowest value (among counts: whole number) that lies in a bin."""
        low, high = self._own
        if self._counts:
            return float(number)
        if number <= 0 or number >= BINS - 1:
            return low if number <= 0 else high
        if self._octave:
            edge = low + (high - low) * number / BINS
        else:
            edge = _float_of(math.ceil(self._first + number / self._step)) / self._unit
        return float(math.ceil(edge)) if self._whole else edge

    def _offsets(self, values: Array) -> npt.NDArray[np.float64]:
        """Values as float64, counted from the origin."""
        if not self._less:
            return values.astype(np.float64, copy=False)
        far: npt.NDArray[np.float64] = values.astype(np.float64) - float(self._less)
        if values.dtype.kind == "f":
            return far
        wide = values.astype(np.uint64 if values.dtype == np.uint64 else np.int64, copy=False)
        near = (wide - wide.dtype.type(self._less)).view(np.int64)  # wraps for those that are far
        return np.where(np.abs(far) < 2.0**62, near, far)

    def _distribute(self, values: Array) -> npt.NDArray[np.float64]:
        if not self._counts and len(values) <= _FEW:
            return self._distribute_few(values)
        bins = self._binned(values)
        counted = bins.cumsum()
        first, last = self._bin(np.array([self.low, self.high]))
        below, most = counted[first], counted[last] - counted[first]
        if most <= 0:
            return np.ones(len(bins))
        shares: npt.NDArray[np.float64] = np.clip((counted - below) / most, 0.0, 1.0)
        if self._counts and first < last:
            self.lift = _lifted(bins[first : last + 1])
            shares = self.lift + (1 - self.lift) * shares
        return shares

    def _distribute_few(self, values: Array) -> npt.NDArray[np.float64]:
        """The same of values that leave most bins empty: what all bins up to the next one have is found once."""
        own = self._bin(values)
        order = np.argsort(own, kind="stable")  # of those that ascend it only looks
        weights = np.ones(len(own), np.int64) if self._weights is None else self._weights[order]
        own = own[order]
        counted = np.append(0, weights.cumsum())
        below, most = counted[np.searchsorted(own, self._bin(np.array([self.low, self.high])), "right")]
        if most <= below:
            return np.ones(BINS)
        shares = np.clip((counted - below) / (most - below), 0.0, 1.0)
        return np.repeat(shares, np.diff(own, prepend=0, append=BINS))

    def _binned(self, values: Array) -> npt.NDArray[np.int64]:
        """How many cells have a value in each bin; of counts, up to the highest one."""
        most = int(self._own[1]) + 1 if self._counts else BINS
        cells = np.bincount(self._bin(values), self._weights, most)
        return cells.astype(np.int64, copy=False)

    def _bin(self, numbers: Array) -> npt.NDArray[np.int64]:
        low, high = self._own
        inside = np.clip(numbers, low, high)
        if self._counts:
            return np.asarray(inside, np.int64)
        if self._octave:
            factor = BINS / (high * self._unit - low * self._unit) if high > low else 0.0
            place = (inside * self._unit - low * self._unit) * factor
        else:
            place = (_ordered(inside * self._unit) - self._first) * self._step
        return np.clip(place.astype(np.int64), 0, BINS - 1)


def _origin_of(values: Array) -> int:
    """The lowest of whole numbers that float64 rounds and that lie within an octave; 0 for others, and for floats."""
    if values.dtype.kind not in "iu" or not len(values):
        return 0
    low, high = int(values.min()), int(values.max())
    return low if max(-low, high) > _EXACT and _within_octave(low, high) else 0


def _within_octave(low: float, high: float) -> bool:
    """Whether two numbers are of one sign and no more than twice apart."""
    return (low > 0) == (high > 0) and abs(high) <= 2 * abs(low) and abs(low) <= 2 * abs(high)


def _lifted(cells: npt.NDArray[np.int64]) -> float:
    """The fraction of the lowest count: its share of the cells, at most a third, and 0 from 100 different counts on.

    datashader's line through (2 levels, 1.5) and (100 levels, 1).
    """
    multiple = max(1.0, 1.5 - 0.5 / 98 * (np.count_nonzero(cells) - 2))
    return min(float(cells[0] / max(cells.sum(), 1)), 1 - 1 / multiple)


def _scale_of(low: float, high: float) -> tuple[float, dict[str, Any], dict[str, Any]]:
    """How to take differences of values: the power of two that scales them, and the functions of such differences and
    their inverses."""
    if math.isinf(high - low):
        return 2.0**-2, _HUGE, _HUGE_INVERSE
    return (2.0**600, _TINY, _TINY_INVERSE) if high - low < 2.0**-900 else (1.0, _FORWARD, _INVERSE)


def _unit_of(largest: float) -> float:
    """The power of two that brings values whose largest size is given to where a float32 has all its bits."""
    if _SMALLEST <= largest <= _LARGEST:
        return 1.0
    return 2.0 ** -max(-1000, min(1000, math.frexp(largest)[1] - 1 if largest else 0))


def _ordered(values: Array) -> npt.NDArray[np.float64]:
    """The bits of the values in float32 as numbers that grow with them."""
    with np.errstate(over="ignore"):
        bits = values.astype(np.float32).view(np.uint32)
    return np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31)).astype(np.float64)


def _float_of(code: int) -> float:
    """The float32 that an ordered number stands for."""
    bits = code & 0x7FFFFFFF if code >> 31 else ~code & 0xFFFFFFFF
    return float(np.array([bits], np.uint32).view(np.float32)[0])
