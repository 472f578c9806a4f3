"""`python -m bench.load`: measures a server with many viewers on this machine, and keeps and prints what it finds."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import click

from bench import machine, report
from bench.load.cases import CASES
from bench.load.machine import raise_file_limit
from bench.load.served import Settings
from bench.places import RESULTS
from bench.report import Figure


@click.command()
@click.option("--case", "cases", multiple=True, type=click.Choice(list(CASES)), help="Only these (default: all).")
@click.option("--minutes", default=10.0, show_default=True, help="How long viewers idle.")
@click.option("--seconds", default=60.0, show_default=True, help="How long viewers look.")
@click.option("--rows", default=1e8, show_default=True, help="Rows that they look at.")
@click.option(
    "--results",
    default=RESULTS / "results.json",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Where figures are kept.",
)
def main(cases: tuple[str, ...], minutes: float, seconds: float, rows: float, results: Path) -> None:
    """Measure a server with many viewers: `python -m bench --write` prints what was kept into docs/."""
    raise_file_limit()
    facts, settings = machine.describe(), Settings(minutes, seconds, int(rows))
    click.echo(f"{facts['cores']} cores, memory {facts['memory']}, {facts['speed']}")
    found, failed = list[Figure](), list[str]()
    for name in cases or CASES:
        began = time.perf_counter()
        try:
            figures = list(CASES[name](settings))
        except Exception as error:  # the other cases are worth having
            failed.append(f"{name}: {type(error).__name__}: {error}")
            continue
        found += figures
        click.echo("\n".join(str(figure) for figure in figures), err=True)
        taken = {"date": date.today().isoformat(), "machine": facts, "seconds": round(time.perf_counter() - began)}
        report.keep(results, f"load, {name}", taken, figures)
    click.echo(table(found))
    sys.exit("\n".join(failed) or 0)


def table(figures: Sequence[Figure]) -> str:
    """What was measured, what is promised, and whether it is kept."""
    rows = [("what", "measured", "at most", "kept")]
    for figure in figures:
        kept = {None: "", True: "yes", False: "NO"}[figure.held]
        bound = "" if figure.bound is None else report.number(figure.bound, figure.unit)
        rows.append((figure.what, report.number(figure.value, figure.unit), bound, kept))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(_line(row, widths) for row in rows)


def _line(cells: Sequence[Any], widths: Sequence[int]) -> str:
    what, *others = cells
    aligned = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
    return "  ".join([what.ljust(widths[0]), *aligned])


if __name__ == "__main__":
    main()
