import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import Cancelled, TooLarge
from bigviz.common.progress import Progress, no_progress
from bigviz.common.single_flight import Flights

from ..patience import PATIENCE

Report = tuple[str, float, int]


class Work:
    """Work that begins, reports, and continues on command."""

    def __init__(self) -> None:
        self.begun, self.go_on, self.stopped = threading.Event(), threading.Event(), threading.Event()
        self.runs = 0

    def __call__(self, progress: Progress, cancel: Cancel) -> str:
        self.runs += 1
        progress("working", 0.5, 10)
        self.begun.set()
        while not self.go_on.wait(0.001):
            if cancel.cancelled:
                self.stopped.set()
                cancel.check()
        return "done"


def test_callers_at_the_same_time_share_one_run() -> None:
    flights: Flights[str] = Flights()
    work = Work()
    seen: list[list[Report]] = [[], []]
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(flights.get, "key", work, lambda *report: seen[0].append(report), NEVER)
        assert work.begun.wait(PATIENCE) and flights.under_way("key")
        second = pool.submit(flights.get, "key", work, lambda *report: seen[1].append(report), NEVER)
        while not seen[1]:  # the late caller hears what the first one heard
            assert not second.done()
        work.go_on.set()
        assert first.result() == second.result() == "done"
    assert work.runs == 1 and seen[0] == seen[1] == [("working", 0.5, 10)]
    assert not flights.under_way("key")
    assert flights.get("key", lambda progress, cancel: "again", no_progress, NEVER) == "again"


def test_the_work_goes_on_while_somebody_waits() -> None:
    flights: Flights[str] = Flights()
    work, leaving = Work(), Cancel()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(flights.get, "key", work, no_progress, leaving)
        assert work.begun.wait(PATIENCE)
        told = threading.Event()
        second = pool.submit(flights.get, "key", work, lambda *report: told.set(), NEVER)
        assert told.wait(PATIENCE)
        leaving.cancel()
        with pytest.raises(Cancelled):
            first.result()
        work.go_on.set()
        assert second.result() == "done"
    assert not work.stopped.is_set()


def test_the_work_stops_when_nobody_waits_and_can_begin_anew() -> None:
    flights: Flights[str] = Flights()
    work, leaving = Work(), Cancel()
    with ThreadPoolExecutor(1) as pool:
        only = pool.submit(flights.get, "key", work, no_progress, leaving)
        assert work.begun.wait(PATIENCE)
        leaving.cancel()
        with pytest.raises(Cancelled):
            only.result()
    assert work.stopped.wait(PATIENCE)
    assert flights.get("key", lambda progress, cancel: "new", no_progress, NEVER) == "new"


def test_an_error_reaches_every_caller_and_is_not_kept() -> None:
    flights: Flights[str] = Flights()

    def fail(progress: Progress, cancel: Cancel) -> str:
        raise TooLarge("too many rows")

    for _ in range(2):
        with pytest.raises(TooLarge, match="too many rows"):
            flights.get("key", fail, no_progress, NEVER)
    raised = Cancel()
    raised.cancel()
    with pytest.raises(Cancelled):
        flights.get("key", lambda progress, cancel: "never", no_progress, raised)
