"""The key to colours that stand for values: a bar whose ticks are values. As in static/figure/legend/legend.js."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.export.axes.nice_numbers import log_ticks, rounded, ticks
from bigviz.export.axes.values import ValueWords
from bigviz.export.png.chrome.canvas import FONT_SIZE, Canvas, Font
from bigviz.export.png.chrome.frame import Rect
from bigviz.export.png.theme import Palette
from bigviz.render.norm import Norm

__all__ = ["Bar", "bar_label_width", "draw_bar", "labels_of"]

_GAP: Final = 15
_GAP_ACROSS: Final = 46
_EDGE: Final = 3  # left free at the edge of the surface
_LINE: Final = 13  # from one line of a label to the next
_TITLE_ROOM: Final = 86
_BESIDE: Final = 9  # between a title and the bar next to it
_LABEL_GAP: Final = 8
_ASTRAY: Final = 0.02  # a rounded value may stand off its colour by this share of the bar
_FONT: Final[Font] = (FONT_SIZE, False)
_STAMP: Final = re.compile(r"(\S+-\d\d-\d\d) (.+)")


@dataclass(frozen=True)
class Bar:
    """`room`: CSS pixels for labels next to the bar; `norm` None: nothing is visible; `table` a colour map (256, 3)."""

    rect: Rect
    horizontal: bool
    norm: Norm | None
    table: npt.NDArray[Any]
    title: str
    words: ValueWords
    room: float


def draw_bar(canvas: Canvas, bar: Bar, palette: Palette) -> None:
    """Draw it on a canvas of the surface."""
    rect, half = bar.rect, 0.5 / canvas.dpr
    _draw_gradient(canvas, bar)
    canvas.rectangle(
        rect.x - half, rect.y - half, rect.width + 2 * half, rect.height + 2 * half, 1 / canvas.dpr, palette.frame
    )
    if bar.horizontal:
        title = canvas.fit(bar.title, rect.x - 2 * _BESIDE, _FONT)
        canvas.text(title, rect.x - _BESIDE, rect.y + rect.height / 2 + 0.5, _FONT, palette.ink, "right", "middle")
    else:
        title = canvas.fit(bar.title, _TITLE_ROOM, _FONT)
        left = min(rect.x, rect.x + _TITLE_ROOM - 14 - canvas.width_of(title, _FONT))
        canvas.text(title, left, rect.y - 13, _FONT, palette.ink)
    if bar.norm is not None:
        _draw_ticks(canvas, bar, bar.norm, palette)


def bar_label_width(norm: Norm, words: ValueWords, rect: Rect) -> float:
    """Width that the labels next to a bar need."""
    wanted, length, gap = _room_for(rect, False, words, norm)
    found = labels_of(norm, words, wanted, length, gap)
    return max(max(Canvas.width_of(line, _FONT) for line in _lines_of(label, 0)) for _, label in found)


def labels_of(norm: Norm, words: ValueWords, wanted: float, length: float, gap: float) -> list[tuple[float, str]]:
    """Values to name along a bar, and where: round ones for linear, cube root and log, those at equal steps of colour
    for the equalised scale; both ends always, the rest where there is room."""
    low, high = norm.low, norm.high
    if not high > low:
        return [(_along(norm, low), words.apart([norm.told(low)])[0])]
    count = max(2, min(9, math.floor(wanted)))
    middle = _steps(norm, words, count) if norm.how == "eq_hist" else _rounds(norm, words, count)
    least = gap / length
    kept = [(0.0, low)]
    for value in middle:
        if words.whole and value != rounded(value):
            continue
        fraction = _along(norm, value)
        if kept[-1][1] < value < high and fraction - kept[-1][0] >= least and 1 - fraction >= least:
            kept.append((fraction, value))
    kept.append((1.0, high))
    labels = words.apart([norm.told(value) for _, value in kept])
    return [(fraction, label) for (fraction, _), label in zip(kept, labels, strict=True)]


def _along(norm: Norm, value: float) -> float:
    """Where a value lies along a bar, which begins with the lowest value's colour."""
    return (_fraction(norm, value) - norm.lift) / (1 - norm.lift)


def _fraction(norm: Norm, value: float) -> float:
    return float(norm.fraction(np.array([value]))[0])


def _rounds(norm: Norm, words: ValueWords, count: int) -> list[float]:
    low, high = norm.low, norm.high
    if norm.origin:
        return words.rounds(low, high, count, norm.origin)
    if norm.how == "log" and low > 0 and not words.unit:
        return [value for value in log_ticks(low, high, count) if f"{value:e}"[0] in "125"]
    if norm.how == "cbrt" and not words.unit:
        roots = ticks(float(np.cbrt(low)), float(np.cbrt(high)), count)
        return [float(f"{root**3:.1g}") for root in roots]
    return words.rounds(low, high, count)


def _steps(norm: Norm, words: ValueWords, count: int) -> list[float]:
    values = []
    for k in range(1, count - 1):
        value = norm.value(k / (count - 1))
        short = float(rounded(value)) if norm.origin else words.rounder(value)
        near = float(rounded(value)) if words.whole else value
        astray = abs(_fraction(norm, short) - _fraction(norm, value))
        values.append(short if astray < _ASTRAY else near)
    return values


def _room_for(rect: Rect, horizontal: bool, words: ValueWords, norm: Norm) -> tuple[float, float, float]:
    """How many labels a bar has room for, its length, and how far apart they must be."""
    if not horizontal:
        return rect.height / (_GAP * 2.2), rect.height, _GAP + _LINE if words.is_stamp else _GAP
    ends = words.apart([norm.told(norm.low), norm.told(norm.high)])
    gap = max(_GAP_ACROSS, max(Canvas.width_of(label, _FONT) for label in ends) + 10)
    return rect.width / gap, rect.width, gap


def _draw_ticks(canvas: Canvas, bar: Bar, norm: Norm, palette: Palette) -> None:
    rect, line = bar.rect, 1 / canvas.dpr
    room = _room_for(rect, bar.horizontal, bar.words, norm)
    for fraction, label in labels_of(norm, bar.words, *room):
        if bar.horizontal:
            x, bottom = rect.x + fraction * rect.width, rect.y + rect.height
            canvas.line(x, bottom, x, bottom + 4, line, palette.frame)
            side: Any = "left" if fraction < 0.1 else "right" if fraction > 0.9 else "center"
            canvas.text(label, x, bottom + 5, _FONT, palette.muted, side, "top")
            continue
        y, right = rect.y + (1 - fraction) * rect.height, rect.x + rect.width
        canvas.line(right, y, right + 4, y, line, palette.frame)
        lines = _lines_of(label, bar.room)
        above = _LINE * (len(lines) - 1) / 2
        first = max(rect.y, min(rect.y + rect.height - 2 * above, y - above))  # not over the title
        for k, words in enumerate(lines):
            shown = canvas.fit_end(words, bar.room - _EDGE, _FONT)
            canvas.text(shown, right + _LABEL_GAP, first + 0.5 + _LINE * k, _FONT, palette.muted, "left", "middle")


def _lines_of(label: str, room: float) -> list[str]:
    """A label on one line, or a stamp's date above its time of day where one is too short."""
    stamp = _STAMP.fullmatch(label)
    return list(stamp.groups()) if stamp and Canvas.width_of(label, _FONT) > room else [label]


def _draw_gradient(canvas: Canvas, bar: Bar) -> None:
    """33 colours of the map at equal distances, mixed between, from that of the lowest value on."""
    rect, dpr = bar.rect, canvas.dpr
    lift = 0.0 if bar.norm is None else bar.norm.lift
    places = [min(255, rounded((lift + (1 - lift) * (k / 32)) * 255)) for k in range(33)]
    stops = bar.table[places].astype(np.float64)
    alpha, top, left = canvas.covered(rect.x, rect.y, rect.width, rect.height)
    height, width = alpha.shape
    if bar.horizontal:
        share = ((left + np.arange(width) + 0.5) / dpr - rect.x) / rect.width
    else:
        share = 1 - ((top + np.arange(height) + 0.5) / dpr - rect.y) / rect.height
    at = np.clip(share, 0, 1) * 32
    along = np.stack([np.interp(at, np.arange(33), stops[:, k]) for k in range(3)], 1)
    colours = np.broadcast_to(along[None, :] if bar.horizontal else along[:, None], (height, width, 3))
    canvas.veil(alpha * (1 if bar.norm is not None else 0.35), colours, top, left)
