"""A regular float32 line: its tree, then any range at 2,000 columns. Peers scan the range each time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench import data, stores
from bench.agreement import Disagreement
from bench.machine import write_rate
from bench.opened import Opened
from bench.peers.process import Peer, PeerFailed
from bench.places import LARGE, made
from bench.report import Figure, Rival, words
from bigviz.data.cancel import NEVER

WIDTH: Final = 2_000
REQUESTS: Final = 300
PEER_REQUESTS: Final = 4
BUILD: Final = 10.0  # s
BOUND: Final = 3.0  # ms


def run(rows: int) -> Iterator[Figure]:
    """The tree's build, then requests: the whole line, and random ranges of 2,000 rows to all of them."""
    path = data.arrow("line", rows)
    _request(Opened(data.arrow("line", 1 << 20), "any", glyph="line"), 0, 1 << 20)  # compiles
    seconds, beside, store = _built(path)
    opened = Opened(path, "any", store, glyph="line")
    seconds = seconds or opened.seconds
    yield Figure(f"tree of a line of {words(rows)} float32", "s", [seconds], "max", BUILD, beside, headline=True)
    whole = [_request(opened, 0, rows) for _ in range(30)]
    rivals = [_rival(name, loading, path, rows, opened) for name, loading in _peers(rows)]
    what = f"line of {words(rows)} rows, {WIDTH:,} columns"
    yield Figure(f"{what}, all of it", "ms", whole, "p95", BOUND, f"{4 * WIDTH:,} rows", "exact", rivals, True)
    rng = np.random.default_rng(4)
    lengths = np.exp(rng.uniform(np.log(WIDTH), np.log(rows), REQUESTS)).astype(np.int64)
    starts = (rng.random(REQUESTS) * (rows - lengths)).astype(np.int64)
    times = [_request(opened, int(start), int(start + length)) for start, length in zip(starts, lengths, strict=True)]
    yield Figure(f"{what}, any range", "ms", times, "p95", BOUND, headline=True)


def _built(path: Path) -> tuple[float, str, Path | None]:
    """Seconds of `bigviz index`, the disk's rate in words, and the store; 0 and no store for a line in memory."""
    if stores.of(path, glyph="line") is None:
        return 0.0, "in memory", None
    folder = made("stores") / path.stem
    rate = write_rate(folder)
    seconds, _ = stores.build(path, folder, glyph="line")
    return seconds, f"`bigviz index`; the disk takes {rate:,.0f} MB/s with fsync", folder


def _request(opened: Opened, x0: int, x1: int) -> float:
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
