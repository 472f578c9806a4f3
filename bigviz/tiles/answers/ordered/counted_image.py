"""An image of numbers of rows from rows in Morton order, by squares of the order where these hold many rows each: most
of them are not read then.

Where the pyramid of the layer has counts of the squares, they say where the rows of each are, so that only those of
squares which the edge of a pixel cuts are looked at.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.reductions.kernels import count_rows
from bigviz.common.cancel import Cancel
from bigviz.common.jit import frozen
from bigviz.common.workers import Crew
from bigviz.tiles.answers.ordered.key_places import count_by_keys
from bigviz.tiles.answers.ordered.pixel_nodes import Nodes, count_nodes, count_tile
from bigviz.tiles.answers.ordered.placed_rows import CHUNK, PlacedRows
from bigviz.tiles.answers.ordered.runs import Runs
from bigviz.tiles.grid.tile_key import DEEPEST, TileKey
from bigviz.tiles.morton.quadtree import morton_cells
from bigviz.tiles.pyramid.pyramid import Pyramid
from bigviz.wire.codec import CELLS, SIDE, EncodedPlane, add_counts

__all__ = ["counted_image"]

Array = npt.NDArray[Any]

_PIECE: Final = 1 << 20  # rows that are counted by squares between two looks at the flag: two milliseconds
_SMALL_PIECE: Final = 1 << 19  # the same of rows that are counted one by one
_LEFT: Final = 1 << 13  # rows that their keys do not tell the cell of, at a time
_CHUNKS_LEFT: Final = 4  # the same of rows that are counted one by one, in chunks
_FEWEST_TILES: Final = 16  # that keep all threads busy to the end
_MOST_TILES: Final = 1 << 10


def counted_image(
    placed: PlacedRows, pyramid: Pyramid | None, nodes: Nodes | None, runs: Runs, threads: int, cancel: Cancel
) -> npt.NDArray[np.uint32]:
    """The rows of each cell, (rows, columns), of those of some ranges: by `nodes`, if they are given, else by each
    row's key. `pyramid` is one of their numbers.

    Each thread counts what it takes into a grid of its own. Raises Cancelled, Unreadable.
    """
    image = _Image(placed, pyramid, nodes, runs)
    tiles = [] if pyramid is None or nodes is None else _tiles(pyramid, nodes)
    if nodes is None:  # as many grids as there are rows for
        threads = max(min(threads, 2 * runs.rows // image.cells), 1)
    crew = Crew(threads, cancel=cancel)
    if len(tiles) >= _FEWEST_TILES:
        crew.run("drawing rows", image.add_tile, tiles, runs.rows)
    else:
        parts = runs.parts(max(runs.rows // (_SMALL_PIECE if nodes is None else _PIECE), 1))
        crew.run("drawing rows", image.add_rows, parts, runs.rows)
    return image.total()


@dataclass(frozen=True)
class _Tile:
    """A square tile of the level whose cells are the nodes, and its rows."""

    key: TileKey
    low: int
    high: int


def _tiles(pyramid: Pyramid, nodes: Nodes) -> list[_Tile]:
    """The tiles with rows that an image meets, those of most rows first; none where they are too many."""
    level = DEEPEST - nodes.shift // 2
    columns, rows = (
        range(first // SIDE, (first + len(table) - 1) // SIDE + 1)
        for first, table in ((nodes.terms[1], nodes.x), (nodes.terms[2], nodes.y))
    )
    if len(columns) * len(rows) > _MOST_TILES:
        return []
    keys = [TileKey(level, level, i, (1 << level) - 1 - row) for i in columns for row in rows]
    tiles = [_Tile(key, *pyramid.span(key)) for key in keys]
    return sorted((tile for tile in tiles if tile.low < tile.high), key=lambda tile: tile.low - tile.high)


@dataclass
class _Room:
    """Where a thread counts: its grid (uint32, flat, with a last cell for rows outside), and room for the positions of
    rows that are placed by their numbers, of which there are `found`, and for what is made of the keys of a chunk."""

    grid: Array
    left: Array
    words: Array
    cells: Array
    found: int = 0


@dataclass(frozen=True)
class _Image:
    """An image that threads count rows into."""

    placed: PlacedRows
    pyramid: Pyramid | None
    nodes: Nodes | None
    runs: Runs
    rooms: dict[int, _Room] = field(default_factory=dict)

    def add_tile(self, tile: _Tile) -> int:
        """Count the rows of a tile."""
        assert self.pyramid is not None
        kept = self.pyramid.kept(tile.key)
        if kept is None:
            return self.add_rows(self.runs.within(tile.low, tile.high))
        self._add_counted(tile, kept.values[0])
        return tile.high - tile.low

    def add_rows(self, runs: Runs) -> int:
        """Count the rows of ranges."""
        room = self._own()
        keys = self.placed.order.guard.keys
        low, high = runs.low, runs.high
        keys.open(low, high)
        while len(low):
            done, at, found = self._count(keys.array, frozen(low), frozen(high), room)
            self._leave(room, found)
            low, high = low[done:].copy(), high[done:]
            low[:1] = at
        return runs.rows

    def total(self) -> npt.NDArray[np.uint32]:
        """What all threads counted."""
        for room in self.rooms.values():
            self._place(room)
        grids = [room.grid for room in self.rooms.values()]
        total = grids[0] if grids else np.zeros(self.cells + 1, np.uint32)
        for grid in grids[1:]:
            total += grid
        return total[:-1].reshape(self.placed.places.y.size, self.placed.places.x.size)

    @property
    def cells(self) -> int:
        """The cells of the image."""
        return self.placed.places.x.size * self.placed.places.y.size

    def _count(self, keys: Array, low: Array, high: Array, room: _Room) -> tuple[int, int, int]:
        """Count rows until the room for those that are left is full: the range and the position to go on from, and how
        many are left."""
        left = room.left[room.found :]
        if self.nodes is not None:
            return count_nodes(keys, low, high, *self.nodes, room.grid, left)
        maps = self.placed.maps._replace(outside=self.cells)
        return count_by_keys(keys, low, high, maps, room.words, room.cells, room.grid, left)

    def _add_counted(self, tile: _Tile, plane: EncodedPlane) -> None:
        assert self.nodes is not None
        room = self._own()
        keys = self.placed.order.guard.keys
        keys.open(np.array([tile.low]), np.array([tile.high]))
        counts = np.zeros((SIDE, SIDE), np.uint32)
        add_counts(plane, counts, (0, 0))
        corner, at, start = (tile.key.i * SIDE, tile.key.row * SIDE), tile.low, (0, 0)
        while start[0] < CELLS:
            at, *start_of, found = count_tile(
                keys.array,
                at,
                counts.reshape(CELLS),
                morton_cells(),
                corner,
                start,
                *self.nodes,
                room.grid,
                room.left[room.found :],
            )
            start = start_of[0], start_of[1]
            self._leave(room, found)

    def _leave(self, room: _Room, found: int) -> None:
        """Keep the positions that a kernel left: to place many at once takes as long as to place a few."""
        room.found += found
        if 2 * room.found > len(room.left):
            self._place(room)

    def _place(self, room: _Room) -> None:
        """Count the rows that were left."""
        if room.found:
            count_rows(room.grid, self.placed.by_numbers(room.left[: room.found]))
            room.found = 0

    def _own(self) -> _Room:
        """What this thread counts in."""
        found = self.rooms.get(threading.get_ident())
        if found is None:
            chunk, most = (CHUNK, _CHUNKS_LEFT * CHUNK) if self.nodes is None else (0, _LEFT)
            made = np.empty(most, np.int64), np.empty(chunk, np.uint32), np.empty(chunk, np.int32)
            found = self.rooms[threading.get_ident()] = _Room(np.zeros(self.cells + 1, np.uint32), *made)
        return found
