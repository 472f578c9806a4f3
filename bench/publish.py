"""`python -m bench.publish`: how long a publish takes until it is acknowledged, what a kill leaves, what a list costs.

The library alone is measured, without a server: what is on the disk when a call returns. Then a server, as scripts and
pages see it (`bench/plot_server.py`).
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final

import click

from bench import machine, plot_server, report
from bench.kills import kill_rounds
from bench.places import RESULTS, made
from bench.report import Figure
from bigviz.library.access import Caller
from bigviz.library.library import Library

KEPT: Final = RESULTS / "results.json"
_BYTES: Final = 100_000  # of a document
_DOCUMENTS: Final = 1_000
_SEEN: Final = 10


@click.command()
@click.option("--publishes", default=200, show_default=True, help="Documents of 100 KB that are published.")
@click.option("--rounds", default=200, show_default=True, help="Rounds of `kill -9`.")
@click.option("--publishers", default=4, show_default=True, help="Publishers that are killed in a round.")
@click.option(
    "--results", default=KEPT, show_default=True, type=click.Path(path_type=Path), help="Where they are kept."
)
def main(publishes: int, rounds: int, publishers: int, results: Path) -> None:
    """Measure publishing on this machine, and keep the figures; `python -m bench --write` prints them into docs/."""
    began, facts, figures = time.perf_counter(), machine.describe(), []
    with tempfile.TemporaryDirectory(dir=made("scratch")) as folder:
        for figure in run(Path(folder), publishes, rounds, publishers):
            figures.append(figure)
            click.echo(str(figure), err=True)
    taken = {"date": date.today().isoformat(), "machine": facts, "seconds": round(time.perf_counter() - began)}
    report.keep(results, "publish", taken, figures)


def run(folder: Path, publishes: int, rounds: int, publishers: int) -> Iterator[Figure]:
    """The figures, with libraries below a folder."""
    with Library.open(folder / "publish") as library:
        samples = [_publish_time(library, number) for number in range(publishes)]
    yield Figure("publish of a 100 KB document into the library, acknowledged", "ms", samples, "p95", 30.0)
    with Library.open(folder / "list") as library:
        samples = _list_times(library)
    yield Figure(f"a list of {_DOCUMENTS:,} documents of which the caller sees {_SEEN}", "ms", samples, "p95", 50.0)
    samples = list(kill_rounds(folder / "kills", rounds, publishers, seed=1))
    what = f"{rounds} rounds of kill -9 under {publishers} publishers, until the library answers"
    yield Figure(what, "s", samples, "max", 2.0, counts="every acknowledged version there, none half")
    yield from plot_server.figures(folder, publishes)


def _publish_time(library: Library, number: int) -> float:
    value = {"number": number, "filler": f"{random.Random(number).getrandbits(4 * _BYTES):0{_BYTES}x}"}
    start = time.perf_counter()
    library.documents.put("plot", value, title="", datasets=(), author="ann")
    return (time.perf_counter() - start) * 1e3


def _list_times(library: Library) -> list[float]:
    caller, samples = Caller("bob"), []
    for number in range(_DOCUMENTS):
        owner = "bob" if number % (_DOCUMENTS // _SEEN) == 0 else "ann"
        library.documents.put(f"d{number}", {"number": number}, title=f"Plot {number}", datasets=("a",), author=owner)
    for _ in range(200):
        start = time.perf_counter()
        found, _ = library.documents.page(caller)
        samples.append((time.perf_counter() - start) * 1e3)
        if len(found) != _SEEN:
            raise ValueError(f"the caller sees {len(found)} documents, not {_SEEN}")
    return samples


if __name__ == "__main__":
    main()
