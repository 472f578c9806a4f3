"""The command `bigviz bench`."""

from __future__ import annotations

import json

import click
from rich.console import Console

from bigviz.commands import options as shared
from bigviz.commands.bench.report import table, to_json
from bigviz.commands.bench.run import measure
from bigviz.commands.progress_bars import stage_bars

__all__ = ["bench"]


@click.command()
@click.argument("path", metavar="[NAME=]PATH")
@shared.drawing
@click.option("--store-dir", metavar="DIR", help="Where indexes are kept (default: the user's cache directory).")
@shared.index(help="As for bigviz serve (default: auto).")
@click.option("--steps", default=100, show_default=True, type=click.IntRange(1), help="Views to measure.")
@click.option("--browser/--no-browser", default=True, help="Also measure in Chromium, if installed (the default).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def bench(path: str, steps: int, browser: bool, as_json: bool, **serving: str | None) -> None:
    """Measure how fast a table is drawn on this machine.

    Serves PATH as `bigviz serve` does, pans and zooms with a script, and prints how long each stage took: p50, p95
    and p99 of the server's stages, of the wire, and of Chromium from an input event to exact pixels.

    \b
    bigviz bench trips.parquet --steps 50 --json
    """
    options = [f"--{name.replace('_', '-')}={value}" for name, value in serving.items() if value is not None]
    with stage_bars() as tell:
        run = measure(path, options, steps, browser, lambda told: tell(told["stage"], told["done"], told["rows"]))
    if as_json:
        click.echo(json.dumps(to_json(run), indent=1))
    else:
        Console().print(table(run))
