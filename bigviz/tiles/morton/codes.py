"""Rows as codes: the cells of the deepest level on both axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.dyadic_cells import Root
from bigviz.common.jit import jit
from bigviz.tiles.grid.batches import Batch
from bigviz.tiles.grid.tile_key import Codes

__all__ = ["Coded", "coded_of", "rows_within"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Coded:
    """The 32-bit codes of some rows on both axes, and where each row's numbers lie (`cells.INSIDE` ...)."""

    x: npt.NDArray[np.uint32]
    y: npt.NDArray[np.uint32]
    where_x: npt.NDArray[np.uint8]
    where_y: npt.NDArray[np.uint8]


def coded_of(batch: Batch, part: slice, roots: tuple[Root, Root]) -> Coded:
    """The codes of some rows of a batch."""
    codes, where = [], []
    for root, (values, valid) in zip(roots, (batch.x, batch.y), strict=True):
        held = np.empty(part.stop - part.start, np.uint32)
        where.append(root.codes(values[part], None if valid is None else valid[part], held))
        codes.append(held)
    return Coded(codes[0], codes[1], where[0], where[1])


def rows_within(coded: Coded, codes: Codes) -> npt.NDArray[np.int64]:
    """The places of the rows inside both roots whose codes lie in a rectangle, its ends included."""
    found = np.empty(len(coded.x), np.int64)
    count = _select(coded.x, coded.y, coded.where_x, coded.where_y, *codes, found)
    return found[:count]


@jit
def _select(
    x: Array, y: Array, where_x: Array, where_y: Array, x0: int, x1: int, y0: int, y1: int, found: Array
) -> int:
    count = 0
    for k in range(x.size):
        if where_x[k] == 0 and where_y[k] == 0 and x0 <= x[k] <= x1 and y0 <= y[k] <= y1:
            found[count] = k
            count += 1
    return count
