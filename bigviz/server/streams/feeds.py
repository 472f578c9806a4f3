"""What was appended to datasets, for those who read on: batch after batch, as Arrow writes a stream."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from bigviz.common.errors import TooMany
from bigviz.server.streams.gone import gone

if TYPE_CHECKING:
    from bigviz.data.appending.snapshot import Slice, Snapshot

__all__ = ["Feed", "Feeds"]

_PIECE: Final = 1 << 20  # bytes that are read, and wait for one reader, at a time


class Feeds:
    """The readers of streams, who wait for more. Lives on the event loop."""

    def __init__(self) -> None:
        self._readers: Counter[Hashable] = Counter()
        self._waiting: dict[str, set[asyncio.Event]] = {}

    @contextmanager
    def reading(self, who: Hashable, most: int) -> Iterator[None]:
        """While one more stream is read by somebody. Raises TooMany beyond `most` of them."""
        if self._readers[who] >= most:
            raise TooMany(f"You read {most} streams of batches already: end one of them first.")
        self._readers[who] += 1
        try:
            yield
        finally:
            self._readers[who] -= 1
            if not self._readers[who]:
                del self._readers[who]

    @contextmanager
    def waiting(self, dataset: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever a dataset has another version."""
        event = asyncio.Event()
        others = self._waiting.setdefault(dataset, set())
        others.add(event)
        try:
            yield event
        finally:
            others.discard(event)
            if not others:
                self._waiting.pop(dataset, None)

    def feed(self, snapshot: Snapshot, after: int | None) -> Feed:
        """A reader's place in a log. Raises what `Feed` does."""
        return Feed(snapshot, after)

    def tell(self, dataset: str) -> None:
        """A dataset has another version."""
        for event in self._waiting.get(dataset, ()):
            event.set()


class _Sink:
    """A file for pyarrow, whose bytes are taken as they come."""

    closed = False

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._written.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        pass

    def take(self) -> bytes:
        written, self._written = b"".join(self._written), []
        return written


class Feed:
    """One reader's place in a log: `row` is the number of the next row. Not thread-safe.

    Each batch has the metadata `version`, `offset` (the number of its first row) and `rest`, the rows of the same
    append that come after it: what is longer than about a MiB comes in parts.
    """

    def __init__(self, snapshot: Snapshot, after: int | None) -> None:
        """What comes after a version, None: after the one that is there. Raises Gone where that is not all there."""
        if after is not None and not snapshot.since <= after <= snapshot.version:
            raise gone(after)
        self.row = snapshot.next_row if after is None else _first_after(snapshot, after)
        self._version = snapshot.version if after is None else after
        self._sink = _Sink()
        self._writer = pa.ipc.new_stream(self._sink, snapshot.schema)
        self._check(snapshot)

    @property
    def version(self) -> int:
        """The version that whoever has read this far knows all of, or is reading."""
        return self._version

    def piece(self, snapshot: Snapshot) -> bytes:
        """The next messages of the stream, about a MiB, b"" where there are none for now. The first piece begins with
        the schema. Raises Gone where rows were rolled over before they were read, Unreadable."""
        self._check(snapshot)
        size = 0
        while self.row < snapshot.next_row and size < _PIECE:
            file = snapshot.files[bisect_right(snapshot.files, self.row, key=_first) - 1]
            number = file.batches.find(self.row, file.count)
            batch = file.batches.batch(number, snapshot.schema)
            skip = self.row - file.batches.first[number]
            rows = max(1, batch.num_rows * _PIECE // max(1, batch.nbytes))
            part = batch.slice(skip, rows)
            self._version = file.batches.version[number]
            about = {"version": self._version, "offset": self.row, "rest": batch.num_rows - skip - part.num_rows}
            self._writer.write_batch(part, {key: str(value) for key, value in about.items()})
            self.row += part.num_rows
            size += part.nbytes
        return self._sink.take()

    def end(self) -> bytes:
        """What ends the stream."""
        self._writer.close()
        return self._sink.take()

    def _check(self, snapshot: Snapshot) -> None:
        if self.row < snapshot.first_row:
            raise gone(self._version)


def _first(file: Slice) -> int:
    return file.first


def _first_after(snapshot: Snapshot, version: int) -> int:
    """The number of the first row that came after a version."""
    for file in reversed(snapshot.files):
        number = file.batches.after(version, file.count)
        if number and number < file.count:
            return file.batches.first[number]
        if number:
            return file.stop
    return snapshot.files[0].first
