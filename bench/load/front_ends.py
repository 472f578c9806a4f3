"""Several processes behind one port, against one: how many views they answer, and what one more of them takes."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.request import urlopen

from bench import data
from bench.load.crowd import crowd, job_of
from bench.load.machine import Process
from bench.load.served import Served, Settings, served
from bench.load.walks import walk
from bench.report import Figure

__all__ = ["front_ends"]

_ROWS: Final = 1 << 20
_VIEWERS: Final = 100
_RATE: Final = 40.0  # views a second of each viewer: more than any server here answers
_VIEWS: Final = 50
_COUNTS: Final = (1, 2)
_FASTER: Final = 1.6
_WARM_UP: Final = 3.0  # seconds
_MB: Final = 1e6


def front_ends(settings: Settings) -> Iterator[Figure]:
    """A hundred viewers that ask for more than is answered. They take cores from the server: the processor time of a
    view tells what a machine of more cores would do."""
    seconds, views, cpu = min(settings.seconds, 20.0), dict[int, float](), dict[int, float]()
    memory = 0
    for count in _COUNTS:
        with served(_ROWS, _VIEWERS, count) as site:
            pids = children_of(site.process.pid) if count > 1 else [site.process.pid]
            walks = _walks(site)
            _asked(site, walks, _WARM_UP, pids, rate=1.0)  # kernels are loaded, in each
            memory = private(pids[-1]) - _kept(site.url, count - 1)
            views[count], cpu[count] = _asked(site, walks, seconds, pids)
    what = f"{_VIEWERS} viewers that ask for all they get, 2 front ends"
    told = ", ".join(f"{views[count]:,.0f} views a second by {count}" for count in _COUNTS)
    yield Figure(f"{what}: time of a view against 1", "x", [views[1] / views[2]], "max", 1 / _FASTER, told)
    yield Figure(f"{what}: processor time of a view against 1", "x", [cpu[2] / cpu[1]], "max")
    yield Figure("memory of the second front end beyond maps and caches", "MB", [memory / _MB], "max", 250.0)


def _walks(site: Served) -> list[list[str]]:
    """The views that each viewer asks for, again and again."""
    x, y = data.sample_rows(data.arrow("points", _ROWS), 1_000)
    places = list(zip(x.tolist(), y.tolist(), strict=True))
    return [walk(site.definition, site.home, site.roots, places, _VIEWS, seed) for seed in range(_VIEWERS)]


def _asked(
    site: Served, walks: list[list[str]], seconds: float, pids: list[int], rate: float = _RATE
) -> tuple[float, float]:
    """Views that are answered a second, and the seconds of processor time of each."""
    job = job_of("views", site.url, _VIEWERS, rate, seconds=seconds, messages=walks)
    with crowd(job, 2) as viewing:
        began, used = time.perf_counter(), _cpu(site, pids)
        answered = len(viewing.work().milliseconds)
        taken, used = time.perf_counter() - began, _cpu(site, pids) - used
    return answered / taken, used / answered


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
