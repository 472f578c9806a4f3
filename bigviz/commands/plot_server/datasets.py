"""`bigviz append`: rows for the datasets of a plot server."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bigviz.commands import options as shared
from bigviz.commands.interruptible import INTERRUPTED, interruptible
from bigviz.commands.plot_server.append_rows import append_file
from bigviz.commands.progress_bars import status_line
from bigviz.commands.publish import server_at
from bigviz.common.errors import Cancelled
from bigviz.common.printable import printable

__all__ = ["append"]


@click.command
@click.argument("name", metavar="NAME")
@click.argument("file", metavar="FILE|-")
@shared.on_server
def append(name: str, file: str, url: str | None, token_file: Path | None) -> None:
    """Append the rows of a file, or of standard input as they come, to a dataset of a plot server.

    They are an Arrow IPC stream, NDJSON, or CSV with a line of names. Pages that show the dataset follow. Ctrl-C ends
    it once what was sent is acknowledged, and says how many rows were.

    \b
    bigviz append ticks today.csv
    tail -f log.ndjson | bigviz append ticks -
    """
    try:
        with interruptible() as cancel, status_line() as tell:
            done = append_file(server_at(url, token_file), name, file, tell, cancel)
    except Cancelled as stopped:
        click.echo(printable(stopped.message), err=True)
        sys.exit(INTERRUPTED)
    click.echo(printable(done))
