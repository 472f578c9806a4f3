from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from bigviz.common.cancel import Cancel
from bigviz.common.errors import Cancelled
from bigviz.common.threads import waits
from bigviz.common.threads.waits import in_context, inheriting, interruptible, wait_for, waits_at, waits_end_with


class Turn:
    """A place that may be left once the test says so."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.left = threading.Event()

    def leave(self) -> None:
        self.told.append("leave")
        self.left.set()

    def take(self) -> None:
        self.told.append("take")


def test_results_and_failures_pass():
    done: Future[int] = Future()
    done.set_result(3)
    failed: Future[int] = Future()
    failed.set_exception(TimeoutError("ours"))
    assert wait_for(done) == 3
    with pytest.raises(TimeoutError, match="ours"):
        wait_for(failed)
    given_up: Future[int] = Future()
    given_up.cancel()
    with pytest.raises(Cancelled):
        wait_for(given_up)


def test_any_of_the_flags_ends_a_wait_here_and_in_threads():
    outer, inner = Cancel(), Cancel()
    for flag in (inner, outer):
        futures: list[Future[int]] = [Future() for _ in range(3)]
        with waits_end_with(outer), waits_end_with(inner):
            with ThreadPoolExecutor(1, initializer=inheriting()) as heirs, ThreadPoolExecutor(1) as others:
                waiting = [heirs.submit(wait_for, futures[0]), others.submit(in_context(wait_for), futures[1])]
                flag.cancel()
                for each in waiting:
                    with pytest.raises(Cancelled):
                        each.result()
            with pytest.raises(Cancelled):
                wait_for(futures[2])
        assert all(each.cancelled() for each in futures)
    futures = [Future()]
    futures[0].set_result(1)
    assert wait_for(futures[0]) == 1


def test_items_that_do_not_come():
    cancel = Cancel()
    coming: list[Future[int]] = [Future(), Future()]
    coming[0].set_result(5)
    items = interruptible(map(wait_for, coming), cancel)
    assert next(items) == 5
    cancel.cancel()
    with pytest.raises(Cancelled):
        next(items)


def test_a_long_wait_leaves_its_place(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(waits, "_LONG", 0.0)
    turn: Turn = Turn()
    future: Future[int] = Future()
    threading.Thread(target=lambda: (turn.left.wait(), future.set_result(7))).start()
    with waits_at(turn):
        assert wait_for(future) == 7
    assert turn.told == ["leave", "take"]
