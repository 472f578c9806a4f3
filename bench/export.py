"""`python -m bench.export`: how long `bigviz html` takes, and how soon a browser shows what it wrote.

The command is measured as a process, from its start to its end; the page from the address to its first exact picture,
in a fresh profile each time, with the file in the page cache.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final

import click

from bench import data, machine, report
from bench.places import RESULTS, made
from bench.report import Figure, words
from bigviz.commands.bench.browser import READY, chromium
from bigviz.commands.bench.window import HEIGHT, WIDTH

KEPT: Final = RESULTS / "results.json"
_SIZE: Final = "20MB"
_FIRST: Final = """new MutationObserver((_, self) => {
  if (document.documentElement?.dataset.ready !== "1") return;
  self.disconnect();
  window.firstPicture = performance.now();
}).observe(document, { attributes: true, subtree: true, childList: true });"""


@click.command()
@click.option("--rows", default=10_000_000, show_default=True, help="Points in the table.")
@click.option("--rounds", default=3, show_default=True, help="Exports.")
@click.option("--openings", default=7, show_default=True, help="Times that the page is opened.")
@click.option(
    "--results", default=KEPT, show_default=True, type=click.Path(path_type=Path), help="Where they are kept."
)
def main(rows: int, rounds: int, openings: int, results: Path) -> None:
    """Measure exported pages on this machine, and keep the figures; `python -m bench --write` prints them in docs/."""
    began, facts, figures = time.perf_counter(), machine.describe(), []
    with tempfile.TemporaryDirectory(dir=made("scratch")) as folder:
        for figure in run(Path(folder), rows, rounds, openings):
            figures.append(figure)
            click.echo(str(figure), err=True)
    taken = {"date": date.today().isoformat(), "machine": facts, "seconds": round(time.perf_counter() - began)}
    report.keep(results, "export", taken, figures)


def run(folder: Path, rows: int, rounds: int, openings: int) -> Iterator[Figure]:
    """The figures, of pages below a folder."""
    table, page = data.parquet("points", rows), folder / "points.html"
    samples, said = [], ""
    for number in range(rounds):
        stores = folder / f"stores-{number}"
        command = [sys.executable, "-m", "bigviz", "html", str(table), "--x", "x", "--y", "y", "--glyph", "points"]
        command += ["--max-size", _SIZE, "-o", str(page), "--store-dir", str(stores)]
        start = time.perf_counter()
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        samples.append(time.perf_counter() - start)
    what = f"html export of {words(rows)} points at {_SIZE}"
    yield Figure(what, "s", samples, "median", 10.0, counts=said.partition(": ")[2].strip())
    what = f"an exported page of {page.stat().st_size / 1e6:.0f} MB, from file:// to its first exact picture"
    yield Figure(what, "s", [each / 1e3 for each in _openings(page, openings)], "median", 1.5)


def _openings(page: Path, openings: int) -> Iterator[float]:
    """Milliseconds to the first picture."""
    with chromium() as browser:
        for _ in range(openings):
            context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT})
            opened = context.new_page()
            opened.add_init_script(_FIRST)
            opened.goto(page.as_uri())
            opened.wait_for_selector(READY, state="attached")
            yield float(opened.evaluate("window.firstPicture"))
            context.close()


if __name__ == "__main__":
    main()
