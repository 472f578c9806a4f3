"""Views of a table while rows are appended to it, and its parts are merged; and what rollover leaves in memory."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import pyarrow as pa

from bench.memory import anonymous
from bench.report import Figure
from bigviz.aggregate.layer import Layer
from bigviz.data.appending.growth import Growth
from bigviz.data.dataset import Dataset
from bigviz.data.sources.memory import MemorySource
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.tile_key import TileKey

__all__ = ["Table", "segment_figures"]

_BATCH: Final = 10_000  # rows
_RATE: Final = 10  # batches a second
_SECONDS_TO_SWITCH: Final = 0.0005  # as in a server: with Python's 5 ms, a tile waits so long for who appends
_LEVELS: Final = (2, 4, 6, 9)  # of views, 4 x 3 tiles each
_LAYERS: Final = (Layer("points", "x", "y"), Layer("points", "x", "y", "mean(v)"))


class Table:
    """Rows in memory, to which more are appended."""

    def __init__(self, rows: int, make: Callable[[np.random.Generator, int], pa.Table], batch: int = _BATCH) -> None:
        """`make` gives as many rows as it is asked for; `batch` come at a time."""
        self._rng, self._make, self._batch = np.random.default_rng(1), make, batch
        self._chunks = [make(self._rng, min(1 << 22, rows - start)) for start in range(0, rows, 1 << 22)]
        self._starts: list[int] = []
        self.rows, self.first, self.number = rows, 0, 1

    def append(self) -> None:
        """A batch more."""
        self._starts.append(self.rows)
        self._chunks.append(self._make(self._rng, self._batch))
        self.rows += self._batch
        self.number += 1

    def roll(self, rows: int) -> None:
        """Let go of the oldest rows."""
        whole = pa.concat_tables(self._chunks).slice(rows)
        self._chunks, self.first = [whole], self.first + rows

    def version(self) -> Dataset:
        """The dataset as it is now."""
        source = MemorySource(pa.concat_tables(self._chunks))
        source.growth = Growth("bench", self.first, appends=tuple(self._starts))
        made = Dataset("bench", source)
        made.version = self.number
        return made


def _rows(random: np.random.Generator, rows: int) -> pa.Table:
    return pa.table({name: random.normal(size=rows) for name in ("x", "y", "v")})


def segment_figures(rows: int, seconds: float) -> Iterator[Figure]:
    """The figures of a table of so many rows; each layer is looked at for so long."""
    sys.setswitchinterval(_SECONDS_TO_SWITCH)
    for layer in _LAYERS:
        table, engine = Table(rows, _rows), Engine()
        versions = [table.version()]
        engine.ensure(versions[0], layer)
        done = threading.Event()
        indexed: list[float] = []
        args = table, engine, layer, versions, indexed, done
        grower = threading.Thread(target=_grow, args=args)
        grower.start()
        views, kernels = _views(engine, versions, layer, seconds)
        done.set()
        grower.join()
        what = f"{rows:,} rows, {layer.agg}, {_RATE} appends of {_BATCH:,} a second"
        yield Figure(f"a view of 12 tiles, {what}", "ms", views, "p95", 100.0)
        yield Figure(f"kernel of a tile, {what}", "ms", kernels, "p95", 5.0)
        yield Figure(f"the index of a version, {what}", "ms", indexed, "p95")
    yield from _memory(rows)


def _grow(
    table: Table,
    engine: Engine,
    layer: Layer,
    versions: list[Dataset],
    indexed: list[float],
    done: threading.Event,
) -> None:
    """Append until it is done; how many milliseconds the index of each version took."""
    while not done.wait(1 / _RATE):
        table.append()
        version = table.version()
        began = time.perf_counter()
        engine.ensure(version, layer)
        indexed.append(1e3 * (time.perf_counter() - began))
        versions[:] = [version]


def _views(engine: Engine, versions: list[Dataset], layer: Layer, seconds: float) -> tuple[list[float], list[float]]:
    """Milliseconds of views, and of the kernels of their tiles that were not kept."""
    views, kernels = [], []
    rng, end = np.random.default_rng(2), time.perf_counter() + seconds
    while time.perf_counter() < end:
        level = int(rng.choice(_LEVELS))
        i, j = ((1 << level) // 2 + rng.integers(-2, 1, 2)).tolist()
        began, version = time.perf_counter(), versions[0]
        for number in range(12):
            place = (min(max(0, at), (1 << level) - 1) for at in (i + number % 4 - 1, j + number // 4 - 1))
            tile = engine.tile(version, layer, TileKey(level, level, *place))
            if tile.cost.kernel_us:
                kernels.append(tile.cost.kernel_us / 1e3)
        views.append(1e3 * (time.perf_counter() - began))
        time.sleep(0.02)
    return views, kernels


def _memory(rows: int) -> Iterator[Figure]:
    """Bytes a row of one layer of counts, while as many rows are rolled over as appended."""
    table, engine, layer = Table(rows, _rows), Engine(), _LAYERS[0]
    before = anonymous(os.getpid())
    samples = []
    for _ in range(50):
        table.append()
        table.roll(_BATCH)
        engine.ensure(table.version(), layer)
        samples.append((anonymous(os.getpid()) - before) / rows)
    yield Figure(f"memory of an index of {rows:,} rows under rollover, table apart", "bytes a row", samples, "max")
