"""The rows of a layer in Morton (Z) order of their cells.

A row's two 32-bit codes are interleaved to a 64-bit key, y above x, and the rows are sorted by key, ties by row number.
Any cell of any level is then one contiguous range of rows, and any rectangle a few ranges.
"""

from __future__ import annotations

import threading
import weakref
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.axis import Axis
from bigviz.common.errors import TooLarge
from bigviz.common.workers import Crew, slices
from bigviz.tiles.grid.batches import Batch
from bigviz.tiles.grid.interleave import compact, spread
from bigviz.tiles.grid.survey import Far, Survey, survey
from bigviz.tiles.morton.keys import encode
from bigviz.tiles.morton.quadtree import positions_of
from bigviz.tiles.morton.radix_sort import sort_keys
from bigviz.tiles.morton.sorted_keys import SortedKeys
from bigviz.tiles.morton.verified_array import VerifiedArray

__all__ = ["Excerpt", "MemoryOrder", "Order", "OrderedColumn", "build_order", "compact", "spread"]

Array = npt.NDArray[Any]

MOST_ROWS: Final = (1 << 32) - 1  # row numbers are uint32
_STAGE: Final = "ordering rows"


class OrderedColumn(NamedTuple):
    """A column in the order, as the order keeps it.

    Numbers have `values` and, if some are not valid, `valid` (uint8, 0 or 1). Categories have `codes` of their sorted
    `labels` (int8 up to 127 labels, else int32; -1 is null); labels is None beyond 4,096 of them.
    """

    values: VerifiedArray | None = None
    valid: VerifiedArray | None = None
    codes: VerifiedArray | None = None
    labels: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Order(ABC):
    """The rows inside both roots, by ascending key, ties by row number; in memory, or in files that are mapped.

    A position is an index in this order. `guard` holds the keys (uint64), `numbered` the row number (uint32) of each,
    `far` the row numbers (int64, ascending) of the far rows, which have no key.
    `loose` keeps what `loose_rows` finds.
    """

    survey: Survey
    guard: SortedKeys
    numbered: VerifiedArray = field(repr=False)
    far: Array = field(repr=False)
    _columns: weakref.WeakValueDictionary[str, VerifiedArray] = field(
        default_factory=weakref.WeakValueDictionary, init=False, repr=False
    )
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    loose: list[Any] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def keys(self) -> Array:
        """All keys; of mapped ones only those are verified that went through the guard."""
        return self.guard.keys.array

    @property
    def rows(self) -> Array:
        """All row numbers, like `keys`; `row_numbers` verifies them."""
        return self.numbered.array

    @property
    @abstractmethod
    def nbytes(self) -> int:
        """Bytes of memory held, without gathered columns: those belong to the layers that use them."""

    @property
    def has_columns(self) -> bool:
        """Whether it is over the table's columns in memory, so that values are as soon taken from there."""
        return False

    @property
    def unfiltered(self) -> Order:
        """The order of all rows: this one, unless a filter picked its rows."""
        return self

    @abstractmethod
    def numbers(self, which: int, positions: slice | Array) -> Array:
        """Axis-space numbers (float32, float64, int64 or uint64) at positions; `which` is 0 for x, 1 for y."""

    def numbers_within(self, which: int, low: Array, high: Array) -> Array:
        """The same at half-open ranges of positions (int64), one after the other."""
        return self.numbers(which, positions_of(low, high))

    @abstractmethod
    def far_numbers(self, which: int) -> Array:
        """Axis-space numbers of the far rows."""

    def column(self, name: str) -> OrderedColumn | None:
        """A column that is kept in this order; None for others, which must be gathered."""
        return None

    def row_numbers(self, positions: slice | Array) -> npt.NDArray[np.int64]:
        """The row numbers at positions of the order."""
        return self.numbered.take(positions).astype(np.int64)

    def gather(self, key: str, values: Array, crew: Crew) -> VerifiedArray:
        """Values of all rows in this order, in their own dtype; shared under `key` by all who use them at a time."""
        with self._lock:
            gathered = self._columns.get(key)
            if gathered is None:
                gathered = self._columns[key] = VerifiedArray(self._gathered(values, crew))
            return gathered

    def gathered(self, key: str) -> VerifiedArray | None:
        """What `gather` gave for a key, while somebody uses it."""
        with self._lock:
            return self._columns.get(key)

    def _gathered(self, values: Array, crew: Crew) -> Array:
        out = np.empty(len(self.numbered), values.dtype)

        def take(piece: tuple[int, int]) -> int:
            part = slice(*piece)
            np.take(values, self.numbered.take(part), out=out[part], mode="clip")
            return piece[1] - piece[0]

        crew.run("gathering values", take, slices(len(out)), len(out))
        return out


@dataclass(frozen=True)
class MemoryOrder(Order):
    """An order of columns that are in memory."""

    axes: tuple[Axis, Axis] = field(repr=False)

    @property
    def nbytes(self) -> int:
        return sum(array.nbytes for array in (self.keys, self.rows, self.far))

    @property
    def has_columns(self) -> bool:
        return True

    def numbers(self, which: int, positions: slice | Array) -> Array:
        return self.axes[which].at(self.rows[positions])[0]

    def far_numbers(self, which: int) -> Array:
        return self.axes[which].at(self.far)[0]


@dataclass(frozen=True)
class Excerpt(MemoryOrder):
    """An order of some rows of a dataset that are in memory, by ascending row number; `originals` (int64) holds it."""

    originals: Array = field(repr=False)

    def row_numbers(self, positions: slice | Array) -> npt.NDArray[np.int64]:
        return np.asarray(self.originals[self.numbered.take(positions)], np.int64)


def build_order(x: Axis, y: Axis, far: Far, crew: Crew, known: Survey | None = None) -> MemoryOrder:
    """Sort the rows of two axes of equal length. `far` says which rows are left out of the roots; `known` says what
    the survey would find.

    Peak memory: 24 bytes a row in addition to the columns; 12 stay. Raises TooLarge from 2^32 - 1 rows on.
    """
    rows = len(x)
    if rows >= MOST_ROWS:
        raise TooLarge(f"a layer holds fewer than {MOST_ROWS:,} rows, got {rows:,}", "dataset", rows)
    found = survey(x, y, far, crew.within(_STAGE, 0.0, 0.15, rows)) if known is None else known
    keys, numbers = np.empty(rows, np.uint64), np.empty(rows, np.uint32)
    pieces = slices(rows)
    ends = [0] * len(pieces)
    far_rows: dict[int, Array] = {}

    def find_cells(k: int) -> int:
        start, stop = pieces[k]
        batch = Batch(start, x.slice(start, stop), y.slice(start, stop))
        count, far_rows[k] = encode(batch, (found.x, found.y), keys[start:stop], numbers[start:stop])
        ends[k] = start + count
        return stop - start

    crew.within(_STAGE, 0.15, 0.4, rows).run("finding cells", find_cells, range(len(pieces)), rows)
    filled = [(start, end) for (start, _), end in zip(pieces, ends, strict=True) if end > start]
    keys, numbers = sort_keys(keys, numbers, filled, crew.within(_STAGE, 0.4, 1.0, rows))
    lost = np.concatenate([np.empty(0, np.int64), *(far_rows[k] for k in sorted(far_rows))])
    return MemoryOrder(found, SortedKeys(keys), VerifiedArray(numbers), lost, (x, y))
