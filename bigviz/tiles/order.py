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

from bigviz.data.errors import TooLarge
from bigviz.tiles.axis import Axis
from bigviz.tiles.guard import Checked, Guard
from bigviz.tiles.keys import compact, encode, spread
from bigviz.tiles.pairs import Batch
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
    return Order(found, keys, numbers, lost, (x, y))
