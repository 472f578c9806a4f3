"""The rows of a layer in Morton (Z) order of their cells.

A row's two 32-bit codes are interleaved to a 64-bit key, y above x, and the rows are sorted by key, ties by row number.
Any cell of any level is then one contiguous range of rows, and any rectangle a few ranges.
"""

from __future__ import annotations

import threading
import weakref
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.cells import INSIDE, NOWHERE
from bigviz.aggregate.jit import jit
from bigviz.data.errors import TooLarge
from bigviz.tiles.axis import Axis
from bigviz.tiles.guard import Checked, Guard
from bigviz.tiles.root import Survey, survey
from bigviz.tiles.sort import sort_keys
from bigviz.tiles.work import Crew, slices

__all__ = ["Order", "build_order", "compact", "spread"]

Array = npt.NDArray[Any]

MOST_ROWS: Final = (1 << 32) - 1  # row numbers are uint32
_STAGE: Final = "ordering rows"


@dataclass(frozen=True)
class Order:
    """`keys` (uint64, ascending) and `rows` (uint32, the row number of each key) of the rows inside both roots.

    `far` holds the row numbers (int64, ascending) of the far rows, which have no key.
    """

    survey: Survey
    keys: Array
    rows: Array
    far: Array
    axes: tuple[Axis, Axis] = field(repr=False)
    guard: Guard = field(init=False, repr=False)
    _columns: weakref.WeakValueDictionary[str, Checked] = field(default_factory=weakref.WeakValueDictionary, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "guard", Guard(self.keys))

    def row_numbers(self, positions: slice | Array) -> npt.NDArray[np.int64]:
        """The row numbers at positions of the order."""
        return self.rows[positions].astype(np.int64)

    def numbers(self, which: int, positions: slice | Array) -> Array:
        """Axis-space numbers (float32, float64, int64 or uint64) at positions; `which` is 0 for x, 1 for y."""
        return self.axes[which].at(self.rows[positions])[0]

    def far_numbers(self, which: int) -> Array:
        """Axis-space numbers of the far rows."""
        return self.axes[which].at(self.far)[0]

    @property
    def nbytes(self) -> int:
        """Bytes held, without gathered columns: those belong to the layers that use them."""
        return sum(array.nbytes for array in (self.keys, self.rows, self.far))

    def gather(self, key: str, values: Array, crew: Crew) -> Checked:
        """Values of all rows in this order, in their own dtype; shared under `key` by all who use them at a time."""
        with self._lock:
            gathered = self._columns.get(key)
            if gathered is None:
                gathered = self._columns[key] = Checked(self._gathered(values, crew))
            return gathered

    def _gathered(self, values: Array, crew: Crew) -> Array:
        out = np.empty(len(self.rows), values.dtype)

        def take(piece: tuple[int, int]) -> int:
            start, stop = piece
            np.take(values, self.rows[start:stop], out=out[start:stop], mode="clip")
            return stop - start

        crew.run("gathering values", take, slices(len(out)), len(out))
        return out


def build_order(x: Axis, y: Axis, far: bool, crew: Crew) -> Order:
    """Sort the rows of two axes of equal length. `far` True leaves the far rows out of the roots, False keeps them in.

    Peak memory: 24 bytes a row besides the columns; 12 stay. Raises TooLarge from 2^32 - 1 rows on.
    """
    rows = len(x)
    if rows >= MOST_ROWS:
        raise TooLarge(f"a layer holds fewer than {MOST_ROWS:,} rows, got {rows:,}", "dataset", rows)
    found = survey(x, y, far, crew.within(_STAGE, 0.0, 0.15, rows))
    keys, numbers = np.empty(rows, np.uint64), np.empty(rows, np.uint32)
    pieces = slices(rows)
    ends = [0] * len(pieces)
    far_rows: dict[int, Array] = {}

    def encode(k: int) -> int:
        start, stop = pieces[k]
        codes = np.empty((2, stop - start), np.uint32)
        xs, ys = x.slice(start, stop), y.slice(start, stop)
        where_x, where_y = found.x.codes(*xs, codes[0]), found.y.codes(*ys, codes[1])
        ends[k] = start + _interleave(
            codes[0], codes[1], where_x, where_y, start, keys[start:stop], numbers[start:stop]
        )
        if found.far:
            lost = (where_x != NOWHERE) & (where_y != NOWHERE) & ((where_x != INSIDE) | (where_y != INSIDE))
            far_rows[k] = np.flatnonzero(lost) + start
        return stop - start

    crew.within(_STAGE, 0.15, 0.4, rows).run("finding cells", encode, range(len(pieces)), rows)
    filled = [(start, end) for (start, _), end in zip(pieces, ends, strict=True) if end > start]
    keys, numbers = sort_keys(keys, numbers, filled, crew.within(_STAGE, 0.4, 1.0, rows))
    lost_rows = [far_rows[k] for k in sorted(far_rows)]
    return Order(found, keys, numbers, np.concatenate(lost_rows) if lost_rows else np.empty(0, np.int64), (x, y))


@jit
def spread(code: np.uint64) -> np.uint64:
    """The 32 bits of a code on the even bits of a word."""
    word = np.uint64(code)
    word = (word | word << np.uint64(16)) & np.uint64(0x0000FFFF0000FFFF)
    word = (word | word << np.uint64(8)) & np.uint64(0x00FF00FF00FF00FF)
    word = (word | word << np.uint64(4)) & np.uint64(0x0F0F0F0F0F0F0F0F)
    word = (word | word << np.uint64(2)) & np.uint64(0x3333333333333333)
    return (word | word << np.uint64(1)) & np.uint64(0x5555555555555555)


@jit
def compact(word: np.uint64) -> np.uint64:
    """The even bits of a word as one number of 32 bits: the reverse of `spread`."""
    code = word & np.uint64(0x5555555555555555)
    code = (code | code >> np.uint64(1)) & np.uint64(0x3333333333333333)
    code = (code | code >> np.uint64(2)) & np.uint64(0x0F0F0F0F0F0F0F0F)
    code = (code | code >> np.uint64(4)) & np.uint64(0x00FF00FF00FF00FF)
    code = (code | code >> np.uint64(8)) & np.uint64(0x0000FFFF0000FFFF)
    return (code | code >> np.uint64(16)) & np.uint64(0x00000000FFFFFFFF)


@jit
def _interleave(x: Array, y: Array, where_x: Array, where_y: Array, first: int, keys: Array, rows: Array) -> int:
    """Pack keys and row numbers of the rows inside both roots at the front; how many. Row 0 has the number `first`."""
    count = 0
    for k in range(x.size):
        if where_x[k] == 0 and where_y[k] == 0:  # INSIDE
            keys[count] = spread(np.uint64(x[k])) | spread(np.uint64(y[k])) << np.uint64(1)
            rows[count] = first + k
            count += 1
    return count
