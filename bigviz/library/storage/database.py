"""The SQLite database of a library: one writer at a time, readers beside it, and a commit that is on the disk.

Every connection waits up to 10 s for another process that writes. Readers see the last commit before they began.
"""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from bigviz.common.errors import BigvizError, Busy, NoSpace, Unreadable
from bigviz.library.storage.migrations import migrate, version_of

__all__ = ["FULL", "Database"]

FULL: Final = "The disk of the library takes no more: it is full, over a quota, or failing. Nothing was kept."
"""What is said where a write to the library's disk fails."""

_SECONDS_TO_WAIT: Final = 10.0
_MOST_IDLE: Final = 8
_LITTLE: Final = 1 << 20  # bytes: a disk with less than this free is full, whatever SQLite calls it
_LARGEST_LOG: Final = 64 << 20
_PRAGMAS: Final = (
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA trusted_schema = OFF",
    f"PRAGMA journal_size_limit = {_LARGEST_LOG}",
)


class Database:
    """The database at `path`, brought to the newest version. Safe to use from any number of threads.

    `now` is the clock, in seconds since the epoch. Raises Unreadable for what is damaged or newer, BadInput for the
    database of another program.
    """

    def __init__(self, path: Path, now: Callable[[], float] = time.time) -> None:
        self._path = path
        self._idle: list[sqlite3.Connection] = []
        self._writing = threading.Lock()
        self._guard = threading.Lock()  # of the list of idle readers, and of the connection that counts changes
        self._open = True
        self._shown = str(path)  # in errors for who opens it, but not for clients of a server
        self.now = now
        with self._told():
            self._writer = self._connected(first=True)
            self._counter = self._connected()
        self._shown = path.name

    def _connected(self, *, first: bool = False) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{self._path.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=_SECONDS_TO_WAIT,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            for pragma in _PRAGMAS:  # of this connection alone: nothing is changed yet
                connection.execute(pragma)
            if first:
                self._make(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _make(self, connection: sqlite3.Connection) -> None:
        version_of(connection, str(self._path))  # nothing is changed in what is not a library
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise Unreadable(
                f"{self._path} lies on a file system without the shared memory that SQLite needs: choose another "
                "directory with --library.",
                "library",
                str(self._path),
            )
        connection.execute("BEGIN IMMEDIATE")
        try:
            migrate(connection, version_of(connection, str(self._path)))
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection on which all statements see one state of the database."""
        with self._told():
            connection = self._reader()
            try:
                connection.execute("BEGIN")
                yield connection
            finally:
                self._give_back(connection)

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """The one writer of all processes, in a transaction: committed and on the disk once the block has ended, rolled
        back where it raises. Raises Busy where others write for 10 s, NoSpace where the disk is full."""
        with self._told(), self._writing:
            self._check()
            connection = self._writer
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def changes(self) -> int:
        """A number that is another one after any process, this one included, has committed a change."""
        with self._told(), self._guard:
            self._check()
            (version,) = self._counter.execute("PRAGMA data_version").fetchone()
            return int(version)

    def close(self) -> None:
        """End all connections once they are idle; a second call does nothing. What is used after it raises
        RuntimeError."""
        with self._writing, self._guard:
            if self._open:
                self._open = False
                for connection in (*self._idle, self._counter, self._writer):
                    connection.close()
                self._idle.clear()

    def _reader(self) -> sqlite3.Connection:
        with self._guard:
            self._check()
            if self._idle:
                return self._idle.pop()
        connection = self._connected()
        connection.execute("PRAGMA query_only = ON")
        return connection

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with suppress(sqlite3.Error), self._guard:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if self._open and len(self._idle) < _MOST_IDLE:
                self._idle.append(connection)
                return
        connection.close()

    def _check(self) -> None:
        if not self._open:
            raise RuntimeError("The library is closed.")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What SQLite says, as errors of bigviz's own where a caller can do something about them."""
        try:
            yield
        except sqlite3.Error as error:
            if told := self._as_own(error):
                raise told from error
            raise

    def _as_own(self, error: sqlite3.Error) -> BigvizError | None:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return Busy(
                f"The library has been written to by another process for {_SECONDS_TO_WAIT:.0f} s: try again.",
                "library",
            )
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return Unreadable(
                f"The library's database, {self._shown}, is damaged ({error}): put a backup in its place, or save what "
                f"can be read with `sqlite3 {self._path.name} .recover | sqlite3 saved.sqlite`.",
                "library",
            )
        return NoSpace(FULL, "library") if self._is_full(error) else None

    def _is_full(self, error: sqlite3.Error) -> bool:
        code = getattr(error, "sqlite_errorcode", 0)
        if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE):  # the second one for quotas
            return True
        return code & 0xFF == sqlite3.SQLITE_IOERR and shutil.disk_usage(self._path.parent).free < _LITTLE
