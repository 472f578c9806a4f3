"""Mapped arrays that are read here and there, verified page by page.

A line's request reads a few hundred bytes at each of its pixel columns, anywhere in the file. With a sum for each 64
KiB, as other files of the store have, the first requests would verify 2,000 x 64 KiB; with one for each 4 KiB it is a
sixteenth of that, about a millisecond, and the sums are 1/512 of the file.
"""

from __future__ import annotations

import threading
import weakref
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.daemon_thread import is_closing, start_daemon
from bigviz.common.errors import Unreadable
from bigviz.common.jit import frozen
from bigviz.common.workers import step_back
from bigviz.common.xxh64 import block_count, checksum, open_blocks, sum_blocks, words_of
from bigviz.tiles.store.files.column_file import ColumnFile, map_column, write_column

__all__ = ["PAGE", "PagedColumn", "Pages", "open_paged"]

Array = npt.NDArray[Any]

PAGE: Final = 4096  # bytes
_STRIDE: Final = 1 << 20  # elements that are verified at a time ahead of requests


class Pages:
    """Call it with half-open ranges of positions before reading them in `array`.

    `sums` holds the XXH64 of each 4 KiB of the array; a page is compared before its first use and trusted from then on.
    Raises Unreadable naming `path` for a page that is damaged. Safe to use from any number of threads.
    """

    def __init__(self, array: Array, sums: npt.NDArray[np.uint64], path: Path) -> None:
        pages = block_count(array.nbytes, PAGE)
        if len(sums) != pages:
            raise Unreadable(f"{path} has {pages:,} pages and {len(sums):,} sums.", got=str(path))
        self.array, self.sums, self.path = array, frozen(sums), path
        self.seen = np.zeros(pages, np.uint8)
        self.whole = pages == 0  # all pages were compared
        self._words, self._tail = words_of(array)

    def __call__(self, lows: Array, highs: Array) -> None:
        """Verify positions `lows[k]` to `highs[k]`, in any order."""
        if self.whole:
            return
        ranges = frozen(np.asarray(lows, np.int64)), frozen(np.asarray(highs, np.int64))
        page = open_blocks(self._words, self._tail, self.sums, self.seen, *ranges, self.array.itemsize, PAGE)
        if page >= 0:
            raise Unreadable(
                f"{self.path} is damaged: its bytes {page * PAGE:,} to {(page + 1) * PAGE:,} are not those written.",
                got=str(self.path),
            )

    def read_ahead(self) -> threading.Thread:
        """Verify all pages, by a thread that ends when nobody else uses this any more.

        The first request over a wide window touches 2,000 pages: that costs 7 ms of page faults and 2 ms of sums, and
        reading a file of 4 GB from one end to the other 0.8 s.
        """
        return start_daemon("bigviz-verify", _read_ahead, weakref.ref(self))


def _read_ahead(pages: weakref.ref[Pages]) -> None:
    step_back()
    first = 0
    while not is_closing() and (held := pages()) is not None:
        stop = min(first + _STRIDE, len(held.array))
        try:
            held(np.array([first]), np.array([stop]))
        except Unreadable:
            return  # whoever needs the page gets the error
        first = stop
        if stop == len(held.array):
            held.whole = True
            return
        del held


class PagedColumn:
    """A column that is being written, and the sums of its pages, which are next to it in `<stem>-sums.arrow`."""

    def __init__(self, path: Path, dtype: np.dtype[Any], rows: int) -> None:
        self.file = ColumnFile(path, dtype, rows)
        self._sums = np.zeros(block_count(rows * dtype.itemsize, PAGE), np.uint64)

    def put(self, first: int, values: Array) -> None:
        """Write contiguous values from position `first` on, which begins a page; so does what is written after them.
        Any thread may."""
        self.file.write(first, values)
        sums = sum_blocks(values, PAGE)
        page = first * values.itemsize // PAGE
        self._sums[page : page + len(sums)] = sums

    def finish(self, rows: int) -> int:
        """Give both files their length; the sum of the sums, by which columns that are the same are known."""
        self.file.finish(rows)
        sums = self._sums[: block_count(rows * self.file.dtype.itemsize, PAGE)]
        write_column(_sums_path(self.file.path), sums)
        return checksum(sums)

    def close(self) -> None:
        """Let go of the file."""
        self.file.__exit__(None, None, None)


def open_paged(path: Path, dtype: np.dtype[Any]) -> Pages:
    """A column that was written so, mapped. Raises Unreadable if it holds something else."""
    return Pages(map_column(path, dtype), map_column(_sums_path(path), np.dtype(np.uint64)), path)


def _sums_path(path: Path) -> Path:
    return path.with_name(f"{path.stem}-sums.arrow")
