"""A worker that is killed while somebody pans: how soon the page has an estimate, and when it is exact again."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench import data
from bench.processes import times_of
from bench.report import Figure, words
from bigviz.commands.bench.client import Client, definition
from bigviz.commands.bench.run import serving
from bigviz.commands.bench.window import Window, tiles

__all__ = ["lost"]

REPEATS: Final = 3
WORKERS: Final = 2
PANS: Final = 20
PAN: Final = 0.2  # of the window, to the right and up
FIRST: Final = 1.0  # s


def lost(rows: int) -> Iterator[Figure]:
    """At most 10^7 rows on two workers of a server of its own, of which one is killed between two views of a pan."""
    rows = min(rows, 10**7)
    path = data.arrow("points", rows)
    index, first, exact = list[float](), list[float](), list[float]()
    for number in range(REPEATS):
        pids: list[int] = []
        with serving([f"table={path}", "--x=x", "--y=y", f"--workers={WORKERS}"], pids.append) as url:
            found = asyncio.run(_panned(url, pids[0], number))
        for each, seconds in zip((index, first, exact), found, strict=True):
            each.append(seconds)
        print("index {:.2f} s, first estimate {:.2f} s, exact {:.2f} s".format(*found), file=sys.stderr, flush=True)
    what = f"one of {WORKERS} workers killed during a pan over {words(rows)} rows"
    yield Figure(f"{what}, first estimate", "s", first, "max", FIRST)
    yield Figure(f"{what}, exact again", "s", exact, "max")
    ratios = [late / early for late, early in zip(exact, index, strict=True)]
    yield Figure(f"{what}, exact again, times the first index of the same server", "", ratios, "max", 1.0)


async def _panned(url: str, server: int, seed: int) -> tuple[float, float, float]:
    """Seconds of the first index, and from the kill to the first estimate of a view and to all of it exact."""
    client = await Client.connect(url)
    try:
        wanted = definition(client.document)
        begun = time.perf_counter()
        info = await client.layer(wanted)
        index = time.perf_counter() - begun
        x0, y0, x1, y1 = (float(each) for each in info["range"])
        x, y = np.random.default_rng(seed).uniform(0.3, 0.4, 2) * (x1 - x0, y1 - y0) + (x0, y0)
        window = Window(x0, x1, y0, y1).scaled(1 / 32, float(x), float(y))
        for step in range(PANS):
            await client.view(_message(wanted, window.moved(step * PAN, step * PAN), info["root"]))
        begun = time.perf_counter()
        os.kill(_worker(server), signal.SIGKILL)
        end = PANS * PAN + 2  # of whose tiles the server has none
        taken, _ = await client.view(_message(wanted, window.moved(end, end), info["root"]))
        if not taken.estimates:
            raise ValueError("the view after the loss was answered without an estimate")
        ended = time.perf_counter() - begun
        return index, ended - (taken.total - taken.first) / 1e3, ended
    finally:
        await client.close()


def _message(wanted: dict[str, str], window: Window, roots: dict[str, tuple[str, int]]) -> dict[str, Any]:
    """A view as a page asks for it: with the roots that its tiles are numbered in, which estimates need."""
    x, y = ((float(start), exponent) for start, exponent in (roots["x"], roots["y"]))
    shown = {name: getattr(window, name) for name in ("x0", "x1", "y0", "y1", "width", "height")}
    return {"layer": 0, "definition": wanted, "roots": roots, "tiles": tiles(window, x, y), "window": shown}


def _worker(server: int) -> int:
    """The number of a worker's process: what Dask starts has its own program, by way of a spawned interpreter."""
    for pid in times_of(server):
        if pid != server and b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes():
            return pid
    raise ValueError("the server has no workers")
