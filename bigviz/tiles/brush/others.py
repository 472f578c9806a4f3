"""Which rows the brushes that rest leave out, and the filter of the one that moves, as a byte a row in the order of
that one (crossfilter's way).

Bit k of a row's byte is set if it is not in brush k, so that a target that brush k does not filter passes over the bit.
One more bit is of the filter, which no target passes over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.errors import TooLarge
from bigviz.common.jit import frozen, jit
from bigviz.common.workers import Crew, slices
from bigviz.tiles.brush.orders.position_ranges import PositionRanges, parts_of
from bigviz.tiles.brush.orders.shapes import Shape
from bigviz.tiles.brush.orders.source_order import SourceOrder, inverse, rows_of
from bigviz.tiles.brush.targets.in_order import in_order

__all__ = ["MOST_BRUSHES", "Resting", "failed_rows"]

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]

MOST_BRUSHES: Final = 8


@dataclass(frozen=True)
class Resting:
    """A brush that rests: its shape in the order of its source, and which rows that source's filter keeps, in the order
    of the file; None: all of them."""

    order: SourceOrder
    shape: Shape
    kept: Mask | None = None


def failed_rows(order: SourceOrder, others: Sequence[Resting], kept: Mask | None, crew: Crew) -> Array | None:
    """The bytes of all rows, uint8; None without other brushes and without a filter of the one that moves, which
    `kept` is in the order of the file. Raises TooLarge for more than 8 brushes, or filters, besides."""
    bits = len(others) + (kept is not None)
    if not bits:
        return None
    if bits > MOST_BRUSHES:
        filtered = ", one less over a layer with a filter" if kept is not None else ""
        raise TooLarge(f"at most {MOST_BRUSHES + 1} brushes filter each other{filtered}, got {len(others) + 1}")
    failed = np.zeros(order.rows, np.uint8)
    for number, other in enumerate(others):
        bit = np.uint8(1 << number)
        found = other.order.within(other.shape, crew.cancel)
        few = rows_of(found) < other.order.rows // 2
        if few:
            failed |= bit
        for change in found if few else inverse(found, other.order.rows):
            _turn(other.order, change, bit, failed, crew)
        if other.kept is not None:
            _leave_out(other.kept, bit, failed, crew)
    if kept is not None:
        _leave_out(kept, np.uint8(1 << len(others)), failed, crew)
    return frozen(in_order(order, failed, crew))


def _leave_out(kept: Mask, bit: np.uint8, failed: Array, crew: Crew) -> None:
    """Set a bit in the rows that a filter does not keep."""

    def mark(piece: tuple[int, int]) -> int:
        part = slice(*piece)
        failed[part] |= np.where(kept[part], np.uint8(0), bit)
        return piece[1] - piece[0]

    crew.run("combining brushes", mark, slices(len(kept)), len(kept))


def _turn(order: SourceOrder, change: PositionRanges, bit: np.uint8, failed: Array, crew: Crew) -> None:
    """Turn a bit over in the rows of some ranges. Two rows never share a byte, so threads need not wait."""

    def turn(part: PositionRanges) -> int:
        _flip(frozen(order.rows_at(order.picked(part).positions())), bit, failed)
        return part.rows

    crew.run("combining brushes", turn, list(parts_of(change)), change.rows)


@jit
def _flip(rows: Array, bit: np.uint8, failed: Array) -> None:
    for k in range(rows.size):
        failed[rows[k]] ^= bit
