"""The append logs of a library in a process that does not write them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection
from typing import NoReturn

from bigviz.common.errors import Busy, NotFound
from bigviz.data.appending.log import AppendLog
from bigviz.data.appending.snapshot import Head, Snapshot
from bigviz.data.log_files.followed import FollowedLog
from bigviz.library.storage.database import Database
from bigviz.library.streams import ReadLog, Streams

__all__ = ["FollowedStreams"]


class FollowedStreams(Streams):
    """They are read as far as their writer has told, or the database knows. Thread-safe."""

    def __init__(self, database: Database, directory: Path) -> None:
        super().__init__(database, directory, "os")
        self._logs: dict[str, FollowedLog] = {}  # by the names of datasets
        self._heads: dict[str, Head] = {}  # by the names of logs

    def told(self, id: str, head: Head) -> None:
        """The writer has told how far a log goes. Returns at once."""
        self._heads[id] = head

    def forget_heads(self) -> None:
        """Another writer tells from now on, and the database knows what it does not tell."""
        self._heads.clear()

    def find(self, name: str) -> ReadLog | None:
        """The log of a dataset, None for one that was never appended to. Raises NotFound, Unreadable."""
        told = self.told_of(name)
        return None if told is None else self._followed(name)

    def snapshot(self, name: str, id: str) -> Snapshot:
        """The log of a dataset as far as it goes. Raises NotFound where it is not the one of that id any more, and
        Unreadable where it is damaged."""
        if self.id_of(name) != id:
            raise NotFound(f"Dataset {name!r} was replaced meanwhile: ask for it again.", "dataset", name)
        return self._followed(name).snapshot

    def head(self, name: str, id: str) -> Head | None:
        """How far a log goes; None where the writer has not told: then the database knows."""
        return self._heads.get(id)

    def advance(self, name: str) -> bool:
        """Read what was told of, of a log that somebody has asked for: whether there was more than before. Raises
        Unreadable."""
        known = self._logs.get(name)
        if known is None:
            return False
        before = known.snapshot.version
        now = self._followed(name)
        return now is known and now.snapshot.version > before

    def forget_replaced(self) -> None:
        """Let go of the logs whose datasets have others, or are gone."""
        for name, log in list(self._logs.items()):
            if self.id_of(name) != log.id:
                self._logs.pop(name, None)
                self._heads.pop(log.id, None)
                log.close()

    def stream(self, name: str) -> NoReturn:
        """Nothing is written here: requests that write are passed on."""
        raise Busy("The process of this server that writes streams starts again: try again in a second.")

    def settle(self) -> None:
        """The writer does."""

    def roll(self, now_ns: int) -> dict[str, AppendLog]:
        """The writer does."""
        return {}

    def recover(self) -> None:
        """The writer does."""

    def collect(self, db: Connection) -> int:
        """The writer does."""
        return 0

    def close(self) -> None:
        """There is nothing to write down."""

    @contextmanager
    def replacing(self, name: str) -> Iterator[None]:
        """The writer does: requests that replace datasets are passed on."""
        self.stream(name)
        yield

    def _followed(self, name: str) -> FollowedLog:
        with self._turn(name):
            told = self.told_of(name)
            if told is None:
                raise NotFound(f"Dataset {name!r} was replaced meanwhile: ask for it again.", "dataset", name)
            id = told.folder.name
            head, found = self._heads.get(id), self._logs.get(name)
            version = max(told.told[0], 0 if head is None else head.version)
            if found is None or found.id != id:
                found = self._logs[name] = FollowedLog(told.folder, version, told.rule, told.upload)
            found.advance(version, head)
            return found
