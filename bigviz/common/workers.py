"""Slices of work on a few threads, with progress and a way to stop."""

from __future__ import annotations

import math
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final, TypeVar

from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.cgroup.limits import core_limit
from bigviz.common.priority import Turns
from bigviz.common.progress import Progress, RowMeter, no_progress
from bigviz.common.threads.waits import in_context

__all__ = ["SLICE", "Crew", "slices", "step_back", "usable_cores"]

T = TypeVar("T")

_NICE: Final = 10
_LEAST_HELPERS: Final = 64  # that all crews of a process share, at most; on large machines four times the cores
SLICE: Final = 1 << 20  # rows between two looks at the cancel flag: a few milliseconds


def usable_cores() -> int:
    """The cores that this process may run on, at least 1: fewer than the machine has under `taskset`, or in a container
    that is bound to some of them or may use their time only."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(cores, _core_limit())))


@lru_cache(1)
def _core_limit() -> float:
    """`core_limit`, read once: each picture asks for the cores, and reading the files takes as long as its kernels."""
    return core_limit()


def slices(rows: int, size: int = SLICE) -> list[tuple[int, int]]:
    """The half-open slices of `size` rows that cover `rows` rows, in order."""
    return [(start, min(start + size, rows)) for start in range(0, rows, size)]


@dataclass
class Crew:
    """Threads, a progress callback and a cancel flag: what a build hands down to its steps.

    `run` calls a function for each item on `threads` threads. `cancel` is looked at before and `progress` told after
    every item. Kernels release the GIL, so threads do work at once. With `turns`, requests go first. With `background`,
    the operating system runs other threads first, where it can (see `step_back`).
    """

    threads: int = field(default_factory=usable_cores)
    progress: Progress = no_progress
    cancel: Cancel = NEVER
    turns: Turns | None = None
    background: bool = False

    def look(self) -> None:
        """Let requests go first, and raise `Cancelled` when the flag is up; called where no lock is held."""
        if self.turns is None:
            self.cancel.check()
        else:
            self.turns.give_way(self.cancel)

    def paced(self, items: Iterable[T]) -> Iterator[T]:
        """The items, with a look before each."""
        for item in items:
            self.look()
            yield item

    def within(self, stage: str, start: float, stop: float, rows: int) -> Crew:
        """The same crew for one step of a longer stage over `rows` rows: what the step reports as 0 to 1 becomes
        `start` to `stop` of the stage, and never falls."""
        best = 0.0

        def report(_: str, done: float, __: int) -> None:
            nonlocal best
            best = max(best, start + (stop - start) * done)
            self.progress(stage, best, round(best * rows))

        return replace(self, progress=report)

    def run(self, stage: str, work: Callable[[T], int], items: Iterable[T], rows: int) -> None:
        """Call `work(item)`, which returns the rows it finished, for every item; `rows` is their expected sum.

        The thread that calls this is one of them, but in the background. Raises what the first failing item raised,
        after the running ones have ended; `Cancelled` when the flag is up.
        """
        meter = RowMeter(stage, rows, self.progress)
        stop = threading.Event()

        def step(item: T) -> None:
            if stop.is_set():
                return
            try:
                self.look()
                meter.add(work(item))
            except BaseException:
                stop.set()
                raise

        todo = deque(items)
        meter.add(0)
        if self.threads == 1 or len(todo) < 2:
            for item in todo:
                step(item)
        elif self.background:
            _in_background(step, todo, self.threads, stop)
        else:
            _with_helpers(step, todo, self.threads)


def _in_background(step: Callable[[T], None], todo: Iterable[T], threads: int, stop: threading.Event) -> None:
    """Call `step` for every item on threads of their own, which step back; once `stop` is set it does nothing."""
    with ThreadPoolExecutor(threads, thread_name_prefix="bigviz-build", initializer=step_back) as pool:
        futures = [pool.submit(in_context(step), item) for item in todo]
        try:
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            stop.set()
    for future in done:
        future.result()


def _with_helpers(step: Callable[[T], None], todo: deque[T], threads: int) -> None:
    """Call `step` for every item on this thread and on some that are there already: to start one takes as long as to
    draw 100,000 rows. Where all helpers are busy, this thread does the work that they do not come to."""
    failures: list[BaseException] = []

    def work() -> None:
        while not failures:
            try:
                item = todo.popleft()
            except IndexError:
                return
            try:
                step(item)
            except BaseException as failure:  # raised below, by the thread that called
                failures.append(failure)

    helpers: list[Future[None]] = []
    try:
        for _ in range(min(threads, len(todo)) - 1):
            helpers.append(_helpers().submit(in_context(work)))
        work()
    finally:
        todo.clear()
        wait([helper for helper in helpers if not helper.cancel()])
    if failures:
        try:
            raise failures[0]
        finally:
            failures.clear()  # a failure holds this frame, which holds the list


@lru_cache(1)
def _helpers() -> ThreadPoolExecutor:
    """Threads that are started when there are not enough of them, and stay."""
    return ThreadPoolExecutor(max(_LEAST_HELPERS, 4 * usable_cores()), thread_name_prefix="bigviz-helper")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_helpers.cache_clear)  # a child has none of its parent's threads


def step_back() -> None:
    """Let the operating system run other threads before the one that calls this: the loop's, those of requests, and a
    browser's.

    Its niceness is 10, not more: a thread that waits for the interpreter's lock may wait for one that holds it and is
    not scheduled.
    """
    if sys.platform == "linux":  # where threads have priorities of their own
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, max(_NICE, os.getpriority(os.PRIO_PROCESS, thread)))  # never forward
