"""Where a pyramid's planes are kept: in memory, or in a file (`store.pyramid_file`)."""

from __future__ import annotations

import threading
from typing import Protocol

from bigviz.render.level_values import LevelValues
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.pyramid.accumulators import Kept

__all__ = ["MemoryShelf", "Shelf"]


class Shelf(Protocol):
    """Planes by tile; `whole` says whether all that are worth keeping are there, `full` that no more will be kept,
    `levels` are the values of the cells of each level (None: not known). Safe to use from any threads."""

    whole: bool
    full: bool
    levels: tuple[LevelValues, ...] | None

    @property
    def nbytes(self) -> int:
        """Bytes of memory held."""
        ...

    def __len__(self) -> int:
        """Tiles kept."""
        ...

    def get(self, tile: TileKey) -> Kept | None:
        """The planes of a tile; None where they are not kept."""
        ...

    def put(self, tile: TileKey, kept: Kept) -> None:
        """Keep the planes of a tile; the first ones stay."""
        ...

    def put_levels(self, levels: tuple[LevelValues, ...]) -> None:
        """Keep the values of the cells of each level."""
        ...

    def finish(self) -> None:
        """All that are worth keeping were put."""
        ...


class MemoryShelf:
    """Planes in memory, up to a number of bytes; what comes later is made again on each request."""

    def __init__(self, limit: int | None = None) -> None:
        self._limit = limit
        self._kept: dict[TileKey, Kept] = {}
        self._lock = threading.Lock()
        self._nbytes = 0
        self.full = False
        self.whole = False
        self.levels: tuple[LevelValues, ...] | None = None

    @property
    def nbytes(self) -> int:
        return self._nbytes

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, tile: TileKey) -> Kept | None:
        return self._kept.get(tile)

    def put(self, tile: TileKey, kept: Kept) -> None:
        with self._lock:
            size = kept.nbytes + 200
            if tile in self._kept:
                return
            if self._limit is not None and self._nbytes + size > self._limit:
                self.full = True
                return
            self._kept[tile] = kept
            self._nbytes += size

    def put_levels(self, levels: tuple[LevelValues, ...]) -> None:
        self.levels = levels
        with self._lock:
            self._nbytes += sum(array.nbytes for level in levels for array in level)

    def finish(self) -> None:
        self.whole = not self.full

    def tiles(self) -> list[TileKey]:
        """The tiles kept."""
        return [tile for tile, _ in self.items()]

    def items(self) -> list[tuple[TileKey, Kept]]:
        """The tiles kept, with their planes."""
        with self._lock:
            return list(self._kept.items())
