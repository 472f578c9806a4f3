"""The documents and datasets that a caller may see, page by page: the operator's among those of the library."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from bigviz.library.listing import Sort, cursor, matches, read_cursor
from bigviz.library.names import search_key

if TYPE_CHECKING:
    from bigviz.library.access import Caller
    from bigviz.library.datasets import DatasetEntry
    from bigviz.library.documents import DocumentEntry
    from bigviz.library.items import Kind
    from bigviz.library.library import Library

__all__ = ["ListedDataset", "ListedDocument", "Size", "datasets_page", "documents_page"]


@dataclass(frozen=True)
class Size:
    """Rows, bytes on the disk, and columns; None where they are not known, or not yet."""

    rows: int | None = None
    bytes: int | None = None
    columns: int | None = None


@dataclass(frozen=True)
class ListedDocument:
    """A document in a list, with the caller's role; `version` is None for what the server was started with. Rows, bytes
    and columns are those of its `tables` together."""

    name: str
    title: str
    owner: str | None
    public: bool
    role: str
    version: int | None
    rows: int | None
    bytes: int | None
    updated: float
    columns: int | None = None
    tables: int = 1

    def to_json(self) -> dict[str, Any]:
        """As the API answers it."""
        return {key: value for key, value in asdict(self).items() if key not in ("columns", "tables")}


@dataclass(frozen=True)
class ListedDataset:
    """A dataset in a list, likewise."""

    name: str
    owner: str | None
    public: bool
    role: str
    version: int | None
    rows: int | None
    bytes: int | None
    updated: float

    def to_json(self) -> dict[str, Any]:
        """As the API answers it."""
        return asdict(self)


Listed = TypeVar("Listed", bound="ListedDocument | ListedDataset")


def documents_page(
    library: Library | None,
    served: Sequence[ListedDocument],
    given: Collection[str],
    sizes: Mapping[str, Size],
    caller: Caller,
    *,
    q: str = "",
    sort: Sort = "updated",
    limit: int = 50,
    after: str | None = None,
) -> tuple[list[ListedDocument], str | None]:
    """At most `limit` documents and where the next page begins. `served` are the operator's that the caller may see,
    `given` the names of all of them (a document of the library that has such a name cannot be reached), `sizes` those
    of the operator's datasets. Raises BadInput."""
    wanted = _Wanted(q, sort, limit, after)
    entries: list[ListedDocument] = []
    more = None
    if library is not None:
        found, more = library.documents.page(caller, q=q, sort=sort, limit=limit, after=after)
        known = dict(sizes)
        entries = [_document(library, known, each, caller) for each in found if each.name not in given]
    return _merged(wanted, entries, more, served)


def datasets_page(
    library: Library | None,
    served: Sequence[ListedDataset],
    given: Collection[str],
    caller: Caller,
    *,
    q: str = "",
    sort: Sort = "updated",
    limit: int = 50,
    after: str | None = None,
) -> tuple[list[ListedDataset], str | None]:
    """The same for datasets."""
    wanted = _Wanted(q, sort, limit, after)
    entries: list[ListedDataset] = []
    more = None
    if library is not None:
        found, more = library.datasets.page(caller, q=q, sort=sort, limit=limit, after=after)
        entries = [_dataset(library, each, caller) for each in found if each.name not in given]
    return _merged(wanted, entries, more, served)


@dataclass(frozen=True)
class _Wanted:
    """What is asked of a page, and the order that it is in."""

    q: str
    sort: Sort
    limit: int
    after: str | None

    def key(self, each: ListedDocument | ListedDataset) -> float | str:
        """What an item is sorted by, before its name."""
        if self.sort == "updated":
            return each.updated
        if self.sort == "owner":
            return each.owner or ""
        return search_key(_title(each) if self.sort == "title" else each.name)

    def place(self, key: float | str, name: str) -> tuple[Any, str]:
        """Where an item stands; the newest first."""
        return (key if isinstance(key, str) else -key), name

    def comes(self, each: ListedDocument | ListedDataset) -> bool:
        """Whether an item is on this page or a later one."""
        if not matches(self.q, each.name, _title(each), each.owner):
            return False
        return self.after is None or self.place(self.key(each), each.name) > self.place(
            *read_cursor(self.after, self.sort)
        )


def _merged(
    wanted: _Wanted, entries: list[Listed], more: str | None, served: Sequence[Listed]
) -> tuple[list[Listed], str | None]:
    """A page of the library's, whose next one begins at `more`, with the operator's that come on it, in one order."""
    own: list[Listed] = list(filter(wanted.comes, served))
    merged = sorted([*entries, *own], key=lambda each: wanted.place(wanted.key(each), each.name))
    page = merged[: wanted.limit]
    if not page or (len(merged) <= wanted.limit and more is None):
        return page, more
    return page, cursor(wanted.sort, wanted.key(page[-1]), page[-1].name)


def _title(each: ListedDocument | ListedDataset) -> str:
    return each.title if isinstance(each, ListedDocument) else each.name


def _document(library: Library, sizes: dict[str, Size], each: DocumentEntry, caller: Caller) -> ListedDocument:
    role = _role(library, "document", each.name, caller)
    size = _together([_size(library, sizes, name) for name in each.datasets])
    facts = (each.version, size.rows, size.bytes, each.updated, size.columns, len(each.datasets))
    return ListedDocument(each.name, each.title, each.owner, each.public, role, *facts)


def _dataset(library: Library, each: DatasetEntry, caller: Caller) -> ListedDataset:
    role = _role(library, "dataset", each.name, caller)
    facts = (each.version, each.rows, each.bytes, each.updated)
    return ListedDataset(each.name, each.owner, each.public, role, *facts)


def _role(library: Library, kind: Kind, name: str, caller: Caller) -> str:
    return "owner" if caller.admin else library.access.role(kind, name, caller.user) or "viewer"


def _size(library: Library, known: dict[str, Size], name: str) -> Size:
    if name not in known:
        entry = library.datasets.find(name)
        known[name] = Size() if entry is None else Size(entry.rows, entry.bytes, len(entry.columns))
    return known[name]


def _together(sizes: Sequence[Size]) -> Size:
    return Size(*(_sum([getattr(each, name) for each in sizes]) for name in ("rows", "bytes", "columns")))


def _sum(numbers: Sequence[int | None]) -> int | None:
    known = [each for each in numbers if each is not None]
    return sum(known) if len(known) == len(numbers) else None
