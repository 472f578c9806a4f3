"""Building a store: seconds of `bigviz index` from an Arrow file, fsync included, and its peak of anonymous memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bench import data, stores
from bench.machine import write_rate
from bench.places import made
from bench.report import Figure, words

BOUNDS: Final = {10**8: 12.0, 10**9: 180.0}
MEMORY: Final = 2048.0  # MiB
REPEATS: Final = {10**7: 3, 10**8: 3, 10**9: 1}


def run(rows: int) -> Iterator[Figure]:
    """x and y of the points, in order with their row numbers, and the pyramid of counts.

    The source is in the page cache if it fits. A table of 2^20 rows is indexed before, so that nothing is
    compiled in the time that counts.
    """
    small, path = data.arrow("points", 1 << 20), data.arrow("points", rows)
    stores.build(small, made("scratch") / "warm-up")
    rate = write_rate(made("stores"))
    runs = [stores.build(path) for _ in range(REPEATS.get(rows, 1))]
    beside = f"the disk takes {rate:,.0f} MB/s with fsync"
    what = f"`bigviz index` of {words(rows)} rows (x, y float32)"
    seconds, peaks = zip(*runs, strict=True)
    yield Figure(what, "s", seconds, "max", BOUNDS.get(rows), beside)
    yield Figure(f"{what}, peak of anonymous memory", "MiB", [peak / 2**20 for peak in peaks], "max", MEMORY)
    store = made("stores") / path.stem
    size = sum(each.stat().st_size for each in store.rglob("*") if each.is_file())
    yield Figure(f"{what}, bytes a row on the disk", "B", [size / rows], "max")
