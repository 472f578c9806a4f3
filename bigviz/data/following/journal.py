"""What looks at a followed table have found, in a file by which several processes come to the same versions."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

__all__ = ["Journal"]

_PIECE: Final = 1 << 20


class Journal:
    """A line of JSON a look, in order. The process that has the lock looks and writes, the others read; once it has
    ended, however it did, the next one has it. Not for several threads."""

    def __init__(self, path: Path) -> None:
        """The file is made where it is not there; its directory is for these processes alone."""
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._rest = b""
        self._read = 0
        self.leads = False
        """Whether this process has the lock."""

    @property
    def size(self) -> int:
        """The bytes that are written. For any thread."""
        return os.fstat(self._file).st_size

    @property
    def position(self) -> int:
        """The bytes of what was read or written here."""
        return self._read - len(self._rest)

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

    def read(self) -> list[dict[str, Any]]:
        """What was written since this was called last, as far as its lines are whole."""
        text = self._rest
        while piece := os.pread(self._file, _PIECE, self._read):
            self._read += len(piece)
            text += piece
        *lines, self._rest = text.split(b"\n")
        return [json.loads(line) for line in lines]

    def write(self, found: Mapping[str, Any]) -> None:
        """Write a line after all that was read. For the process that has the lock. Raises OSError, and nothing is
        written then."""
        text, start = json.dumps(found).encode() + b"\n", self.position
        if self.size != start:  # of a process that ended amid its line
            os.ftruncate(self._file, start)
        self._rest, self._read = b"", start
        try:
            while self._read < start + len(text):
                self._read += os.pwrite(self._file, text[self._read - start :], self._read)
        except OSError:
            self._read = start
            os.ftruncate(self._file, start)
            raise
