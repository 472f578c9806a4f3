"""Slices of work on a few threads, with progress and a way to stop."""

from __future__ import annotations

import math
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final, TypeVar

from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.cgroup.limits import core_limit
from bigviz.common.priority import Turns
from bigviz.common.progress import Progress, RowMeter, no_progress

__all__ = ["SLICE", "Crew", "slices", "step_back", "usable_cores"]

T = TypeVar("T")

_NICE: Final = 10
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

        Raises what the first failing item raised, after the running ones have ended; `Cancelled` when the flag is up.
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

        todo: Sequence[T] = list(items)
        meter.add(0)
        if self.threads == 1 or len(todo) < 2:
            for item in todo:
                step(item)
            return
        polite = step_back if self.background else None
        with ThreadPoolExecutor(self.threads, thread_name_prefix="bigviz-build", initializer=polite) as pool:
            futures = [pool.submit(step, item) for item in todo]
            try:
                done, _ = wait(futures, return_when=FIRST_EXCEPTION)
            finally:
                stop.set()
        for future in done:
            future.result()


def step_back() -> None:
    """Let the operating system run other threads before the one that calls this: the loop's, those of requests, and a
    browser's.

    Its niceness is 10, not more: a thread that waits for the interpreter's lock may wait for one that holds it and is
    not scheduled.
    """
    if sys.platform == "linux":  # where threads have priorities of their own
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, max(_NICE, os.getpriority(os.PRIO_PROCESS, thread)))  # never forward
