"""What is selected in the cells of a notebook: answered as a server's routes do, and kept for Python."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bigviz.document.spec import Document
from bigviz.export.widget.channel import OPERATOR
from bigviz.server.error_json import dump
from bigviz.server.jobs.usage import EVERYTHING
from bigviz.server.request_json import parse_body
from bigviz.server.request_values import choice, whole
from bigviz.server.selections.page import Page
from bigviz.server.site import Site
from bigviz.tiles.interface import Selection

__all__ = ["CellSelection", "CellSelections"]

_SELECT: Final = re.compile(r"layers/([0-9]{1,9})/select")
_ROWS: Final = re.compile(r"selections/([A-Za-z0-9_-]{1,64})\.json")
_KEYS: Final[Mapping[str, Any]] = {
    "box": None, "lasso": None, "range": None, "stats": [], "by": None, "filter": None, "page": "", "brushes": [],
}  # fmt: skip


class CellSelection:
    """The rows that were selected last in a plot: `count` of them; `expression` is a filter that keeps them, None for a
    lasso; `stats` and `groups` are what the panel tells."""

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self.count = selection.count
        self.expression = selection.expression
        self.stats = selection.stats
        self.groups = selection.groups

    def __repr__(self) -> str:
        return f"<{self.count:,} rows selected>"

    def rows(self, limit: int | None = None) -> npt.NDArray[np.int64]:
        """The numbers of the first `limit` rows in file order; of all without a limit."""
        return self._selection.rows(limit)

    def table(self, columns: Sequence[str] | None = None, limit: int | None = None) -> pa.Table:
        """The rows in file order as an Arrow table of these columns; by default of all."""
        return self._selection.table(columns, limit)


class CellSelections:
    """Answers the selections of a document's cells. `last` is the one that was made last. Lives on the loop."""

    def __init__(self, site: Site, document: Document) -> None:
        self._site, self._document = site, document
        self.last: CellSelection | None = None

    async def answer(self, address: str, body: str | None) -> bytes | None:
        """The JSON of an address below the document's; None for an address that is no selection's. Raises what the
        routes do."""
        parts = urlsplit(address)
        arguments = parse_qs(parts.query, keep_blank_values=True)
        query = {key: values[0] for key, values in arguments.items()}
        backend = await self._site.backend()
        if (found := _SELECT.fullmatch(parts.path)) and body is not None:
            given = parse_body(body.encode(), (), _KEYS)
            number = whole(found[1], "layer", 0, max(len(self._document.layers()) - 1, 0))
            asked = backend.asked(self._document, number, query.get)
            name = self._document.layers()[number][1].dataset
            if given["brushes"]:
                resolve = partial(backend.resolve, self._document)
                asked = await backend.selections.under_brushes(OPERATOR, asked, given["brushes"], resolve)
            answer = await backend.selections.select(
                OPERATOR, self._document.id, name, asked, given, EVERYTHING, self._keep
            )
            return dump(answer)
        if found := _ROWS.fullmatch(parts.path):
            offset = whole(query.get("offset", "0"), "offset", 0, 1 << 40)
            limit = whole(query.get("limit", "50"), "limit", 1, 200)
            desc = choice(query.get("desc", "0"), "desc", ("0", "1")) == "1"
            page = Page(arguments.get("columns"), offset, limit, query.get("sort"), desc)
            document, selections = self._document, backend.selections
            return dump(await selections.page(OPERATOR, document.id, document, found[1], page, EVERYTHING))
        return None

    def _keep(self, selection: Selection) -> None:
        self.last = CellSelection(selection)
