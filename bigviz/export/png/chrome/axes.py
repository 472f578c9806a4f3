"""The frame, ticks, labels and titles round a plot, and the grid in it. As in static/axes/draw.js."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from bigviz.export.axes.axis import Axis, Tick
from bigviz.export.axes.nice_numbers import rounded
from bigviz.export.png.chrome.canvas import FONT_SIZE, Canvas, Font
from bigviz.export.png.chrome.frame import TICK, Frame, Rect
from bigviz.export.png.theme import Palette

__all__ = ["draw_axes", "draw_grid"]

_MINOR: Final = 3
_LABEL: Final[Font] = (FONT_SIZE, False)
_TITLE: Final[Font] = (FONT_SIZE + 0.5, False)  # of weight 500, which fonts without one show as regular


def draw_grid(canvas: Canvas, plot: Rect, xs: Sequence[Tick], ys: Sequence[Tick], palette: Palette) -> None:
    """Faint lines at the labelled ticks; the canvas's top left is the plot's."""
    half, line = 0.5 / canvas.dpr, 1 / canvas.dpr
    for tick in xs:
        if not tick.minor:
            x = rounded(tick.fraction * plot.width * canvas.dpr) / canvas.dpr + half
            canvas.line(x, 0, x, plot.height, line, palette.grid)
    for tick in ys:
        if not tick.minor:
            y = rounded((1 - tick.fraction) * plot.height * canvas.dpr) / canvas.dpr + half
            canvas.line(0, y, plot.width, y, line, palette.grid)


def draw_axes(
    canvas: Canvas, frame: Frame, axes: tuple[Axis, Axis], xs: Sequence[Tick], ys: Sequence[Tick], width: float,
    palette: Palette,
) -> None:  # fmt: skip
    """Frame, ticks, labels and titles, on a canvas of the surface, which is `width` CSS pixels wide."""
    plot, half = frame.plot, 0.5 / canvas.dpr
    canvas.rectangle(
        plot.x - half, plot.y - half, plot.width + 2 * half, plot.height + 2 * half, 1 / canvas.dpr, palette.frame
    )
    _draw_x(canvas, plot, xs, width, palette)
    _draw_y(canvas, plot, ys, palette)
    _draw_titles(canvas, frame, axes, xs, palette)


def _draw_x(canvas: Canvas, plot: Rect, xs: Sequence[Tick], width: float, palette: Palette) -> None:
    bottom, half = plot.y + plot.height, 0.5 / canvas.dpr
    after = {8: -math.inf, 22: -math.inf}
    for tick in xs:
        x = rounded((plot.x + tick.fraction * plot.width) * canvas.dpr) / canvas.dpr + half
        canvas.line(x, bottom, x, bottom + (_MINOR if tick.minor else TICK), 1 / canvas.dpr, palette.frame)
        if tick.minor:
            continue
        for words, below in ((tick.label, 8), (tick.context, 22)):
            if words is None or (below == 22 and not words):
                continue
            size = canvas.width_of(words, _LABEL)
            left = max(2.0, min(x - size / 2, width - size - 2))
            if left >= after[below] + 6:
                canvas.text(words, left, bottom + below, _LABEL, palette.muted, "left", "top")
                after[below] = left + size


def _draw_y(canvas: Canvas, plot: Rect, ys: Sequence[Tick], palette: Palette) -> None:
    half, room, right = 0.5 / canvas.dpr, plot.x - TICK - 8, plot.x - TICK - 4
    for tick in ys:
        y = rounded((plot.y + (1 - tick.fraction) * plot.height) * canvas.dpr) / canvas.dpr - half
        canvas.line(plot.x, y, plot.x - (_MINOR if tick.minor else TICK), y, 1 / canvas.dpr, palette.frame)
        if tick.minor:
            continue
        above = 6 if tick.context is not None else 0
        words = canvas.fit_end(tick.label, room, _LABEL)
        canvas.text(words, right, y + 0.5 - above, _LABEL, palette.muted, "right", "middle")
        if tick.context:
            words = canvas.fit(tick.context, room, _LABEL)
            canvas.text(words, right, y + 7.5, _LABEL, palette.muted, "right", "middle")


def _draw_titles(canvas: Canvas, frame: Frame, axes: tuple[Axis, Axis], xs: Sequence[Tick], palette: Palette) -> None:
    plot, (x, y) = frame.plot, axes
    start = max(8.0, plot.x - TICK - 4 - min(plot.x - 14, canvas.width_of(y.title, _TITLE)))
    room = plot.x + plot.width * 0.3 - start - 8 if frame.narrow else plot.width
    canvas.text(canvas.fit(y.title, room, _TITLE), start, plot.y - 11, _TITLE, palette.ink)
    below = plot.y + plot.height + (48 if any(tick.context is not None for tick in xs) else 35)
    words = canvas.fit(x.title, plot.width, _TITLE)
    canvas.text(words, plot.x + plot.width / 2, below, _TITLE, palette.ink, "center")
