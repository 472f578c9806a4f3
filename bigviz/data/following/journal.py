"""The journal of a followed table: what each look at its files has found, so that several processes come to the same
versions."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

__all__ = ["Journal", "Record", "folded"]

Record = dict[str, Any]
"""What one look has found, as JSON: see `FollowedTable`."""

_PIECE: Final = 1 << 20


class Journal:
    """One line of JSON for each look, in order. The process that has the lock looks and writes, the others read; when
    it ends, in whatever way, another one gets the lock. Not thread-safe, but for `size`."""

    def __init__(self, path: Path) -> None:
        """The file is made where it is not there; its directory is for these processes alone."""
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.position = 0
        """The bytes of the lines that were read or written here."""
        self.leads = False
        """Whether this process has the lock."""

    @property
    def size(self) -> int:
        """How many bytes are written."""
        return os.fstat(self._file).st_size

    def close(self) -> None:
        """Read and write no more, and let another process have the lock."""
        os.close(self._file)

    def lead(self) -> bool:
        """Take the lock if nobody has it: whether this process has it."""
        if not self.leads:
            with suppress(BlockingIOError):
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self.leads = True
        return self.leads

    def read(self) -> list[Record]:
        """The records that were written since this was last called, as far as their lines are whole. The end of a file
        whose last writer died in the middle of a line is cut off by the process that has the lock now."""
        pieces, at = list[bytes](), self.position
        while piece := os.pread(self._file, _PIECE, at):
            pieces.append(piece)
            at += len(piece)
        text = b"".join(pieces)
        whole = text.rfind(b"\n") + 1  # a torn line is read again: another process may write another one over it
        found = [json.loads(line) for line in text[:whole].split(b"\n")[:-1]]
        self.position += whole
        if self.leads and whole < len(text):
            os.ftruncate(self._file, self.position)
        return found

    def write(self, found: Mapping[str, Any]) -> None:
        """Write a line after all that was read. For the process that has the lock. Raises OSError, and nothing is
        written then."""
        text = json.dumps(found).encode() + b"\n"
        start, at = self.position, 0
        if self.size > start:
            os.ftruncate(self._file, start)
        try:
            while at < len(text):
                at += os.pwrite(self._file, text[at:], start + at)
        except OSError:
            os.ftruncate(self._file, start)
            raise
        self.position = start + len(text)


def folded(records: Sequence[Record], most: int) -> list[Record]:
    """Fewer records, which may be these, that lead to the same last version: so a process that comes after hours reads
    a file in a few steps, and not in as many as there were looks.

    What comes before the files were last opened anew is dropped. Looks that have read one piece of a file after the
    other (`seen` has its `start`) become one look, at up to `most` bytes, which ends with a version as the last of them
    did. The numbers of rows that the versions between had are in its list `passed`.
    """
    first = max((at for at, each in enumerate(records) if "began" in each), default=0)
    found: list[Record] = []
    for each in records[first:]:
        if found and _goes_on(found[-1], each, most):
            _add(found[-1], each)
        else:
            found.append(each)
    return found


def _goes_on(one: Record, after: Record, most: int) -> bool:
    """Whether two looks can be one."""
    if "began" in one or "version" not in after or not all("start" in each.get("seen", ()) for each in (one, after)):
        return False
    return bool(after["seen"]["size"] - one["seen"]["start"] <= most)


def _add(one: Record, after: Record) -> None:
    """Make one look of two: the former becomes it."""
    passed = one.setdefault("passed", [])
    if "version" in one:
        passed.append(one["rows"])
    passed += after.get("passed", ())
    one.setdefault("told", []).extend(after.get("told", ()))
    one["seen"]["size"] = after["seen"]["size"]
    one |= {name: after[name] for name in ("time", "version", "rows")}
