"""Lists of documents and datasets for a caller: what the server was started with, and what is in its library."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from bigviz.server.documents.merged_pages import ListedDataset, ListedDocument, Size, datasets_page, documents_page

if TYPE_CHECKING:
    from bigviz.data.dataset import Dataset
    from bigviz.document.spec import Document
    from bigviz.server.access.principal import Principal
    from bigviz.server.site import Site

__all__ = ["list_datasets", "list_documents", "served_documents"]

L = TypeVar("L", ListedDocument, ListedDataset)


async def list_documents(site: Site, principal: Principal, **wanted: Any) -> tuple[list[ListedDocument], str | None]:
    """A page of the documents that a caller may see; `wanted` is q, sort, limit and after."""
    served = served_documents(site, principal)
    sizes = {name: _size([dataset]) for name, dataset in site.served_datasets.items()}
    arguments = (site.library, served, frozenset(site.documents.names), sizes, principal.caller)
    if site.library is None:
        return _as_seen(documents_page(*arguments, **wanted), principal)
    return _as_seen(await site.threads.run(documents_page, *arguments, **wanted), principal)


async def list_datasets(site: Site, principal: Principal, **wanted: Any) -> tuple[list[ListedDataset], str | None]:
    """The same for datasets."""
    role = site.people.role_on_given(principal)
    served = []
    for name, dataset in site.served_datasets.items() if role else ():
        size = _size([dataset])
        public = site.people.anonymous
        updated = _updated([dataset], site.began)
        served.append(ListedDataset(name, None, public, role or "", None, size.rows, size.bytes, updated))
    arguments = (site.library, served, frozenset(site.served_datasets), principal.caller)
    if site.library is None:
        return _as_seen(datasets_page(*arguments, **wanted), principal)
    return _as_seen(await site.threads.run(datasets_page, *arguments, **wanted), principal)


def served_documents(site: Site, principal: Principal) -> list[ListedDocument]:
    """The documents that the server was started with, if the caller may see them; those that are not open yet have no
    size."""
    role = site.people.role_on_given(principal)
    if role is None:
        return []
    found = []
    for name in site.documents.names:
        document = site.documents.get(name)
        tables = [] if document is None else _tables(document)
        size = Size() if document is None else _size(tables)
        title = name if document is None else document.title or name
        updated = _updated(tables, site.began)
        facts = (None, size.rows, size.bytes, updated, size.columns, len(tables))
        found.append(ListedDocument(name, title, None, site.people.anonymous, role, *facts))
    return found


def _as_seen(found: tuple[list[L], str | None], principal: Principal) -> tuple[list[L], str | None]:
    """A visitor sees what an admin sees, and is a viewer of it all."""
    listed, following = found
    if principal.kind == "visitor":
        listed = [replace(each, role="viewer") for each in listed]
    return listed, following


def _tables(document: Document) -> list[Any]:
    return list(document.sources.values())


def _size(tables: list[Dataset]) -> Size:
    """Rows, the bytes of the files (of a table in memory those are not known), and columns."""
    files = [file.size for table in tables for file in table.files]
    rows, columns = sum(table.num_rows for table in tables), sum(len(table.columns()) for table in tables)
    return Size(rows, sum(files) if all(table.files for table in tables) else None, columns)


def _updated(tables: list[Dataset], began: float) -> float:
    """When a file was changed last; for tables in memory, when the server was started."""
    return max((file.mtime_ns / 1e9 for table in tables for file in table.files), default=began)
