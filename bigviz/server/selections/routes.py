"""`/D/layers/L/select` and `/D/selections/ID.EXT`: rows in a box, a lasso or a range, told of and downloaded."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

from tornado.iostream import StreamClosedError

from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput, BigvizError
from bigviz.server.access.gate import Need
from bigviz.server.http.base import Handler
from bigviz.server.http.layers import LayerHandler
from bigviz.server.http.request_body import BodyHandler
from bigviz.server.request_json import parse_body
from bigviz.server.request_values import choice, whole
from bigviz.server.selections.page import Page
from bigviz.server.selections.row_rules import rules_of

if TYPE_CHECKING:
    from bigviz.server.selections.jobs import Download as File
    from bigviz.server.selections.jobs import SelectionJobs

__all__ = ["Download", "Rows", "Select"]

_KEYS: Final[Mapping[str, Any]] = {
    "box": None, "lasso": None, "range": None, "stats": [], "by": None, "filter": None, "page": "", "brushes": [],
}  # fmt: skip
_HELD: Final = 16 << 20  # bytes that a download holds of the budget of all answers
_MOST_ROWS: Final = 1 << 40
_PAGE: Final = 50  # rows of a table
_MOST_PAGE: Final = 200
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")


class Select(BodyHandler, LayerHandler):
    """Tells how many rows lie in a shape, and statistics of their columns; keeps the selection for its maker."""

    need: ClassVar[Mapping[str, Need]] = {"POST": Need.shown()}  # type: ignore[assignment]
    _given: Mapping[str, Any] = _KEYS

    @property
    def most_bytes(self) -> int:
        return self.site.limits.selection_bytes

    def query(self, name: str) -> str | None:
        """A query argument; the body's filter stands for that of the query."""
        found: str | None = self._given["filter"] if name == "filter" else None
        return super().query(name) if found is None else found

    async def on_post(self, *args: str) -> None:
        name, number = args
        given = parse_body(bytes(self.body), (), _KEYS)
        if given["filter"] is not None and not isinstance(given["filter"], str):
            raise BadInput(f"filter is a text, got {echoed(given['filter'], 60)}.", "filter")
        self._given = given
        backend, asked = await self.asked(name, number)
        if given["brushes"]:
            resolve = partial(backend.resolve, self.document, usage=self.usage)
            asked = await backend.selections.under_brushes(self.principal, asked, given["brushes"], resolve)
        rules = rules_of(self.document, self.dataset, self.usage)
        jobs, usage = backend.selections, self.usage
        answer = await jobs.select(self.principal, name, self.dataset, asked, given, usage, rules=rules)
        self.set_header("Cache-Control", "no-store")
        self.write_json(answer)
        self.finish()


class Rows(Handler):
    """Some rows of a selection as JSON, for a table: in file order, or by a column."""

    need = Need.shown()
    selection_at = 1

    async def answer(self, *args: str) -> None:
        name, id = args
        shown, backend = await self.site.show(name, self.principal), await self.site.backend()
        offset = 0 if self.query("offset") is None else whole(self.query("offset"), "offset", 0, _MOST_ROWS)
        limit = _PAGE if self.query("limit") is None else whole(self.query("limit"), "limit", 1, _MOST_PAGE)
        desc = self.query("desc") is not None and choice(self.query("desc"), "desc", ("0", "1")) == "1"
        wanted = Page(self.names("columns"), offset, limit, self.query("sort"), desc)
        found = await backend.selections.page(self.principal, name, shown.document, id, wanted, shown.usage)
        self.set_header("Cache-Control", "no-store")
        self.write_json(found)
        self.finish()


class Download(Handler):
    """The rows of a selection in file order, as a file that is written while the client reads it."""

    need = Need.shown()
    selection_at = 1

    async def answer(self, *args: str) -> None:
        name, id, extension = args
        shown, backend = await self.site.show(name, self.principal), await self.site.backend()
        limit = None if self.query("limit") is None else whole(self.query("limit"), "limit", 0, _MOST_ROWS)
        jobs = backend.selections
        columns = self.names("columns")
        file = jobs.download(self.principal, name, shown.document, id, extension, columns, limit, shown.usage)
        self.set_header("Content-Type", file.kind)
        self.set_header("Content-Disposition", f'attachment; filename="{_file_name(name)}.{extension}"')
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Bigviz-Version", file.version)
        if self.request.method == "HEAD":
            self.finish()
            return
        with jobs.downloading(self.principal, self.site.limits.downloads), self.site.budget.hold(_HELD):
            await jobs.find(self.principal, file)
            await self._stream(jobs, file)

    async def _stream(self, jobs: SelectionJobs, file: File) -> None:
        """Send the file as the client takes it in. What goes wrong on the way cuts the connection off: the answer has
        begun, and must not look whole."""
        stream: Any = self.request.connection.stream  # type: ignore[union-attr]
        loop = asyncio.get_running_loop()
        try:
            while (piece := await jobs.piece(self.principal, file)) is not None:
                self.write(piece)
                timer = loop.call_later(self.site.limits.write_seconds, stream.close)
                try:
                    await self.flush()
                finally:
                    timer.cancel()
            self.finish()
        except StreamClosedError:
            return
        except BigvizError:
            if not self._headers_written:
                raise
            stream.close()


def _file_name(document: str) -> str:
    return (_UNSAFE.sub("-", document).strip("-.") or "rows")[:80] + "-selection"
