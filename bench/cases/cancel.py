"""How soon work ends that nobody wants any more: from the raised flag to the end of the job, at random moments of it.

Each job meets an engine that has just opened the layer, so that it is made of rows: no tile was kept before it.
"""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

import bigviz as bv
from bench import data, stores
from bench.places import LARGE
from bench.report import Figure, words
from bigviz.aggregate.layer import Layer
from bigviz.commands.bench.window import HEIGHT, WIDTH
from bigviz.common.cancel import Cancel
from bigviz.common.errors import Cancelled
from bigviz.common.progress import no_progress
from bigviz.data.dataset import Dataset
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.readiness import EXACT
from bigviz.tiles.store.catalog.directory import StoreDirectory

RAISES: Final = 60
LATEST: Final = (
    0.3  # s after which no flag is raised: a wide image takes many seconds, and its loops are the same all along
)
BOUND: Final = 20.0  # ms
AGGS: Final = {"count": "count", "mean(value)": "mean", "by(kind)": f"by of {data.LABELS} categories"}
OTHER: Final = "max(value)"  # of which there is a pyramid, so that there is none of those
TILES: Final = (TileKey(0, 0, 0, 0), TileKey(1, 1, 0, 1), TileKey(2, 4, 1, 7))
Job = Callable[[Engine, Cancel], Any]


def run(rows: int) -> Iterator[Figure]:
    """Tiles, images requested over HTTP, and images of deep views, of nearly all rows; where there is a
    store that opens at once, and up to the number of rows for which the bound is meant."""
    if not stores.IN_MEMORY <= rows <= LARGE:
        return
    path = data.arrow("labels", rows)
    store = stores.of(path, stores.COLUMNS, agg=OTHER)
    for agg, name in AGGS.items():
        table = _Table(bv.open(str(path), name="table"), Layer("points", "x", "y", agg), store)
        for kind, jobs in _jobs(table).items():
            samples = _sampled(table, jobs)
            what = f"{kind} of {words(rows)} rows, {name}: from the raised flag to its end"
            yield Figure(what, "ms", samples, "max", BOUND)


@dataclass(frozen=True)
class _Table:
    dataset: Dataset
    layer: Layer
    store: Path | None

    def opened(self) -> Engine:
        """An engine that answers for the layer, has kept no tile, and runs next to no build: a cancelled one
        goes on for some milliseconds, on every core."""
        gc.collect()  # an earlier engine, and the thread that verifies its order
        stores = StoreDirectory(self.store) if self.store else None
        engine = Engine(cache_bytes=0, stores=stores, index="existing")
        stop = Cancel()
        building = threading.Thread(target=self._build, args=(engine, stop))
        building.start()
        while engine.readiness(self.dataset, self.layer) not in EXACT:
            time.sleep(0.001)
        stop.cancel()
        building.join()
        while engine.layers.under_way(self.dataset, self.layer):
            time.sleep(0.001)
        return engine

    def _build(self, engine: Engine, stop: Cancel) -> None:
        with suppress(Cancelled):
            engine.ensure(self.dataset, self.layer, no_progress, stop)


def _jobs(table: _Table) -> dict[str, Sequence[Job]]:
    dataset, layer = table.dataset, table.layer
    found = table.opened().info(dataset, layer).range
    assert found is not None
    x0, y0, x1, y1 = (float(edge) for edge in found)
    x, y = (x0, x0 + 0.9 * (x1 - x0)), (y0, y0 + 0.9 * (y1 - y0))
    size = WIDTH // 4, HEIGHT // 4  # of all categories together no more cells than an image may have

    def tile(key: TileKey) -> Job:
        return lambda engine, cancel: engine.tile(dataset, layer, key, cancel)

    def image(engine: Engine, cancel: Cancel) -> Any:
        return engine.image(dataset, layer, *x, *y, WIDTH, HEIGHT, cancel)

    def window(engine: Engine, cancel: Cancel) -> Any:
        return engine.window_image(dataset, layer, x, y, size, cancel)

    return {"tile": [tile(key) for key in TILES], "image": [image], "deep image": [window]}


def _sampled(table: _Table, jobs: Sequence[Job]) -> list[float]:
    """Milliseconds of each raise that a job did not come before."""
    random = np.random.default_rng(6)
    whole = [_seconds(table, job) for job in jobs]
    samples: list[float] = []
    for k in range(RAISES):
        job, most = jobs[k % len(jobs)], whole[k % len(jobs)]
        found = _raised(table.opened(), job, random.uniform(0.0, min(most, LATEST)))
        samples += [] if found is None else [found * 1e3]
    return samples


def _seconds(table: _Table, job: Job) -> float:
    """How long the job takes, when its kernels are there."""
    job(table.opened(), Cancel())
    engine = table.opened()
    start = time.perf_counter()
    job(engine, Cancel())
    return time.perf_counter() - start


def _raised(engine: Engine, job: Job, after: float) -> float | None:
    """Seconds from the flag, raised `after` seconds, to the end; None if the job was done before."""
    cancel = Cancel()
    ended: list[float] = []

    def work() -> None:
        try:
            job(engine, cancel)
        except Cancelled:
            ended.append(time.perf_counter())

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(after)
    raised = time.perf_counter()
    cancel.cancel()
    thread.join()
    return ended[0] - raised if ended else None
