"""Kernels that place points and add them to a tally in one go, and no thread waits for the interpreter between blocks.

Most rows are added by eights: see `eight_kernels`. Of those with a mask, of some others and of the last few of a slice
the cells of a block are written, and stay in a core's cache until they are added.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.glyphs.eight_kernels import count_eights, keep_eights, sum_eights
from bigviz.aggregate.glyphs.place_eight import EIGHT
from bigviz.aggregate.glyphs.place_points import Sides, hide, place
from bigviz.aggregate.reductions.tally_kernels import add_and_count, count_bytes, hide_nan, highest, lowest, set_marks
from bigviz.common.jit import jit

__all__ = [
    "Points", "Target", "count_points", "interleave", "keep_extremes", "locate_points", "mark_points", "sum_points",
]  # fmt: skip

Array = npt.NDArray[Any]

_BLOCK: Final = 1 << 12  # rows whose cells are written at a time


class Points(NamedTuple):
    """Rows as kernels take them: their numbers (float32 or float64), whether they are to be drawn (bool), the codes of
    their categories (below 0: none), and their values, without which (NaN) they are not drawn either. Empty arrays
    stand for rows that are all drawn, for no categories, and for no values."""

    x: Array
    y: Array
    valid: Array
    codes: Array
    values: Array


class Target(NamedTuple):
    """Where rows go: the cells of the image, its categories (0 without them), the number of no cell, and which bits of
    a row's number are added to that."""

    plane: int
    categories: int
    outside: int
    spare: int


@jit
def count_points(points: Points, sides: Sides, target: Target, low: Array, wrapped: Array, found: int) -> int:
    """Count points in the bytes `low`; `wrapped` and `found` are those of `count_bytes`."""
    x, y, codes = points.x, points.y, points.codes
    eights = 0 if points.valid.size or points.values.size else x.size // EIGHT * EIGHT
    if eights and codes.size:
        found = count_eights(x[:eights], y[:eights], codes[:eights], sides, target, low, wrapped, found)
    elif eights:
        found = count_eights(x[:eights], y[:eights], None, sides, target, low, wrapped, found)
    cells = np.empty(_BLOCK, np.int32)
    for start in range(eights, points.x.size, _BLOCK):
        stop = min(start + _BLOCK, points.x.size)
        _locate(points.x, points.y, points.valid, points.codes, sides, target, start, stop, cells)
        _hide_missing(points.values, target, start, stop, cells)
        found = count_bytes(low, wrapped, found, cells[: stop - start])
    return found


@jit
def mark_points(points: Points, sides: Sides, target: Target, marks: Array) -> None:
    """Set the cells of points to 1."""
    cells = np.empty(_BLOCK, np.int32)
    for start in range(0, points.x.size, _BLOCK):
        stop = min(start + _BLOCK, points.x.size)
        _locate(points.x, points.y, points.valid, points.codes, sides, target, start, stop, cells)
        _hide_missing(points.values, target, start, stop, cells)
        set_marks(marks, cells[: stop - start])


@jit
def sum_points(
    points: Points, sides: Sides, target: Target, sums: Array, low: Array, wrapped: Array, found: int
) -> int:
    """Add and count the values of points, as `add_and_count` does."""
    x, y, values = points.x, points.y, points.values
    eights = 0 if points.valid.size or points.codes.size else x.size // EIGHT * EIGHT
    if eights:
        found = sum_eights(x[:eights], y[:eights], values[:eights], sides, target, sums, low, wrapped, found)
    cells = np.empty(_BLOCK, np.int32)
    for start in range(eights, points.x.size, _BLOCK):
        stop = min(start + _BLOCK, points.x.size)
        _locate(points.x, points.y, points.valid, points.codes, sides, target, start, stop, cells)
        _hide_missing(points.values, target, start, stop, cells)
        found = add_and_count(sums, low, wrapped, found, cells[: stop - start], points.values[start:stop])
    return found


@jit
def keep_extremes(points: Points, sides: Sides, target: Target, best: Array, is_lowest: bool) -> None:
    """Keep the lowest or the highest value of the points of each cell, as `lowest` and `highest` do."""
    x, y, values = points.x, points.y, points.values
    eights = 0 if points.valid.size or points.codes.size else x.size // EIGHT * EIGHT
    if eights and is_lowest:
        keep_eights(x[:eights], y[:eights], values[:eights], sides, target, best, True)
    elif eights:
        keep_eights(x[:eights], y[:eights], values[:eights], sides, target, best, None)
    cells = np.empty(_BLOCK, np.int32)
    for start in range(eights, points.x.size, _BLOCK):
        stop = min(start + _BLOCK, points.x.size)
        _locate(points.x, points.y, points.valid, points.codes, sides, target, start, stop, cells)
        if is_lowest:
            lowest(best, cells[: stop - start], points.values[start:stop])
        else:
            highest(best, cells[: stop - start], points.values[start:stop])


@jit
def locate_points(points: Points, sides: Sides, target: Target, out: Array) -> None:
    """The cells of points; those whose value is NaN are in none."""
    for start in range(0, points.x.size, _BLOCK):
        stop = min(start + _BLOCK, points.x.size)
        part = out[start:stop]
        _locate(points.x, points.y, points.valid, points.codes, sides, target, start, stop, part)
        _hide_missing(points.values, target, start, stop, part)


@jit
def _locate(
    x: Array, y: Array, valid: Array, codes: Array, sides: Sides, target: Target, start: int, stop: int, cells: Array
) -> None:
    """The cells of a block of rows. It is not given all of the points, or it were compiled for each type of values."""
    part = cells[: stop - start]
    place(x[start:stop], y[start:stop], sides, target.outside, target.spare, part)
    if valid.size:
        hide(valid[start:stop], target.outside, part)
    if codes.size:
        interleave(codes[start:stop], target, part)


@jit
def _hide_missing(values: Array, target: Target, start: int, stop: int, cells: Array) -> None:
    if values.size:
        hide_nan(values[start:stop], target.outside, cells[: stop - start])


@jit
def interleave(codes: Array, target: Target, cells: Array) -> None:
    """Make cells those of an image whose categories lie side by side: `cell * categories + code`."""
    count, none, turns = np.int32(target.categories), np.int32(target.outside), np.int32(target.spare)
    plane = np.uint32(target.plane)
    for k in range(cells.size):
        cell, code = cells[k], np.int32(codes[k])
        known = (np.uint32(cell) < plane) & (code >= 0) & (code < count)
        cells[k] = np.int32(cell * count + code) if known else np.int32(none + (cell & turns))
