"""One pass over a dataset's pieces, on several threads, in bounded memory; the result does not depend on the threads.

The pieces are dealt into stripes that follow each other in the file. A thread adds the rows of a stripe, in order, to a
state of its own, and the states are merged in the order of the stripes: a float sum's bits depend neither on how many
threads there are nor on which is first. A stripe is begun when at most so many as there are threads wait before it, so
there are never many states.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, Generic, Protocol, TypeVar

from bigviz.common.cancel import Cancel
from bigviz.common.priority import Turns
from bigviz.common.progress import RowMeter
from bigviz.common.workers import Crew
from bigviz.tiles.grid.batches import Batch, Streamed

__all__ = ["STRIPES", "Gate", "Sink", "sweep"]

S = TypeVar("S")

STRIPES: Final = 16
_LOOK: Final = 0.01  # seconds between two looks at the cancel flag while waiting


class Sink(Protocol[S]):
    """What rows are added to. `start` and `add` are called by several threads, each with states of its own."""

    def start(self) -> S:
        """An empty state."""
        ...

    def add(self, state: S, batch: Batch, look: Callable[[], None]) -> None:
        """Add rows; `look` is to be called between slices of a few milliseconds."""
        ...

    def finish(self, state: S, piece: int) -> None:
        """All rows of a piece were added."""
        ...

    def merge(self, state: S) -> None:
        """Take in the state of the next stripe; called by one thread at a time."""
        ...


class Gate:
    """At most so many passes at a time: each holds planes and batches."""

    def __init__(self, most: int) -> None:
        self._free = threading.BoundedSemaphore(most)

    def enter(self, cancel: Cancel) -> None:
        """Wait for a place. Raises Cancelled."""
        while not self._free.acquire(timeout=_LOOK):
            cancel.check()

    def leave(self) -> None:
        """Give the place back."""
        self._free.release()


def sweep(
    stage: str,
    source: Streamed,
    wanted: Callable[[int], bool],
    sink: Sink[S],
    crew: Crew,
    turns: Turns,
) -> int:
    """Add the rows of the wanted pieces to a sink; returns how many they were. Makes way for requests (`turns`).

    Raises Cancelled, and what reading and the sink raise.
    """
    groups: dict[int, list[int]] = {}
    for piece, (first, count) in enumerate(source.pieces):
        if count and wanted(piece):
            groups.setdefault(first * STRIPES // source.rows, []).append(piece)
    stripes = list(groups.values())
    total = sum(source.pieces[piece][1] for stripe in stripes for piece in stripe)
    line = _Line(sink, crew.threads)
    meter = RowMeter(stage, total, crew.progress)
    meter.add(0)

    def work(number: int) -> int:
        try:
            if not line.begin(number, crew.cancel):
                return 0
            state = sink.start()
            for piece in stripes[number]:
                for batch in source.read(piece, crew.cancel):
                    sink.add(state, batch, lambda: turns.give_way(crew.cancel))
                    meter.add(batch.rows)
                sink.finish(state, piece)
            line.end(number, state)
        except BaseException:
            line.fail()
            raise
        return 0

    Crew(crew.threads, cancel=crew.cancel).run(stage, work, range(len(stripes)), total)
    return total


class _Line(Generic[S]):
    """The stripes' states, merged in their order."""

    def __init__(self, sink: Sink[S], threads: int) -> None:
        self._sink, self._threads = sink, threads
        self._turn = threading.Condition()
        self._ended: dict[int, S] = {}
        self._merged = 0
        self._failed = False

    def begin(self, number: int, cancel: Cancel) -> bool:
        """Wait until a stripe may begin; False where another one has failed."""
        with self._turn:
            while number >= self._merged + self._threads and not self._failed:
                self._turn.wait(_LOOK)
                cancel.check()
            return not self._failed

    def end(self, number: int, state: S) -> None:
        with self._turn:
            self._ended[number] = state
            while self._merged in self._ended:
                self._sink.merge(self._ended.pop(self._merged))
                self._merged += 1
            self._turn.notify_all()

    def fail(self) -> None:
        with self._turn:
            self._failed = True
            self._turn.notify_all()
