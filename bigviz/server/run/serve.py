"""`bigviz.serve`: from a script, a thread, or a running event loop."""

from __future__ import annotations

import asyncio
import threading
import warnings
from contextlib import suppress
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

from bigviz.apps.script import current_run
from bigviz.common.daemon_thread import start_daemon
from bigviz.common.did_you_mean import hint
from bigviz.common.errors import BadInput
from bigviz.common.fatal_signals import log_fatal_signals
from bigviz.document.bind import require_bound
from bigviz.document.document import as_document
from bigviz.document.figure import Figure
from bigviz.document.layout import Box
from bigviz.document.spec import Document
from bigviz.server.run.engine_of_frames import engine_of_frames
from bigviz.server.run.event_log import Reporter
from bigviz.server.run.index_options import renamed_mode
from bigviz.server.run.loading import Brought
from bigviz.server.run.options import Options
from bigviz.server.run.server import Server

if TYPE_CHECKING:
    from bigviz.tiles.cluster.dask_engine import DaskEngine

__all__ = ["Handle", "serve"]

_SECONDS_TO_STOP: Final = 5.0
_SECONDS_TO_LOOK: Final = 0.2  # a signal that comes just before an endless wait begins would not end it


class Handle:
    """A server in a thread of its own. Leaving its `with` block stops it."""

    def __init__(self, server: Server, engine: DaskEngine | None = None) -> None:
        """`engine` is one that the server's end is the end of."""
        self._server, self._engine = server, engine
        self._began = threading.Event()
        self._ended = threading.Event()  # not Thread.join: interrupted by Ctrl-C it takes the thread for ended
        self._stopping: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._error: BaseException | None = None
        self._asked = threading.Event()  # to stop, perhaps before there is a loop

    @property
    def url(self) -> str:
        """The document's address."""
        return self._server.url

    @property
    def port(self) -> int:
        """The port, even if any free one was requested."""
        return self._server.port

    def stop(self) -> None:
        """End the server and wait until it has; a second call does nothing."""
        self._ask()
        self._ended.wait(_SECONDS_TO_STOP)

    close = stop

    def join(self) -> None:
        """Wait until the server has ended."""
        while not self._ended.wait(_SECONDS_TO_LOOK):
            pass

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *args: Any) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<bigviz at {self.url}>"

    def start(self) -> None:
        """Run until `stop`; returns when connections are accepted."""
        start_daemon("bigviz-server", self._run, stop=self._ask)
        while not self._began.wait(_SECONDS_TO_LOOK):
            pass
        if self._error is not None:
            raise self._error

    def _ask(self) -> None:
        """Ask the server to end."""
        self._asked.set()
        if self._loop is not None and self._stopping is not None:
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._stopping.set)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._error = error
        finally:
            try:
                if self._engine is not None:
                    self._engine.close()
            finally:
                self._ended.set()
                self._began.set()

    async def _serve(self) -> None:
        self._stopping, self._loop = asyncio.Event(), asyncio.get_running_loop()
        if self._asked.is_set():
            self._stopping.set()
        await self._server.start()
        self._began.set()
        await self._stopping.wait()
        await self._server.stop()


def serve(
    root: Document | Figure | Box,
    port: int = 5006,
    *,
    address: str = "127.0.0.1",
    block: bool | None = None,
    quiet: bool = False,
    **options: Any,
) -> Handle | None:
    """Serve a document, a figure or a layout over HTTP.

    Blocks until Ctrl-C. Where `block` is False, or an event loop runs in this thread (a notebook, an async program),
    it returns at once with a handle that has `url`, `port` and `stop()`, and whose `with` block ends the server. `port`
    0 takes any free one; `quiet` prints nothing. An `address` other than loopback needs `allow_anonymous=True`.

    Further options are as on the command line: `prefix`, `allow_hosts`, `allow_origins`, `secret_file`,
    `certificate` and `key`, `unix_socket` (in place of port and address), `store_dir`, `store_limit`, `index` and
    `cache` (sizes in bytes), `library` and `on_append`: `on_append(name, version, rows)` is called with what is
    appended to a dataset of the library, an Arrow table, in a thread of its own; while it runs, more comes together
    for the next call, the last 2^20 rows of it. In a script that `bigviz serve` runs, this hands over the document
    and `on_append`, and returns. Raises BadInput for a port that is in use, naming the next free one, and TypeError
    for an unknown option.
    """
    made = as_document(root)
    run = current_run()
    if run is not None:
        run.serve(made, options.get("on_append"))
        return None
    require_bound(made)
    _check_options(options)
    given = Options(port=port, address=address, **_current(options))
    log_fatal_signals()
    report = Reporter(quiet=quiet)
    engine = engine_of_frames(made, given.storage)
    try:
        server = Server(given, [made.id], lambda progress: Brought([made], engine=engine), report)
    except BaseException:
        if engine is not None:
            engine.close()
        raise
    handle = Handle(server, engine)
    if block is None:
        block = not _in_loop()
    try:
        handle.start()
        if not block:
            return handle
        handle.join()
    except KeyboardInterrupt:
        handle.stop()
        if not block:
            raise
    report.flush()
    return None


def _check_options(options: dict[str, Any]) -> None:
    """Raise TypeError for unknown options, naming the nearest one, and BadInput for `on_append` without a library."""
    known = {each.name for each in fields(Options)}
    unknown = options.keys() - known
    if unknown:
        name, *others = sorted(unknown)
        more = "" if others else hint(name, ("port", "address", "block", "quiet", *sorted(known)))
        raise TypeError(f"bigviz.serve has no option {', '.join((name, *others))}.{more}")
    if options.get("on_append") is not None and options.get("library") is None:
        raise BadInput("on_append hears of the datasets of a library: give library=DIR.", "on_append")


def _current(options: dict[str, Any]) -> dict[str, Any]:
    """The options under their current names; a former name gives a FutureWarning."""
    if "index" not in options:
        return options
    mode, words = renamed_mode(options["index"])
    if words:
        warnings.warn(words.removeprefix("--"), FutureWarning, stacklevel=3)
    return options | {"index": mode}


def _in_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
