"""Viewers in processes of their own, so that they share neither a loop nor a lock with what measures them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bench.load.clients import Job, Outcome
from bench.load.machine import sources

__all__ = ["Crowd", "crowd", "job_of", "merged", "shared"]

_ROOT: Final = Path(__file__).parents[2]
_SECONDS_TO_END: Final = 30.0


def job_of(kind: str, url: str, count: int, rate: float = 0.0, **more: object) -> Job:
    """A job of `count` viewers of the document whose page is at `url`."""
    parts = urlsplit(url)
    path = f"{parts.path.rstrip('/')}/ws"
    return Job(kind, parts.port or 80, path, count, sources(count), rate, **more)  # type: ignore[arg-type]


def shared(job: Job, processes: int) -> list[Job]:
    """A job for several processes: viewers, rate of arrival, addresses and lists of messages are divided."""
    jobs = list[Job]()
    for number in range(processes):
        count = len(range(number, job.count, processes))
        rate = job.rate if job.kind in ("views", "stalled") else job.rate / processes
        own = job.messages[number::processes] if len(job.messages) >= processes else job.messages
        places = sources(count, first=sum(len(each.sources) for each in jobs))
        jobs.append(replace(job, count=count, rate=rate, sources=places, messages=own))
    return jobs


def merged(outcomes: Sequence[Outcome]) -> Outcome:
    """The outcomes of all processes as one."""
    statuses: Counter[str] = Counter()
    for each in outcomes:
        statuses.update(each.statuses)
    return Outcome(
        statuses=dict(statuses),
        greeted=sum(each.greeted for each in outcomes),
        milliseconds=[time for each in outcomes for time in each.milliseconds],
        replaced=sum(each.replaced for each in outcomes),
        failed=sum(each.failed for each in outcomes),
        dropped=sum(each.dropped for each in outcomes),
        cpu=sum(each.cpu for each in outcomes),
        cut_off=[seconds for each in outcomes for seconds in each.cut_off],
        left=[seconds for each in outcomes for seconds in each.left],
    )


class Crowd:
    """The viewers of one job, after they have arrived; `arrived` is what came of that."""

    def __init__(self, children: Sequence[subprocess.Popen[str]]) -> None:
        self._children = children
        self.arrived = self._read()

    def work(self) -> Outcome:
        """Let them do the rest of the job; what came of all of it."""
        for child in self._children:
            assert child.stdin is not None
            child.stdin.write("\n")
            child.stdin.flush()
        return self._read()

    def _read(self) -> Outcome:
        found = []
        for child in self._children:
            assert child.stdout is not None
            line = child.stdout.readline()
            if not line:
                raise RuntimeError(f"a process of viewers ended with status {child.wait()}")
            found.append(Outcome(**json.loads(line)))
        return merged(found)


@contextmanager
def crowd(job: Job, processes: int = 1) -> Iterator[Crowd]:
    """Viewers that have arrived; they are gone at the end."""
    command = [sys.executable, "-m", f"bench.load.{'pressing' if job.kind == 'press' else 'clients'}"]
    children = [
        subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(processes)
    ]
    try:
        for child, each in zip(children, shared(job, processes), strict=True):
            assert child.stdin is not None
            child.stdin.write(json.dumps(asdict(each)) + "\n")
            child.stdin.flush()
        yield Crowd(children)
    finally:
        for child in children:
            child.terminate()
        for child in children:
            child.communicate(timeout=_SECONDS_TO_END)
