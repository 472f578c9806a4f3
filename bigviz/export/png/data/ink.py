"""Marks that overlap combine by the reduction's own rule: counts add up, means are averaged, categories are mixed.

As in static/render/marks.js.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import frozen, jit
from bigviz.export.axes.nice_numbers import rounded
from bigviz.export.png.data.cells import RULES
from bigviz.export.png.data.stamps import Stamps, joined, phases_of, stamp_of

__all__ = ["Ink", "Placed"]

Array = npt.NDArray[Any]
Planes = tuple[Array, Array, Array, Array, Array, Array]

_OUTLINE: Final = 0.35  # how much of the outline's colour is mixed into a mark's own
_PLAIN: Final = 0.72  # how much of the ground a plain mark hides
_SHEEREST: Final = 0.12
_HIDDEN: Final = 0.96  # how much of the ground most dashes on each other hide
_GAP: Final = 0.06  # between cells: a share of their size, where they are at least so many pixels large
_LEAST_CELL: Final = 4
_COUNT, _SUM, _MEAN, _MIN, _MAX, _FIRST, _LAST = range(7)


@dataclass(frozen=True)
class Placed:
    """Marks on the screen: positions in device pixels, values (float64), and under `by` colours (n, 3) uint8."""

    x: Array
    y: Array
    values: Array
    colours: Array | None

    def inside(self, width: int, height: int) -> npt.NDArray[np.bool_]:
        """Which of them are in sight."""
        return np.asarray((self.x >= 0) & (self.x < width) & (self.y >= 0) & (self.y < height))


class Ink:
    """The pixels that marks cover: their values, how far they are covered, and under `by` their mixed colours."""

    def __init__(self, width: int, height: int) -> None:
        self.values = np.zeros((height, width))
        self.alpha = np.zeros((height, width), np.uint8)
        self.weight = np.zeros((height, width), np.int64)  # marks that cover at least half of the pixel
        self.mixed = np.zeros((height, width, 3), np.uint8)
        self.edge = np.zeros((height, width), np.bool_)
        self.touched = np.zeros((height, width), np.bool_)

    @property
    def _planes(self) -> Planes:
        return self.values, self.alpha, self.weight, self.mixed, self.edge, self.touched

    def draw(self, marks: Placed, radius: float, rule: str, outlined: bool, shape: str) -> None:
        """Add marks, in the order given."""
        height, width = self.values.shape
        reach = 1.2 * radius + 1
        near = (marks.x > -reach) & (marks.x < width + reach) & (marks.y > -reach) & (marks.y < height + reach)
        x, y = marks.x[near], marks.y[near]
        numbers, places = phases_of(x, y, radius)
        stamps = joined([stamp_of(radius, fx, fy, outlined, shape) for fx, fy in places])
        columns, rows = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
        colours = np.zeros((len(x), 3), np.uint8) if marks.colours is None else marks.colours[near]
        given = (columns, rows, numbers, frozen(marks.values[near]), frozen(colours))
        _stamp(stamps, given, outlined, RULES[rule], self._planes)

    def draw_cells(self, marks: Placed, cell: tuple[float, float], rule: str) -> None:
        """Add rectangles about their places, in the order given, with a gap between neighbours."""
        height, width = self.values.shape
        sides = []
        for places, size, most in ((marks.x, cell[0], width), (marks.y, cell[1], height)):
            before, after = _gap(size)
            first = np.floor(places - size / 2 + 0.5).astype(np.int64) + before
            last = np.floor(places + size / 2 + 0.5).astype(np.int64) - after
            sides += [np.clip(first, 0, most), np.clip(last, 0, most)]
        colours = np.zeros((len(marks.x), 3), np.uint8) if marks.colours is None else marks.colours
        given = frozen(marks.values), frozen(colours)
        _fill((sides[0], sides[1], sides[2], sides[3]), given, RULES[rule], self._planes)

    @property
    def cores(self) -> Array:
        """The values of pixels that are at least half covered."""
        return self.values[self.weight > 0]

    def coloured(self, colours: Array, dark: bool, opacity: float) -> Array:
        """Pixels (y, x, 4) in the colours (y, x, 3) of their values; `dark` says that the ground is."""
        out = np.zeros((*self.values.shape, 4), np.uint8)
        outline = 255 if dark else 0
        edged = np.floor(colours * (1 - _OUTLINE) + outline * _OUTLINE + 0.5)
        out[..., :3] = np.where(self.edge[..., None], edged, colours)
        out[..., 3] = np.floor(self.alpha * opacity + 0.5)
        out[~self.touched] = 0
        return out

    def plain(self, colour: tuple[int, int, int], dashes: bool) -> Array:
        """All marks in one colour, more of it where they overlap; outlines are whole."""
        most = int(self.weight.max(initial=1))
        sheer = min(_PLAIN, max(_SHEEREST, 1 - (1 - _HIDDEN) ** (1 / max(1, most))))
        opacity = sheer if dashes else _PLAIN
        share = np.where(self.edge, 1.0, 1 - (1 - opacity) ** np.maximum(1, self.weight))
        out = np.zeros((*self.values.shape, 4), np.uint8)
        out[..., :3] = colour
        out[..., 3] = np.floor(self.alpha * share + 0.5)
        out[~self.touched] = 0
        return out


def _gap(size: float) -> tuple[int, int]:
    """Device pixels left free before and after a cell; none where cells are too small for it."""
    gap = 0 if size < _LEAST_CELL else min(6, max(1, rounded(size * _GAP)))
    return gap // 2, -(-gap // 2)


@jit
def _joined(old: float, weight: int, value: float, rule: int) -> float:
    """The value of a pixel under `weight` marks and one more."""
    if rule in (_COUNT, _SUM):
        return old + value
    if rule == _MEAN:
        return old + (value - old) / (weight + 1)
    if rule == _MIN:
        return min(old, value)
    if rule == _MAX:
        return max(old, value)
    return old if rule == _FIRST else value


@jit
def _stamp(stamps: Stamps, marks: tuple[Array, ...], outlined: bool, rule: int, planes: Planes) -> None:
    starts, dx, dy, shown, core, rim = stamps
    columns, rows, phases, numbers, colours = marks
    values, alpha, weight, mixed, edge, touched = planes
    height, width = values.shape
    for k in range(columns.size):
        for p in range(starts[phases[k]], starts[phases[k] + 1]):
            x, y = columns[k] + dx[p], rows[k] + dy[p]
            if x < 0 or y < 0 or x >= width or y >= height:
                continue
            if not touched[y, x]:
                touched[y, x] = True
                edge[y, x] = outlined
            before = weight[y, x]
            if core[p] and before > 0:
                alpha[y, x] = max(alpha[y, x], shown[p])
                values[y, x] = _joined(values[y, x], before, numbers[k], rule)
                for c in range(3):
                    both = mixed[y, x, c] * float(before) + colours[k, c]
                    mixed[y, x, c] = np.uint8(int(both / (before + 1) + 0.5))
            elif core[p] or (before == 0 and shown[p] > alpha[y, x]):
                alpha[y, x] = shown[p]
                values[y, x] = numbers[k]
                for c in range(3):
                    mixed[y, x, c] = colours[k, c]
            if core[p]:
                weight[y, x] = before + 1
                edge[y, x] = rim[p]


@jit
def _fill(sides: tuple[Array, ...], marks: tuple[Array, ...], rule: int, planes: Planes) -> None:
    left, right, top, bottom = sides
    numbers, colours = marks
    values, alpha, weight, mixed, _, touched = planes
    for k in range(numbers.size):
        for y in range(top[k], bottom[k]):
            for x in range(left[k], right[k]):
                before = weight[y, x]
                for c in range(3):
                    both = mixed[y, x, c] * float(before) + colours[k, c]
                    mixed[y, x, c] = np.uint8(int(both / (before + 1) + 0.5)) if touched[y, x] else colours[k, c]
                values[y, x] = _joined(values[y, x], before, numbers[k], rule) if touched[y, x] else numbers[k]
                touched[y, x] = True
                alpha[y, x] = 255
                weight[y, x] = before + 1
