"""Windows on a layer and the tiles they need, by the page's rule: the level nearest to one device pixel a cell.

For clients without a browser: a measurement requests what a page of that size would.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from bigviz.tiles.grid.view_level import view_level

__all__ = ["HEIGHT", "WIDTH", "Axis", "Place", "Window", "tiles"]

WIDTH: Final = 1024
HEIGHT: Final = 768

Axis = tuple[float, int]  # a root: start and exponent
Place = tuple[int, int, int, int]  # of a tile: zx, zy, i, j


@dataclass(frozen=True)
class Window:
    """A window in axis space, and the device pixels it is shown on."""

    x0: float
    x1: float
    y0: float
    y1: float
    width: int = WIDTH
    height: int = HEIGHT

    def scaled(self, factor: float, x: float, y: float) -> Window:
        """The window with sides `factor` times as long, about the point (x, y), which keeps its pixel."""
        return Window(
            x + (self.x0 - x) * factor,
            x + (self.x1 - x) * factor,
            y + (self.y0 - y) * factor,
            y + (self.y1 - y) * factor,
            self.width,
            self.height,
        )

    def moved(self, right: float, up: float) -> Window:
        """The window moved by shares of its own sides."""
        dx, dy = right * (self.x1 - self.x0), up * (self.y1 - self.y0)
        return Window(self.x0 + dx, self.x1 + dx, self.y0 + dy, self.y1 + dy, self.width, self.height)


def tiles(window: Window, x: Axis, y: Axis) -> list[Place]:
    """Keys (zx, zy, i, j), j from the top, of every tile of the roots that the window touches."""
    zx, columns = _axis(x, window.x0, window.x1, window.width)
    zy, rows = _axis(y, window.y0, window.y1, window.height)
    return [(zx, zy, i, (1 << zy) - 1 - row) for i in columns for row in rows]


def _axis(root: Axis, low: float, high: float, pixels: int) -> tuple[int, range]:
    start, exponent = root
    z = view_level(exponent, low, high, pixels)
    size = math.ldexp(1.0, exponent - z)
    first = max(0, math.floor((low - start) / size))
    last = min((1 << z) - 1, math.ceil((high - start) / size) - 1)
    return z, range(first, last + 1)
