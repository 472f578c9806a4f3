"""An image of points: each row falls in one cell."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np

from bigviz.aggregate.canvas_bins import Bins
from bigviz.aggregate.glyphs.place_points import Places
from bigviz.aggregate.image_parts import part_count
from bigviz.aggregate.inputs import NO_INPUTS, Inputs, Slices
from bigviz.aggregate.reductions.base import Grid, Planes, Reduction
from bigviz.aggregate.reductions.sums import Sum
from bigviz.aggregate.reductions.tally import Tally, tally
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.workers import Crew

__all__ = ["add_points", "points_image", "points_planes"]

_BLOCK: Final = 1 << 15  # rows whose cells are written at a time: they stay in a core's cache until they are added
_LOOK: Final = 8  # blocks between two looks at the cancel flag


def points_image(
    x: Slices,
    y: Slices,
    x_bins: Bins,
    y_bins: Bins,
    reduction: Reduction,
    inputs: Inputs = NO_INPUTS,
    cancel: Cancel = NEVER,
    threads: int = 1,
) -> Grid:
    """The reduction of the rows of each cell of a window, as (rows, columns), row 0 the lowest y; `by` puts
    categories first.

    `x` and `y` are columns of equal length in the numbers of the bins. The window is closed at both ends; rows
    outside it and rows whose x or y is null or NaN are skipped. Rows are taken in parts on `threads` threads, each
    into planes of its own, which are combined in the order of the parts. Floats are added in the same parts whatever
    the number of threads, so their sums are the same bits; the error is at most 1e-12 of the sum of |v|. Raises
    Cancelled between blocks of rows.
    """
    return reduction.finalize(points_planes(x, y, x_bins, y_bins, reduction, inputs, cancel, threads))


def points_planes(
    x: Slices,
    y: Slices,
    x_bins: Bins,
    y_bins: Bins,
    reduction: Reduction,
    inputs: Inputs,
    cancel: Cancel = NEVER,
    threads: int = 1,
) -> Planes:
    """The planes of `points_image`."""
    parts = _parts(len(x), x_bins.size * y_bins.size * max(inputs.categories, 1), reduction, threads)
    found: list[Planes] = [()] * len(parts)

    def take(part: int) -> int:
        start, stop = parts[part]
        tallied = tally_of(reduction, x_bins, y_bins, inputs, cancel)
        _add(tallied, x, y, x_bins, y_bins, reduction, inputs, start, stop, cancel)
        found[part] = tallied.planes()
        return stop - start

    Crew(max(min(threads, len(parts)), 1), cancel=cancel).run("drawing rows", take, range(len(parts)), len(x))
    planes = found[0]
    for others in found[1:]:
        reduction.combine(planes, others)
    plane = reduction.plane
    if len(parts) > 1 and isinstance(plane, Sum) and plane.restarts and not np.isfinite(planes[0]).all():
        # a sum of infinities that begins again depends on the order of rows, and not in its last bits alone
        return points_planes(x, y, x_bins, y_bins, reduction, inputs, cancel, 0)
    return planes


def add_points(
    planes: Planes,
    x: Slices,
    y: Slices,
    x_bins: Bins,
    y_bins: Bins,
    reduction: Reduction,
    inputs: Inputs,
    cancel: Cancel,
) -> None:
    """Add rows to the accumulators of an image: `points_image` for rows that come in batches."""
    cells = np.empty(min(_BLOCK, len(x)), np.int32)
    places = Places(x_bins, y_bins, -1)
    for start in range(0, len(x), _BLOCK):
        cancel.check()
        stop = min(start + _BLOCK, len(x))
        part = cells[: stop - start]
        places.write(x.slice(start, stop), y.slice(start, stop), part)
        reduction.append(planes, part, inputs.rows(start, stop, reduction.ordered))


def tally_of(reduction: Reduction, x_bins: Bins, y_bins: Bins, inputs: Inputs, cancel: Cancel) -> Tally:
    """An empty tally for the rows of an image."""
    narrow = inputs.values is not None and inputs.values.values.dtype == np.float32
    return tally(reduction, (y_bins.size, x_bins.size), inputs.dtype, inputs.categories, narrow, cancel.check)


def _add(
    tallied: Tally,
    x: Slices,
    y: Slices,
    x_bins: Bins,
    y_bins: Bins,
    reduction: Reduction,
    inputs: Inputs,
    first: int,
    last: int,
    cancel: Cancel,
) -> None:
    cells = np.empty(min(_BLOCK, last - first), np.int32)
    places = Places(x_bins, y_bins, tallied.outside)
    for number, start in enumerate(range(first, last, _BLOCK)):
        if number % _LOOK == 0:
            cancel.check()
        stop = min(start + _BLOCK, last)
        part = cells[: stop - start]
        places.write(x.slice(start, stop), y.slice(start, stop), part)
        tallied.add(part, inputs.rows(start, stop, reduction.ordered))


def _parts(rows: int, cells: int, reduction: Reduction, threads: int) -> list[tuple[int, int]]:
    """Consecutive ranges of all rows, one for each part; for 0 threads one."""
    if threads == 0:
        return [(0, rows)]
    count = part_count(rows, cells, reduction, threads)
    edges = [rows * part // count for part in range(count + 1)]
    return list(pairwise(edges))
