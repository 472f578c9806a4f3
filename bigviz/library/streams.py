"""The append logs of datasets: a directory each, named by the dataset's row in the database.

The log is what counts. How far it goes is written into the database now and then (`settle`), once that is on the disk:
so a log that ends before what the database names has lost something.
"""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection
from typing import Final, Protocol
from weakref import WeakValueDictionary

import pyarrow as pa

from bigviz.common.disk.no_space import no_space
from bigviz.common.disk.sync_directory import sync_directory
from bigviz.common.errors import BigvizError, Busy, Conflict, NoSpace, NotFound
from bigviz.data.appending.log import AppendLog, Durability
from bigviz.data.appending.plain import plain_schema, schema_of
from bigviz.data.appending.rule import Rule
from bigviz.data.appending.snapshot import Head, Snapshot
from bigviz.library import items
from bigviz.library.secrets import new_short_id
from bigviz.library.storage.database import FULL, Database
from bigviz.library.storage.directory import FILES, STREAMS
from bigviz.library.storage.rollover import rule_of

__all__ = ["ReadLog", "Stream", "Streams"]

_log = logging.getLogger("bigviz")
_LOG_ID: Final = 12  # characters of a log's name


@dataclass(eq=False)
class Stream:
    """An open log: its directory's name, and the schema of the dataset. `told` are the version and the bytes of the log
    that the database has."""

    id: str
    item: int
    log: AppendLog
    schema: pa.Schema
    told: tuple[int, int]

    @property
    def is_told(self) -> bool:
        """Whether the database knows how far the log goes."""
        return self.told == _told(self.log.snapshot)


@dataclass(frozen=True)
class Told:
    """What the database knows of a log: its directory, the version and the bytes up to which it goes at least, and the
    file under it with its rows and bytes."""

    folder: Path
    item: int
    told: tuple[int, int]
    file: Path
    upload: tuple[int, int]
    rule: Rule


class ReadLog(Protocol):
    """A log as its readers know it."""

    @property
    def snapshot(self) -> Snapshot: ...
    @property
    def closed(self) -> bool: ...


class Streams:
    """The logs of a library's datasets; the one server of the library opens them. Thread-safe."""

    def __init__(self, database: Database, directory: Path, durability: Durability) -> None:
        self.durability = durability
        self._database = database
        self._folder = directory / STREAMS
        self._files = directory / FILES
        self._open: dict[str, Stream] = {}
        self._turns: WeakValueDictionary[str, _Turn] = WeakValueDictionary()
        self._guard = threading.Lock()  # of the turns
        self._settling = threading.Lock()

    def stream(self, name: str) -> Stream:
        """The log of a dataset, made where it has none. Raises NotFound, Conflict for a dataset to which nothing can be
        appended, Unreadable for a damaged log, NoSpace."""
        with self._turn(name):
            found = self._open.get(name)
            if found is not None and found.id != self.id_of(name):  # another process, or `collect`, took it away
                self._forget(name, found)
                found = None
            if found is None:
                found = self._open[name] = self._opened(name) or self._created(name)
            return found

    def find(self, name: str) -> ReadLog | None:
        """The log of a dataset, None for one that was never appended to. Raises NotFound, Unreadable."""
        if self.id_of(name) is None:
            with self._database.read() as db:
                items.existing(db, "dataset", name)
            return None
        return self.stream(name).log

    def snapshot(self, name: str, id: str) -> Snapshot:
        """The log of a dataset as far as it goes. Raises NotFound where it is not the one of that id any more, and
        Unreadable where it is damaged."""
        found = self._open.get(name)
        if found is None or found.id != id:
            if self.id_of(name) != id:
                raise NotFound(f"Dataset {name!r} was replaced meanwhile: ask for it again.", "dataset", name)
            found = self.stream(name)
        return found.log.snapshot

    def head(self, name: str, id: str) -> Head | None:
        """How far a log goes that is open; None for one that is not: then the database knows."""
        found = self._open.get(name)
        return found.log.snapshot.head if found is not None and found.id == id else None

    def heads(self, name: str | None = None) -> list[tuple[str, str, Head]]:
        """The dataset, the name and the head of each log that is open, or of that of one dataset."""
        found = [(each, self._open.get(each)) for each in ([name] if name is not None else list(self._open))]
        return [(each, stream.id, stream.log.snapshot.head) for each, stream in found if stream is not None]

    def settle(self) -> None:
        """Write into the database how far the logs go; nobody who appends waits for it. Raises Busy and NoSpace."""
        with self._settling:
            behind = [(name, each) for name, each in list(self._open.items()) if not each.is_told]
            if not behind:
                return
            states = [(name, each, each.log.sync()) for name, each in behind]
            with self._database.write() as db:
                there = [_settled(db, each, state, self._database.now()) for _, each, state in states]
            for (name, each, state), known in zip(states, there, strict=True):
                each.told = _told(state)
                if not known:
                    self._forget(name, each)

    def roll(self, now_ns: int) -> dict[str, AppendLog]:
        """Roll over the rows of open logs that have become too old: the logs, by dataset, that have fewer now."""
        rolled = {}
        for name, each in list(self._open.items()):
            try:
                if each.log.roll(now_ns):
                    rolled[name] = each.log
                each.log.tidy()
            except BigvizError as error:
                _log.warning("old rows of dataset %r could not be rolled over: %s", name, error.message)
        return rolled

    def forget_replaced(self) -> None:
        """Let go of the logs whose datasets others have replaced: those of this process have been, by `replacing`."""

    @contextmanager
    def replacing(self, name: str) -> Iterator[None]:
        """While a dataset is replaced or removed: nothing is appended to it, and the database knows all that was."""
        with self._turn(name):
            found = self._open.pop(name, None)
            if found is not None:
                found.log.close()
                with self._database.write() as db:
                    _settled(db, found, found.log.snapshot, self._database.now())
            yield

    def recover(self) -> None:
        """Look at all logs after a start, so that the database knows what was appended before a crash. A damaged one is
        told of when somebody asks for it."""
        with self._database.read() as db:
            rows = db.execute(
                "SELECT name, rollover_age FROM items JOIN datasets ON item = id WHERE log IS NOT NULL"
            ).fetchall()
        for name, age in rows:
            try:
                found = self._opened(name)
                if found is not None:
                    self._open[name] = found
                    self.settle()
                    if age is None:  # rows of others grow old though nobody asks for them
                        self._forget(name, found)
            except BigvizError as error:
                _log.warning("dataset %r cannot be shown, nor appended to: %s", name, error.message)

    def collect(self, db: Connection) -> int:
        """Remove the logs that nothing names, in the transaction of a writer; how many there were."""
        named = {row[0] for row in db.execute("SELECT log FROM datasets WHERE log > ''")}
        removed = 0
        for folder in self._folder.iterdir():
            if folder.name not in named and len(folder.name) == _LOG_ID and folder.is_dir():
                shutil.rmtree(folder, ignore_errors=True)
                removed += 1
        return removed

    def close(self) -> None:
        """Write down how far the logs go, and let go of them; a second call does nothing."""
        try:
            self.settle()
        except (Busy, NoSpace) as error:  # the next start finds it in the logs
            _log.warning("how far streams go could not be written down: %s", error.message)
        for name, each in list(self._open.items()):
            self._forget(name, each)

    @contextmanager
    def _turn(self, name: str) -> Iterator[None]:
        """One at a time for a dataset; opening a long log holds up none of the others."""
        with self._guard:
            turn = self._turns.get(name)
            if turn is None:
                turn = self._turns[name] = _Turn()
        with turn.lock:
            yield

    def _forget(self, name: str, found: Stream) -> None:
        """Let go of a log, unless another one has its place."""
        if self._open.get(name) is found:
            self._open.pop(name, None)
        found.log.close()

    def id_of(self, name: str) -> str | None:
        """The name of the directory of a dataset's log, None where there is no log, or no such dataset."""
        with self._database.read() as db:
            item = items.find(db, "dataset", name)
            row = item and db.execute("SELECT log FROM datasets WHERE item = ?", (item.id,)).fetchone()
        return row[0] if row else None

    def _opened(self, name: str) -> Stream | None:
        told = self.told_of(name)
        if told is None:
            return None
        schema = schema_of(told.file)
        log = AppendLog.open(told.folder, told.told[0], self.durability, rule=told.rule, upload=told.upload)
        return Stream(told.folder.name, told.item, log, schema, told.told)

    def told_of(self, name: str) -> Told | None:
        """What the database knows of a dataset's log; None where there is none. Raises NotFound."""
        with self._database.read() as db:
            item = items.existing(db, "dataset", name)
            id, version, log_bytes, digest, format, rows, nbytes = db.execute(
                "SELECT log, log_version, log_bytes, hash, format, row_count, bytes FROM datasets WHERE item = ?",
                (item.id,),
            ).fetchone()
            rule = rule_of(db, item.id)
        if id is None:
            return None
        file = self._files / f"{digest}.{format}"
        return Told(self._folder / id, item.id, (version, log_bytes), file, (rows, nbytes), rule)

    def _created(self, name: str) -> Stream:
        """The new log of a dataset: on the disk before a commit names it."""
        with self._database.write() as db:
            item = items.existing(db, "dataset", name)
            digest, format, rows, nbytes = db.execute(
                "SELECT hash, format, row_count, bytes FROM datasets WHERE item = ?", (item.id,)
            ).fetchone()
            rule = rule_of(db, item.id)
            schema = schema_of(self._files / f"{digest}.{format}")
            if len(set(schema.names)) < len(schema.names):
                raise Conflict(
                    f"Dataset {name!r} has several columns of one name: upload it with names that differ to append.",
                    "name",
                    name,
                )
            id = new_short_id()
            folder = self._folder / id
            with no_space(FULL, "library"):
                folder.mkdir(mode=0o700)
                log = AppendLog.create(
                    folder, plain_schema(schema), rows, item.version, self.durability, rule=rule, upload_bytes=nbytes
                )
                sync_directory(self._folder)
            db.execute("UPDATE datasets SET log = ?, log_version = ? WHERE item = ?", (id, item.version, item.id))
            return Stream(id, item.id, log, schema, (item.version, 0))


class _Turn:
    """A lock that is there as long as somebody has it or waits for it. Whoever has it may take it again."""

    def __init__(self) -> None:
        self.lock = threading.RLock()


def _told(state: Snapshot) -> tuple[int, int]:
    return state.version, state.nbytes


def _settled(db: Connection, each: Stream, state: Snapshot, now: float) -> bool:
    """Write down how far a log goes; False where its dataset is gone, or has another log."""
    done = db.execute(
        "UPDATE datasets SET log_version = ?, log_rows = ?, log_bytes = ?, sealed = ? WHERE item = ? AND log = ?",
        (state.version, state.rows - state.upload_rows, state.nbytes, state.sealed, each.item, each.id),
    )
    if done.rowcount and state.version != each.told[0]:
        db.execute(
            "UPDATE items SET version = max(version, ?), updated = ? WHERE id = ?", (state.version, now, each.item)
        )
    return bool(done.rowcount)
