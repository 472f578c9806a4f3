"""An image of points: each row falls in one cell."""

import numpy as np

from bigviz.aggregate.canvas_bins import Bins
from bigviz.aggregate.inputs import NO_INPUTS, SLICE, Inputs, Slices
from bigviz.aggregate.reductions.base import Grid, Planes, Reduction
from bigviz.common.cancel import NEVER, Cancel


def points_image(
    x: Slices,
    y: Slices,
    x_bins: Bins,
    y_bins: Bins,
    reduction: Reduction,
    inputs: Inputs = NO_INPUTS,
    cancel: Cancel = NEVER,
) -> Grid:
    """The reduction of the rows of each cell of a window, as (rows, columns), row 0 the lowest y; `by` puts
    categories first.

    `x` and `y` are columns of equal length in the numbers of the bins. The window is closed at both ends; rows
    outside it and rows whose x or y is null or NaN are skipped. Raises Cancelled between slices of 2^17 rows.
    """
    planes = reduction.create((y_bins.size, x_bins.size), inputs.dtype, inputs.categories, cancel.check)
    add_points(planes, x, y, x_bins, y_bins, reduction, inputs, cancel)
    return reduction.finalize(planes)


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
    cells = np.empty(min(SLICE, len(x)), np.int32)
    for start in range(0, len(x), SLICE):
        cancel.check()
        stop = min(start + SLICE, len(x))
        part = cells[: stop - start]
        x_bins.place(*x.slice(start, stop), part)
        y_bins.place(*y.slice(start, stop), part, x_bins.size)
        reduction.append(planes, part, inputs.rows(start, stop, reduction.ordered))
