"""Work behind is done in its order, by as many threads as there may be, and signals are told without one."""

from __future__ import annotations

import threading

import pytest

from bigviz.common.errors import Cancelled
from bigviz.common.threads.few_at_a_time import FewAtATime, Signal

from ...patience import PATIENCE, until


def test_work_is_done_in_order_by_few_threads() -> None:
    behind, gates, began, over = FewAtATime("behind", 2), threading.Semaphore(0), list[int](), list[int]()

    def piece(number: int) -> None:
        began.append(number)
        assert gates.acquire(timeout=PATIENCE)
        over.append(number)

    for number in range(6):
        behind.begin(lambda number=number: piece(number))
    until(lambda: len(began) == 2)
    assert behind._threads == 2 and len(behind._waiting) == 4
    gates.release(6)
    until(lambda: behind._threads == 0)
    assert began == list(range(6)) and sorted(over) == began and not behind._running
    behind.begin(lambda: began.append(6))
    until(lambda: began[-1] == 6)


def test_what_fails_or_is_cancelled_stops_no_other_work(caplog: pytest.LogCaptureFixture) -> None:
    behind, done = FewAtATime("behind"), threading.Event()

    def fails(error: Exception) -> None:
        raise error

    for work in (lambda: fails(Cancelled()), lambda: fails(ValueError("no")), done.set):
        behind.begin(work)
    assert done.wait(PATIENCE)
    (record,) = caplog.records
    assert "background work has failed" in record.message


def test_a_closing_interpreter_asks_all_to_end() -> None:
    behind, gate, asked = FewAtATime("behind"), threading.Event(), list[int]()
    for number in range(3):
        behind.begin(lambda: gate.wait(PATIENCE), lambda number=number: asked.append(number))
    until(lambda: len(behind._running) == 1)
    behind._stop()
    gate.set()
    assert asked == [0, 1, 2]


def test_a_signal_tells_those_that_asked_before_and_after() -> None:
    signal, told = Signal(), list[str]()
    signal.tell(lambda: told.append("before"))
    assert not signal.is_set() and not signal.wait(0.0) and not told
    signal.set()
    signal.tell(lambda: told.append("after"))
    signal.set()
    assert signal.is_set() and signal.wait(0.0) and told == ["before", "after"]
