"""A dataset that grows at a steady rate, and a server with a page that shows it as a line."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from bench.load.machine import Process
from bigviz.client.connect import connect
from bigviz.client.streams import Stream
from bigviz.commands.bench.run import serving
from bigviz.document.figure import figure

__all__ = ["BATCH", "COLUMNS", "FEW", "RATE", "SMALL", "WIDTH", "Y_RANGE", "Grown", "growing", "rows_from", "ticks"]

COLUMNS: Final = {f"c{number}": "float64" for number in range(5)}
BATCH: Final = 10_000  # rows, of the first rows and of sustained appends
FEW: Final = 100  # rows of an append that viewers follow
RATE: Final = 10.0  # appends a second
SMALL: Final = 100_000
Y_RANGE: Final = (-2, 2)
WIDTH: Final = 1_000


@dataclass
class Grown:
    """A server over one dataset that grows: its page, its stream, and how far x has come."""

    url: str
    stream: Stream
    process: Process
    rows: int
    at: int

    @property
    def line(self) -> dict[str, Any]:
        """What a viewer of the whole range of x has of the line."""
        kinds = {"agg": "any", "xaxis": "linear", "yaxis": "linear", "root": "default"}
        definition = {"dataset": "grown", "glyph": "line", "x": "c0", "y": "c1", **kinds}
        return {"layer": 0, "definition": definition, "columns": {"x0": 0.0, "x1": 2.0 * self.rows, "width": WIDTH}}

    def append(self, count: int) -> float:
        """Append rows whose first column ascends: the time of the call, in seconds since the epoch."""
        table = rows_from(self.at, count)
        self.at += count
        called = time.time()
        self.stream.append(table)
        return called


@contextmanager
def growing(folder: Path, rows: int) -> Iterator[Grown]:
    """A server with so many rows and a page of a line over twice their range."""
    folder.mkdir(parents=True)
    started: list[int] = []
    note: Callable[[int], None] = started.append
    with serving(["--library", str(folder / "library")], note) as url:
        server = connect(url)
        stream = server.stream("grown", COLUMNS)
        for first in range(0, rows, BATCH):
            stream.append(rows_from(first, min(BATCH, rows - first)))
        drawn = figure(x_range=(0, 2 * rows), y_range=Y_RANGE).line("grown", x="c0", y="c1")
        server.publish("page", drawn)
        yield Grown(f"{url.rstrip('/')}/page/", stream, Process(started[0], url), rows, rows)


def rows_from(first: int, count: int) -> pa.Table:
    """Rows by their numbers, which are their first column."""
    x = np.arange(first, first + count, dtype=float)
    return pa.table({"c0": x, **{f"c{number}": np.sin(x / 10**number) for number in range(1, 5)}})


def ticks(seconds: float) -> Iterator[None]:
    """At even distances, as many a second as there are appends."""
    began = time.perf_counter()
    for number in range(round(seconds * RATE)):
        time.sleep(max(0.0, began + number / RATE - time.perf_counter()))
        yield
