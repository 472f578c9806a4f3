"""What a version of a line costs: from an append of 10,000 rows until a page's columns have them."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from bench.report import Figure
from bigviz.client.connect import connect
from bigviz.commands.bench.run import serving
from bigviz.document.figure import figure

__all__ = ["growing_lines"]

_BATCH: Final = 10_000
_FILL: Final = 500_000  # rows of an append that only makes the table large
_VERSIONS: Final = 60
_WIDTH: Final = 1500
_LATE: Final = 0.01  # of the rows, by up to 50,000 of them
Clock = Callable[[np.random.Generator, int, int], Any]


def _in_order(rng: np.random.Generator, first: int, count: int) -> Any:
    return first + np.arange(count) + rng.random(count) / 2


def _late(rng: np.random.Generator, first: int, count: int) -> Any:
    return _in_order(rng, first, count) - np.where(rng.random(count) < _LATE, 5e4 * rng.random(count), 0.0)


def _random(rng: np.random.Generator, first: int, count: int) -> Any:
    return rng.random(count)


_ARRIVALS: Final[dict[str, Clock]] = {"in order": _in_order, "1 % late": _late, "in random order": _random}


def growing_lines(folder: Path, rows: int) -> Iterator[Figure]:
    """The figures, with libraries below a folder, of lines that have so many rows to begin with."""
    for arrival, clock in _ARRIVALS.items():
        with serving(["--library", str(folder / f"lines-{arrival.replace(' ', '-')}")]) as url:
            anew, samples = _measure(url, rows, clock)
        what = f"an append of {_BATCH:,} rows {arrival} to a line of {rows:,}, until its {_WIDTH:,} columns are there"
        ratio = anew / float(np.median(samples))
        yield Figure(
            what, "ms", samples, "p95", counts=f"the first version took {anew:,.0f} ms, {ratio:,.0f} x the median"
        )


def _measure(url: str, rows: int, clock: Clock) -> tuple[float, list[float]]:
    """Milliseconds of the first version, which is made of all rows, and of each one after it, which goes on from the
    one before: with the append and the view."""
    server, rng = connect(url), np.random.default_rng(3)
    stream = server.stream("walk", {"x": "float64", "y": "float64"})
    end = 0

    def append(count: int) -> None:
        nonlocal end
        stream.append(pa.table({"x": clock(rng, end, count), "y": rng.normal(size=count).cumsum()}))
        end += count

    for _ in range(rows // _FILL):
        append(_FILL)
    server.publish("plot", figure().line("walk", "x", "y"))
    span = end if clock is not _random else 1
    address = f"{url.rstrip('/')}/plot/layers/0/columns.arrow?x0=0&x1={span}&width={_WIDTH}"
    samples = []
    for _ in range(_VERSIONS + 1):
        began = time.perf_counter()
        append(_BATCH)
        with urllib.request.urlopen(address) as answer:
            pa.ipc.open_file(answer.read()).read_all()
        samples.append(1e3 * (time.perf_counter() - began))
    return samples[0], samples[1:]
