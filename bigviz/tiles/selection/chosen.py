"""The rows of a selection: ranges of positions in an order, or row numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.workers import Crew
from bigviz.tiles.grid.window import Number, codes_between
from bigviz.tiles.morton.order import Order
from bigviz.tiles.morton.quadtree import Ranges, positions_of, ranges_within
from bigviz.tiles.selection.lasso_ranges import ranges_in
from bigviz.tiles.selection.region import Lasso, Region
from bigviz.tiles.selection.row_set import RowSet

__all__ = ["Chosen", "NumberedRows", "OrderedRows", "axes_kept", "choose", "parts_of", "rows_of"]

Array = npt.NDArray[Any]
Window = tuple[Number, Number]

PART: Final = 1 << 17  # rows that are looked at between two looks at the cancel flag
_MOST_CODE: Final = (1 << 32) - 1


class Chosen(Protocol):
    """Some rows of a dataset."""

    @property
    def count(self) -> int:
        """How many."""

    def row_numbers(self, cancel: Cancel = NEVER) -> Iterator[npt.NDArray[np.int64]]:
        """Their numbers, in parts of at most some 10^5, in any order."""


@dataclass(frozen=True)
class OrderedRows:
    """Rows of an order: ascending half-open ranges of positions `low` to `high` (int64), and the numbers of far rows.
    `axes` are the columns whose numbers the order's own are: x and y, None where the axis has a space of its own."""

    order: Order
    low: Array = field(repr=False)
    high: Array = field(repr=False)
    far: Array = field(repr=False)
    axes: tuple[str | None, str | None] = (None, None)

    @property
    def count(self) -> int:
        return int((self.high - self.low).sum()) + len(self.far)

    def row_numbers(self, cancel: Cancel = NEVER) -> Iterator[npt.NDArray[np.int64]]:
        for low, high in parts_of(self.low, self.high, PART):
            cancel.check()
            yield self.order.row_numbers(positions_of(low, high))
        if len(self.far):
            yield self.far


@dataclass(frozen=True)
class NumberedRows:
    """Rows by their numbers."""

    rows: RowSet

    @property
    def count(self) -> int:
        return self.rows.count

    def row_numbers(self, cancel: Cancel = NEVER) -> Iterator[npt.NDArray[np.int64]]:
        for numbers in self.rows.batches(PART):
            cancel.check()
            yield numbers


def choose(order: Order, shape: Region, crew: Crew, axes: tuple[str | None, str | None] = (None, None)) -> OrderedRows:
    """The rows of an order, far ones included, that lie in a shape, exactly. Ranges wholly inside are taken as they
    are; the rows of the others are looked at one by one. `axes` as in `OrderedRows`.

    Memory: 16 bytes a run of rows. Raises Cancelled, and Unreadable for a damaged store.
    """
    ranges = _ranges(order, shape, crew.cancel)
    parts = parts_of(ranges.low[~ranges.whole], ranges.high[~ranges.whole], PART)
    found: list[tuple[Array, Array]] = [(np.empty(0, np.int64), np.empty(0, np.int64))] * len(parts)

    def look(k: int) -> int:
        positions = positions_of(*parts[k])
        inside = shape.holds(order.numbers(0, positions), order.numbers(1, positions), crew.cancel)
        found[k] = _runs(positions[inside])
        return len(positions)

    rows = sum(int((high - low).sum()) for low, high in parts)
    crew.run("selecting rows", look, range(len(parts)), rows)
    low = np.concatenate([ranges.low[ranges.whole], *(each[0] for each in found)])
    high = np.concatenate([ranges.high[ranges.whole], *(each[1] for each in found)])
    by_place = np.argsort(low, kind="stable")
    far = order.far
    if len(far):
        far = far[shape.holds(order.far_numbers(0), order.far_numbers(1), crew.cancel)]
    return OrderedRows(order, *_joined(low[by_place], high[by_place]), far, axes)


def axes_kept(layer: Layer) -> tuple[str | None, str | None]:
    """The columns of a layer whose numbers its axes keep: None for a logarithm or a map."""
    keeps = ("linear", "datetime")
    return layer.x if layer.xaxis in keeps else None, layer.y if layer.yaxis in keeps else None


def parts_of(low: Array, high: Array, size: int) -> list[tuple[Array, Array]]:
    """Half-open ranges in groups of about `size` rows, longer ranges cut."""
    lengths = high - low
    pieces = np.maximum(-(-lengths // size), 0)
    which = np.repeat(np.arange(len(low)), pieces)
    number = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    lows = low[which] + number * size
    highs = np.minimum(lows + size, high[which])
    group = np.cumsum(highs - lows) // size
    cuts = np.flatnonzero(np.diff(group)) + 1
    pairs = zip(np.split(lows, cuts), np.split(highs, cuts), strict=True)
    return [pair for pair in pairs if len(pair[0])]


def _ranges(order: Order, shape: Region, cancel: Cancel) -> Ranges:
    if isinstance(shape, Lasso):
        return ranges_in(order.guard, order.survey, shape.polygon, cancel)
    x, y = shape.windows
    across = codes_between(order.survey.x, *x)
    up = (0, _MOST_CODE) if y is None else codes_between(order.survey.y, *y)
    if across is None or up is None:
        return Ranges(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.bool_))
    inner = (across[0] + 1, across[1] - 1, *(up if y is None else (up[0] + 1, up[1] - 1)))
    return ranges_within(order.guard, (*across, *up), cancel, inner)


def _runs(positions: Array) -> tuple[Array, Array]:
    """Ascending positions as half-open ranges."""
    first = np.ones(len(positions), np.bool_)
    first[1:] = positions[1:] != positions[:-1] + 1
    starts = np.flatnonzero(first)
    ends = np.append(starts[1:], len(positions)) - 1
    return positions[starts], positions[ends] + 1 if len(positions) else positions


def _joined(low: Array, high: Array) -> tuple[Array, Array]:
    """Ascending ranges, those that touch made one."""
    if not len(low):
        return low, high
    apart = low[1:] != high[:-1]
    return low[np.append(True, apart)], high[np.append(apart, True)]


def rows_of(parts: Sequence[Chosen], first: int, rows: int, cancel: Cancel = NEVER) -> RowSet:
    """The numbers of all rows of parts, of a table whose numbers begin with `first`."""
    found = RowSet(first, rows)
    for part in parts:
        for numbers in part.row_numbers(cancel):
            found.add(numbers)
    return found
