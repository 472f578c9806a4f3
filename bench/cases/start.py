"""Starting up: the command line's help; `bigviz serve` of the demo to an exact page; of a large table with a store to
its first exact tiles; and another reduction on a page that is open."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser

from bench import data, stores
from bench.machine import drop_cached, fill_cache
from bench.report import Figure, words
from bigviz.commands.bench.browser import chromium, open_page
from bigviz.commands.bench.client import Client, ViewTime, definition
from bigviz.commands.bench.run import serving
from bigviz.commands.bench.window import HEIGHT, WIDTH, Window, tiles

REPEATS: Final = 5
AGGS: Final = ("sum(value)", "max(value)", "min(value)")


def run(rows: int) -> Iterator[Figure]:
    """At 10^7 rows what the demo takes; from 10^8 on what a table with a store takes."""
    if rows <= 10**7:
        yield _help_time()
        with chromium() as browser:
            yield from _ready_times(browser, data.parquet("points", rows))
        return
    path = data.arrow("points", rows)
    store = stores.of(path)
    assert store is not None
    _first_tiles(path, store)  # compiles
    warm = [_first_tiles(path, store) for _ in range(REPEATS)]
    what = f"start of `bigviz serve` of {words(rows)} rows with a store, to the first view exact"
    yield Figure(what, "s", warm, "max", 2.0)
    cold = []
    for _ in range(3):
        drop_cached(store)
        cold.append(_first_tiles(path, store))
    yield Figure(f"{what}, page cache dropped", "s", cold, "max")


def reductions(rows: int) -> Iterator[Figure]:
    """A reduction that has no pyramid yet, over rows in order: the first estimate, and the whole extent exact."""
    path = data.arrow("points", rows)
    store = stores.of(path, stores.COLUMNS)
    where = [f"--store-dir={store}", "--index=existing"] if store else []  # nothing is added to the store
    with serving([str(data.arrow("points", 1 << 20)), "--x=x", "--y=y"]) as url:
        asyncio.run(_reduced(url))  # compiles
    if store:
        fill_cache(store)
    with serving([str(path), "--x=x", "--y=y", *where]) as url:
        times = asyncio.run(_reduced(url))
    first, exact = ([time[k] for time in times] for k in (0, 1))
    what = f"new reduction of a column at {words(rows)} rows"
    bounds = (100.0, 1.5) if rows == 10**8 else (None, None)
    yield Figure(f"{what}, first estimate", "ms", first, "max", bounds[0])
    yield Figure(f"{what}, whole extent exact", "s", exact, "max", bounds[1])


async def _reduced(url: str) -> list[tuple[float, float]]:
    """For each reduction: ms to the first part, s to the whole view exact."""
    client = await Client.connect(url)
    try:
        base = definition(client.document)
        await _whole(client, base)
        times = []
        for agg in AGGS:
            start = time.perf_counter()
            asked, view = await _whole(client, base | {"agg": agg}, ready=False)
            times.append(((asked - start) * 1e3 + view.first, asked - start + view.total / 1e3))
        return times
    finally:
        await client.close()


async def _whole(client: Client, wanted: dict[str, str], *, ready: bool = True) -> tuple[float, ViewTime]:
    """When the whole range was requested (`perf_counter`), and what that view took."""
    info = await client.layer(wanted, ready=ready)
    asked = time.perf_counter()
    x0, y0, x1, y1 = (float(edge) for edge in info["range"])
    roots = [(float(info["root"][axis][0]), int(info["root"][axis][1])) for axis in "xy"]
    view: dict[str, Any] = {"layer": 0, "definition": wanted}
    view["tiles"] = tiles(Window(x0, x1, y0, y1, WIDTH, HEIGHT), roots[0], roots[1])
    return asked, (await client.view(view))[0]


def _first_tiles(path: Path, store: Path) -> float:
    """Seconds from the start of the process to all tiles of the whole range, over a websocket."""

    async def first(url: str) -> None:
        client = await Client.connect(url)
        await _whole(client, definition(client.document))
        await client.close()

    start = time.perf_counter()
    with serving([str(path), "--x=x", "--y=y", f"--store-dir={store}"]) as url:
        asyncio.run(first(url))
        return time.perf_counter() - start


def _help_time(repeats: int = 15) -> Figure:
    """Wall time of the `bigviz` script with --help; the first run, which reads files from disk, is not counted."""
    script = str(Path(sys.executable).with_name("bigviz"))
    samples = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        subprocess.run([script, "--help"], check=True, stdout=subprocess.DEVNULL)
        samples.append(time.perf_counter() - start)
    return Figure("`bigviz --help`", "s", samples[1:], "median", 0.4)


def _ready_times(browser: Browser, path: Path) -> Iterator[Figure]:
    """From the start of the process to `data-ready`: with numba's cache filled by a first run, then with it empty."""
    with tempfile.TemporaryDirectory() as filled:
        _ready(browser, path, filled)
        warm = [_ready(browser, path, filled) for _ in range(REPEATS)]
    what = "`bigviz serve` of 10^7 rows to an exact page"
    yield Figure(what, "s", warm, "median", 3.0)
    cold = []
    for _ in range(2):
        with tempfile.TemporaryDirectory() as empty:
            cold.append(_ready(browser, path, empty))
    yield Figure(f"{what}, nothing compiled before", "s", cold, "max", 20.0)


def _ready(browser: Browser, path: Path, cache: str) -> float:
    start = time.perf_counter()
    with serving([str(path)], env=dict(os.environ) | {"NUMBA_CACHE_DIR": cache}) as url:
        open_page(browser, url).close()
        return time.perf_counter() - start
