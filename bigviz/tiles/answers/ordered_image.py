"""An image of a window from rows in Morton order: those of the window are read, one after the other, as they lie.

Neighbours in the order are neighbours in the image, so what is written stays in the caches.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.glyphs.bins import Bins
from bigviz.aggregate.glyphs.image_parts import part_count
from bigviz.aggregate.glyphs.place_points import Places
from bigviz.aggregate.reductions.base import Planes
from bigviz.aggregate.reductions.extremes import Extreme
from bigviz.aggregate.reductions.tally import NearCountTally, PlanesTally, Tally, tally
from bigviz.common.cancel import Cancel
from bigviz.common.workers import Crew
from bigviz.tiles.answers.placed_rows import PlacedRows
from bigviz.tiles.morton.order import Order
from bigviz.tiles.morton.quadtree import Ranges
from bigviz.tiles.pyramid.layer_columns import Inputs

__all__ = ["Runs", "ordered_planes"]

Array = npt.NDArray[Any]

_BLOCK: Final = 1 << 16  # rows that are taken at a time
_GAP: Final = 1 << 10  # rows outside the window that are read along rather than skipped


@dataclass(frozen=True)
class Runs:
    """Half-open ranges of positions of an order, `low` and `high` (int64), ascending and apart."""

    low: Array
    high: Array

    @staticmethod
    def of(ranges: Ranges) -> Runs:
        """The ranges that hold all rows of a window, those close to each other joined."""
        order = np.argsort(ranges.low, kind="stable")
        low, high = ranges.low[order], ranges.high[order]
        apart = np.flatnonzero(low[1:] - high[:-1] > _GAP) + 1
        return Runs(
            low[np.r_[0, apart]] if len(low) else low, high[np.r_[apart - 1, len(high) - 1]] if len(low) else low
        )

    @property
    def rows(self) -> int:
        """Rows in all ranges."""
        return int((self.high - self.low).sum())

    def parts(self, count: int) -> list[Runs]:
        """The same rows in so many parts of about as many rows, at least one."""
        ends = np.cumsum(self.high - self.low)
        cuts = [self.rows * k // count for k in range(count + 1)]
        return [self._between(ends, start, stop) for start, stop in pairwise(cuts)]

    def _between(self, ends: Array, start: int, stop: int) -> Runs:
        """Those of the rows with the places `start` to `stop` (exclusive) among all."""
        begins = ends - (self.high - self.low)
        low = self.low + np.clip(start - begins, 0, None)
        high = self.high - np.clip(ends - stop, 0, None)
        some = low < high
        return Runs(low[some], high[some])

    def blocks(self) -> Iterator[tuple[int, int]]:
        """Ranges of at most a block, cut where boxes end."""
        for low, high in zip(self.low.tolist(), self.high.tolist(), strict=True):
            while low < high:
                stop = min((low // _BLOCK + 1) * _BLOCK, high)
                yield low, stop
                low = stop


def ordered_planes(
    order: Order, inputs: Inputs, runs: Runs, x_bins: Bins, y_bins: Bins, threads: int, cancel: Cancel
) -> Planes | None:
    """The planes of an image of the rows of some ranges of an order, those within the window; far rows are not among
    them.

    Each part of the rows is added into planes of its own, on `threads` threads, and these are combined in the order of
    the parts. Where the order of additions shows in the last bits, it is one of Morton codes, and the number of parts
    follows from rows and cells alone. None where the first of equal values decides, which only rows in file order
    tell: 0 and -0, under `min` and `max`.
    """
    reduction = inputs.reduction
    labels = len(inputs.labels or ())
    cells = x_bins.size * y_bins.size * max(labels, 1)
    count = part_count(runs.rows, cells, reduction, threads)
    found: list[Planes | None] = [None] * count
    parts = runs.parts(count)
    narrow = inputs.own == np.float32

    def take(part: int) -> int:
        shape = y_bins.size, x_bins.size
        tallied: Tally
        if parts[part].rows < shape[0] * shape[1]:
            tallied = PlanesTally(reduction.create(shape, inputs.dtype, labels, cancel.check), reduction)
        elif inputs.counts_rows and not labels:
            tallied = NearCountTally(shape)
        else:
            tallied = tally(reduction, shape, inputs.dtype, labels, narrow, cancel.check)
        if _add(order, inputs, parts[part], tallied, Places(x_bins, y_bins, tallied.outside), cancel):
            found[part] = tallied.planes()
        return parts[part].rows

    Crew(min(threads, count), cancel=cancel).run("drawing rows", take, range(count), runs.rows)
    planes = found[0]
    for others in found[1:]:
        if planes is None or others is None:
            return None
        reduction.combine(planes, others)
    return planes


def _add(order: Order, inputs: Inputs, runs: Runs, tallied: Tally, places: Places, cancel: Cancel) -> bool:
    """Add the rows of some ranges; False where they cannot be added in any order."""
    placed = PlacedRows(order, places, _BLOCK)
    ties = isinstance(inputs.reduction.plane, Extreme) and inputs.own.kind == "f"
    left: list[Array] = []
    for start, stop in runs.blocks():
        cancel.check()
        rows = inputs.rows(slice(start, stop))
        if ties and rows.values is not None and (np.signbit(rows.values) & (rows.values == 0)).any():
            return False
        cells, unknown = placed.by_keys(start, stop)
        tallied.add(cells, rows)
        left.append(unknown)
        if sum(map(len, left)) >= _BLOCK:
            _add_left(placed, inputs, left, tallied)
    _add_left(placed, inputs, left, tallied)
    return True


def _add_left(placed: PlacedRows, inputs: Inputs, left: list[Array], tallied: Tally) -> None:
    """Add the rows that their keys did not tell the cells of, and forget them."""
    positions = np.concatenate([np.empty(0, np.int64), *left])
    left.clear()
    for start in range(0, len(positions), _BLOCK):
        part = positions[start : start + _BLOCK]
        tallied.add(placed.by_numbers(part), inputs.rows(part))
