"""Bars as the page fills them, stacked from their foot. As in static/layers/lines/bar-layer.js."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.cancel import Cancel
from bigviz.export.axes.span import SHORTEST, DataRange
from bigviz.export.png.data.compose import draw_veiled
from bigviz.export.png.shown_layer import ShownLayer
from bigviz.export.png.theme import Rgb
from bigviz.export.png.view import View, window_ends
from bigviz.render.colormaps import CATEGORIES, lut
from bigviz.tiles.interface import Bars as Found
from bigviz.tiles.interface import Engine, Number

__all__ = ["Bars"]

Array = npt.NDArray[Any]
Piece = tuple[int, int, float | None, float]  # bin, category, from (None: the lower edge), to
_GAP: Final = 1  # device pixels from a bar to the next, where bars are so wide that it is seen
_SEEN: Final = 4
_FREE: Final = 0.1  # of the room of a label, what its bar leaves free on each side
_FAR: Final = 16_384


class Bars:
    """What draws a layer of bars in views that follow each other. Blocks, and raises what the engine does."""

    def __init__(self, engine: Engine, layer: ShownLayer, cancel: Cancel) -> None:
        self._engine, self._layer, self._cancel = engine, layer, cancel
        self._asked: tuple[Number, Number] | None = None
        self._found: Found | None = None

    def load(self, view: View) -> Found:
        """The bars of a view."""
        asked = self._window(view)
        if self._found is None or asked != self._asked:
            choice = self._layer.choice
            self._found = self._engine.bars(choice.dataset, choice.layer, *asked, self._cancel)
            self._asked = asked
        return self._found

    def draw(self, canvas: Array, view: View, dpr: float) -> None:
        """Fill the bars of a view over an opaque canvas (y, x, 3) of its size."""
        edges = np.clip(view.across(self.load(view).edges), -_FAR, _FAR)
        colours, opacity = lut(CATEGORIES), self._layer.mark_opacity
        for at, code, low, high in self._pieces(view):
            left, right = self._sides(float(edges[at]), float(edges[at + 1]), dpr)
            ends = np.clip(view.down(np.array([high, 0.0 if low is None else low])), -_FAR, _FAR).tolist()
            top, bottom = (ends[0], float(view.height)) if low is None else (min(ends), max(ends))
            colour: Rgb = self._layer.colour[0]
            if self._layer.planes is not None:
                red, green, blue = colours[code % len(colours)].tolist()
                colour = (red, green, blue)
            _fill(canvas, (left, max(right, left + 1)), (top, bottom), colour, opacity)

    def extent(self, view: View) -> DataRange | None:
        """From the foot of the bars in view to the top of the highest; None without any."""
        ends = [end for _, _, low, high in self._pieces(view) for end in (low or 0.0, high)]
        if not ends:
            return None
        low, high = min(0.0, *ends), max(0.0, *ends)
        high = high if high > low else low + 1
        return (math.floor(low), math.ceil(high), False) if self._layer.exact[1] else (low, high, False)

    def _pieces(self, view: View) -> Iterator[Piece]:
        """The pieces of the bars in view, each bar's from its foot up, and down where values are below 0."""
        found = self.load(view)
        edges = view.across(found.edges)
        heights, filled = found.heights
        log = self._layer.choice.layer.yaxis == "log"
        for at in np.flatnonzero((edges[1:] >= 0) & (edges[:-1] <= view.width)).tolist():
            up = down = 0.0
            first = True
            for code in np.flatnonzero(filled[:, at]).tolist():
                value = float(heights[code, at])
                if log:
                    high = value if first else math.log10(10**up + 10**value)
                    yield at, code, None if first else up, high
                    up, first = high, False
                elif value >= 0:
                    yield at, code, up, up + value
                    up += value
                else:
                    yield at, code, down, down + value
                    down += value

    def _sides(self, left: float, right: float, dpr: float) -> tuple[float, float]:
        """Of a bar's ink."""
        width = right - left
        if self._layer.choice.layer.glyph == "bar":
            return left + _FREE * width, right - _FREE * width
        if width > _SEEN * dpr:
            return math.floor(left + 0.5) + math.floor(_GAP * dpr + 0.5), math.floor(right + 0.5)
        return math.floor(left), math.ceil(right)

    def _window(self, view: View) -> tuple[Number, Number]:
        start, end = window_ends(view.x, self._layer.exact[0], self._layer.times[0])
        more = 0.0 if view.x.exact else max(0.0, (view.width * SHORTEST - view.x.length) / 2)
        return (start - more, end + more) if more else (start, end)


def _fill(canvas: Array, x: tuple[float, float], y: tuple[float, float], colour: Rgb, opacity: float) -> None:
    """Fill a rectangle, pixels at its sides as far as it covers them."""
    rows, columns = (_covered(*ends, size) for ends, size in ((y, canvas.shape[0]), (x, canvas.shape[1])))
    if len(rows[1]) and len(columns[1]):
        inside = np.s_[rows[0] : rows[0] + len(rows[1]), columns[0] : columns[0] + len(columns[1])]
        draw_veiled(canvas[inside], colour, np.outer(rows[1], columns[1]) * opacity)


def _covered(start: float, stop: float, size: int) -> tuple[int, npt.NDArray[np.float64]]:
    """The first pixel that an interval meets, and the share that it covers of this and of those that follow."""
    first, last = max(0, math.floor(start)), min(size, math.ceil(stop))
    if first >= last:
        return 0, np.empty(0)
    at = np.arange(first, last)
    return first, np.clip(np.minimum(at + 1, stop) - np.maximum(at, start), 0, 1)
