"""Runs jobs in threads, in the order of the queue, and hands their outcomes to those that want them.

Everything but `_drain` runs on the event loop's thread; `_drain` runs in the executor. One lock guards the queue and
the outcomes, and is never held while a job runs.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from bigviz.common.cancel import Cancel
from bigviz.common.errors import Busy, out_of_memory
from bigviz.common.threads.waits import waits_at, waits_end_with
from bigviz.server.jobs.job_queue import LONG, Job, JobQueue, Outcome, Want

__all__ = ["JobRunner"]

_log = logging.getLogger("bigviz")

T = TypeVar("T")

_MOST_PARKED: Final = 32  # jobs that wait for other machines and have no place
_MOST_PARKED_OF_ONE: Final = 16  # of one share, so that it leaves places to others


class JobRunner:
    """A `JobQueue` with its threads. Must be made on a running event loop."""

    def __init__(
        self,
        workers: int,
        share_of: Callable[[Hashable], Hashable] = lambda owner: owner,
        used: Callable[[], float] = time.thread_time,
    ) -> None:
        """`used` tells the processor time of the thread that calls it."""
        self.workers = workers
        self._used_time = used
        self._loop = asyncio.get_running_loop()
        self._threads = workers + LONG
        self._executor = ThreadPoolExecutor(self._threads + _MOST_PARKED, "bigviz-worker")
        self._lock = threading.Lock()
        self._queue = JobQueue(workers, share_of)
        self._busy = 0  # threads that run jobs or look for one
        self._results: deque[tuple[Job, Any, BaseException | None]] = deque()
        self._woken = False
        self._closed = False

    @property
    def waiting(self) -> int:
        """Jobs that have not started."""
        return self._queue.waiting

    @property
    def running(self) -> int:
        """Jobs that run and have a place."""
        return self._queue.running

    def replace(self, owner: Hashable, slot: Hashable, wants: Sequence[Want]) -> None:
        """Make `wants` the only list of this owner's slot, best first; what only the older list wanted is dropped."""
        with self._lock:
            self._queue.replace(owner, slot, wants)
        self._start()

    def pause(self, owner: Hashable, paused: bool) -> None:
        """Start no job for this owner (or do so again): its client has not taken in what was sent."""
        with self._lock:
            self._queue.pause(owner, paused)
        if not paused:
            self._start()

    def follow(self, owner: Hashable, follows: bool) -> None:
        """Start this owner's jobs after those of others, or no longer."""
        with self._lock:
            self._queue.follow(owner, follows)

    def is_paused(self, owner: Hashable) -> bool:
        """Whether an owner's jobs do not start for now."""
        with self._lock:
            return self._queue.is_paused(owner)

    def forget(self, owner: Hashable) -> None:
        """Give up everything an owner wants."""
        with self._lock:
            self._queue.forget(owner)

    async def run(
        self,
        owner: Hashable,
        key: Hashable,
        call: Callable[[Cancel], T],
        heavy: bool = False,
        long: bool = False,
        later: bool = False,
        brush: bool = False,
    ) -> T:
        """The result of one job for one caller; given up when the caller's task is cancelled."""
        future: asyncio.Future[T] = self._loop.create_future()

        def deliver(outcome: Outcome) -> None:
            if future.done():
                return
            if outcome.error is not None:
                future.set_exception(outcome.error)
            else:
                future.set_result(outcome.value)

        slot = object()
        self.replace(owner, slot, [Want(key, call, deliver, later, heavy=heavy, long=long, brush=brush)])
        try:
            return await future
        finally:
            self.drop(owner, slot)

    def drop(self, owner: Hashable, slot: Hashable) -> None:
        """Give up one slot of an owner."""
        with self._lock:
            self._queue.drop(owner, slot)

    def close(self) -> None:
        """Cancel everything and take no more; workers end with the slice of rows that they are at."""
        with self._lock:
            self._closed = True
            self._queue.clear()
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _start(self) -> None:
        """Let as many threads look for jobs as there are jobs that may start."""
        with self._lock:
            if self._closed:
                return
            placed = self._busy - self._queue.parked
            more = min(self._threads - placed, self._queue.startable - (placed - self._queue.running))
            self._busy += max(more, 0)
        for _ in range(more):
            self._executor.submit(self._drain)

    def park(self, job: Job) -> None:
        """Let others have the place of a job that runs; called in one of its threads. Raises Busy beyond 32 such jobs,
        or 16 of one share."""
        with self._lock:
            most = _MOST_PARKED_OF_ONE if self._queue.parked_of(job.owner) >= _MOST_PARKED_OF_ONE else _MOST_PARKED
            if self._queue.parked >= most:
                raise Busy(f"{most} requests wait for other machines already: try again in a while.")
            self._queue.park(job, True)
        self._start()

    def unpark(self, job: Job) -> None:
        """It goes on."""
        with self._lock:
            self._queue.park(job, False)

    def _drain(self) -> None:
        while True:
            with self._lock:
                job = None if self._closed else self._queue.start()
                if job is None:
                    self._busy -= 1
                    return
            value, began = None, self._used_time()
            error: BaseException | None = None
            try:
                with waits_end_with(job.cancel), waits_at(_Place(self, job)):
                    value = job.call(job.cancel)
            except MemoryError:
                error = out_of_memory()
            except BaseException as failure:  # handed to those that want the job
                error = failure
            with self._lock:
                self._queue.stop(job, self._used_time() - began)
                self._results.append((job, value, error))
                wake = not self._woken and not self._closed
                self._woken = True
            if wake:
                self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        with self._lock:
            results, self._results = self._results, deque()
            self._woken = False
            pairs = [
                (want, Outcome(value, error, max(0.0, (job.started or 0.0) - want.since)))
                for job, value, error in results
                for want in self._queue.close(job)
            ]
        for want, outcome in pairs:
            try:
                want.deliver(outcome)
            except Exception:  # one viewer's trouble must not keep the others' answers from them
                _log.exception("an answer could not be handed over")


class _Place:
    """The place of one job, whose threads leave it together: the first takes it away, the last brings it back."""

    def __init__(self, runner: JobRunner, job: Job) -> None:
        self._runner = runner
        self._job = job
        self._lock = threading.Lock()
        self._gone = 0

    def leave(self) -> None:
        with self._lock:
            if not self._gone:
                self._runner.park(self._job)
            self._gone += 1

    def take(self) -> None:
        with self._lock:
            self._gone -= 1
            if not self._gone:
                self._runner.unpark(self._job)
