"""The roots of a layer and its far rows: docs/reference.md, "Roots and tiles" and "Far rows".

A row counts where both of its axis numbers are numbers; the roots, the range and the far rows are those of such rows.
Far rows are found exactly: a root shorter by 2^12 that leaves out few rows covers two neighbouring bins of the 8,192
that divide the longer root, so the bins' counts decide, and for ordinary data the first slices already rule it out.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.dyadic_cells import INSIDE, LIMIT, Root, root_of
from bigviz.common.workers import Crew
from bigviz.tiles.grid.batches import Batch, InMemory, Pairs

__all__ = [
    "BINS", "FAR_SHARE", "SHORTER", "Extent", "Far", "Measures", "PairMeasures", "Survey", "both_numbers", "numbers_of",
    "survey", "survey_measured", "survey_pairs",
]  # fmt: skip

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]
Number = int | float
Far = bool | tuple[Root, Root]
"""Which rows are far: by the rule (True), none (False), or those outside of roots that are given."""

FAR_SHARE: Final = 1000  # far rows are fewer than 1 in so many
SHORTER: Final = 12  # and leaving them out shortens the root by 2^12 or more
BINS: Final = 1 << SHORTER + 1


@dataclass(frozen=True)
class Survey:
    """What follows from the numbers of both axes.

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
class Extent:
    """The number of rows that lie somewhere, and the extremes of both axes over them."""

    count: int = 0
    low: tuple[Number, Number] | None = None
    high: tuple[Number, Number] | None = None

    def add(self, x: Array, y: Array) -> None:
        """Take in the numbers of some rows, all of them on both axes."""
        if len(x) == 0:
            return
        self.merge(Extent(len(x), (x.min().item(), y.min().item()), (x.max().item(), y.max().item())))

    def merge(self, other: Extent) -> None:
        """Take in another extent."""
        self.count += other.count
        if self.low is None or self.high is None or other.low is None or other.high is None:
            self.low, self.high = self.low or other.low, self.high or other.high
            return
        self.low = min(self.low[0], other.low[0]), min(self.low[1], other.low[1])
        self.high = max(self.high[0], other.high[0]), max(self.high[1], other.high[1])


class Measures(Protocol):
    """What roots follow from, of the rows of two axes, wherever those are. What it tells of several sets of rows can be
    put together: extents merged, bins added up."""

    @property
    def rows(self) -> int: ...

    @property
    def fixed_roots(self) -> tuple[Root | None, Root | None]:
        """The roots that do not depend on the numbers."""

    def extent(self, roots: tuple[Root, Root] | None) -> Extent:
        """The extremes of the rows that are numbers on both axes and, if given, lie in both roots."""

    def bins(self, which: int, root: Root, spare: int) -> npt.NDArray[np.int64] | None:
        """How many rows (numbers on both axes) each of the `BINS` parts of a root of axis `which` holds; None where
        more than `spare` of those in the root lie outside any two neighbouring ones."""

    def extremes(self, which: int, part: Root) -> tuple[Number, Number] | None:
        """The extremes on axis `which` of such rows that lie in a part of the root; None where there are none."""


def survey(x: Axis, y: Axis, far: Far, crew: Crew) -> Survey:
    """`survey_pairs` of two axes of equal length."""
    return survey_pairs(InMemory(x, y), far, crew)


def survey_pairs(pairs: Pairs, far: Far, crew: Crew, whole: Extent | None = None) -> Survey:
    """Find the roots of two axes, without their far rows where `far` is True, else with all rows.

    Reads all rows once, unless `whole` says what that would find, and where there may be far rows twice more; at most
    a batch a thread is in memory.
    """
    return survey_measured(PairMeasures(pairs, crew), far, whole)


def survey_measured(measures: Measures, far: Far, whole: Extent | None = None) -> Survey:
    """The same from what is measured of the rows."""
    whole = measures.extent(None) if whole is None else whole
    if isinstance(far, tuple):
        chosen, kept = far, measures.extent(far)
    else:
        chosen = full = _roots(measures, whole)
        if far and whole.count:
            chosen = (
                _without_far(measures, 0, full[0], whole.count),
                _without_far(measures, 1, full[1], whole.count),
            )
        kept = whole if chosen == full else measures.extent(chosen)
    outside = measures.rows - whole.count
    return Survey(*chosen, measures.rows, kept.count, outside, whole.count - kept.count, kept.low, kept.high)


def _roots(measures: Measures, extent: Extent) -> tuple[Root, Root]:
    fixed = measures.fixed_roots
    if extent.low is None or extent.high is None:
        return fixed[0] or root_of(None, None), fixed[1] or root_of(None, None)
    return (
        fixed[0] or root_of(extent.low[0], extent.high[0]),
        fixed[1] or root_of(extent.low[1], extent.high[1]),
    )


@dataclass(frozen=True)
class PairMeasures:
    """Measures of rows that are read here, by the threads of a crew."""

    pairs: Pairs
    crew: Crew

    @property
    def rows(self) -> int:
        return self.pairs.rows

    @property
    def fixed_roots(self) -> tuple[Root | None, Root | None]:
        return self.pairs.fixed_roots

    def extent(self, roots: tuple[Root, Root] | None) -> Extent:
        total = Extent()
        lock = threading.Lock()

        def look(piece: int) -> int:
            part = Extent()
            for batch in self.crew.paced(self.pairs.read(piece, self.crew.cancel)):
                xs, ys, mask = both_numbers(batch)
                if roots is not None:
                    for values, root in ((xs, roots[0]), (ys, roots[1])):
                        within = root.codes(values, None, np.empty(len(values), np.uint32)) == INSIDE
                        mask = within if mask is None else mask & within
                part.add(xs, ys) if mask is None else part.add(xs[mask], ys[mask])
            with lock:
                total.merge(part)
            return self.pairs.pieces[piece][1]

        self.crew.run("measuring", look, range(len(self.pairs.pieces)), self.rows)
        return total

    def bins(self, which: int, root: Root, spare: int) -> npt.NDArray[np.int64] | None:
        bins = np.zeros(BINS, np.int64)
        lock = threading.Lock()
        ruled_out = threading.Event()

        def look(piece: int) -> int:
            for batch in self.crew.paced(self.pairs.read(piece, self.crew.cancel)) if not ruled_out.is_set() else ():
                codes, inside = _codes_of(batch, which, root)
                part = np.bincount(codes[inside] >> np.uint32(32 - SHORTER - 1), minlength=BINS)
                with lock:
                    np.add(bins, part, out=bins)
                    if int(bins.sum()) - (bins[:-1] + bins[1:]).max() > spare:
                        ruled_out.set()
                if ruled_out.is_set():
                    break
            return self.pairs.pieces[piece][1]

        self.crew.run("looking for far rows", look, _scattered(len(self.pairs.pieces)), self.rows)
        return None if ruled_out.is_set() else bins

    def extremes(self, which: int, part: Root) -> tuple[Number, Number] | None:
        lows: list[Number] = []
        highs: list[Number] = []

        def look(piece: int) -> int:
            for batch in self.crew.paced(self.pairs.read(piece, self.crew.cancel)):
                _, inside = _codes_of(batch, which, part)
                within = (batch.x, batch.y)[which][0][inside]
                if len(within):
                    lows.append(within.min().item())
                    highs.append(within.max().item())
            return self.pairs.pieces[piece][1]

        self.crew.run("measuring", look, range(len(self.pairs.pieces)), self.rows)
        return (min(lows), max(highs)) if lows else None


def both_numbers(batch: Batch) -> tuple[Array, Array, Mask | None]:
    """The axis-space numbers of some rows and where both are numbers; None where all are."""
    xs, x_mask = numbers_of(*batch.x)
    ys, y_mask = numbers_of(*batch.y)
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


def _without_far(measures: Measures, which: int, root: Root, count: int) -> Root:
    """The root of axis `which` (0 is x) without its far rows; `root` holds all `count` of them."""
    if measures.fixed_roots[which] is not None:
        return root
    kept = count
    while True:
        spare = (count - 1) // FAR_SHARE - (count - kept)  # rows that may still be far
        shorter = _shorter(measures, which, root, kept, spare) if spare > 0 else None
        if shorter is None:
            return root
        root, kept = shorter


def _shorter(measures: Measures, which: int, root: Root, kept: int, spare: int) -> tuple[Root, int] | None:
    """The shorter root that leaves out the fewest of `kept` rows, at most `spare`, and how many it keeps."""
    bins = measures.bins(which, root, spare)
    if bins is None:
        return None
    pairs_of_bins = bins[:-1] + bins[1:]
    candidates = np.flatnonzero((pairs_of_bins >= kept - spare) & (pairs_of_bins < kept)).tolist()
    for k in sorted(candidates, key=lambda k: -int(pairs_of_bins[k])):
        part = Root((root.multiple << SHORTER) + k, root.exponent - SHORTER)
        extremes = measures.extremes(which, part)
        assert extremes is not None  # the part holds rows
        found = root_of(*extremes)
        if root.exponent - found.exponent >= SHORTER:
            return found, int(pairs_of_bins[k])
    return None


def _codes_of(batch: Batch, which: int, root: Root) -> tuple[npt.NDArray[np.uint32], Mask]:
    """Codes on one axis, and which rows lie in the root and are numbers on both."""
    xs, ys, mask = both_numbers(batch)
    values = (xs, ys)[which]
    codes = np.empty(len(values), np.uint32)
    return codes, root.codes(values, mask, codes) == INSIDE


def _scattered(count: int) -> list[int]:
    """0 .. count - 1, each next one far from those before it: rows sorted in the file must not look concentrated."""
    return sorted(range(count), key=lambda k: k * 0.6180339887498949 % 1)
