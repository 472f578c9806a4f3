"""Documents by name: what a server asks of them (`Repository`), and those it was started with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bigviz.document.spec import Document

__all__ = ["OpenedDocuments", "Repository"]


class Repository(Protocol):
    """Documents by name."""

    @property
    def names(self) -> Sequence[str]:
        """The names of all documents, those that are not open yet included, in the order of the list of documents."""

    def get(self, name: str) -> Document | None:
        """The document of that name; None where there is none, or where it is not open yet."""


class OpenedDocuments:
    """The documents that a server was started with, in memory: `names` at first, replaced as a whole whenever one is
    opened, or an app's script is run again."""

    def __init__(self, names: Sequence[str] = ()) -> None:
        self._names: Sequence[str] = tuple(names)
        self._documents: dict[str, Document] = {}

    @property
    def names(self) -> Sequence[str]:
        """The names, in the order in which they were given."""
        return self._names

    def get(self, name: str) -> Document | None:
        """The document of that name, if it is open."""
        return self._documents.get(name)

    @property
    def opened(self) -> Sequence[Document]:
        """Those that are open, in the same order."""
        return tuple(self._documents.values())

    def replace(self, documents: Sequence[Document], coming: Sequence[str] = ()) -> None:
        """Replace the documents by these, each under its id; `coming` are the names of those that are opened later. The
        names that were there before keep their order."""
        found = {document.id: document for document in documents}
        names = dict.fromkeys((*found, *coming))
        known = [each for each in self._names if each in names]
        self._names = (*known, *(each for each in names if each not in known))
        self._documents = {name: found[name] for name in self._names if name in found}
