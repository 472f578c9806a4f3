"""A table opened as `bigviz serve` opens it: with the store that `bigviz index` made, no cache of tiles."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np

import bigviz as bv
from bench.machine import fill_cache
from bigviz.aggregate.layer import Layer
from bigviz.commands.bench.window import HEIGHT, WIDTH, Axis, Window, tiles
from bigviz.common.cancel import NEVER
from bigviz.common.progress import no_progress
from bigviz.tiles.answers.layer_info import LayerInfo
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.store.catalog.directory import StoreDirectory
from bigviz.wire.tiles import tile_frames

__all__ = ["AREAS", "Opened", "about", "await_verified"]

AREAS: Final = (1.0, 1e-2, 1e-4, 1e-6)
THREADS: Final = 2
Span = tuple[float, float, float, float]


class Opened:
    """A layer of a table and its engine; `seconds` says how long it took until it answered, from its `store` (a
    directory that `bigviz index` wrote), or without one by ordering the rows in memory. The store is in the page cache,
    if it fits, unless it is to be `cold`."""

    def __init__(
        self, path: Path, agg: str = "count", store: Path | None = None, *, cold: bool = False, **layer: Any
    ) -> None:
        if store and not cold:
            fill_cache(store)
        stores = StoreDirectory(store) if store else None
        engine = Engine(cache_bytes=0, stores=stores, index="existing")
        self._begin(path, engine, Layer(layer.pop("glyph", "points"), "x", "y", agg, **layer), THREADS)

    @classmethod
    def by(cls, engine: Engine, path: Path, threads: int = THREADS) -> Opened:
        """Counts of a table that an engine indexes as one of an operator's: in memory, or where its stores are kept."""
        opened = object.__new__(cls)
        opened._begin(path, engine, Layer("points", "x", "y", "count"), threads, published=True)
        return opened

    def _begin(self, path: Path, engine: Engine, layer: Layer, threads: int, published: bool = False) -> None:
        self.dataset, self.engine, self.layer = bv.open(str(path), name="table"), engine, layer
        if published:
            engine.publish(self.dataset, layer)
        start = time.perf_counter()
        self.engine.ensure(self.dataset, self.layer, no_progress, NEVER)
        self.seconds = time.perf_counter() - start
        self.info: LayerInfo = self.engine.info(self.dataset, self.layer)
        self.pool = ThreadPoolExecutor(threads)

    def with_agg(self, agg: str) -> Opened:
        """Another reduction over the same rows, built."""
        other = object.__new__(Opened)
        other.__dict__.update(self.__dict__)
        other.layer = Layer("points", "x", "y", agg, xaxis=self.layer.xaxis, yaxis=self.layer.yaxis)
        start = time.perf_counter()
        self.engine.ensure(other.dataset, other.layer, no_progress, NEVER)
        other.seconds = time.perf_counter() - start
        return other

    @property
    def extent(self) -> Span:
        """x0, y0, x1, y1 of the rows, in axis space."""
        assert self.info.range is not None
        x0, y0, x1, y1 = (float(edge) for edge in self.info.range)
        return x0, y0, x1, y1

    @property
    def roots(self) -> tuple[Axis, Axis]:
        x, y = self.info.root_x, self.info.root_y
        return (float(x.start), x.exponent), (float(y.start), y.exponent)

    def view(self, window: Window) -> float:
        """Milliseconds from a window to the frames of all its tiles, made by as many threads as the server's are."""
        start = time.perf_counter()
        for _ in self.pool.map(self._frames, tiles(window, *self.roots)):
            pass
        return (time.perf_counter() - start) * 1e3

    def _frames(self, key: tuple[int, int, int, int]) -> list[bytes]:
        tile = self.engine.tile(self.dataset, self.layer, TileKey(*key), NEVER)
        return tile_frames(tile, request=1, figure=0, layer=0)

    def cells(self, windows: Sequence[Window]) -> str:
        """How much a view delivers, in words."""
        count = np.median([len(tiles(window, *self.roots)) for window in windows])
        return f"{count:.0f} tiles, {count * 65_536 / 1e6:.2g} M cells"

    def mosaic(self, zx: int, zy: int, columns: range, rows: range) -> np.ndarray:
        """The values of a block of tiles, row 0 the highest y; by reductions have a last axis of categories."""

        def values(i: int, j: int) -> np.ndarray:
            planes = self.engine.tile(self.dataset, self.layer, TileKey(zx, zy, i, j), NEVER).arrays()
            return planes[0] if len(planes) == 1 else np.stack(planes, axis=-1)

        return np.concatenate([np.concatenate([values(i, j) for i in columns], axis=1) for j in rows], axis=0)

    def image(self, window: Window, width: int, height: int) -> np.ndarray:
        """bigviz's own exact image of a window, row 0 the lowest y, one plane."""
        x0, x1, y0, y1 = window.x0, window.x1, window.y0, window.y1
        return self.engine.image(self.dataset, self.layer, x0, x1, y0, y1, width, height)[0][::-1]


def await_verified() -> None:
    """Wait until what was opened has been compared with its sums: at first a thread does that while requests run."""
    for thread in threading.enumerate():
        if thread.name == "bigviz-verify":
            thread.join()


def about(extent: Span, x: np.ndarray, y: np.ndarray, area: float) -> list[Window]:
    """A window of `area` (share) of the extent about each of some rows; the whole extent for 1."""
    x0, y0, x1, y1 = extent
    if area >= 1:
        return [Window(x0, x1, y0, y1, WIDTH, HEIGHT)] * len(x)
    w, h = (x1 - x0) * area**0.5 / 2, (y1 - y0) * area**0.5 / 2
    return [Window(cx - w, cx + w, cy - h, cy + h) for cx, cy in zip(x.tolist(), y.tolist(), strict=True)]
