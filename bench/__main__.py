"""`python -m bench`: print the table of figures that the README quotes, and keep it as JSON in bench/results/."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import click
from playwright.sync_api import Browser, sync_playwright

from bench import browser, machine, startup, viewport
from bench.report import Figure, markdown, save

RESULTS = Path(__file__).parent / "results"
DEMO = RESULTS / "demo"
CASES = ("startup", "browser", "viewport")


@click.command()
@click.option("--rows", default="1e7,1e8", show_default=True, help="Row counts of the viewport case.")
@click.option("--case", "cases", multiple=True, type=click.Choice(CASES), default=CASES, show_default=True)
def main(rows: str, cases: tuple[str, ...]) -> None:
    """Measure bigviz on this machine, datashader beside it where both do the same work."""
    figures: list[Figure] = []
    for figure in measure(cases, [int(float(n)) for n in rows.split(",")]):
        figures.append(figure)
        print(
            f"{figure.what}: {figure.value:.4g} {figure.unit} ({figure.statistic} of {len(figure.samples)})",
            file=sys.stderr,
        )
    facts = machine.describe()
    save(RESULTS / f"{date.today().isoformat()}-{'-'.join(cases)}.json", figures, facts)
    print(markdown(figures, facts))


def measure(cases: tuple[str, ...], rows: list[int]) -> Iterator[Figure]:
    if "startup" in cases:
        yield startup.help_time()
    if "startup" in cases or "browser" in cases:
        points = demo_points()
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=browser.FLAGS)
            if "startup" in cases:
                yield from startup.ready_times(chromium, points)
            if "browser" in cases:
                yield from in_browser(chromium, points)
    if "viewport" in cases:
        for n in rows:
            yield from viewport.run(n)


def in_browser(chromium: Browser, points: Path) -> Iterator[Figure]:
    with startup.serving(points) as (url, _):
        page = chromium.new_page(viewport={"width": 1024, "height": 768})
        page.goto(url + points.stem + "/")
        page.wait_for_selector(startup.READY, state="attached", timeout=120_000)
        yield from browser.run(page)


def demo_points() -> Path:
    """The demo's ten million points, written once."""
    path = DEMO / "points.parquet"
    if not path.exists():
        subprocess.run([*startup.BIGVIZ, "sample", str(DEMO), "--rows", "10000000"], check=True)
    return path


if __name__ == "__main__":
    main()
