"""A process of viewers: `python -m bench.load.clients` reads a `Job` from standard input, as a line of JSON.

Once its viewers have arrived it prints what came of that, as such a line too; when another line comes it does the rest,
and prints again. `crowd.py` is the other side.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, Final

from bench.load.machine import LOCAL, raise_file_limit
from bench.load.socket import Head, Viewer
from bench.load.stalling import Stalled
from bigviz.wire.frames import Type

__all__ = ["Job", "Outcome", "Timed"]

_LATEST: Final = 60.0  # seconds for whatever is waited for
_AT_ONCE: Final = 20  # connections of a job that has no rate


@dataclass(frozen=True)
class Job:
    """What a process of viewers does with the document at `path` of `port`.

    `press`: each asks for the next of its messages as soon as it has the last, for `seconds`, see `pressing.py`.
    `stay`: `count` viewers connect, are greeted and stay. `first`: each asks for `messages[0][0]` at once, timed from
    before the connect to the end of the answer. `views`: each asks for its `messages` (of its own list, or of one that
    it shares), one after the other, at `rate` a second for `seconds`. `stalled`: the same, but from then on they read
    nothing; over is it when all were cut off, or after `seconds`. `churn`: each connects, is greeted and leaves.

    `rate` is in connections, or views of one viewer, a second (0: as fast as it goes). Viewers come from the addresses
    `sources` in turn.
    """

    kind: str
    port: int
    path: str
    count: int
    sources: list[str]
    rate: float = 0.0
    seconds: float = 0.0
    messages: list[list[str]] = field(default_factory=list)


@dataclass
class Outcome:
    """What came: statuses of upgrades, viewers that were greeted, milliseconds of what was timed, views that newer ones
    took the place of or that failed, viewers that the server dropped, and seconds of processor time (of `press`); of
    those that read nothing, seconds in which something waited for them and nothing was taken in until they were
    `cut_off`, or until now (`left`)."""

    statuses: dict[str, int] = field(default_factory=dict)
    greeted: int = 0
    milliseconds: list[float] = field(default_factory=list)
    replaced: int = 0
    failed: int = 0
    dropped: int = 0
    cpu: float = 0.0
    cut_off: list[float] = field(default_factory=list)
    left: list[float] = field(default_factory=list)


class Timed:
    """The requests of one viewer, each timed until its `done`."""

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome
        self._id = 0
        self._asked = 0.0
        self._answered: asyncio.Future[bool] | None = None

    def ask(self, viewer: Viewer, message: str, since: float | None = None) -> asyncio.Future[bool]:
        """Send a view, of which `message` is all but its id; done when it is answered, replaced or has failed. It is
        timed from `since` (None: from now)."""
        if self._answered is not None and not self._answered.done():
            self._outcome.replaced += 1
            self._answered.set_result(True)
        self._id += 1
        self._asked = time.perf_counter() if since is None else since
        self._answered = asyncio.get_running_loop().create_future()
        viewer.say(f'{{"id": {self._id}, {message[1:]}')
        return self._answered

    def heard(self, head: Head) -> None:
        """Take note of a frame."""
        if head.request != self._id or self._answered is None or self._answered.done():
            return
        if head.kind == Type.DONE:
            self._outcome.milliseconds.append((time.perf_counter() - self._asked) * 1e3)
            self._answered.set_result(True)
        elif head.kind == Type.ERROR:
            self._outcome.failed += 1
            self._answered.set_result(True)


class Process:
    """Does one job, in two steps: viewers arrive, then they do what it says."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._outcome = Outcome()
        self._statuses: Counter[str] = Counter()
        self._viewers: list[Viewer] = []
        self._timed = [Timed(self._outcome) for _ in range(job.count)]

    @property
    def outcome(self) -> dict[str, Any]:
        """What has come so far."""
        return asdict(self._outcome) | {"statuses": dict(self._statuses)}

    async def arrive(self) -> None:
        """Connect all viewers of the job, but those that only come and go."""
        if self.job.kind != "churn":
            rate = self.job.rate if self.job.kind not in ("views", "stalled") else 0.0
            turns = asyncio.Semaphore(self.job.count if rate else _AT_ONCE)
            began = time.perf_counter()
            numbers = range(self.job.count)
            self._viewers = list(
                await asyncio.gather(
                    *(self._arrive(number, began + number / rate if rate else None, turns) for number in numbers)
                )
            )

    async def work(self) -> None:
        """The rest of the job."""
        if self.job.kind == "views":
            began = time.perf_counter()
            await asyncio.gather(*(self._look(number, began) for number in range(self.job.count)))
        elif self.job.kind == "stalled":
            await self._stall()
        elif self.job.kind == "churn":
            turns = asyncio.Semaphore(_AT_ONCE)
            await asyncio.gather(*(self._come_and_go(number, turns) for number in range(self.job.count)))
        self._outcome.dropped = sum(not viewer.is_open for viewer in self._viewers)

    async def _stall(self) -> None:
        for viewer in self._viewers:
            viewer.stop_reading()
        began, stalled = time.perf_counter(), Stalled(self._viewers)
        watching = asyncio.ensure_future(stalled.watch())
        asking = [asyncio.ensure_future(self._ask(number, began)) for number in range(self.job.count)]
        await asyncio.wait([watching, *asking], timeout=self.job.seconds)
        for each in (watching, *asking):
            each.cancel()
        self._outcome.cut_off, self._outcome.left = stalled.cut_off, stalled.left

    async def leave(self) -> None:
        """All viewers that are there leave."""
        await asyncio.gather(*(viewer.leave() for viewer in self._viewers))

    async def _arrive(self, number: int, at: float | None, turns: asyncio.Semaphore) -> Viewer:
        async with turns:
            await _until(at)
            start, timed = time.perf_counter(), self._timed[number]
            viewer = await self._connected(number, timed.heard)
            if self.job.kind == "first" and viewer.is_open:
                self._count(await _within(timed.ask(viewer, self.job.messages[0][0], start)))
            return viewer

    async def _connected(self, number: int, heard: Callable[[Head], None]) -> Viewer:
        """A new viewer, once it is greeted or turned away."""
        job, loop = self.job, asyncio.get_running_loop()
        source = job.sources[number % len(job.sources)]
        made = partial(Viewer, f"{LOCAL}:{job.port}", job.path, heard)
        _, viewer = await loop.create_connection(made, LOCAL, job.port, local_addr=(source, 0))
        greeted = await _within(viewer.greeted)
        self._outcome.greeted += bool(greeted)  # in a line of its own: others count meanwhile
        self._statuses[str(viewer.status)] += 1
        return viewer

    async def _look(self, number: int, began: float) -> None:
        """One viewer's views, until the last one is answered."""
        answered = await self._ask(number, began)
        if answered is not None:
            self._count(await _within(answered))

    async def _ask(self, number: int, began: float) -> asyncio.Future[bool] | None:
        """Ask for one viewer's views, at even distances: the viewers of all processes take turns."""
        job, viewer, timed = self.job, self._viewers[number], self._timed[number]
        messages = job.messages[number % len(job.messages)]
        answered: asyncio.Future[bool] | None = None
        for turn in range(int(job.seconds * job.rate)):
            await _until(began + (turn + number / job.count) / job.rate)
            if not viewer.is_open:
                break
            answered = timed.ask(viewer, messages[turn % len(messages)])
        return answered

    def _count(self, answered: bool | None) -> None:
        """Count a view that was not answered in time as failed."""
        self._outcome.failed += answered is None

    async def _come_and_go(self, number: int, turns: asyncio.Semaphore) -> None:
        async with turns:
            viewer = await self._connected(number, _ignore)
            await viewer.leave()


async def _within(what: asyncio.Future[bool]) -> bool | None:
    """The result of a future; None if it takes too long."""
    try:
        return await asyncio.wait_for(what, _LATEST)
    except TimeoutError:
        return None


async def _until(at: float | None) -> None:
    if at is not None and (left := at - time.perf_counter()) > 0:
        await asyncio.sleep(left)


def _ignore(head: Head) -> None:
    pass


async def _main() -> None:
    raise_file_limit()
    process = Process(Job(**json.loads(sys.stdin.readline())))
    await process.arrive()
    print(json.dumps(process.outcome), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    await process.work()
    print(json.dumps(process.outcome), flush=True)
    await process.leave()


if __name__ == "__main__":
    asyncio.run(_main())
