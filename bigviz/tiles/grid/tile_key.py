"""A tile's name (zx, zy, i, j), and the codes that it holds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from bigviz.common.errors import BadInput
from bigviz.tiles.grid.interleave import spread

__all__ = ["DEEPEST", "TileKey"]

Codes = tuple[int, int, int, int]  # first and last on x, then on y
DEEPEST: Final = 24  # the last level: its cells are the codes


@dataclass(frozen=True, slots=True)
class TileKey:
    """A tile: level on x, level on y, column from the left, row **from the top**."""

    zx: int
    zy: int
    i: int
    j: int

    def check(self) -> None:
        """Raise BadInput for a tile that its levels do not have."""
        inside = 0 <= self.zx <= DEEPEST and 0 <= self.zy <= DEEPEST
        if not inside or not (0 <= self.i < 1 << self.zx and 0 <= self.j < 1 << self.zy):
            got = [self.zx, self.zy, self.i, self.j]
            raise BadInput(
                f"levels are 0 to {DEEPEST} and level z has tiles 0 to 2^z - 1, got zx, zy, i, j = {got}", "tile", got
            )

    @property
    def row(self) -> int:
        """The row of the tile from the bottom."""
        return (1 << self.zy) - 1 - self.j

    @property
    def codes(self) -> Codes:
        """The first and last code of the tile on x, then on y."""
        x, y = 32 - self.zx, 32 - self.zy
        return self.i << x, (self.i + 1 << x) - 1, self.row << y, (self.row + 1 << y) - 1

    @property
    def keys(self) -> tuple[int, int]:
        """The first Morton key of a square tile, and the one after its last."""
        shift = 64 - 2 * self.zx
        return self.morton << shift, self.morton + 1 << shift

    def quarter(self, number: int) -> TileKey:
        """A child of both axes: 0 low y low x, 1 low y high x, 2 and 3 high y."""
        return TileKey(self.zx + 1, self.zy + 1, 2 * self.i + number % 2, 2 * self.j + 1 - number // 2)

    def half(self, along_x: bool, upper: bool) -> TileKey:
        """A child of one axis."""
        if along_x:
            return TileKey(self.zx + 1, self.zy, 2 * self.i + upper, self.j)
        return TileKey(self.zx, self.zy + 1, self.i, 2 * self.j + 1 - upper)

    @property
    def morton(self) -> int:
        """The place of a square tile (zx = zy) among those of its level, in Morton order."""
        return _morton(self.i, self.row)


@lru_cache(maxsize=1 << 14)
def _morton(i: int, row: int) -> int:
    """Cached: each part of a layer asks for it, and a kernel's call takes longer than a search of its keys."""
    return int(spread(np.uint64(i)) | spread(np.uint64(row)) << np.uint64(1))
