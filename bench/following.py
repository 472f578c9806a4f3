"""What viewers wait for while rows are appended: in a crowd, beside others who read nothing, while a view is moved.
Each case starts a server of its own."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from bench.followers import Came, followers
from bench.growing import BATCH, FEW, RATE, SMALL, WIDTH, Grown, growing, ticks
from bench.load.crowd import crowd, job_of
from bench.report import Figure, statistic

__all__ = ["beside_stopped", "many", "panning"]

_MB: Final = 1e6
_VIEWS: Final = 10.0  # a second, of the viewer who pans


def many(folder: Path, seconds: float, viewers: int = 200) -> Iterator[Figure]:
    """Viewers of one line."""
    with growing(folder, SMALL) as grown:
        came, appends = _followed(grown, seconds, viewers)
    share = 100 * min(came.updates) / appends
    what = f"{viewers} viewers of one line, {RATE:g} updates a second, from the append to its update"
    size = came.nbytes / max(1, sum(came.updates)) / 1e3
    yield Figure(what, "ms", came.milliseconds, "p99", 300.0, f"{size:.1f} kB an update", f"each got {share:.0f} %")


def beside_stopped(folder: Path, seconds: float, stopped: int = 10) -> Iterator[Figure]:
    """A hundred viewers, some of whom read nothing."""
    taken = []
    for number in (0, stopped):
        with growing(folder / str(number), SMALL) as grown:
            before = grown.process.memory()
            came, _ = _followed(grown, seconds, 100 - number, number)
            taken.append((statistic(came.milliseconds, "p99"), (grown.process.memory() - before) / _MB))
    (alone, held), (beside, more) = taken
    what = f"{stopped} of 100 viewers read nothing: p99 of the others against that without them"
    yield Figure(what, "x", [beside / alone], "max", 1.1, counts=f"{beside:.0f} ms, {alone:.0f} ms")
    yield Figure("memory of the server meanwhile, more than without them", "MB", [more - held], "max", 50.0)


def panning(folder: Path, seconds: float) -> Iterator[Figure]:
    """Sustained appends, and one viewer who moves a view of the rows that were there first."""
    with growing(folder, 1_000_000) as grown:
        definition = grown.line["definition"]
        starts = np.linspace(0, grown.rows / 2, 1_000)
        views = [
            {"layer": 0, "definition": definition, "columns": {"x0": x0, "x1": x0 + grown.rows / 2, "width": WIDTH}}
            for x0 in starts.tolist()
        ]
        texts = [json.dumps({"op": "view", "figure": 0, "layers": [each]}) for each in views]
        job = job_of("views", grown.url, 1, _VIEWS, seconds=seconds, messages=[texts])
        stop = threading.Event()

        def write() -> None:
            while not stop.is_set():
                grown.append(BATCH)

        with crowd(replace(job, path=f"{job.path}?follow=1")) as viewing:
            writer, began = threading.Thread(target=write), time.perf_counter()
            writer.start()
            came = viewing.work()
            stop.set()
            writer.join()
            rate = (grown.at - grown.rows) / (time.perf_counter() - began)
    what = f"sustained append, {BATCH:,} rows of 5 float64 at a time, fsync, while one viewer pans"
    yield Figure(what, "rows/s", [rate], "p50", counts="at least 500,000 are promised")
    yield Figure("a view of the viewer who pans meanwhile", "ms", came.milliseconds, bound=100.0)


def _followed(grown: Grown, seconds: float, viewers: int, stopped: int = 0) -> tuple[Came, int]:
    """What came to viewers of the line, and how many appends there were."""
    appends = 1
    with followers(grown.url, "grown", grown.line, viewers, stopped) as watched:
        grown.append(FEW)
        time.sleep(1.0)
        for _ in ticks(seconds):
            grown.append(FEW)
            appends += 1
        time.sleep(1.0)
    return watched.came, appends
