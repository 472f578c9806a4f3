"""How far outlines cover each pixel, in the fixed-point steps of the rasteriser that Chromium draws paths with.

Source: Skia's analytic antialiasing (`SkScan_AAAPath.cpp`, `SkAnalyticEdge.cpp`; BSD licence), rewritten for lines.
Ends of edges stand on quarters of a pixel's height. A row is taken at once, or in halves or quarters where edges begin,
end or cross in it; within such a part the area between the outermost edges is added up, in 255ths. Where the outlines
wind around a place, in whatever direction, it is covered.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import frozen, jit

__all__ = ["coverage"]

Array = npt.NDArray[Any]
_ONE: Final = 1 << 16  # a pixel, in the fixed-point numbers of edges
_QUARTER: Final = 1 << 14
_FAINT: Final = 8  # what is added up in parts of rows is nothing below, and all above 255 less this
# Literals would have numba compile what they are given to once more for each, and a variable is one at first too.
_STEEP: Final[Any] = np.int64((1 << 31) - 1)  # the slope of a vertical edge
_NONE: Final[Any] = np.int64(0)


def coverage(outlines: Sequence[Array], shape: tuple[int, int]) -> npt.NDArray[np.float64]:
    """The covered share of each pixel, (y, x) of `shape`, 0 to 1, by closed outlines (corners, 2) in device pixels from
    the top left, together. NaN is not allowed."""
    out, whole = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    ends = [np.concatenate([each, np.roll(each, -1, 0)], 1) for each in outlines if len(each) > 2]
    lines = _clipped(np.concatenate([np.empty((0, 4)), *ends]), *shape)
    edges = _edges(lines)
    if len(edges):
        rows = math.ceil(edges[:, 1].max() / _ONE) - edges[0, 0] // _ONE
        _walk(frozen(edges), out, whole, sum(map(len, ends)) <= 2 * rows)
    added = np.minimum(out, 255)
    added[added < _FAINT] = 0
    added[added > 255 - _FAINT] = 255
    return 1 - (1 - added / 255) * (1 - np.minimum(whole, 255) / 255)


def _clipped(ends: Array, height: int, width: int) -> Array:
    """Lines (n, 4) as x0, y0, x1, y1, cut at the top and the bottom; what lies left of the picture stands at its left
    side, what lies right of it is left out."""
    x0, y0, x1, y1 = ends[np.abs(ends[:, 3] - ends[:, 1]) > 0].T
    top, bottom = np.minimum(y0, y1), np.maximum(y0, y1)
    seen = (bottom > 0) & (top < height)
    x0, y0, x1, y1 = (each[seen] for each in (x0, y0, x1, y1))
    slope = (x1 - x0) / (y1 - y0)
    starts, stops = np.clip(y0, 0, height), np.clip(y1, 0, height)
    x0, x1 = x0 + slope * (starts - y0), x1 + slope * (stops - y1)
    parts = []
    with np.errstate(divide="ignore", invalid="ignore"):
        at_left, at_right = starts - x0 / slope, starts + (width - x0) / slope
    crosses = (x0 < 0) != (x1 < 0)
    beyond = (x0 > width) != (x1 > width)
    kept = ~((x0 > width) & (x1 > width))
    first_x, first_y = np.maximum(x0, 0), np.where(crosses & (x0 < 0), at_left, starts)
    last_x, last_y = np.maximum(x1, 0), np.where(crosses & (x1 < 0), at_left, stops)
    left = (x0 < 0) & (x1 < 0)
    first_y, last_y = np.where(left, starts, first_y), np.where(left, stops, last_y)
    first_y = np.where(beyond & (x0 > width), at_right, first_y)
    last_y = np.where(beyond & (x1 > width), at_right, last_y)
    parts.append(np.stack([np.minimum(first_x, width), first_y, np.minimum(last_x, width), last_y], 1)[kept])
    zero = np.zeros(len(x0))
    before, after = crosses & (x0 < 0), crosses & (x1 < 0)
    parts.append(np.stack([zero, starts, zero, at_left], 1)[before])
    parts.append(np.stack([zero, at_left, zero, stops], 1)[after])
    return np.concatenate(parts)


def _edges(ends: Array) -> npt.NDArray[np.int64]:
    """Edges as (top, bottom, x at the top, its step a row, its size inverted, winding), in the order of their tops; of
    lines (n, 4), those without height left out."""
    x, y = (np.trunc(ends[:, side] * 256).astype(np.int64) << 8 for side in ([0, 2], [1, 3]))
    y = (y + (_QUARTER >> 1)) // _QUARTER * _QUARTER
    down = y[:, 1] > y[:, 0]
    x, y = np.where(down[:, None], x, x[:, ::-1]), np.where(down[:, None], y, y[:, ::-1])
    kept = y[:, 1] > y[:, 0]
    x, y, winding = x[kept], y[kept], np.where(down[kept], 1, -1)
    across, along = (x[:, 1] - x[:, 0]) >> 10, (y[:, 1] - y[:, 0]) >> 10
    step = (across << 16) // along
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = np.abs(np.where(across == 0, _STEEP, (along << 16) // np.where(across == 0, 1, across)))
    inverse = np.where((across == 0) | (step == 0), _STEEP, inverse)
    edges = np.stack([y[:, 0], y[:, 1], x[:, 0], step, inverse, winding], 1)
    return edges[np.lexsort((step, x[:, 0], y[:, 0]))]


@jit
def _walk(edges: Array, out: Array, whole: Array, crossings: bool) -> None:
    """Add what the edges enclose, from the top down."""
    count = len(edges)
    active, places = np.empty(count, np.int64), np.empty(count, np.int64)
    held = following = _NONE
    y = max(0, edges[0, 0])
    while y < out.shape[0] * _ONE:
        held, following = _entered(edges, active, places, held, following, y)
        if held == 0:
            if following == count:
                return
            y = edges[following, 0]
            continue
        below = (y // _ONE + 1) * _ONE
        if following < count:
            below = min(below, edges[following, 0])
        shift = _shift(edges, active[:held], places, y, below, crossings)
        _add_spans(edges, active[:held], places, shift, out[y // _ONE], whole[y // _ONE])
        y += _ONE >> shift


@jit
def _entered(edges: Array, active: Array, places: Array, held: int, following: int, y: int) -> tuple[int, int]:
    """The edges that a part of a row from `y` on has, in the order of their places: how many, and the next one."""
    while following < len(edges) and edges[following, 0] <= y:
        active[held] = following
        places[following] = edges[following, 2] + ((edges[following, 3] * (y - edges[following, 0])) >> 16)
        held += 1
        following += 1
    kept = 0
    for k in range(held):
        if edges[active[k], 1] > y:
            active[kept] = active[k]
            kept += 1
    for k in range(1, kept):  # nearly in order already
        edge, at = active[k], k
        while at > 0 and (
            places[active[at - 1]] > places[edge]
            or (places[active[at - 1]] == places[edge] and edges[active[at - 1], 3] > edges[edge, 3])
        ):
            active[at] = active[at - 1]
            at -= 1
        active[at] = edge
    return kept, following


@jit
def _shift(edges: Array, active: Array, places: Array, y: int, below: int, crossings: bool) -> int:
    """How often a row is halved for its part from `y` to `below` at most: where an edge ends, or two cross, sooner."""
    crossing = False
    for k in range(len(active)):
        edge = active[k]
        below = min(below, edges[edge, 1])
        if k > 0:
            before = active[k - 1]
            crossing = crossing or places[before] + edges[before, 3] > places[edge] + edges[edge, 3]
    if crossing and crossings:
        below = min(below, y + _QUARTER)
    if (below - y) & _QUARTER:
        return 2
    return 1 if (below - y) & (_ONE >> 1) else 0


@jit
def _add_spans(edges: Array, active: Array, places: Array, shift: int, row: Array, whole: Array) -> None:
    """Add what lies between edges in a part of a row, and move these to its end: to `whole`, which is not rounded
    further, where all of a row is taken and no other edge is near."""
    full = 255 if shift == 0 else 128 if shift == 1 else 64
    winding, passed = 0, 0
    left = left_edge = _NONE
    for k in range(len(active)):
        edge = active[k]
        was = winding
        winding += edges[edge, 5]
        upper = places[edge]
        places[edge] += edges[edge, 3] >> shift
        if was == 0 and winding != 0:
            left, left_edge = upper, edge
        elif was != 0 and winding == 0:
            lower = places[edge]
            close = passed > left >> 16 or passed > places[left_edge] >> 16
            if k + 1 < len(active):
                other = active[k + 1]
                close = close or lower + _ONE >= places[other] - abs(edges[other, 3])
            target = whole if full == 255 and not close else row
            slopes = edges[left_edge, 4], edges[edge, 4]
            _add_trapezoid(target, left, upper, places[left_edge], lower, slopes, full)
            passed = -(-max(upper, lower) // _ONE)
    if winding != 0:
        side = len(row) * _ONE
        _add_trapezoid(row, left, side, places[left_edge], side, (edges[left_edge, 4], _STEEP), full)


@jit
def _add_trapezoid(row: Array, ul: int, ur: int, ll: int, lr: int, slopes: tuple[int, int], full: int) -> None:
    """Add the area between a left and a right edge, whose places are given at the top (u) and at the bottom (l) of a
    part of a row, and their inverted steps."""
    left, right = slopes
    if ul > ur:
        return
    if ll > lr:
        ll = lr = _meeting(ul, ll, ur, lr)
    if ul == ur and ll == lr:
        return
    if ul > ll:
        ul, ll = ll, ul
    if ur > lr:
        ur, lr = lr, ur
    first, last = -(-ll // _ONE) * _ONE, ur // _ONE * _ONE
    if first > last:
        _add_row(row, ul, ur, ll, lr, left, right, full)
        return
    if ul < first:
        size = -(-(first - ul) // _ONE)
        if size == 1:
            _put(row, ul >> 16, _part(_trapezoid(first - ul, first - ll), full))
        elif size == 2:
            one = first - _ONE - ul
            _put(row, ul >> 16, _triangle(one, left))
            _put(row, (ul >> 16) + 1, full - _triangle(ll - ul - one, left))
        else:
            _add_row(row, ul, first, ll, first, left, _STEEP, full)
    for x in range(max(0, first >> 16), min(len(row), last >> 16)):
        row[x] += full
    if lr > last:
        size = -(-(lr - last) // _ONE)
        if size == 1:
            _put(row, last >> 16, _part(_trapezoid(ur - last, lr - last), full))
        elif size == 2:
            one = last + _ONE - ur
            _put(row, last >> 16, full - _triangle(one, right))
            _put(row, (last >> 16) + 1, _triangle(lr - ur - one, right))
        else:
            _add_row(row, last, ur, last, lr, _STEEP, right, full)


@jit
def _add_row(row: Array, ul: int, ur: int, ll: int, lr: int, left: int, right: int, full: int) -> None:
    """The same where no pixel lies wholly between the edges: what is left of the left one, and right of the right one,
    is taken away from all."""
    first, last = ul // _ONE, -(-lr // _ONE)
    size = last - first
    if size == 1:
        _put(row, first, _part(_trapezoid(ur - ul, lr - ll), full))
        return
    before, after = np.zeros(size, np.int64), np.zeros(size, np.int64)
    top, low = ul // _ONE, -(-ll // _ONE)
    if top + 2 == low:
        one = top * _ONE + _ONE - ul
        before[0] = full - _triangle(one, left)
        before[1] = _triangle(ll - ul - one, left)
    else:
        _below(before, ul - top * _ONE, ll - top * _ONE, left, full)
    top, low = ur // _ONE, -(-lr // _ONE)
    if top + 2 == low:
        one = top * _ONE + _ONE - ur
        after[size - 2] = _triangle(one, right)
        after[size - 1] = full - _triangle(lr - ur - one, right)
    else:
        _above(after[top - first :], ur - top * _ONE, lr - top * _ONE, right, full)
    for k in range(size):
        _put(row, first + k, max(max(full - before[k], 0) - after[k], 0))


@jit
def _above(alphas: Array, start: int, stop: int, inverse: int, full: int) -> None:
    """What lies right of an edge that leans from `start` at the top to `stop` at the bottom."""
    size = -(-stop // _ONE)
    if size == 1:
        alphas[0] = ((((size << 17) - start - stop) >> 9) * full) >> 8
    elif size > 1:
        first, last = _ONE - start, stop - ((size - 1) << 16)
        height = (first * inverse) >> 16
        alphas[0] = ((first * height) >> 16) >> 9
        alpha = height + (inverse >> 1)
        for k in range(1, size - 1):
            alphas[k] = alpha >> 8
            alpha += inverse
        alphas[size - 1] = full - _triangle(last, inverse)


@jit
def _below(alphas: Array, start: int, stop: int, inverse: int, full: int) -> None:
    """What lies left of such an edge."""
    size = -(-stop // _ONE)
    if size == 1:
        alphas[0] = (_trapezoid(start, stop) * full) >> 8
    elif size > 1:
        first, last = _ONE - start, stop - ((size - 1) << 16)
        height = (last * inverse) >> 16
        alphas[size - 1] = ((last * height) >> 16) >> 9
        alpha = height + (inverse >> 1)
        for k in range(size - 2, 0, -1):
            alphas[k] = (alpha >> 8) & 255
            alpha += inverse
        alphas[0] = full - _triangle(first, inverse)


@jit
def _trapezoid(upper: int, lower: int) -> int:
    """The alpha of a trapezoid one row high, no wider than a pixel."""
    return min(255, ((upper + lower) // 2) >> 8)


@jit
def _part(alpha: int, full: int) -> int:
    """The alpha in a part of a row whose own is `full`."""
    return alpha if full == 255 else (alpha * full) >> 8


@jit
def _triangle(width: int, inverse: int) -> int:
    """The alpha of a right triangle, by its width and the inverted step of its edge."""
    return (((width >> 11) * (width >> 11) * (inverse >> 11)) >> 8) & 255


@jit
def _meeting(ul: int, ll: int, ur: int, lr: int) -> int:
    """About where edges cross that were in order at the top."""
    if ul > ll:
        ul, ll = ll, ul
    if ur > lr:
        ur, lr = lr, ur
    return (max(ul, ur) + min(ll, lr)) // 2


@jit
def _put(row: Array, x: int, alpha: int) -> None:
    if 0 <= x < len(row):
        row[x] += alpha
