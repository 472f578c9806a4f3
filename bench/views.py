"""Viewports and the tiles they need: the browser's rule (level nearest to one device pixel a cell), in Python."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

WIDTH, HEIGHT = 1024, 768


@dataclass(frozen=True)
class View:
    """A window in axis space, and the device pixels it is shown on."""

    x0: float
    x1: float
    y0: float
    y1: float
    width: int = WIDTH
    height: int = HEIGHT


def level(exponent: int, span: float, pixels: int) -> int:
    """The level (0 .. 24) of a root of 2**exponent whose cells are nearest to one of `pixels` pixels over `span`."""
    return min(24, max(0, round(math.log2(2.0 ** (exponent - 8) * pixels / span))))


def tiles(view: View, xroot: tuple[float, int], yroot: tuple[float, int]) -> list[tuple[int, int, int, int]]:
    """Keys (zx, zy, i, j), j from the top, of every tile that touches the view; roots are (start, exponent)."""
    zx, columns = _axis(xroot, view.x0, view.x1, view.width)
    zy, rows = _axis(yroot, view.y0, view.y1, view.height)
    return [(zx, zy, i, (1 << zy) - 1 - row) for i in columns for row in rows]


def _axis(root: tuple[float, int], low: float, high: float, pixels: int) -> tuple[int, range]:
    start, exponent = root
    z = level(exponent, high - low, pixels)
    size = 2.0 ** (exponent - z)
    first = max(0, math.floor((low - start) / size))
    last = min((1 << z) - 1, math.ceil((high - start) / size) - 1)
    return z, range(first, last + 1)


def centred(
    extent: tuple[float, float, float, float], x: np.ndarray, y: np.ndarray, area: float, rng: np.random.Generator
) -> View:
    """A view of `area` (share) of the data's range around a random row, where data is; the whole range for 1."""
    x0, y0, x1, y1 = extent
    if area >= 1:
        return View(x0, x1, y0, y1)
    row = int(rng.integers(len(x)))
    w, h = (x1 - x0) * math.sqrt(area) / 2, (y1 - y0) * math.sqrt(area) / 2
    cx, cy = float(x[row]), float(y[row])
    return View(cx - w, cx + w, cy - h, cy + h)
