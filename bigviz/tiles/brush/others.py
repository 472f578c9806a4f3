"""Which rows the brushes that rest leave out, as a byte a row in the order of the one that moves (crossfilter's way).

Bit k of a row's byte is set if it is not in brush k, so that a target that brush k does not filter passes over the bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.errors import TooLarge
from bigviz.common.jit import frozen, jit
from bigviz.common.workers import Crew
from bigviz.tiles.brush.orders.shapes import Shape
from bigviz.tiles.brush.orders.source_order import SourceOrder, inverse, rows_of
from bigviz.tiles.brush.orders.stretches import Stretches, parts_of
from bigviz.tiles.brush.targets.in_order import in_order

__all__ = ["MOST_BRUSHES", "failed_rows"]

Array = npt.NDArray[Any]

MOST_BRUSHES: Final = 8


def failed_rows(order: SourceOrder, others: Sequence[tuple[SourceOrder, Shape]], crew: Crew) -> Array | None:
    """The bytes of all rows, uint8; None without other brushes. Raises TooLarge for more than 8 of them."""
    if not others:
        return None
    if len(others) > MOST_BRUSHES:
        raise TooLarge(f"at most {MOST_BRUSHES + 1} brushes filter each other, got {len(others) + 1}")
    failed = np.zeros(order.rows, np.uint8)
    for bit, (other, shape) in enumerate(others):
        found = other.within(shape, crew.cancel)
        few = rows_of(found) < other.rows // 2
        if few:
            failed |= np.uint8(1 << bit)
        for change in found if few else inverse(found, other.rows):
            _turn(other, change, np.uint8(1 << bit), failed, crew)
    return frozen(in_order(order, failed, crew))


def _turn(order: SourceOrder, change: Stretches, bit: np.uint8, failed: Array, crew: Crew) -> None:
    """Turn a bit over in the rows of some ranges. Two rows never share a byte, so threads need not wait."""

    def turn(part: Stretches) -> int:
        _flip(frozen(order.rows_at(order.picked(part).positions())), bit, failed)
        return part.rows

    crew.run("combining brushes", turn, list(parts_of(change)), change.rows)


@jit
def _flip(rows: Array, bit: np.uint8, failed: Array) -> None:
    for k in range(rows.size):
        failed[rows[k]] ^= bit
