"""Where the rows of a source's order lie in a line, and what their y is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.axis import Axis
from bigviz.common.jit import frozen, jit
from bigviz.common.workers import Crew, slices
from bigviz.tiles.brush.orders.source_order import SourceOrder
from bigviz.tiles.brush.targets.in_order import filled, in_order, pairs_in_order
from bigviz.tiles.series.series import Series

__all__ = ["Places", "places_of"]

Array = npt.NDArray[Any]

_NOWHERE: Final = np.uint32(0xFFFFFFFF)  # the place of a row that the line does not have


@dataclass(frozen=True, eq=False)
class Places:
    """Positions of a line's series (uint32; 2^32 - 1: none) of the rows of a source's order, and their y. Without
    `heights` the line has gaps, or no rows."""

    places: Array
    heights: Array | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return int(self.places.nbytes) + (0 if self.heights is None else int(self.heights.nbytes))


def places_of(series: Series, y: Axis, order: SourceOrder, crew: Crew) -> Places:
    """The places of all rows. Raises Unreadable for a series that is damaged."""
    rows, total = order.rows, len(series)
    whole = total > 0 and not len(series.gaps)
    if whole and series.check_y is not None:
        series.check_y(np.zeros(1, np.int64), np.array([total]))
    if series.rows is None and total == rows:  # the table is in the order of x: a row's number is its place
        places = frozen(filled(rows, np.dtype(np.uint32), order.row_numbers, crew))
        return Places(places, _heights(series, y, order, crew) if whole else None)
    if whole and series.y.dtype.itemsize == _NOWHERE.itemsize:
        pairs = _room((rows, 2), total == rows)
        _put_all(series, pairs[:, 0], crew)

        def put(piece: tuple[int, int]) -> int:
            pairs[piece[0] : piece[1], 1] = y.slice(*piece)[0].view(np.uint32)
            return piece[1] - piece[0]

        crew.run("finding rows", put, slices(rows), rows)
        first, second = pairs_in_order(order, pairs, crew)
        return Places(frozen(first), frozen(second.view(series.y.dtype)))
    places = _room((rows, 1), total == rows)[:, 0]
    _put_all(series, places, crew)
    return Places(frozen(in_order(order, places, crew)), _heights(series, y, order, crew) if whole else None)


def _room(shape: tuple[int, int], every: bool) -> Array:
    """Room for places; unless every row gets one, none has one."""
    return np.empty(shape, np.uint32) if every else np.full(shape, _NOWHERE)


def _put_all(series: Series, places: Array, crew: Crew) -> None:
    def put(piece: tuple[int, int]) -> int:
        _put(piece[0], frozen(series.row_slice(*piece)), places)
        return piece[1] - piece[0]

    crew.run("finding rows", put, slices(len(series)), len(series))


def _heights(series: Series, y: Axis, order: SourceOrder, crew: Crew) -> Array:
    heights = filled(order.rows, series.y.dtype, lambda start, stop: y.slice(start, stop)[0], crew)
    return frozen(in_order(order, heights, crew))


@jit
def _put(first: int, rows: Array, places: Array) -> None:
    """Two rows never share a place, so threads need not wait."""
    for k in range(rows.size):
        places[rows[k]] = np.uint32(first + k)
