"""A table as the pieces of an Arrow IPC stream, hashed and sent without ever being whole in memory."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from typing import Final

import pyarrow as pa
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from bigviz.common.printable import printable
from bigviz.data.dataset import Dataset

__all__ = ["CONTENT_TYPE", "content_hash", "pieces", "with_bar"]

CONTENT_TYPE: Final = "application/vnd.apache.arrow.stream"
_PIECE: Final = 1 << 20  # bytes that are sent in one go
_LARGE: Final = 8 << 20  # bytes: what is shorter is there before a bar could be read


class _Sink:
    """Takes what Arrow writes and gives it back in pieces."""

    closed = False

    def __init__(self) -> None:
        self._held = bytearray()

    def write(self, data: bytes) -> int:
        self._held += data
        return len(data)

    def flush(self) -> None:
        """Nothing waits: what is written is held."""

    def take(self, least: int = _PIECE) -> Iterator[bytes]:
        """What is held, in pieces of 1 MiB, if it is at least so many bytes."""
        if len(self._held) < least:
            return
        held, self._held = bytes(self._held), bytearray()
        for start in range(0, len(held), _PIECE):
            yield held[start : start + _PIECE]


def pieces(table: Dataset) -> Iterator[bytes]:
    """The rows of a table as an Arrow IPC stream, in pieces of at most 1 MiB. Raises what reading it does."""
    sink = _Sink()
    reader = table.batches()
    with pa.ipc.new_stream(sink, reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)
            yield from sink.take()
    yield from sink.take(1)


def content_hash(table: Dataset) -> tuple[str, int]:
    """The SHA-256 of the stream in hex, and its bytes. Reads the table once."""
    digest, size = hashlib.sha256(), 0
    for piece in pieces(table):
        digest.update(piece)
        size += len(piece)
    return digest.hexdigest(), size


def with_bar(name: str, found: Iterator[bytes], size: int | None) -> Iterator[bytes]:
    """The same pieces, with a bar on stderr while they are sent, if that is a terminal and they are many."""
    if not sys.stderr.isatty() or (size is not None and size < _LARGE):
        yield from found
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(printable(f"uploading {name}"), total=size)
        for piece in found:
            yield piece
            bar.advance(task, len(piece))
