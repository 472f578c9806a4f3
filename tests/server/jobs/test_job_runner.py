"""Who computes what next, with jobs that wait at gates."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pyarrow as pa
import pytest

from bigviz.common.cancel import Cancel
from bigviz.common.errors import Busy
from bigviz.common.threads import waits
from bigviz.common.threads.waits import wait_for
from bigviz.server.jobs import job_runner
from bigviz.server.jobs.job_queue import Outcome, Want
from bigviz.server.jobs.job_runner import JobRunner

from ...patience import PATIENCE

SECONDS = PATIENCE


class Desk:
    """Makes wants, and knows which jobs began, which ended and what was delivered to whom."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.began: list[Any] = []
        self.stopped: list[Any] = []
        self.delivered: list[tuple[str, Any, Any]] = []
        self.changed = asyncio.Condition()
        self.loop = asyncio.get_running_loop()

    def want(
        self, owner: str, key: Any, later: bool = False, heavy: bool = False, fails: bool = False, long: bool = False
    ) -> Want:
        def call(cancel: Cancel) -> Any:
            self.note(self.began, key)
            while not self.gate.wait(0.001):
                if cancel.cancelled:
                    self.note(self.stopped, key)
                    cancel.check()
            if fails:
                raise ValueError(key)
            return f"<{key}>"

        def deliver(outcome: Outcome) -> None:
            self.delivered.append((owner, key, outcome.error or outcome.value))
            self.loop.create_task(self.tell())

        return Want(key, call, deliver, later, heavy, long)

    def note(self, into: list[Any], key: Any) -> None:
        into.append(key)
        asyncio.run_coroutine_threadsafe(self.tell(), self.loop)

    async def tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    async def until(self, fits: Callable[[], bool]) -> None:
        async with self.changed:
            await asyncio.wait_for(self.changed.wait_for(fits), SECONDS)


def scheduled(workers: int, test: Callable[[JobRunner, Desk], Any]) -> None:
    """Run a coroutine function with a runner, which is closed afterwards."""

    async def run() -> None:
        runner, desk = JobRunner(workers, used=lambda: 0.0), Desk()
        try:
            await asyncio.wait_for(test(runner, desk), 3 * SECONDS)
        finally:
            runner.close()

    asyncio.run(run())


def test_jobs_run_in_the_order_of_the_list_prefetch_last():
    async def test(runner: JobRunner, desk: Desk) -> None:
        runner.replace("a", 0, [desk.want("a", 9, later=True), desk.want("a", 1), desk.want("a", 2)])
        runner.replace("b", 0, [desk.want("b", 10, later=True)])
        desk.gate.set()
        await desk.until(lambda: len(desk.delivered) == 4)
        assert desk.began[-2:] in ([9, 10], [10, 9]) and [k for k in desk.began if k < 9] == [1, 2]

    scheduled(1, test)


def test_owners_take_turns():
    async def test(runner: JobRunner, desk: Desk) -> None:
        runner.replace("x", 0, [desk.want("x", "gate")])
        await desk.until(lambda: desk.began == ["gate"])
        for owner, count in (("a", 6), ("b", 2), ("c", 3)):
            runner.replace(owner, 0, [desk.want(owner, f"{owner}{n}") for n in range(count)])
        desk.gate.set()
        await desk.until(lambda: len(desk.delivered) == 12)
        assert desk.began[1:] == ["a0", "b0", "c0", "a1", "b1", "c1", "a2", "c2", "a3", "a4", "a5"]

    scheduled(1, test)


def test_a_newer_list_drops_what_waits_and_cancels_what_runs():
    async def test(runner: JobRunner, desk: Desk) -> None:
        runner.replace("a", 0, [desk.want("a", n) for n in range(10)])
        runner.replace("a", 1, [desk.want("a", "other slot")])
        await desk.until(lambda: desk.began == [0])
        assert runner.waiting == 10 and runner.running == 1
        runner.replace("a", 0, [desk.want("a", "new")])
        await desk.until(lambda: desk.stopped == [0])
        desk.gate.set()
        await desk.until(lambda: len(desk.delivered) == 2)
        assert {key for _, key, _ in desk.delivered} == {"new", "other slot"}
        assert set(desk.began) == {0, "new", "other slot"} and runner.waiting == 0

    scheduled(1, test)


def test_what_both_lists_want_goes_on():
    async def test(runner: JobRunner, desk: Desk) -> None:
        runner.replace("a", 0, [desk.want("a", "kept"), desk.want("a", "dropped")])
        await desk.until(lambda: desk.began == ["kept"])
        runner.replace("a", 0, [desk.want("a", "new"), desk.want("a", "kept")])
        desk.gate.set()
        await desk.until(lambda: len(desk.delivered) == 2)
        assert desk.began == ["kept", "new"] and not desk.stopped

    scheduled(1, test)


def test_equal_work_is_done_once_for_all_and_stops_when_the_last_leaves():
    async def test(runner: JobRunner, desk: Desk) -> None:
        for owner in "abc":
            runner.replace(owner, 0, [desk.want(owner, "same")])
        await desk.until(lambda: desk.began == ["same"])
        runner.forget("a")
        runner.drop("b", 0)
        desk.gate.set()
        await desk.until(lambda: len(desk.delivered) == 1)
        assert desk.delivered == [("c", "same", "<same>")] and desk.began == ["same"]
        desk.gate.clear()
        for owner in "ab":
            runner.replace(owner, 0, [desk.want(owner, "again")])
        await desk.until(lambda: desk.began[-1] == "again")
        runner.forget("a")
        runner.forget("b")
        await desk.until(lambda: desk.stopped == ["again"])

    scheduled(2, test)


def test_work_that_was_given_up_is_begun_anew_for_the_next():
    async def test(runner: JobRunner, desk: Desk) -> None:
        runner.replace("a", 0, [desk.want("a", "k")])
        await desk.until(lambda: desk.began == ["k"])
        runner.forget("a")
        runner.replace("b", 0, [desk.want("b", "k")])
        await desk.until(lambda: desk.began == ["k", "k"] and desk.stopped == ["k"])
        desk.gate.set()
        await desk.until(lambda: len(desk.delivered) == 1)
        assert desk.delivered == [("b", "k", "<k>")]

    scheduled(2, test)


def test_what_one_prefetches_and_another_sees_comes_first():
    async def test(runner: JobRunner, desk: Desk) -> None:
        runner.replace("x", 0, [desk.want("x", "gate")])
        await desk.until(lambda: desk.began == ["gate"])
        runner.replace("a", 0, [desk.want("a", "p", later=True), desk.want("a", "q", later=True)])
        runner.replace("b", 0, [desk.want("b", "q")])
        desk.gate.set()
        await desk.until(lambda: len(desk.delivered) == 4)
        assert desk.began == ["gate", "q", "p"]

    scheduled(1, test)


def test_heavy_jobs_leave_a_worker_free():
    async def test(runner: JobRunner, desk: Desk) -> None:
        runner.replace("a", 0, [desk.want("a", n, heavy=True) for n in range(5)])
        await desk.until(lambda: len(desk.began) == 2)
        runner.replace("b", 0, [desk.want("b", "tile")])
        await desk.until(lambda: "tile" in desk.began)
        assert len(desk.began) == 3
        desk.gate.set()
        await desk.until(lambda: len(desk.delivered) == 6)

    scheduled(3, test)


def test_a_single_worker_runs_heavy_jobs_too():
    async def test(runner: JobRunner, desk: Desk) -> None:
        desk.gate.set()
        runner.replace("a", 0, [desk.want("a", n, heavy=True) for n in range(3)])
        await desk.until(lambda: len(desk.delivered) == 3)

    scheduled(1, test)


def test_a_paused_owner_waits_and_the_others_do_not():
    async def test(runner: JobRunner, desk: Desk) -> None:
        desk.gate.set()
        runner.pause("a", True)
        runner.replace("a", 0, [desk.want("a", 1), desk.want("a", 2)])
        runner.replace("b", 0, [desk.want("b", 2), desk.want("b", 3)])
        await desk.until(lambda: len(desk.delivered) == 3)
        assert sorted(desk.began) == [2, 3], "what another wants too is delivered to both"
        runner.pause("a", False)
        await desk.until(lambda: ("a", 1, "<1>") in desk.delivered)

    scheduled(2, test)


@pytest.mark.parametrize("error", [MemoryError, pa.ArrowMemoryError])
def test_memory_that_is_not_there_is_an_answer(error: type[MemoryError]):
    async def test(runner: JobRunner, desk: Desk) -> None:
        def call(cancel: Cancel) -> None:
            raise error("too much")

        with pytest.raises(Busy, match="not enough memory free for this: ask for less"):
            await runner.run("a", "large", call)

    scheduled(1, test)


def test_errors_go_to_everyone_who_waits_and_nothing_breaks():
    async def test(runner: JobRunner, desk: Desk) -> None:
        for owner in "ab":
            runner.replace(owner, 0, [desk.want(owner, "bad", fails=True), desk.want(owner, "good")])
        desk.gate.set()
        await desk.until(lambda: len(desk.delivered) == 4)
        assert sorted((o, str(v)) for o, k, v in desk.delivered if k == "bad") == [("a", "bad"), ("b", "bad")]

    scheduled(2, test)


def test_one_receiver_that_raises_does_not_keep_it_from_the_others(caplog: pytest.LogCaptureFixture):
    async def test(runner: JobRunner, desk: Desk) -> None:
        def bad(outcome: Outcome) -> None:
            raise RuntimeError("mine")

        desk.gate.set()
        runner.replace("a", 0, [Want("k", lambda cancel: 1, bad)])
        runner.replace("b", 0, [desk.want("b", "k2")])
        await desk.until(lambda: len(desk.delivered) == 1)

    scheduled(1, test)
    assert "could not be handed over" in caplog.text


def test_run_gives_the_result_and_gives_up_with_its_task():
    async def test(runner: JobRunner, desk: Desk) -> None:
        want = desk.want("a", "slow")
        task = asyncio.ensure_future(runner.run("a", want.key, want.call))
        await desk.until(lambda: desk.began == ["slow"])
        task.cancel()
        await desk.until(lambda: desk.stopped == ["slow"])
        desk.gate.set()
        assert await runner.run("a", want.key, want.call) == "<slow>"
        with pytest.raises(ValueError, match="no"):
            await runner.run("a", "bad", desk.want("a", "no", fails=True).call)
        assert not runner._queue._owners and not runner._queue._jobs and not runner._queue._live

    scheduled(2, test)


def test_waiting_time_is_counted_from_the_want():
    async def test(runner: JobRunner, desk: Desk) -> None:
        got: list[Outcome] = []
        desk.gate.set()
        late = Want("k", lambda cancel: 1, got.append)
        late.since = since = late.since - 5
        runner.replace("a", 0, [late, desk.want("a", 2)])
        await desk.until(lambda: len(desk.delivered) == 1)
        assert 5 <= got[0].waited <= time.perf_counter() - since

    scheduled(1, test)


def test_many_owners_come_and_go_while_work_is_done():
    """What is left at the end is nothing: no owner, no job, no want, no busy worker."""

    async def test(runner: JobRunner, desk: Desk) -> None:
        desk.gate.set()
        for turn in range(300):
            owner = f"o{turn % 7}"
            wants = [desk.want(owner, (turn * 7 + n) % 40, later=n % 3 == 0) for n in range(5)]
            if turn % 5 == 4:
                runner.forget(owner)
            elif turn % 4 == 3:
                runner.drop(owner, turn % 2)
            else:
                runner.replace(owner, turn % 2, wants)
            if turn % 10 == 0:
                await asyncio.sleep(0)
        desk.delivered.clear()
        runner.replace("last", 0, [desk.want("last", "end", later=True)])
        await desk.until(lambda: ("last", "end", "<end>") in desk.delivered)
        for n in range(7):
            runner.forget(f"o{n}")
        runner.forget("last")
        assert not runner._queue._owners and not runner._queue._live and runner.waiting == 0

    scheduled(3, test)


def test_long_jobs_run_besides_the_others_two_at_a_time():
    async def test(runner: JobRunner, desk: Desk) -> None:
        runner.replace("a", 0, [desk.want("a", f"long {n}", long=True) for n in range(3)])
        await desk.until(lambda: len(desk.began) == 2)
        runner.replace("b", 0, [desk.want("b", n) for n in range(3)])
        runner.replace("c", 0, [desk.want("c", "heavy", heavy=True)])
        await desk.until(lambda: len(desk.began) == 4)
        assert sorted(map(str, desk.began)) == ["0", "1", "long 0", "long 1"]
        assert (runner.running, runner.waiting) == (4, 3)
        runner.forget("a")
        await desk.until(lambda: sorted(desk.stopped) == ["long 0", "long 1"])
        runner.replace("d", 0, [desk.want("d", "long 3", long=True)])
        await desk.until(lambda: "long 3" in desk.began)
        desk.gate.set()
        await desk.until(lambda: len(desk.delivered) == 5)
        assert "long 2" not in desk.began and runner.waiting == 0

    scheduled(2, test)


def test_a_job_that_waits_for_another_machine_has_no_place(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(waits, "_LONG", 0.0)
    monkeypatch.setattr(job_runner, "_MOST_PARKED", 2)
    answers: list[Future[int]] = [Future() for _ in range(3)]

    async def test(runner: JobRunner, desk: Desk) -> None:
        remote = [
            asyncio.ensure_future(runner.run("far", number, lambda _, each=each: wait_for(each), heavy=True))
            for number, each in enumerate(answers)
        ]
        with pytest.raises(Busy, match="2 requests wait for other machines"):
            await remote[2]
        desk.gate.set()
        runner.replace("near", "tiles", [desk.want("near", "tile", heavy=True)])
        await desk.until(lambda: len(desk.delivered) == 1)
        assert runner.running == 0 and not remote[0].done()
        for number, each in enumerate(answers[:2]):
            each.set_result(number)
        assert await asyncio.gather(*remote[:2]) == [0, 1]
        assert runner.running == runner.waiting == 0

    scheduled(1, test)


def test_one_viewer_leaves_others_room_to_wait_for_other_machines(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(waits, "_LONG", 0.0)
    monkeypatch.setattr(job_runner, "_MOST_PARKED", 3)
    monkeypatch.setattr(job_runner, "_MOST_PARKED_OF_ONE", 2)
    answers: list[Future[int]] = [Future() for _ in range(4)]

    async def test(runner: JobRunner, desk: Desk) -> None:
        def asked(owner: str, number: int) -> asyncio.Future[int]:
            return asyncio.ensure_future(runner.run(owner, number, lambda _: wait_for(answers[number])))

        greedy = [asked("greedy", number) for number in range(3)]
        with pytest.raises(Busy, match="2 requests wait for other machines"):
            await greedy[2]
        other = asked("other", 3)
        await asyncio.sleep(0)  # it asks
        desk.gate.set()
        runner.replace("near", "tiles", [desk.want("near", "tile")])  # whose turn is once the other waits
        await desk.until(lambda: len(desk.delivered) == 1)
        assert runner._queue.parked == 3 and not other.done()
        for number in (0, 1, 3):
            answers[number].set_result(number)
        assert await asyncio.gather(*greedy[:2], other) == [0, 1, 3]

    scheduled(1, test)
