"""How far convex pieces together cover each pixel: the union's area, with corners at quarters of a pixel's height.

The page's canvas is drawn by Skia, whose analytic antialiasing puts the ends of edges on such quarters and takes the
area between the outermost edges of each quarter of a row; so does this, in float64.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import frozen, jit

__all__ = ["coverage"]

Array = npt.NDArray[Any]
_PARTS: Final = 4  # of a pixel's height


def coverage(pieces: Array, shape: tuple[int, int]) -> npt.NDArray[np.float64]:
    """The covered share of each pixel, (y, x) of `shape`, 0 to 1, by pieces (n, corners, 2): convex polygons in device
    pixels from the top left, whose corners may be repeated. NaN is not allowed."""
    out = np.zeros(shape)
    if not len(pieces):
        return out
    x = np.ascontiguousarray(pieces[..., 0], np.float64)
    y = np.floor(pieces[..., 1] * _PARTS + 0.5).astype(np.int64)
    top, bottom = y.min(1), y.max(1)
    seen = (bottom > top) & (bottom > 0) & (top < shape[0] * _PARTS) & (x.max(1) > 0) & (x.min(1) < shape[1])
    order = np.flatnonzero(seen)[np.argsort(top[seen], kind="stable")]
    x, y = x[order], y[order]
    _cover(frozen(x), frozen(y), frozen(top[order]), frozen(bottom[order]), out)
    return np.minimum(out, 1)


@jit
def _cover(xs: Array, ys: Array, top: Array, bottom: Array, out: Array) -> None:
    count, corners = xs.shape
    active = np.empty(count, np.int64)
    left, right = np.empty((count, 2)), np.empty((count, 2))
    middle = np.empty(count)
    held, following = 0, 0
    for part in range(max(0, top[0]), out.shape[0] * _PARTS):
        while following < count and top[following] <= part:
            active[held] = following
            held += 1
            following += 1
        kept = 0
        for k in range(held):
            if bottom[active[k]] > part:
                active[kept] = active[k]
                kept += 1
        held = kept
        if held == 0:
            if following == count:
                break
            continue
        for k in range(held):
            piece = active[k]
            first = True
            for a in range(corners):
                b = a + 1 if a + 1 < corners else 0
                ya, yb = ys[piece, a], ys[piece, b]
                if ya == yb or part < min(ya, yb) or part >= max(ya, yb):
                    continue
                slope = (xs[piece, b] - xs[piece, a]) / (yb - ya)
                upper = xs[piece, a] + slope * (part - ya)
                lower = upper + slope
                if first or upper + lower < left[k, 0] + left[k, 1]:
                    left[k, 0], left[k, 1] = upper, lower
                if first or upper + lower > right[k, 0] + right[k, 1]:
                    right[k, 0], right[k, 1] = upper, lower
                first = False
            middle[k] = left[k, 0] + left[k, 1]
        order = np.argsort(middle[:held])
        at = order[0]
        start0, start1, end0, end1 = left[at, 0], left[at, 1], right[at, 0], right[at, 1]
        row = part // _PARTS
        for n in range(1, held):
            at = order[n]
            if middle[at] <= end0 + end1:
                if right[at, 0] + right[at, 1] > end0 + end1:
                    end0, end1 = right[at, 0], right[at, 1]
            else:
                _add(out, row, start0, start1, end0, end1)
                start0, start1, end0, end1 = left[at, 0], left[at, 1], right[at, 0], right[at, 1]
        _add(out, row, start0, start1, end0, end1)


@jit
def _add(out: Array, row: int, start0: float, start1: float, end0: float, end1: float) -> None:
    """Add the area between two edges, each given by its x at the top and at the bottom of a part of a row."""
    width = out.shape[1]
    first = int(max(0.0, np.floor(min(start0, start1))))
    last = int(min(width - 1.0, np.floor(max(end0, end1))))
    for x in range(first, last + 1):
        share = _passed(end0 - x, end1 - x) - _passed(start0 - x, start1 - x)
        if share > 0:
            out[row, x] += share / _PARTS


@jit
def _passed(upper: float, lower: float) -> float:
    """The mean of a place along an edge, cut to 0..1: the share of a pixel left of it."""
    if upper <= 0 and lower <= 0:
        return 0.0
    if upper >= 1 and lower >= 1:
        return 1.0
    if abs(lower - upper) < 1e-9:
        return min(1.0, max(0.0, (upper + lower) / 2))
    return (_integral(lower) - _integral(upper)) / (lower - upper)


@jit
def _integral(place: float) -> float:
    if place <= 0:
        return 0.0
    return place * place / 2 if place < 1 else place - 0.5
