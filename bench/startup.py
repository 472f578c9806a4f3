"""Starting up: the command line's help, and from `bigviz serve` to `data-ready` in a Chromium that already runs."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser

from bench.report import Figure

READY = 'html[data-ready="1"]'
BIGVIZ = (sys.executable, "-m", "bigviz")


def help_time(repeats: int = 15) -> Figure:
    """Wall time of the `bigviz` script with --help; the first run, which reads files from disk, is not counted."""
    script = str(Path(sys.executable).with_name("bigviz"))
    samples = [_seconds([script, "--help"]) for _ in range(repeats + 1)][1:]
    return Figure("`bigviz --help`", "s", samples, "median", 0.4)


def _seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(*paths: Path, cache: Path | None = None) -> Iterator[tuple[str, float]]:
    """A `bigviz serve` process; yields its address and when it was started (`perf_counter`).

    `cache` replaces numba's cache directory.
    """
    port = free_port()
    environment = dict(os.environ) | ({"NUMBA_CACHE_DIR": str(cache)} if cache else {})
    started = time.perf_counter()
    process = subprocess.Popen(
        [*BIGVIZ, "serve", *map(str, paths), "--port", str(port), "--no-browser"],
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if "http" not in line:
            raise RuntimeError(f"expected the line with the address, got {line!r}")
        yield f"http://127.0.0.1:{port}/", started
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def ready_times(browser: Browser, path: Path, repeats: int = 5) -> Iterator[Figure]:
    """From the start of the process to `data-ready`: with numba's cache filled by a first run, then with it empty."""
    with tempfile.TemporaryDirectory() as filled:
        _ready(browser, path, Path(filled))
        warm = [_ready(browser, path, Path(filled)) for _ in range(repeats)]
    yield Figure("start to `data-ready`, 10-million-row demo, kernels cached", "s", warm, "median", 3.0)
    cold = []
    for _ in range(2):
        with tempfile.TemporaryDirectory() as empty:
            cold.append(_ready(browser, path, Path(empty)))
    yield Figure("start to `data-ready`, numba's cache empty", "s", cold, "max", 20.0)


def _ready(browser: Browser, path: Path, cache: Path) -> float:
    page = browser.new_page(viewport={"width": 1024, "height": 768})
    try:
        with serving(path, cache=cache) as (url, started):
            page.goto(url + path.stem + "/")
            page.wait_for_selector(READY, state="attached", timeout=120_000)
            return time.perf_counter() - started
    finally:
        page.close()
