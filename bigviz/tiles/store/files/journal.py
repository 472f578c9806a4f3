"""Records of fixed size at the end of a file: what a killed process had finished."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.common.xxh64 import checksum

__all__ = ["Journal"]

Words = npt.NDArray[np.uint64]


class Journal:
    """Records of `words` 64-bit words, each with its checksum; a record that was cut short does not count.

    A record is appended after what it claims was handed to the operating system. So the journal of a killed process
    claims nothing false; after a loss of power the files may lack what the journal claims, so the digests of the
    finished order are compared with those taken while it was written.
    """

    def __init__(self, path: Path, words: int) -> None:
        self._path, self._words = path, words
        self.records = self._read()
        self._end = len(self.records) * (words + 1) * 8

    def append(self, *parts: Any) -> None:
        """Add a record of arrays of 64-bit integers, one after the other."""
        record = np.concatenate([np.atleast_1d(part).astype(np.uint64, copy=False).reshape(-1) for part in parts])
        if len(record) != self._words:
            raise ValueError(f"a record of this journal has {self._words} words, got {len(record)}")
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(descriptor, self._end)  # of what was cut short
            os.pwrite(descriptor, np.append(record, np.uint64(checksum(record))).tobytes(), self._end)
        finally:
            os.close(descriptor)
        self.records.append(record)
        self._end += (self._words + 1) * 8

    def _read(self) -> list[Words]:
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return []
        size = (self._words + 1) * 8
        records: list[Words] = []
        for at in range(0, len(data) - size + 1, size):
            words = np.frombuffer(data, np.uint64, self._words + 1, at)
            if checksum(words[:-1]) != int(words[-1]):
                break
            records.append(words[:-1])
        return records
