"""The documents that the server was started with, whose tables may be followed: what open pages of these go on with."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final, cast

from bigviz.common.errors import NotFound
from bigviz.server.documents.heads import Heads
from bigviz.server.documents.opened import Opened, Shown
from bigviz.server.streams.past import Past

if TYPE_CHECKING:
    from bigviz.data.dataset import Dataset
    from bigviz.document.spec import Document
    from bigviz.library.access import Caller
    from bigviz.library.repository import OpenedDocuments

__all__ = ["Given"]

_MOST_PAST: Final = 64


class Given:
    """Documents and tables that the server was started with: what `Shelf` is for those of the library. Lives on the
    event loop."""

    def __init__(self, documents: OpenedDocuments) -> None:
        self.heads = Heads()
        self._documents = documents
        self._shown: dict[str, Shown] = {}
        self._past: OrderedDict[tuple[str, int], Past] = OrderedDict()

    def grow(self, name: str, before: Dataset, now: Dataset, since: float | None = None) -> None:
        """A table has another version, since then (None: now)."""
        self.heads.tell(name, now.version, since)
        self._past[name, before.version] = Past.of(before)
        while len(self._past) > _MOST_PAST:
            self._past.popitem(last=False)

    def shown(self, document: Document) -> Shown:
        """A document as everybody sees it who may see it at all."""
        found = self._shown.get(document.id)
        if found is None or found.document is not document:  # else browsers share what is made for one of them
            tables = {name: cast("Dataset", each) for name, each in document.sources.items()}
            growing = {name: each.version for name, each in tables.items() if each.lineage is not None}
            found = self._shown[document.id] = Shown(Opened(document, document, datasets=growing))
        return found

    async def newest(self, name: str, before: Shown, caller: Caller) -> Shown:
        """A document over its newest tables. Raises NotFound."""
        document = self._documents.get(name)
        if document is None:
            raise NotFound(f"There is no document {name[:100]!r}.", "document", name[:100])
        sources = before.document.sources
        if all(sources.get(each) is source for each, source in document.sources.items()):
            return before
        return self.shown(document)

    def past(self, dataset: str, version: int) -> Past | None:
        """One of the last versions of a table; None where it is not known any more."""
        return self._past.get((dataset, version))
