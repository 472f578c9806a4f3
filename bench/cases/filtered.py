"""A filter that is typed: an estimate of the whole extent, exact tiles of it, and any view after that."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import datashader as ds
import duckdb
import numpy as np
import pyarrow as pa

from bench import data, stores
from bench.opened import AREAS, Opened, about, await_verified
from bench.report import Figure, Rival, words
from bigviz.aggregate.layer import Layer
from bigviz.commands.bench.window import HEIGHT, WIDTH, Window, tiles
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.readiness import EXACT

REPEATS: Final = 9
LOOK: Final = 1e-3  # seconds between two looks at a build
WARM: Final = 2  # filters before those: what is read and compiled on first use
VIEWS: Final = 40
WARMED: Final = 3  # later views before those that are timed, whose kernels may have to be loaded
BOUNDS: Final = {"estimate": 100.0, "exact": 1200.0, "view": 16.0}  # ms at 10^8 rows
_SQL: Final = """
select count(*) from (
    select floor((x - {x0}) / {w} * 1024)::int as i, floor((y - {y0}) / {h} * 768)::int as j, count(*) as n
    from read where value > {least} group by i, j)"""


def run(rows: int) -> Iterator[Figure]:
    """`value > t` for one t after the other, some half of the rows each, over a stored column (10^8) or one in memory
    (10^7)."""
    path = data.arrow("points", rows)
    opened = Opened(path, store=stores.of(path, stores.COLUMNS))
    values = _values(path)
    levels = np.quantile(values[:: max(1, rows // 100_000)], np.linspace(0.3, 0.7, REPEATS + WARM)).tolist()
    await_verified()
    estimates, exact = zip(*[_filtered(opened, least) for least in levels][WARM:], strict=True)
    kept, found = int(np.count_nonzero(values > np.float64(levels[-1]))), _kept(opened)
    if found != kept:
        raise AssertionError(f"{found:,} rows are kept, and {kept:,} have such values")
    bounds = {name: bound if rows <= 10**8 else None for name, bound in BOUNDS.items()}
    what, share = f"new filter, {words(rows)} rows", f"{100 * found / rows:.0f} % of rows kept"
    yield Figure(f"{what}: estimate of all", "ms", estimates, "p50", bounds["estimate"], share)
    rivals = [rival(path, opened.extent, levels[:3]) for rival in (_duckdb, _datashader)] if rows <= 10**8 else []
    yield Figure(f"{what}: exact tiles of all", "ms", exact, "p50", bounds["exact"], share, "exact", rivals)
    places = data.sample_rows(path, VIEWS)
    later = [each for area in AREAS[1:] for each in about(opened.extent, *places, area)]
    for window in later[:: len(later) // WARMED]:
        opened.view(window)
    samples = [opened.view(window) for window in later]
    yield Figure(f"{what}: later views", "ms", samples, "p95", bounds["view"], opened.cells(later), "exact")


def _filtered(opened: Opened, least: float) -> tuple[float, float]:
    """Milliseconds until an estimate of all tiles of the whole extent is there, and until exact ones are: as on a
    server, the pyramid is completed behind them."""
    x0, y0, x1, y1 = opened.extent
    whole = Window(x0, x1, y0, y1)
    layer = Layer("points", "x", "y", filter=f"value > {least!r}")
    began = time.perf_counter()
    sampled = opened.engine.preview(opened.dataset, layer)
    assert sampled is not None
    for key in tiles(whole, *opened.roots):
        sampled.tile(TileKey(*key))
    spent = 1e3 * (time.perf_counter() - began)
    opened.layer = layer
    began = time.perf_counter()
    with ThreadPoolExecutor(1) as builder:
        built = builder.submit(opened.engine.ensure, opened.dataset, layer)
        while opened.engine.readiness(opened.dataset, layer) not in EXACT and not built.done():
            time.sleep(LOOK)
        opened.view(whole)
        exact = 1e3 * (time.perf_counter() - began)
    built.result()
    return spent, exact


def _kept(opened: Opened) -> int:
    return opened.engine.info(opened.dataset, opened.layer).rows_kept


def _values(path: Path) -> np.ndarray:
    with pa.memory_map(str(path)) as source:
        return np.asarray(pa.ipc.open_file(source).read_all()["value"].combine_chunks())


def _timed(call: Callable[[float], Any], levels: list[float]) -> list[float]:
    call(levels[0])  # what is compiled on first use
    samples = []
    for least in levels:
        began = time.perf_counter()
        call(least)
        samples.append(1e3 * (time.perf_counter() - began))
    return samples


def _duckdb(path: Path, extent: tuple[float, ...], levels: list[float]) -> Rival:
    """The same cells by SQL over the table in memory, on two threads."""
    x0, y0, x1, y1 = extent
    connection = duckdb.connect(config={"threads": 2})
    with pa.memory_map(str(path)) as source:
        read = pa.ipc.open_file(source).read_all()
        connection.register("read", read)
        sides = {"x0": x0, "y0": y0, "w": x1 - x0, "h": y1 - y0}
        samples = _timed(lambda least: connection.execute(_SQL.format(least=least, **sides)).fetchall(), levels)
    return Rival("duckdb (2 threads)", samples, "1024 x 768 cells", "exact")


def _datashader(path: Path, extent: tuple[float, ...], levels: list[float]) -> Rival:
    """A mask over a pandas frame in memory, and the points of what is left."""
    x0, y0, x1, y1 = extent
    with pa.memory_map(str(path)) as source:
        frame = pa.ipc.open_file(source).read_all().select(["x", "y", "value"]).to_pandas()
    canvas = ds.Canvas(WIDTH, HEIGHT, (x0, x1), (y0, y1))
    samples = _timed(lambda least: canvas.points(frame[frame["value"] > least], "x", "y"), levels)
    return Rival("datashader", samples, f"{WIDTH} x {HEIGHT} cells", "exact")
