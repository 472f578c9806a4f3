"""`python -m bench.stream`: how fast rows are appended, what a version costs until it is counted, what viewers wait for
while rows are appended, and what a kill leaves."""

from __future__ import annotations

import json
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final

import click
import numpy as np
import pyarrow as pa

from bench import machine, report
from bench.append_kills import append_kill_rounds
from bench.following import following
from bench.growing_lines import growing_lines
from bench.places import RESULTS, made
from bench.report import Figure
from bench.segments import segment_figures
from bigviz.client.connect import connect
from bigviz.client.streams import Stream
from bigviz.commands.bench.run import serving
from bigviz.document.figure import figure

KEPT: Final = RESULTS / "results.json"
_COLUMNS: Final = {f"c{number}": "float64" for number in range(5)}
_BATCH: Final = 10_000  # rows
_VERSIONS: Final = 10  # that are looked at, of each size
_SIZES: Final = (1_000_000, 10_000_000)


@click.command()
@click.option("--seconds", default=60.0, show_default=True, help="Of appending, in each case.")
@click.option("--large", default=10**8, show_default=True, help="Rows of the large table that is followed.")
@click.option("--rounds", default=200, show_default=True, help="Rounds of `kill -9`.")
@click.option(
    "--results", default=KEPT, show_default=True, type=click.Path(path_type=Path), help="Where they are kept."
)
def main(seconds: float, large: int, rounds: int, results: Path) -> None:
    """Measure streams on this machine, and keep the figures; `python -m bench --write` prints them into docs/."""
    began, facts, figures = time.perf_counter(), machine.describe(), []
    with tempfile.TemporaryDirectory(dir=made("scratch")) as folder:
        for each in run(Path(folder), seconds, large, rounds):
            figures.append(each)
            click.echo(str(each), err=True)
    taken = {"date": date.today().isoformat(), "machine": facts, "seconds": round(time.perf_counter() - began)}
    report.keep(results, "stream", taken, figures)


def run(folder: Path, seconds: float, large: int, rounds: int) -> Iterator[Figure]:
    """The figures, with libraries below a folder."""
    with serving(["--library", str(folder / "rate")]) as url:
        batch = pa.table({name: np.random.default_rng(1).random(_BATCH) for name in _COLUMNS})
        for writers in (1, 4):
            stream = connect(url).stream(f"rate{writers}", _COLUMNS)
            rates = _rates(stream, batch, writers, seconds)
            what = f"rows a second that {writers} writers append, {_BATCH:,} at a time, 5 float64, fsync"
            yield Figure(what, "rows/s", rates, "p50")
        stream = connect(url).stream("single", _COLUMNS)
        yield Figure("appends a second of one row, 4 writers", "1/s", _rates(stream, batch[:1], 4, seconds), "p50")
    for rows in _SIZES:
        with serving(["--library", str(folder / f"cost{rows}")]) as url:
            yield Figure(f"an append until its version is counted, {rows:,} rows", "ms", _costs(url, rows), "p50")
    yield from growing_lines(folder, _SIZES[-1])
    yield from following(folder / "following", seconds, large)
    for rows in _SIZES:
        yield from segment_figures(rows, seconds)
    samples = list(append_kill_rounds(folder / "kills", rounds, writers=4, seed=1))
    what = f"{rounds} rounds of kill -9 under 4 writers, until the server answers"
    yield Figure(what, "s", samples, "max", 3.0, counts="every acknowledged row there, once, in order")


def _rates(stream: Stream, batch: pa.Table, writers: int, seconds: float) -> list[float]:
    """Rows a second, in each second."""
    rows = [0] * writers
    end = time.perf_counter() + seconds

    def write(number: int) -> None:
        while time.perf_counter() < end:
            rows[number] += stream.append(batch)["rows"]

    threads = [threading.Thread(target=write, args=(number,)) for number in range(writers)]
    for thread in threads:
        thread.start()
    rates, before, at = [], 0, time.perf_counter()
    while at < end:
        time.sleep(min(1.0, seconds / 2))
        now, count = time.perf_counter(), sum(rows)
        rates.append((count - before) / (now - at))
        before, at = count, now
    for thread in threads:
        thread.join()
    return rates


def _costs(url: str, rows: int) -> list[float]:
    """Milliseconds from an append of one row to the facts of the layer with that row."""
    server, rng = connect(url), np.random.default_rng(2)
    stream = server.stream("cost", _COLUMNS)
    for _ in range(rows // _BATCH):
        stream.append({name: rng.random(_BATCH) for name in _COLUMNS})
    server.publish("plot", figure().points("cost", "c0", "c1"))
    samples = []
    for _ in range(_VERSIONS):
        began = time.perf_counter()
        total = stream.append({name: rng.random(1) for name in _COLUMNS})["offset"] + 1
        with urllib.request.urlopen(f"{url.rstrip('/')}/plot/layers/0/tilejson.json") as answer:
            assert json.load(answer)["rows"] == total
        samples.append(1e3 * (time.perf_counter() - began))
    return samples


if __name__ == "__main__":
    main()
