"""One viewport on the server: every tile of 1024 x 768 at data-centred places, nothing cached, until it is bytes.

The peer is datashader's `Canvas.points` over the same window at the same size, on the same float32 columns in pandas.
Before timing, both count one mosaic of tiles and must agree in every cell.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import datashader
import numpy as np
import pandas as pd
import pyarrow as pa

import bigviz as bv
from bench.report import Figure
from bench.views import HEIGHT, WIDTH, View, centred, tiles
from bigviz.aggregate.sample import clifford
from bigviz.data.cancel import NEVER
from bigviz.data.progress import no_progress
from bigviz.server.protocol import tile_frames
from bigviz.tiles.engine import Engine, TileKey
from bigviz.tiles.layer import Layer

AREAS = (1.0, 1e-2, 1e-4, 1e-6)
BOUNDS = {10**7: 15.0, 10**8: 25.0}
VIEWS = 100
PEER_VIEWS = 5


def run(rows: int) -> Iterator[Figure]:
    """Yield the figures of `rows` Clifford points: the build, then a viewport at each area."""
    table = pa.Table.from_batches(list(clifford(rows)))
    dataset = bv.open(table.select(["x", "y"]), name="points")
    engine = Engine(cache_bytes=0)
    layer = Layer("points", "x", "y", "count")
    start = time.perf_counter()
    engine.ensure(dataset, layer, no_progress, NEVER)
    yield Figure(f"order and pyramid of {rows:.0e} rows in memory", "s", [time.perf_counter() - start], "max")
    x, y = (table.column(name).combine_chunks().to_numpy() for name in ("x", "y"))
    frame = pd.DataFrame({"x": x, "y": y})
    check_equal(engine, dataset, layer, frame)
    rng = np.random.default_rng(1)
    info = engine.info(dataset, layer)
    roots = tuple((float(root.start), root.exponent) for root in (info.root_x, info.root_y))
    with ThreadPoolExecutor(2) as pool:
        for area in AREAS:
            views = [centred(axis_order(info.range), x, y, area, rng) for _ in range(VIEWS)]
            samples = [timed_view(engine, dataset, layer, tiles(v, *roots), pool) for v in views]
            peer = [timed_peer(frame, v) for v in views[: PEER_VIEWS + 1]][1:]
            yield Figure(
                f"viewport at {rows:.0e} rows, {area:g} of the area",
                "ms",
                samples,
                "p95",
                BOUNDS.get(rows),
                "datashader",
                peer,
            )


def axis_order(extent: Sequence[float]) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = (float(v) for v in extent)
    return x0, y0, x1, y1


def timed_view(
    engine: Engine, dataset: bv.Dataset, layer: Layer, keys: list[tuple[int, int, int, int]], pool: ThreadPoolExecutor
) -> float:
    """Milliseconds from the request's keys to the frames of all its tiles."""
    start = time.perf_counter()
    done = pool.map(
        lambda key: tile_frames(engine.tile(dataset, layer, TileKey(*key), NEVER), request=1, figure=0, layer=0), keys
    )
    for _ in done:
        pass
    return (time.perf_counter() - start) * 1e3


def timed_peer(frame: pd.DataFrame, view: View) -> float:
    """Milliseconds of datashader's pass; the first call of a process compiles and is not to be counted."""
    start = time.perf_counter()
    canvas = datashader.Canvas(WIDTH, HEIGHT, x_range=(view.x0, view.x1), y_range=(view.y0, view.y1))
    canvas.points(frame, "x", "y")
    return (time.perf_counter() - start) * 1e3


def check_equal(engine: Engine, dataset: bv.Dataset, layer: Layer, frame: pd.DataFrame) -> None:
    """Raise unless a mosaic of 2 x 2 tiles at level 3 equals datashader's count of the same cells.

    Tile bounds are dyadic, so datashader's affine formula is exact on them; its upper bound is closed, so rows on it
    are left out.
    """
    info = engine.info(dataset, layer)
    (xs, xe), (ys, ye) = ((float(root.start), root.exponent) for root in (info.root_x, info.root_y))
    width, height = 2.0 ** (xe - 3), 2.0 ** (ye - 3)
    x0, y0 = xs + 3 * width, ys + 3 * height
    x1, y1 = x0 + 2 * width, y0 + 2 * height
    inside = frame[(frame.x < x1) & (frame.y < y1)]
    theirs = datashader.Canvas(512, 512, x_range=(x0, x1), y_range=(y0, y1)).points(inside, "x", "y").values[::-1]
    ours = np.block(
        [[engine.tile(dataset, layer, TileKey(3, 3, i, j), NEVER).arrays()[0] for i in (3, 4)] for j in (3, 4)]
    )
    if not np.array_equal(ours, theirs) or not ours.any():
        raise AssertionError("bigviz's tiles and datashader's counts of the same cells differ: no timing is valid")
