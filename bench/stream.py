"""`python -m bench.stream`: how fast rows are appended, what a version costs until it is counted, what viewers wait for
while rows are appended, and what a kill leaves."""

from __future__ import annotations

import json
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import click
import numpy as np
import pyarrow as pa

from bench import machine, report
from bench.append_kills import append_kill_rounds
from bench.following import beside_stopped, many, panning
from bench.growing import BATCH, COLUMNS, SMALL
from bench.growing_lines import growing_lines
from bench.growing_pictures import growing_colours, growing_pictures
from bench.peers.process import Peer
from bench.pixels import beside_peers, into_large
from bench.places import RESULTS, made
from bench.report import Figure
from bench.rollover import rollover
from bench.segments import segment_figures
from bigviz.client.connect import connect
from bigviz.client.streams import Stream
from bigviz.commands.bench.run import serving
from bigviz.document.figure import figure

KEPT: Final = RESULTS / "results.json"
_VERSIONS: Final = 10  # that are looked at, of each size
_SIZES: Final = (1_000_000, 10_000_000)


@dataclass(frozen=True)
class Run:
    """How long each case appends, how large the large table is, how many times a server is killed, and how many rows
    are kept where old ones are rolled over."""

    seconds: float
    large: int
    rounds: int
    kept: int = 10**7


def _rate(folder: Path, run: Run) -> Iterator[Figure]:
    """Rows and appends a second."""
    with serving(["--library", str(folder)]) as url:
        batch = pa.table({name: np.random.default_rng(1).random(BATCH) for name in COLUMNS})
        for writers in (1, 4):
            stream = connect(url).stream(f"rate{writers}", COLUMNS)
            rates = _rates(stream, batch, writers, run.seconds)
            what = f"rows a second that {writers} writers append, {BATCH:,} at a time, 5 float64, fsync"
            yield Figure(what, "rows/s", rates, "p50")
        stream = connect(url).stream("single", COLUMNS)
        rates = _rates(stream, batch[:1], 4, run.seconds)
        yield Figure("appends a second of one row, 4 writers", "1/s", rates, "p50")


def _cost(folder: Path, run: Run) -> Iterator[Figure]:
    """What a version costs until it is counted."""
    for rows in _SIZES:
        with serving(["--library", str(folder / str(rows))]) as url:
            yield Figure(f"an append until its version is counted, {rows:,} rows", "ms", _costs(url, rows), "p50")


def _kills(folder: Path, run: Run) -> Iterator[Figure]:
    """Rounds of `kill -9`."""
    samples = list(append_kill_rounds(folder, run.rounds, writers=4, seed=1))
    what = f"{run.rounds} rounds of kill -9 under 4 writers, until the server answers"
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
    stream = server.stream("cost", COLUMNS)
    for _ in range(rows // BATCH):
        stream.append({name: rng.random(BATCH) for name in COLUMNS})
    server.publish("plot", figure().points("cost", "c0", "c1"))
    samples = []
    for _ in range(_VERSIONS):
        began = time.perf_counter()
        total = stream.append({name: rng.random(1) for name in COLUMNS})["offset"] + 1
        with urllib.request.urlopen(f"{url.rstrip('/')}/plot/layers/0/tilejson.json") as answer:
            assert json.load(answer)["rows"] == total
        samples.append(1e3 * (time.perf_counter() - began))
    return samples


CASES: Final[dict[str, Callable[[Path, Run], Iterator[Figure]]]] = {
    "rate": _rate,
    "cost": _cost,
    "pictures-1e6": lambda folder, run: growing_pictures(folder, 10**6),
    "pictures-1e7": lambda folder, run: growing_pictures(folder, 10**7),
    "colours-1e6": lambda folder, run: growing_colours(10**6),
    "colours-2e7": lambda folder, run: growing_colours(2 * 10**7),
    "lines": lambda folder, run: growing_lines(folder, _SIZES[-1]),
    "pixels": lambda folder, run: beside_peers(folder, run.seconds, SMALL),
    "pixels-1e3": lambda folder, run: beside_peers(folder, run.seconds, 1_000),
    "large": lambda folder, run: into_large(folder, run.seconds, run.large),
    "crowd": lambda folder, run: many(folder / "crowd", run.seconds),
    "stopped": lambda folder, run: beside_stopped(folder, run.seconds),
    "panning": lambda folder, run: panning(folder / "panning", run.seconds),
    "segments-1e6": lambda folder, run: segment_figures(10**6, run.seconds),
    "segments-1e7": lambda folder, run: segment_figures(10**7, run.seconds),
    "segments-1e8": lambda folder, run: segment_figures(10**8, run.seconds),
    "kills": _kills,
    "rollover": lambda folder, run: rollover(folder, run.kept),
}


@click.command()
@click.option("--seconds", default=60.0, show_default=True, help="Of appending, in each case.")
@click.option("--large", default=10**8, show_default=True, help="Rows of the large table that is followed.")
@click.option("--rounds", default=200, show_default=True, help="Rounds of `kill -9`.")
@click.option("--kept", default=10**7, show_default=True, help="Rows that are kept where old ones are rolled over.")
@click.option("--case", "cases", multiple=True, type=click.Choice(list(CASES)), help="Only these (default: all).")
@click.option("--quick", is_flag=True, help="10 seconds of each, 10^7 rows, 20 rounds, 10^6 kept.")
@click.option("--alone", is_flag=True, help="Leave the peers out.")
@click.option(
    "--results", default=KEPT, show_default=True, type=click.Path(path_type=Path), help="Where they are kept."
)
def main(
    seconds: float, large: int, rounds: int, kept: int, cases: tuple[str, ...], quick: bool, alone: bool, results: Path
) -> None:
    """Measure streams on this machine, and keep the figures; `python -m bench --write` prints them into docs/."""
    Peer.wanted = not alone
    run, facts = Run(10.0, 10**7, 20, 10**6) if quick else Run(seconds, large, rounds, kept), machine.describe()
    for name in cases or CASES:
        began, figures = time.perf_counter(), []
        with tempfile.TemporaryDirectory(dir=made("scratch")) as folder:
            for each in CASES[name](Path(folder), run):
                figures.append(each)
                click.echo(str(each), err=True)
        taken = {"date": date.today().isoformat(), "machine": facts, "seconds": round(time.perf_counter() - began)}
        report.keep(results, f"stream, {name}", taken, figures)


if __name__ == "__main__":
    main()
