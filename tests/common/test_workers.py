import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from bigviz.common.cancel import Cancel
from bigviz.common.errors import Cancelled
from bigviz.common.priority import Turns
from bigviz.common.workers import Crew, slices, usable_cores

from ..patience import PATIENCE


def test_slices_cover_all_rows_once() -> None:
    assert slices(0) == []
    assert slices(5, 2) == [(0, 2), (2, 4), (4, 5)]
    assert slices(4, 2) == [(0, 2), (2, 4)]


@pytest.mark.parametrize("threads", [1, 3])
def test_every_item_is_done_and_reported(threads: int) -> None:
    done: list[int] = []
    seen: list[tuple[str, float, int]] = []

    def work(item: int) -> int:
        done.append(item)
        return item

    Crew(threads, lambda *report: seen.append(report)).run("adding", work, range(10), 45)
    assert sorted(done) == list(range(10))
    assert [report[2] for report in seen] == sorted(report[2] for report in seen)
    assert seen[0] == ("adding", 0.0, 0) and seen[-1] == ("adding", 1.0, 45)


def test_steps_of_a_stage_report_as_one() -> None:
    seen: list[tuple[str, float, int]] = []
    crew = Crew(1, lambda *report: seen.append(report))
    for start, stop in ((0.0, 0.5), (0.5, 1.0)):
        step = crew.within("whole", start, stop, 8)
        step.run("half", lambda item: 1, range(2), 2)
        step.run("half again", lambda item: 1, range(2), 2)
    assert [report[:2] for report in seen[:4]] == [("whole", 0.0), ("whole", 0.25), ("whole", 0.5), ("whole", 0.5)]
    assert seen[-1] == ("whole", 1.0, 8)
    assert [report[1:] for report in seen] == sorted(report[1:] for report in seen)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_first_error_ends_the_work(threads: int) -> None:
    begun: list[int] = []

    def work(item: int) -> int:
        begun.append(item)
        raise ValueError(f"item {item}")

    with pytest.raises(ValueError, match="item"):
        Crew(threads).run("failing", work, range(1000), 1000)
    assert len(begun) <= 2 * threads


def test_the_callers_own_thread_works_and_helpers_stay() -> None:
    """Both items are begun before either ends, by the caller and by a helper, which is there for the next ones."""
    both, names = threading.Barrier(2, timeout=PATIENCE), set[str]()

    def work(_: int) -> int:
        names.add(threading.current_thread().name)
        both.wait()
        return 1

    for _ in range(20):
        Crew(2).run("working", work, range(2), 2)
    assert threading.current_thread().name in names and len(names) > 1
    assert names <= {thread.name for thread in threading.enumerate()}


def test_a_crew_whose_helpers_are_busy_works_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A crew within each item of another one: there are fewer helpers than these ask for."""
    pool = ThreadPoolExecutor(1)
    monkeypatch.setattr("bigviz.common.workers._helpers", lambda: pool)
    done: list[int] = []

    def inner(item: int) -> int:
        done.append(item)
        return 1

    def outer(_: int) -> int:
        Crew(3).run("inner", inner, range(5), 5)
        return 5

    Crew(4).run("outer", outer, range(6), 30)
    assert sorted(done) == sorted([*range(5)] * 6)
    pool.shutdown()


def test_no_item_is_begun_after_helpers_could_not_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the system starts no more threads: what was asked before must not go on behind the caller's back."""
    asked: list[Callable[[], None]] = []
    done: list[int] = []

    class Full:
        def submit(self, work: Callable[[], None]) -> Future[None]:
            if asked:
                raise RuntimeError("can't start new thread")
            asked.append(work)
            return Future()

    monkeypatch.setattr("bigviz.common.workers._helpers", Full)
    with pytest.raises(RuntimeError, match="can't start"):
        Crew(4).run("working", lambda item: done.append(item) or 1, range(9), 9)
    asked[0]()
    assert done == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="os.fork is on POSIX systems only")
def test_a_child_process_has_helpers_of_its_own() -> None:
    code = """
import os, threading
from bigviz.common.workers import Crew

def run():
    both, count = threading.Barrier(2, timeout=60), []
    Crew(2).run("working", lambda item: count.append(item) or both.wait() or 1, range(2), 2)
    return count

run()
child = os.fork()
if child == 0:
    os._exit(0 if sorted(run()) == [0, 1] else 1)
print(os.waitpid(child, 0)[1])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"


def test_a_raised_flag_stops_between_items() -> None:
    cancel = Cancel()
    begun = threading.Event()

    def work(item: int) -> int:
        begun.set()
        cancel.cancel()
        return 1

    with pytest.raises(Cancelled):
        Crew(1, cancel=cancel).run("stopping", work, range(1000), 1000)
    assert begun.is_set()


def test_requests_go_before_items_and_batches() -> None:
    turns, begun, ended = Turns(), threading.Event(), threading.Event()
    done: list[int] = []

    def work(item: int) -> int:
        done.extend(crew.paced([item, item]))
        return 1

    def build() -> None:
        begun.set()
        crew.within("whole", 0.0, 1.0, 3).run("part", work, range(3), 3)
        ended.set()

    crew = Crew(2, turns=turns)
    builder = threading.Thread(target=build)
    with turns.request():
        builder.start()
        assert begun.wait(PATIENCE) and not ended.wait(0.05)
        assert done == []
    assert ended.wait(PATIENCE)
    builder.join()
    assert sorted(done) == [0, 0, 1, 1, 2, 2]


STEPPING_BACK = """
import os
from bigviz.common.workers import Crew

found = set()

def work(_):
    found.add(os.getpriority(os.PRIO_PROCESS, 0))
    return 1

os.nice({niceness})
Crew(2, background=True).run("working", work, range(4), 4)
print(found)
"""


@pytest.mark.parametrize("niceness", [0, 15])
def test_threads_step_back_and_never_forward(niceness: int) -> None:
    """Under `nice -n 15` too, where going to 10 would take a privilege. Only under Linux do threads have priorities of
    their own."""
    command = [sys.executable, "-c", STEPPING_BACK.format(niceness=niceness)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    before = min(19, os.nice(0) + niceness)  # the tests may run under `nice` themselves
    after = max(10, before) if sys.platform == "linux" else before
    assert done.stdout.strip() == f"{{{after}}}"


@pytest.mark.parametrize("cores", [{0}, {1, 3, 5}])
def test_only_cores_that_the_process_is_bound_to_count(monkeypatch, cores: set[int]) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: cores, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert usable_cores() == len(cores) == Crew().threads


@pytest.mark.parametrize(("cores", "expected"), [(4, 4), (None, 1)])
def test_a_system_that_binds_no_process_has_all_its_cores(monkeypatch, cores: int | None, expected: int) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert usable_cores() == expected
