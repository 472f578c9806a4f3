"""The options of `bigviz serve` that say which workers hold the rows of tables."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from bigviz.common.errors import BadInput
from bigviz.tiles.cluster.options import ClusterOptions

__all__ = ["cluster", "cluster_options"]

_PEM = click.Path(dir_okay=False, exists=True, path_type=Path)


def cluster(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options."""
    for option in reversed((
        click.option("--scheduler", metavar="ADDRESS",
                     help="Let the workers of the Dask cluster there hold the rows of tables: tcp://HOST:8786"),
        click.option("--workers", type=click.IntRange(1, 256), metavar="N",
                     help="The same with N worker processes that are started here."),
        click.option("--scheduler-ca", metavar="FILE", type=_PEM,
                     help="The authority to trust at --scheduler tls://... (PEM)."),
        click.option("--scheduler-cert", metavar="FILE", type=_PEM, help="This server's certificate there (PEM)."),
        click.option("--scheduler-key", metavar="FILE", type=_PEM, help="The private key of --scheduler-cert (PEM)."),
    )):  # fmt: skip
        command = option(command)
    return command


def cluster_options(words: dict[str, Any], tables: bool) -> ClusterOptions | None:
    """What an operator says of a cluster, taken out of a command's words; None where nothing is said.

    Raises UsageError for words that do not go together, and BadInput where Dask is not installed.
    """
    scheduler, workers = words.pop("scheduler"), words.pop("workers")
    files = {name: words.pop(f"scheduler_{name}") for name in ("ca", "cert", "key")}
    if scheduler is None and any(files.values()):
        raise click.UsageError("--scheduler-ca, --scheduler-cert and --scheduler-key are for --scheduler.")
    if scheduler is None and workers is None:
        return None
    if scheduler is not None and workers is not None:
        raise click.UsageError("--workers starts processes here: leave out --workers or --scheduler.")
    if not tables:
        raise click.UsageError("--scheduler and --workers need a PATH of Parquet or Arrow files.")
    if find_spec("distributed") is None:
        raise BadInput("--scheduler and --workers need Dask: pip install 'bigviz[cluster]'.", "scheduler")
    return ClusterOptions(scheduler, workers, files["ca"], files["cert"], files["key"])
