"""The roots of a layer and its far rows: interfaces.md, "Roots and tiles".

A row counts where both of its axis numbers are numbers; the roots, the range and the far rows are those of such rows.
Far rows are found exactly: a root shorter by 2^12 that leaves out few rows covers two neighbouring bins of the 8,192
that divide the longer root, so the bins' counts decide, and for ordinary data the first slices already rule it out.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.cells import INSIDE, LIMIT, Root, root_of
from bigviz.tiles.axis import Axis
from bigviz.tiles.work import Crew, slices

__all__ = ["FAR_SHARE", "Survey", "both_numbers", "numbers_of", "survey"]

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]
Number = int | float

FAR_SHARE: Final = 1000  # far rows are fewer than 1 in so many
_SHORTER: Final = 12  # and leaving them out shortens the root by 2^12 or more
_BINS: Final = 1 << _SHORTER + 1


@dataclass(frozen=True)
class Survey:
    """What the numbers of two axes say together.

    `inside` rows lie in both roots, `outside` rows lack a number on an axis, `far` rows have both and lie in no root.
    `low` and `high` are the extremes (x, y) of the rows inside, in axis space; None where there are none.
    """

    x: Root
    y: Root
    rows: int
    inside: int
    outside: int
    far: int
    low: tuple[Number, Number] | None
    high: tuple[Number, Number] | None


@dataclass
class _Extent:
    """The number of rows that lie somewhere, and the extremes of both axes over them."""

    count: int = 0
    low: tuple[Number, Number] | None = None
    high: tuple[Number, Number] | None = None

    def add(self, x: Array, y: Array) -> None:
        """Take in the numbers of some rows, all of them on both axes."""
        if len(x) == 0:
            return
        low, high = (x.min().item(), y.min().item()), (x.max().item(), y.max().item())
        self.count += len(x)
        self.low = low if self.low is None else (min(self.low[0], low[0]), min(self.low[1], low[1]))
        self.high = high if self.high is None else (max(self.high[0], high[0]), max(self.high[1], high[1]))


def survey(x: Axis, y: Axis, far: bool, crew: Crew) -> Survey:
    """Find the roots of two axes of equal length, without their far rows where `far` is True, else with all rows.

    Reads both axes once, twice where there are far rows.
    """
    rows = len(x)
    whole = _extent(x, y, None, crew)
    full = _roots(x, y, whole)
    chosen = full
    if far and whole.count:
        chosen = (_without_far(x, y, 0, full[0], whole.count, crew), _without_far(x, y, 1, full[1], whole.count, crew))
    kept = whole if chosen == full else _extent(x, y, chosen, crew)
    return Survey(*chosen, rows, kept.count, rows - whole.count, whole.count - kept.count, kept.low, kept.high)


def _roots(x: Axis, y: Axis, extent: _Extent) -> tuple[Root, Root]:
    if extent.low is None or extent.high is None:
        return x.fixed_root or root_of(None, None), y.fixed_root or root_of(None, None)
    return (
        x.fixed_root or root_of(extent.low[0], extent.high[0]),
        y.fixed_root or root_of(extent.low[1], extent.high[1]),
    )


def _extent(x: Axis, y: Axis, roots: tuple[Root, Root] | None, crew: Crew) -> _Extent:
    """The extremes of the rows that are numbers on both axes and, if given, lie in both roots."""
    total = _Extent()
    lock = threading.Lock()

    def look(piece: tuple[int, int]) -> int:
        xs, ys, mask = both_numbers(x, y, *piece)
        if roots is not None:
            for values, root in ((xs, roots[0]), (ys, roots[1])):
                within = root.codes(values, None, np.empty(len(values), np.uint32)) == INSIDE
                mask = within if mask is None else mask & within
        if mask is not None:
            xs, ys = xs[mask], ys[mask]
        with lock:
            total.add(xs, ys)
        return piece[1] - piece[0]

    crew.run("measuring", look, slices(len(x)), len(x))
    return total


def both_numbers(x: Axis, y: Axis, start: int, stop: int) -> tuple[Array, Array, Mask | None]:
    """The axis-space numbers of some rows and where both are numbers; None where all are."""
    xs, x_mask = numbers_of(*x.slice(start, stop))
    ys, y_mask = numbers_of(*y.slice(start, stop))
    if x_mask is None or y_mask is None:
        return xs, ys, x_mask if y_mask is None else y_mask
    return xs, ys, x_mask & y_mask


def numbers_of(values: Array, valid: Mask | None) -> tuple[Array, Mask | None]:
    """Axis-space values and where they are numbers that lie in a cell of some root; None where all are."""
    if values.dtype.kind != "f" or len(values) == 0:
        return values, valid
    if valid is None and float(values.min()) > -LIMIT and float(values.max()) < LIMIT:  # False where there is a NaN
        return values, None
    mask = np.isfinite(values) if values.dtype == np.float32 else np.abs(values) < LIMIT
    return values, mask if valid is None else mask & valid


def _without_far(x: Axis, y: Axis, which: int, root: Root, count: int, crew: Crew) -> Root:
    """The root of axis `which` (0 is x) without its far rows; `root` holds all `count` of them."""
    axis = (x, y)[which]
    if axis.fixed_root is not None:
        return root
    kept = count
    while True:
        spare = (count - 1) // FAR_SHARE - (count - kept)  # rows that may still be far
        shorter = _shorter(x, y, which, root, kept, spare, crew) if spare > 0 else None
        if shorter is None:
            return root
        root, kept = shorter


def _shorter(x: Axis, y: Axis, which: int, root: Root, kept: int, spare: int, crew: Crew) -> tuple[Root, int] | None:
    """The shorter root that leaves out the fewest of `kept` rows, at most `spare`, and how many it keeps."""
    bins = np.zeros(_BINS, np.int64)
    seen = 0
    pieces = slices(len(x))
    for k in _scattered(len(pieces)):
        crew.cancel.check()
        values, mask = _axis_numbers(x, y, which, *pieces[k])
        codes = np.empty(len(values), np.uint32)
        inside = root.codes(values, mask, codes) == INSIDE
        bins += np.bincount(codes[inside] >> np.uint32(32 - _SHORTER - 1), minlength=_BINS)
        seen = int(bins.sum())
        if (bins[:-1] + bins[1:]).max() + kept - seen < kept - spare:
            return None
    pairs = bins[:-1] + bins[1:]
    for k in sorted(np.flatnonzero((pairs >= kept - spare) & (pairs < kept)).tolist(), key=lambda k: -int(pairs[k])):
        part = Root((root.multiple << _SHORTER) + k, root.exponent - _SHORTER)
        low, high = _extremes(x, y, which, part, crew)
        found = root_of(low, high)
        if root.exponent - found.exponent >= _SHORTER:
            return found, int(pairs[k])
    return None


def _axis_numbers(x: Axis, y: Axis, which: int, start: int, stop: int) -> tuple[Array, Mask | None]:
    xs, ys, mask = both_numbers(x, y, start, stop)
    return (xs, ys)[which], mask


def _extremes(x: Axis, y: Axis, which: int, part: Root, crew: Crew) -> tuple[Number, Number]:
    lows: list[Number] = []
    highs: list[Number] = []
    for piece in slices(len(x)):
        crew.cancel.check()
        values, mask = _axis_numbers(x, y, which, *piece)
        within = values[part.codes(values, mask, np.empty(len(values), np.uint32)) == INSIDE]
        if len(within):
            lows.append(within.min().item())
            highs.append(within.max().item())
    return min(lows), max(highs)


def _scattered(count: int) -> list[int]:
    """0 .. count - 1, each next one far from those before it: rows sorted in the file must not look concentrated."""
    return sorted(range(count), key=lambda k: k * 0.6180339887498949 % 1)
