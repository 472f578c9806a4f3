"""The ranges of Morton-ordered rows that a polygon needs: squares inside it whole, squares on its outline to be looked
at row by row.

The descent works on codes as floating-point numbers. A square counts as on the outline if an edge passes it by less
than a margin that is wider than all rounding, so what it calls inside is inside for certain.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.dyadic_cells import Root, power_of_two
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.jit import jit
from bigviz.tiles.grid.interleave import compact
from bigviz.tiles.grid.survey import Survey
from bigviz.tiles.grid.window import Number, codes_between
from bigviz.tiles.morton.quadtree import Ranges, batches_within
from bigviz.tiles.morton.sorted_keys import Fenced, SortedKeys, lower_bound
from bigviz.tiles.selection.polygon import Polygon, bands_of

__all__ = ["ranges_in"]

Array = npt.NDArray[Any]

_LEAF: Final = 256  # a square on the outline with at most so many rows is not divided
_ROOM: Final = 1 << 14  # ranges between two looks at the cancel flag
_STACK: Final = 3 * 32 + 4
_BEYOND: Final = 1 << 60
_FAR: Final = 2.0**48  # codes to a vertex beyond which rounding would matter


def ranges_in(guard: SortedKeys, survey: Survey, polygon: Polygon, cancel: Cancel = NEVER) -> Ranges:
    """The ranges that hold every row of the polygon inside both roots, ascending; whole ones hold no other. Raises
    Cancelled, and Unreadable for damaged keys."""
    return Ranges.joined(list(_batches(guard, survey, polygon, cancel)))


def _batches(guard: SortedKeys, survey: Survey, polygon: Polygon, cancel: Cancel) -> Iterator[Ranges]:
    xs = _codes([x for x, _ in polygon.vertices], survey.x)
    ys = _codes([y for _, y in polygon.vertices], survey.y)
    if max(np.abs(xs).max(), np.abs(ys).max()) > _FAR:
        yield from _unsure(guard, survey, polygon, cancel)
        return
    margin = 2.0  # codes; rounding is below 2^-2 of one
    bands = bands_of(xs, ys, margin)
    stack = np.empty((_STACK, 4), np.int64)
    stack[0] = 0, len(guard), 0, 0
    depth = 1
    while depth:
        cancel.check()
        low, high, whole = np.empty(_ROOM, np.int64), np.empty(_ROOM, np.int64), np.empty(_ROOM, np.bool_)
        found, depth = _descend(guard.fenced, *bands, margin, stack, depth, low, high, whole)
        guard.keys.check()
        yield Ranges(low[:found], high[:found], whole[:found])


def _unsure(guard: SortedKeys, survey: Survey, polygon: Polygon, cancel: Cancel) -> Iterator[Ranges]:
    """Ranges of rows around the polygon, all to be looked at."""
    across, up = (
        codes_between(root, *window) for root, window in zip((survey.x, survey.y), polygon.bounds, strict=True)
    )
    if across is not None and up is not None:
        yield from batches_within(guard, (*across, *up), cancel, (1, 0, 1, 0))
    yield Ranges(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.bool_))


def _codes(numbers: list[Number], root: Root) -> Array:
    """Places in a root, counted in codes."""
    start, width = root.start, power_of_two(root.exponent - 32)
    places = ((Fraction(number) - start) / width for number in numbers)
    return np.array([float(max(Fraction(-_BEYOND), min(Fraction(_BEYOND), place))) for place in places])


@jit
def _meets(
    ends: Array, starts: Array, edges: Array, low: float, scale: float,
    left: float, right: float, bottom: float, top: float,
) -> bool:  # fmt: skip
    """Whether an edge may pass through a rectangle."""
    most = starts.size - 2
    first = min(max(int((bottom - low) * scale), 0), most)
    last = min(max(int((top - low) * scale), 0), most)
    for e in range(starts[first], starts[last + 1]):
        ax, ay, bx, by = ends[edges[e], 0], ends[edges[e], 1], ends[edges[e], 2], ends[edges[e], 3]
        if by < bottom or ay > top or max(ax, bx) < left or min(ax, bx) > right:
            continue
        run, rise = bx - ax, by - ay
        a = run * (bottom - ay) - rise * (left - ax)
        b = run * (bottom - ay) - rise * (right - ax)
        c = run * (top - ay) - rise * (left - ax)
        d = run * (top - ay) - rise * (right - ax)
        if min(min(a, b), min(c, d)) <= 0.0 <= max(max(a, b), max(c, d)):
            return True
    return False


@jit
def _inside(ends: Array, starts: Array, edges: Array, low: float, scale: float, x: float, y: float) -> bool:
    """Whether a point that is far from every edge lies in the polygon."""
    most = starts.size - 2
    band = min(max(int((y - low) * scale), 0), most)
    inside = False
    for e in range(starts[band], starts[band + 1]):
        ax, ay, bx, by = ends[edges[e], 0], ends[edges[e], 1], ends[edges[e], 2], ends[edges[e], 3]
        if ay <= y < by and (bx - ax) * (y - ay) > (by - ay) * (x - ax):
            inside = not inside
    return inside


@jit
def _descend(
    fenced: Fenced,
    ends: Array,
    starts: Array,
    edges: Array,
    base: float,
    scale: float,
    margin: float,
    stack: Array,
    depth: int,
    lows: Array,
    highs: Array,
    whole: Array,
) -> tuple[int, int]:
    """Continue a descent until the output or the work ends: the ranges found, and the depth of the stack left. A stack
    entry is a square: its rows (low, high), its level, and its first key (as int64 bits)."""
    found = 0
    while depth > 0 and found < lows.size:
        depth -= 1
        low = stack[depth, 0]
        high = stack[depth, 1]
        level = stack[depth, 2]
        first = np.uint64(stack[depth, 3])
        if low == high:
            continue
        size = float(1 << (32 - level))
        x, y = float(compact(first)), float(compact(first >> np.uint64(1)))
        outline = _meets(
            ends, starts, edges, base, scale, x - margin, x + size + margin, y - margin, y + size + margin
        )  # fmt: skip
        if not outline and not _inside(ends, starts, edges, base, scale, x + size / 2, y + size / 2):
            continue
        if not outline or high - low <= _LEAF or level == 32:
            if found > 0 and highs[found - 1] == low and whole[found - 1] != outline:
                highs[found - 1] = high
            else:
                lows[found] = low
                highs[found] = high
                whole[found] = not outline
                found += 1
            continue
        step = np.uint64(62 - 2 * level)
        end = high
        for quarter in range(3, -1, -1):
            key = first + (np.uint64(quarter) << step)
            start = lower_bound(fenced, low, end, key) if quarter > 0 else low
            stack[depth, 0] = start
            stack[depth, 1] = end
            stack[depth, 2] = level + 1
            stack[depth, 3] = np.int64(key)
            depth += 1
            end = start
    return found, depth
