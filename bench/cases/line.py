"""A float32 line: its tree, then any range at 2,000 columns. Peers scan the range of a regular one each time."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench import data, stores
from bench.agreement import Disagreement
from bench.machine import write_rate
from bench.opened import Opened, await_verified
from bench.peers.process import Peer, PeerFailed
from bench.places import LARGE, made
from bench.report import Figure, Rival, words
from bigviz.common.cancel import NEVER

WIDTH: Final = 2_000
REQUESTS: Final = 300
EARLY: Final = 30  # requests that are asked as soon as the store is open
PEER_REQUESTS: Final = 4
BUILDS: Final = 3  # memory that a virtual machine has not used for a while costs the first one some seconds
BUILD: Final = 10.0  # s
BOUND: Final = 3.0  # ms
OURS: Final = "-line"  # ends the names of the stores of lines, which may be next to those of points
UNEVEN: Final[dict[data.Table, str]] = {
    "irregular": "x at random distances",
    "gappy": "half of y missing",
    "points": "x in no order",
}


def run(rows: int) -> Iterator[Figure]:
    """The tree's build, then requests: the whole line, and random ranges of 2,000 rows to all of them.

    Requests are timed once every page has been verified, and before the peers, whose copies of 10^9 rows drive the
    store out of the page cache. What comes before that, just after opening, is a figure of its own without a bound.
    """
    path = data.arrow("line", rows)
    _warm_up("line")
    builds = [_built(path) for _ in range(1 if stores.in_memory(path) else BUILDS)]
    _, _, beside, store = builds[-1]
    opened = Opened(path, "any", store, glyph="line")
    early = [_request(opened, *window) for window in _windows(opened, rows, EARLY, 5)]
    took = [seconds or opened.seconds for seconds, *_ in builds]
    yield Figure(f"tree of a line of {words(rows)} float32", "s", took, "median", BUILD, beside)
    await_verified()
    whole = [_request(opened, 0, rows) for _ in range(30)]
    times = [_request(opened, *window) for window in _windows(opened, rows, REQUESTS, 4)]
    rivals = [_rival(name, loading, path, rows, opened) for name, loading in _peers(rows)]
    what = f"line of {words(rows)} rows, {WIDTH:,} columns"
    yield Figure(f"{what}, all of it", "ms", whole, "p95", BOUND, f"{4 * WIDTH:,} rows", "exact", rivals)
    yield Figure(f"{what}, any range", "ms", times, "p95", BOUND)
    yield Figure(f"{what}, any range, just opened", "ms", early)


def uneven(rows: int) -> Iterator[Figure]:
    """The same for lines that are not regular: x at random distances, half of y missing, x in no order."""
    for table, named in UNEVEN.items():
        path = data.arrow(table, rows)
        _warm_up(table)
        seconds, peak, beside, store = _built(path)
        opened = Opened(path, "any", store, glyph="line")
        what = f"line of {words(rows)} rows, {named}"
        yield Figure(f"{what}, tree", "s", [seconds or opened.seconds], "max", None, beside)
        if store is not None:
            yield Figure(f"{what}, tree, peak of anonymous memory", "MiB", [peak / 2**20], "max")
        await_verified()
        times = [_request(opened, *window) for window in _windows(opened, rows, REQUESTS, 4)]
        yield Figure(f"{what}, {WIDTH:,} columns, any range", "ms", times)
        if rows > LARGE:  # the next one needs the room
            del opened
            shutil.rmtree(made("stores") / f"{path.stem}{OURS}", ignore_errors=True)
            if table != "points":
                path.unlink()


def _warm_up(table: data.Table) -> None:
    """Compile what will be timed, by building and asking a small table's line."""
    small = data.arrow(table, 1 << 20)
    stores.build(small, made("scratch") / "warm-up", glyph="line")
    opened = Opened(small, "any", glyph="line")
    for window in _windows(opened, 1 << 20, 2, 3):
        _request(opened, *window)


def _windows(opened: Opened, rows: int, count: int, seed: int) -> list[tuple[float, float]]:
    """Random ranges of x, of lengths from that of 2,000 rows in the mean to the whole, spread evenly in logarithm."""
    x0, _, x1, _ = opened.info.range or (0, 0, 0, 0)
    number = int if isinstance(x0, int) else float
    rng = np.random.default_rng(seed)
    shares = np.exp(rng.uniform(np.log(min(WIDTH / rows, 1.0)), 0.0, count))
    starts = rng.random(count) * (1.0 - shares)
    span = x1 - x0
    return [(x0 + number(a * span), x0 + number((a + s) * span)) for a, s in zip(starts, shares, strict=True)]


def _built(path: Path) -> tuple[float, int, str, Path | None]:
    """Seconds of `bigviz index`, its peak of anonymous memory in bytes, the disk's rate in words, and the store; zeros
    and no store for a line in memory."""
    if stores.in_memory(path):
        return 0.0, 0, "in memory", None
    folder = made("stores") / f"{path.stem}{OURS}"
    rate = write_rate(made("stores"))
    seconds, peak = stores.build(path, folder, glyph="line")
    return seconds, peak, f"`bigviz index`; the disk takes {rate:,.0f} MB/s with fsync", folder


def _request(opened: Opened, x0: float, x1: float) -> float:
    start = time.perf_counter()
    opened.engine.columns(opened.dataset, opened.layer, x0, x1, WIDTH, NEVER)
    return (time.perf_counter() - start) * 1e3


def _peers(rows: int) -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = [("tsdownsample", {}), ("flexviz", {})]
    found.append(("xy", {"line": True, "mapped": rows > LARGE}))
    return found if rows > LARGE else [*found, ("datashader", {})]


def _rival(name: str, loading: dict[str, Any], path: Path, rows: int, opened: Opened) -> Rival:
    """A peer on the whole line; those that say which values they chose must have the extremes of every column."""
    try:
        with Peer(name) as peer:
            peer.ask("load", path=str(path), columns=["x", "y"], **loading)
            answer = peer.ask("line", keep=True, x0=0, x1=rows, width=WIDTH)
            counts = "not compared"
            if answer["array"] is not None and answer["array"].shape == (2, WIDTH):
                if not np.array_equal(answer["array"], _extremes(opened, rows)):
                    raise Disagreement(f"{name} and bigviz have other extremes in some column of {rows} rows")
                counts = "exact"
            times = [peer.ms("line", x0=0, x1=rows, width=WIDTH) for _ in range(PEER_REQUESTS)]
            delivered = f"{answer['rows']:,} rows" if "rows" in answer else f"{WIDTH} x 768 cells"
            return Rival(name, times, delivered, counts)
    except PeerFailed as error:
        return Rival(name, [], counts=f"failed: {error}")


def _extremes(opened: Opened, rows: int) -> np.ndarray:
    """Lowest and highest value of each column of the whole line: (2, WIDTH)."""
    found = opened.engine.columns(opened.dataset, opened.layer, 0, rows, WIDTH, NEVER)
    inside = (found.column >= 0) & (found.column < WIDTH)
    extremes = np.array([[np.inf], [-np.inf]]).repeat(WIDTH, axis=1)
    np.minimum.at(extremes[0], found.column[inside], found.y[inside])
    np.maximum.at(extremes[1], found.column[inside], found.y[inside])
    return extremes
