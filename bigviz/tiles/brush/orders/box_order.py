"""The rows of a layer of points in Morton order, in which a box is a few ranges, and rows on its border are looked at.

What two boxes differ by is at most four boxes on each side; each is searched for in the quadtree (and its packed R-tree
of boxes), so a move costs the strips that its edges swept.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.dyadic_cells import Root
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import BadInput
from bigviz.common.jit import frozen
from bigviz.common.workers import Crew
from bigviz.tiles.brush.orders.code_window import code_window, spread_bounds
from bigviz.tiles.brush.orders.position_ranges import Picked, PositionRanges, picked_in, whole_ranges
from bigviz.tiles.brush.orders.shapes import Box, Shape
from bigviz.tiles.brush.orders.source_order import Change
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.grid.window import within
from bigviz.tiles.morton.order import Order
from bigviz.tiles.morton.quadtree import ranges_within

__all__ = ["BoxOrder", "box_order"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class BoxOrder:
    """An order of points by what `spec` names, with the rows behind it that it has no keys for: `rest` (uint32), the
    far ones first, whose numbers are `far`."""

    order: Order
    spec: OrderSpec
    rest: Array
    far: tuple[Array, Array]

    @property
    def rows(self) -> int:
        return len(self.order.guard) + len(self.rest)

    @property
    def ranged(self) -> bool:
        """True: boxes are found in the quadtree."""
        return True

    @property
    def nbytes(self) -> int:
        return int(self.rest.nbytes + sum(each.nbytes for each in self.far))

    def row_numbers(self, start: int, stop: int) -> Array:
        keyed = len(self.order.guard)
        if stop <= keyed:
            return self.order.numbered.take(slice(start, stop))
        rest = self.rest[max(start - keyed, 0) : stop - keyed]
        return rest if start >= keyed else np.concatenate([self.order.numbered.take(slice(start, keyed)), rest])

    def rows_at(self, positions: Array) -> Array:
        keyed = len(self.order.guard)
        if not len(self.rest):
            return self.order.numbered.take(positions)
        out = np.empty(len(positions), np.uint32)
        behind = positions >= keyed
        out[behind] = self.rest[positions[behind] - keyed]
        out[~behind] = self.order.numbered.take(positions[~behind])
        return out

    def key_axis(self, spec: OrderSpec, roots: tuple[Root, Root], which: int) -> int | None:
        wanted, survey = _axes(spec, roots)[which], self.order.survey
        found = [k for k, own in enumerate(_axes(self.spec, (survey.x, survey.y))) if own == wanted]
        return found[0] if found else None

    def keys(self, start: int, stop: int) -> Array:
        return self.order.guard.keys.take(slice(start, stop))

    def within(self, shape: Shape, cancel: Cancel = NEVER) -> Change:
        box = _box(shape)
        far = self._far(box)
        survey, whole = self.order.survey, self._whole
        x, y = code_window(survey.x, *box.x, whole[0]), code_window(survey.y, *box.y, whole[1])
        if x is None or y is None or not len(self.order.guard):
            return far
        found = ranges_within(self.order.guard, (*x[:2], *y[:2]), cancel, (*x[2:], *y[2:]))
        if not len(found.low):
            return far
        return [PositionRanges(found.low, found.high, found.whole, spread_bounds(x, y), box), *far]

    def picked(self, part: PositionRanges) -> Picked:
        keys = self.order.guard.keys
        if part.box is not None:
            keys.open(part.low, part.high)
        found, unsure = picked_in(part, keys.array)
        if not len(unsure) or part.box is None:
            return found
        inside = within(self.order.numbers(0, unsure), *part.box.x) & within(self.order.numbers(1, unsure), *part.box.y)
        more = unsure[inside != part.inverse]
        return Picked(found.low, found.high, frozen(np.concatenate([found.places, more])), found.rows + len(more))

    @cached_property
    def _whole(self) -> tuple[bool, bool]:
        """Which axes have whole numbers; looked at once, since a step has up to eight boxes."""
        x, y = (self.order.numbers(which, slice(0, 0)).dtype.kind != "f" for which in (0, 1))
        return x, y

    def _far(self, box: Box) -> Change:
        """The far rows of a box."""
        if not len(self.far[0]):
            return []
        found = np.flatnonzero(within(self.far[0], *box.x) & within(self.far[1], *box.y)) + len(self.order.guard)
        return [whole_ranges(found, found + 1)] if len(found) else []


def box_order(order: Order, spec: OrderSpec, rows: int, crew: Crew) -> BoxOrder:
    """The order of all `rows` rows of a dataset whose layer of points has such an order, by what `spec` names."""
    order.guard.tabulate(crew)
    far = np.asarray(order.far, np.uint32)
    rest = far
    if rows > len(order.guard) + len(far):
        lost = np.ones(rows, np.bool_)
        lost[order.numbered.take(slice(None))] = False
        lost[far] = False
        rest = np.concatenate([far, np.flatnonzero(lost).astype(np.uint32)])
    return BoxOrder(order, spec, rest, (order.far_numbers(0), order.far_numbers(1)))


def _axes(spec: OrderSpec, roots: tuple[Root, Root]) -> list[tuple[Any, ...]]:
    """What the codes of each axis depend on: latitudes and longitudes are projected each in its own way."""
    named = (spec.x, spec.xaxis, roots[0]), (spec.y, spec.yaxis, roots[1])
    return [(*axis, which if axis[1] == "mercator" else None) for which, axis in enumerate(named)]


def _box(shape: Shape) -> Box:
    if not isinstance(shape, Box):
        raise BadInput(f"a brush over points is a box, got {shape}", "brush", str(shape))
    return shape
