"""The cells of an image in which consecutive rows of an order lie."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.dyadic_cells import Root, power_of_two
from bigviz.aggregate.glyphs.place_points import Places, terms
from bigviz.common.jit import frozen, jit
from bigviz.tiles.grid.interleave import compact
from bigviz.tiles.morton.keys import Derived
from bigviz.tiles.morton.order import Order
from bigviz.tiles.morton.packed_rtree import BOXED
from bigviz.tiles.morton.quadtree import positions_of

__all__ = ["PlacedRows"]

Array = npt.NDArray[Any]
Cells = npt.NDArray[np.int32]

_HALF: Final = 1 << 31  # of all codes: those below the middle are negative then, and fit int32
_MOST_BASE: Final = 1 << 51  # a code and its base are exact in float64


@dataclass(frozen=True)
class PlacedRows:
    """Rows of an order, and the image they are placed in."""

    order: Order
    places: Places

    def cells(self, start: int, stop: int) -> Cells:
        """The cell of each row of a range of positions."""
        out = np.empty(stop - start, np.int32)
        rules = self._rules()
        if rules is None:
            self._place(slice(start, stop), out)
        else:
            self._decode(rules, self.order.guard.keys.take(slice(start, stop)), out)
            for at in self._exceptions(start, stop):
                self._place(at, cells := np.empty(len(at), np.int32))
                out[at - start] = cells
        return out

    def counted(self, start: int, stop: int) -> tuple[Cells, Cells]:
        """The cells of a range of positions for counting: those of boxes of 256 rows that lie in one cell each, and
        those of the rows in no such box."""
        first, last = -(-start // BOXED), stop // BOXED
        if first >= last:
            return np.empty(0, np.int32), self.cells(start, stop)
        boxes, whole = self._boxes(first, last)
        if not whole.any():
            return boxes[:0], self.cells(start, stop)
        lone = np.flatnonzero(~whole) + first
        low = np.concatenate([[start], lone * BOXED, [last * BOXED]])
        high = np.concatenate([[first * BOXED], (lone + 1) * BOXED, [stop]])
        return boxes[whole], self._some(low, high, slice(start, stop), whole, first)

    def _some(self, low: Array, high: Array, block: slice, whole: npt.NDArray[np.bool_], first: int) -> Cells:
        """The cells of the rows of a block that are in none of its whole boxes."""
        rules = self._rules()
        if rules is None:
            positions = positions_of(low, high)
            self._place(positions, out := np.empty(len(positions), np.int32))
            return out
        keys = self.order.guard.keys.take(block)
        inner = slice(first * BOXED - block.start, (first + len(whole)) * BOXED - block.start)
        kept = keys[inner].reshape(-1, BOXED)[~whole].reshape(-1)
        out = np.empty(int((high - low).sum()), np.int32)
        self._decode(rules, np.concatenate([keys[: inner.start], kept, keys[inner.stop :]]), out)
        ends = np.cumsum(high - low)
        for at in self._exceptions(block.start, block.stop):
            piece = np.searchsorted(high, at, "right")
            inside = (piece < len(low)) & (at >= low[np.minimum(piece, len(low) - 1)])
            at, piece = at[inside], piece[inside]
            self._place(at, cells := np.empty(len(at), np.int32))
            out[at - high[piece] + ends[piece]] = cells
        return out

    def _boxes(self, first: int, last: int) -> tuple[Cells, npt.NDArray[np.bool_]]:
        """The cells of boxes, and which boxes lie in one: the map of numbers to cells ascends, so that the edges of a
        box say where all of its rows are."""
        sides = self.order.guard.boxes.sides[first:last]
        low, high = np.empty(last - first, np.int32), np.empty(last - first, np.int32)
        survey = self.order.survey
        for (x, y), more, out in (((0, 2), 0, low), ((1, 3), 1, high)):
            ends = [_edges(root, sides[:, side], more) for root, side in ((survey.x, x), (survey.y, y))]
            self.places.write((ends[0], None), (ends[1], None), out)
        plain = not (self.places.x.log or self.places.y.log)
        return low, (low == high) & (low != self.places.outside) & plain

    def _rules(self) -> tuple[Derived, Derived] | None:
        """How both axes' numbers follow from the keys, where floats can hold it."""
        rules = self.order.rules
        if rules is None or self.places.x.log or self.places.y.log:
            return None
        fit = all(rule.dtype.kind == "f" and abs(rule.base) < _MOST_BASE for rule in rules)
        return rules if fit else None

    def _decode(self, rules: tuple[Derived, Derived], keys: Array, out: Cells) -> None:
        x, y = rules
        places = self.places
        ends = (*terms(places.x), *terms(places.y))
        bases = float(x.base + _HALF), x.width, float(y.base + _HALF), y.width
        _decode(frozen(keys), *bases, *ends, places.x.size, places.y.size, places.outside, out)

    def _exceptions(self, start: int, stop: int) -> list[Array]:
        """The positions whose numbers do not follow from their keys, on either axis."""
        return [self.order.exceptions(which, start, stop) for which in (0, 1)]

    def _place(self, positions: slice | Array, out: Cells) -> None:
        numbers = [self.order.numbers(which, positions) for which in (0, 1)]
        self.places.write((numbers[0], None), (numbers[1], None), out)


def _edges(root: Root, codes: npt.NDArray[np.uint32], more: int) -> Array:
    """The lower edges of codes, or with `more` 1 of those after them, as the nearest float64."""
    start, width = root.start, power_of_two(root.exponent - 32)
    if abs(start) < width * _MOST_BASE:
        return (codes.astype(np.float64) + float(start / width + more)) * float(width)
    return np.array([float(start + (int(code) + more) * Fraction(width)) for code in codes])


@jit
def _decode(
    keys: Array,
    x_base: float,
    x_width: float,
    y_base: float,
    y_width: float,
    x_low: float,
    x_high: float,
    x_scale: float,
    x_shift: float,
    y_low: float,
    y_high: float,
    y_scale: float,
    y_shift: float,
    width: int,
    height: int,
    outside: int,
    out: Array,
) -> None:
    """`Places.write` for the lower edges of the keys' cells. Vectors of float64 are made of int32, not of int64."""
    none, stride = np.int32(outside), np.int32(width)
    zero, last_column, last_row = np.int32(0), np.int32(width - 1), np.int32(height - 1)
    for k in range(keys.size):
        key = keys[k]
        x_code = np.int32(np.int64(compact(key)) - 2147483648)
        y_code = np.int32(np.int64(compact(key >> np.uint64(1))) - 2147483648)
        across, up = (np.float64(x_code) + x_base) * x_width, (np.float64(y_code) + y_base) * y_width
        column, row = np.int32(across * x_scale + x_shift), np.int32(up * y_scale + y_shift)
        column = min(max(column, zero), last_column)
        row = min(max(row, zero), last_row)
        inside = (x_low <= across) & (across <= x_high) & (y_low <= up) & (up <= y_high)
        out[k] = np.int32(row * stride + column) if inside else none
