"""Documents of the library over the datasets that they name, and what one caller may use of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Final

from bigviz.common.errors import BigvizError
from bigviz.document.bind import bind
from bigviz.document.json import from_json
from bigviz.server.documents.opened import Opened
from bigviz.server.jobs.layer_ref import named_columns
from bigviz.server.jobs.usage import EVERYTHING, Usage
from bigviz.server.refusals import Unusable

if TYPE_CHECKING:
    from bigviz.data.dataset import Dataset
    from bigviz.document.spec import Document
    from bigviz.library.access import Caller
    from bigviz.library.library import Library
    from bigviz.server.documents.tables import Tables

__all__ = ["Binding", "bound"]

_MOST_TRIES: Final = 5


def bound(document: Document, sources: Mapping[str, Dataset]) -> Document:
    """A document bound to its datasets; Unusable where they are not what it needs."""
    try:
        return bind(document, sources)
    except BigvizError as error:
        raise Unusable(error.message, error.field, error.got) from error


class Binding:
    """Opens documents as their owners may. Blocks, thread-safe."""

    def __init__(self, library: Library, tables: Tables, anonymous: bool) -> None:
        """`anonymous`: the datasets that the server was started with are for callers without credentials too."""
        self._library, self._tables, self._anonymous = library, tables, anonymous

    def open(self, name: str) -> Opened:
        """The current version of a document. Raises NotFound and Unusable."""
        for _ in range(_MOST_TRIES):  # a commit may come between two readings
            entry, stored = self._library.documents.entry(name), self._library.documents.get(name)
            if entry.version == stored.version:
                break
        document = from_json(stored.value).renamed(name)
        owner = self._tables.owner(entry.owner)
        sources, versions = self._tables.sources(document.datasets, owner)
        own = frozenset(each for each in document.datasets if self._owns(each, versions, owner))
        try:
            shown = bound(document, sources)
        except Unusable as error:  # it names columns that not every viewer may know of
            raise Unusable(
                "The data of this plot is not what it was published with: it has to be published again.", error.field
            ) from error
        return Opened(document, shown, stored.version, entry.owner, versions, own)

    def usage(self, opened: Opened, caller: Caller) -> Usage:
        """What a caller may use of an opened document."""
        if caller.admin:
            return EVERYTHING
        foreign = [name for name in opened.document.datasets if not self._may_use(name, opened, caller)]
        columns = {name: named_columns(opened.document, name) for name in foreign}
        rowless = [name for name in foreign if not (opened.document.rows and name in opened.own)]
        return Usage(columns, frozenset(rowless))

    def _may_use(self, dataset: str, opened: Opened, caller: Caller) -> bool:
        if dataset in opened.datasets:
            return self._tables.role(dataset, caller) is not None
        return self.may_use_served(caller)

    def may_use_served(self, caller: Caller) -> bool:
        """Whether a caller may use whatever the server was started with, as it may view that by itself."""
        return self._anonymous or caller.admin or caller.user is not None

    def _owns(self, dataset: str, uploaded: Collection[str], owner: Caller) -> bool:
        return owner.admin or (dataset in uploaded and self._tables.role(dataset, owner) == "owner")

    def is_current(self, name: str, opened: Opened) -> bool:
        """Whether a document would be opened in the same way again."""
        entry = self._library.documents.find(name)
        if entry is None or (entry.version, entry.owner) != (opened.version, opened.owner):
            return False
        owner = self._tables.owner(entry.owner)
        for each, version in opened.datasets.items():
            found = self._library.datasets.find(each)
            if found is None or found.version != version or self._tables.role(each, owner) is None:
                return False
        own = {each for each in opened.document.datasets if self._owns(each, opened.datasets, owner)}
        return own == opened.own
