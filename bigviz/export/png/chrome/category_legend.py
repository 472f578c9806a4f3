"""The key to the colours of categories, next to the plot or above it. As in static/figure/legend/legend.js."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from bigviz.export.axes.label_words import label_words
from bigviz.export.png.chrome.canvas import FONT_SIZE, Canvas, Font
from bigviz.export.png.chrome.frame import Rect
from bigviz.export.png.theme import Palette
from bigviz.render.colormaps import CATEGORIES, lut

__all__ = ["draw_legend", "legend_width"]

_FONT: Final[Font] = (FONT_SIZE, False)
_ROW: Final = 19
_WIDEST: Final = 150
_TITLE_SHARE: Final = 0.3  # of a horizontal legend's length that its title may take


def legend_width(labels: Sequence[str]) -> float:
    """Width that a legend needs, in CSS pixels."""
    widest = max((Canvas.width_of(label, _FONT) for label in map(label_words, labels)), default=0.0)
    return min(_WIDEST, math.ceil(18 + max(24.0, widest)))


def draw_legend(
    canvas: Canvas, rect: Rect, horizontal: bool, labels: Sequence[str], title: str, palette: Palette
) -> None:
    """Categories with their colours; what does not fit is counted."""
    if horizontal:
        _draw_across(canvas, rect, labels, title, palette)
        return
    canvas.text(canvas.fit(title, rect.width + 12, _FONT), rect.x, rect.y - 9, _FONT, palette.ink)
    rows = max(1, math.floor(rect.height / _ROW))
    shown = len(labels) if len(labels) <= rows else rows - 1
    for k in range(shown):
        y = rect.y + 8 + _ROW * k
        _swatch(canvas, k, rect.x, y)
        _words(canvas, label_words(labels[k]), rect.x + 17, y, rect.width - 14, palette)
    if shown < len(labels):
        more = f"+{len(labels) - shown} more"
        _words(canvas, more, rect.x, rect.y + 8 + _ROW * shown, rect.width + 12, palette)


def _draw_across(canvas: Canvas, rect: Rect, labels: Sequence[str], title: str, palette: Palette) -> None:
    words = canvas.fit(title, rect.width * _TITLE_SHARE, _FONT)
    canvas.text(words, rect.x, rect.y + 5.5, _FONT, palette.ink, "left", "middle")
    x, y = rect.x + canvas.width_of(words, _FONT) + 12, rect.y + 5
    for k, label in enumerate(map(label_words, labels)):
        width = canvas.width_of(label, _FONT) + 15
        if x + width + 34 > rect.x + rect.width and k < len(labels) - 1:
            _words(canvas, f"+{len(labels) - k}", x, y, 40, palette)
            return
        _swatch(canvas, k, x, y)
        _words(canvas, label, x + 14, y, 120, palette)
        x += width + 10


def _swatch(canvas: Canvas, number: int, x: float, y: float) -> None:
    table = lut(CATEGORIES)
    red, green, blue = table[number % len(table)].tolist()
    canvas.fill(x, y - 5, 10, 10, (red, green, blue))


def _words(canvas: Canvas, text: str, x: float, y: float, room: float, palette: Palette) -> None:
    canvas.text(canvas.fit(text, room, _FONT), x, y + 0.5, _FONT, palette.muted, "left", "middle")
