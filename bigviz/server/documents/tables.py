"""The datasets that documents name: the operator's and the library's, as one caller may use them. Called in threads."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from bigviz.common.errors import BigvizError, NotFound
from bigviz.library.access import Caller
from bigviz.server.refusals import Unusable

if TYPE_CHECKING:
    from bigviz.data.catalog import Catalog
    from bigviz.data.dataset import Dataset
    from bigviz.library.datasets import DatasetEntry
    from bigviz.library.library import Library

__all__ = ["Tables"]

_log = logging.getLogger("bigviz")

_MOST_TRIES: Final = 5
_NO_USER: Final = Caller("")
"""The owner of what nobody owns: no user has this name."""


class Tables:
    """Open datasets by name. Thread-safe, blocks."""

    def __init__(self, library: Library, catalog: Catalog) -> None:
        self.library = library
        self.catalog = catalog

    def owner(self, name: str | None) -> Caller:
        """The owner of a document, who need not be calling. None is the operator, or a user who was removed: such a
        document has what nobody owns either, so that no removal gives it back what others took from its owner."""
        if name is None:
            return _NO_USER
        user = self.library.users.find(name)
        return Caller(name, user is not None and user.admin)

    def sources(self, names: Collection[str], caller: Caller) -> tuple[dict[str, Dataset], dict[str, int]]:
        """The open datasets of these names, with the versions of those in the library. Raises Unusable for a name that
        is none, Forbidden for one that the caller may not use."""
        sources, versions = {}, {}
        for name in names:
            served = self.catalog.served.get(name)
            if served is not None:
                sources[name] = served
                continue
            if self.role(name, caller) is None:
                raise Unusable(f"This server has no dataset {name!r} that {_who(caller)} may use.", "dataset", name)
            sources[name], versions[name] = self._dataset(name)
        return sources, versions

    def dataset(self, name: str) -> Dataset:
        """A dataset of the library as it is now. Raises Unusable."""
        return self._dataset(name)[0]

    def _dataset(self, name: str) -> tuple[Dataset, int]:
        for _ in range(_MOST_TRIES):
            entry = self.library.datasets.find(name)
            if entry is None:
                break
            try:
                return self._opened(name, entry)
            except NotFound:  # another version has taken its place, and its file is gone
                continue
            except BigvizError as error:  # says where the file is, which is for the operator alone
                _log.warning("the file of dataset %r cannot be opened: %s", name, error.message)
                break
        raise Unusable(f"This server has no dataset {name!r}, or its file is damaged.", "dataset", name)

    def _opened(self, name: str, entry: DatasetEntry) -> tuple[Dataset, int]:
        if entry.log is None:
            return self.catalog.uploaded(name, entry.version, entry.path), entry.version
        snapshot = self.library.datasets.streams.snapshot(name, entry.log)
        return self.catalog.appended(name, entry.path, snapshot), snapshot.version

    def role(self, dataset: str, caller: Caller) -> str | None:
        """What a caller may do with a dataset of the library."""
        if caller.admin:
            return "owner"
        if caller != _NO_USER:
            return self.library.access.role("dataset", dataset, caller.user)
        entry = self.library.datasets.find(dataset)
        if entry is None or entry.owner is not None:
            return self.library.access.role("dataset", dataset, None)
        return "owner"


def _who(caller: Caller) -> str:
    if caller == _NO_USER:
        return "a document without an owner"
    return "this caller" if caller.user is None else f"user {caller.user!r}"
