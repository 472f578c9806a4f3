"""Where the plot lies in its surface, and the room that labels have around it. As in static/axes/draw.js and
static/figure/legend/label-room.js."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from bigviz.export.axes.axis import Axis, Tick
from bigviz.export.axes.nice_numbers import rounded
from bigviz.export.axes.span import Span
from bigviz.export.png.chrome.canvas import FONT_SIZE, Canvas

__all__ = ["Frame", "Margins", "Rect", "Room", "Side", "bar_room", "frame_of", "margins_of", "ticks_of"]

Side = Literal["bar", "legend", "none"]
Margins = tuple[float, float]
"""Room above and below a plot, in CSS pixels."""

TICK: Final = 5
_X_SPACING: Final = 84
_X_SPACING_TIME: Final = 104
_Y_SPACING: Final = 46
_NARROW: Final = 560
_BEFORE, _WIDTH, _AFTER = 18, 12, 8  # a bar: from the plot, its own, to its labels
_LEAST_BAR, _MOST_BAR, _BAR_STEP = 54, 78, 12  # room of its labels
_LEAST_LEFT, _MOST_LEFT, _LEFT_STEP = 44, 108, 6
_LOCK: Final = 28
_SLACK: Final = 24  # room shrinks only by more than this


@dataclass(frozen=True)
class Rect:
    """CSS pixels from the top left of the surface."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Frame:
    """The plot and the key next to it, in a `narrow` surface above it; a key of width 0 is none."""

    plot: Rect
    bar: Rect
    narrow: bool


def margins_of(width: float, side: Side, context: bool) -> Margins:
    """Room above and below a plot of a surface; `context`: a second line of labels below x."""
    return 50 if width < _NARROW and side != "none" else 28, 55 if context else 42


def frame_of(
    width: float, height: float, room: Room, side: Side, legend: float, margins: Sequence[Margins], dpr: float
) -> Frame:
    """The frame in a surface of a size: `legend` is its width, `margins` are the figure's and of those beside it."""
    narrow = width < _NARROW
    if narrow or side == "none":
        right: float = 12 if narrow else 20
    else:
        right = _BEFORE + _WIDTH + _AFTER + room.bar if side == "bar" else legend + 34

    def snap(place: float) -> float:
        return rounded(place * dpr) / dpr

    top, bottom = (max(each[end] for each in margins) for end in (0, 1))
    plot = Rect(
        snap(room.left),
        snap(top),
        snap(max(40, width - room.left - right)),
        snap(max(40, height - top - bottom)),
    )
    if side == "none":
        return Frame(plot, Rect(0, 0, 0, 0), narrow)
    start = 0.3 if side == "bar" else 0.0  # the bar's ticks stand next to the y axis's title, a legend above it
    if narrow:
        across = plot.width * (1 - start) - 2 - (_LOCK if side == "bar" else 0)
        return Frame(plot, Rect(plot.x + plot.width * start, 12, across, 10), narrow)
    bar = Rect(
        plot.x + plot.width + _BEFORE,
        plot.y + 22,
        _WIDTH if side == "bar" else legend,
        min(plot.height - 22, 340 if side == "bar" else plot.height),
    )
    return Frame(plot, bar, narrow)


def bar_room(width: float) -> float:
    """Room next to a bar for labels of a width."""
    return min(_MOST_BAR, _LEAST_BAR + _BAR_STEP * max(0, math.ceil((width + 3 - _LEAST_BAR) / _BAR_STEP)))


def ticks_of(axis: Axis, s: Span, pixels: float) -> list[Tick]:
    """The ticks of an axis of a CSS length."""
    spacing = _Y_SPACING if axis.side == "y" else _X_SPACING_TIME if axis.kind == "datetime" else _X_SPACING
    return axis.ticks(s, pixels, spacing)


@dataclass
class Room:
    """Room left of the plot and next to its colour bar, in CSS pixels: it grows as soon as labels need it and shrinks
    late."""

    left: float = 60
    bar: float = field(default_factory=lambda: bar_room(0))

    def fits(self, ys: Sequence[Tick], bar: float | None) -> bool:
        """Take the room that y labels and a bar (None: there is none) need; whether there was enough, and not far too
        much."""
        widest = max((Canvas.width_of(tick.label, (FONT_SIZE, False)) for tick in ys), default=0.0)
        steps = math.ceil((widest + TICK + 14) / _LEFT_STEP) * _LEFT_STEP
        left = max(_LEAST_LEFT, min(_MOST_LEFT, steps))
        wanted = left, self.bar if bar is None else bar
        settled = [_is_settled(now, want) for now, want in zip((self.left, self.bar), wanted, strict=True)]
        self.left = self.left if settled[0] else wanted[0]
        self.bar = self.bar if settled[1] else wanted[1]
        return all(settled)


def _is_settled(now: float, wanted: float) -> bool:
    return wanted <= now and now - wanted < _SLACK
