"""An append log that another process writes, as far as that process has told of it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Final

from bigviz.common.errors import Unreadable
from bigviz.data.appending.batches import Batches
from bigviz.data.appending.log_file import LogFile
from bigviz.data.appending.recovery import file_head, records_of
from bigviz.data.appending.rule import Rule
from bigviz.data.appending.snapshot import Head, Slice, Snapshot, digest_of
from bigviz.data.appending.state import LogState
from bigviz.data.gone.rolled import Rolled
from bigviz.data.log_files.found import path_of

__all__ = ["FollowedLog"]

_MOST_TRIES: Final = 20


class _Moved(Exception):
    """A file was removed, or written anew, while it was read: what is there now is to be read from the beginning."""


@dataclass(frozen=True)
class _Part:
    """A file of a log, and which one on the disk it is: one that is written anew is another."""

    file: LogFile
    inode: int


class FollowedLog:
    """Its snapshots are those of the writer's `AppendLog`. Nothing is ever changed on the disk, and no record is looked
    at before the writer has told that it stands. Thread-safe: who advances it waits for others who do, readers for
    nobody. `upload` are the rows and bytes of the file under the log."""

    snapshot: Snapshot

    def __init__(self, folder: Path, version: int, rule: Rule | None = None, upload: tuple[int, int] = (0, 0)) -> None:
        """The log in a directory, up to a version. Raises Unreadable."""
        self._folder = folder
        self._rule = rule or Rule()
        self._upload = upload
        self._lock = threading.Lock()
        self._looked: Head | None = None
        self._is_torn = False
        self.closed = False
        self._read(version)

    @property
    def id(self) -> str:
        """The name of its directory."""
        return self._folder.name

    def advance(self, version: int, head: Head | None = None) -> None:
        """Go on to a version at least; `head` is what the writer says of it. Raises Unreadable."""
        with self._lock:
            is_known = version <= self.snapshot.version and head in (None, self._looked)
            if self.closed or is_known or version < self.snapshot.version:
                return
            torn, self._is_torn = self._is_torn, True
            try:
                if torn:  # what was read of it is not to be relied on
                    raise _Moved
                self._go_on(version)
                if head is not None and (self.snapshot.since, self.snapshot.nbytes) != (head.since, head.nbytes):
                    raise _Moved  # files were removed, or written anew
            except _Moved:
                self._read(version)
            self._looked, self._is_torn = head, False

    def close(self) -> None:
        """Its dataset was replaced or taken away."""
        self.closed = True

    def _read(self, version: int) -> None:
        for _ in range(_MOST_TRIES):
            try:
                self._begin(version)
            except _Moved:
                continue
            return
        raise Unreadable(
            f"{self._folder} does not hold version {version:,}: put a backup in its place.",
            "library",
            str(self._folder),
        )

    def _begin(self, version: int) -> None:
        """Read all that is there, from the beginning."""
        rolled = Rolled.read(self._folder, tidy=False)
        first = self._part(rolled.number)
        self._parts = [first]
        self._state = LogState(first.file, rolled, self._rule, self._upload)
        self._state.begin(first.file)
        self._go_on(version)

    def _go_on(self, version: int) -> None:
        """Read what has come since, up to a version."""
        self._more(version)
        while self._state.version < version:
            part = self._part(self._parts[-1].file.head.number + 1)
            if part.file.head.first != self._state.next:
                raise _Moved
            self._parts.append(part)
            self._state.begin(part.file)
            self._more(version)
        self.snapshot = self._snapshot()

    def _part(self, number: int) -> _Part:
        """A file that was not looked at yet."""
        path = path_of(self._folder, number)
        with _opened(path) as descriptor:
            head = file_head(descriptor)
            if head is None:
                raise _Moved
            return _Part(LogFile(path, head, head.size, head.size, Batches(path)), os.fstat(descriptor).st_ino)

    def _more(self, version: int) -> None:
        """The records of the last file that were not read yet."""
        file, inode = self._parts[-1].file, self._parts[-1].inode
        with _opened(file.path) as descriptor:
            if os.fstat(descriptor).st_ino != inode:
                raise _Moved
            at = (file.end, self._state.version, self._state.next)
            found = records_of(descriptor, file.head, False, at)
            file.records = list(takewhile(lambda each: each[1].version <= version, found))
            if not file.records:
                return
            place, last = file.records[-1]
            file.end = place + last.whole
            file.batches.mapped(file.end)  # now: the writer may remove it, or put another one in its place
            if not _is_at(file.path, inode):
                raise _Moved
        self._state.go_on(file)

    def _snapshot(self) -> Snapshot:
        state, files = self._state, [part.file for part in self._parts]
        stops = [*(file.head.first for file in files[1:]), state.next]
        slices = tuple(
            Slice(each.batches, len(each.batches), each.end, each.head.first, stop)
            for each, stop in zip(files, stops, strict=True)
        )
        head = files[0].head
        return Snapshot(
            state.version, self._upload[0], state.next, state.first_row, head.schema, slices,
            sum(each.end for each in files), state.sealed, digest_of(head.log, state.version, state.total),
            state.corrections, head.log.hex(), head.version, state.gone,
        )  # fmt: skip


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """A descriptor of a file. Raises _Moved where it is not there, Unreadable where it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError as error:
        raise _Moved from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise Unreadable(f"{path} cannot be read: {reason}.", "library", str(path)) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _is_at(path: Path, inode: int) -> bool:
    try:
        return os.stat(path, follow_symlinks=False).st_ino == inode
    except FileNotFoundError:
        return False
