"""What a server with many viewers is measured for. Each case starts a server of its own, and ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from bench import data
from bench.load.brushing import brushing
from bench.load.clients import Outcome
from bench.load.crowd import crowd, job_of
from bench.load.fairness import greedy, stalled
from bench.load.front_ends import front_ends
from bench.load.machine import Process
from bench.load.served import Served, Settings, served
from bench.load.walks import home_view, walk
from bench.report import Figure, words

__all__ = ["CASES"]

_PROCESSES: Final = 2  # of viewers
_KB: Final = 1_000
_SMALL: Final = 1 << 20  # rows of the table that idle viewers have open
_ARRIVALS: Final = 50.0  # of idle viewers, a second
_WARM_UP: Final = 300  # viewers that come and go first
_SETTLED: Final = 15.0  # seconds in which a server lets go of what viewers left behind
_LOOKS: Final = 6  # at memory while viewers idle


def idle(settings: Settings, viewers: int = 1_000, kilobytes: float = 40.0, percent: float = 3.0) -> Iterator[Figure]:
    """Viewers of one document that only look: what one costs in memory, and all in processor time."""
    with served(_SMALL, viewers) as site:
        process = site.process
        _come_and_go(site, _WARM_UP)
        _settle(process)
        before = process.memory()
        with crowd(job_of("stay", site.url, viewers, rate=_ARRIVALS), _PROCESSES) as viewing:
            _require(viewing.arrived, greeted=viewers)
            memory, began, used = [process.memory()], time.perf_counter(), process.cpu()
            for _ in range(_LOOKS):
                time.sleep(settings.minutes * 60 / _LOOKS)
                memory.append(process.memory())
            share = 100 * (process.cpu() - used) / (time.perf_counter() - began)
            dropped = viewing.work().dropped
    what = f"{viewers:,} idle viewers of one document, {settings.minutes:g} min"
    each = [(now - before) / viewers / _KB for now in memory]
    yield Figure(f"{what}: memory of a viewer", "kB", each, "max", kilobytes)
    yield Figure(f"{what}: of one core", "%", [share], "max", percent)
    yield Figure(f"{what}: dropped", "", [dropped], "max", 0)


def many_idle(settings: Settings) -> Iterator[Figure]:
    """Ten thousand of them."""
    yield from idle(settings, 10_000, 60.0, 20.0)


def connects(settings: Settings) -> Iterator[Figure]:
    """Viewers that come one after the other, each until its first picture is exact."""
    viewers, rate = 1_000, 50.0
    with served(_SMALL, viewers) as site:
        first = home_view(site.definition, site.home, site.roots)
        job = job_of("first", site.url, viewers, rate, messages=[[first]])
        used = site.process.cpu()
        with crowd(job) as viewing:
            found = viewing.arrived
            used = site.process.cpu() - used
    what = f"{viewers:,} connects at {rate:g} a second"
    yield Figure(f"{what}, hello and first image", "ms", found.milliseconds, "p99", 2_000.0)
    others = viewers - found.statuses.get("101", 0)
    yield Figure(f"{what}: refused, answered 5xx, or without an image", "", [others + found.failed], "max", 0)
    yield Figure(f"{what}: the server's CPU for one", "ms", [used / viewers * 1e3], "max")


def views(settings: Settings, same: bool = False, most: float = 8.0) -> Iterator[Figure]:
    """Viewers that pan and zoom, each at its own places, on the same cores as the server."""
    viewers, rate, rows = 50, 2.0, settings.rows
    with served(rows, viewers) as site:
        x, y = data.sample_rows(data.arrow("points", rows), 1_000)
        places = list(zip(x.tolist(), y.tolist(), strict=True))
        count = int(settings.seconds * rate)
        walks = [
            walk(site.definition, site.home, site.roots, places, count, seed) for seed in range(1 if same else viewers)
        ]
        job = job_of("views", site.url, viewers, rate, seconds=settings.seconds, messages=walks)
        with crowd(job) as viewing:
            used = site.process.cpu()
            found = viewing.work()
            used = site.process.cpu() - used
    where = "at the same places" if same else "at their own places"
    what = f"{viewers} viewers, {rate:g} views a second each {where} of {words(rows)} rows, {settings.seconds:g} s"
    served_now = f"{len(found.milliseconds):,} of {viewers * count:,} views served, {found.replaced:,} replaced"
    times = found.milliseconds
    if not times:
        raise RuntimeError(f"no view was answered: {served_now}")
    yield Figure(f"{what}: the server's CPU a view", "ms", [used / len(times) * 1e3], "max", most, served_now)
    bounds = (None, None) if same else (60.0, 250.0)
    for statistic, bound in zip(("median", "p95"), bounds, strict=True):
        yield Figure(f"{what}: asked to answered, {statistic}", "ms", times, statistic, bound, served_now)
    yield Figure(f"{what}: failed or dropped", "", [found.failed + found.dropped], "max", 0)


def same_views(settings: Settings) -> Iterator[Figure]:
    """The same, all at one viewer's places: what one has asked for the others get from memory."""
    yield from views(settings, same=True, most=1.5)


def churn(settings: Settings) -> Iterator[Figure]:
    """What viewers that are gone leave behind."""
    connects = 10_000
    with served(_SMALL, connects) as site:
        process = site.process
        _come_and_go(site, connects // 4)
        before = _settle(process)
        found = _come_and_go(site, connects)
        after = _settle(process, before)
    what = f"{connects:,} connects and disconnects"
    grown = 100 * (after.memory / before.memory - 1)
    yield Figure(f"{what}: growth of memory", "%", [grown], "max", 5.0, f"{after.memory / 1e6:.0f} MB")
    for name in ("descriptors", "tasks"):
        more = getattr(after, name) - getattr(before, name)
        yield Figure(f"{what}: {name} left", "", [more], "max", 0, f"{getattr(after, name)} in all")
    yield Figure(f"{what}: not greeted", "", [connects - found.greeted], "max", 0)


@dataclass(frozen=True)
class _State:
    """What a server has at one moment."""

    memory: int
    descriptors: int
    tasks: int


def _come_and_go(site: Served, viewers: int) -> Outcome:
    with crowd(job_of("churn", site.url, viewers)) as coming:
        return coming.work()


def _settle(process: Process, like: _State | None = None) -> _State:
    """What the server has once it holds no more than before (`like`), or has had some time."""
    end = time.monotonic() + _SETTLED
    while True:
        found = _State(process.memory(), process.descriptors(), process.tasks())
        over = like is not None and (found.descriptors, found.tasks) == (like.descriptors, like.tasks)
        if over or time.monotonic() >= end:
            return found
        time.sleep(0.5)


def _require(found: Outcome, greeted: int) -> None:
    if found.greeted != greeted:
        raise RuntimeError(f"{found.greeted:,} of {greeted:,} viewers were greeted; upgrades: {found.statuses}")


CASES: Final[dict[str, Callable[[Settings], Iterator[Figure]]]] = {
    "idle": idle,
    "many": many_idle,
    "connects": connects,
    "views": views,
    "same": same_views,
    "churn": churn,
    "stalled": stalled,
    "greedy": greedy,
    "brushing": brushing,
    "front-ends": front_ends,
}
