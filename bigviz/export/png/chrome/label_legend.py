"""The legend of layers that have labels: a box in that corner of the plot where least is drawn. As in
static/figure/legend/label-legend.js."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from bigviz.export.axes.nice_numbers import rounded
from bigviz.export.png.chrome.canvas import FONT_SIZE, Canvas, Font
from bigviz.export.png.chrome.frame import Rect
from bigviz.export.png.data.stamps import centred
from bigviz.export.png.shown_layer import ShownLayer
from bigviz.export.png.theme import Palette, Rgb
from bigviz.render.colormaps import CATEGORIES, lut

__all__ = ["draw_label_legend"]

Array = npt.NDArray[Any]
_CORNERS: Final = ((1, 0), (0, 0), (1, 1), (0, 1))  # shares of the room that the box leaves; of equal ones the first
_INK: Final = 40  # what differs so much from the ground, in any channel, is more than the grid
_MARGIN, _PAD, _LINE, _SWATCH, _GAP = 10, 7, 20, 26, 8
_SHARE: Final = 0.5  # of the plot's width that it takes at most
_LEAST_WORDS: Final = 24
_WIDEST, _LARGEST, _RADIUS, _STRIPES = 6, 5.5, 3.5, 5
_FONT: Final[Font] = (FONT_SIZE, False)


@dataclass(frozen=True)
class _Box:
    rect: Rect
    shown: int
    more: int


def draw_label_legend(
    canvas: Canvas, layers: Sequence[ShownLayer], plain: Sequence[bool], ground: Rgb, palette: Palette
) -> None:
    """Draw it over a canvas of the plot, on which the layers are drawn; `plain` says of which the colours mean nothing.
    Nothing where no layer has a label, and where there is no room."""
    entries: dict[str, list[int]] = {}
    for number, layer in enumerate(layers):
        if label := layer.choice.spec.legend_label:
            entries.setdefault(label, []).append(number)
    height, width = (size / canvas.dpr for size in canvas.pixels.shape[:2])
    box = _box(list(entries), width, height, _CORNERS[0])
    if box is None:
        return
    corner = _free_corner(canvas, width, height, box.rect, ground)
    box = _box(list(entries), width, height, corner) or box
    rect = box.rect
    canvas.fill(rect.x, rect.y, rect.width, rect.height, palette.page, 0.88)
    left, top = rounded(rect.x) + 0.5, rounded(rect.y) + 0.5
    canvas.rectangle(left, top, rect.width - 1, rect.height - 1, 1, palette.frame)
    room = rect.width - 2 * _PAD - _SWATCH - _GAP
    for k, (label, numbers) in enumerate(list(entries.items())[: box.shown]):
        x, y = rect.x + _PAD, rect.y + _PAD + _LINE * (k + 0.5)
        words = canvas.fit(label, room, _FONT)
        canvas.text(words, x + _SWATCH + _GAP, y + 0.5, _FONT, palette.ink, "left", "middle")
        for number in numbers:
            _draw_swatch(canvas, layers[number], plain[number], x, y)
    if box.more:
        y = rect.y + _PAD + _LINE * (box.shown + 0.5) + 0.5
        canvas.text(f"+{box.more} more", rect.x + _PAD, y, _FONT, palette.muted, "left", "middle")


def _box(labels: Sequence[str], width: float, height: float, corner: tuple[int, int]) -> _Box | None:
    rows = math.floor((height - 2 * (_MARGIN + _PAD)) / _LINE)
    most = width * _SHARE - 2 * _PAD - _SWATCH - _GAP
    if not labels or rows < 1 or most < _LEAST_WORDS:
        return None
    shown = len(labels) if len(labels) <= rows else rows - 1
    words = max([Canvas.width_of(label, _FONT) for label in labels[:shown]] + [_LEAST_WORDS])
    across = math.ceil(2 * _PAD + _SWATCH + _GAP + min(words, most))
    down = 2 * _PAD + _LINE * min(len(labels), rows)
    x = _MARGIN + corner[0] * (width - 2 * _MARGIN - across)
    y = _MARGIN + corner[1] * (height - 2 * _MARGIN - down)
    return _Box(Rect(x, y, across, down), shown, len(labels) - shown)


def _free_corner(canvas: Canvas, width: float, height: float, box: Rect, ground: Rgb) -> tuple[int, int]:
    """The corner where a box hides least, found on a picture with a pixel for each CSS pixel."""
    size = max(1, rounded(width)), max(1, rounded(height))
    small = Image.fromarray(canvas.pixels)
    drawn = np.asarray(small if small.size == size else small.resize(size, Image.Resampling.BILINEAR))
    away = np.abs(drawn.astype(np.int16) - np.array(ground, np.int16)) > _INK
    ink = away[..., 0] | away[..., 1] | away[..., 2]
    hidden = []
    for x, y in _CORNERS:
        left = max(0, rounded(_MARGIN + x * (size[0] - 2 * _MARGIN - box.width)))
        top = max(0, rounded(_MARGIN + y * (size[1] - 2 * _MARGIN - box.height)))
        hidden.append(int(ink[top : math.ceil(top + box.height), left : math.ceil(left + box.width)].sum()))
    return _CORNERS[hidden.index(min(hidden))]


def _draw_swatch(canvas: Canvas, layer: ShownLayer, plain: bool, x: float, y: float) -> None:
    """A layer as it is drawn: its line, its mark, or its colours; x is the left end, y the middle."""
    if layer.is_line:
        style = layer.line_style
        canvas.dashes(x, y, _SWATCH, min(_WIDEST, style.width), style.dash, style.colour, style.opacity)
    elif layer.is_bars and layer.planes is None:
        canvas.fill(x, y - 5, _SWATCH, 10, layer.colour[0])
    elif plain:
        _draw_mark(canvas, layer, x + _SWATCH / 2, y)
    else:
        table = layer.table if layer.planes is None else lut(CATEGORIES)
        stripes = max(1, min(_STRIPES, _STRIPES if layer.planes is None else len(layer.planes)))
        for k in range(stripes):
            at = math.floor((k + 0.5) * len(table) / stripes) if layer.planes is None else k
            red, green, blue = table[at].tolist()
            canvas.fill(x + k * _SWATCH / stripes, y - 5, _SWATCH / stripes, 10, (red, green, blue))


def _draw_mark(canvas: Canvas, layer: ShownLayer, x: float, y: float) -> None:
    spec = layer.choice.spec
    radius = min(_LARGEST, _RADIUS if spec.size is None else spec.size / 2)
    stamp = centred(radius * canvas.dpr, spec.marker)
    top, left = int(stamp.dy.min()), int(stamp.dx.min())
    alpha = np.zeros((int(stamp.dy.max()) - top + 1, int(stamp.dx.max()) - left + 1))
    alpha[stamp.dy - top, stamp.dx - left] = stamp.alpha / 255 * layer.mark_opacity
    canvas.veil(alpha, layer.colour[0], rounded(y * canvas.dpr) + top, rounded(x * canvas.dpr) + left)
