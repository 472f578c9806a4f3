"""A file for pyarrow whose bytes come by ranges: those that are announced are fetched before they are asked for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Final

from bigviz.common.disk.positioned_reader import PositionedReader
from bigviz.common.errors import BigvizError
from bigviz.common.threads.waits import wait_for

__all__ = ["RangeReader", "blocks_of"]

Range = tuple[int, int]
Fetch = Callable[[int, int], bytes]
FetchAhead = Callable[[int, int], Future[bytes]]

_BLOCK: Final = 1 << 22
_HOLE: Final = 1 << 18  # bytes between two ranges that are fetched with them: they cost less than a request
_WINDOW: Final = 3  # blocks that one reader fetches before they are asked for


class RangeReader(PositionedReader):
    """A file of `size` bytes. Of the ranges `ahead` a few blocks are under way while one is read; what lies outside of
    them comes from `fetch_small`. `failure` is the first error that either raised."""

    def __init__(self, size: int, ahead: Sequence[Range], fetch: FetchAhead, fetch_small: Fetch) -> None:
        super().__init__(size)
        self.failure: BigvizError | None = None
        self._blocks = blocks_of(ahead, size)
        self._starts = [start for start, _ in self._blocks]
        self._fetch = fetch
        self._fetch_small = fetch_small
        self._coming: dict[int, Future[bytes]] = {}

    def read(self, size: int = -1) -> bytes:
        start = self._at
        stop = self._size if size < 0 else min(self._size, start + size)
        if stop <= start:
            return b""
        try:
            blocks = self._covering(start, stop)
            data = self._from_blocks(blocks, start, stop) if blocks else self._fetch_small(start, stop)
        except BigvizError as error:
            self.failure = self.failure or error
            raise
        self._at = stop
        return data

    def close(self) -> None:
        """Let go of what was fetched and not asked for."""
        for each in self._coming.values():
            each.cancel()
        self._coming.clear()
        super().close()

    def _covering(self, start: int, stop: int) -> range:
        """The blocks that hold all of [start, stop), one after the other; none if there are none."""
        first = bisect_right(self._starts, start) - 1
        if first < 0:
            return range(0)
        last = first
        while self._blocks[last][1] < stop:
            last += 1
            if last == len(self._blocks) or self._blocks[last][0] != self._blocks[last - 1][1]:
                return range(0)
        return range(first, last + 1)

    def _from_blocks(self, wanted: range, start: int, stop: int) -> bytes:
        for at in range(wanted.start, min(wanted.stop + _WINDOW, len(self._blocks))):
            if at not in self._coming:
                self._coming[at] = self._fetch(*self._blocks[at])
        for passed in [at for at in self._coming if at < wanted.start]:
            self._coming.pop(passed).cancel()
        pieces = []
        for at in wanted:
            begin, end = self._blocks[at]
            data = wait_for(self._coming[at])
            whole = start <= begin and end <= stop
            pieces.append(data if whole else data[max(0, start - begin) : stop - begin])
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def blocks_of(ranges: Sequence[Range], size: int) -> list[Range]:
    """The ranges, as far as they lie in a file of `size` bytes, in its order: those with little between them together,
    and cut into blocks of at most 4 MiB."""
    joined: list[Range] = []
    for start, stop in sorted((max(0, start), min(size, stop)) for start, stop in ranges):
        if start >= stop:
            continue
        if joined and start - joined[-1][1] <= _HOLE:
            joined[-1] = joined[-1][0], max(joined[-1][1], stop)
        else:
            joined.append((start, stop))
    return [(begin, min(begin + _BLOCK, stop)) for start, stop in joined for begin in range(start, stop, _BLOCK)]
