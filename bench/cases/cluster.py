"""A table on the workers of a cluster, all of them on this machine, against one process over the same rows.

Workers share the cores that one process has for itself, so what is compared is what the division costs: messages, and
accumulators that are encoded, sent, decoded and put together.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from bench import data
from bench.cases.cluster_loss import lost
from bench.cluster_host import Counted, hosted
from bench.opened import AREAS, Opened, about, await_verified
from bench.places import made
from bench.report import Figure, Rival, statistic, words
from bigviz.commands.bench.window import Window, tiles
from bigviz.tiles.cluster.dask_engine import DaskEngine
from bigviz.tiles.cluster.worker_plugin import HostSettings
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.store.catalog.directory import StoreDirectory

__all__ = ["lost", "run"]

VIEWS: Final = 100
FIRST: Final = 3  # views that are not counted
CHECKED: Final = 5  # windows of each area whose tiles are compared
WARM: Final = 1 << 20  # rows of a table that is indexed before, so that nothing is compiled in the time that counts
BUILDS: Final = {10**7: 3, 10**8: 2}
COUNTS: Final = (2, 4, 8)  # workers
INDEX: Final = 1.3  # times one process
TIMES: Final = 1.5
MORE: Final = 15.0  # ms
A_WORKER: Final = 2.0  # ms
LIMIT: Final = 1 << 40  # bytes of stores


def run(rows: int) -> Iterator[Figure]:
    """Index and views of 2 workers, by turns with one process; then what a view costs the front end of 2, 4, 8."""
    if rows < COUNTS[-1] << 20:
        raise ValueError(f"record batches of 2^20 rows are not divided, so {COUNTS[-1]} workers need 10^7 rows")
    path = data.arrow("points", rows)
    yield _indexed(path, rows)
    places = data.sample_rows(path, VIEWS)
    costs: dict[float, list[float]] = {area: [] for area in AREAS}
    sizes: dict[float, float] = {}
    with _alone(path) as one:
        windows = {area: about(one.extent, *places, area) for area in AREAS}
        for workers in COUNTS:
            with _divided(path, workers) as (many, found):
                _tell(f"{workers} workers: indexed in {many.seconds:.1f} s, one process in {one.seconds:.1f} s")
                _check_same(one, many, windows)
                for area in AREAS:
                    before = found.received
                    ours, theirs, cost = _by_turns(many, one, windows[area])
                    costs[area].append(cost)
                    sizes[area] = (found.received - before) / workers / (VIEWS + FIRST)
                    yield _viewed(rows, workers, area, ours, theirs, many.cells(windows[area]))
    for area in AREAS:
        yield _fitted(rows, area, costs[area], sizes[area])


@contextmanager
def _alone(path: Path) -> Iterator[Opened]:
    """The table as one process opens it, its index made anew."""
    folder = made("scratch") / "one"
    shutil.rmtree(folder, ignore_errors=True)
    engine = Engine(cache_bytes=0, stores=StoreDirectory(folder, LIMIT), index="auto")
    try:
        yield Opened.by(engine, path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # a small table has none


@contextmanager
def _divided(path: Path, workers: int) -> Iterator[tuple[Opened, Counted]]:
    """The table on so many workers, and these. Its indexes are made anew, after a small one that compiles."""
    folder = made("scratch") / "many"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        with hosted(workers, HostSettings(str(folder), LIMIT, None, "auto")) as found:
            engine = DaskEngine(found, cache_bytes=0)
            Opened.by(engine, data.arrow("points", WARM * workers))
            yield Opened.by(engine, path, engine.at_once), found
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _indexed(path: Path, rows: int) -> Figure:
    """From nothing to an index of all rows, by turns; the source is in the page cache if it fits."""
    Opened.by(Engine(cache_bytes=0, index="never"), data.arrow("points", WARM))
    one, two = [], []
    for number in range(repeats := BUILDS.get(int(rows), 1)):
        with _alone(path) as opened:
            one.append(opened.seconds)
        with _divided(path, 2) as (opened, _):
            two.append(opened.seconds)
        _tell(f"index {number + 1} of {repeats}: one process {one[-1]:.1f} s, 2 workers {two[-1]:.1f} s")
    what = f"index of {words(rows)} rows on 2 workers; bound: {INDEX} x one process"
    bound = INDEX * statistics.median(one)
    return Figure(what, "s", two, "median", bound, rivals=[Rival("one process", one)])


def _check_same(one: Opened, many: Opened, windows: dict[float, list[Window]]) -> None:
    """Raise ValueError unless the planes of all tiles of some views are the same, to the bit."""
    compared = 0
    for area, some in windows.items():
        keys = dict.fromkeys(key for window in some[:CHECKED] for key in tiles(window, *one.roots))
        planes = []
        for opened in (one, many):
            get = partial(opened.engine.tile, opened.dataset, opened.layer)
            planes.append([tile.planes for tile in opened.pool.map(get, (TileKey(*key) for key in keys))])
        if planes[0] != planes[1]:
            raise ValueError(f"tiles of {area:g} of the area differ between one process and workers")
        compared += len(keys)
    _tell(f"{compared} tiles are the same to the bit")


def _by_turns(many: Opened, one: Opened, windows: Sequence[Window]) -> tuple[list[float], list[float], float]:
    """Milliseconds of each view on workers and in one process, and the median of this process's CPU for the former:
    the front end's alone."""
    await_verified()
    for window in windows[:FIRST]:
        many.view(window), one.view(window)
    ours, theirs, costs = [], [], []
    for window in windows:
        theirs.append(one.view(window))
        before = time.process_time()
        ours.append(many.view(window))
        costs.append((time.process_time() - before) * 1e3)
    return ours, theirs, statistics.median(costs)


def _viewed(rows: int, workers: int, area: float, ours: list[float], theirs: list[float], cells: str) -> Figure:
    what = f"view of {words(rows)} rows on {workers} workers, {area:g} of the area"
    bound = None
    if workers == 2:
        what += f"; bound: {TIMES} x one process + {MORE:.0f} ms"
        bound = TIMES * statistic(theirs, "p95") + MORE
    return Figure(what, "ms", ours, "p95", bound, cells, "exact", [Rival("one process", theirs, cells, "exact")])


def _fitted(rows: int, area: float, costs: Sequence[float], size: float) -> Figure:
    """The front end's CPU for a view is a + b x workers: b, which is bounded, and a, by least squares."""
    b, a = np.polyfit(COUNTS, costs, 1)
    told = ", ".join(f"{cost:.1f} ms with {count}" for count, cost in zip(COUNTS, costs, strict=True))
    told += f": {a:.1f} ms + {b:.2f} ms x workers; {size / 1e3:,.0f} KB from each of {COUNTS[-1]}"
    what = f"front end's CPU a worker and view, {words(rows)} rows, {area:g} of the area"
    return Figure(what, "ms", [float(b)], "max", A_WORKER, told, "fitted")


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
