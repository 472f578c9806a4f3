"""The append log of a dataset: batches of rows in files of a directory, in one order, durable before they are
acknowledged."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final, Literal

import pyarrow as pa
from xxhash import xxh64_intdigest

from bigviz.common.errors import BigvizError, Conflict, Unreadable
from bigviz.data.appending.keys import Keys, Receipt
from bigviz.data.appending.log_file import Batch, LogFile
from bigviz.data.appending.records import APPEND, NO_KEY, SEAL, Record, padded
from bigviz.data.appending.refusals import KeyReused

__all__ = ["AppendLog", "Durability", "Entry", "Slice", "Snapshot"]

Durability = Literal["fsync", "os"]
"""What is done before an append is acknowledged: `fsync` brings it to the disk, so that it is there after a power cut;
`os` gives it to the system, so that it is there after the process was killed."""

ROLL_BYTES: Final = 256 << 20
"""A file that is larger gets no more records."""


@dataclass(frozen=True)
class Entry:
    """One append that is to be written: the batch as an IPC message, its rows, and the digests of its key and body."""

    payload: bytes
    rows: int
    key: bytes = NO_KEY
    body: bytes = NO_KEY


@dataclass(frozen=True)
class Slice:
    """The first `count` batches of a file, which end at byte `end`; `compared` are the numbers of those that were found
    to be what was written."""

    path: Path
    batches: Sequence[Batch]
    compared: set[int]
    count: int
    end: int


@dataclass(frozen=True)
class Snapshot:
    """A log at one version: it does not change when more is appended.

    `first` rows lie before the log's own, `rows` are its own, `digest` tells the content from any other.
    """

    version: int
    first: int
    rows: int
    schema: pa.Schema
    files: tuple[Slice, ...]
    nbytes: int
    sealed: bool
    digest: str


class AppendLog:
    """An open log; one process has it open. Thread-safe: writers wait for each other, readers for nobody."""

    def __init__(self, files: list[LogFile], durability: Durability, roll_bytes: int) -> None:
        self._files = files
        self._sync = durability == "fsync"
        self._roll_bytes = roll_bytes
        self._keys = Keys()
        self._lock = threading.Lock()
        self._closed = False
        head = files[0].head
        self._next = head.first
        self._version = head.version
        self._sealed = False
        self._total = 0  # of the heads of all records, one after the other
        self._id = head.log
        for file in files:
            for record in file.records:
                self._apply(record)
            file.records.clear()
        self.snapshot = self._snapshot()

    @classmethod
    def create(
        cls,
        folder: Path,
        schema: pa.Schema,
        first: int,
        version: int,
        durability: Durability = "fsync",
        roll_bytes: int = ROLL_BYTES,
    ) -> AppendLog:
        """A new log in a directory that is there, for rows that come after `first` others in a dataset at a version."""
        log = blake2b(folder.name.encode(), digest_size=16).digest()
        return cls([LogFile.create(_path(folder, 0), log, 0, first, version, schema)], durability, roll_bytes)

    @classmethod
    def open(
        cls, folder: Path, acknowledged: int, durability: Durability = "fsync", roll_bytes: int = ROLL_BYTES
    ) -> AppendLog:
        """The log in a directory. What a crash has left of appends that were not acknowledged is cut off.

        `acknowledged` is the last version that the caller knows to have been. Raises Unreadable where an acknowledged
        append is missing or damaged; then nothing is changed.
        """
        paths = sorted(folder.glob("*.log"))
        files: list[LogFile] = []
        for path in paths:
            file = LogFile.open(path, last=path == paths[-1])
            if file is None and files:
                path.unlink()
                continue
            if file is None or not _follows(files, file):
                raise Unreadable(f"{path} is damaged: put a backup in its place.", "library", str(path))
            files.append(file)
        if not files:
            raise Unreadable(f"{folder} holds no append log: put a backup in its place.", "library", str(folder))
        last = _last_version(files)
        if last < acknowledged:
            raise Unreadable(
                f"{files[-1].path} ends with version {last:,}, and version {acknowledged:,} was acknowledged: "
                "put a backup in its place.",
                "library",
                str(files[-1].path),
            )
        files[-1].cut()
        return cls(files, durability, roll_bytes)

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
        """Append batches in this order, all with one wait for the disk: a receipt each, or why it was refused.

        Raises NoSpace where the disk takes no more, and Conflict for a log that is sealed or closed; nothing is
        appended then.
        """
        with self._lock:
            self._check_open()
            self._roll_if_long()
            file = self._files[-1]
            answers: list[Receipt | BigvizError] = []
            parts: list[bytes] = []
            written: list[Record] = []
            version, first = self._version, self._next
            new: dict[bytes, tuple[bytes, Receipt]] = {}
            for entry in entries:
                try:
                    known = _checked(new.get(entry.key), entry.body) or self._repeated(entry.key, entry.body, now_ns)
                except KeyReused as error:
                    answers.append(error)
                    continue
                if known is not None:
                    answers.append(known)
                    continue
                version += 1
                record = self._record(APPEND, entry, version, first, now_ns, file.settled)
                parts += [record.head(), entry.payload, bytes(padded(record.size) - record.size)]
                receipt = Receipt(version, first, entry.rows, self._sync)
                first += entry.rows
                written.append(record)
                answers.append(receipt)
                if entry.key != NO_KEY:
                    new[entry.key] = entry.body, receipt
            if written:
                self._write(file, parts, written)
            return answers

    def seal(self, now_ns: int) -> int:
        """Let nothing more be appended: the version. A log that is sealed stays at its version."""
        with self._lock:
            if not self._sealed:
                self._check_open()
                file = self._files[-1]
                record = self._record(SEAL, Entry(b"", 0), self._version + 1, self._next, now_ns, file.settled)
                self._write(file, [record.head()], [record])
            return self._version

    def sync(self) -> Snapshot:
        """Bring all that was appended to the disk; the log as it is there."""
        with self._lock:
            if not self._closed:
                self._files[-1].sync()
            return self.snapshot

    def close(self) -> None:
        """Take nothing more once nobody writes; a second call does nothing."""
        with self._lock:
            self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            raise Conflict("This dataset was replaced or taken away meanwhile: nothing was appended.", "name")
        if self._sealed:
            raise Conflict("This dataset is sealed: nothing can be appended to it any more.", "name")

    def _write(self, file: LogFile, parts: list[bytes], records: list[Record]) -> None:
        at = file.end
        file.write(parts, self._sync)
        for record in records:
            file.add(at, record)
            at += record.whole
            self._apply(record)
        self.snapshot = self._snapshot()

    def _record(self, kind: int, entry: Entry, version: int, first: int, now_ns: int, settled: int) -> Record:
        return Record(
            kind, len(entry.payload), settled, version, first, entry.rows, now_ns, entry.key, entry.body,
            xxh64_intdigest(entry.payload), self._sync,
        )  # fmt: skip

    def _apply(self, record: Record) -> None:
        if record.kind not in (APPEND, SEAL):
            raise Unreadable("An append log was written by a newer bigviz: update bigviz.", "library", record.kind)
        self._version, self._next = record.version, record.first + record.rows
        self._sealed = self._sealed or record.kind == SEAL
        self._total = xxh64_intdigest(self._total.to_bytes(8, "little") + record.head())
        if record.key != NO_KEY:
            receipt = Receipt(record.version, record.first, record.rows, record.fsynced)
            self._keys.add(record.key, record.body, receipt, record.time_ns)

    def _repeated(self, key: bytes, body: bytes, now_ns: int) -> Receipt | None:
        return None if key == NO_KEY else _checked(self._keys.find(key, now_ns), body)

    def _roll_if_long(self) -> None:
        file = self._files[-1]
        if file.end < self._roll_bytes:
            return
        file.sync()
        number = file.head.number + 1
        path = _path(file.path.parent, number)
        self._files.append(LogFile.create(path, self._id, number, self._next, self._version, self.schema))

    def _snapshot(self) -> Snapshot:
        first = self._files[0].head.first
        files = tuple(
            Slice(file.path, file.batches, file.compared, len(file.batches), file.end) for file in self._files
        )
        digest = blake2b(self._id + self._version.to_bytes(8, "little") + self._total.to_bytes(8, "little"))
        return Snapshot(
            self._version, first, self._next - first, self.schema, files, sum(each.end for each in files),
            self._sealed, digest.hexdigest()[:32],
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


def _path(folder: Path, number: int) -> Path:
    return folder / f"{number:08}.log"


def _last_version(files: Sequence[LogFile]) -> int:
    return max(file.records[-1].version if file.records else file.head.version for file in files)


def _follows(files: Sequence[LogFile], file: LogFile) -> bool:
    """Whether a file is the next one of the log."""
    if not files:
        return file.head.number == 0
    before = files[-1]
    last = before.records[-1] if before.records else None
    version, first = (last.version, last.first + last.rows) if last else (before.head.version, before.head.first)
    head = file.head
    expected = (before.head.log, before.head.number + 1, first)
    return (head.log, head.number, head.first) == expected and head.version >= version
