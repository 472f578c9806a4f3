"""What one viewer notices of others that do not behave: those that read nothing, and one that asks without end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from bench import data
from bench.load.clients import Job, Outcome
from bench.load.crowd import crowd, job_of
from bench.load.served import Served, Settings, served
from bench.load.walks import walk
from bench.report import Figure, words

__all__ = ["compared", "greedy", "looked", "others_do", "stalled", "walks_of"]

_STALLED: Final = 150
_GREEDY: Final = 62.0  # views a second: the server lets one viewer ask 64 things
_GOOD: Final = 4.0  # views a second of the viewer that is timed
_CUT_OFF: Final = 16.0  # seconds, after which one has to be gone whose machine takes nothing in: 15, and a look
_LONGEST: Final = 60.0  # seconds for all of them to fill what their kernel has room for, and to be cut off
_LOOK: Final = 0.25
_SETTLED: Final = 3.0  # seconds in which a server lets go of what they leave behind


def stalled(settings: Settings) -> Iterator[Figure]:
    """Viewers that ask for cold views and read nothing, beside one that pans and zooms."""
    with served(settings.rows, _STALLED) as site:
        process, seconds = site.process, max(settings.seconds, _LONGEST)
        walks = walks_of(site, settings.rows, _STALLED + 2, int(settings.seconds * _GOOD))
        alone = looked(site, walks[0], settings.seconds)
        before, kept, closed = process.unkept(), process.kept(), process.closed(4008)
        job = job_of("stalled", site.url, _STALLED, 1.0, seconds=seconds, messages=walks[2:])
        memory = list[int]()
        with _watching(lambda: memory.append(process.unkept())), others_do(job) as stalled:
            beside = looked(site, walks[1], settings.seconds)
        time.sleep(_SETTLED)
        kept, left = process.kept() - kept, process.unkept() - before
        counted = process.closed(4008) - closed
    what = f"{_STALLED} viewers that read nothing, {words(settings.rows)} rows"
    (found,) = stalled
    yield from compared(what, alone, beside)
    held = (max(memory) - before) / _STALLED / 1e6
    yield Figure(f"{what}: memory of one beside kept tiles and answers, at most", "MB", [held], "max", 1.05)
    over = sum(left > _CUT_OFF for left in found.left)
    told = f"{len(found.cut_off)} cut off, {counted} told of"
    yield Figure(f"{what}: still there", "", [over], "max", 0, told)
    if found.cut_off:
        since = f"{what}: cut off after nothing of what waits was taken in for"
        yield Figure(since, "s", found.cut_off, "p95", _CUT_OFF)
    yield Figure(f"{what}: more tiles and answers kept", "MB", [kept / 1e6], "max")
    yield Figure(f"{what}: memory left besides, of one", "MB", [left / _STALLED / 1e6], "max", 0.05)


def greedy(settings: Settings) -> Iterator[Figure]:
    """A viewer that asks for as many views as it may, beside one that pans and zooms."""
    with served(settings.rows, 2) as site:
        walks = walks_of(site, settings.rows, 3, int(settings.seconds * _GREEDY))
        alone = looked(site, walks[0], settings.seconds)
        with others_do(job_of("views", site.url, 1, _GREEDY, seconds=settings.seconds, messages=walks[2:])):
            beside = looked(site, walks[1], settings.seconds)
    yield from compared(
        f"a viewer that asks for {_GREEDY:g} views a second, {words(settings.rows)} rows", alone, beside
    )


def compared(what: str, alone: Sequence[float], beside: Sequence[float]) -> Iterator[Figure]:
    """The p95 of a good viewer's views alone and beside others, and the one as a multiple of the other."""
    took = [
        Figure(f"{what}: a good viewer's views {how}, p95", "ms", ms, "p95")
        for how, ms in (("alone", alone), ("beside", beside))
    ]
    yield from took
    yield Figure(f"{what}: beside, times alone", "x", [took[1].value / took[0].value], "max", 1.5)


def walks_of(site: Served, rows: int, viewers: int, views: int) -> list[list[str]]:
    """Views at places of each viewer's own."""
    x, y = data.sample_rows(data.arrow("points", rows), 1_000)
    places = list(zip(x.tolist(), y.tolist(), strict=True))
    return [walk(site.definition, site.home, site.roots, places, views, seed) for seed in range(viewers)]


def looked(site: Served, messages: list[str], seconds: float) -> list[float]:
    """The milliseconds of a good viewer's views."""
    with crowd(job_of("views", site.url, 1, _GOOD, seconds=seconds, messages=[messages])) as viewing:
        return viewing.work().milliseconds


@contextmanager
def others_do(job: Job) -> Iterator[list[Outcome]]:
    """While this is held, others do a job; it ends once they have, and then what came of it is there."""
    outcomes = list[Outcome]()
    with crowd(job) as viewing:
        thread = threading.Thread(target=lambda: outcomes.append(viewing.work()), daemon=True)
        thread.start()
        try:
            yield outcomes
        finally:
            thread.join()


@contextmanager
def _watching(look: Callable[[], None]) -> Iterator[None]:
    """While this is held, `look` is called now and then."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_LOOK):
            look()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
