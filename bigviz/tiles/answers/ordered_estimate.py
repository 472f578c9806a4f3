"""Estimates of tiles of ordered rows, for as long as their pyramid is not there.

Every k-th row of a tile is looked at, from a random one on. Rows in Morton order that follow each other lie near each
other, so such a sample is spread evenly over the tile, and as good in every corner of it.
"""

from __future__ import annotations

import time
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.reductions.base import Rows
from bigviz.aggregate.reductions.extremes import Max
from bigviz.aggregate.reductions.jackknife import GROUPS, combined, error_of, scaled
from bigviz.aggregate.reductions.sums import Mean, Sum
from bigviz.common.cancel import NEVER, Cancel
from bigviz.tiles.answers.answer import Cost, Drawn, Estimate, microseconds
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.morton.quadtree import Ranges, cells_of, ranges_within
from bigviz.tiles.pyramid.accumulators import wire
from bigviz.tiles.pyramid.pyramid import Pyramid
from bigviz.wire.codec import SIDE

__all__ = ["estimate_of", "rehearse", "rough_tile"]

Array = npt.NDArray[Any]

_SOON: Final = 1 << 21  # rows whose exact tile takes no longer than an estimate: some milliseconds
_LOOKED: Final = 1 << 16  # rows that an estimate looks at: 12 to 21 ms a tile at 10^8 rows whose blocks are verified


def rough_tile(pyramid: Pyramid, key: TileKey, cancel: Cancel = NEVER) -> tuple[Drawn, Estimate] | None:
    """An estimate of a tile; None where the exact one takes no longer, because it is kept or has few rows."""
    if pyramid.kept(key) is not None:
        return None
    begun = time.perf_counter()
    ranges = ranges_within(pyramid.guard, key.codes, cancel)
    if ranges.rows <= _SOON:
        return None
    positions = _every(ranges, -(-ranges.rows // _LOOKED), np.random.default_rng(key.i + key.j))
    return estimate_of(pyramid, key, positions, (len(positions), ranges.rows), begun, cancel)


def estimate_of(
    pyramid: Pyramid, key: TileKey, positions: Array, looked: tuple[int, int], begun: float, cancel: Cancel
) -> tuple[Drawn, Estimate]:
    """An estimate of a tile from rows of it: those that were met among so many that were `looked` at, of so many."""
    inputs, (seen, rows) = pyramid.inputs, looked
    planes_each = len(inputs.labels or (0,))
    groups = GROUPS if planes_each <= GROUPS else GROUPS // 2
    parts = []
    for group in range(groups):
        cancel.check()
        some = positions[group::groups]
        planes = inputs.create(look=cancel.check)
        inputs.append(planes, cells_of(pyramid.guard.keys.take(some), key), some)
        parts.append(planes)
    sizes = [len(range(group, seen, groups)) for group in range(groups)]
    error = error_of(inputs.reduction, parts, sizes, rows, cancel)
    total = combined(inputs.reduction, parts)
    summed = time.perf_counter()
    encoded = wire(inputs.reduction, scaled(inputs.reduction, total, rows / max(seen, 1)))
    cost = Cost(0, microseconds(summed - begun), microseconds(time.perf_counter() - summed), len(positions))
    cost.bytes = len(positions) * inputs.row_bytes
    return Drawn(tuple(encoded), cost), Estimate(seen / max(rows, 1), error, False)


def rehearse() -> None:
    """Load the kernels of estimates of values (40 ms), so that the first estimate need not wait for them."""
    key, cells = TileKey(1, 1, 0, 0), np.zeros(1, np.int32)
    cells_of(np.zeros(1, np.uint64), key)
    for reduction in (Sum("value"), Mean("value"), Max("value")):
        planes = reduction.create((SIDE, SIDE))
        for dtype in (np.float32, np.float64):
            reduction.append(planes, cells, Rows(np.zeros(1, dtype)))
        wire(reduction, planes)


def _every(ranges: Ranges, step: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Every `step`-th position of the ranges, from a random one on."""
    ends = np.cumsum(ranges.high - ranges.low)
    numbers = np.arange(int(rng.integers(0, step)), int(ends[-1]), step, dtype=np.int64)
    at = np.searchsorted(ends, numbers, side="right")
    return np.asarray(ranges.low[at] + numbers - (ends - (ranges.high - ranges.low))[at], np.int64)
