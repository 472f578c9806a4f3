"""Rows in no order, dealt to tiles, against cells found one by one."""

from __future__ import annotations

import numpy as np
import pytest

from bigviz.aggregate.dyadic_cells import root_of
from bigviz.tiles.grid.batches import Batch
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.morton.codes import Coded, coded_of, rows_within
from bigviz.tiles.morton.keys import encode
from bigviz.tiles.morton.quadtree import cells_of
from bigviz.tiles.scans.tile_assignment import BLOCKS, deals_of

ROWS = 5_000


@pytest.fixture(scope="module")
def batch() -> Batch:
    rng = np.random.default_rng(8)
    x, y = rng.normal(0, 1, ROWS), rng.integers(-40, 40, ROWS)
    x[::97] = np.nan
    x[5::97] = 1e9
    return Batch(100, (x, None), (y, rng.random(ROWS) < 0.95))


ROOTS = root_of(-4.0, 4.0), root_of(-30, 30)
KEYS = [
    TileKey(0, 0, 0, 0), TileKey(3, 1, 4, 0), TileKey(3, 1, 3, 1), TileKey(2, 2, 1, 2), TileKey(24, 24, 0, 5),
    TileKey(24, 24, (1 << 24) - 1, 1 << 20), TileKey(24, 0, 1 << 23, 0), TileKey(0, 24, 0, 1 << 23),
]  # fmt: skip


@pytest.fixture(scope="module")
def coded(batch: Batch) -> Coded:
    return coded_of(batch, slice(0, ROWS), ROOTS)


def test_each_row_gets_the_cell_that_its_key_has(batch: Batch, coded: Coded) -> None:
    keys, rows = np.empty(ROWS, np.uint64), np.empty(ROWS, np.uint32)
    count, _ = encode(batch, ROOTS, keys, rows)
    places = rows[:count].astype(np.int64) - batch.first
    blocks = np.zeros((len(KEYS), BLOCKS, BLOCKS), np.int64)
    expected = {slot: cells_of(keys[:count], key) for slot, key in enumerate(KEYS)}
    seen: dict[int, np.ndarray] = {slot: np.full(ROWS, -1) for slot in expected}
    for deal in deals_of(KEYS):
        cells = np.empty(ROWS, np.int32)
        found = deal.cells(coded, cells, blocks)
        assert found == np.count_nonzero(cells >= 0)
        for slot in np.unique(cells[cells >= 0] >> 16):
            mine = cells >> 16 == slot
            seen[int(slot)][mine] = cells[mine] & 0xFFFF
    for slot, cells in expected.items():
        whole = np.full(ROWS, -1)
        whole[places] = cells
        np.testing.assert_array_equal(seen[slot], whole)
        rows_, columns = np.divmod(whole[whole >= 0], 256)
        counted = np.zeros((BLOCKS, BLOCKS), np.int64)
        np.add.at(counted, (rows_ // 16, columns // 16), 1)
        np.testing.assert_array_equal(blocks[slot], counted)


def test_tiles_far_apart_have_several_tables() -> None:
    deals = deals_of(KEYS)
    assert sum(int((deal.table >= 0).sum()) for deal in deals) == len(KEYS)
    assert all(deal.table.size <= 1 << 16 for deal in deals)
    assert len(deals) == 7, "those of a level that are neighbours share one"


def test_rows_of_a_rectangle_of_codes(coded: Coded) -> None:
    codes = (1 << 30, 3 << 30, 1 << 29, 1 << 31)
    inside = (coded.where_x == 0) & (coded.where_y == 0)
    inside &= (coded.x >= codes[0]) & (coded.x <= codes[1]) & (coded.y >= codes[2]) & (coded.y <= codes[3])
    np.testing.assert_array_equal(rows_within(coded, codes), np.flatnonzero(inside))
