"""A server with more work than it has cores: how soon it says that it is alive, and how soon it ends when told to."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlencode, urljoin

import numpy as np

from bench import data
from bench.places import LARGE
from bench.report import Figure, words
from bigviz.commands.bench.run import serving
from bigviz.commands.bench.window import HEIGHT, WIDTH

CLIENTS: Final = 4
AGGS: Final = ("count", "mean(value)", "max(value)", "by(kind)")
REACH: Final = 1.0  # windows reach at least so far to each side of 0, where most rows are
PROBES: Final = 300
PAUSE: Final = 0.02  # s between two probes
ALIVE: Final = 50.0  # ms
ENDINGS: Final = (signal.SIGTERM, signal.SIGINT) * 4
LATEST: Final = 3.0  # s after which no signal is sent
ENDED: Final = 5.0  # s
HUNG: Final = 60.0  # s after which a server that does not end is killed


def liveness(rows: int) -> Iterator[Figure]:
    """`GET /healthz`, each on a new connection, while clients ask for images of most of the table: one that is never
    indexed on the disk, so that each image is made of rows."""
    if rows > LARGE:
        return
    with serving([f"table={data.arrow('points', rows)}", "--x=x", "--y=y", "--index=never"]) as url:
        _await_loaded(url)
        with _asking(url) as (clients, sizes):
            times = [_alive(url) for _ in range(PROBES)]
            if broken := [client.exception() for client in clients if client.done()]:
                raise RuntimeError(f"a client ended: {broken[0]}")
        beside = f"beside {len(sizes)} images of {WIDTH} x {HEIGHT} cells"
    what = f"`/healthz` while {CLIENTS} clients have {words(rows)} rows aggregated"
    yield Figure(what, "ms", times, "p95", ALIVE, beside)
    yield Figure(f"{what}, the slowest of {PROBES}", "ms", [max(times)], "max")


def stop(rows: int) -> Iterator[Figure]:
    """From the signal to the end of the process, at random moments while clients wait, and while the index of a table
    that is too large to be ordered in memory is built."""
    if rows > LARGE:
        return
    path, random = data.arrow("points", rows), np.random.default_rng(8)
    times: dict[signal.Signals, list[float]] = {ending: [] for ending in ENDINGS}
    for ending in ENDINGS:
        pids: list[int] = []
        with tempfile.TemporaryDirectory() as store:
            options = ["--x=x", "--y=y", f"--store-dir={store}"]
            with serving([f"table={path}", *options], pids.append) as url:
                _await_loaded(url)
                with _asking(url):
                    time.sleep(random.uniform(0, LATEST))
                    times[ending].append(_end(pids[0], ending))
    for ending, samples in times.items():
        what = f"end of a server that aggregates {words(rows)} rows for {CLIENTS} clients: {ending.name}"
        yield Figure(what, "s", samples, "max", ENDED)


@contextmanager
def _asking(url: str) -> Iterator[tuple[Sequence[Future[None]], Sequence[int]]]:
    """Clients that ask for one image after the other; yields them, and the bytes of each image that came."""
    over, sizes = threading.Event(), list[int]()

    def ask(seed: int) -> None:
        for path in _images(seed):
            if over.is_set():
                return
            with urllib.request.urlopen(urljoin(url, path)) as answer:
                sizes.append(len(answer.read()))

    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(ask, seed) for seed in range(CLIENTS)]
        try:
            yield clients, sizes
        finally:
            over.set()


def _images(seed: int) -> Iterator[str]:
    """Paths of images that nobody has asked for before."""
    random = np.random.default_rng(seed)
    while True:
        x0, y0 = -REACH - random.random(2)
        x1, y1 = REACH + random.random(2)
        window = {"x0": x0, "x1": x1, "y0": y0, "y1": y1, "width": WIDTH, "height": HEIGHT}
        yield f"/table/layers/0/image.npy?{urlencode({**window, 'agg': random.choice(AGGS)})}"


def _await_loaded(url: str) -> None:
    """Wait until the table is open and a first image has come: kernels are compiled then."""
    with urllib.request.urlopen(urljoin(url, next(_images(CLIENTS)))) as answer:
        answer.read()


def _alive(url: str) -> float:
    """Milliseconds of one probe."""
    time.sleep(PAUSE)
    start = time.perf_counter()
    with urllib.request.urlopen(urljoin(url, "/healthz")) as answer:
        answer.read()
    return (time.perf_counter() - start) * 1e3


def _end(pid: int, ending: signal.Signals) -> float:
    """Seconds from a signal to a child's end, which is left to be waited for. RuntimeError if the signal killed it."""
    killer = threading.Timer(HUNG, os.kill, (pid, signal.SIGKILL))
    killer.start()
    start = time.perf_counter()
    os.kill(pid, ending)
    found = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    seconds = time.perf_counter() - start
    killer.cancel()
    if found is None or found.si_code != os.CLD_EXITED:
        raise RuntimeError(f"the server was killed, by {ending.name} or after {HUNG:g} s")
    return seconds
