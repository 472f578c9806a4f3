"""A line as the page strokes it: the rows that its view needs, joined within their runs. As in
static/layers/lines/line-layer.js."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.cancel import Cancel
from bigviz.export.axes.span import SHORTEST, DataRange
from bigviz.export.png.data.compose import draw_veiled
from bigviz.export.png.data.coverage import coverage
from bigviz.export.png.data.hairline import draw_hairlines
from bigviz.export.png.data.stroke import dashed, stroked
from bigviz.export.png.shown_layer import ShownLayer
from bigviz.export.png.view import View, window_ends
from bigviz.tiles.interface import Columns, Engine, Number

__all__ = ["Line"]

Array = npt.NDArray[Any]
_WIDEST: Final = 16_384  # columns that are asked for at most, and pixels beyond which positions are cut
_DOT: Final = 0.02  # a row between two gaps is a line of this half length


class Line:
    """What draws a layer of a line in views that follow each other. Blocks, and raises what the engine does."""

    def __init__(self, engine: Engine, layer: ShownLayer, cancel: Cancel) -> None:
        self._engine, self._layer, self._cancel = engine, layer, cancel
        self._asked: tuple[Number, Number, int] | None = None
        self._columns: Columns | None = None

    def load(self, view: View) -> Columns:
        """The rows of a view."""
        asked = self._window(view)
        if self._columns is None or asked != self._asked:
            choice = self._layer.choice
            self._columns = self._engine.columns(choice.dataset, choice.layer, *asked, cancel=self._cancel)
            self._asked = asked
        return self._columns

    def draw(self, canvas: Array, view: View, dpr: float) -> None:
        """Stroke the rows of a view over an opaque canvas (y, x, 3) of its size."""
        found, style = self.load(view), self._layer.line_style
        if not len(found.x):
            return
        points = np.clip(np.stack([view.across(found.x), view.down(found.y)], 1), -_WIDEST, _WIDEST)
        paths = np.split(points, np.flatnonzero(np.diff(found.run)) + 1)
        dots = [np.array([path[0] - (_DOT, 0), path[0] + (_DOT, 0)]) for path in paths if len(path) == 1]
        lines = [path for path in paths if len(path) > 1]
        if style.dash:
            lengths = [length * dpr for length in style.dash]
            parts = [part for path in lines for part in dashed(path, lengths)]
            self._stroke(canvas, parts, dpr, rounded=False)
            lines = []
        self._stroke(canvas, [*lines, *dots], dpr, rounded=True)

    def _stroke(self, canvas: Array, paths: list[Array], dpr: float, rounded: bool) -> None:
        style = self._layer.line_style
        width = style.width * dpr
        if width <= 1:
            draw_hairlines(canvas, paths, style.colour, style.opacity * width, rounded)
            return
        outlines = [stroked(path, width, rounded) for path in paths]
        alpha = coverage(outlines, (canvas.shape[0], canvas.shape[1]))
        draw_veiled(canvas, style.colour, alpha * style.opacity)

    def extent(self, view: View) -> DataRange | None:
        """Lowest and highest y of the line within the view's x range: of its rows there, and where it crosses the
        range's ends. None without any line there."""
        found = self.load(view)
        across = view.across(found.x)
        inside = (across >= 0) & (across <= view.width)
        ends = [found.y[inside].min(), found.y[inside].max()] if inside.any() else []
        joined = np.diff(found.run) == 0
        for end in (0, view.width):
            at = np.flatnonzero(joined & (across[:-1] < end) & (end < across[1:]))
            share = (end - across[at]) / (across[at + 1] - across[at])
            ends += (found.y[at] + share * (found.y[at + 1] - found.y[at])).tolist()
        if not ends:
            return None
        low, high = min(ends), max(ends)
        whole = self._layer.exact[1]
        return (math.floor(low + 0.5), math.floor(high + 0.5), False) if whole else (float(low), float(high), False)

    def _window(self, view: View) -> tuple[Number, Number, int]:
        width = min(_WIDEST, view.width)
        exact, times = self._layer.exact[0], self._layer.times[0]
        start, end = window_ends(view.x, exact, times)
        more = 0.0 if view.x.exact else max(0.0, (width * SHORTEST - view.x.length) / 2)
        return start - more if more else start, end + more if more else end, width
