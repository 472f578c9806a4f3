"""Documents: JSON under a name, with its versions."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Any, Final

from bigviz.common.errors import BadInput, Conflict, NotFound, TooLarge
from bigviz.document.names import check_name
from bigviz.library import items, listing
from bigviz.library.access import Caller, changeable, replaceable
from bigviz.library.items import Expect, Item
from bigviz.library.listing import Sort
from bigviz.library.names import storable
from bigviz.library.storage.database import Database

__all__ = ["KEEP", "LARGEST", "DocumentEntry", "Documents", "Put", "StoredDocument", "VersionEntry"]

KEEP: Final = 100
"""Versions of a document that are kept, unless somebody says otherwise."""
LARGEST: Final = 16 << 20
"""Bytes of a document's JSON."""


@dataclass(frozen=True)
class Put:
    """What came of a change: the current version, and whether the name is new and the version is."""

    version: int
    created: bool
    changed: bool


@dataclass(frozen=True)
class StoredDocument:
    """One version of a document: its JSON, who wrote it (None: the operator) and when, in seconds since the epoch;
    `nbytes` is what it takes in the library."""

    name: str
    version: int
    value: dict[str, Any]
    title: str
    author: str | None
    created: float
    nbytes: int


@dataclass(frozen=True)
class VersionEntry:
    """A version without its JSON, which has `bytes`."""

    version: int
    author: str | None
    created: float
    bytes: int


@dataclass(frozen=True)
class DocumentEntry:
    """A document at its current version, without its JSON. `datasets` are the names in the order that it gives."""

    name: str
    title: str
    owner: str | None
    public: bool
    version: int
    updated: float
    datasets: tuple[str, ...]


class Documents:
    """The documents of a library. What has returned is on the disk."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(
        self,
        name: str,
        value: Mapping[str, Any],
        *,
        title: str,
        datasets: Sequence[str],
        author: str | None,
        expect: Expect = None,
        keep: int = KEEP,
        caller: Caller | None = None,
        uploaded: Collection[str] = (),
    ) -> Put:
        """Make `value` the current version. Where it equals the current one (in any order of keys) nothing changes.

        The author of the first version owns the document. Only the newest `keep` versions stay. Raises BadInput for the
        name and for what is no JSON, TooLarge beyond `LARGEST`, OutOfDate where the current version is not `expect`;
        with a `caller`, NotFound or Forbidden where the name is taken and the caller may not write to it; Conflict
        where one of the `uploaded` datasets, which the caller has seen a moment ago, is not there any more.
        """
        check_name(name)
        body = _json(value)
        with self._database.write() as db:
            _check_uploaded(db, uploaded)
            item = replaceable(db, "document", name, caller, expect)
            return self._put(db, item, name, _Content(title, body, datasets), author, keep)

    def get(self, name: str, version: int | None = None) -> StoredDocument:
        """A version of a document (None: the current one). Raises NotFound without the name or the version."""
        with self._database.read() as db:
            item = items.existing(db, "document", name)
            number = item.version if version is None else version
            content, author, created = _content(db, item, number)
        size = len(content.body.encode())
        return StoredDocument(name, number, json.loads(content.body), content.title, author, created, size)

    def entry(self, name: str) -> DocumentEntry:
        """A document without its JSON. Raises NotFound."""
        with self._database.read() as db:
            return _entry(db, items.existing(db, "document", name))

    def find(self, name: str) -> DocumentEntry | None:
        """A document without its JSON, None where there is none of that name."""
        with self._database.read() as db:
            item = items.find(db, "document", name)
            return None if item is None else _entry(db, item)

    def page(
        self, caller: Caller, *, q: str = "", sort: Sort = "updated", limit: int = 50, after: str | None = None
    ) -> tuple[list[DocumentEntry], str | None]:
        """Documents that the caller may see, and where the next page begins: see `listing.page`."""
        with self._database.read() as db:
            found, following = listing.page(db, "document", caller, q, sort, limit, after)
            return [_entry(db, item) for item in found], following

    def versions(self, name: str) -> list[VersionEntry]:
        """The versions that are kept, the newest first. Raises NotFound."""
        with self._database.read() as db:
            item = items.existing(db, "document", name)
            rows = db.execute(
                "SELECT version, author, created, length(body) FROM document_versions WHERE document = ?"
                " ORDER BY version DESC",
                (item.id,),
            )
            return [VersionEntry(*row) for row in rows]

    def restore(
        self,
        name: str,
        version: int,
        author: str | None,
        *,
        expect: Expect = None,
        keep: int = KEEP,
        caller: Caller | None = None,
        uploaded: Collection[str] = (),
    ) -> Put:
        """Make a new version that is as an old one was; none where the current one is. Raises what `put` raises, and
        NotFound without the name or the version."""
        with self._database.write() as db:
            _check_uploaded(db, uploaded)
            item = changeable(db, "document", name, caller, "writer", expect)
            content, _, _ = _content(db, item, version)
            return self._put(db, item, name, content, author, keep)

    def delete(self, name: str, *, expect: Expect = None, caller: Caller | None = None) -> None:
        """Remove a document with its versions, access and views. Raises NotFound, OutOfDate, Forbidden."""
        with self._database.write() as db:
            items.remove(db, changeable(db, "document", name, caller, "owner", expect))
            db.execute("DELETE FROM views WHERE document = ?", (name,))

    def _put(
        self, db: Connection, item: Item | None, name: str, content: _Content, author: str | None, keep: int
    ) -> Put:
        if keep < 1:
            raise BadInput(f"At least 1 version of a document is kept, got {keep}.", "keep", keep)
        now, created = self._database.now(), item is None
        if item is None:
            item = items.create(db, "document", name, content.title, author, now)
        elif _content(db, item, item.version)[0].same(content):
            return Put(item.version, False, False)
        else:
            item = items.advance(db, item, content.title, now)
        key = (item.id, item.version)
        db.execute(
            "INSERT INTO document_versions (document, version, title, author, created, body) VALUES (?, ?, ?, ?, ?, ?)",
            (*key, item.title, author, now, content.body),
        )
        db.executemany(
            "INSERT INTO version_datasets (document, version, place, dataset) VALUES (?, ?, ?, ?)",
            [(*key, place, storable(dataset)) for place, dataset in enumerate(content.datasets)],
        )
        db.execute("DELETE FROM document_versions WHERE document = ? AND version <= ?", (item.id, item.version - keep))
        return Put(item.version, created, True)


@dataclass(frozen=True)
class _Content:
    """What a version holds: two are the same if their titles are, and their JSON but for the order of keys."""

    title: str
    body: str
    datasets: Sequence[str]

    def same(self, other: _Content) -> bool:
        if storable(self.title) != storable(other.title) or len(self.body) != len(other.body):
            return False  # in another order, JSON as it is kept here is as long
        return self.body == other.body or _sorted(self.body) == _sorted(other.body)


def _sorted(body: str) -> str:
    """The same JSON with its keys in order."""
    return json.dumps(json.loads(body), sort_keys=True)


def _json(value: Mapping[str, Any]) -> str:
    """The JSON of a document."""
    try:
        # What refers to itself is told by Python's own limit, for a third less time.
        body = json.dumps(value, allow_nan=False, separators=(",", ":"), check_circular=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise BadInput(f"A document is JSON, got what is none ({error}).", "document") from error
    if len(body) > LARGEST:
        raise TooLarge(
            f"A document has at most {LARGEST:,} bytes of JSON, got {len(body):,}: keep rows in datasets.",
            "document",
            len(body),
        )
    return body


def _content(db: Connection, item: Item, version: int) -> tuple[_Content, str | None, float]:
    row = None
    if 0 < version <= item.version:  # a larger one may be beyond SQLite's integers
        row = db.execute(
            "SELECT title, body, author, created FROM document_versions WHERE document = ? AND version = ?",
            (item.id, version),
        ).fetchone()
    if row is None:
        raise NotFound(
            f"The document {item.name!r} has no version {version}: it is at version {item.version}, and old ones are "
            "not kept for ever.",
            "version",
            version,
        )
    return _Content(row[0], row[1], _datasets(db, item, version)), row[2], row[3]


def _datasets(db: Connection, item: Item, version: int) -> tuple[str, ...]:
    rows = db.execute(
        "SELECT dataset FROM version_datasets WHERE document = ? AND version = ? ORDER BY place", (item.id, version)
    )
    return tuple(name for (name,) in rows)


def _entry(db: Connection, item: Item) -> DocumentEntry:
    datasets = _datasets(db, item, item.version)
    return DocumentEntry(item.name, item.title, item.owner, item.public, item.version, item.updated, datasets)


def _check_uploaded(db: Connection, names: Collection[str]) -> None:
    for name in names:
        if items.find(db, "dataset", name) is None:
            raise Conflict(f"The dataset {name!r} was deleted at this moment: upload it again.", "dataset", name)
