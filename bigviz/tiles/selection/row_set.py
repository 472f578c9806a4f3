"""A set of row numbers in ascending order: a list of few, a bit for each row of the table for many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bigviz.common.cancel import Cancel
from bigviz.common.jit import frozen, jit

__all__ = ["ReadElsewhere", "RowNumbers", "RowSet"]

Array = npt.NDArray[Any]

_DENSE: Final = 64  # a list takes 64 bits a row
_WINDOW: Final = 1 << 20  # bits that are read at a time
_BATCH: Final = 1 << 16


class RowNumbers(Protocol):
    """Numbers of rows, ascending."""

    @property
    def count(self) -> int:
        """How many numbers there are."""

    def batches(self, size: int, start: int | None = None) -> Iterator[npt.NDArray[np.int64]]:
        """The numbers from `start` on, ascending, at most `size` at a time."""

    def between(self, first: int, stop: int) -> npt.NDArray[np.int64]:
        """The numbers at the places `first` to `stop` (exclusive), from 0; those that there are."""

    def before(self, stop: int) -> RowNumbers:
        """Those below a number."""


@runtime_checkable
class ReadElsewhere(Protocol):
    """Rows whose values other processes read."""

    def read(self, names: Sequence[str], limit: int | None, cancel: Cancel) -> Iterator[pa.RecordBatch]:
        """The first `limit` rows, in the columns' own types, in pieces of some 64 MiB at most."""


class RowSet:
    """Numbers of rows from `first` on, of a table of so many `rows`. Memory: at most an eighth of a byte a row of the
    table, or 8 bytes a number where that is less."""

    def __init__(self, first: int, rows: int) -> None:
        self.first, self._rows = first, rows
        self._lists: list[Array] = []
        self._bits: npt.NDArray[np.uint8] | None = None
        self._listed = 0
        self._sorted: npt.NDArray[np.int64] | None = None

    @property
    def count(self) -> int:
        """How many numbers there are."""
        if self._bits is not None:
            return int(np.bitwise_count(self._bits).sum(dtype=np.int64))
        return len(self._list())

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._bits.nbytes if self._bits is not None else self._list().nbytes

    def add(self, numbers: Array) -> None:
        """Add row numbers (int64), in any order."""
        self._sorted = None
        if self._bits is None:
            self._lists.append(numbers)
            self._listed += len(numbers)
            if self._listed * _DENSE <= self._rows:
                return
            self._bits = np.zeros(-(-self._rows // 8), np.uint8)
            waiting, self._lists = self._lists, []
        else:
            waiting = [numbers]
        for each in waiting:
            _set(self._bits, frozen(each), self.first)

    def batches(self, size: int, start: int | None = None) -> Iterator[npt.NDArray[np.int64]]:
        """The numbers from `start` on, ascending, at most `size` at a time."""
        if self._bits is None:
            found = self._list()
            at = 0 if start is None else int(np.searchsorted(found, start))
            for low in range(at, len(found), size):
                yield found[low : low + size]
            return
        held = np.empty(0, np.int64)
        skipped = 0 if start is None else max(start - self.first, 0)
        for low in range(skipped // _WINDOW * _WINDOW, self._rows, _WINDOW):
            bits = np.unpackbits(self._bits[low // 8 : (low + _WINDOW) // 8], bitorder="little")
            found = np.flatnonzero(bits) + (low + self.first)
            held = np.concatenate([held, found[found >= skipped + self.first]])
            while len(held) >= size:
                yield held[:size]
                held = held[size:]
        if len(held):
            yield held

    def between(self, first: int, stop: int) -> npt.NDArray[np.int64]:
        """The numbers at the places `first` to `stop` (exclusive), from 0; those that there are."""
        found, at = [np.empty(0, np.int64)], 0
        for numbers in self.batches(_BATCH):
            found.append(numbers[max(first - at, 0) : max(stop - at, 0)])
            at += len(numbers)
            if at >= stop:
                break
        return np.concatenate(found)

    def before(self, stop: int) -> RowSet:
        """Those below a number."""
        kept = RowSet(self.first, self._rows)
        for numbers in self.batches(_WINDOW):
            below = numbers[numbers < stop]
            if len(below):
                kept.add(below)
            if len(below) < len(numbers):
                break
        return kept

    def _list(self) -> npt.NDArray[np.int64]:
        if self._sorted is None:
            self._sorted = np.unique(np.concatenate([np.empty(0, np.int64), *self._lists]))
            self._lists = [self._sorted]
        return self._sorted


@jit
def _set(bits: Array, numbers: Array, first: int) -> None:
    for k in range(numbers.size):
        at = numbers[k] - first
        bits[at >> 3] |= np.uint8(1 << (at & 7))
