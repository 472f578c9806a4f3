"""The rows of a dataset in an order in which a brush is a few ranges.

Every row has a position: first those that the order sorts, then those that it cannot (far rows, rows without a number
or a label), which no range holds but those of all rows.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.dyadic_cells import Root
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.jit import frozen
from bigviz.tiles.brush.orders.position_ranges import Picked, PositionRanges
from bigviz.tiles.brush.orders.shapes import Shape
from bigviz.tiles.grid.order_spec import OrderSpec

__all__ = ["Change", "Keyless", "SourceOrder", "inverse", "rows_of"]

Array = npt.NDArray[Any]
Change = list[PositionRanges]

_NO_KEYS: Final = frozen(np.empty(0, np.uint64))


class SourceOrder(Protocol):
    """An order of all rows of a dataset. Safe to use from any number of threads."""

    @property
    def rows(self) -> int:
        """How many rows."""

    @property
    def ranged(self) -> bool:
        """Whether a search takes less than a look at all rows, so that differences are worth searching for."""

    @property
    def nbytes(self) -> int:
        """Bytes of memory that nothing else holds."""

    def row_numbers(self, start: int, stop: int) -> Array:
        """The rows (uint32, places in the columns) at a range of positions."""

    def rows_at(self, positions: Array) -> Array:
        """The rows (uint32) at some positions."""

    def key_axis(self, spec: OrderSpec, roots: tuple[Root, Root], which: int) -> int | None:
        """Which axis of the order's keys, 0 or 1, has the codes of one of the axes that `spec` names in its root; None
        where neither has."""

    def keys(self, start: int, stop: int) -> Array:
        """The keys (uint64) of a range of positions, up to the first row that has none."""

    def within(self, shape: Shape, cancel: Cancel = NEVER) -> Change:
        """The rows of a brush. Raises BadInput for a shape that the source does not have."""

    def picked(self, part: PositionRanges) -> Picked:
        """The rows that a part of some ranges means."""


class Keyless:
    """What is common to orders without keys."""

    def key_axis(self, spec: OrderSpec, roots: tuple[Root, Root], which: int) -> int | None:
        """None: there are no keys."""
        return None

    def keys(self, start: int, stop: int) -> Array:
        """No keys."""
        return _NO_KEYS


def rows_of(change: Change) -> int:
    """Rows of the ranges of a change: at least as many as are meant."""
    return sum(each.rows for each in change)


def inverse(found: Change, rows: int) -> Change:
    """All rows but those of a brush."""
    lows = np.concatenate([np.empty(0, np.int64), *(each.low for each in found)])
    highs = np.concatenate([np.empty(0, np.int64), *(each.high for each in found)])
    by = np.argsort(lows, kind="stable")
    low, high = np.concatenate([[0], highs[by]]), np.concatenate([lows[by], [rows]])
    gaps = high > low
    turned = [PositionRanges(low[gaps], high[gaps], np.ones(int(gaps.sum()), np.bool_))]
    for each in found:
        edge = ~each.whole
        turned.append(
            PositionRanges(each.low[edge], each.high[edge], each.whole[edge], each.bounds, each.box, not each.inverse)
        )
    return [each for each in turned if len(each.low)]
