"""The slow part of a start: importing the engine, opening the tables. Runs while the server already listens."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from bigviz.aggregate.layer_options import BARS
from bigviz.common.errors import BadInput, BigvizError
from bigviz.common.jit import load_compiler, tell_of_compiling, told_of_compiling
from bigviz.common.memory import total_memory
from bigviz.common.progress import COMPILING, Progress, no_progress
from bigviz.data.catalog import Catalog
from bigviz.data.dataset import Dataset
from bigviz.data.default_columns import choose
from bigviz.data.following.journal import Journal
from bigviz.data.following.table import FollowedTable
from bigviz.data.formats.delimited.dialect import CsvOptions
from bigviz.data.open import open as open_dataset
from bigviz.data.open import open_files
from bigviz.data.remote.address import is_remote
from bigviz.data.uploads.validator import Validator
from bigviz.document.bind import filled
from bigviz.document.document import document
from bigviz.document.figure import figure
from bigviz.document.layout import column
from bigviz.document.spec import Document
from bigviz.server.apps.app import AppOptions
from bigviz.server.apps.hub import Hub
from bigviz.server.documents.followed import Followed
from bigviz.server.documents.shelf import Shelf
from bigviz.server.http.layer_bodies import LayerBodies
from bigviz.server.jobs.layer_ref import published
from bigviz.server.jobs.service import Backend
from bigviz.server.late_tables import Opening, in_time
from bigviz.server.limits import Limits
from bigviz.server.metrics import Metrics
from bigviz.server.processes.sessions.shared import SharedSessions
from bigviz.server.processes.shared_streams import SharedStreams
from bigviz.server.run.index_options import Storage
from bigviz.tiles.answers.ordered_estimate import rehearse
from bigviz.tiles.engine import Engine
from bigviz.tiles.store.catalog.directory import StoreDirectory

if TYPE_CHECKING:
    from pathlib import Path

    from bigviz.library.library import Library
    from bigviz.server.library_threads import LibraryThreads
    from bigviz.server.processes.front_end import FrontEnd
    from bigviz.server.run.options import Options
    from bigviz.server.site import Site

__all__ = ["Brought", "Columns", "demo_documents", "document_of", "open_nothing", "open_paths", "stores_of"]

_log = logging.getLogger("bigviz")

_TILES: Final = 8  # tiles get an eighth of the memory for caches, layers in memory the rest


@dataclass(frozen=True)
class Columns:
    """The command line's options about the columns to show; None where an option is absent."""

    x: str | None = None
    y: str | None = None
    agg: str | None = None
    glyph: str | None = None
    filter: str | None = None
    xaxis: str | None = None
    yaxis: str | None = None
    basemap: str | None = None
    attribution: str | None = None


@dataclass(frozen=True)
class Brought:
    """Open documents and an engine of their own (None: one of this machine); of tables those that are followed, and the
    (document name, path) of the scripts that are run in processes of their own. `late` are opened in the background."""

    documents: Sequence[Document]
    followed: Sequence[Followed] = ()
    scripts: Sequence[tuple[str, str]] = ()
    engine: Engine | None = None
    late: Sequence[Opening] = ()

    def backend(self, limits: Limits, metrics: Metrics, storage: Storage) -> Backend:
        """A backend on the running event loop."""
        return Backend(self.engine or engine_of(storage), limits, metrics)

    def when_compiling(self, tell: Callable[[], None]) -> None:
        """Call this once the first kernel is compiled, in any thread."""
        tell_of_compiling(tell)

    def bodies(self) -> LayerBodies:
        """What the layer routes answer with."""
        return LayerBodies()

    def shelf(self, library: Library, threads: LibraryThreads, options: Options) -> Shelf:
        """What opens the documents of a library."""
        validator = Validator(options.limits.check_bytes)
        keep, anonymous, quota = options.keep_versions, options.allow_anonymous, options.user_quota
        return Shelf(library, Catalog(), threads, validator, keep, anonymous, quota)

    def hub(self, site: Site, options: Options, tables: Path | None = None) -> Hub:
        """What has the apps and the sessions of pages, on the running event loop. `tables`: where the files of tables
        in the memory of apps stay for other processes."""
        memory = options.app_memory or total_memory() // 2
        times = (options.callback_seconds, options.session_seconds)
        return Hub(site, AppOptions(memory, *times, options.dev, options.shared, tables), self.scripts)

    def streams(self) -> SharedStreams:
        """How several processes share the streams of a library."""
        return SharedStreams()

    def sessions(self, front_end: FrontEnd, site: Site) -> SharedSessions:
        """How they share apps and the sessions of pages, on the running event loop."""
        return SharedSessions(front_end, site)


def engine_of(storage: Storage) -> Engine:
    """An engine with the memory and the stores that the operator gives it."""
    memory = storage.memory or total_memory() // 2
    stores = None if storage.index == "never" else stores_of(storage)
    return Engine(memory // _TILES, index_bytes=memory - memory // _TILES, stores=stores, index=storage.index)


def stores_of(storage: Storage) -> StoreDirectory | None:
    """The directory of indexes; None, with a warning, if the user has no cache directory and names none."""
    try:
        return StoreDirectory(storage.directory, storage.limit)
    except BadInput as error:
        _log.warning("Indexes are neither used nor kept: %s", error.message)
        return None


def open_paths(
    paths: Sequence[tuple[str, str]],
    columns: Columns,
    options: CsvOptions = CsvOptions(),  # noqa: B008
    progress: Progress = no_progress,
    follow: Collection[str] = (),
    late: bool = True,
    journals: Path | None = None,
) -> Brought:
    """One document for each (name, path); `progress` is called while CSV files are read. Those whose names are in
    `follow` are followed; processes that do so together have the same directory for `journals`. Of several the
    remote ones may be `late`: those that do not open soon are left to the server."""
    growing = [(name, path) for name, path in paths if name in follow]
    tables = {
        name: FollowedTable(
            path, name, options, progress, None if journals is None else Journal(journals / f"{number}")
        )
        for number, (name, path) in enumerate(growing)
    }

    def opened(name: str, path: str) -> Document:
        dataset = tables[name].open() if name in tables else open_files(path, name, options, progress)
        return document_of(dataset, name, columns)

    far = [(name, path) for name, path in paths if late and len(paths) > 1 and is_remote(path)]
    openings = {name: Opening(name, partial(opened, name, path)) for name, path in far}
    near = {name: opened(name, path) for name, path in paths if name not in openings}
    others, coming = in_time(openings, alone=not near)
    documents = near | others
    brought = _brought([documents[name] for name, _ in paths if name in documents], progress)
    followed = [Followed(each, partial(_over, columns)) for each in tables.values()]
    return replace(brought, late=coming, followed=followed)


def _over(columns: Columns, shown: Document, dataset: Dataset) -> Document:
    """A document over another version of its table: as it is, if that has the columns, else as a start would make
    it."""
    try:
        return filled(replace(shown, sources={**shown.sources, dataset.name: dataset}))
    except BigvizError:
        return document_of(dataset, shown.id, columns)


def open_nothing(progress: Progress = no_progress) -> Brought:
    """No documents: those of the library are opened when somebody asks for them."""
    return _brought([], progress)


def document_of(dataset: Dataset, name: str, columns: Columns) -> Document:
    """A document of one figure over a dataset; columns that are not given are chosen. A map is below mercator axes,
    which it makes the default."""
    x, y, glyph, geographic = columns.x, columns.y, columns.glyph, False
    if glyph in BARS:
        return _of_bars(dataset, name, columns)
    if x is None or y is None:
        choice = choose(dataset)
        geographic = choice.geographic and x is None and y is None
        x, y = x or choice.x, y or choice.y
        glyph = glyph or ("points" if columns.agg else choice.glyph)
    kinds = (columns.xaxis, columns.yaxis)
    if columns.basemap and not geographic and None in (columns.x, columns.y):
        raise BadInput(f"{name} has no columns that are longitude and latitude: name them by --x and --y.", "basemap")
    if (geographic or columns.basemap) and kinds == (None, None):
        kinds = ("mercator", "mercator")
    below: dict[str, Any] = {"basemap": columns.basemap, "attribution": columns.attribution}
    plot = figure(title=name, x_axis_type=kinds[0], y_axis_type=kinds[1], **below)  # type: ignore[arg-type]
    if glyph == "line":
        if columns.agg not in (None, "any"):
            raise BadInput(f"A line has no reduction: leave out --agg or --glyph line, got {columns.agg!r}.", "agg")
        plot.line(dataset, x, y, filter=columns.filter or "")
    else:
        plot.points(dataset, x, y, agg=columns.agg or "count", filter=columns.filter or "")
    made = document(plot, id=name)
    published(made, *made.layers()[0]).resolve(made)  # an axis that its column cannot have
    return made


def _of_bars(dataset: Dataset, name: str, columns: Columns) -> Document:
    """A document of bars, which have no column for y."""
    glyph = columns.glyph
    if columns.y is not None:
        raise BadInput(f"--glyph {glyph} has no column for y: leave out --y, got {columns.y!r}.", "y", columns.y)
    if columns.x is None:
        raise BadInput(f"--glyph {glyph} needs a column: name it by --x.", "x")
    plot = figure(title=name, x_axis_type=columns.xaxis, y_axis_type=columns.yaxis)  # type: ignore[arg-type]
    draw = plot.histogram if glyph == "histogram" else plot.bar
    draw(dataset, columns.x, agg=columns.agg or "count", filter=columns.filter or "")
    made = document(plot, id=name)
    published(made, *made.layers()[0]).resolve(made)
    return made


def demo_documents(points: str, walk: str) -> Brought:
    """The sample's documents: both figures on one page, then each alone; the tables are opened once."""
    cloud, series = open_dataset(points, name="points"), open_dataset(walk, name="walk")
    first = figure(title="Jumps of a Clifford attractor").points(cloud, "x", "y")
    second = figure(title="A random walk, with gaps").line(series, "time", "value")
    return _brought(
        [
            document(column(first, second), title="bigviz demo", id="demo"),
            document(figure(title="Points").points(cloud, "x", "y"), id="points"),
            document(figure(title="Walk").line(series, "time", "value"), id="walk"),
        ]
    )


def _brought(documents: Sequence[Document], progress: Progress = no_progress) -> Brought:
    """Documents, when the first viewer will find kernels at hand."""
    with told_of_compiling(partial(progress, COMPILING, 0.0, 0)):
        load_compiler()
        rehearse()
    return Brought(documents)
