"""A log-scale histogram of a column's numbers, which outlives the rows that were dropped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = ["Magnitudes"]

Array = npt.NDArray[Any]

_BITS: Final = 4  # of the mantissa: 16 buckets from a power of two to the next
_SLICE: Final = 1 << 16  # numbers at a time, which stay in the processor's cache
_POINTS: Final = 64  # that stand for the rows of one bucket


@dataclass(frozen=True, eq=False)
class Magnitudes:
    """How many numbers lie in each sixteenth of the way from a power of two to the next, with the lowest and the
    highest of each such bucket as they are: int64, uint64 or floats. Zeros have a bucket of their own.

    `keys` (int32, ascending as the numbers are), `counts` (int64), `low` and `high` have one item a bucket that is not
    empty. Numbers of two of these are of one type.
    """

    keys: Array = field(default_factory=lambda: np.empty(0, np.int32))
    counts: Array = field(default_factory=lambda: np.empty(0, np.int64))
    low: Array = field(default_factory=lambda: np.empty(0))
    high: Array = field(default_factory=lambda: np.empty(0))

    @classmethod
    def of(cls, values: Array, weights: Array | None = None) -> Magnitudes:
        """Those of int64, uint64 or float numbers, each for as many rows as its weight says (None: one). NaN and
        infinities are none."""
        found = cls()
        for at in range(0, len(values), _SLICE):
            part = slice(at, at + _SLICE)
            found = found.merged(cls._of(values[part], None if weights is None else weights[part]))
        return found

    @classmethod
    def _of(cls, values: Array, weights: Array | None) -> Magnitudes:
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            finite = np.isfinite(values)
            values, weights = values[finite], None if weights is None else weights[finite]
        if len(values) == 0:
            return cls()
        keys = _keys(values)
        first = int(keys.min())
        places = keys - first
        size = int(places.max()) + 1
        counts = np.bincount(places, minlength=size)
        filled = np.flatnonzero(counts)
        low, high = np.full(size, values[0]), np.full(size, values[0])
        low[places] = high[places] = values
        np.minimum.at(low, places, values)
        np.maximum.at(high, places, values)
        if weights is not None:
            counts = np.zeros(size, np.int64)
            np.add.at(counts, places, weights)
        return cls((filled + first).astype(np.int32), counts[filled].astype(np.int64), low[filled], high[filled])

    @property
    def rows(self) -> int:
        """How many numbers there are."""
        return int(self.counts.sum())

    def merged(self, other: Magnitudes) -> Magnitudes:
        """Those of both."""
        if not len(self.keys) or not len(other.keys):
            return self if len(self.keys) else other
        keys = np.concatenate([self.keys, other.keys])
        order = np.argsort(keys, kind="stable")
        starts = np.flatnonzero(np.diff(keys[order], prepend=keys[order[0]] - 1))

        def joined(how: np.ufunc, mine: Array, theirs: Array) -> Array:
            found: Array = how.reduceat(np.concatenate([mine, theirs])[order], starts)
            return found

        return Magnitudes(
            keys[order[starts]],
            joined(np.add, self.counts, other.counts),
            joined(np.minimum, self.low, other.low),
            joined(np.maximum, self.high, other.high),
        )

    @cached_property
    def points(self) -> tuple[Array, Array]:
        """Numbers, and how many rows each stands for (int64): the lowest and the highest of each bucket, and between
        them evenly what else is in it. So a bucket never looks more concentrated than it can be told to be."""
        steps = np.arange(_POINTS - 2)
        rest = np.maximum(self.counts - 2, 0)[:, None]
        weights = np.empty((len(self.keys), _POINTS), np.int64)
        weights[:, 0], weights[:, -1] = 1, np.minimum(self.counts - 1, 1)
        weights[:, 1:-1] = rest * (steps + 1) // len(steps) - rest * steps // len(steps)
        values = np.empty(weights.shape, self.low.dtype)
        share = np.arange(_POINTS)
        if self.low.dtype.kind == "f":
            values[:] = self.low[:, None] + (self.high - self.low)[:, None] * (share / (_POINTS - 1)).astype(
                values.dtype
            )
            np.minimum(values, self.high[:, None], out=values)
        else:  # differences do not overflow as uint64
            span = self.high.astype(np.uint64) - self.low.astype(np.uint64)
            between = self.low.astype(np.uint64)[:, None] + span[:, None] // (_POINTS - 1) * share.astype(np.uint64)
            values[:] = between.astype(values.dtype)
        values[:, -1] = self.high
        some = weights > 0
        return values[some], weights[some]

    def write(self) -> tuple[str, bytes]:
        """The dtype of the numbers, and all of them as bytes."""
        parts = (self.keys, self.counts, self.low, self.high)
        return self.low.dtype.str, b"".join(each.tobytes() for each in parts)

    @classmethod
    def read(cls, dtype: str, data: bytes) -> Magnitudes:
        """What `write` gave."""
        types = (np.dtype(np.int32), np.dtype(np.int64), np.dtype(dtype), np.dtype(dtype))
        many, at, found = len(data) // sum(each.itemsize for each in types), 0, []
        for each in types:
            found.append(np.frombuffer(data, each, many, at))
            at += many * each.itemsize
        return cls(*found)

    @staticmethod
    def joined(one: Mapping[str, Magnitudes], other: Mapping[str, Magnitudes]) -> dict[str, Magnitudes]:
        """Those of two groups of rows, by column."""
        both = dict(one)
        for name, each in other.items():
            both[name] = both[name].merged(each) if name in both else each
        return both


def _keys(values: Array) -> Array:
    """The bucket of each number: what comes first of its bits, which grow with it; large integers as float64 has
    them."""
    numbers = values.astype(np.float64)
    bits = np.abs(numbers).view(np.int64)
    keys = (bits >> 52 - _BITS) + (bits != 0)
    signed: Array = np.where(numbers < 0, -keys, keys)
    return signed
