"""The command `bigviz doctor`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from bigviz.commands.doctor import report

__all__ = ["doctor"]


@click.command()
@click.option(
    "--store-dir",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Where indexes are kept (default: the user's cache directory).",
)
@click.option("--library", metavar="DIR", type=click.Path(path_type=Path),
              help="The library (default: in the user's data directory).")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def doctor(store_dir: Path | None, library: Path | None, as_json: bool) -> None:
    """Look for what could keep bigviz from working here: versions, compiled kernels, disk, library, limits, browser.

    Each problem has its remedy. Nothing is changed, and a server may run meanwhile. Exits with 1 if something has to be
    mended.

    \b
    bigviz doctor
    bigviz doctor --library /srv/plots --json
    """
    found = report.findings(store_dir, library)
    click.echo(json.dumps(report.to_json(found), indent=1) if as_json else report.to_text(found))
    sys.exit(0 if report.sound(found) else 1)
