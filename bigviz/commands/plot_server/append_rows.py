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
from bigviz.client.refusals import Unreachable
from bigviz.client.uploads import CONTENT_TYPE
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import BigvizError, Cancelled, NotFound, Unreadable
from bigviz.data.arrow_errors import reading
from bigviz.data.formats.delimited.whole_lines import Lines

__all__ = ["Input", "append_file", "bodies"]

_BODY_BYTES: Final = 4 << 20  # of one append, about: long enough for the disk, short enough for the pages that follow
_SECONDS_OF_QUIET: Final = 0.2  # of standard input, after which what has come is appended
_ARROW: Final = b"\xff\xff\xff\xff"
_ARROW_FILE: Final = b"ARROW1"
_PARQUET: Final = b"PAR1"
_NDJSON: Final = "application/x-ndjson"
_CSV: Final = "text/csv"


def append_file(server: Connection, name: str, path: str, tell: Callable[[str], None], cancel: Cancel = NEVER) -> str:
    """Append all rows of a file (`-`: standard input) to a dataset: a sentence on how many, and how fast.

    The rows are an Arrow IPC stream, NDJSON, or CSV with a line of names, which the first bytes tell. `tell` hears of
    rows and rate, at most four times a second. Once `cancel` is raised, what was sent is waited for, and nothing more
    is. Raises NotFound and Unreadable for the file, what the server refuses, and Cancelled, all with the number of rows
    that were acknowledged before.
    """
    began = told = time.monotonic()
    rows, version = 0, None
    try:
        with _opened(path, cancel) as source:
            for body, kind in bodies(source):
                cancel.check()
                answer = server.append_body(name, body, kind)
                rows, version = rows + answer["rows"], answer["version"]
                if time.monotonic() - told >= 0.25:
                    told = time.monotonic()
                    tell(_rate(rows, told - began))
    except BigvizError as error:
        known = "Nothing is known of those sent last. " if isinstance(error, Unreachable) else ""
        why = "Interrupted" if isinstance(error, Cancelled) else error.message.rstrip(".")
        stop = "" if why.endswith("?") else "."
        error.message = f"{why}{stop} {known}Rows appended before: {rows:,}."
        raise
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
    if start.lstrip().startswith(b"["):
        raise Unreadable("This is a JSON array: NDJSON has an object on each line, as `jq -c '.[]'` prints them.")
    if start.startswith(_ARROW):
        yield from ((body, CONTENT_TYPE) for body in _batches(source))
    elif start.lstrip().startswith(b"{"):
        yield from ((body, _NDJSON) for body in _lines(source, lambda held: held.rfind(b"\n") + 1))
    elif start:
        yield from ((body, _CSV) for body in _tables(source))


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


def _tables(source: Input) -> Iterator[bytes]:
    """Whole lines, each time after the line of names; that alone, so that wrong ones are told, where no rows come."""
    lines = Lines(",")
    while not lines.first(bytes(source.held)) and source.more() is not False:
        pass
    names = source.take(lines.first(bytes(source.held)) or len(source.held))
    alone = True
    for body in _lines(source, lines.end):
        alone = False
        yield names + body
    if alone:
        yield names


def _lines(source: Input, whole: Callable[[bytes], int]) -> Iterator[bytes]:
    """Whole lines, and what is left at the end; `whole` says how many of some bytes are whole lines."""
    while True:
        came = source.more()
        if came is not True or len(source.held) >= _BODY_BYTES:
            body = source.take(len(source.held) if came is False else whole(bytes(source.held)))
            if body.strip():
                yield body
        if came is False:
            return


class Input:
    """Bytes of a file, or of a pipe as they come. For pyarrow it is a file that is read from its beginning to its
    end."""

    closed = False

    def __init__(self, descriptor: int, cancel: Cancel = NEVER) -> None:
        """Whoever waits for bytes raises Cancelled once `cancel` is raised."""
        self._descriptor = descriptor
        self._cancel = cancel
        self._ended = False
        self.held = bytearray()

    def peek(self, size: int) -> bytes:
        """The next bytes, fewer at the end; they are held."""
        while len(self.held) < size and self.more() is not False:
            pass
        return bytes(self.held[:size])

    def more(self) -> bool | None:
        """Hold more bytes: whether some have come, None where none do for a while. False at the end."""
        self._cancel.check()
        if self._ended:
            return False
        if not select.select([self._descriptor], [], [], _SECONDS_OF_QUIET)[0]:
            return None
        piece = os.read(self._descriptor, 1 << 20)
        self._ended = not piece
        self.held += piece
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


@contextmanager
def _opened(path: str, cancel: Cancel) -> Iterator[Input]:
    if path == "-":
        yield Input(sys.stdin.fileno(), cancel)
        return
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {path}.", "file", path) from error
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {(error.strerror or str(error)).lower()}.", "file", path) from error
    try:
        yield Input(descriptor, cancel)
    finally:
        os.close(descriptor)


def _rate(rows: int, seconds: float) -> str:
    return f"{rows:,} rows, {rows / max(seconds, 1e-9):,.0f} rows/s"
