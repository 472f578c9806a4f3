"""The process of `bigviz serve`: one server on one loop until a signal ends it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import traceback
import webbrowser
from collections.abc import Sequence
from typing import Final

from bigviz.data.errors import BigvizError
from bigviz.server.report import Reporter
from bigviz.server.run import Load, Options, Server
from bigviz.server.threads import in_thread
from bigviz.server.watch import changes

__all__ = ["run"]

_SECONDS_TO_STOP: Final = 3.0
# After which a thread that computes in Python lets the loop go on: with the default 5 ms, a page's files and messages
# took 0.15 s longer while a table was sampled.
_SECONDS_TO_SWITCH: Final = 0.0005


def run(
    options: Options,
    names: Sequence[str],
    load: Load,
    report: Reporter,
    *,
    browser: bool = False,
    watch: str | None = None,
    open_first: bool = False,
) -> int:
    """Serve until Ctrl-C or SIGTERM; returns the process's exit status.

    `names` are the documents that `load` will bring. With `browser` the system's browser is opened at the address, of
    the first document with `open_first`. `watch` is a script that is run anew when it changes, with `options.dev`.
    """
    report.catch_logs()
    sys.setswitchinterval(_SECONDS_TO_SWITCH)
    try:
        return asyncio.run(_serve(options, names, load, report, browser, watch, open_first))
    finally:
        report.flush()


async def _serve(
    options: Options,
    names: Sequence[str],
    load: Load,
    report: Reporter,
    browser: bool,
    watch: str | None,
    open_first: bool,
) -> int:
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()

    def end() -> None:
        if stopping.is_set():
            os._exit(130)  # asked twice: whoever asks does not want to wait for browsers
        stopping.set()

    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, end)
    server = Server(options, names, load, report, open_first)
    await server.start()
    stop = asyncio.ensure_future(stopping.wait())
    tasks: list[asyncio.Future[object]] = [server.loaded, stop]  # type: ignore[list-item]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    status = _failure(server) if server.loaded.done() else 0
    if browser and status == 0 and not stopping.is_set():  # not for an address that ends with the next line
        in_thread(lambda: webbrowser.open(server.url))
    if status == 0 and not stopping.is_set():
        watching = asyncio.ensure_future(_reload(server, load, watch, report)) if options.dev and watch else None
        await stop
        if watching is not None:
            watching.cancel()
    stop.cancel()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(server.stop(), _SECONDS_TO_STOP)
    return status


def _failure(server: Server) -> int:
    """Print why the documents could not be opened: 1 then, 0 if they are open."""
    error = server.loaded.exception()
    if error is None:
        return 0
    if isinstance(error, BigvizError):
        print(f"Error: {error.message}", file=sys.stderr)
    else:
        traceback.print_exception(error)
    return 1


async def _reload(server: Server, load: Load, path: str, report: Reporter) -> None:
    """Run the script anew each time it or a module beside it changes; one with a mistake changes nothing."""
    async for _ in changes(os.path.abspath(path)):
        try:
            loaded = await in_thread(load)
        except BigvizError as error:
            report("log", level="error", logger="bigviz", message=f"{path}: {error.message}")
            continue
        except Exception as error:
            text = "".join(traceback.format_exception(error))
            report("log", level="error", logger="bigviz", message=f"{path}: {text}")
            continue
        server.publish(loaded.documents)
        report("reloaded", path=path)
