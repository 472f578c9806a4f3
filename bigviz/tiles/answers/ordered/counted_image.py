"""An image of numbers of rows from rows in Morton order, by squares of the order: most rows are not read.

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
from bigviz.tiles.answers.ordered.pixel_nodes import Nodes, count_nodes, count_tile
from bigviz.tiles.answers.ordered.placed_rows import PlacedRows
from bigviz.tiles.answers.ordered.runs import Runs
from bigviz.tiles.grid.tile_key import DEEPEST, TileKey
from bigviz.tiles.morton.quadtree import morton_cells
from bigviz.tiles.pyramid.pyramid import Pyramid
from bigviz.wire.codec import CELLS, SIDE, EncodedPlane, add_counts

__all__ = ["counted_image"]

Array = npt.NDArray[Any]

_PIECE: Final = 1 << 20  # rows that are counted between two looks at the flag: two milliseconds
_LEFT: Final = 1 << 13  # rows that their keys do not tell the cell of, at a time
_FEWEST_TILES: Final = 16  # that keep all threads busy to the end
_MOST_TILES: Final = 1 << 10


def counted_image(
    placed: PlacedRows, pyramid: Pyramid | None, nodes: Nodes, runs: Runs, threads: int, cancel: Cancel
) -> npt.NDArray[np.uint32]:
    """The rows of each cell, (rows, columns), of those of some ranges; `pyramid` is one of their numbers.

    Each thread counts what it takes into a grid of its own. Raises Cancelled, Unreadable.
    """
    image = _Image(placed, pyramid, nodes, runs)
    tiles = [] if pyramid is None else _tiles(pyramid, nodes)
    crew = Crew(threads, cancel=cancel)
    if len(tiles) >= _FEWEST_TILES:
        crew.run("drawing rows", image.add_tile, tiles, runs.rows)
    else:
        crew.run("drawing rows", image.add_rows, runs.parts(max(runs.rows // _PIECE, 1)), runs.rows)
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


@dataclass(frozen=True)
class _Image:
    """An image that threads count rows into."""

    placed: PlacedRows
    pyramid: Pyramid | None
    nodes: Nodes
    runs: Runs
    grids: dict[int, tuple[Array, Array]] = field(default_factory=dict)

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
        grid, left = self._own()
        keys = self.placed.order.guard.keys
        low, high = runs.low, runs.high
        keys.open(low, high)
        while len(low):
            done, at, found = count_nodes(keys.array, frozen(low), frozen(high), *self.nodes, grid, left)
            count_rows(grid, self.placed.by_numbers(left[:found]))
            low, high = low[done:].copy(), high[done:]
            low[:1] = at
        return runs.rows

    def total(self) -> npt.NDArray[np.uint32]:
        """What all threads counted."""
        width, height = self.nodes.terms[3:5]
        grids = [grid for grid, _ in self.grids.values()]
        total = grids[0] if grids else np.zeros(width * height + 1, np.uint32)
        for grid in grids[1:]:
            total += grid
        return total[:-1].reshape(height, width)

    def _add_counted(self, tile: _Tile, plane: EncodedPlane) -> None:
        grid, left = self._own()
        keys = self.placed.order.guard.keys
        keys.open(np.array([tile.low]), np.array([tile.high]))
        counts = np.zeros((SIDE, SIDE), np.uint32)
        add_counts(plane, counts, (0, 0))
        corner, at, start = (tile.key.i * SIDE, tile.key.row * SIDE), tile.low, (0, 0)
        while start[0] < CELLS:
            at, *start_of, found = count_tile(
                keys.array, at, counts.reshape(CELLS), morton_cells(), corner, start, *self.nodes, grid, left
            )
            start = start_of[0], start_of[1]
            count_rows(grid, self.placed.by_numbers(left[:found]))

    def _own(self) -> tuple[Array, Array]:
        """The grid of this thread, and room for rows that are placed by their numbers."""
        found = self.grids.get(threading.get_ident())
        if found is None:
            grid = np.zeros(self.nodes.terms[3] * self.nodes.terms[4] + 1, np.uint32)
            found = self.grids[threading.get_ident()] = grid, np.empty(_LEFT, np.int64)
        return found
