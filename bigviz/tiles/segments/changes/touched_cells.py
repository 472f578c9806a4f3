"""Where the rows lie that were dropped or corrected, as few cells: which tiles hold none of them, and did not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import frozen, jit
from bigviz.tiles.grid.interleave import compact
from bigviz.tiles.grid.tile_key import TileKey

__all__ = ["TouchedCells"]

Array = npt.NDArray[Any]

_MOST: Final = 1 << 12  # cells: of more, four neighbours become one
_DEEPEST: Final = 16  # lower bits of a key that are never looked at: those of cells below the deepest tile's


@dataclass(frozen=True, eq=False)
class TouchedCells:
    """Square cells of some roots and the version in which something in each was touched last: keys without their lower
    `shift` bits (uint64, ascending), and `versions` (int64). There may be more cells than were touched, never fewer."""

    shift: int = _DEEPEST
    cells: npt.NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64), repr=False)
    versions: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64), repr=False)

    @classmethod
    def of(cls, keys: Iterable[Array], version: int) -> TouchedCells:
        """The cells of Morton keys of the roots, given in pieces of any order."""
        found = cls()
        for piece in keys:
            cells = np.unique(piece >> np.uint64(_DEEPEST))
            found = found.joined(cls(_DEEPEST, cells, np.full(len(cells), version, np.int64)))
        return found

    def joined(self, other: TouchedCells) -> TouchedCells:
        """Both together."""
        if not len(self.cells) or not len(other.cells):
            return self if len(self.cells) else other
        shift = max(self.shift, other.shift)
        cells = np.concatenate([each.cells >> np.uint64(shift - each.shift) for each in (self, other)])
        versions = np.concatenate([self.versions, other.versions])
        while True:
            order = np.lexsort((versions, cells))
            cells, versions = cells[order], versions[order]
            newest = np.append(cells[1:] != cells[:-1], True)
            cells, versions = cells[newest], versions[newest]
            if len(cells) <= _MOST:
                return TouchedCells(shift, cells, versions)
            shift, cells = shift + 2, cells >> np.uint64(2)

    def last(self, key: TileKey) -> int:
        """The version in which something in a tile of the roots was touched last; 0 where nothing was."""
        level = min(key.zx, key.zy)
        square = TileKey(level, level, key.i >> key.zx - level, key.j >> key.zy - level)
        first, end = square.keys
        low = int(np.searchsorted(self.cells, np.uint64(first >> self.shift)))
        high = int(np.searchsorted(self.cells, np.uint64(end - 1 >> self.shift), "right"))
        if low == high:
            return 0
        found = self.versions[low:high]
        if key.zx != key.zy:
            x0, x1, y0, y1 = (code >> self.shift // 2 for code in key.codes)
            x, y = (codes[low:high] for codes in self._codes)
            found = found[(x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)]
        return int(found.max(initial=0))

    @cached_property
    def _codes(self) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
        x, y = np.empty(len(self.cells), np.uint32), np.empty(len(self.cells), np.uint32)
        _split(frozen(self.cells), x, y)
        return x, y


@jit
def _split(cells: Array, x: Array, y: Array) -> None:
    for k in range(cells.size):
        x[k] = compact(cells[k])
        y[k] = compact(cells[k] >> np.uint64(1))
