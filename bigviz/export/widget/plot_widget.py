"""A document as a widget of a notebook, shown by the page's own modules over the notebook's channel."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from typing import Any, ClassVar

import anywidget
import pyarrow as pa
import traitlets
from IPython.display import display

from bigviz.common.errors import BadInput
from bigviz.document.spec import Document
from bigviz.export.inlined_page import inlined_page
from bigviz.export.widget.cell_selection import CellSelection
from bigviz.export.widget.cell_views import CellViews
from bigviz.export.widget.channel import ChannelGone
from bigviz.export.widget.engine_thread import EngineThread
from bigviz.export.widget.kernel import execution
from bigviz.export.widget.shown_ranges import ranges_of
from bigviz.export.widget.shown_rows import shown_rows
from bigviz.server.http.pages import STATIC

__all__ = ["PlotWidget"]


class PlotWidget(anywidget.AnyWidget):
    """A plot in a notebook's cell, made by `bigviz.show`. It may stand in several cells.

    `ranges` is what its figures show, once the view rests: {figure: {"x": (low, high), "y": (low, high)}}, with times
    as datetime64; it can be observed. `rows()` gives the rows in view, `selection` those that were selected last.
    `height` is in CSS pixels and may be set. `close()` ends it. Where several cells show it, the place that was moved
    last counts.
    """

    _esm: ClassVar[str] = (STATIC / "widget.js").read_text("utf-8")
    height = traitlets.Int(460, min=100).tag(sync=True)
    ranges = traitlets.Dict(read_only=True)
    _hash = traitlets.Unicode("").tag(sync=True)
    _views: traitlets.List[Any] = traitlets.List().tag(sync=True)

    def __init__(self, document: Document, height: int, engine: EngineThread | None = None) -> None:
        """`document` has all its tables."""
        self._document = document
        self._engine = _engine() if engine is None else engine
        self._cells: CellViews | None = None
        self._shown_in: str | None = None
        super().__init__(height=height)
        self.on_msg(self._heard)
        self._engine.post(self._begin)

    def rows(self, figure: int | str = 0, layer: int = 0, limit: int = 50_000) -> pa.Table:
        """The rows in a figure's view, at most `limit` of them (50,000), in file order; the number of all of them is in
        the schema's metadata as `matched`.

        The columns are `row`, the row's number, and those that the layer draws. `figure` is an id, or a number. Raises
        BadInput while the plot is shown nowhere, and for a figure or a layer that it does not have.
        """
        if self._cells is None or not self._views:
            raise BadInput("What is in view is known once the plot is shown: look at it in a cell first.", "rows")
        return self._engine.ask(shown_rows(self._cells.site, self._document, self._views, figure, layer, limit))

    @property
    def selection(self) -> CellSelection | None:
        """The rows that were selected last in one of its cells; None before."""
        return None if self._cells is None else self._cells.selections.last

    def close(self) -> None:
        """End the plot: cells that show it say so, and what it needed is freed."""
        self._engine.post(self._end)
        super().close()

    def show(self) -> None:
        """Show the plot in the output of the cell that runs now."""
        now = execution()
        self._shown_in = None if now is None else now.id
        data, metadata = self.bundle()
        display(data, metadata=metadata, raw=True)  # type: ignore[no-untyped-call]

    def bundle(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What a notebook shows of it, by MIME type, and its metadata."""
        found: Any = self._repr_mimebundle_()
        data, metadata = found if isinstance(found, tuple) else (found, {})
        return data, metadata

    def _ipython_display_(self) -> None:
        """As the value of the cell that called `bigviz.show`, the plot stands there already."""
        now = execution()
        if now is None or now.id != self._shown_in:
            self.show()

    def _begin(self) -> None:
        site = self._engine.site(self._document)
        ended = partial(self._engine.end, site, self._document)
        self._cells = CellViews(self._document, site, self._send_custom, _page, ended)

    def _end(self) -> None:
        if self._cells is not None:
            self._cells.close()

    def _heard(self, widget: object, content: Mapping[str, Any], buffers: object) -> None:
        """A message of a page, in a thread of the kernel."""
        self._engine.post(self._take, dict(content))

    def _take(self, content: Mapping[str, Any]) -> None:
        if self._cells is not None:
            self._cells.take(content)

    def _send_custom(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        if self.comm is None:
            raise ChannelGone
        self.send(content, buffers)

    @traitlets.observe("_views")
    def _tell_ranges(self, change: Mapping[str, Any]) -> None:
        self.set_trait("ranges", ranges_of(self._document, change["new"]))


@cache
def _engine() -> EngineThread:
    return EngineThread()


@cache
def _page() -> bytes:
    return inlined_page("parent").text.encode()
