"""Who computes what next.

Owners (a viewer's socket, an HTTP client's address) want jobs; a job has a key, and wants of equal key share one run.
Each owner has slots (a viewer's figures) that hold one list of wants each: a newer list replaces the older one. What
nobody wants any more is dropped if it has not started, and has its cancel flag raised if it has. Workers take the next
job from each owner in turn, in the order of the owner's list; jobs marked `later` (prefetched tiles) only when nothing
else waits, and at most all but one worker run jobs marked `heavy`, so that a row of large images leaves room for tiles.
Jobs marked `long`, which take seconds and have threads of their own for the work, run in two threads in addition to the
workers, so that they take no turn from others, and others none from them.

Everything but `_drain` runs on the event loop's thread; `_drain` runs in the executor. One lock guards what they share,
and is never held while a job runs.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from bigviz.common.cancel import Cancel

__all__ = ["Outcome", "Scheduler", "Want"]

_log = logging.getLogger("bigviz")

T = TypeVar("T")

_LONG: Final = 2  # long jobs that run at a time


@dataclass(frozen=True)
class Outcome:
    """What became of a job: its value or its error, and how long after the want it started (seconds)."""

    value: Any
    error: BaseException | None
    waited: float


@dataclass(eq=False)
class Want:
    """One owner's wish for one job. `deliver` is called once, on the loop's thread, unless the want is dropped."""

    key: Hashable
    call: Callable[[Cancel], Any]
    deliver: Callable[[Outcome], None]
    later: bool = False
    heavy: bool = False
    long: bool = False
    since: float = field(default_factory=time.perf_counter)


@dataclass(eq=False)
class _Job:
    key: Hashable
    call: Callable[[Cancel], Any]
    heavy: bool
    long: bool
    wants: list[Want] = field(default_factory=list)
    cancel: Cancel = field(default_factory=Cancel)
    started: float | None = None
    over: bool = False  # delivered, or dropped by everybody


@dataclass(eq=False)
class _Owner:
    slots: dict[Hashable, list[Want]] = field(default_factory=dict)
    first: deque[tuple[Want, _Job]] = field(default_factory=deque)
    later: deque[tuple[Want, _Job]] = field(default_factory=deque)
    paused: bool = False


class Scheduler:
    """See the module. Must be made on a running event loop."""

    def __init__(self, workers: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._executor = ThreadPoolExecutor(workers + _LONG, "bigviz-worker")
        self._workers = workers
        self._lock = threading.Lock()
        self._owners: dict[Hashable, _Owner] = {}  # in the order of their turns
        self._jobs: dict[Hashable, _Job] = {}
        self._live: dict[Want, _Job] = {}
        self._busy = 0  # threads that run jobs or look for one
        self._running = 0  # jobs that are not long
        self._heavy = 0
        self._long = 0
        self._waiting = 0
        self._results: deque[tuple[_Job, Any, BaseException | None]] = deque()
        self._woken = False
        self._closed = False

    @property
    def waiting(self) -> int:
        """Jobs that have not started."""
        return self._waiting

    @property
    def running(self) -> int:
        """Jobs that run."""
        return self._running + self._long

    def replace(self, owner: Hashable, slot: Hashable, wants: Sequence[Want]) -> None:
        """Make `wants` the one list of this owner's slot, best first; what only the older list wanted is given up."""
        with self._lock:
            state = self._owners.setdefault(owner, _Owner())
            old = state.slots.get(slot, [])
            state.slots[slot] = list(wants)
            for want in wants:
                self._add(state, want)
            self._give_up(old)
            self._tidy(owner)
        self._start()

    def pause(self, owner: Hashable, paused: bool) -> None:
        """Start no job for this owner (or do so again): its client does not take in what was sent already."""
        with self._lock:
            self._owners.setdefault(owner, _Owner()).paused = paused
        if not paused:
            self._start()

    def forget(self, owner: Hashable) -> None:
        """Give up everything an owner wants."""
        with self._lock:
            state = self._owners.pop(owner, None)
            if state is not None:
                for wants in state.slots.values():
                    self._give_up(wants)

    async def run(
        self, owner: Hashable, key: Hashable, call: Callable[[Cancel], T], heavy: bool = False, long: bool = False
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
        self.replace(owner, slot, [Want(key, call, deliver, heavy=heavy, long=long)])
        try:
            return await future
        finally:
            self.drop(owner, slot)

    def drop(self, owner: Hashable, slot: Hashable) -> None:
        """Give up one slot of an owner."""
        with self._lock:
            state = self._owners.get(owner)
            if state is not None:
                self._give_up(state.slots.pop(slot, []))
                self._tidy(owner)

    def close(self) -> None:
        """Cancel everything and take no more; workers end with the slice of rows that they are at."""
        with self._lock:
            self._closed = True
            for job in self._jobs.values():
                job.cancel.cancel()
            self._owners.clear()
        self._executor.shutdown(wait=False, cancel_futures=True)

    # The rest is called with the lock held, except `_start`, `_drain` and `_deliver`.

    def _add(self, state: _Owner, want: Want) -> None:
        job = self._jobs.get(want.key)
        if job is None or job.cancel.cancelled:
            job = self._jobs[want.key] = _Job(want.key, want.call, want.heavy, want.long)
            self._waiting += 1
        job.wants.append(want)
        self._live[want] = job
        if job.started is None:
            (state.later if want.later else state.first).append((want, job))

    def _give_up(self, wants: Sequence[Want]) -> None:
        for want in wants:
            job = self._live.pop(want, None)
            if job is None:
                continue
            job.wants.remove(want)
            if not job.wants and not job.over:
                job.over = True
                job.cancel.cancel()
                if self._jobs.get(job.key) is job:
                    del self._jobs[job.key]
                if job.started is None:
                    self._waiting -= 1

    def _tidy(self, owner: Hashable) -> None:
        state = self._owners[owner]
        state.first = deque(pair for pair in state.first if pair[0] in self._live)
        state.later = deque(pair for pair in state.later if pair[0] in self._live)
        if not any(state.slots.values()) and not state.paused:
            del self._owners[owner]

    def _take(self) -> _Job | None:
        short = self._running < self._workers
        heavy = short and self._heavy < max(1, self._workers - 1)
        room = _Room(short, heavy, self._long < _LONG)
        for later in (False, True):
            for name, state in self._owners.items():
                if state.paused:
                    continue
                job = _pop(state.later if later else state.first, room)
                if job is not None:
                    self._owners[name] = self._owners.pop(name)  # to the end of the turns
                    return job
        return None

    def _count(self, job: _Job, more: int) -> None:
        if job.long:
            self._long += more
        else:
            self._running += more
            self._heavy += more * job.heavy

    def _start(self) -> None:
        with self._lock:
            if self._closed:
                return
            more = min(self._workers + _LONG - self._busy, self._waiting)
            self._busy += max(more, 0)
        for _ in range(more):
            self._executor.submit(self._drain)

    def _drain(self) -> None:
        while True:
            with self._lock:
                job = None if self._closed else self._take()
                if job is None:
                    self._busy -= 1
                    return
                job.started = time.perf_counter()
                self._waiting -= 1
                self._count(job, 1)
            value, error = None, None
            try:
                value = job.call(job.cancel)
            except BaseException as failure:  # handed to those that want the job
                error = failure
            with self._lock:
                self._count(job, -1)
                self._results.append((job, value, error))
                wake = not self._woken and not self._closed
                self._woken = True
            if wake:
                self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        with self._lock:
            results, self._results = self._results, deque()
            self._woken = False
            pairs = []
            for job, value, error in results:
                job.over = True
                if self._jobs.get(job.key) is job:
                    del self._jobs[job.key]
                for want in job.wants:
                    del self._live[want]
                    pairs.append((want, Outcome(value, error, max(0.0, (job.started or 0.0) - want.since))))
        for want, outcome in pairs:
            try:
                want.deliver(outcome)
            except Exception:  # one viewer's trouble must not keep the others' answers from them
                _log.exception("an answer could not be handed over")


@dataclass(frozen=True)
class _Room:
    """Which jobs may start: those that are neither heavy nor long, heavy ones, long ones."""

    short: bool
    heavy: bool
    long: bool

    def has(self, job: _Job) -> bool:
        if job.long:
            return self.long
        return self.heavy if job.heavy else self.short


def _pop(queue: deque[tuple[Want, _Job]], room: _Room) -> _Job | None:
    """The first job of a queue that has not started and may, taken out of it, with those before it that are over."""
    while queue and (queue[0][1].started is not None or queue[0][1].over):
        queue.popleft()
    for at, (_, job) in enumerate(queue):
        if job.started is None and not job.over and room.has(job):
            del queue[at]
            return job
    return None
