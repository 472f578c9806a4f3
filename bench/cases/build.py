"""Building a store: seconds of `bigviz index` from an Arrow file, fsync included, and its peak of anonymous memory."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping
from typing import Final

from bench import data, stores
from bench.machine import write_rate
from bench.places import LARGE, made
from bench.report import Figure, words

TABLES: Final[Mapping[data.Table, Mapping[str, str]]] = {
    "attractor": {},
    "cities": {"xaxis": "mercator", "yaxis": "mercator"},
    "points": {},  # the last one: its store is what other cases read
}
NAMES: Final[Mapping[data.Table, str]] = {
    "points": "x, y float32",
    "attractor": "another attractor",
    "cities": "clusters, mercator axes",
}
BOUNDS: Final = {10**8: 12.0, 10**9: 180.0}  # s, for the points
TILES: Final = 1.0  # times the order, whatever the table
MEMORY: Final = 2048.0  # MiB
REPEATS: Final = {10**7: 3, 10**8: 3, 10**9: 1}


def run(rows: int) -> Iterator[Figure]:
    """x and y in order with their row numbers, and the pyramid of counts, of each table.

    The source is in the page cache if it fits. A table of 2^20 rows is indexed before, so that nothing is compiled in
    the time that counts.
    """
    for table, layer in TABLES.items():
        stores.build(data.arrow(table, 1 << 20), made("scratch") / "warm-up", **layer)
        yield from _built(table, rows, layer)


def _built(table: data.Table, rows: int, layer: Mapping[str, str]) -> Iterator[Figure]:
    path = data.arrow(table, rows)
    folder = made("stores") / path.stem
    beside = f"the disk takes {write_rate(made('stores')):,.0f} MB/s with fsync"
    seconds, peaks, ratios = [], [], []
    for _ in range(REPEATS.get(rows, 1)):
        began = time.time()
        took, peak = stores.build(path, folder, **layer)
        order, tiles = stores.phases(folder, began)
        seconds.append(took)
        peaks.append(peak / 2**20)
        ratios.append(tiles / order)
    what = f"`bigviz index` of {words(rows)} rows ({NAMES[table]})"
    yield Figure(what, "s", seconds, "max", BOUNDS.get(rows) if table == "points" else None, beside)
    yield Figure(f"{what}, tiles, times the order", "", ratios, "max", TILES if rows > LARGE else None)
    yield Figure(f"{what}, peak of anonymous memory", "MiB", peaks, "max", MEMORY)
    size = sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())
    yield Figure(f"{what}, bytes a row on the disk", "B", [size / rows], "max")
    if table != "points":
        shutil.rmtree(folder)
        if rows > LARGE:  # the next one needs the room
            path.unlink()
