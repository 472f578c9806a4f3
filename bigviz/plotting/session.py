"""`output_server`, `show`, `save` and `cursession`: a script's plots on a plot server, under one name, and in files."""

from __future__ import annotations

import os
import webbrowser
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from bigviz.apps.script import current_run
from bigviz.client.connect import Connection, connect
from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput
from bigviz.data.dataset import Dataset
from bigviz.document import figure as plots
from bigviz.document.document import document
from bigviz.document.layout import Box, column
from bigviz.document.names import check_name, free_name, plain_name
from bigviz.document.spec import Document
from bigviz.export.html.export import export_html
from bigviz.plotting.figure import Figure, Renderer, collect
from bigviz.plotting.file import current_file, no_output_file
from bigviz.plotting.source import ColumnDataSource
from bigviz.server.run.index_options import Storage
from bigviz.server.run.loading import engine_of

__all__ = ["Session", "cursession", "output_server", "save", "show"]

_LONGEST: Final = 90  # characters of a document's name, and of a source's, in a dataset's
_NEW: Final = {"tab": 2, "window": 1, "same": 0}  # as `webbrowser` has them

Plot = Figure | plots.Figure | Box


class Session:
    """What a script publishes under one name; `cursession()` gives the current one.

    The document of the name is all that was shown since `output_server`, one below the other.
    """

    def __init__(self, name: str, server: Connection | None, made: list[Figure]) -> None:
        """`server` is None in a script that `bigviz serve` or `bigviz publish` runs: they take the document. `made` are
        the figures to publish, and may become more."""
        self.name = name
        self._server = server
        self._made = made
        self._shown: list[Plot] = []
        self._datasets: dict[ColumnDataSource, str] = {}  # the names of those that were stored

    def publish(self) -> str:
        """Store the figures that were not shown yet, let everyone see the document who can reach the server, and return
        its address. Raises BadInput where there is none."""
        for each in self._made:
            self._add(each)
        if not self._shown:
            raise BadInput("There is nothing to publish yet: make a figure first.", "publish")
        return self._store(public=True)

    def store_objects(self, *objects: ColumnDataSource | Renderer | Figure) -> None:
        """Replace the data of sources on the server by what they hold now. Open pages draw it without a reload, and the
        document gets no new version.

        A glyph or a figure stands for its sources. Raises BadInput for a source that was not stored by `show` or
        `publish`, and for data that its glyphs cannot draw.
        """
        if self._server is None:
            raise BadInput("A script that stores data while it is looked at is run by python itself.", "store_objects")
        for source in [source for each in objects for source in _sources_of(each)]:
            if source not in self._datasets:
                raise BadInput("This source is in no figure that was shown or published: show(figure) first.", "source")
            table = source.table(self._datasets[source])
            for figure in self._figures():
                figure.check(source, table)
            self._server.upload(table.name, table, attached=True)

    def store(self, plot: Plot) -> str:
        """Store a figure or a layout with what was shown before, for the document's owner; its address."""
        self._add(plot)
        return self._store(public=False)

    def document(self, plots: Iterable[Plot]) -> Document:
        """The document of these and of what was shown before, with the data that their sources hold now."""
        for each in plots:
            self._add(each)
        return self._document(self._tables())

    def _add(self, plot: Plot) -> None:
        if not any(plot is each for each in self._shown):
            self._shown.append(plot)

    def _figures(self) -> Iterator[Figure]:
        return (each for each in self._shown if isinstance(each, Figure))

    def _store(self, public: bool) -> str:
        tables = self._tables()
        made = self._document(tables)
        run = current_run()
        if run is not None:
            run.serve(made)
        if self._server is None:
            return f"/{self.name}/"
        for table in tables.values():
            self._server.upload(table.name, table, attached=True)
        stored = {table.name for table in tables.values()}
        others = {name: each for name, each in made.sources.items() if name not in stored}
        answer = self._server.publish(self.name, replace(made, sources=others), public)
        return str(answer["url"])

    def _tables(self) -> dict[ColumnDataSource, Dataset]:
        """What the sources of all figures hold now, as datasets named after the document and the glyph."""
        found = {}
        for figure in self._figures():
            for source, name in figure.sources():
                if source not in self._datasets:
                    last = str(len(self._datasets) + 1) if name is None else name
                    wanted = f"{self.name[:_LONGEST].strip()}.{plain_name(last, _LONGEST)}"
                    self._datasets[source] = free_name(wanted, set(self._datasets.values()))
                found[source] = source.table(self._datasets[source])
        return found

    def _document(self, tables: dict[ColumnDataSource, Dataset]) -> Document:
        roots = [each.build(tables) if isinstance(each, Figure) else each for each in self._shown]
        return document(roots[0] if len(roots) == 1 else column(*roots), id=self.name)


_session: Session | None = None


def output_server(docname: str, *, url: str | None = None, token: str | None = None) -> None:
    """Publish what is shown from now on under a name, on the plot server at `url`: see `bigviz.connect`.

    A document of that name gets a new version. Raises a BigvizError that says how to start a server where none answers.
    """
    global _session
    name = check_name(docname, "docname")
    server = None if current_run() else connect(None if url == "default" else url, token)
    _session = Session(name, server, collect("server"))


def cursession() -> Session:
    """What `output_server` began. Raises BadInput before it."""
    if _session is None:
        raise BadInput("There is no plot server yet: call output_server(name) first.", "output_server")
    return _session


def show(plot: Plot, browser: str | None = None, new: str = "tab") -> str:
    """Publish a figure, or a layout of `bigviz`, for its owner alone, open it in the browser, and return its address.
    After `output_file` it is written to that file, which is opened; after both calls both happen.

    On a server what was shown before stays above it. `browser` is a name that Python's `webbrowser` knows, `new` is
    "tab", "window" or "same".
    """
    if not isinstance(plot, Plot):
        raise BadInput(f"show takes a figure or a layout, got {echoed(plot, 60)}.", "plot")
    if new not in _NEW:
        raise BadInput(f"new is one of {', '.join(_NEW)}, got {echoed(new, 60)}.", "new", new)
    address = save(plot) if current_file() is not None else ""
    if address and current_run() is None:
        _browse(Path(address).absolute().as_uri(), browser, new)
    if _session is None and address:
        return address
    address = cursession().store(plot)
    if current_run() is None:
        _open(address, browser, new)
    return address


def save(plot: Plot | None = None, filename: str | os.PathLike[str] | None = None, title: str | None = None) -> str:
    """Write a figure or a layout (without one: all figures made since `output_file`) as a page in one file, and return
    its path: `filename`, else that of `output_file`.

    In a script that `bigviz` runs nothing is written: the command takes the document. Raises BadInput where there is
    neither, and where the file cannot be written.
    """
    file = current_file()
    if file is None and filename is None:
        raise no_output_file()
    path = Path(filename) if filename is not None else file.path  # type: ignore[union-attr]
    if plot is not None and not isinstance(plot, Plot):
        raise BadInput(f"save takes a figure or a layout, got {echoed(plot, 60)}.", "plot")
    plots = [plot] if plot is not None else list(file.made) if file is not None else []
    if not plots:
        raise BadInput("There is nothing to save yet: make a figure first.", "plot")
    title = title or (file.title if file is not None else None)
    made = Session(path.stem, None, []).document(plots)
    made = made if title is None else replace(made, title=title)
    run = current_run()
    if run is not None:
        run.serve(made)
    else:
        export_html(made, path, engine_of(Storage()))
    return str(path)


def _open(address: str, browser: str | None, new: str) -> None:
    """Open an address; without any browser nothing happens. Raises BadInput for what is no web address, since a server
    could send one that names a file or a command, and for a `browser` that is not there."""
    if not address.startswith(("http://", "https://")):
        raise BadInput(
            f"The server gave {echoed(address, 60)} as the plot's address, which is no web address: it is not opened.",
            "url",
        )
    _browse(address, browser, new)


def _browse(address: str, browser: str | None, new: str) -> None:
    try:
        (webbrowser if browser is None else webbrowser.get(browser)).open(address, _NEW[new])
    except webbrowser.Error as error:
        raise BadInput(f"There is no browser {echoed(browser, 60)} here: {address} is the plot.", "browser") from error


def _sources_of(thing: ColumnDataSource | Renderer | Figure) -> list[ColumnDataSource]:
    if isinstance(thing, ColumnDataSource):
        return [thing]
    if isinstance(thing, Renderer):
        return [thing.data_source]
    if isinstance(thing, Figure):
        return [source for source, _ in thing.sources()]
    raise BadInput(f"store_objects takes sources, glyphs and figures, got {echoed(thing, 60)}.", "objects")
