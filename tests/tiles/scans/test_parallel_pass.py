"""One pass on several threads: what is added, in which order it is merged, and how many states there are."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

import bigviz as bv
from bigviz.aggregate.spaces import space
from bigviz.common.cancel import Cancel
from bigviz.common.errors import Cancelled
from bigviz.common.priority import Turns
from bigviz.common.workers import Crew
from bigviz.data.sources import memory
from bigviz.tiles.grid.batches import Batch, Streamed
from bigviz.tiles.scans.parallel_pass import STRIPES, Gate, sweep

from ...patience import PATIENCE

ROWS = 10_000


class Listed:
    """A sink whose states are the rows' numbers."""

    def __init__(self, fails_at: int = -1) -> None:
        self.fails_at = fails_at
        self.states, self.most = 0, 0
        self.merged: list[list[int]] = []
        self.pieces: list[int] = []
        self.lock = threading.Lock()

    def start(self) -> list[int]:
        with self.lock:
            self.states += 1
            self.most = max(self.most, self.states)
        return []

    def add(self, state: list[int], batch: Batch, look: Callable[[], None]) -> None:
        look()
        if batch.first <= self.fails_at < batch.first + batch.rows:
            raise ValueError("a row that nobody can read")
        state.extend(range(batch.first, batch.first + batch.rows))

    def finish(self, state: list[int], piece: int) -> None:
        with self.lock:
            self.pieces.append(piece)

    def merge(self, state: list[int]) -> None:
        with self.lock:
            self.states -= 1
        self.merged.append(state)


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Streamed:
    monkeypatch.setattr(memory, "_PIECE", 100)
    table = pa.table({"x": np.arange(ROWS), "y": np.arange(ROWS)})
    return Streamed(bv.open(table, name="rows"), ("x", "y"), (space("linear", "x"), space("linear", "y")))


@pytest.mark.parametrize("threads", [1, 2, 5, 40])
def test_rows_are_merged_in_file_order(source: Streamed, threads: int) -> None:
    sink = Listed()
    assert sweep("reading", source, lambda piece: True, sink, Crew(threads), Turns()) == ROWS
    assert [number for state in sink.merged for number in state] == list(range(ROWS))
    assert len(sink.merged) == STRIPES and sink.most <= threads
    assert sorted(sink.pieces) == list(range(ROWS // 100))


def test_stripes_do_not_depend_on_what_is_left_out(source: Streamed) -> None:
    whole, part = Listed(), Listed()
    sweep("reading", source, lambda piece: True, whole, Crew(2), Turns())
    assert sweep("reading", source, lambda piece: piece in (0, 1, 50, 99), part, Crew(2), Turns()) == 400
    stripe_of = {number: k for k, state in enumerate(whole.merged) for number in state}
    stripes = [{stripe_of[number] for number in state} for state in part.merged]
    assert all(len(each) == 1 for each in stripes) and len(stripes) == 3


@pytest.mark.parametrize("threads", [1, 3])
def test_what_fails_is_told(source: Streamed, threads: int) -> None:
    with pytest.raises(ValueError, match="nobody can read"):
        sweep("reading", source, lambda piece: True, Listed(fails_at=50), Crew(threads), Turns())


def test_a_pass_makes_way_for_requests_and_can_be_cancelled_then(source: Streamed) -> None:
    turns, cancel, sink = Turns(), Cancel(), Listed()
    errors: list[BaseException] = []

    def run() -> None:
        try:
            sweep("reading", source, lambda piece: True, sink, Crew(2, cancel=cancel), turns)
        except BaseException as error:
            errors.append(error)

    with turns.request():
        thread = threading.Thread(target=run)
        thread.start()
        thread.join(0.2)
        assert thread.is_alive() and not sink.pieces
        cancel.cancel()
        thread.join(PATIENCE)
    assert [type(error) for error in errors] == [Cancelled]


def test_at_most_so_many_passes_at_a_time() -> None:
    gate, cancel = Gate(1), Cancel()
    gate.enter(cancel)
    cancel.cancel()
    with pytest.raises(Cancelled):
        gate.enter(cancel)
    gate.leave()
    gate.enter(Cancel())
