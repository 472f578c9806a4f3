"""The rows of an order that a filter keeps, as soon as that is known of each: a bit a row, then a copy of them.

A new filter costs a pass over its columns, and a copy of the keys of the rows that it keeps. The copy goes to new
memory, which may take longer to come than all else, so what a first view asks for is counted by the bits.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.workers import Crew
from bigviz.tiles.grid.tile_key import Codes, TileKey
from bigviz.tiles.morton.filtered_order import KEPT_ROW, FilteredOrder, KeptCopy
from bigviz.tiles.morton.masked_cells import count_kept, count_kept_cells, list_kept
from bigviz.tiles.morton.order import Order
from bigviz.tiles.morton.packed_mask import PackedMask
from bigviz.tiles.morton.quadtree import Ranges, batches_within, ranges_within
from bigviz.tiles.morton.sorted_keys import SortedKeys
from bigviz.tiles.morton.verified_array import VerifiedArray

__all__ = ["MaskedRows"]


@dataclass(frozen=True, eq=False)
class MaskedRows:
    """Some rows of an order: `mask` says which, `far` which of its far rows, and `kept` counts all rows that the filter
    keeps, also those without a place. Safe to use from any number of threads."""

    order: Order
    mask: PackedMask
    far: npt.NDArray[np.bool_]
    kept: int
    _copy: KeptCopy = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_copy", KeptCopy(self.order, self.mask, self.far, self.kept))

    @property
    def nbytes(self) -> int:
        """Bytes of memory that the bits take, and the copy once it is made."""
        return self.mask.words.nbytes + self.mask.kept * KEPT_ROW

    def copied(self, crew: Crew) -> FilteredOrder:
        """The rows as an order, copied by all who ask for it. Raises Unreadable for a damaged store, Cancelled."""
        return self._copy.get(crew)

    def count(self, tile: TileKey, plane: npt.NDArray[np.uint32], cancel: Cancel = NEVER) -> int:
        """Add the rows of a tile to its plane; how many rows of the order were looked at for that. Raises as `copied`
        does."""
        guard = self.order.guard
        ranges = Ranges.one(*guard.span(*tile.keys)) if tile.zx == tile.zy else None
        ranges = ranges_within(guard, tile.codes, cancel) if ranges is None else ranges
        count_kept_cells(guard, ranges, tile, self.mask.words, plane, cancel)
        return ranges.rows

    def within(self, codes: Codes | None, most: int, cancel: Cancel = NEVER) -> FilteredOrder | None:
        """The order of the rows in a rectangle of codes (None: of no rows), with some more and all far ones; None for
        more than `most`. Raises as `copied` does."""
        order, found, rows = self.order, [Ranges.one(0, 0)], 0
        for ranges in () if codes is None else batches_within(order.guard, codes, cancel):
            rows += count_kept(ranges, self.mask.words)
            if rows > most:
                return None
            found.append(ranges)
        some, places = list_kept(Ranges.joined(found), self.mask.words), np.flatnonzero(self.far)
        guard, numbered = SortedKeys(order.guard.keys.take(some)), VerifiedArray(some.astype(np.uint32))
        return FilteredOrder(order.survey, guard, numbered, order.far[places], order, places, self.kept)
