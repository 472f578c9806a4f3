"""Several processes behind one port, against one: how many views they answer, what one more of them takes, and how soon
viewers of one that is killed see their view at another."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from urllib.request import urlopen

from bench import data
from bench.load.clients import Outcome, Timed
from bench.load.crowd import crowd, job_of
from bench.load.machine import LOCAL, Process
from bench.load.served import Served, Settings, served
from bench.load.socket import Viewer
from bench.load.walks import walk
from bench.report import Figure

__all__ = ["front_ends"]

_ROWS: Final = 1 << 20
_VIEWERS: Final = 100
_VIEWS: Final = 50
_COUNTS: Final = (1, 2)
_ROUNDS: Final = 3
_FASTER: Final = 1.6
_WARM_UP: Final = 5.0  # seconds
_MB: Final = 1e6
_LOOKERS: Final = 20  # viewers that see a process killed
_PAUSE: Final = 0.5  # seconds after which a page connects again, at most


def front_ends(settings: Settings) -> Iterator[Figure]:
    """A hundred viewers, each of which asks for its next view as soon as it has the last. They take a core from the
    servers for as long as `client` says: one process has it for its threads beside the viewers, two have to share."""
    seconds, views, cpu, client = min(settings.seconds, 20.0) / _ROUNDS, _Numbers(), _Numbers(), _Numbers()
    memory, missed = 0, list[float]()
    for _ in range(_ROUNDS):  # in turn: what else the machine does, it does to both
        for count in _COUNTS:
            with served(_ROWS, _VIEWERS, count) as site:
                pids = children_of(site.process.pid) if count > 1 else [site.process.pid]
                walks = _walks(site)
                _asked(site, walks, _WARM_UP, pids)  # kernels are loaded, in each
                memory = private(pids[-1]) - _kept(site.url, count - 1)
                asked = _asked(site, walks, seconds, pids)
                for numbers, each in zip((views, cpu, client), asked, strict=True):
                    numbers.setdefault(count, []).append(each)
                if count > 1:
                    missed += asyncio.run(_missed(site, walks, pids[-1]))
    what = f"{_VIEWERS} viewers that ask for all they get, 2 front ends"
    told = ", ".join(f"{_best(views, count):,.0f} views a second by {count}" for count in _COUNTS)
    ratios = [one / two for one, two in zip(views[1], views[2], strict=True)]
    yield Figure(f"{what}: time of a view against 1", "x", ratios, "median", 1 / _FASTER, told)
    used = [two / one for one, two in zip(cpu[1], cpu[2], strict=True)]
    told = ", ".join(f"{min(cpu[count]) * 1e3:.2f} ms by {count}" for count in _COUNTS)
    yield Figure(f"{what}: processor time of a view against 1", "x", used, "median", None, told)
    taken = [1e3 * each for each in client[2]]
    yield Figure(f"{what}: processor time of a view on the viewers' side", "ms", taken, "median")
    yield Figure("memory of the second front end beyond maps and caches", "MB", [memory / _MB], "max", 250.0)
    yield Figure("a front end is killed: its viewers see their view at another", "ms", missed, "max", 2_000.0)


_Numbers = dict[int, list[float]]


def _best(numbers: _Numbers, count: int) -> float:
    return max(numbers[count])


def _walks(site: Served) -> list[list[str]]:
    """The views that each viewer asks for, again and again."""
    x, y = data.sample_rows(data.arrow("points", _ROWS), 1_000)
    places = list(zip(x.tolist(), y.tolist(), strict=True))
    return [walk(site.definition, site.home, site.roots, places, _VIEWS, seed) for seed in range(_VIEWERS)]


def _asked(site: Served, walks: list[list[str]], seconds: float, pids: list[int]) -> tuple[float, float, float]:
    """Views that are answered a second, and the seconds of processor time of each, of the servers and of viewers."""
    job = job_of("press", site.url, _VIEWERS, seconds=seconds, messages=walks)
    with crowd(job) as viewing:
        began, used = time.perf_counter(), _cpu(site, pids)
        outcome = viewing.work()
        taken, used = time.perf_counter() - began, _cpu(site, pids) - used
    answered = len(outcome.milliseconds)
    return answered / taken, used / answered, outcome.cpu / answered


async def _missed(site: Served, walks: list[list[str]], pid: int) -> list[float]:
    """Milliseconds from the end of a process until each of its viewers has the view again that it looked at, at another
    process. A viewer connects again when a page would at the latest."""
    lookers = [_Looker(site, each[0]) for each in walks[:_LOOKERS]]
    for each in lookers:
        await each.look()
    began = time.perf_counter()
    os.kill(pid, signal.SIGKILL)

    async def back(looker: _Looker) -> float:
        await looker.viewer.gone
        await asyncio.sleep(_PAUSE)
        await looker.look()
        return (time.perf_counter() - began) * 1e3

    waiting = [asyncio.ensure_future(back(each)) for each in lookers]
    await asyncio.sleep(4 * _PAUSE)  # those of the other process miss nothing
    lost = [task for task, each in zip(waiting, lookers, strict=True) if each.looked > 1 or not each.viewer.is_open]
    found = await asyncio.gather(*lost)
    for task in waiting:
        task.cancel()
    return list(found)


class _Looker:
    """A viewer that looks at one view."""

    def __init__(self, site: Served, message: str) -> None:
        parts = urlsplit(site.url)
        self._port, self._path, self._message = parts.port or 80, f"{parts.path.rstrip('/')}/ws", message
        self.looked = 0

    async def look(self) -> None:
        """Connect, and ask for the view until it is there."""
        timed, loop = Timed(Outcome()), asyncio.get_running_loop()
        self.looked += 1
        made = partial(Viewer, f"{LOCAL}:{self._port}", self._path, timed.heard)
        _, self.viewer = await loop.create_connection(made, LOCAL, self._port)
        await self.viewer.greeted
        await timed.ask(self.viewer, self._message)


def _cpu(site: Served, pids: list[int]) -> float:
    """Seconds of processor time of all processes."""
    return sum(Process(pid, site.url).cpu() for pid in pids)


def children_of(pid: int) -> list[int]:
    """The processes that one has started, the oldest first."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _kept(url: str, number: int) -> int:
    """Bytes of columns, indexes, tiles and answers that a front end keeps, by its own account."""
    with urlopen(f"{url.split('/')[0]}//{url.split('/')[2]}/metrics") as answer:
        told = answer.read().decode()
    found = re.findall(rf'^bigviz_memory_bytes{{process="{number}",what="\w+"}} (\S+)$', told, re.MULTILINE)
    return sum(int(float(size)) for size in found)


def private(pid: int) -> int:
    """Bytes of memory that a process has for itself, and that are no file's."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    found = {line.split(":")[0]: int(line.split()[1]) for line in lines[1:]}
    return 1024 * found["Private_Dirty"]
