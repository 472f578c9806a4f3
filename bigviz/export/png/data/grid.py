"""Which tiles a view needs and where they lie on it. As in static/geometry/root.js and grid.js."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from bigviz.aggregate.dyadic_cells import Root
from bigviz.export.axes.span import Span
from bigviz.export.png.data.cells import AxisMap, map_axis
from bigviz.export.png.view import View
from bigviz.tiles.grid.tile_key import DEEPEST

__all__ = ["Window", "cell_size", "nominal_cells", "nominal_level", "window_of"]

_CELL_LEVELS: Final = 8
_TILE: Final = 256


@dataclass(frozen=True)
class Window:
    """The tiles i0..i1 by j0..j1 of one pair of levels that a view touches, both ends included, and the cells of its
    pixels, counted from the first tile."""

    zx: int
    zy: int
    i0: int
    i1: int
    j0: int
    j1: int
    x: AxisMap
    y: AxisMap

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of all cells."""
        return (self.j1 - self.j0 + 1) * _TILE, (self.i1 - self.i0 + 1) * _TILE


def window_of(x: Root, y: Root, view: View) -> Window | None:
    """The tiles of the levels whose cells are nearest to a pixel; None where the view shows nothing of the root."""
    zx, zy = _level(x, view.x, view.width), _level(y, view.y, view.height)
    last_x, last_y = (1 << zx) - 1, (1 << zy) - 1
    (i0, i1), (low, high) = _indices(x, zx, view.x), _indices(y, zy, view.y)
    if i1 < 0 or i0 > last_x or high < 0 or low > last_y:
        return None
    i0, i1 = max(0, i0), min(last_x, i1)
    j0, j1 = max(0, last_y - high), min(last_y, last_y - low)
    left, right = (_pixel(_edge(x, zx, i0 + more, view.x), view.x, view.width) for more in (0, 1))
    top, bottom = (
        view.height - _pixel(_edge(y, zy, last_y - j0 + more, view.y), view.y, view.height) for more in (1, 0)
    )
    across = map_axis(left, right - left, i1 - i0 + 1, view.width)
    down = map_axis(top, bottom - top, j1 - j0 + 1, view.height)
    return Window(zx, zy, i0, i1, j0, j1, across, down)


def nominal_level(root: Root, s: Span, pixels: int) -> int:
    """The level whose cells are nearest to a pixel, on a logarithmic scale, below 0 and beyond the deepest too."""
    return math.floor(root.exponent - _CELL_LEVELS - (math.log2(s.hi - s.lo) - math.log2(pixels)) + 0.5)


def nominal_cells(x: Root, y: Root, view: View) -> tuple[int, int]:
    """Cells that a pixel nominally covers on each axis: 1 unless level 0 is too fine."""
    levels = nominal_level(x, view.x, view.width), nominal_level(y, view.y, view.height)
    return 1 << max(0, -levels[0]), 1 << max(0, -levels[1])


def cell_size(root: Root, level: int) -> float:
    """Length of the cells of a level's tiles in axis space."""
    return 2.0 ** (root.exponent - _CELL_LEVELS - level)


def _level(root: Root, s: Span, pixels: int) -> int:
    return min(DEEPEST, max(0, nominal_level(root, s, pixels)))


def _edge(root: Root, level: int, index: int, s: Span) -> float:
    """Where a tile begins, as an offset from the span's origin, rounded once."""
    return float(root.edge(level, index) - s.origin)


def _index(root: Root, level: int, s: Span, offset: float) -> int:
    """The tile of a level that holds a place; below 0 or from 2^level on outside the root."""
    return math.floor((Fraction(offset) + s.origin - root.start) / Fraction(2) ** (root.exponent - level))


def _indices(root: Root, level: int, s: Span) -> tuple[int, int]:
    """First and last tile of a level that a half-open span touches."""
    first, last = _index(root, level, s, s.lo), _index(root, level, s, s.hi)
    ends_at_edge = _edge(root, level, min(last, 1 << level), s) >= s.hi
    return first, last - 1 if ends_at_edge and last > first else last


def _pixel(offset: float, s: Span, pixels: int) -> float:
    return (offset - s.lo) / (s.hi - s.lo) * pixels
