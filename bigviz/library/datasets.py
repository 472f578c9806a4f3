"""Uploaded datasets: a file under the hash of its content, and a name with versions that says which file.

A file is written aside, brought to the disk and renamed, its directory is brought to the disk, and only then does a
commit name it. So a name always leads to a whole file; a file that no name leads to is what a kill left, or was
replaced, and `collect` removes it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection
from typing import Any, Final

from bigviz.common.errors import BadInput, Conflict
from bigviz.document.names import check_name
from bigviz.library import items, listing
from bigviz.library.access import Caller, changeable, replaceable
from bigviz.library.items import Expect, Item
from bigviz.library.listing import Sort
from bigviz.library.storage.database import Database
from bigviz.library.storage.directory import FILES, INCOMING, sync
from bigviz.library.uploads import Upload, disk_errors, drop_left_over

__all__ = ["DatasetEntry", "Datasets"]

_FORMAT: Final = re.compile(r"[a-z0-9]{1,16}")
_FILE: Final = re.compile(r"[0-9a-f]{64}\.[a-z0-9]{1,16}")
_HOUR: Final = 3600.0


@dataclass(frozen=True)
class DatasetEntry:
    """A dataset at its current version.

    `path` is its file, named by `hash` (SHA-256) and `format`; `columns` are `{name, type}` each. An `attached` one was
    uploaded for a document and goes when no version of a document names it.
    """

    name: str
    version: int
    owner: str | None
    public: bool
    rows: int
    bytes: int
    columns: tuple[Mapping[str, Any], ...]
    updated: float
    path: Path
    format: str
    hash: str
    attached: bool


class Datasets:
    """The uploaded datasets of a library. What has returned is on the disk."""

    def __init__(self, database: Database, directory: Path) -> None:
        self._database = database
        self._files = directory / FILES
        self._incoming = directory / INCOMING

    def begin(self) -> Upload:
        """A new file to write a dataset to."""
        return Upload(self._incoming)

    def add(
        self,
        name: str,
        upload: Upload,
        *,
        rows: int,
        columns: Sequence[Mapping[str, Any]],
        format: str,
        owner: str | None,
        expect: Expect = None,
        attached: bool | None = None,
        caller: Caller | None = None,
    ) -> DatasetEntry:
        """Make a file the current version of a dataset; content that equals the current version's makes none. The
        first one's owner stays.

        `format` is the ending of the kept file: "arrow", "arrows", "parquet". A new dataset is `attached` if that is
        said. One that is there can be detached, and never attached: who may write to it may not have it collected.
        Raises BadInput for the name or the format, OutOfDate where the current version is not `expect`, NoSpace; with
        a `caller`, NotFound or Forbidden where the name is taken and the caller may not write to it. A refused upload
        can be added again.
        """
        check_name(name)
        if not _FORMAT.fullmatch(format):
            raise BadInput(f"A format is the ending of a file's name, got {format!r}.", "format", format)
        described = json.dumps([dict(column) for column in columns])
        digest, size = upload.digest()
        with self._database.write() as db:
            item = replaceable(db, "dataset", name, caller, expect)
            before = None if item is None else self._entry(db, item)
            if before is not None:
                attached = before.attached and attached is not False
            now = self._database.now()
            if item is None:
                item = items.create(db, "dataset", name, name, owner, now)
            elif before and (before.hash, before.format) != (digest, format):
                item = items.advance(db, item, name, now)
            elif attached:
                item = items.touch(db, item, now)  # a document that names it is about to come: see `collect`
            db.execute(
                "INSERT OR REPLACE INTO datasets (item, hash, format, bytes, row_count, columns, attached)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (item.id, digest, format, size, rows, described, bool(attached)),
            )
            self._keep(upload, f"{digest}.{format}", size)
            return self._entry(db, item)

    def entry(self, name: str) -> DatasetEntry:
        """A dataset at its current version; NotFound. Once it is replaced, `collect` removes the file: who finds none
        at `path` asks again."""
        with self._database.read() as db:
            return self._entry(db, items.existing(db, "dataset", name))

    def find(self, name: str) -> DatasetEntry | None:
        """A dataset as `entry` gives it, None where there is none of that name."""
        with self._database.read() as db:
            item = items.find(db, "dataset", name)
            return None if item is None else self._entry(db, item)

    def page(
        self, caller: Caller, *, q: str = "", sort: Sort = "updated", limit: int = 50, after: str | None = None
    ) -> tuple[list[DatasetEntry], str | None]:
        """Datasets that the caller may see, and where the next page begins: see `listing.page`."""
        with self._database.read() as db:
            found, following = listing.page(db, "dataset", caller, q, sort, limit, after)
            return [self._entry(db, item) for item in found], following

    def delete(self, name: str, *, expect: Expect = None, caller: Caller | None = None) -> None:
        """Take a dataset away; `collect` removes its file. Raises NotFound, Forbidden, OutOfDate, and Conflict while
        documents name it in their current version."""
        with self._database.write() as db:
            item = changeable(db, "dataset", name, caller, "owner", expect)
            (number,) = db.execute(
                "SELECT count(DISTINCT items.id) FROM version_datasets AS named JOIN items"
                " ON items.id = named.document AND items.version = named.version WHERE named.dataset = ?",
                (name,),
            ).fetchone()
            if number:
                documents = "1 document shows" if number == 1 else f"{number:,} documents show"
                raise Conflict(
                    f"{documents} the dataset {name!r}: delete them, or publish them without it, first.", "name", name
                )
            items.remove(db, item)

    def collect(self, attached_after: float = _HOUR) -> int:
        """Remove the files that nothing names, and return how many there were: those of datasets that were deleted or
        replaced, those of attached ones that were uploaded more than `attached_after` seconds ago and that no version
        of a document names, and what processes that have ended left behind."""
        with self._database.write() as db:
            rows = db.execute(
                f"SELECT {items.COLUMNS} FROM items JOIN datasets ON item = id WHERE attached AND updated <= ?"
                " AND NOT EXISTS (SELECT 1 FROM version_datasets WHERE dataset = name)",
                (self._database.now() - attached_after,),
            ).fetchall()
            for row in rows:
                items.remove(db, Item.of(row))
        removed = drop_left_over(self._incoming)
        with self._database.write() as db:  # nobody adds meanwhile, and no commit that could fail takes a name away
            named = {f"{digest}.{format}" for digest, format in db.execute("SELECT hash, format FROM datasets")}
            for path in self._files.iterdir():
                if path.name not in named and _FILE.fullmatch(path.name):
                    path.unlink()
                    removed += 1
        return removed

    def _keep(self, upload: Upload, file: str, size: int) -> None:
        path = self._files / file
        if path.is_file() and path.stat().st_size == size:
            upload.abort()
        else:
            upload.keep(path)
        with disk_errors():
            sync(self._files)  # also where the file was there: who brought it may have ended before this

    def _entry(self, db: Connection, item: Item) -> DatasetEntry:
        digest, format, size, rows, columns, attached = db.execute(
            "SELECT hash, format, bytes, row_count, columns, attached FROM datasets WHERE item = ?", (item.id,)
        ).fetchone()
        return DatasetEntry(
            item.name, item.version, item.owner, item.public, rows, size, tuple(json.loads(columns)), item.updated,
            self._files / f"{digest}.{format}", format, digest, bool(attached),
        )  # fmt: skip
