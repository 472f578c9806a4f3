"""The first picture of each version of a table that grows: what it costs, and what of that choosing the colours of a
level does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa

from bench.cases.http import Kept
from bench.growing import BATCH
from bench.load.machine import Process
from bench.report import Figure, words
from bench.segments import Table
from bigviz.aggregate.layer import Layer
from bigviz.aggregate.picture_cells import picture_cells
from bigviz.client.connect import connect
from bigviz.commands.bench.run import serving
from bigviz.document.figure import figure
from bigviz.render.shade import Shading, level_norm
from bigviz.tiles.engine import Engine

__all__ = ["growing_colours", "growing_pictures"]

_AGGREGATES: Final = ("count", "mean(v)")
_COLUMNS: Final = dict.fromkeys(("x", "y", "v"), "float64")
_APPENDED: Final = 1_000  # rows of a version
_VERSIONS: Final = 40
_WARM: Final = 5  # versions that do not count: kernels are compiled, and all rows looked at once
_TILE: Final = "tiles/5/16/15.png"
_LEVELS: Final = (("count", (5, 5)), ("mean(v)", (5, 5)), ("by(kind, mean(v))", (5, 5)), ("count", (4, 6)),
                  ("mean(v)", (4, 6)))  # fmt: skip
_EQUALIZED: Final = Shading("viridis", "eq_hist", None, None)


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


def growing_colours(rows: int) -> Iterator[Figure]:
    """Processor time for the colours of a level alone, in the thread that draws the first picture of a version, and
    what making the version took: rows come, and in a last case as many go."""
    for (agg, level), rolls in [*((each, False) for each in _LEVELS), (_LEVELS[1], True)]:
        table, engine, layer = Table(rows, _colour_rows, _APPENDED), Engine(threads=1), Layer("points", "x", "y", agg)
        spent, made, cells = list[float](), list[float](), picture_cells(layer.reduction)
        for _ in range(_WARM + _VERSIONS):
            table.append()
            if rolls:
                table.roll(_APPENDED)
            dataset = table.version()
            began = time.process_time()
            engine.ensure(dataset, layer)
            made.append(1e3 * (time.process_time() - began))
            began = time.thread_time()
            values = engine.level_values(dataset, layer, level).values
            assert values is not None
            level_norm(values, cells, _EQUALIZED)
            spent.append(1e3 * (time.thread_time() - began))
        go = ", and as many go" if rolls else ""
        what = f"colours of level {level[0]}, {level[1]} of a new version, {words(rows)} rows, {_APPENDED:,} come{go}"
        told = f"processor time; {spent[0]:.0f} ms at first; a version {np.median(made[_WARM:]):.1f} ms"
        yield Figure(f"{what}, {agg}", "ms", spent[_WARM:], "median", 1.0, counts=told)


def _colour_rows(random: np.random.Generator, rows: int) -> pa.Table:
    columns: dict[str, Any] = {name: random.normal(size=rows) for name in _COLUMNS}
    labels = pa.array(random.integers(0, 8, rows).astype(np.int8))
    return pa.table({**columns, "kind": pa.DictionaryArray.from_arrays(labels, list("abcdefgh"))})
