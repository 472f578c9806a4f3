"""`bigviz bench PATH`: serve a table as `bigviz serve` does, pan and zoom it by a script, and time that.

The server is a process of its own, so that what is measured is what a user of `bigviz serve` gets. A websocket client
(`bench/client.py`) asks first, then a browser (`bench/browser.py`) if there is one.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import IO, Any, Final

from bigviz.commands.bench.browser import Steps, chromium, open_page
from bigviz.commands.bench.client import Client, Progress, ViewTime, definition
from bigviz.commands.bench.report import BrowserRun, Run, machine
from bigviz.commands.bench.walk import Walk, walk_of
from bigviz.common.errors import BigvizError, NotFound, Unreadable

__all__ = ["measure", "serving"]

_SECONDS_TO_STOP: Final = 10.0
_WARM_UP: Final = 5  # views that are not counted: kernels are compiled in them
_SECONDS_TO_END: Final = 2.0  # for a server that closes its connections because it ends
_SERVE: Final = (sys.executable, "-m", "bigviz", "serve")


def measure(path: str, options: Sequence[str], steps: int, browser: bool, progress: Progress) -> Run:
    """Serve `path` with `options` (those of `bigviz serve`) and measure `steps` views of it.

    `browser` False leaves the browser out; where there is none, `why` of the run says so. `progress` gets what the
    server reports while it builds an index. Raises BigvizError where the server does not start or a view fails.
    """
    with serving([path, *options]) as url:
        run = asyncio.run(_asked(url, path, steps, progress))
        if not browser:
            return replace(run, why="it was left out (--no-browser).")
        try:
            return replace(run, browser=_browsed(url, steps))
        except NotFound as error:
            return replace(run, why=error.message)


@contextmanager
def serving(
    arguments: Sequence[str], started: Callable[[int], None] = lambda pid: None, **options: Any
) -> Iterator[str]:
    """A `bigviz serve` of its own on a free port; yields the address that it prints, and stops it at the end.

    `started` gets its process number, `options` are those of `subprocess.Popen`. If the server ends by itself, raises
    Unreadable with what it wrote to standard error.
    """
    command = [*_SERVE, *arguments, "--port", "0", "--no-browser", "--log-json"]
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True, **options)
        assert process.stdout is not None
        started(process.pid)
        lines = process.stdout
        drain = threading.Thread(target=lambda: deque(lines, 0), daemon=True)  # so that the server never waits
        try:
            url = _address(lines)
            drain.start()
            yield url
        except (BigvizError, OSError) as error:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_SECONDS_TO_END)
            said.seek(0)
            words = said.read().strip()
            if not process.returncode or not words:
                raise
            raise Unreadable(words.removeprefix("Error: ")) from error
        finally:
            process.terminate()
            try:
                process.wait(_SECONDS_TO_STOP)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if drain.ident is not None:
                drain.join()
            lines.close()


def _address(lines: IO[str]) -> str:
    """The address in the server's events."""
    for line in lines:
        event = json.loads(line)
        if event["event"] == "listening":
            return str(event["url"])
    raise Unreadable("The server ended before it listened.")


async def _asked(url: str, path: str, steps: int, progress: Progress) -> Run:
    client = await Client.connect(url)
    try:
        layer = definition(client.document)
        start = time.perf_counter()
        info = await client.layer(layer, progress)
        ready = time.perf_counter() - start
        views = await _walked(client, walk_of(layer, info), steps)
        return Run(path, layer, info["rows"], ready, views, facts=machine())
    finally:
        await client.close()


async def _walked(client: Client, walk: Walk, steps: int) -> list[ViewTime]:
    views: list[ViewTime] = []
    for _ in range(_WARM_UP + steps):
        cost, answers = await client.view(walk.wanted())
        walk.saw(answers)
        views.append(cost)
    return views[_WARM_UP:]


def _browsed(url: str, steps: int) -> BrowserRun:
    with chromium() as browser:
        step = Steps(open_page(browser, url))
        times = [step() for _ in range(_WARM_UP + steps)]
        return BrowserRun(f"Chromium {browser.version}", times[_WARM_UP:])
