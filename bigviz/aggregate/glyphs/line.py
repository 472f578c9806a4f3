"""An image of a line through rows in their order: every cell that Bresenham's algorithm steps on."""

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.glyphs.bins import Bins
from bigviz.aggregate.inputs import NO_INPUTS, SLICE, Inputs, Slices
from bigviz.aggregate.reductions.base import Grid, Planes, Reduction
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.jit import frozen, jit

Array = npt.NDArray[Any]

_CELLS: Final = 1 << 16  # cells a kernel emits at a time


def line_image(
    x: Slices,
    y: Slices,
    x_bins: Bins,
    y_bins: Bins,
    reduction: Reduction,
    inputs: Inputs = NO_INPUTS,
    cancel: Cancel = NEVER,
) -> Grid:
    """The reduction of the segments through each cell of a window, as (rows, columns), row 0 the lowest y.

    A segment from row k to row k + 1 carries row k's values into every cell it steps on; its first cell is left to the
    segment before it, unless there is none. It is clipped to the window by Liang and Barsky's algorithm, its ends are
    snapped to cells and Bresenham's algorithm joins them: all as datashader does, bit for bit. A null, NaN or
    infinite x or y is a gap. Raises Cancelled between slices of 2^17 rows or 2^16 cells.
    """
    planes = reduction.create((y_bins.size, x_bins.size), inputs.dtype, inputs.categories, cancel.check)
    add_line(planes, x, y, x_bins, y_bins, reduction, inputs, 0, cancel)
    return reduction.finalize(planes)


def add_line(
    planes: Planes,
    x: Slices,
    y: Slices,
    x_bins: Bins,
    y_bins: Bins,
    reduction: Reduction,
    inputs: Inputs,
    first: int,
    cancel: Cancel = NEVER,
) -> None:
    """Add the segments from number `first` on to the planes of an image; the rows before tell whether the first one
    continues a line."""
    room = _CELLS + x_bins.size + y_bins.size
    cells, rows = np.empty(room, np.int32), np.empty(room, np.int64)
    segments = len(x) - 1
    for start in range(first, segments, SLICE):
        stop = min(start + SLICE, segments)
        base = max(start - 1, 0)
        xs, x_exact, x_terms = _vertices(x, x_bins, base, stop + 1)
        ys, y_exact, y_terms = _vertices(y, y_bins, base, stop + 1)
        at = start - base
        while at < stop - base:
            cancel.check()
            at, count = _emit(xs, ys, x_exact, y_exact, at, stop - base, x_terms, y_terms, cells, rows)
            if count:
                reduction.append(planes, cells[:count], inputs.at(rows[:count] + base, reduction.ordered))


def _vertices(column: Slices, bins: Bins, start: int, stop: int) -> tuple[Array, Array, Array]:
    """A side's coordinates as float64 with NaN for null, their exact bins, and what the kernel needs to know of the
    side.

    Integers that float64 does not hold are taken from the window's lower end, exactly, and the window with them. Only
    they have exact bins (-1 outside the window); other sides have an empty array.
    """
    values, valid = column.slice(start, stop)
    exact = np.empty(0, np.int32)
    if bins.exact(values.dtype):
        exact = np.empty(len(values), np.int32)
        bins.place(values, valid, exact)
        origin = math.floor(bins.low)
        numbers = _distances(values, origin)
        bins = Bins(bins.low - origin, bins.high - origin, bins.size, name=bins.name)
    else:
        numbers = values.astype(np.float64, copy=valid is not None)
    if valid is not None:
        numbers[~valid] = np.nan
    top = round((math.log10(bins.high) if bins.log else bins.high) * bins.scale + bins.shift)
    narrow = values.dtype == np.float32
    terms = [bins.low, bins.high, bins.scale, bins.shift, bins.size, top, bins.log, narrow]
    return frozen(numbers), exact, np.array(terms, np.float64)


def _distances(values: Array, origin: int) -> Array:
    """`values - origin` of int64 or uint64 as float64, rounded once."""
    limits = np.iinfo(values.dtype)
    if not limits.min <= origin <= limits.max:
        return np.asarray(values.astype(np.float64) - float(origin))
    base = np.array(origin, values.dtype)
    up = values.view(np.uint64) - base.view(np.uint64)  # the true distance where it is not below 0, else its complement
    down = base.view(np.uint64) - values.view(np.uint64)
    distances: Array = np.where(values >= base, up.astype(np.float64), -down.astype(np.float64))
    return distances


@jit
def _emit(
    xs: Array,
    ys: Array,
    x_exact: Array,
    y_exact: Array,
    start: int,
    stop: int,
    x_terms: Array,
    y_terms: Array,
    cells: Array,
    rows: Array,
) -> tuple[int, int]:
    """Write the cells of segments `start` to `stop` and, for each, its segment's first row; stop early when full.

    Returns the next segment and the number of cells written. Segment k joins vertices k and k + 1; vertex `start -
    1`, if there is one, tells whether the first continues a line. `x_terms` and `y_terms` are described at
    `_vertices`.
    """
    width = int(x_terms[4])
    most = max(width, int(y_terms[4])) + 1
    count = 0
    narrow = x_terms[7] > 0.0 or y_terms[7] > 0.0
    held, column, row = -1, 0, 0  # the vertex that was snapped last, and its cell
    for k in range(start, stop):
        if count + most > cells.size:
            return k, count
        x0, x1, y0, y1 = xs[k], xs[k + 1], ys[k], ys[k + 1]
        enter, leave = 0.0, 1.0
        if narrow or not (_within(x0, x1, x_terms) and _within(y0, y1, y_terms)):
            dx, dy = _difference(x0, x1, x_terms), _difference(y0, y1, y_terms)
            if not (abs(x0) < math.inf and abs(y0) < math.inf and abs(dx) < math.inf and abs(dy) < math.inf):
                continue
            enter, leave = _clip(x0, x1, dx, x_terms[0], x_terms[1], 0.0, 1.0)
            enter, leave = _clip(y0, y1, dy, y_terms[0], y_terms[1], enter, leave)
            if enter > leave:
                continue
            if leave < 1.0:
                x1, y1 = x0 + leave * dx, y0 + leave * dy
            if enter > 0.0:
                x0, y0 = x0 + enter * dx, y0 + enter * dy
        fresh = enter > 0.0 or k == 0 or not (abs(xs[k - 1]) < math.inf and abs(ys[k - 1]) < math.inf)
        if held != k or enter > 0.0:
            vertex = k if enter <= 0.0 else -1
            column, row = _snap(x0, x_terms, x_exact, vertex), _snap(y0, y_terms, y_exact, vertex)
        vertex = k + 1 if leave >= 1.0 else -1
        end_column, end_row = _snap(x1, x_terms, x_exact, vertex), _snap(y1, y_terms, y_exact, vertex)
        if fresh or (leave >= 1.0 and column == end_column and row == end_row):
            cells[count] = row * width + column
            rows[count] = k
            count += 1
        count = _walk(column, row, end_column, end_row, width, k, cells, rows, count)
        held, column, row = vertex, end_column, end_row
    return stop, count


@jit
def _within(start: float, end: float, terms: Array) -> bool:
    """Whether a segment lies within one side's interval, so that `_clip` would leave it whole (not so for float32)."""
    low, high = terms[0], terms[1]
    return bool(low <= start <= high and low <= end <= high)


@jit
def _difference(start: float, end: float, terms: Array) -> float:
    """`end - start`, rounded to float32 where both ends are (once more rounded, it is what float32 gives)."""
    return np.float64(np.float32(end - start)) if terms[7] > 0.0 else end - start


@jit
def _clip(
    start: float, end: float, delta: float, low: float, high: float, enter: float, leave: float
) -> tuple[float, float]:
    """Narrow the part `[enter, leave]` of a segment to one side's `[low, high]`; (1, 0) where nothing is left."""
    if (start < low and end < low) or (start > high and end > high):
        return 1.0, 0.0
    for side in range(2):
        slope, room = (-delta, start - low) if side == 0 else (delta, high - start)
        if slope < 0.0 and room < 0.0:
            crossing = room / slope
            if crossing > leave:
                return 1.0, 0.0
            enter = max(enter, crossing)
        elif slope > 0.0 and room < slope:
            crossing = room / slope
            if crossing < enter:
                return 1.0, 0.0
            leave = min(leave, crossing)
        elif room < 0.0:
            return 1.0, 0.0
    return enter, leave


@jit
def _snap(value: float, terms: Array, exact: Array, vertex: int) -> int:
    """The cell of a coordinate on one side; the upper end belongs to the last cell.

    `vertex` is the coordinate's own, or -1 where it was clipped; a vertex's exact cell, if it has one, is taken as it
    is.
    """
    if vertex >= 0 and exact.size > 0 and exact[vertex] >= 0:
        return int(exact[vertex])
    place = (math.log10(value) if terms[6] > 0.0 else value) * terms[2] + terms[3]
    if not place > 0.0:
        return 0
    if place >= terms[4] + 1.0:
        return int(terms[4]) - 1
    cell = int(place)
    if cell == int(terms[5]):
        cell -= 1
    return min(max(cell, 0), int(terms[4]) - 1)


@jit
def _walk(x: int, y: int, x1: int, y1: int, width: int, row: int, cells: Array, rows: Array, count: int) -> int:
    """Bresenham's steps from a cell, which is not written, to another, which is."""
    across, up = abs(x1 - x), abs(y1 - y)
    x_step, y_step = (1 if x1 > x else -1), (1 if y1 > y else -1)
    wide = across >= up
    long, short = (across, up) if wide else (up, across)
    forward = (x_step if wide else y_step) > 0
    error = 2 * short - long
    for _ in range(long):
        aside = error > 0 or (error == 0 and forward)
        if aside:
            error -= 2 * long
        error += 2 * short
        if wide or aside:
            x += x_step
        if aside or not wide:
            y += y_step
        cells[count] = y * width + x
        rows[count] = row
        count += 1
    return count
