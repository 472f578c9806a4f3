"""Which job is next: wants of many owners, shared jobs, turns, and which jobs may run at the same time.

Owners (a viewer's socket, an HTTP client's address) want jobs; a job has a key, and wants of equal key share one run.
Each owner has slots (a viewer's figures) that hold one list of wants each: a newer list replaces the older one. What
nobody wants any more is dropped if it has not started, and has its cancel flag raised if it has.

The next job is one of the owner that has used the least processor time lately, of equals in turn, in the order of the
owner's list: one that asks for much delays one that asks for little by no more than the jobs that run. Owners of one
share (a user's or an address's viewers) are compared as one first, so that many connections are not many shares. Owners
that were told to `follow` others get every fourth job while both wait.

Jobs marked `later` (prefetched tiles) start only when nothing else waits, and at most all but one worker run jobs
marked `heavy`, so that a row of large images leaves room for tiles. Steps of a brush (`brush`) give way to all other
jobs but `later` ones, and run on half of the workers at most: a tile waits for the steps that run already. So that they
do not wait for ever, they get a quarter of the time while others wait: each job of these saves up a third of its time
for a step, which starts before others once it has as much as the last step took. Jobs marked `long`, which take seconds
and have threads of their own for the work, have two places next to the workers, so that they take no turn from others,
and others none from them. A job that is parked, since it waits for another machine, has no place until it goes on; then
it has one whether there is room or not.

There are no threads here: callers that use the queue from several threads guard it with a lock.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Final

from bigviz.common.cancel import Cancel
from bigviz.server.access.used_time import UsedTime

__all__ = ["LONG", "Job", "JobQueue", "Outcome", "Want"]

LONG: Final = 2  # long jobs that run at a time
_QUEUES: Final = ("first", "brushes", "later")
_SAVED: Final = 1 / 3  # of the time of other jobs, for steps of brushes that wait meanwhile
_FOLLOWERS_TURN: Final = 4  # one job in so many is of an owner that follows others


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
    brush: bool = False
    since: float = field(default_factory=time.perf_counter)


@dataclass(eq=False)
class Job:
    """What wants of one key share."""

    key: Hashable
    call: Callable[[Cancel], Any]
    heavy: bool
    long: bool
    brush: bool = False
    wants: list[Want] = field(default_factory=list)
    cancel: Cancel = field(default_factory=Cancel)
    owner: Hashable = None  # whose turn it was started in
    started: float | None = None
    over: bool = False  # delivered, or dropped by everybody
    ahead: bool = False  # a step of a brush that was started before others that waited
    parked: bool = False  # it runs and has no place


@dataclass(eq=False)
class _Owner:
    slots: dict[Hashable, list[Want]] = field(default_factory=dict)
    first: deque[tuple[Want, Job]] = field(default_factory=deque)
    brushes: deque[tuple[Want, Job]] = field(default_factory=deque)
    later: deque[tuple[Want, Job]] = field(default_factory=deque)
    paused: bool = False
    share: Hashable = None

    def queue(self, want: Want) -> deque[tuple[Want, Job]]:
        """Where a want waits."""
        return self.later if want.later else self.brushes if want.brush else self.first


_Turn = tuple[float, float, int, Hashable, deque[tuple[Want, Job]]]
"""What an owner is compared by: what its share and it have used, its place among equals; and it, and what it waits
for."""


class JobQueue:
    """The queue that the module describes. `share_of` tells the share that an owner belongs to, by default its own."""

    def __init__(self, workers: int, share_of: Callable[[Hashable], Hashable] = lambda owner: owner) -> None:
        self._workers, self._most_brushes = workers, max(1, workers // 2)
        self._share_of = share_of
        self._used = UsedTime()
        self._others = 0  # jobs started since the last one of an owner that follows others
        self._followers: set[Hashable] = set()  # apart from the owners: they may want nothing for long
        self._owners: dict[Hashable, _Owner] = {}  # in the order of their turns
        self._jobs: dict[Hashable, Job] = {}
        self._live: dict[Want, Job] = {}
        self._running: set[Job] = set()
        self._short = 0  # jobs that run and are not long
        self._heavy = 0
        self._long = 0
        self._brushes = 0
        self._saved = 0.0  # seconds for a step of a brush that starts before others
        self._step = 0.0  # seconds that the last one took
        self.parked = 0
        """Jobs that run and have no place."""
        self._waiting = {False: 0, True: 0}  # jobs that have not started, by whether they are long

    @property
    def waiting(self) -> int:
        """Jobs that have not started."""
        return sum(self._waiting.values())

    @property
    def startable(self) -> int:
        """How many jobs could start now, at most: those that wait, as far as there is room for them."""
        room = max(0, self._workers - self._short), max(0, LONG - self._long)
        return min(self._waiting[False], room[0]) + min(self._waiting[True], room[1])

    @property
    def running(self) -> int:
        """Jobs that run and have a place."""
        return self._short + self._long

    def replace(self, owner: Hashable, slot: Hashable, wants: Sequence[Want]) -> None:
        """Make `wants` the only list of this owner's slot, best first; what only the older list wanted is dropped."""
        state = self._owners.setdefault(owner, _Owner())
        state.share = self._share_of(owner)
        old = state.slots.get(slot, [])
        state.slots[slot] = list(wants)
        for want in wants:
            self._add(state, want)
        self._give_up(old)
        self._tidy(owner)

    def pause(self, owner: Hashable, paused: bool) -> None:
        """Start no job for this owner, or do so again."""
        self._owners.setdefault(owner, _Owner()).paused = paused

    def is_paused(self, owner: Hashable) -> bool:
        """Whether this owner's jobs do not start for now."""
        state = self._owners.get(owner)
        return state is not None and state.paused

    def follow(self, owner: Hashable, follows: bool) -> None:
        """Start this owner's jobs after those of others, or no longer."""
        if follows:
            self._followers.add(owner)
        else:
            self._followers.discard(owner)

    def drop(self, owner: Hashable, slot: Hashable) -> None:
        """Give up one slot of an owner."""
        state = self._owners.get(owner)
        if state is not None:
            self._give_up(state.slots.pop(slot, []))
            self._tidy(owner)

    def forget(self, owner: Hashable) -> None:
        """Give up everything an owner wants."""
        for job in self._running:
            if job.owner == owner:
                job.owner = None  # nothing keeps who is gone
        self._used.forget(owner)
        self._followers.discard(owner)
        state = self._owners.pop(owner, None)
        if state is not None:
            for wants in state.slots.values():
                self._give_up(wants)

    def clear(self) -> None:
        """Cancel all jobs and forget all owners."""
        for job in self._jobs.values():
            job.cancel.cancel()
        self._owners.clear()

    def start(self) -> Job | None:
        """The next job, which runs from now on; None where none may."""
        job = self._next()
        if job is not None:
            self._others = 0 if job.owner in self._followers else self._others + 1
            job.started = time.perf_counter()
            self._waiting[job.long] -= 1
            self._running.add(job)
            self._count(job, 1)
        return job

    def park(self, job: Job, parked: bool) -> None:
        """Let others have the place of a job that runs, or no longer."""
        if job.parked is not parked:
            job.parked = parked
            self.parked += 1 if parked else -1
            self._count(job, -1 if parked else 1)

    def parked_of(self, owner: Hashable) -> int:
        """The jobs of an owner's share that run and have no place."""
        share = self._share_of(owner)
        return sum(job.parked and self._share_of(job.owner) == share for job in self._running)

    def stop(self, job: Job, seconds: float = 0.0) -> None:
        """A job has ended, after so many seconds of processor time."""
        self.park(job, False)
        self._count(job, -1)
        self._running.discard(job)
        self._save(job, seconds)
        if job.owner is not None:
            for key in {job.owner, self._share_of(job.owner)}:
                self._used.charge(key, seconds)

    def close(self, job: Job) -> list[Want]:
        """A job's outcome is there: the wants that wait for it, which are answered now."""
        job.over = True
        if self._jobs.get(job.key) is job:
            del self._jobs[job.key]
        for want in job.wants:
            del self._live[want]
        return job.wants

    def _add(self, state: _Owner, want: Want) -> None:
        job = self._jobs.get(want.key)
        if job is None or job.cancel.cancelled:
            job = self._jobs[want.key] = Job(want.key, want.call, want.heavy, want.long, want.brush)
            self._waiting[want.long] += 1
        job.wants.append(want)
        self._live[want] = job
        if job.started is None:
            state.queue(want).append((want, job))

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
                    self._waiting[job.long] -= 1

    def _tidy(self, owner: Hashable) -> None:
        state = self._owners[owner]
        for name in _QUEUES:
            setattr(state, name, deque(pair for pair in getattr(state, name) if pair[0] in self._live))
        if not any(state.slots.values()) and not state.paused:
            del self._owners[owner]

    def _next(self) -> Job | None:
        saved = self._saved > 0.0 and self._saved >= self._step and not self._brushes
        if saved and (found := self._next_in("brushes")) is not None:
            found.ahead = True
            return found
        return self._next_in("first") or self._next_in("brushes") or self._next_in("later")

    def _next_in(self, queues: str) -> Job | None:
        waiting, followers_first = self._turns(queues), self._others >= _FOLLOWERS_TURN - 1
        for follows in (followers_first, not followers_first):
            found = self._first_of(waiting, follows)
            if found is not None:
                return found
        return None

    def _turns(self, queues: str) -> list[_Turn]:
        """The owners that wait for jobs. It is asked for each job, with hundreds of owners: one pass, and no call."""
        used, queue_of = self._used.amounts, attrgetter(queues)
        return [
            (used.get(state.share, 0.0), used.get(name, 0.0), at, name, queue)
            for at, (name, state) in enumerate(self._owners.items())
            if (queue := queue_of(state)) and not state.paused
        ]

    def _first_of(self, waiting: list[_Turn], follows: bool) -> Job | None:
        """The next job of the owner that comes first and has one that may start, of those that follow others or not."""
        if self._followers or follows:
            waiting = [each for each in waiting if (each[3] in self._followers) is follows]
        while waiting:
            turn = min(waiting)  # the first of equals, in the order of their turns
            *_, name, queue = turn
            job = self._pop(queue)
            if job is not None:
                job.owner = name
                self._owners[name] = self._owners.pop(name)  # to the end of the turns
                return job
            waiting = [each for each in waiting if each is not turn]
        return None

    def _pop(self, queue: deque[tuple[Want, Job]]) -> Job | None:
        """The first job of a queue that has not started and may, taken out, with those before it that are over."""
        while queue and (queue[0][1].started is not None or queue[0][1].over):
            queue.popleft()
        for at, (_, job) in enumerate(queue):
            if job.started is None and not job.over and self._may(job):
                del queue[at]
                return job
        return None

    def _may(self, job: Job) -> bool:
        """Whether there is room for a job next to those that run."""
        if job.long:
            return self._long < LONG
        if self._short >= self._workers or (job.heavy and self._heavy >= max(1, self._workers - 1)):
            return False
        return not job.brush or self._brushes < self._most_brushes

    def _count(self, job: Job, more: int) -> None:
        if job.long:
            self._long += more
        else:
            self._short += more
            self._heavy += more * job.heavy
            self._brushes += more * job.brush

    def _save(self, job: Job, seconds: float) -> None:
        """Save time for a step of a brush, or spend it on a step that was started before others."""
        if job.long:
            return
        if job.brush:
            self._step = seconds
            self._saved = max(self._saved - seconds, 0.0) if job.ahead else 0.0
        elif any(state.brushes for state in self._owners.values()):
            self._saved += seconds * _SAVED
        else:
            self._saved = 0.0
