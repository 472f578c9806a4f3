"""Which of some tiles, and which of its cells, each row lies in: for rows in no order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import jit
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.morton.codes import Coded
from bigviz.wire.codec import SIDE

__all__ = ["BLOCKS", "Deal", "deals_of"]

Array = npt.NDArray[Any]
BLOCKS: Final = 16  # a tile is also counted in 16 x 16 blocks of cells
_MOST_TABLE: Final = 1 << 16  # places of a table; tiles that lie further apart have several


@dataclass(frozen=True)
class Deal:
    """Some tiles of one level; `table` holds at (row from the bottom, column), counted from the first ones, the slot of
    a tile, or -1."""

    zx: int
    zy: int
    column: int
    row: int
    table: npt.NDArray[np.int32]

    def cells(self, coded: Coded, cells: npt.NDArray[np.int32], blocks: npt.NDArray[np.int64]) -> int:
        """Write the cell of each row, `slot * 65,536 + row * 256 + column` (row 0 the highest y; -1: in no tile), and
        count the rows in `blocks` (slot, 16, 16), row 0 the highest y. Returns how many rows lie in a tile."""
        return int(
            _deal(
                coded.x,
                coded.y,
                coded.where_x,
                coded.where_y,
                self.zx,
                self.zy,
                self.column,
                self.row,
                self.table,
                cells,
                blocks,
            )
        )


def deals_of(keys: Sequence[TileKey]) -> list[Deal]:
    """The tiles, whose slots are their places in the sequence, by level."""
    levels: dict[tuple[int, int], list[int]] = {}
    for slot, key in enumerate(keys):
        levels.setdefault((key.zx, key.zy), []).append(slot)
    return [deal for slots in levels.values() for deal in _divided(keys, slots)]


def _divided(keys: Sequence[TileKey], slots: list[int]) -> list[Deal]:
    columns, rows = [keys[slot].i for slot in slots], [keys[slot].row for slot in slots]
    column, row = min(columns), min(rows)
    width, height = max(columns) - column + 1, max(rows) - row + 1
    if width * height > _MOST_TABLE:
        ordered = sorted(slots, key=lambda slot: keys[slot].i if width > height else keys[slot].row)
        half = len(ordered) // 2
        return _divided(keys, ordered[:half]) + _divided(keys, ordered[half:])
    table = np.full((height, width), -1, np.int32)
    for slot in slots:
        table[keys[slot].row - row, keys[slot].i - column] = slot
    return [Deal(keys[slots[0]].zx, keys[slots[0]].zy, column, row, table)]


@jit
def _deal(
    x: Array,
    y: Array,
    where_x: Array,
    where_y: Array,
    zx: int,
    zy: int,
    first_column: int,
    first_row: int,
    table: Array,
    cells: Array,
    blocks: Array,
) -> int:
    height, width = table.shape
    found = 0
    for k in range(x.size):
        cells[k] = -1
        if where_x[k] != 0 or where_y[k] != 0:
            continue
        across = np.int64(x[k])
        up = np.int64(y[k])
        i = (across >> (32 - zx)) - first_column
        j = (up >> (32 - zy)) - first_row
        if i < 0 or i >= width or j < 0 or j >= height:
            continue
        slot = table[j, i]
        if slot < 0:
            continue
        column = (across >> (24 - zx)) & (SIDE - 1)
        row = SIDE - 1 - ((up >> (24 - zy)) & (SIDE - 1))
        cells[k] = (np.int64(slot) * SIDE + row) * SIDE + column
        blocks[slot, row // BLOCKS, column // BLOCKS] += 1
        found += 1
    return found
