"""Where the rows of a source's order lie in a line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import frozen, jit
from bigviz.common.workers import Crew, slices
from bigviz.tiles.brush.orders.source_order import SourceOrder
from bigviz.tiles.brush.targets.in_order import filled, in_order
from bigviz.tiles.series.series import Series

__all__ = ["Places", "places_of"]

Array = npt.NDArray[Any]

_NOWHERE: Final = np.uint32(0xFFFFFFFF)  # the place of a row that the line does not have


@dataclass(frozen=True, eq=False)
class Places:
    """Positions of a line's series (uint32; 2^32 - 1: none) of the rows of a source's order."""

    places: Array

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return int(self.places.nbytes)


def places_of(series: Series, order: SourceOrder, crew: Crew) -> Places:
    """The places of all rows. Raises Unreadable for a series that is damaged."""
    rows, total = order.rows, len(series)
    if series.rows is None and total == rows:  # the table is in the order of x: a row's number is its place
        return Places(frozen(filled(rows, np.dtype(np.uint32), order.row_numbers, crew)))
    # Unless every row gets one, none has one.
    places = np.empty(rows, np.uint32) if total == rows else np.full(rows, _NOWHERE)
    _put_all(series, places, crew)
    return Places(frozen(in_order(order, places, crew)))


def _put_all(series: Series, places: Array, crew: Crew) -> None:
    def put(piece: tuple[int, int]) -> int:
        _put(piece[0], frozen(series.row_slice(*piece)), places)
        return piece[1] - piece[0]

    crew.run("finding rows", put, slices(len(series)), len(series))


@jit
def _put(first: int, rows: Array, places: Array) -> None:
    """Two rows never share a place, so threads need not wait."""
    for k in range(rows.size):
        places[rows[k]] = np.uint32(first + k)
