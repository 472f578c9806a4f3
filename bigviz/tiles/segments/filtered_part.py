"""The rows of a part that a filter keeps, as a part of its own, which lives and is merged with it.

Of each there are its key and its place in the part: 12 bytes. The rest is looked up there.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.common.workers import Crew, slices
from bigviz.tiles.grid.survey import Extent, Survey
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.morton.filtered_order import ColumnBelow
from bigviz.tiles.morton.sorted_keys import SortedKeys
from bigviz.tiles.morton.verified_array import VerifiedArray
from bigviz.tiles.segments.changes.oldest_rows import rows_of_tile
from bigviz.tiles.segments.growing_mask import KeptRows
from bigviz.tiles.segments.part_layer import PartColumn
from bigviz.tiles.segments.row_part import PartOrder, RowPart

__all__ = ["KeptOrder", "column_above", "column_below", "filter_key", "filtered_part", "kept_part", "parts_within"]

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class KeptOrder(PartOrder):
    """Some rows of the order `below`, in its order, and with its roots: `numbered` holds their positions there. `far`
    are the kept ones of the far rows, at the places `far_places` among those below. It has no `own` numbers."""

    below: PartOrder = field(repr=False)
    far_places: npt.NDArray[np.int64] = field(repr=False)

    @property
    def rows(self) -> Array:
        """All row numbers, from `first` on."""
        return self.below.rows[self.numbered.array]

    @property
    def nbytes(self) -> int:
        arrays = (self.keys, self.numbered.array, self.lowest, self.far, self.far_places)
        return sum(array.nbytes for array in arrays) + self.guard.nbytes

    def numbers(self, which: int, positions: slice | Array) -> Array:
        return self.below.numbers(which, self.numbered.take(positions))

    def far_numbers(self, which: int) -> Array:
        return self.below.far_numbers(which)[self.far_places]

    def row_numbers(self, positions: slice | Array) -> npt.NDArray[np.int64]:
        return self.below.row_numbers(self.numbered.take(positions))

    def rows_of_tile(self, key: TileKey) -> tuple[int, int]:
        count, lowest = rows_of_tile(self.guard, self.below.rows, self.lowest, key, self.numbered.array)
        return count, lowest + self.first if count else -1

    def masks(self) -> tuple[Mask, Mask]:
        """Which rows below are kept, by position, and which far ones."""
        near, far = np.zeros(len(self.below.guard), np.bool_), np.zeros(len(self.below.far), np.bool_)
        near[self.numbered.array] = True
        far[self.far_places] = True
        return near, far


def filter_key(text: str) -> Hashable:
    """By what a part knows the rows that a filter keeps."""
    return (("filter", text),)


def parts_within(part: RowPart) -> list[RowPart]:
    """A part, and what filters keep of it."""
    return [part, *(each for each in tuple(part.layers.values()) if isinstance(each, RowPart))]


def filtered_part(part: RowPart, text: str, kept: KeptRows, names: Sequence[str], crew: Crew) -> RowPart:
    """What a filter keeps of a part, there or made: in its order, so nothing is sorted. Of its columns these are taken
    along, if they are there. Raises Cancelled."""
    key = filter_key(text)
    found: RowPart | None = part.layers.get(key)
    if found is None:
        order = part.order
        mask = np.empty(len(order.guard), np.bool_)
        for start, stop in slices(len(mask)):
            crew.look()
            mask[start:stop] = kept.at(order.row_numbers(slice(start, stop)))
        found = part.layers[key] = kept_part(part, mask, kept.at(order.far))
    for name in names:
        column: PartColumn | None = part.layers.get(name)
        if column is not None and name not in found.layers:
            found.layers[name] = column_below(column, found)
    return found


def kept_part(part: RowPart, near: Mask, far: Mask) -> RowPart:
    """Those rows of a part whose positions, and places among the far rows, are marked."""
    below = part.order
    positions, places = np.flatnonzero(near).astype(np.uint32), np.flatnonzero(far)
    inside, whole = Extent(), Extent()
    for start, stop in slices(len(positions)):
        at = positions[start:stop]
        inside.add(below.numbers(0, at), below.numbers(1, at))
    whole.add(below.far_numbers(0)[places], below.far_numbers(1)[places])
    whole.merge(inside)
    survey = Survey(*below.roots, whole.count, inside.count, 0, len(places), inside.low, inside.high)
    none = below.own[0][:0], below.own[1][:0]
    order = KeptOrder(
        survey, SortedKeys(below.keys[positions]), VerifiedArray(positions), below.far[places], below.first, none, none,
        below, places,
    )  # fmt: skip
    return RowPart(part.first, part.stop, order, whole)


def column_below(column: PartColumn, kept: RowPart) -> PartColumn:
    """A column of a part, for what is kept of it."""
    order = _order(kept)
    return PartColumn(
        ColumnBelow.of(column.values, order.numbered),
        None if column.valid is None else ColumnBelow.of(column.valid, order.numbered),
        column.far[order.far_places],
        None if column.far_valid is None else column.far_valid[order.far_places],
        column.low,
        column.high,
    )


def column_above(column: PartColumn, kept: RowPart) -> PartColumn:
    """A column of what is kept of a part as one of the whole part, of which the other rows have no value."""
    order = _order(kept)

    def spread(values: Array, places: Array, count: int) -> Array:
        out = np.zeros(count, values.dtype)
        out[places] = values
        return out

    rows, far = len(order.below.guard), len(order.below.far)
    valid, far_valid = column.valid, column.far_valid
    return PartColumn(
        VerifiedArray(spread(column.values.take(slice(None)), order.numbered.array, rows)),
        None if valid is None else VerifiedArray(spread(valid.take(slice(None)), order.numbered.array, rows)),
        spread(column.far, order.far_places, far),
        None if far_valid is None else spread(far_valid, order.far_places, far),
        column.low,
        column.high,
    )


def _order(kept: RowPart) -> KeptOrder:
    assert isinstance(kept.order, KeptOrder)
    return kept.order
