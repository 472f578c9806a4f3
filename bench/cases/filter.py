"""Filters over all rows: how many an expression keeps, in memory and of a file; DuckDB and pyarrow beside it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pd

import bigviz as bv
from bench import data
from bench.report import Figure, Rival, words
from bigviz.common.workers import SLICE, Crew
from bigviz.data.columns.column import Column
from bigviz.data.filters.cells import cells_of
from bigviz.data.filters.check import check
from bigviz.data.filters.parse import parse
from bigviz.data.filters.predicate import Predicate

REPEATS: Final = 5
THREADS: Final = 2
BOUND: Final = 200.0  # ms of a mask of one comparison at 10^8 rows
FILTERS: Final[dict[str, Callable[[], pc.Expression]]] = {
    "value > 0.5": lambda: pc.field("value") > 0.5,
    "x between -0.5 and 0.5": lambda: (pc.field("x") >= -0.5) & (pc.field("x") <= 0.5),
    "kind in ('east', 'south')": lambda: pc.field("kind").isin(["east", "south"]),
    "x > 0 and y > 0 and kind != 'north'": lambda: (
        (pc.field("x") > 0) & (pc.field("y") > 0) & (pc.field("kind") != "north")
    ),
}
"""The same in our language, which DuckDB reads too, and for pyarrow."""


def run(rows: int) -> Iterator[Figure]:
    """Masks of columns in memory, as layers make them; counts of the rows of a file, as `dataset.where` makes them."""
    path = data.arrow("points", rows)
    dataset = bv.open(str(path), name="table")
    table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    connection = duckdb.connect()
    connection.execute(f"SET threads = {THREADS}")
    connection.register("points", table)
    for text, arrow in FILTERS.items():
        predicate = check(parse(text), dataset)
        columns = {name: dataset.column(name) for name in predicate.columns}
        kept, samples = _timed(lambda p=predicate, c=columns: _kept(p, c, rows))  # type: ignore[misc]
        sql = f"SELECT count(*) FROM points WHERE {text}"
        rivals = [
            _rival("DuckDB", kept, lambda q=sql: connection.execute(q).fetchall()[0][0]),  # type: ignore[misc]
            _rival("pyarrow", kept, lambda a=arrow: pd.dataset(table).count_rows(filter=a())),  # type: ignore[misc]
        ]
        one = " and " not in text.replace("between -0.5 and", "")
        bound = BOUND if one and rows <= 10**8 else None
        yield Figure(f"mask of {words(rows)} rows in memory: {text}", "ms", samples, "p50", bound, rivals=rivals)
        count, samples = _timed(dataset.where(text).count)
        if count != kept:
            raise AssertionError(f"{text} kept {kept:,} rows of the columns and {count:,} of the file")
        yield Figure(f"count of {words(rows)} rows of an Arrow file: {text}", "ms", samples, "p50")


def _kept(predicate: Predicate, columns: dict[str, Column], rows: int) -> int:
    mask = np.empty(rows, np.bool_)

    def work(start: int) -> int:
        stop = min(rows, start + SLICE)
        mask[start:stop] = predicate.mask(lambda name: cells_of(columns[name], start, stop), stop - start)
        return stop - start

    Crew(threads=THREADS).run("filtering", work, range(0, rows, SLICE), rows)
    return int(np.count_nonzero(mask))


def _rival(name: str, kept: int, count: Callable[[], int]) -> Rival:
    found, samples = _timed(count)
    return Rival(name, samples, counts="exact" if found == kept else f"{found:,} rows, not {kept:,}")


def _timed(work: Callable[[], Any]) -> tuple[Any, list[float]]:
    """The answer, and milliseconds of some repetitions after a first one."""
    found = work()
    samples = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        work()
        samples.append(1e3 * (time.perf_counter() - began))
    return found, samples
