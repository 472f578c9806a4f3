"""The assignment of parts that several servers of one machine share, so that workers hold them once for all of them."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from bigviz.common.disk.atomic_file import written_aside
from bigviz.common.disk.turn import turn
from bigviz.data.dataset import Dataset
from bigviz.tiles.cluster.parts.assignment import Assignment
from bigviz.tiles.cluster.parts.division import Part

__all__ = ["SharedAssignment"]

_PATIENCE: Final = 5.0  # seconds that a server which hangs holds up the others' decisions
_MEETS: Final = 3.0  # seconds in which each server meets a worker that another one has met


class SharedAssignment(Assignment):
    """Kept in a file, which each server reads again once it has changed. Servers decide in turns, from what the file
    says then, and write a decision down before they act on it; so the others can go on without any one of them.

    The file is JSON: `tables`, by fingerprint, each with its `parts` and `holders` as lists of `first`, `stop`, `rows`
    and `move` (a holder also has the worker's address) and how often they have moved; and `taken`, by the ids of the
    servers' processes, the last move after which each table is answered for from its parts of then.
    """

    look = 0.5

    def __init__(self, path: Path) -> None:
        """`path`, and names that begin with it, are for this alone."""
        super().__init__()
        self._path = path
        self._time = 0  # that of the file's change that was read last: it only goes up
        self._text = b""
        self._taken: dict[str, dict[str, int]] = {}
        self._learned: dict[Part, float] = {}  # when another server was seen to have named a holder

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with self._lock:
            self._read()
            yield

    @contextmanager
    def _deciding(self) -> Iterator[None]:
        with self._lock, turn(self._path.with_name(f"{self._path.name}.turn"), _PATIENCE):
            self._read()
            yield
            self._write()

    @contextmanager
    def moving(self) -> Iterator[bool]:
        descriptor = os.open(f"{self._path}.moves", os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(descriptor)

    def taken(self, dataset: Dataset) -> None:
        with self._reading():
            noted = self._taken.get(str(os.getpid()), {}).get(dataset.fingerprint)
            if noted == self._moves.get(dataset.fingerprint, 0):
                return
        super().taken(dataset)

    def is_taken(self, dataset: Dataset) -> bool:
        with self._reading():
            move = self._moves.get(dataset.fingerprint, 0)
            return all(
                taken.get(dataset.fingerprint, move) >= move or not _lives(pid) for pid, taken in self._taken.items()
            )

    def _note_taken(self, dataset: Dataset) -> None:
        taken = self._taken.setdefault(str(os.getpid()), {})
        taken[dataset.fingerprint] = self._moves.get(dataset.fingerprint, 0)

    def _is_anothers(self, dataset: Dataset) -> bool:
        own, name = str(os.getpid()), dataset.fingerprint
        self._taken.get(own, {}).pop(name, None)
        return any(name in taken and _lives(pid) for pid, taken in self._taken.items() if pid != own)

    def _is_awaited(self, part: Part) -> bool:
        return time.monotonic() - self._learned.get(part, -_MEETS) < _MEETS

    def _read(self) -> None:
        try:
            changed = os.stat(self._path).st_mtime_ns
            if changed == self._time:
                return
            self._text = self._path.read_bytes()
            said: dict[str, Any] = json.loads(self._text)
        except FileNotFoundError:  # nobody has decided anything yet
            if self._time:
                return
            changed, said = 0, {"tables": {}, "taken": {}}
        self._time = changed  # a later text is read again
        self._taken = said["taken"]
        holders: dict[Part, str] = {}
        for fingerprint, table in said["tables"].items():
            self._moves[fingerprint] = table["moves"]
            self._parts[fingerprint] = tuple(Part(fingerprint, *each) for each in table["parts"])
            holders.update((Part(fingerprint, *each), worker) for *each, worker in table["holders"])
        for part, worker in holders.items():
            if self._holder.get(part) != worker:
                self._learned[part] = time.monotonic()
                self._epochs[part] = next(self._numbers)
        self._holder = holders
        for known in (self._parts, self._moves):
            for fingerprint in known.keys() - said["tables"].keys():
                del known[fingerprint]
        self._epochs = {part: epoch for part, epoch in self._epochs.items() if part.dataset in self._parts}
        self._learned = {part: when for part, when in self._learned.items() if part in holders}

    def _write(self) -> None:
        tables: dict[str, dict[str, Any]] = {
            fingerprint: {
                "moves": self._moves.get(fingerprint, 0),
                "parts": [_facts(part) for part in parts],
                "holders": [],
            }
            for fingerprint, parts in self._parts.items()
        }
        for part, worker in self._holder.items():
            tables[part.dataset]["holders"].append([*_facts(part), worker])
        taken = {pid: each for pid, each in self._taken.items() if _lives(pid)}
        text = json.dumps({"tables": tables, "taken": taken}).encode()
        if text == self._text:
            return
        changed = max(time.time_ns(), self._time + 1)
        self._text, self._time = b"", 0  # should this fail, nothing is decided but what the file says
        with written_aside(self._path, sync=False) as file:
            file.write(text)
            file.flush()
            os.utime(file.fileno(), ns=(changed, changed))
        self._text, self._time = text, changed


def _facts(part: Part) -> list[int]:
    return [part.first, part.stop, part.rows, part.move]


def _lives(pid: str) -> bool:
    """Whether a server's process has not ended."""
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, PermissionError):  # another user's process may have been given its number since
        return False
    return True
