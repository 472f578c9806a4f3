"""The part of a layer's range where nearly all rows lie: where a first view is worth looking at.

Values that stand for "missing" (0, -9999, 9.97e36), often at one percent of the rows, leave the rest as a dot. A dense
part on an axis is the shortest interval with 97.5 % of a sample, grown over neighbours that are no farther away than a
quarter of its length, so that it never ends within a cloud or a tail. It counts where it is less than a quarter of the
range; data without such gaps has none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.axis import Axis
from bigviz.tiles.answers.row_lookup import find_rows
from bigviz.tiles.grid.batches import Batch
from bigviz.tiles.grid.survey import Survey, both_numbers
from bigviz.tiles.grid.window import Number
from bigviz.tiles.morton.order import Order
from bigviz.wire.offsets import offsets

__all__ = ["DensePart", "dense_of_order", "dense_of_parts", "dense_of_sample"]

Array = npt.NDArray[Any]

_KEPT: Final = 0.975  # of the sample, so that two percent of the rows are left out whatever the sample
_GAP: Final = 0.25  # of the length, over which neighbours still belong to it
_UNORDERED: Final = ("category", "bool")  # labels have no distances
_SMALL: Final = 0.25  # of the range
_LOOKED: Final = 1 << 16  # rows of a sample in memory
_LOOKED_ON_DISK: Final = 1 << 10  # each of another block of 64 KiB, which is verified
_UNSEEN: Final = 0.08  # of the length at each end, where rows may lie that a sample does not hold
_UNSEEN_ON_DISK: Final = 0.25


@dataclass(frozen=True)
class DensePart:
    """`box` is x0, y0, x1, y1 as in `LayerInfo.range`; on an axis without a dense part it is the range itself. `rows`
    lie in it, ends included."""

    box: tuple[Number, Number, Number, Number]
    rows: int


def dense_of_order(order: Order, axes: tuple[Axis, Axis]) -> DensePart | None:
    """The dense part of ordered rows, which are counted exactly; None where there is none. Raises Unreadable."""
    most, unseen = (_LOOKED, _UNSEEN) if order.has_columns else (_LOOKED_ON_DISK, _UNSEEN_ON_DISK)
    positions = _spaced(len(order.guard), most)
    more = 0.0 if len(positions) == len(order.guard) else unseen
    box = _box(order.survey, (order.numbers(0, positions), order.numbers(1, positions)), axes, more)
    if box is None:
        return None
    x0, y0, x1, y1 = box
    return DensePart(box, find_rows(order, (x0, _above(x1)), (y0, _above(y1)), 0).matched)


def dense_of_parts(orders: Sequence[Order], survey: Survey, axes: tuple[Axis, Axis]) -> DensePart | None:
    """The same of rows in several orders in memory, which `survey` is of."""
    ends = np.cumsum([0, *(len(order.guard) for order in orders)])
    positions = _spaced(int(ends[-1]), _LOOKED)
    numbers = []
    for which in (0, 1):
        parts = [
            order.numbers(which, positions[(positions >= start) & (positions < stop)] - start)
            for order, start, stop in zip(orders, ends[:-1], ends[1:], strict=True)
        ]
        numbers.append(np.concatenate(parts) if parts else np.empty(0))
    box = _box(survey, (numbers[0], numbers[1]), axes, 0.0 if len(positions) == ends[-1] else _UNSEEN)
    if box is None:
        return None
    x0, y0, x1, y1 = box
    found = (find_rows(order, (x0, _above(x1)), (y0, _above(y1)), 0).matched for order in orders)
    return DensePart(box, sum(found))


def dense_of_sample(survey: Survey, axes: tuple[Axis, Axis]) -> DensePart | None:
    """The dense part estimated from a sample, its count scaled to all rows that are inside according to `survey`."""
    low, high = survey.low, survey.high
    if low is None or high is None:
        return None
    positions = _spaced(len(axes[0]), _LOOKED)
    xs, ys, mask = both_numbers(Batch(0, axes[0].at(positions), axes[1].at(positions)))
    inside = _inside(xs, ys, (*low, *high))
    kept = inside if mask is None else inside & mask
    xs, ys = xs[kept], ys[kept]
    box = _box(survey, (xs, ys), axes, _UNSEEN)
    return None if box is None else DensePart(box, round(survey.inside * float(_inside(xs, ys, box).mean())))


def _spaced(count: int, most: int) -> npt.NDArray[np.int64]:
    return np.linspace(0, count - 1, min(count, most)).astype(np.int64)


def _inside(xs: Array, ys: Array, box: tuple[Number, Number, Number, Number]) -> npt.NDArray[np.bool_]:
    x0, y0, x1, y1 = box
    return np.asarray((xs >= x0) & (xs <= x1) & (ys >= y0) & (ys <= y1))


def _box(
    survey: Survey, numbers: tuple[Array, Array], axes: tuple[Axis, Axis], more: float
) -> tuple[Number, Number, Number, Number] | None:
    low, high = survey.low, survey.high
    if low is None or high is None:
        return None
    found = [
        None if axis.column.info.kind in _UNORDERED else _dense(values, low[which], high[which], more)
        for which, (axis, values) in enumerate(zip(axes, numbers, strict=True))
    ]
    if found == [None, None]:
        return None
    (x0, x1), (y0, y1) = (each or (low[which], high[which]) for which, each in enumerate(found))
    box = x0, y0, x1, y1
    return box if _inside(*numbers, box).mean() >= _KEPT else None


def _dense(values: Array, low: Number, high: Number, more: float) -> tuple[Number, Number] | None:
    """The ends of the dense part of an axis whose numbers lie in `[low, high]`, lengthened by `more` of its length."""
    ordered = np.sort(values)
    kept = math.ceil(len(ordered) * _KEPT)
    if kept == len(ordered):
        return None
    places = offsets(ordered, low) if isinstance(low, int) else ordered.astype(np.float64)
    first = int(np.argmin(places[kept - 1 :] - places[: len(places) - kept + 1]))
    last = first + kept - 1
    least = 1.0 if isinstance(low, int) else 0.0
    while True:
        reach = max(least, (places[last] - places[first]) * _GAP)
        start = int(np.searchsorted(places, places[first] - reach, "left"))
        stop = int(np.searchsorted(places, places[last] + reach, "right")) - 1
        if (start, stop) == (first, last):
            break
        first, last = start, stop
    size = float(places[last] - places[first])
    # One value alone is no view; a range that overflows or is denormal is left as it is.
    if not 0 < size < (high - low) * _SMALL or not math.isfinite(high - low):
        return None
    start_at, stop_at, room = ordered[first].item(), ordered[last].item(), size * more
    if isinstance(low, int):
        room = math.ceil(room)
    return max(low, start_at - room), min(high, stop_at + room)


def _above(end: Number) -> Number:
    """The end of a half-open window that holds `end`."""
    return end + 1 if isinstance(end, int) else math.nextafter(end, math.inf)
