"""The first picture of each version of a table that grows: what choosing the colours of a level costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa

from bench.cases.http import Kept
from bench.growing import BATCH
from bench.load.machine import Process
from bench.report import Figure, words
from bigviz.client.connect import connect
from bigviz.commands.bench.run import serving
from bigviz.document.figure import figure

__all__ = ["growing_pictures"]

_AGGREGATES: Final = ("count", "mean(v)")
_COLUMNS: Final = dict.fromkeys(("x", "y", "v"), "float64")
_APPENDED: Final = 1_000  # rows of a version
_VERSIONS: Final = 40
_WARM: Final = 5  # versions that do not count: kernels are compiled, and all rows looked at once
_TILE: Final = "tiles/5/16/15.png"


def growing_pictures(folder: Path, rows: int) -> Iterator[Figure]:
    """Processor time of the server for a picture, once the rows of its version are in order."""
    random, started = np.random.default_rng(3), list[int]()

    def some(count: int) -> pa.Table:
        return pa.table({name: random.normal(size=count) for name in _COLUMNS})

    note: Callable[[int], None] = started.append
    with serving(["--library", str(folder / f"pictures-{rows}")], note) as url:
        server, process = connect(url), Process(started[0], url)
        stream = server.stream("rows", _COLUMNS)
        for first in range(0, rows, 10 * BATCH):
            stream.append(some(min(10 * BATCH, rows - first)))
        kept = Kept(urlsplit(url).port or 80)
        try:
            for number, agg in enumerate(_AGGREGATES):
                server.publish(f"plot{number}", figure().points("rows", "x", "y", agg=agg))
                base, spent = f"/plot{number}/layers/0/", 0.0
                for version in range(_WARM + _VERSIONS):
                    stream.append(some(_APPENDED))
                    kept.get(f"{base}tilejson.json")
                    before = process.cpu()
                    kept.get(f"{base}{_TILE}")
                    spent += process.cpu() - before if version >= _WARM else 0.0
                what = f"first `.png` of a version, {words(rows)} rows and {_APPENDED:,} more each time, {agg}"
                yield Figure(
                    what, "ms", [1e3 * spent / _VERSIONS], "max", counts=f"processor time, mean of {_VERSIONS}"
                )
        finally:
            kept.close()
