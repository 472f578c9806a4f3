"""Uploaded datasets: a file under the hash of its content, and a name with versions that says which file.

A file is written aside, brought to the disk and renamed, its directory is brought to the disk, and only then does a
commit name it. So a name always leads to a whole file; a file that no name leads to is what a kill left, or was
replaced, and `collect` removes it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection
from typing import TYPE_CHECKING, Any, Final

from bigviz.common.disk.no_space import no_space
from bigviz.common.disk.sync_directory import sync_directory
from bigviz.common.errors import BadInput, Conflict
from bigviz.data.appending.rule import ALL_ROWS, Rule
from bigviz.document.names import check_name
from bigviz.library import items, listing
from bigviz.library.access import Caller, changeable, replaceable
from bigviz.library.items import Expect, Item
from bigviz.library.listing import Sort
from bigviz.library.storage.database import FULL, Database
from bigviz.library.storage.directory import FILES, INCOMING
from bigviz.library.storage.rollover import rule_of, values_of
from bigviz.library.uploads import Upload, drop_left_over

if TYPE_CHECKING:
    from bigviz.library.streams import Streams

__all__ = ["DatasetEntry", "Datasets"]

_FORMAT: Final = re.compile(r"[a-z0-9]{1,16}")
_FILE: Final = re.compile(r"[0-9a-f]{64}\.[a-z0-9]{1,16}")
_HOUR: Final = 3600.0


@dataclass(frozen=True)
class DatasetEntry:
    """A dataset at its current version.

    `path` is the file that was uploaded, named by `hash` (SHA-256) and `format`; `columns` are `{name, type}` each. An
    `attached` one was uploaded for a document and goes when no version of a document names it. `rows` and `bytes` count
    what was appended since then too, if it has a `log`; nothing more is once it is `sealed`. `order_by` is the column
    that whoever made it names as its order, `rollover` says which rows are kept.
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
    log: str | None = None
    sealed: bool = False
    order_by: str | None = None
    rollover: Rule = ALL_ROWS


class Datasets:
    """The uploaded datasets of a library. What has returned is on the disk."""

    def __init__(self, database: Database, directory: Path) -> None:
        self._database = database
        self._directory = directory
        self._files = directory / FILES
        self._incoming = directory / INCOMING
        self._streams: Streams | None = None

    @property
    def streams(self) -> Streams:
        """What was appended to the datasets; only after `recover`."""
        assert self._streams is not None
        return self._streams

    def recover(self, open: Callable[[Database, Path], Streams]) -> None:
        """Open what was appended, for the one server of the library, and learn what was before a crash. Until then
        a dataset is as it was last written down."""
        self._streams = open(self._database, self._directory)
        self._streams.recover()

    def close(self) -> None:
        """Let go of what was appended; a second call does nothing."""
        if self._streams is not None:
            self._streams.close()

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
        order_by: str | None = None,
        rollover: Rule | None = None,
    ) -> DatasetEntry:
        """Make a file the current version of a dataset; content that equals the current version's makes none. The
        first one's owner stays. What was appended to the version before goes with it.

        `format` is the ending of the kept file: "arrow", "arrows", "parquet". A new dataset is `attached` if that is
        said. One that is there can be detached, and never attached: who may write to it may not have it collected.
        Raises BadInput for the name or the format, OutOfDate where the current version is not `expect`, NoSpace; with
        a `caller`, NotFound or Forbidden where the name is taken and the caller may not write to it. A refused upload
        can be added again.
        """
        check_name(name)
        if not _FORMAT.fullmatch(format):
            raise BadInput(f"A format is the ending of a file's name, got {format!r}.", "format", format)
        rule = rollover or ALL_ROWS
        _check_columns([column["name"] for column in columns], order_by, rule)
        described = json.dumps([dict(column) for column in columns])
        digest, size = upload.digest()
        self._check_replaceable(name, caller, expect)
        with self._replacing(name), self._database.write() as db:
            item = replaceable(db, "dataset", name, caller, expect)
            before = None if item is None else self._entry(db, item)
            if before is not None:
                attached = before.attached and attached is not False
            now = self._database.now()
            if item is None:
                item = items.create(db, "dataset", name, name, owner, now)
            elif before and ((before.hash, before.format) != (digest, format) or before.log):
                item = items.advance(db, item, name, now)
            elif attached:
                item = items.touch(db, item, now)  # a document that names it is about to come: see `collect`
            db.execute(
                "INSERT OR REPLACE INTO datasets (item, hash, format, bytes, row_count, columns, attached, order_by,"
                " rollover_rows, rollover_bytes, rollover_age) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    item.id, digest, format, size, rows, described, bool(attached), order_by,
                    *values_of(rule),
                ),
            )  # fmt: skip
            self._keep(upload, f"{digest}.{format}", size)
            entry = self._entry(db, item)
        if rule and self._streams is not None:  # what the rule does not keep of the upload is gone from now on
            self._streams.stream(name)
            return self.entry(name)
        return entry

    def bytes_of(self, owner: str) -> int:
        """The bytes of all datasets that a user owns."""
        with self._database.read() as db:
            rows = db.execute(f"SELECT {items.COLUMNS} FROM items WHERE kind = 'dataset' AND owner = ?", (owner,))
            return sum(self._entry(db, Item.of(row)).bytes for row in rows.fetchall())

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
        with self._database.read() as db:
            changeable(db, "dataset", name, caller, "owner", None)
        with self._replacing(name), self._database.write() as db:
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
            return removed + (self._streams.collect(db) if self._streams else 0)

    def _check_replaceable(self, name: str, caller: Caller | None, expect: Expect) -> None:
        """Raise what refuses a new version before appends are stopped for it."""
        if self._streams is not None:
            self._streams.settle()
        with self._database.read() as db:
            replaceable(db, "dataset", name, caller, expect)

    def _replacing(self, name: str) -> AbstractContextManager[None]:
        return nullcontext() if self._streams is None else self._streams.replacing(name)

    def _keep(self, upload: Upload, file: str, size: int) -> None:
        path = self._files / file
        if path.is_file() and path.stat().st_size == size:
            upload.abort()
        else:
            upload.keep(path)
        with no_space(FULL, "library"):
            sync_directory(self._files)  # also where the file was there: who brought it may have ended before this

    def _entry(self, db: Connection, item: Item) -> DatasetEntry:
        digest, format, size, rows, columns, attached, log, more_rows, more_bytes, sealed, order_by = db.execute(
            "SELECT hash, format, bytes, row_count, columns, attached, log, log_rows, log_bytes, sealed, order_by"
            " FROM datasets WHERE item = ?",
            (item.id,),
        ).fetchone()
        head = self._streams.head(item.name, log) if self._streams is not None and log is not None else None
        version = item.version
        if head is not None:
            version, more_rows = max(version, head.version), head.rows - head.upload_rows
            more_bytes, sealed = head.nbytes, head.sealed
        return DatasetEntry(
            item.name, version, item.owner, item.public, rows + more_rows, size + more_bytes,
            tuple(json.loads(columns)), item.updated, self._files / f"{digest}.{format}", format, digest,
            bool(attached), log, bool(sealed), order_by, rule_of(db, item.id),
        )  # fmt: skip


def _check_columns(names: Sequence[str], order_by: str | None, rule: Rule) -> None:
    """Raise BadInput for an order by a column that there is not, Conflict where rows of such a table cannot be rolled
    over."""
    if order_by is not None and order_by not in names:
        raise BadInput(f"order_by names a column, and there is no {order_by!r}.", "order_by", order_by)
    if rule and len(set(names)) < len(names):
        raise Conflict("The table has several columns of one name: it cannot be appended to, nor rolled over.", "name")
