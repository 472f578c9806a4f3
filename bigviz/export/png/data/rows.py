"""Rows drawn one by one, where a view holds few. As in static/layers/rows/marks-layer.js."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.export.axes.span import Span, span_of
from bigviz.export.png.data.compose import draw_over, draw_sprites
from bigviz.export.png.data.ink import Ink, Placed
from bigviz.export.png.data.lattice import lattice_of
from bigviz.export.png.data.stamps import OUTLINED, radius_for
from bigviz.export.png.shown_layer import ShownLayer
from bigviz.export.png.view import View
from bigviz.render.colormaps import CATEGORIES, lut
from bigviz.render.norm import Norm
from bigviz.tiles.interface import Marks, Number

__all__ = ["Rows"]

Array = npt.NDArray[Any]
Interval = tuple[Number, Number]

_FEW: Final = 5000  # marks in view up to which they are drawn on the page's ground
_PILED: Final = 1.1  # rows a mark, on the average, from which on their counts are what one sees
_LEAST_STEP: Final = 3  # CSS pixels, from which on a lattice is drawn as cells
_DASH: Final = 2  # how thick dashes are, in CSS pixels
_STEADY: Final = 1.25  # marks change their size only by more than this
_EXACT: Final = 2**53


class Rows:
    """All rows of a window, or of the root where `window` is None, and how they are drawn in a view."""

    def __init__(self, layer: ShownLayer, marks: Marks, window: tuple[Interval, Interval] | None) -> None:
        self._layer, self._marks, self._window = layer, marks, window
        coded = marks.code is not None
        self._lattice = lattice_of(marks.x, marks.y, coded, layer.whole)
        self._alone = bool((marks.number == 1).all())  # no coordinate has more than one row
        piled = int(marks.number.sum()) > _PILED * len(marks)
        self._tells_counts = piled and layer.planes is None and layer.counts
        self._origin = _origin_of(marks.value) if layer.movable else 0
        less = marks.value.dtype.type(self._origin) if self._origin else None
        self._values = (marks.value if less is None else marks.value - less).astype(np.float64)
        self._radius = 0.0
        self.norm: Norm | None = None
        """Of what was drawn last; None while nothing is visible."""

    def covers(self, view: View) -> bool:
        """The rows are all that a view shows."""
        if self._window is None:
            return True
        return all(
            _holds(span_of(*ends, exact), s)
            for ends, exact, s in zip(self._window, self._layer.exact, (view.x, view.y), strict=True)
        )

    def is_sparse(self, view: View) -> bool:
        """They are drawn on the page's ground; the cells of a table, and counts of rows that lie on each other, only
        where their colours are no ramp, which may end in that ground."""
        if self._is_styled_plain:
            return True
        if self._tells_counts:
            return False
        if int(self._placed(view).inside(view.width, view.height).sum()) > _FEW * _STEADY:
            return False
        layer = self._layer
        return layer.planes is not None or (layer.tells_places and self._alone) or not self._is_table(view)

    def is_plain(self, view: View) -> bool:
        """Only their places matter: all have one colour."""
        return self._layer.tells_places and self.is_sparse(view)

    @cached_property
    def is_always_plain(self) -> bool:
        """No view of them has colours that mean something."""
        lattice = self._lattice
        counted = self._tells_counts or (lattice is not None and all(lattice) and not self._alone)
        return self._window is None and len(self._marks) <= _FEW and self._layer.tells_places and not counted

    @property
    def _is_styled_plain(self) -> bool:
        spec = self._layer.choice.spec
        return (spec.color is not None or spec.size is not None) and self._layer.tells_places

    def draw(self, canvas: Array, view: View, dpr: float) -> None:
        """Draw them over an opaque canvas of the view's size."""
        layer, spec, placed = self._layer, self._layer.choice.spec, self._placed(view)
        inside = placed.inside(view.width, view.height)
        if spec.size is not None:
            self._radius = spec.size / 2 * dpr
        else:
            ideal = radius_for(int(inside.sum()), view.width * view.height / (dpr * dpr)) * dpr
            if not self._radius / _STEADY < ideal < self._radius * _STEADY:
                self._radius = ideal
        colour, opacity = layer.colour[0], layer.mark_opacity
        if self._is_styled_plain:
            draw_sprites(canvas, placed, self._radius, spec.marker, colour, opacity)
            self.norm = self._norm_of(placed.values[inside])
            return
        ink = Ink(view.width, view.height)
        cells = self._cells_in(view)
        if cells is not None:
            thick = float(max(1, int(_DASH * dpr + 0.5)))
            ink.draw_cells(placed, (cells[0] or thick, cells[1] or thick), layer.rule)
        else:
            ink.draw(placed, self._radius, layer.rule, self._radius >= OUTLINED * dpr, spec.marker)
        self.norm = self._norm_of(ink.cores)
        sparse = self.is_sparse(view)
        if self.is_plain(view):
            draw_over(canvas, ink.plain(colour, cells is not None and not self._is_table(view)))
        elif self.norm is not None:
            dark = layer.palette.dark if sparse or layer.planes is not None else layer.ground_dark
            draw_over(canvas, ink.coloured(self._colours(ink), dark, opacity))

    def _colours(self, ink: Ink) -> Array:
        """The colours (y, x, 3) of the pixels of some ink."""
        if self._marks.code is not None or self.norm is None:
            return ink.mixed
        colours = np.zeros((*ink.values.shape, 3), np.uint8)
        fraction = self.norm.fraction(ink.values[ink.touched])
        colours[ink.touched] = self._layer.table[(fraction * 255 + 0.5).astype(np.int64)]
        return colours

    def _norm_of(self, values: Array) -> Norm | None:
        kept = values[values != 0] if self._layer.counts else values
        choice = self._layer.choice
        if not np.isfinite(kept).any():
            return None
        return Norm(kept, choice.how, choice.low, choice.high, self._layer.counts, self._origin)

    def _placed(self, view: View) -> Placed:
        marks, colours = self._marks, None
        if marks.code is not None:
            table = lut(CATEGORIES)
            colours = table[marks.code % len(table)]
        return Placed(view.across(marks.x), view.down(marks.y), self._values, colours)

    def _cells_in(self, view: View) -> tuple[float, float] | None:
        """Size of a lattice's cells in a view, in device pixels, 0 along dashes; None where there is none, or it is too
        fine."""
        if self._lattice is None or self._is_styled_plain or self._layer.choice.spec.size is not None:
            return None
        width = self._lattice[0] * view.width / view.x.length
        height = self._lattice[1] * view.height / view.y.length
        return (width, height) if all(size == 0 or size >= _LEAST_STEP for size in (width, height)) else None

    def _is_table(self, view: View) -> bool:
        """Its cells are those of a table, not dashes."""
        cells = self._cells_in(view)
        return cells is not None and cells[0] > 0 and cells[1] > 0


def _holds(whole: Span | None, s: Span) -> bool:
    if whole is None:
        return False
    return whole.fraction(s.origin, s.lo) >= -1e-9 and whole.fraction(s.origin, s.hi) <= 1 + 1e-9


def _origin_of(values: Array) -> int:
    """The lowest of whole numbers that float64 rounds and that lie within an octave; 0 for others."""
    if values.dtype.kind not in "iu" or not len(values):
        return 0
    low, high = int(values.min()), int(values.max())
    near = (low > 0) == (high > 0) and abs(high) <= 2 * abs(low) and abs(low) <= 2 * abs(high)
    return low if max(abs(low), abs(high)) >= _EXACT and near else 0
