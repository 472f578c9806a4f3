"""Rows as they come, in which each row is compared with a brush: for few rows, and for rows that are seen once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.cancel import NEVER, Cancel
from bigviz.tiles.brush.orders.position_ranges import Picked, PositionRanges, picked_in, whole_ranges
from bigviz.tiles.brush.orders.shapes import Shape
from bigviz.tiles.brush.orders.source_order import Change, Keyless

__all__ = ["UnsortedOrder"]

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]

_NO_KEYS: Final = np.empty(0, np.uint64)


@dataclass(frozen=True)
class UnsortedOrder(Keyless):
    """So many rows, of which `inside` tells which are in a brush."""

    rows: int
    inside: Callable[[Shape], Mask]

    @property
    def ranged(self) -> bool:
        """False: a difference takes no less than a brush."""
        return False

    @property
    def nbytes(self) -> int:
        return 0

    def row_numbers(self, start: int, stop: int) -> Array:
        return np.arange(start, stop, dtype=np.uint32)

    def rows_at(self, positions: Array) -> Array:
        return positions

    def within(self, shape: Shape, cancel: Cancel = NEVER) -> Change:
        cancel.check()
        edges = np.flatnonzero(np.diff(self.inside(shape).view(np.int8), prepend=np.int8(0), append=np.int8(0)))
        return [whole_ranges(edges[::2], edges[1::2])] if len(edges) else []

    def picked(self, part: PositionRanges) -> Picked:
        return picked_in(part, _NO_KEYS)[0]
