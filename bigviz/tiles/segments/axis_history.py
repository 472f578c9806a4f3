"""The root of one axis over all rows that were ever appended, found anew with each append from the new rows alone.

The rule is that of `grid.survey`: a root that leaves few rows out is looked for in pairs of the 8,192 bins of the
longer one, and again in what was found. So a histogram of each such root is kept, with the extremes of each bin. Roots
are dyadic and grow by doubling, which joins whole bins: a histogram of the longer root follows from that of the
shorter. Where a part of the rows is enough to rule out a shorter root, as in most data, the others are not counted.
Only where the search takes another way than before, as when a cloud of outliers has become too large to be left out,
are the rows looked at again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.dyadic_cells import CODE_BITS, INSIDE, Root, root_of
from bigviz.common.jit import frozen, jit
from bigviz.tiles.grid.survey import BINS, FAR_SHARE, SHORTER

__all__ = ["AxisHistory", "Weighted"]

Array = npt.NDArray[Any]
Number = int | float
Weighted = tuple[Array, Array | None]
"""Numbers of an axis, and how many rows each stands for (int64); None: one."""

_BIN_BITS: Final = SHORTER + 1
_PIECE: Final = 1 << 18  # rows between two looks whether enough of them are known
_ENOUGH: Final = 4  # times as many as rule out a shorter root now: it takes some growth until more must be known


class AxisHistory:
    """All numbers that an axis has had, as far as its root depends on them."""

    def __init__(self, fixed: Root | None, far: bool) -> None:
        """`fixed` is the root of a space that has one; `far` says whether few rows that are far away are left out."""
        self.root = fixed or root_of(None, None)
        self._fixed = fixed
        self._far = far
        self._low: Number | None = None
        self._high: Number | None = None
        self._histograms: list[_Histogram] = []

    def add(self, values: Array, count: int, again: Callable[[], Iterable[Weighted]]) -> Root:
        """Take in numbers of rows that have one on both axes; `count` is how many such rows there were ever, these
        included. `again` gives the numbers of all of them once more. Returns the root, which `root` holds from then on.
        """
        if self._low is None and len(values) < count:  # rows were given other values: it begins anew
            for numbers, _ in again():
                self._extend(numbers)
        self._extend(values)
        if self._fixed is None and self._low is not None:
            self.root = self._find(values, count, again)
        return self.root

    def _extend(self, values: Array) -> None:
        if len(values) == 0:
            return
        low, high = values.min().item(), values.max().item()
        self._low = low if self._low is None else min(self._low, low)
        self._high = high if self._high is None else max(self._high, high)

    def _find(self, values: Array, count: int, again: Callable[[], Iterable[Weighted]]) -> Root:
        root, kept, level = root_of(self._low, self._high), count, 0
        while self._far:
            spare = (count - 1) // FAR_SHARE - (count - kept)  # rows that may still be far
            if spare <= 0:
                break
            histogram = self._histogram(level, root, kept, spare, values, again)
            shorter = histogram.shorter(kept, spare)
            if shorter is None:
                break
            (root, kept), level = shorter, level + 1
        del self._histograms[level + 1 :]
        return root

    def _histogram(
        self, level: int, root: Root, kept: int, spare: int, values: Array, again: Callable[[], Iterable[Weighted]]
    ) -> _Histogram:
        """The histogram of a root that holds `kept` rows: the one there was, with the new rows, or a new one. It is of
        a part of them only if that is enough to rule out a shorter root."""
        if level < len(self._histograms):
            found = self._histograms[level].widened(root)
            if found is not None:
                found.add(values, None)
                if found.total == kept or found.rules_out(spare):
                    self._histograms[level] = found
                    return found
        del self._histograms[level:]
        made = _Histogram(root, values.dtype)
        for numbers, weights in _scattered(again()):
            made.add(numbers, weights)
            if made.rules_out(_ENOUGH * spare):
                break
        self._histograms.append(made)
        return made


def _scattered(parts: Iterable[Weighted]) -> Iterator[Weighted]:
    """The numbers in pieces, each next one far from those before: sorted ones must not look concentrated."""
    pieces = [(numbers, weights, at) for numbers, weights in parts for at in range(0, len(numbers), _PIECE)]
    for k in sorted(range(len(pieces)), key=lambda k: k * 0.6180339887498949 % 1):
        numbers, weights, at = pieces[k]
        yield numbers[at : at + _PIECE], None if weights is None else weights[at : at + _PIECE]


class _Histogram:
    """The rows of a root by 8,192 bins, and the lowest and highest number of each bin."""

    def __init__(self, root: Root, dtype: np.dtype[Any]) -> None:
        self.root = root
        self.counts = np.zeros(BINS, np.int64)
        self.low, self.high = np.zeros(BINS, dtype), np.zeros(BINS, dtype)

    @property
    def total(self) -> int:
        """The rows in the root."""
        return int(self.counts.sum())

    def add(self, values: Array, weights: Array | None) -> None:
        """Take in the numbers that lie in the root."""
        values = np.ascontiguousarray(values)
        codes = np.empty(len(values), np.uint32)
        inside = self.root.codes(values, None, codes) == INSIDE
        if not inside.all():
            values, codes = values[inside], codes[inside]
            weights = None if weights is None else weights[inside]
        many = np.ones(0, np.int64) if weights is None else weights
        _tally(frozen(codes), frozen(values), frozen(many), self.counts, self.low, self.high)

    def rules_out(self, spare: int) -> bool:
        """Whether more than `spare` rows lie outside any two neighbouring bins."""
        return self.total - int((self.counts[:-1] + self.counts[1:]).max()) > spare

    def widened(self, root: Root) -> _Histogram | None:
        """The same of a root that holds this one; None for other roots."""
        if root == self.root:
            return self
        more = root.exponent - self.root.exponent
        # Bins are counted from zero on, each root's in their own width: its bin 0 is so many.
        first, start = self.root.multiple << _BIN_BITS - 1, root.multiple << _BIN_BITS - 1
        if more < 0 or first >> more < start or (first + BINS - 1) >> more >= start + BINS:
            return None
        made = _Histogram(root, self.low.dtype)
        filled = np.flatnonzero(self.counts)
        if len(filled) == 0:
            return made
        into = np.array([(first + place >> more) - start for place in filled.tolist()], np.int64)
        starts = np.flatnonzero(np.diff(into, prepend=-1))
        bins = into[starts]
        made.counts[bins] = np.add.reduceat(self.counts[filled], starts)
        made.low[bins] = np.minimum.reduceat(self.low[filled], starts)
        made.high[bins] = np.maximum.reduceat(self.high[filled], starts)
        return made

    def shorter(self, kept: int, spare: int) -> tuple[Root, int] | None:
        """The shorter root that leaves out the fewest of `kept` rows, at most `spare`, and how many it keeps."""
        pairs = self.counts[:-1] + self.counts[1:]
        candidates = np.flatnonzero((pairs >= kept - spare) & (pairs < kept)).tolist()
        for k in sorted(candidates, key=lambda k: -int(pairs[k])):
            some = [k + side for side in (0, 1) if self.counts[k + side]]
            found = root_of(min(self.low[some].tolist()), max(self.high[some].tolist()))
            if self.root.exponent - found.exponent >= SHORTER:
                return found, int(pairs[k])
        return None


@jit
def _tally(codes: Array, values: Array, weights: Array, counts: Array, low: Array, high: Array) -> None:
    shift = np.uint32(CODE_BITS - _BIN_BITS)
    for k in range(codes.size):
        place = codes[k] >> shift
        many = weights[k] if weights.size > 0 else 1
        if many == 0:
            continue
        if counts[place] == 0:
            low[place] = values[k]
            high[place] = values[k]
        else:
            low[place] = min(low[place], values[k])
            high[place] = max(high[place], values[k])
        counts[place] += many
