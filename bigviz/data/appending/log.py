"""The append log of a dataset: batches of rows in files of a directory, in one order, durable before they are
acknowledged."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final, Literal

import pyarrow as pa
from xxhash import xxh64_intdigest

from bigviz.common.disk.sync_directory import sync_directory
from bigviz.common.errors import BigvizError, Conflict, TooLarge, Unreadable
from bigviz.data.appending.keys import Receipt
from bigviz.data.appending.log_file import LogFile
from bigviz.data.appending.records import APPEND, NO_KEY, PATCH, ROLL, SEAL, Record, padded
from bigviz.data.appending.refusals import KeyReused, NoSuchRow, taken_away
from bigviz.data.appending.rule import Rule
from bigviz.data.appending.snapshot import Slice, Snapshot, digest_of
from bigviz.data.appending.state import LogState
from bigviz.data.columns.magnitudes import Magnitudes
from bigviz.data.gone.removed_files import numbers_of
from bigviz.data.gone.rolled import Rolled
from bigviz.data.log_files.found import found_files, last_version, path_of
from bigviz.data.log_files.retries import Retries
from bigviz.data.log_files.rewritten import Compacted, compacted, is_long_of_small, is_worth_it, remove_begun
from bigviz.data.patches.corrections import Patch

__all__ = ["AppendLog", "Durability", "Entry"]

_log = logging.getLogger("bigviz")

Durability = Literal["fsync", "os"]
"""What is done before an append is acknowledged: `fsync` brings it to the disk, so that it is there after a power cut;
`os` gives it to the system, so that it is there after the process was killed."""

ROLL_BYTES: Final = 256 << 20
"""A file that is larger gets no more records."""


@dataclass(frozen=True)
class Entry:
    """One append that is to be written: the batch as an IPC message, its rows, and the digests of its key and body. Or
    a patch, which is the payload."""

    payload: bytes
    rows: int
    key: bytes = NO_KEY
    body: bytes = NO_KEY
    patch: Patch | None = None

    @property
    def kind(self) -> int:
        """The kind of its record."""
        return APPEND if self.patch is None else PATCH


_Written = tuple[Record, Patch | None]


class AppendLog:
    """An open log; one process has it open. Thread-safe: writers wait for each other, readers for nobody.

    `upload_bytes` are those of the file under the log; with them, `rule` says what is rolled over. It is the same for
    all of the log's life.
    """

    def __init__(
        self,
        files: list[LogFile],
        durability: Durability,
        roll_bytes: int,
        upload: tuple[int, int] = (0, 0),
        rule: Rule | None = None,
        rolled: Rolled | None = None,
    ) -> None:
        self._files = files
        self._sync = durability == "fsync"
        self._roll_bytes = roll_bytes
        self._lock = threading.Lock()
        self._closed = False
        self._id = files[0].head.log
        self._upload_rows = upload[0]
        self._state = LogState(files[0], rolled or Rolled(), rule or Rule(), upload)
        for file in files:
            self._state.replay(file)
        self._older: tuple[Slice, ...] = ()
        self._older_bytes = 0
        self._scattered: list[LogFile] = []  # files of many small appends, which are to be written anew
        self._removing = threading.Lock()
        self._looked: set[int] = set()  # numbers of files that were written anew, or should not be
        self._retries = Retries()
        self._count_older()
        self.snapshot = self._snapshot()
        self._behind(self._remove_rolled)

    @classmethod
    def create(
        cls,
        folder: Path,
        schema: pa.Schema,
        first: int,
        version: int,
        durability: Durability = "fsync",
        roll_bytes: int = ROLL_BYTES,
        rule: Rule | None = None,
        upload_bytes: int = 0,
    ) -> AppendLog:
        """A new log in a directory that is there, for rows that come after `first` others in a dataset at a version."""
        log = blake2b(folder.name.encode(), digest_size=16).digest()
        files = [LogFile.create(path_of(folder, 0), log, 0, first, version, schema)]
        return cls(files, durability, roll_bytes, (first, upload_bytes), rule)

    @classmethod
    def open(
        cls,
        folder: Path,
        acknowledged: int,
        durability: Durability = "fsync",
        roll_bytes: int = ROLL_BYTES,
        rule: Rule | None = None,
        upload: tuple[int, int] = (0, 0),
    ) -> AppendLog:
        """The log in a directory. What a crash has left of appends that were not acknowledged is cut off.

        `acknowledged` is the last version that the caller knows to have been; `upload` are the rows and bytes of the
        file under the log. Raises Unreadable where an acknowledged append is missing or damaged; then nothing is
        changed.
        """
        rolled = Rolled.read(folder)
        remove_begun(folder)
        paths = sorted(folder.glob("*.log"))
        left_over = [path for path in paths if path.stem < f"{rolled.number:08}"]
        files = found_files(folder, paths[len(left_over) :], rolled.number)
        last = last_version(files)
        if last < acknowledged:
            raise Unreadable(
                f"{files[-1].path} ends with version {last:,}, and version {acknowledged:,} was acknowledged: "
                "put a backup in its place.",
                "library",
                str(files[-1].path),
            )
        for path in left_over:
            path.unlink()
        files[-1].cut()
        return cls(files, durability, roll_bytes, upload, rule, rolled)

    @property
    def closed(self) -> bool:
        """Whether it takes nothing more, because its dataset was replaced or taken away, or the server stops."""
        return self._closed

    @property
    def schema(self) -> pa.Schema:
        """The schema of the batches: the dataset's, without dictionaries."""
        return self._files[0].head.schema

    def repeated(self, key: bytes, body: bytes, now_ns: int) -> Receipt | None:
        """The receipt of a key that was here before; None for one that was not. Raises KeyReused for another body."""
        if key == NO_KEY:
            return None
        with self._lock:
            return self._repeated(key, body, now_ns)

    def commit(self, entries: Sequence[Entry], now_ns: int) -> list[Receipt | BigvizError]:
        """Append batches and apply patches in this order, all with one wait for the disk: a receipt each, or why it was
        refused.

        Raises NoSpace where the disk takes no more, and Conflict for a log that is sealed or closed; nothing is
        appended then.
        """
        with self._lock:
            self._check_open()
            self._roll_if_long()
            answers: list[Receipt | BigvizError] = []
            parts: list[bytes] = []
            written: list[_Written] = []
            version, first, patched = self._state.version, self._state.next, 0
            new: dict[bytes, tuple[bytes, Receipt]] = {}
            for entry in entries:
                try:
                    known = self._admitted(entry, new, first, patched, now_ns)
                except (KeyReused, NoSuchRow, TooLarge) as error:
                    answers.append(error)
                    continue
                if known is not None:
                    answers.append(known)
                    continue
                version += 1
                record = self._record(entry.kind, entry, version, first, now_ns)
                parts += [record.head(), entry.payload, bytes(padded(record.size) - record.size)]
                receipt = Receipt(version, first, entry.rows, self._sync)
                first = record.next
                patched += 0 if entry.patch is None else entry.patch.nbytes
                written.append((record, entry.patch))
                answers.append(receipt)
                if entry.key != NO_KEY:
                    new[entry.key] = entry.body, receipt
            if written:
                self._write(parts, written)
            return answers

    def seal(self, now_ns: int) -> int:
        """Let nothing more be appended: the version. A log that is sealed stays at its version."""
        with self._lock:
            if not self._state.sealed:
                self._check_open()
                self._mark(SEAL, now_ns)
            return self._state.version

    def roll(self, now_ns: int) -> bool:
        """Roll over the rows that have become too old: whether there were some, and so there is another version. A
        sealed log keeps what it has. Raises NoSpace."""
        with self._lock:
            due = not self._closed and not self._state.sealed and self._state.expires(now_ns)
            if due:
                self._roll_if_long()
                self._mark(ROLL, now_ns)
            return due

    @property
    def is_tidy(self) -> bool:
        """Whether no file holds only rows that are rolled over, and none holds many small appends."""
        return not self._rolled_files() and self._next_scattered() is None

    def tidy(self) -> None:
        """Remove the files whose rows are all rolled over, once what else they hold is written down beside them, and
        write those of many small appends anew.

        That takes a while, and nobody who appends waits for it: what is appended meanwhile is in the files that stay.
        Where the disk fails, files are removed with the next call, and written anew with one that comes some seconds
        later, up to an hour where it fails again and again.
        """
        self._behind(self._remove_rolled)
        self._behind(self._compact)

    def _behind(self, work: Callable[[], None]) -> None:
        if not self._removing.acquire(blocking=False):
            return
        try:
            work()
        except (BigvizError, OSError) as error:
            _log.warning("files of an append log could not be removed or written anew: %s", error)
        finally:
            self._removing.release()

    def _remove_rolled(self) -> None:
        with self._lock:
            gone, corrections, before = (
                self._files[: self._rolled_files()],
                self._state.corrections,
                self._state.gone,
            )
            if not gone or self._closed:
                return
            left = self._files[len(gone)]
        numbers = Magnitudes.joined(before, numbers_of(gone, self.schema, corrections))
        with self._lock:
            rolled = self._state.rolled(left, numbers)
        self._remove(gone, left, rolled)

    def _compact(self) -> None:
        while True:
            with self._lock:
                file = None if self._closed else self._next_scattered()
                if file is None:
                    return
                before = self._state.before(file)
            number = file.head.number
            try:
                with compacted(file, *before) as made, self._lock:
                    if made is not None and not self._closed:
                        self._replace(file, made)
            except (BigvizError, OSError):
                self._retries.failed(number)
                raise
            with self._lock:
                self._retries.done(number)
                self._looked.add(number)
                self._count_older()

    def _replace(self, file: LogFile, made: Compacted) -> None:
        """Let a file that was written anew take its place."""
        os.replace(made.aside, file.path)
        sync_directory(file.path.parent)
        self._files[self._files.index(file)] = made.file
        self._state.replaced(file, made.file)
        self._count_older()
        self.snapshot = self._snapshot()

    def _next_scattered(self) -> LogFile | None:
        return next((each for each in self._scattered if self._retries.is_due(each.head.number)), None)

    def sync(self) -> Snapshot:
        """Bring all that was appended to the disk, while more may be appended; the log as it is there."""
        with self._lock:
            file, snapshot = self._files[-1], self.snapshot
            end = 0 if self._closed else file.end
        file.sync(end)
        return snapshot

    def close(self) -> None:
        """Take nothing more once nobody writes; a second call does nothing."""
        with self._lock:
            self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            raise taken_away()
        if self._state.sealed:
            raise Conflict(
                "This dataset is sealed, and takes no more rows: upload it anew, or append to another one.", "name"
            )

    def _admitted(
        self, entry: Entry, new: dict[bytes, tuple[bytes, Receipt]], next_row: int, patched: int, now_ns: int
    ) -> Receipt | None:
        """The receipt of an entry that was written before, None for one that is to be written, with patches before it
        of so many bytes. Raises what refuses it."""
        known = _checked(new.get(entry.key), entry.body) or self._repeated(entry.key, entry.body, now_ns)
        if known is None and entry.patch is not None:
            self._state.check_patch(entry.patch, next_row, patched)
        return known

    def _mark(self, kind: int, now_ns: int) -> None:
        """Write a record without rows."""
        record = self._record(kind, Entry(b"", 0), self._state.version + 1, self._state.next, now_ns)
        self._write([record.head()], [(record, None)])

    def _write(self, parts: list[bytes], records: list[_Written]) -> None:
        file = self._files[-1]
        at = file.end
        file.write(parts, self._sync)
        for record, patch in records:
            self._state.apply(file, at, record, patch)
            at += record.whole
        self.snapshot = self._snapshot()

    def _record(self, kind: int, entry: Entry, version: int, first: int, now_ns: int) -> Record:
        return Record(
            kind, len(entry.payload), self._files[-1].settled, version, first, entry.rows, now_ns, entry.key,
            entry.body, xxh64_intdigest(entry.payload), self._sync,
        )  # fmt: skip

    def _repeated(self, key: bytes, body: bytes, now_ns: int) -> Receipt | None:
        return None if key == NO_KEY else _checked(self._state.keys.find(key, now_ns), body)

    def _roll_if_long(self) -> None:
        file = self._files[-1]
        long = file.end >= self._state.window.file_bytes(self._roll_bytes)
        if not long and not is_long_of_small(file.batches, file.end):
            return
        file.sync(file.end)
        number = file.head.number + 1
        path = path_of(file.path.parent, number)
        made = LogFile.create(path, self._id, number, self._state.next, self._state.version, self.schema)
        self._files.append(made)
        self._state.begin(made)
        self._count_older()
        self.snapshot = self._snapshot()  # also where nothing is written to the new file after all

    def _remove(self, gone: list[LogFile], left: LogFile, rolled: Rolled) -> None:
        folder = left.path.parent
        if not folder.is_dir():  # taken away with its dataset
            return
        rolled.write(folder)
        for file in gone:
            file.batches.mapped(file.end)  # for those who read an older version
            file.path.unlink(missing_ok=True)
        with self._lock:
            self._files = self._files[len(gone) :]
            self._state.removed(left, rolled.gone)
            self._count_older()
            self.snapshot = self._snapshot()

    def _rolled_files(self) -> int:
        """How many files hold only rows that are rolled over."""
        first, count = self._state.first_row, 0
        while count + 1 < len(self._files) and self._files[count + 1].head.first <= first:
            count += 1
        return count

    def _count_older(self) -> None:
        older = self._files[:-1]
        stops = [file.head.first for file in self._files[1:]]
        self._older = tuple(
            Slice(each.batches, len(each.batches), each.end, each.head.first, stop)
            for each, stop in zip(older, stops, strict=True)
        )
        self._older_bytes = sum(each.end for each in older)
        others = (each for each in older if each.head.number not in self._looked)
        self._scattered = [each for each in others if is_worth_it(each.batches, each.end)]

    def _snapshot(self) -> Snapshot:
        state, file = self._state, self._files[-1]
        last = Slice(file.batches, len(file.batches), file.end, file.head.first, state.next)
        return Snapshot(
            state.version, self._upload_rows, state.next, state.first_row, self.schema, (*self._older, last),
            self._older_bytes + file.end, state.sealed, digest_of(self._id, state.version, state.total),
            state.corrections, self._id.hex(), self._files[0].head.version, state.gone,
        )  # fmt: skip


def _checked(found: tuple[bytes, Receipt] | None, body: bytes) -> Receipt | None:
    if found is None:
        return None
    if found[0] != body:
        raise KeyReused(
            "This Idempotency-Key came before with another body: a key stands for one append, choose another.",
            "Idempotency-Key",
        )
    return found[1]
