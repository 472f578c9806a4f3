"""A table's batches in row order, read ahead by other threads."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

from bigviz.common.daemon_thread import start_daemon
from bigviz.common.workers import Crew
from bigviz.tiles.grid.batches import Batch, Streamed

__all__ = ["in_order"]

_AHEAD = 2  # batches of each piece that is being read
_PAUSE = 0.05  # seconds between two looks at whether anybody still wants them


def in_order(pairs: Streamed, crew: Crew) -> Iterator[Batch]:
    """All batches in row order. As many pieces as the crew has threads are read at a time, two batches of each ahead.

    Tells the crew how many rows were handed out. Raises what reading raises, and Cancelled.
    """
    stop = threading.Event()
    pieces = len(pairs.pieces)
    readers: dict[int, queue.Queue[Batch | BaseException | None]] = {}
    done = 0

    def start(piece: int) -> None:
        if piece < pieces:
            readers[piece] = queue.Queue(_AHEAD)
            start_daemon("bigviz-read", _read, pairs, piece, crew, readers[piece], stop, stop=stop.set)

    try:
        for piece in range(crew.threads):
            start(piece)
        for piece in range(pieces):
            while (batch := _next(readers[piece], crew)) is not None:
                yield batch
                done += batch.rows
                crew.progress("reading", done / max(pairs.rows, 1), done)
            del readers[piece]
            start(piece + crew.threads)
    finally:
        stop.set()


def _read(
    pairs: Streamed,
    piece: int,
    crew: Crew,
    out: queue.Queue[Batch | BaseException | None],
    stop: threading.Event,
) -> None:
    try:
        for batch in crew.paced(pairs.read(piece, crew.cancel)):
            if not _put(out, batch, stop):
                return
        _put(out, None, stop)
    except BaseException as error:
        _put(out, error, stop)


def _put(
    out: queue.Queue[Batch | BaseException | None], item: Batch | BaseException | None, stop: threading.Event
) -> bool:
    while not stop.is_set():
        try:
            out.put(item, timeout=_PAUSE)
        except queue.Full:
            continue
        return True
    return False


def _next(source: queue.Queue[Batch | BaseException | None], crew: Crew) -> Batch | None:
    while True:
        crew.cancel.check()
        try:
            item = source.get(timeout=_PAUSE)
        except queue.Empty:
            continue
        if isinstance(item, BaseException):
            raise item
        return item
