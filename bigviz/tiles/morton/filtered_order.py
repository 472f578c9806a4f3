"""The rows of an order that a filter keeps: another order, of which nothing is sorted.

Only keys and positions are copied, 12 bytes a kept row. Numbers and columns are looked up in the order below, so a new
filter costs a pass over its columns and one over the keys, and every answer that needs an order works on it as it is.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import frozen, jit
from bigviz.common.workers import SLICE, Crew, slices
from bigviz.tiles.morton.order import Order, OrderedColumn
from bigviz.tiles.morton.packed_mask import PackedMask
from bigviz.tiles.morton.packed_rtree import BOXED, boxes_of
from bigviz.tiles.morton.quadtree import positions_of
from bigviz.tiles.morton.small_pages import in_small_pages
from bigviz.tiles.morton.sorted_keys import SortedKeys
from bigviz.tiles.morton.verified_array import VerifiedArray

__all__ = ["KEPT_ROW", "ColumnBelow", "FilteredOrder", "KeptCopy"]

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]

KEPT_ROW: Final = 12  # bytes of memory that a kept row takes
_STAGE: Final = "filtering rows"
_LOOK: Final = 0.05  # seconds between two looks at the flag, while others copy


@dataclass(frozen=True, eq=False)
class ColumnBelow(VerifiedArray):
    """A column of the order below, read at the positions of the rows that are kept; it holds no memory of its own."""

    positions: VerifiedArray = field(kw_only=True, repr=False)
    below: VerifiedArray = field(kw_only=True, repr=False)

    @classmethod
    def of(cls, column: VerifiedArray, positions: VerifiedArray) -> ColumnBelow:
        """A column at some positions."""
        return cls(column.array, column.sums, column.path, positions=positions, below=column)

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def nbytes(self) -> int:
        """0."""
        return 0

    @property
    def owner(self) -> VerifiedArray:
        """The column below."""
        return self.below.owner

    def take(self, rows: slice | Array) -> Array:
        """The elements of a slice or of positions, copied."""
        return self.below.take(self.positions.take(rows).astype(np.int64))

    def ranges(self, low: Array, high: Array) -> tuple[Array, Array, Array]:
        """A copy of the elements of ranges."""
        copied = self.take(positions_of(low, high))
        return copied, np.zeros(1, np.int64), np.full(1, len(copied))


@dataclass(frozen=True)
class FilteredOrder(Order):
    """Some rows of the order `below`, in its order, with its survey: roots and counts are those of all rows.

    `numbered` holds the rows' positions below in place of their numbers. `far` are the kept ones of the far rows, at
    the places `far_places` among those below; `kept` counts all rows that the filter keeps, also those without a place.
    """

    below: Order = field(repr=False)
    far_places: Array = field(repr=False)
    kept: int

    @property
    def rows(self) -> Array:
        """All row numbers."""
        return self.row_numbers(slice(None))

    @property
    def nbytes(self) -> int:
        """Bytes of keys and positions; the order below counts its own."""
        return self.guard.keys.nbytes + self.numbered.nbytes + self.guard.nbytes + self.far.nbytes

    @property
    def has_columns(self) -> bool:
        return self.below.has_columns

    @property
    def unfiltered(self) -> Order:
        return self.below

    def numbers(self, which: int, positions: slice | Array) -> Array:
        return self.below.numbers(which, self._places(positions))

    def far_numbers(self, which: int) -> Array:
        return self.below.far_numbers(which)[self.far_places]

    def row_numbers(self, positions: slice | Array) -> npt.NDArray[np.int64]:
        return self.below.row_numbers(self._places(positions))

    def column(self, name: str) -> OrderedColumn | None:
        found = self.below.column(name)
        return None if found is None else self.kept_of(found)

    def kept_of(self, column: OrderedColumn) -> OrderedColumn:
        """A column of the order below, for the rows that are kept."""
        values, valid, codes = (None if each is None else self._read(each) for each in column[:3])
        return OrderedColumn(values, valid, codes, column.labels)

    def mask(self) -> Mask:
        """Which rows of the table are kept, by row number; False for those that are not drawn."""
        keep = np.zeros(self.survey.rows, np.bool_)
        for start, stop in slices(len(self.guard)):
            keep[self.row_numbers(slice(start, stop))] = True
        keep[self.far] = True
        return keep

    def gather(self, key: str, values: Array, crew: Crew) -> VerifiedArray:
        """Values of the kept rows; what was gathered for the order below is looked up there."""
        found = self.below.gathered(key)
        return super().gather(key, values, crew) if found is None else self._read(found)

    def _gathered(self, values: Array, crew: Crew) -> Array:
        out = np.empty(len(self.numbered), values.dtype)

        def take(piece: tuple[int, int]) -> int:
            part = slice(*piece)
            np.take(values, self.row_numbers(part), out=out[part], mode="clip")
            return piece[1] - piece[0]

        crew.run("gathering values", take, slices(len(out)), len(out))
        return out

    def _read(self, column: VerifiedArray) -> VerifiedArray:
        return ColumnBelow.of(column, self.numbered)

    def _places(self, positions: slice | Array) -> npt.NDArray[np.int64]:
        return self.numbered.take(positions).astype(np.int64)


class KeptCopy:
    """The kept rows of an order, copied once, slice by slice, by all who ask for them meanwhile.

    A slice is copied without a look at who else waits, so whoever asks gets an end of it, be it that builds pause.
    """

    def __init__(self, order: Order, mask: PackedMask, far: Mask, kept: int) -> None:
        """`mask` says which rows of an order, or of a part of a dataset that grows, are kept, `far` which of its far
        rows, and `kept` how many rows in all."""
        self._order, self._mask, self._far, self._kept = order, mask, far, kept
        self._pieces, self._ends = slices(len(mask)), np.cumsum(mask.counts)
        rows = mask.kept
        self._keys, self._positions = in_small_pages(rows, np.uint64), in_small_pages(rows, np.uint32)
        self._boxes = np.empty((-(-rows // BOXED), 4), np.uint32)
        self._begun: set[int] = set()
        self._copied = 0
        self._free = threading.Condition()
        self._made: FilteredOrder | None = None

    def get(self, crew: Crew) -> FilteredOrder:
        """The order. Raises Unreadable for a damaged store, Cancelled."""
        while True:
            crew.run(_STAGE, self._copy, range(len(self._pieces)), len(self._mask))
            with self._free:
                if self._made is None and self._copied == len(self._pieces):
                    self._made = self._whole()
                if self._made is not None:
                    return self._made
                self._free.wait_for(self._has_news, _LOOK)  # of slices that others copy
            crew.cancel.check()

    def _has_news(self) -> bool:
        """Whether all slices are copied, or one is to be had that another thread has given up."""
        return self._copied == len(self._pieces) or len(self._begun) < len(self._pieces)

    def _copy(self, number: int) -> int:
        """Copy a slice that nobody has begun."""
        start, stop = self._pieces[number]
        with self._free:
            if number in self._begun:
                return stop - start
            self._begun.add(number)
        try:
            self._pick(start, stop)
        except BaseException:
            with self._free:
                self._begun.discard(number)  # whoever comes next meets with the same
                self._free.notify_all()
            raise
        with self._free:
            self._copied += 1
            self._free.notify_all()
        return stop - start

    def _pick(self, start: int, stop: int) -> None:
        number = start // SLICE
        first, end = int(self._ends[number] - self._mask.counts[number]), int(self._ends[number])
        bits = self._mask.bits[start // 8 : -(-stop // 8)]
        held = frozen(self._order.guard.keys.take(slice(start, stop)))
        keys, rows = self._keys, len(self._keys)
        _compact(held, frozen(bits), start, keys[first:end], self._positions[first:end])
        own = slice(-(-first // BOXED), -(-end // BOXED) if end == rows else end // BOXED)
        if own.start < own.stop:  # while the keys are in the processor's cache
            self._boxes[own] = boxes_of(keys[own.start * BOXED : min(own.stop * BOXED, rows)])

    def _whole(self) -> FilteredOrder:
        """The order, once all slices are copied."""
        for shared in {int(end) // BOXED for end in self._ends if end % BOXED}:
            self._boxes[shared] = boxes_of(self._keys[shared * BOXED : (shared + 1) * BOXED])
        places, order = np.flatnonzero(self._far), self._order
        guard = SortedKeys(self._keys, None, self._boxes)
        return FilteredOrder(
            order.survey, guard, VerifiedArray(self._positions), order.far[places], order, places, self._kept
        )


@jit
def _compact(keys: Array, bits: Array, first: int, out: Array, positions: Array) -> None:
    """Copy the keys whose bit is set, and their positions, of which the first is `first`.

    Each key is written, and the next one over it unless it is kept: a branch for each row would be mispredicted as
    often as not, and takes five times as long.
    """
    count = 0
    byte = 0
    while byte < bits.size and count + 8 <= out.size and (byte + 1) << 3 <= keys.size:
        left = bits[byte]
        if left:
            start = byte << 3
            for j in range(8):
                out[count] = keys[start + j]
                positions[count] = np.uint32(first + start + j)
                count += int((left >> np.uint8(j)) & np.uint8(1))
        byte += 1
    for k in range(byte << 3, keys.size):
        if (bits[k >> 3] >> np.uint8(k & 7)) & np.uint8(1):
            out[count] = keys[k]
            positions[count] = np.uint32(first + k)
            count += 1
