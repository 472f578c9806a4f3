"""Which points lie in a polygon, exactly: even-odd, and an edge belongs to the polygon on its right.

A ray from the point to the right crosses the edges whose lower end is not above it and whose upper end is, where the
crossing lies strictly to the right of the point. So lower and left edges are in, upper and right ones out, as in a
half-open box, and polygons that tile the plane share no point.

Kernels decide by floating point with error bounds (J. R. Shewchuk, Adaptive Precision Floating-Point Arithmetic, 1997,
section 4.3); the few points that lie too close to an edge for that are decided by fractions. Edges are found by bands
of y, so that a point looks at few of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import BadInput
from bigviz.common.jit import frozen, jit
from bigviz.tiles.grid.window import Number, within

__all__ = ["MOST_VERTICES", "Bands", "Polygon", "bands_of"]

Array = npt.NDArray[Any]
Vertex = tuple[Number, Number]

MOST_VERTICES: Final = 5_000
_WIDEST: Final = 1 << 1023
_MOST_LISTED: Final = 1 << 21  # edges in all bands
_ROUNDING: Final = 4e-16  # of a cross product, relative to the sum of its two terms: (3 + 16 u) u is 3.4e-16
_OUT, _IN, _UNSURE = 0, 1, 2


class Bands(NamedTuple):
    """Edges (rows of `ends`: ax, ay, bx, by with ay <= by) by bands of y: those of band b are
    `edges[starts[b]:starts[b + 1]]`, and y lies in band `(y - low) * scale`."""

    ends: Array
    starts: Array
    edges: Array
    low: float
    scale: float


@np.errstate(over="ignore", invalid="ignore")  # of ends near those of float64 all edges are in one band
def bands_of(xs: Array, ys: Array, slack: float = 0.0) -> Bands:
    """The edges of a polygon by bands, each edge in the bands that are less than `slack` from it too."""
    ax, ay, bx, by = xs, ys, np.roll(xs, -1), np.roll(ys, -1)
    up = ay <= by
    ends = np.column_stack([np.where(up, ax, bx), np.where(up, ay, by), np.where(up, bx, ax), np.where(up, by, ay)])
    low, high = float(ys.min()), float(ys.max())
    count = min(4 * len(xs), 4_096)
    while True:
        height = high - low
        scale = count / height if 0 < height < math.inf and count / height < math.inf else 0.0
        first = np.clip(np.nan_to_num((ends[:, 1] - slack - low) * scale), 0, count - 1).astype(np.int64)
        last = np.clip(np.nan_to_num((ends[:, 3] + slack - low) * scale), 0, count - 1).astype(np.int64)
        number = last - first + 1
        if number.sum() <= _MOST_LISTED or count == 1:
            break
        count //= 2
    edges = np.repeat(np.arange(len(ends)), number)
    band = np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number) + np.repeat(first, number)
    by_band = np.argsort(band, kind="stable")
    starts = np.searchsorted(band[by_band], np.arange(count + 1))
    return Bands(frozen(np.ascontiguousarray(ends)), frozen(starts), frozen(edges[by_band]), low, scale)


class _Frame(NamedTuple):
    """Vertices relative to `origin`, as float64, which is `slack` off at most: 0 where it is exact."""

    origin: int | None
    vertices: Array
    slack: float
    whole: bool


@dataclass(frozen=True)
class Polygon:
    """A closed polygon in axis space, which may cross itself."""

    vertices: tuple[Vertex, ...]

    def __post_init__(self) -> None:
        if not 3 <= len(self.vertices) <= MOST_VERTICES:
            raise BadInput(
                f"lasso has 3 to {MOST_VERTICES:,} points, got {len(self.vertices):,}", "lasso", len(self.vertices)
            )
        if not all(math.isfinite(number) for vertex in self.vertices for number in vertex):
            raise BadInput("lasso has finite numbers only", "lasso")

    @cached_property
    def bounds(self) -> tuple[tuple[Number, Number], tuple[Number, Number]]:
        """The half-open box that holds all points of the polygon."""
        xs, ys = zip(*self.vertices, strict=True)
        return (min(xs), max(xs)), (min(ys), max(ys))

    def holds(self, x: Array, y: Array, cancel: Cancel = NEVER) -> npt.NDArray[np.bool_]:
        """Which points lie in it; False for NaN. Both arrays are float32, float64, int64 or uint64. Raises BadInput
        where a side of it over whole numbers is wider than float64 can say."""
        inside = within(x, *self.bounds[0]) & within(y, *self.bounds[1])
        places = np.flatnonzero(inside)
        if not len(places):
            return inside
        xs, ys = x[places], y[places]
        across, up = self._frame(0, x.dtype), self._frame(1, y.dtype)
        rounding = 0.0 if across.whole and up.whole and self._cells < 1 << 51 else _ROUNDING
        found = np.empty(len(places), np.uint8)
        points = frozen(_relative(xs, across.origin)), frozen(_relative(ys, up.origin))
        ends, starts, edges, low, scale = self._bands(across, up)
        _classify(*points, ends, starts, edges, low, scale, across.slack, up.slack, rounding, found)
        unsure = np.flatnonzero(found == _UNSURE)
        if len(unsure):
            found[unsure] = self._exactly(xs[unsure], ys[unsure], cancel)
        inside[places] = found == _IN
        return inside

    @cached_property
    def _cells(self) -> int:
        (x0, x1), (y0, y1) = self.bounds
        return (math.ceil(x1) - math.floor(x0) + 1) * (math.ceil(y1) - math.floor(y0) + 1)

    def _bands(self, across: _Frame, up: _Frame) -> Bands:
        return bands_of(across.vertices, up.vertices, 2 * up.slack)

    def _frame(self, axis: int, dtype: np.dtype[Any]) -> _Frame:
        numbers = [vertex[axis] for vertex in self.vertices]
        if dtype.kind == "f":
            vertices = np.array([float(number) for number in numbers])
            exact = all(float(number) == number for number in numbers)
            return _Frame(None, vertices, 0.0 if exact else 4 * math.ulp(float(np.abs(vertices).max())), False)
        low, high = self.bounds[axis]
        origin, width = math.floor(low), math.ceil(high) - math.floor(low)
        if width >= _WIDEST:
            raise BadInput(f"A lasso over whole numbers from {low!r} to {high!r} is too wide for float64.", "lasso")
        if all(isinstance(number, int) for number in numbers) and width < 1 << 53:
            return _Frame(origin, np.array([number - origin for number in numbers], np.float64), 0.0, True)
        offsets = [Fraction(number) - origin for number in numbers]
        vertices = np.array([float(offset) for offset in offsets])
        exact = width < 1 << 53 and all(Fraction(float(offset)) == offset for offset in offsets)
        whole = exact and all(offset.denominator == 1 for offset in offsets)
        return _Frame(origin, vertices, 0.0 if exact else math.ldexp(float(width), -50), whole)

    def _exactly(self, x: Array, y: Array, cancel: Cancel) -> npt.NDArray[np.uint8]:
        """The same by fractions, once for points on one place."""
        by_place = np.lexsort((y, x))
        xs, ys = x[by_place], y[by_place]
        new = np.ones(len(xs), np.bool_)
        new[1:] = (xs[1:] != xs[:-1]) | (ys[1:] != ys[:-1])
        answers = np.zeros(int(new.sum()), np.uint8)
        pairs = zip(xs[new].tolist(), ys[new].tolist(), strict=True)
        for k, point in enumerate(pairs):
            if k % 256 == 0:
                cancel.check()
            answers[k] = _has(self.vertices, point)
        out = np.empty(len(xs), np.uint8)
        out[by_place] = answers[np.cumsum(new) - 1]
        return out


def _has(vertices: Sequence[Vertex], point: Vertex) -> bool:
    """Whether a polygon has a point, in exact arithmetic: Python compares integers and floats exactly."""
    x, y = point
    inside = False
    for (ax, ay), (bx, by) in zip(vertices, (*vertices[1:], vertices[0]), strict=True):
        if (ay <= y) == (by <= y):
            continue
        if x < min(ax, bx):
            inside = not inside
        elif x < max(ax, bx):
            rise, run = Fraction(by) - Fraction(ay), Fraction(bx) - Fraction(ax)
            inside ^= Fraction(x) < Fraction(ax) + run * (Fraction(y) - Fraction(ay)) / rise
    return inside


def _relative(numbers: Array, origin: int | None) -> Array:
    """Numbers as float64, integers less an origin that is not above them: exact below 2^53."""
    if origin is None:
        return numbers.astype(np.float64, copy=False)
    words = numbers.view(np.uint64) - np.uint64(origin & ((1 << 64) - 1))
    return words.astype(np.float64)


@jit
def _classify(
    xs: Array,
    ys: Array,
    ends: Array,
    starts: Array,
    edges: Array,
    low: float,
    scale: float,
    slack_x: float,
    slack_y: float,
    rounding: float,
    out: Array,
) -> None:
    """Tell of each point whether it is out, in, or too close to an edge to tell."""
    most = starts.size - 2
    for k in range(xs.size):
        x, y = xs[k], ys[k]
        band = min(max(int((y - low) * scale), 0), most)
        inside = 0
        for e in range(starts[band], starts[band + 1]):
            ax, ay, bx, by = ends[edges[e], 0], ends[edges[e], 1], ends[edges[e], 2], ends[edges[e], 3]
            if y < ay - slack_y or y > by + slack_y or x > max(ax, bx) + slack_x:
                continue
            if slack_y > 0.0 and (abs(y - ay) <= slack_y or abs(y - by) <= slack_y):
                inside = _UNSURE
                break
            if y < ay or y >= by:
                continue
            if x < min(ax, bx) - slack_x:
                inside ^= 1
                continue
            if slack_x == 0.0 and x >= max(ax, bx):
                continue
            left, right = (bx - ax) * (y - ay), (by - ay) * (x - ax)
            error = rounding * (abs(left) + abs(right))
            if rounding > 0.0:
                error += 1e-290  # what a product of small numbers loses
            if slack_x > 0.0 or slack_y > 0.0:
                error += 4.0 * (slack_x * (by - ay + slack_y) + slack_y * (abs(bx - ax) + abs(x - ax) + slack_x))
            if left - right > error:
                inside ^= 1
            elif not (right - left > error or (rounding == 0.0 and error == 0.0)):
                inside = _UNSURE
                break
        out[k] = inside
