"""`bigviz append`: rows of a file, or of standard input as they come, at the end of a dataset of a plot server."""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import pyarrow as pa

from bigviz.client.connect import Connection
from bigviz.client.uploads import CONTENT_TYPE
from bigviz.common.errors import BigvizError, NotFound, Unreadable
from bigviz.data.arrow_errors import reading

__all__ = ["Input", "append_file", "bodies"]

_BODY_BYTES: Final = 4 << 20  # of one append, about: long enough for the disk, short enough for the pages that follow
_SECONDS_OF_QUIET: Final = 0.2  # of standard input, after which what has come is appended
_ARROW: Final = b"\xff\xff\xff\xff"
_ARROW_FILE: Final = b"ARROW1"
_PARQUET: Final = b"PAR1"
_NDJSON: Final = "application/x-ndjson"
_CSV: Final = "text/csv"


def append_file(server: Connection, name: str, path: str, tell: Callable[[str], None]) -> str:
    """Append all rows of a file (`-`: standard input) to a dataset: a sentence on how many, and how fast.

    The rows are an Arrow IPC stream, NDJSON, or CSV with a line of names, which the first bytes tell. `tell` hears of
    rows and rate, at most four times a second. Raises NotFound and Unreadable for the file, and what the server
    refuses, with the number of rows that were appended before.
    """
    began = told = time.monotonic()
    rows, version = 0, None
    with _opened(path) as source:
        for body, kind in bodies(source):
            try:
                answer = server.append_body(name, body, kind)
            except BigvizError as error:
                error.message = f"{error.message.rstrip('.')}. Rows appended before: {rows:,}."
                raise
            rows, version = rows + answer["rows"], answer["version"]
            if time.monotonic() - told >= 0.25:
                told = time.monotonic()
                tell(_rate(rows, told - began))
    at = "" if version is None else f", version {version:,}"
    return f"Appended {_rate(rows, time.monotonic() - began)} to {name}{at}."


def bodies(source: Input) -> Iterator[tuple[bytes, str]]:
    """What is sent, with its content type: whole batches or whole lines, some megabytes at a time, or what has come
    when nothing comes for a while. Raises Unreadable for a file of Arrow or Parquet, and for a stream that is none."""
    start = source.peek(6)
    if start.startswith(_ARROW_FILE):
        raise Unreadable("This is an Arrow IPC file: `bigviz append` takes a stream, as pyarrow.ipc.new_stream writes.")
    if start.startswith(_PARQUET):
        raise Unreadable("This is a Parquet file: `bigviz append` takes an Arrow IPC stream, NDJSON or CSV.")
    if start.startswith(_ARROW):
        yield from ((body, CONTENT_TYPE) for body in _batches(source))
    elif start.lstrip().startswith(b"{"):
        yield from ((body, _NDJSON) for body in _lines(source, quotes=False))
    elif start:
        head = next(_lines(source, quotes=True, first=True), b"")
        has_rows = False
        for body in _lines(source, quotes=True):
            has_rows = True
            yield head + body, _CSV
        if head and not has_rows:
            yield head, _CSV  # so that names that are wrong, or no names at all, are told


def _batches(source: Input) -> Iterator[bytes]:
    """Streams of whole batches."""
    with reading("The input", "an Arrow IPC stream"):
        reader = pa.ipc.open_stream(pa.PythonFile(source, mode="r"))
    group: list[pa.RecordBatch] = []
    size = 0
    while True:
        with reading("The input", "an Arrow IPC stream"):
            batch = next(reader, None)
        if batch is not None:
            group.append(batch)
            size += batch.nbytes
        if group and (batch is None or size >= _BODY_BYTES or source.is_quiet()):
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, reader.schema) as writer:
                for each in group:
                    writer.write_batch(each)
            yield bytes(sink.getvalue())
            group, size = [], 0
        if batch is None:
            return


def _lines(source: Input, quotes: bool, first: bool = False) -> Iterator[bytes]:
    """Whole lines; with `quotes` a new line between two double quotes is none. `first`: the first line alone."""
    open_quotes = searched = 0
    while True:
        came = source.more()
        held = source.held
        end = -1
        if quotes:
            while (at := held.find(b"\n", searched)) >= 0:
                open_quotes += held.count(b'"', searched, at)
                searched = at + 1
                if open_quotes % 2 == 0:
                    end = at
                    if first:
                        break
        else:
            end = held.rfind(b"\n")
        if came is False and (end < 0 or not first):
            end = len(held) - 1
        if end >= 0 and (first or came is not True or end >= _BODY_BYTES):
            body = source.take(end + 1)
            open_quotes = searched = 0
            if body.strip():
                yield body
        if came is False and not source.held:
            return


class Input:
    """Bytes of a file, or of a pipe as they come. For pyarrow it is a file that is read from its beginning to its
    end."""

    closed = False

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._ended = False
        self.held = bytearray()

    def peek(self, size: int) -> bytes:
        """The next bytes, fewer at the end; they are held."""
        while len(self.held) < size and not self._ended:
            self._receive()
        return bytes(self.held[:size])

    def more(self) -> bool | None:
        """Hold more bytes: whether some have come, None where none do for a while. False at the end."""
        if self._ended:
            return False
        if not select.select([self._descriptor], [], [], _SECONDS_OF_QUIET)[0]:
            return None
        self._receive()
        return not self._ended

    def is_quiet(self) -> bool:
        """Whether nothing is held, and nothing has come."""
        return not self.held and not select.select([self._descriptor], [], [], 0)[0]

    def take(self, size: int) -> bytes:
        """Bytes that are held."""
        taken = bytes(self.held[:size])
        del self.held[:size]
        return taken

    def read(self, size: int = -1) -> bytes:
        """The next bytes; fewer at the end only."""
        self.peek(size if size >= 0 else 1 << 62)
        return self.take(size if size >= 0 else len(self.held))

    def _receive(self) -> None:
        piece = os.read(self._descriptor, 1 << 20)
        self._ended = not piece
        self.held += piece


@contextmanager
def _opened(path: str) -> Iterator[Input]:
    if path == "-":
        yield Input(sys.stdin.fileno())
        return
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {path}.", "file", path) from error
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {(error.strerror or str(error)).lower()}.", "file", path) from error
    try:
        yield Input(descriptor)
    finally:
        os.close(descriptor)


def _rate(rows: int, seconds: float) -> str:
    return f"{rows:,} rows, {rows / max(seconds, 1e-9):,.0f} rows/s"
