"""A library: the directory in which a plot server keeps documents, datasets and people."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from bigviz.common.errors import Unreadable
from bigviz.library.access import Access
from bigviz.library.datasets import Datasets
from bigviz.library.documents import Documents
from bigviz.library.sessions import Sessions
from bigviz.library.storage.database import Database
from bigviz.library.storage.directory import (
    DATABASE,
    FILES,
    STREAMS,
    ServerLock,
    default_directory,
    make_directory,
    opening,
)
from bigviz.library.tokens import Tokens
from bigviz.library.users import Kept, Users
from bigviz.library.views import Views

__all__ = ["Library"]


class Library:
    """An open library. Safe to use from any number of threads and processes; what its methods have done is on the disk
    when they return. Leaving its `with` block closes it."""

    def __init__(self, directory: Path, database: Database, lock: ServerLock | None) -> None:
        self.directory = directory
        self.documents = Documents(database)
        self.datasets = Datasets(database, directory)
        self.access = Access(database)
        self.users = Users(database)
        self.tokens = Tokens(database)
        self.sessions = Sessions(database)
        self.views = Views(database)
        self._database = database
        self._lock = lock

    @classmethod
    def open(
        cls, directory: Path | None = None, *, serve: bool = False, now: Callable[[], float] = time.time
    ) -> Library:
        """The library in a directory (default: the user's), made where there is none; `now` is its clock.

        `serve` is for the one server that it may have. Raises BadInput for a directory that cannot be used, or that
        another server has, Unreadable for a database that is damaged, missing beside its datasets, or of a newer
        bigviz.
        """
        directory = (directory or default_directory()).absolute()
        make_directory(directory)
        lock = ServerLock.take(directory) if serve else None
        try:
            with opening(directory):
                _check_there(directory)
                database = Database(directory / DATABASE, now)
        except BaseException:
            if lock is not None:
                lock.release()
            raise
        return cls(directory, database, lock)

    def changes(self) -> int:
        """A number that is another one after any process, this one included, has changed something."""
        return self._database.changes()

    def kept_by(self, user: str) -> Kept:
        """What a user owns, with the rows that were appended."""
        with self._database.read() as db:
            documents = db.execute("SELECT count(*) FROM items WHERE kind = 'document' AND owner = ?", (user,))
            (number,) = documents.fetchone()
            versions = db.execute(
                "SELECT coalesce(sum(length(CAST(body AS BLOB))), 0) FROM document_versions"
                " JOIN items ON items.id = document WHERE owner = ?",
                (user,),
            )
            (size,) = versions.fetchone()
        return Kept(number, size + self.datasets.bytes_of(user))

    def close(self) -> None:
        """Let go of the database and the lock; a second call does nothing."""
        self.datasets.close()
        self._database.close()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Library:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _check_there(directory: Path) -> None:
    """Raise Unreadable where the database is missing and what belongs to it is there: a new, empty one would name none
    of the files, and `collect` would remove them all."""
    database, log = directory / DATABASE, directory / f"{DATABASE}-wal"
    beside = [log] if log.exists() and log.stat().st_size else []
    beside += [folder for folder in (directory / FILES, directory / STREAMS) if any(folder.iterdir())]
    if beside and not database.stat().st_size:
        names = " and ".join(path.name for path in beside)
        raise Unreadable(
            f"{database} is missing or empty, and {names} beside it is not: put a backup of the database in its place, "
            f"or move {names} away.",
            "library",
            str(directory),
        )
