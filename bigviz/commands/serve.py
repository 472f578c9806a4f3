"""What `bigviz serve` and `bigviz demo` run. The engine is imported in the loaders: the server listens before that."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

import click

from bigviz.commands import options as shared
from bigviz.commands.cluster.on_workers import OnWorkers
from bigviz.common.printable import printable
from bigviz.common.workers import usable_cores
from bigviz.document.basemap import figure_basemap
from bigviz.library.storage.directory import default_directory
from bigviz.server.apps.fork_server import warm
from bigviz.server.processes import several
from bigviz.server.run import process
from bigviz.server.run.event_log import Reporter
from bigviz.server.run.options import Options

if TYPE_CHECKING:
    from bigviz.common.progress import Progress
    from bigviz.data.formats.delimited.dialect import CsvOptions
    from bigviz.server.processes.front_end import FrontEnd
    from bigviz.tiles.cluster.options import ClusterOptions

__all__ = ["ended", "nothing", "run", "serve_library", "serve_tables", "served"]


def serve_tables(
    named: list[tuple[str, str]],
    columns: tuple[str | None, ...],
    options: CsvOptions,
    listening: dict[str, Any],
    followed: int = 0,
    scripts: Sequence[tuple[str, str]] = (),
    cluster: ClusterOptions | None = None,
) -> None:
    """Serve the (document name, path) of tables, and follow the last `followed` of them, beside those of `scripts`;
    `columns` are those of loading.Columns. With a `cluster` its workers hold the rows.

    Raises BadInput for a map that cannot be, and what `check_columns` does, before anything listens.
    """
    basemap, attribution = columns[-2:]
    figure_basemap(basemap, attribution, max_zoom=0)
    axes = [each for each in columns[:2] if each is not None]
    if axes and listening["num_procs"] == 1:  # it loads what processes that are copied must not have
        from bigviz.commands.early_checks import check_columns

        check_columns(named[: len(named) - followed], axes, options)
    follow = [name for name, _ in named[len(named) - followed :]]

    def load(progress: Progress, front_end: FrontEnd | None = None) -> Any:
        from bigviz.commands.hints import same_schema_hint
        from bigviz.server.run.loading import Columns, open_paths

        hint = same_schema_hint([path for name, path in named if name not in follow])
        if hint and (front_end is None or front_end.speaks):
            click.echo(printable(hint), err=True)
        journals = None if front_end is None or not follow else front_end.place("followed")
        is_late = cluster is None
        brought = open_paths(named, Columns(*columns), options, progress, follow, late=is_late, journals=journals)
        return replace(brought, scripts=scripts)

    names = [name for name, _ in (*named, *scripts)]
    on_workers = None if cluster is None else OnWorkers(load, cluster, listening)
    run(names, load, listening, apps=bool(scripts), on_workers=on_workers)


def serve_library(listening: dict[str, Any]) -> None:
    """Serve what is published: the library that is given, or the user's."""

    run([], nothing, {**listening, "library": listening["library"] or default_directory()})


def nothing(progress: Progress, front_end: FrontEnd | None = None) -> Any:
    """Load no documents: those of the library are opened when somebody asks for them."""
    from bigviz.server.run.loading import open_nothing

    return open_nothing(progress)


def run(
    names: list[str], load: Callable[..., Any], listening: dict[str, Any], first: bool = False, apps: bool = False,
    on_workers: OnWorkers | None = None,
) -> None:  # fmt: skip
    """Serve until a signal ends it, and end this process. `load` brings the documents `names`, those of `apps` among
    them; with `first` the browser is opened at the first of them. `on_workers` loads what `load` does, and workers hold
    its tables."""
    ended(served(names, load, listening, first, apps=apps, on_workers=on_workers))


def served(
    names: list[str], load: Callable[..., Any], listening: dict[str, Any], first: bool = False,
    opened: Callable[[str], None] | None = None, apps: bool = False, on_workers: OnWorkers | None = None,
) -> int:  # fmt: skip
    """Serve until a signal ends it: the exit status. `opened` is called with the address, on the server's loop, once
    the documents are open; of several processes in the one that writes, and again in one that takes its place. An app
    whose script fails ends the server: it does not say before where it is."""
    count = listening.pop("num_procs") or usable_cores()
    if apps and count == 1:
        warm()  # it loads what apps use while this process loads the engine
    shared.check_one_place()
    browser, as_json = listening.pop("browser"), listening.pop("log_json")
    options: Options = Options(
        allow_hosts=listening.pop("allow_host"),
        allow_origins=listening.pop("allow_origin"),
        trusted_proxies=listening.pop("trusted_proxy"),
        **listening,
    )
    if count > 1:
        return several.run(
            count, options, names, load, as_json, browser=browser, open_first=first, opened=opened, apps=apps,
            on_workers=on_workers,
        )  # fmt: skip
    waits = apps and not options.dev
    try:
        return process.run(
            options, names, on_workers.load if on_workers else load, Reporter(as_json), browser=browser,
            open_first=first, opened=opened, tells_when_open=waits,
        )  # fmt: skip
    finally:
        if on_workers is not None:
            on_workers.close()


def ended(status: int) -> NoReturn:
    """End this process."""
    with suppress(OSError):  # a pipe that nobody reads any more
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)  # a kernel that numba is compiling cannot be interrupted, and nothing else is left to do
