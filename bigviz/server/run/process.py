"""The process of `bigviz serve`: one server on one loop until a signal ends it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import sys
import traceback
import webbrowser
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from bigviz.apps.script_failure import ScriptFailed
from bigviz.common.daemon_thread import in_thread
from bigviz.common.errors import BigvizError
from bigviz.common.fatal_signals import log_fatal_signals
from bigviz.common.printable import printable
from bigviz.server.run.event_log import Reporter
from bigviz.server.run.options import Options
from bigviz.server.run.server import Load, Server

if TYPE_CHECKING:
    from bigviz.server.processes.front_end import FrontEnd

__all__ = ["run"]

# Together below the 10 s after which those who stop a process, such as containers' runtimes, kill it.
_SECONDS_FOR_REQUESTS: Final = 5.0
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
    open_first: bool = False,
    opened: Callable[[str], None] | None = None,
    tells_when_open: bool = False,
    front_end: FrontEnd | None = None,
) -> int:
    """Serve until Ctrl-C or SIGTERM; returns the process's exit status. Requests that are in hand then are answered
    first, for 5 s at most; a second signal ends the process at once.

    `names` are the documents that `load` will bring. With `browser` the system's browser is opened at the address, of
    the first document with `open_first`. `opened` is called with the address, on the loop, once the documents are
    open. With `tells_when_open` it says where it is no earlier. `front_end`: this process is one of several behind one
    port, and the one that has started it ends it too.
    """
    log_fatal_signals()
    report.catch_logs()
    sys.setswitchinterval(_SECONDS_TO_SWITCH)
    try:
        serving = _serve(options, names, load, report, browser, open_first, opened, tells_when_open, front_end)
        return asyncio.run(serving)
    finally:
        report.flush()


async def _serve(
    options: Options,
    names: Sequence[str],
    load: Load,
    report: Reporter,
    browser: bool,
    open_first: bool,
    opened: Callable[[str], None] | None,
    tells_when_open: bool,
    front_end: FrontEnd | None,
) -> int:
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()

    def end() -> None:
        if stopping.is_set():
            os._exit(130)  # the second signal: the user does not want to wait for browsers
        stopping.set()

    if front_end is None:
        loop.add_signal_handler(signal.SIGINT, end)
    else:
        loop.add_reader(front_end.lifeline, partial(_orphaned, loop, front_end, stopping))
    loop.add_signal_handler(signal.SIGTERM, end)
    server = Server(
        options, names, load, report, open_first, tells_when_open=tells_when_open, front_end=front_end
    )  # fmt: skip
    await server.start()
    stop = asyncio.ensure_future(stopping.wait())
    tasks: list[asyncio.Future[object]] = [server.loaded, stop]  # type: ignore[list-item]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    speaks = front_end is None or front_end.speaks
    status = _failure(server, speaks or (front_end is not None and front_end.is_again)) if server.loaded.done() else 0
    gc.freeze()  # what is loaded stays: going through it for garbage now and then held everybody up for 50 ms
    to_open = browser and speaks and options.unix_socket is None
    if to_open and status == 0 and not stopping.is_set():  # not for an address that ends with the next line
        in_thread(lambda: webbrowser.open(server.url))
    if opened is not None and status == 0 and not stopping.is_set():
        opened(server.url)
    if status == 0 and not stopping.is_set():
        await stop
    stop.cancel()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(server.stop(_SECONDS_FOR_REQUESTS), _SECONDS_FOR_REQUESTS + _SECONDS_TO_STOP)
    return status


def _failure(server: Server, speaks: bool) -> int:
    """Print why the documents could not be opened, if it `speaks`: 1 then, 0 if they are open."""
    error = server.loaded.exception()
    if error is None:
        return 0
    if speaks:
        print(_told(error), file=sys.stderr, flush=True)
    return 1


def _orphaned(loop: asyncio.AbstractEventLoop, front_end: FrontEnd, stopping: asyncio.Event) -> None:
    """The process that has started this one is gone."""
    loop.remove_reader(front_end.lifeline)
    stopping.set()


def _told(error: BaseException) -> str:
    """An error as the terminal shows it: bigviz's own as a sentence, others with their traceback."""
    if isinstance(error, ScriptFailed):
        return error.told
    if isinstance(error, BigvizError):
        return f"Error: {error.message}"
    return printable("".join(traceback.format_exception(error)), keep="\n")
