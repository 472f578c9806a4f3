"""A real server on a free port, in a thread, for tests that talk to it from outside."""

from __future__ import annotations

import asyncio
import atexit
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any, TypeVar

from bigviz.common.cancel import Cancel
from bigviz.data.catalog import Catalog
from bigviz.data.uploads.validator import Validator
from bigviz.document.spec import Document
from bigviz.library.library import Library
from bigviz.server.apps.app import AppOptions
from bigviz.server.apps.hub import Hub
from bigviz.server.documents.followed import Followed
from bigviz.server.documents.shelf import Shelf
from bigviz.server.http.layer_bodies import LayerBodies
from bigviz.server.jobs.service import Backend
from bigviz.server.late_tables import Opening
from bigviz.server.library_threads import LibraryThreads
from bigviz.server.limits import Limits
from bigviz.server.metrics import Metrics
from bigviz.server.processes.front_end import FrontEnd
from bigviz.server.processes.sessions.shared import SharedSessions
from bigviz.server.processes.shared_streams import SharedStreams
from bigviz.server.run.index_options import Storage
from bigviz.server.run.options import Options
from bigviz.server.run.server import Server
from bigviz.server.site import Site
from bigviz.tiles.answers.answer import Tile
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.tile_key import TileKey

from ..patience import PATIENCE

T = TypeVar("T")


@dataclass
class Brought:
    documents: Sequence[Document]
    engine: Engine
    followed: Sequence[Followed] = ()
    scripts: Sequence[tuple[str, str]] = ()
    late: Sequence[Opening] = ()

    def backend(self, limits: Limits, metrics: Metrics, storage: Storage) -> Backend:
        return Backend(self.engine, limits, metrics)

    def when_compiling(self, tell: Callable[[], None]) -> None:
        """Nobody is told."""

    def bodies(self) -> LayerBodies:
        return LayerBodies()

    def shelf(self, library: Library, threads: LibraryThreads, options: Options) -> Shelf:
        keep, anonymous, quota = options.keep_versions, options.allow_anonymous, options.user_quota
        return Shelf(library, Catalog(), threads, lasting(options.limits.check_bytes), keep, anonymous, quota)

    def streams(self) -> SharedStreams:
        return SharedStreams()

    def sessions(self, front_end: FrontEnd, site: Site) -> SharedSessions:
        return SharedSessions(front_end, site)

    def hub(self, site: Site, options: Options, tables: Path | None = None) -> Hub:
        return Hub(site, AppOptions(shared=options.shared, session_seconds=options.session_seconds))


class Lasting(Validator):
    """One whose processes go on with the next server: each takes longer to start than most tests."""

    def close(self) -> None:
        """It is closed at the end of all tests."""


@cache
def lasting(memory: int) -> Validator:
    """The one of all servers whose checks may take so much memory."""
    found = Lasting(memory)
    atexit.register(Validator.close, found)
    return found


@dataclass
class Running:
    """A running server, its engine, and the events that it reported; `trust` is for one that speaks TLS."""

    server: Server
    engine: Engine
    loop: asyncio.AbstractEventLoop
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list, repr=False)
    changed: threading.Condition = field(default_factory=threading.Condition)
    trust: ssl.SSLContext | None = None

    @property
    def url(self) -> str:
        scheme = "http" if self.server.options.certificate is None else "https"
        return f"{scheme}://127.0.0.1:{self.server.port}{self.server.options.prefix}/"

    def on_loop(self, work: Callable[[], T]) -> T:
        """The result of a function called on the server's loop."""

        async def run() -> T:
            return work()

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(PATIENCE)

    def event(self, name: str, **facts: Any) -> None:
        with self.changed:
            self.events.append((name, facts))
            self.changed.notify_all()

    def await_event(self, name: str, seconds: float = PATIENCE, **facts: Any) -> dict[str, Any]:
        """The first event of a name with these facts, now or to come."""

        def found() -> dict[str, Any] | None:
            for each, has in self.events:
                if each == name and facts.items() <= has.items():
                    return has
            return None

        with self.changed:
            self.changed.wait_for(lambda: found() is not None, seconds)
            event = found()
        assert event is not None, (name, facts, self.events)
        return event

    def connection(self) -> HTTPConnection:
        """A connection that is not open yet."""
        if self.trust is not None:
            return HTTPSConnection("127.0.0.1", self.server.port, timeout=PATIENCE, context=self.trust)
        path = self.server.options.unix_socket
        if path is not None:
            return UnixConnection(str(path))
        return HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE)

    def get(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
        """One request, its path as it is. A tile is asked for twice in the same words: what was answered before is
        answered without its handler, and every test of the one is a test of the other."""
        connection = self.connection()
        try:
            answer = asked(connection, path, method, body, headers)
            if method == "GET" and "/tiles/" in path:
                with suppress(OSError, HTTPException):  # a server that stops
                    answer = asked(connection, path, method, body, headers)
            return answer
        finally:
            connection.close()


class UnixConnection(HTTPConnection):
    """A connection to a unix socket, which calls its other end localhost."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=PATIENCE)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(self.path)


def asked(connection: HTTPConnection, path: str, method: str, body: bytes | None, headers: dict[str, str]) -> Answer:
    """The answer to a request on a connection."""
    connection.putrequest(method, path, skip_host="Host" in headers, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    response = connection.getresponse()
    return Answer(response, response.read())


@contextmanager
def unread(served: Running, path: str) -> Iterator[socket.socket]:
    """A connection that requests a path and leaves the answer to the smallest buffers that there are."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.connect(("127.0.0.1", served.server.port))
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{served.server.port}\r\n\r\n".encode())
        yield connection


class Answer:
    """Status, headers and body of a response."""

    def __init__(self, response: HTTPResponse, body: bytes) -> None:
        self.status = response.status
        self.reason = response.reason
        self.headers = response.headers
        self.body = body


class Gated(Engine):
    """An engine whose tiles (or builds) wait at a gate, and that knows what was computed."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.open = threading.Event()
        self.open.set()
        self.build_open = threading.Event()
        self.build_open.set()
        self.reached: list[TileKey] = []
        self.computed: list[TileKey] = []
        self.cancelled: list[TileKey] = []
        self.builds = 0
        self.builds_cancelled = 0
        self._seen = threading.Condition()

    def tile(self, dataset: Any, layer: Any, key: TileKey, cancel: Cancel) -> Tile:  # type: ignore[override]
        self.note(self.reached, key)
        self.pass_gate(self.open, cancel, lambda: self.note(self.cancelled, key))
        self.note(self.computed, key)
        return super().tile(dataset, layer, key, cancel)

    def ensure(self, dataset: Any, layer: Any, progress: Any, cancel: Cancel) -> None:  # type: ignore[override]
        with self._seen:
            self.builds += 1
            self._seen.notify_all()
        progress("waiting", 0.5, 7)

        def stopped() -> None:
            with self._seen:
                self.builds_cancelled += 1
                self._seen.notify_all()

        self.pass_gate(self.build_open, cancel, stopped)
        super().ensure(dataset, layer, progress, cancel)

    def pass_gate(self, gate: threading.Event, cancel: Cancel, stopped: Callable[[], None]) -> None:
        """What a kernel does between slices of rows: look at the flag."""
        while not gate.wait(0.001):
            if cancel.cancelled:
                stopped()
                cancel.check()

    def note(self, into: list[TileKey], key: TileKey) -> None:
        with self._seen:
            into.append(key)
            self._seen.notify_all()

    def await_(self, fits: Callable[[], bool], seconds: float = PATIENCE) -> None:
        """Wait until something that was counted fits."""
        with self._seen:
            assert self._seen.wait_for(fits, seconds)


@contextmanager
def running(
    documents: Sequence[Document], engine: Engine | None = None, names: Sequence[str] | None = None, **options: Any
) -> Iterator[Running]:
    """Serve documents until the block ends; `options` are those of `Options`, `load` replaces the loader, `library` may
    be an open library too."""
    library = options.pop("library") if isinstance(options.get("library"), Library) else None
    engine = engine or Engine()
    load = options.pop("load", lambda progress: Brought(documents, engine))
    began, box = threading.Event(), {}

    async def main() -> None:
        box["stop"] = asyncio.Event()
        told: list[Any] = []

        def event(name: str, **facts: Any) -> None:
            box["running"].event(name, **facts) if "running" in box else told.append((name, facts))

        server = Server(
            Options(**{"port": 0, **options}), names or [d.id for d in documents], load, event, library=library
        )
        await server.start()
        box["running"] = Running(server, engine, asyncio.get_running_loop(), told)
        began.set()
        await box["stop"].wait()
        await server.stop()

    def run() -> None:
        try:
            asyncio.run(main())
        except BaseException as error:
            box["error"] = error
        finally:
            began.set()

    thread = threading.Thread(target=run, name="server under test", daemon=True)
    thread.start()
    began.wait(PATIENCE)
    if "error" in box:
        raise box["error"]
    found: Running = box["running"]
    try:
        yield found
    finally:
        found.loop.call_soon_threadsafe(box["stop"].set)
        thread.join(PATIENCE)
        assert not thread.is_alive()
        if "error" in box:
            raise box["error"]


def deadline(seconds: float) -> Callable[[], bool]:
    """True until so many seconds have gone by."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() < end
