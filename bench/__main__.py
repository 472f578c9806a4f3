"""`python -m bench`: measures bigviz and its peers on this machine, and keeps and prints what it finds."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

import click

from bench import machine, report
from bench.cases import (
    browser,
    build,
    busy,
    cancel,
    canvas,
    cluster,
    colours,
    filter,
    filtered,
    first,
    hover,
    http,
    legend,
    line,
    memory,
    remote,
    select,
    start,
    view,
)  # fmt: skip
from bench.peers.process import Peer
from bench.places import LARGE, PUBLISHED, RESULTS, tidy
from bench.report import Figure, words

KEPT: Final = RESULTS / "results.json"
ROOT: Final = Path(__file__).parent.parent
CASES: Final[dict[str, Callable[[int], Iterator[Figure]]]] = {
    "build": build.run,
    "view": view.run,
    "values": view.values,
    "zooms": view.zooms,
    "start": start.run,
    "first": first.run,
    "remote": remote.run,
    "memory": memory.run,
    "liveness": busy.liveness,
    "stop": busy.stop,
    "reductions": start.reductions,
    "http": http.run,
    "mercator": http.mercator,
    "colours": colours.run,
    "select": select.run,
    "hover": hover.run,
    "filter": filter.run,
    "filtered": filtered.run,
    "canvas": canvas.run,
    "canvas-index": canvas.indexed,
    "cluster": cluster.run,
    "cluster-loss": cluster.lost,
    "browser": browser.run,
    "legend": legend.run,
    # Those above read one table. Beyond LARGE the disk holds no second one, so `log` removes it.
    "log": view.log,
    "grid": view.grid,
    "lines": view.lines,
    "line": line.run,
    "uneven": line.uneven,
    "cancel": cancel.run,
}


@click.command()
@click.option("--rows", default="1e7,1e8", show_default=True, help="Numbers of rows.")
@click.option("--case", "cases", multiple=True, type=click.Choice(list(CASES)), help="Only these (default: all).")
@click.option(
    "--results", default=KEPT, show_default=True, type=click.Path(path_type=Path), help="Where they are kept."
)
@click.option("--alone", is_flag=True, help="Leave the peers out: they take half of the time or more.")
@click.option("--write", is_flag=True, help="Measure nothing: publish what was kept, in README.md and docs/.")
def main(rows: str, cases: tuple[str, ...], results: Path, alone: bool, write: bool) -> None:
    """Measure bigviz, and its peers on the same work, on this machine.

    A case first checks that both sides computed the same, and stops if they did not; peers that are not exact are
    reported with their error. Results of a case take the place of earlier ones.
    """
    if write:
        kept = report.load(PUBLISHED) | report.load(results)
        report.save(PUBLISHED, kept)
        report.write_between(ROOT / "README.md", report.peers_table(kept))
        report.write_between(ROOT / "docs" / "benchmarks.md", report.long_table(kept))
        return
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package has its bytecode, which saves 0.2 s a start
    Peer.wanted = not alone
    facts = machine.describe()
    failed = []
    for number in [int(float(text)) for text in rows.split(",")]:
        for name in cases or CASES:
            try:
                _measure(name, number, results, facts)
            except Exception as error:  # the other cases are worth having
                failed.append(f"{name} at {words(number)}: {type(error).__name__}: {error}")
                print(failed[-1], file=sys.stderr)
            if number > LARGE:
                tidy(but="points")
    print(report.long_table(report.load(results)))
    sys.exit("\n".join(failed) or 0)


def _measure(name: str, rows: int, results: Path, facts: dict[str, str]) -> None:
    began = time.perf_counter()
    figures = []
    for figure in CASES[name](rows):
        figure = figure if Peer.wanted else replace(figure, rivals=[])
        figures.append(figure)
        print(figure, file=sys.stderr, flush=True)
    run = {"date": date.today().isoformat(), "machine": facts, "seconds": round(time.perf_counter() - began)}
    report.keep(results, f"{name}, {words(rows)} rows", run, figures)


if __name__ == "__main__":
    main()
