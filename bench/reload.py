"""`python -m bench.reload`: from saving the file of an app, under `bigviz serve --dev`, to the page that shows it.

The title of a figure is written anew in the script, at a random moment of the server's looks at its files; a save has
arrived when the page has that title and its figures are exact again. Server, browser and script share the machine. In a
clone run `make bundle` first: else the page loads some 300 modules one by one, which an installed one does not.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from pathlib import Path
from typing import Final

import click

from bench.report import Figure
from bigviz.commands.bench.browser import chromium, open_page
from bigviz.commands.bench.run import serving

__all__ = ["main"]

BOUND: Final = 1_000.0
_LATEST_MS: Final = 60_000.0
_APP: Final = """
import numpy as np

import bigviz as bv

rng = np.random.default_rng(1)
table = bv.open({{"x": rng.normal(size={rows}), "y": rng.normal(size={rows})}}, name="table")
number = bv.slider("number", 0, 9)
plot = bv.figure(title="Save {save}").points(table, "x", "y", filter="x > $number - 9")


@number.on_change
def changed(session, value):
    session.notify(str(value))


bv.serve(bv.row(number, plot))
"""
_SHOWN: Final = """title => {
  const section = document.querySelector('section[data-figure="0"]');
  return section?.querySelector(".title")?.textContent === title && section.dataset.exact === "1";
}"""


def measured(folder: Path, rows: int, saves: int) -> list[float]:
    """Milliseconds of each save."""
    app, rng, found = folder / "app.py", random.Random(1), []
    app.write_text(_APP.format(rows=rows, save=0))
    with chromium() as browser, serving([str(app), "--dev", "--store-dir", str(folder / "stores")]) as url:
        page = open_page(browser, url)
        for save in range(1, saves + 1):
            time.sleep(6 + rng.random())  # a page that was just opened waits longer before it comes again
            app.write_text(_APP.format(rows=rows, save=save))
            begun = time.perf_counter()
            page.wait_for_function(_SHOWN, arg=f"Save {save}", timeout=_LATEST_MS)
            found.append(1e3 * (time.perf_counter() - begun))
    return found


@click.command()
@click.option("--rows", default="1e5", show_default=True, help="Number of rows of the app's table.")
@click.option("--saves", default=10, show_default=True, help="How often its file is saved.")
def main(rows: str, saves: int) -> None:
    """Save an app's file again and again, and print what its page took to show it."""
    with tempfile.TemporaryDirectory(prefix="bench-reload-") as folder:
        found = measured(Path(folder), int(float(rows)), saves)
    click.echo(Figure("saving an app's file to its page, --dev", "ms", found, bound=BOUND))
    click.echo(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
