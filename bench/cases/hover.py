"""What is told of a dense cell under the pointer: its value, each category's share, and its first rows by a column."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa

from bench import data, stores
from bench.opened import Opened, await_verified
from bench.report import Figure, words
from bigviz.commands.bench.window import Window, tiles
from bigviz.tiles.answers.row_lookup import RowOrder
from bigviz.tiles.selection.region import Rectangle
from bigviz.wire.codec import SIDE

PLACES: Final = 60
WARM: Final = 3
BOUND: Final = 50.0  # ms at 10^8 rows
FIRST: Final = 5
COLUMNS: Final = ("x", "y", "value", "kind")
Cell = tuple[tuple[float, float], tuple[float, float]]


def run(rows: int) -> Iterator[Figure]:
    """Cells of the view of all rows, each about a random row: so most of them are dense."""
    path = data.arrow("points", rows)
    opened = Opened(path, store=stores.of(path, stores.COLUMNS))
    await_verified()
    x, y = data.sample_rows(path, PLACES + WARM)
    cells = [_cell(opened, *place) for place in zip(x.tolist(), y.tolist(), strict=True)]
    samples, matched = [], []
    for cell in cells:
        began = time.perf_counter()
        count = _told(opened, cell)
        samples.append(1e3 * (time.perf_counter() - began))
        matched.append(count)
    _check(opened, path, cells[-1])
    what = f"hover on a cell of {words(rows)} rows: value, shares of 8 categories, first {FIRST} rows by a column"
    told = f"{int(np.median(matched)):,} rows in a cell (median), {max(matched):,} at most"
    yield Figure(what, "ms", samples[WARM:], "p95", BOUND if rows <= 10**8 else None, told, "exact")


def _told(opened: Opened, cell: Cell) -> int:
    """How many rows a cell has, after all of what is told of it was found out."""
    table = opened.engine.first_rows(opened.dataset, opened.layer, *cell, RowOrder("value", True), FIRST, COLUMNS)
    found = opened.engine.select(opened.dataset, opened.layer, Rectangle(*cell), by="kind")
    assert found.groups is not None and sum(each.count for each in found.groups) == found.count
    assert int(table.schema.metadata[b"matched"]) == found.count
    return found.count


def _cell(opened: Opened, x: float, y: float) -> Cell:
    """The cell around a point at the level of the view of everything."""
    x0, y0, x1, y1 = opened.extent
    zx, zy, *_ = tiles(Window(x0, x1, y0, y1), *opened.roots)[0]
    ends = []
    for (start, exponent), z, at in zip(opened.roots, (zx, zy), (x, y), strict=True):
        width = math.ldexp(1.0, exponent - z) / SIDE
        low = start + math.floor((at - start) / width) * width
        ends.append((low, low + width))
    return ends[0], ends[1]


def _check(opened: Opened, path: object, cell: Cell) -> None:
    """Compare the first rows of a cell with those that a pass over the table finds."""
    with pa.memory_map(str(path)) as source:
        read = pa.ipc.open_file(source).read_all()
        x, y, value = (np.asarray(read[name].combine_chunks()) for name in ("x", "y", "value"))
        inside = (x >= cell[0][0]) & (x < cell[0][1]) & (y >= cell[1][0]) & (y < cell[1][1])
        rows = np.flatnonzero(inside)
        first = rows[np.lexsort((rows, -value[rows]))][:FIRST]
    table = opened.engine.first_rows(opened.dataset, opened.layer, *cell, RowOrder("value", True), FIRST, COLUMNS)
    if table["row"].to_pylist() != first.tolist():
        raise AssertionError(f"rows {table['row'].to_pylist()} were told, and {first.tolist()} are the first ones")
