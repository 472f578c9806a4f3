from __future__ import annotations

import threading

import pytest

from bigviz.common import priority
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import Cancelled
from bigviz.common.priority import PATIENCE, QUIET, SPELL, Turns


class Clock:
    """A clock that goes on by `step` seconds each time it is looked at."""

    def __init__(self, step: float = 0.0) -> None:
        self.time, self.step = 1000.0, step

    def __call__(self) -> float:
        self.time += self.step
        return self.time


def passes(turns: Turns) -> bool:
    """Whether a build would go on now."""
    stop = Cancel()
    looked = threading.Event()

    class Looked(Cancel):
        def check(self) -> None:
            if looked.is_set():
                stop.cancel()
            looked.set()
            stop.check()

    try:
        turns.give_way(Looked())
    except Cancelled:
        return False
    return True


def test_a_build_waits_for_all_requests() -> None:
    turns, through = Turns(), threading.Event()
    turns.give_way(NEVER)
    with turns.request():
        with turns.request():
            builder = threading.Thread(target=lambda: (turns.give_way(NEVER), through.set()))
            builder.start()
        assert not through.wait(0.05)
    assert through.wait(PATIENCE)
    builder.join()


def test_a_waiting_build_can_be_stopped() -> None:
    turns, cancel, stopped = Turns(), Cancel(), threading.Event()

    def build() -> None:
        with pytest.raises(Cancelled):
            turns.give_way(cancel)
        stopped.set()

    with turns.request():
        builder = threading.Thread(target=build)
        builder.start()
        cancel.cancel()
        assert stopped.wait(PATIENCE)
    builder.join()


def test_a_failing_request_lets_builds_go_on() -> None:
    turns = Turns()
    with pytest.raises(ZeroDivisionError), turns.request():
        raise ZeroDivisionError
    turns.give_way(NEVER)


def test_builds_have_their_part_under_requests_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(priority, "_LOOK", 1e-5)  # each time that a build does not go on it waits for so long
    clock = Clock()
    turns = Turns(clock)
    with turns.request():
        free = []
        for _ in range(1000):
            free.append(passes(turns))
            clock.time += (PATIENCE + SPELL) / 100
    share = SPELL / (PATIENCE + SPELL)
    assert not any(free[: int(100 * (1 - share))]), "a first picture is there before"
    assert sum(free) == pytest.approx(1000 * share, abs=20)


def test_requests_that_follow_each_other_are_one_stretch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(priority, "_LOOK", 1e-5)
    clock = Clock()
    turns = Turns(clock)
    free = 0
    for _ in range(200):
        with turns.request():
            free += passes(turns)
            clock.time += (PATIENCE + SPELL) / 20
        clock.time += SPELL / 20
    assert free >= 200 * SPELL / (PATIENCE + SPELL) / 2
    clock.time += 2 * QUIET
    with turns.request():
        assert not passes(turns), "after a rest builds are patient again"


def test_a_waiting_build_goes_on_by_itself_in_the_end() -> None:
    turns = Turns(Clock(PATIENCE / 20))
    with turns.request():
        turns.give_way(NEVER)


def test_a_page_that_opens_is_waited_for_but_not_for_ever() -> None:
    clock = Clock()
    turns = Turns(clock)
    assert passes(turns)
    turns.expect(1.0)
    assert not passes(turns)
    clock.time += 0.9
    assert not passes(turns)
    turns.expect(0.5)
    clock.time += 0.4
    assert not passes(turns)
    clock.time += 0.2
    assert passes(turns)
    turns.expect(1.0)
    turns.expect(0.1)
    clock.time += 0.2
    assert passes(turns), "a request expected for longer is near now"
    with turns.request():
        assert not passes(turns)
    assert passes(turns)
