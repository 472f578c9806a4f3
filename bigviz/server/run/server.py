"""Running a server on an event loop: listen first, load in the background, stop cleanly."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import quote
from weakref import ref

from bigviz.apps.script_failure import ScriptFailed
from bigviz.common.cancel import Cancel
from bigviz.common.daemon_thread import in_thread
from bigviz.common.errors import BadInput, BigvizError, Cancelled
from bigviz.common.progress import Progress
from bigviz.common.threads.waits import waits_end_with
from bigviz.library.library import Library
from bigviz.library.repository import OpenedDocuments
from bigviz.server.app import ROUTES, make_app
from bigviz.server.documents.followed import Followed, watch_files
from bigviz.server.documents.renewal import follow, watch
from bigviz.server.late_tables import Opening, serve_late
from bigviz.server.limits import Limits
from bigviz.server.processes.bound import Bound
from bigviz.server.processes.joined import Joined
from bigviz.server.run.access_options import access_of
from bigviz.server.run.freed_memory import trim_when_left
from bigviz.server.run.listener import Listener
from bigviz.server.run.options import Options
from bigviz.server.run.reading_reports import Reading, soon
from bigviz.server.run.tls import context_of
from bigviz.server.site import Site
from bigviz.server.site_members import Apps
from bigviz.tiles.store.catalog.quota import default_root
from bigviz.wire.frames import AWAY

if TYPE_CHECKING:
    from bigviz.document.spec import Document
    from bigviz.server.apps.app import App
    from bigviz.server.apps.hub import Hub
    from bigviz.server.documents.shelf import Shelf
    from bigviz.server.http.layer_bodies import LayerBodies
    from bigviz.server.jobs.service import Backend
    from bigviz.server.library_threads import LibraryThreads
    from bigviz.server.metrics import Metrics
    from bigviz.server.processes.front_end import FrontEnd
    from bigviz.server.processes.sessions.shared import SharedSessions
    from bigviz.server.processes.shared_streams import SharedStreams
    from bigviz.server.run.index_options import Storage

__all__ = ["Loaded", "Server"]


class Loaded(Protocol):
    """What the loader brings from its thread: open documents, and the way to a backend on the event loop."""

    @property
    def documents(self) -> Sequence[Document]: ...
    @property
    def followed(self) -> Sequence[Followed]: ...
    @property
    def late(self) -> Sequence[Opening]: ...
    @property
    def scripts(self) -> Sequence[tuple[str, str]]: ...
    def backend(self, limits: Limits, metrics: Metrics, storage: Storage) -> Backend: ...

    def when_compiling(self, tell: Callable[[], None]) -> None: ...

    def bodies(self) -> LayerBodies: ...

    def shelf(self, library: Library, threads: LibraryThreads, options: Options) -> Shelf: ...

    def hub(self, site: Site, options: Options, tables: Path | None = None) -> Hub: ...

    def streams(self) -> SharedStreams: ...

    def sessions(self, front_end: FrontEnd, site: Site) -> SharedSessions: ...


Load = Callable[[Progress], Loaded]
"""Opens the documents, in a thread; reports progress while it reads whole files."""

Event = Callable[..., None]
_SECONDS_BETWEEN_LOOKS: Final = 0.02  # at the requests that are in hand while the server stops


class Server:
    """One server: a listening socket, a site, and the task that loads its documents. Lives on one event loop."""

    def __init__(
        self,
        options: Options,
        names: Sequence[str],
        load: Load,
        event: Event,
        open_first: bool = False,
        library: Library | None = None,
        tells_when_open: bool = False,
        front_end: FrontEnd | None = None,
    ) -> None:
        """With `tells_when_open` it says where it is once the documents are open: there may be none. A `library` that
        is open is closed after `stop` by whoever opened it; without one that of the options is opened, and closed.
        `front_end`: this process is one of several behind one port."""
        self._owns = library is None and options.library is not None
        self._front_end = front_end
        serve = front_end is None  # else the process that has started this one holds the library
        self.library = Library.open(Path(options.library), serve=serve) if self._owns and options.library else library
        self.options = options
        self._names = names
        self._tells_when_open = tells_when_open
        self._shown = names[0] if open_first or len(names) == 1 else None
        self._load = load
        self._ended = Cancel()  # of what the loading thread waits for
        self._event = event
        try:
            options.check(self.library)
            self._tls = context_of(options.certificate, options.key)
            self._bound = Bound.of(options) if front_end is None else front_end.bound
        except BaseException:
            self._close_library()
            raise
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping: asyncio.Future[None] | None = None
        self.site: Site | None = None
        self._hub: Hub | None = None
        self._joined: Joined | None = None

    @property
    def port(self) -> int:
        """The port, 0 at a unix socket."""
        return self._bound.port

    @property
    def url(self) -> str:
        """The address to open: of the only (or, with `open_first`, the first) document, else of the list; or the path
        of the unix socket, which no browser opens."""
        if self._bound.unix is not None:
            return f"unix:{self._bound.unix.path}"
        path = "/" if self._shown is None else f"/{quote(self._shown, safe='')}/"
        return f"{self._scheme}://{self._host}:{self.port}{self.options.prefix}{path}"

    @property
    def _scheme(self) -> str:
        return "http" if self._tls is None else "https"

    @property
    def _host(self) -> str:
        address = self.options.address
        if address in ("0.0.0.0", "::", ""):
            return "127.0.0.1"
        return f"[{address}]" if ":" in address else address

    async def start(self) -> None:
        """Accept connections, say so, and begin to load. Returns at once; see `loaded`."""
        options = self.options
        hosts = options.hosts(self.port)
        access = access_of(options, self.port, self.library)
        self.site = site = Site(
            hosts, OpenedDocuments(self._names), options.limits, options.prefix, access, self._event, self.library,
            basemaps=options.basemaps, public=options.public,
        )  # fmt: skip
        if self._front_end is not None:
            site.epoch = self._front_end.epoch  # pages that come from another process go on
        app = make_app(site)
        if self._front_end is None:
            self._http = Listener(app, site, options.bounds, self._tls)
            self._http.add_sockets(self._bound.sockets)
        else:
            self._joined = Joined(self._front_end, app, site, options.bounds, self._tls)
            self._http = self._joined.listener
            self._tasks += self._joined.tasks
        if not self._tells_when_open:
            self._tell_where()
        self._tasks.append(asyncio.ensure_future(access.people.watch(lambda: list(site.viewers))))
        self._tasks.append(asyncio.ensure_future(trim_when_left(site)))
        self.loaded = asyncio.ensure_future(self.load())

    def _tell_where(self) -> None:
        assert self.site is not None
        place: dict[str, Any] = {"port": self.port, "address": self.options.address}
        if self._bound.unix is not None:
            place = {"unix_socket": str(self._bound.unix.path)}
        self._event("listening", url=self.url, **place)
        hosts = {"hosts": self.site.hosts.host_texts(), "origins": self.site.hosts.origin_texts()}
        routes = [self.options.prefix + route for route in ROUTES]
        self._event("facts", **hosts, routes=routes, viewers=0)
        self._tell_of_indexes()

    async def stop(self, seconds: float = 0.0) -> None:
        """Take no more connections, tell the browsers to come again, let requests in hand end, for `seconds` at most,
        cancel what runs, and close everything. A second call waits for the first one."""
        if self._stopping is None:
            self._stopping = asyncio.ensure_future(self._stop(seconds))
        await asyncio.shield(self._stopping)

    async def _stop(self, seconds: float) -> None:
        if self._front_end is None:
            self._bound.remove()
        self._http.stop()
        if self._joined is not None:
            self._joined.stop()
        self.loaded.cancel()
        self._ended.cancel()
        for task in self._tasks:
            task.cancel()
        assert self.site is not None
        for viewer in list(self.site.viewers):
            viewer.leave(AWAY, "the server stops: come again")
        await asyncio.sleep(0)  # let the close frames out
        if self._hub is not None:
            await self._hub.close()
        if self.site.loaded is not None:  # else requests wait for what does not come any more
            await self._drain(self.site, seconds)
            self.site.loaded.close()
        self._http.abort()
        await in_thread(self.site.close)  # a commit that has begun ends first
        self._close_library()
        self._event("stopped")

    async def _drain(self, site: Site, seconds: float) -> None:
        """Wait until all requests in hand are answered, but no longer; connections without one are closed."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and (self._http.close_idle(set(site.in_hand.values())) or self._passed_on):
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)

    @property
    def _passed_on(self) -> bool:
        """Whether requests are in hand that another process may have passed on, over a connection that it keeps."""
        return self._joined is not None and bool(self._joined.in_hand)

    async def load(self) -> Loaded:
        """Open the documents and serve them, those of tables before those of apps. Raises what opening them does, also
        ScriptFailed, but under `--dev`."""
        site = self.site
        assert site is not None
        loop = asyncio.get_running_loop()
        loaded = await in_thread(partial(self._open, Reading(loop, site, self._event)))
        loaded.when_compiling(partial(soon, loop, partial(_tell_of_compiling, ref(self))))
        backend = loaded.backend(self.options.limits, site.metrics, self.options.storage)
        for document in loaded.documents:
            backend.publish(document)
        shelf = None
        if site.library is not None:
            shelf = loaded.shelf(site.library, site.threads, self.options)
            if self._joined is None:
                await in_thread(partial(shelf.recover, self.options.durability))
            else:
                self._tasks += await self._joined.share(loaded.streams(), shelf, self.options.durability)
        site.late = [each.name for each in loaded.late]
        site.publish(loaded.documents, backend, loaded.bodies(), shelf, self._apps_of(loaded, site))
        if self._joined is not None:
            self._joined.follow(loaded.followed)
            await self._joined.loaded(backend)
        if shelf is not None:
            shelf.on_append(self.options.on_append)
            self._tasks += [asyncio.ensure_future(work(site)) for work in (watch, follow)]
        self._tasks += [asyncio.ensure_future(watch_files(site, each)) for each in loaded.followed]
        self._tasks += [
            asyncio.ensure_future(serve_late(site, each, lambda document: self._tell_opened([document])))
            for each in loaded.late
        ]
        if loaded.documents or not loaded.scripts:
            self._tell_opened(loaded.documents)
        if loaded.documents:
            self._tasks.append(asyncio.ensure_future(self._build_first(backend, loaded.documents[0])))
        if self._hub is not None:
            await self._start_apps(self._hub, backend, builds=not loaded.documents)
        if self._joined is not None:
            self._joined.opened()
        if self._tells_when_open:
            self._tell_where()
        return loaded

    def _open(self, reading: Progress) -> Loaded:
        with waits_end_with(self._ended):
            return self._load(reading)

    def _apps_of(self, loaded: Loaded, site: Site) -> Apps:
        """What has the apps and the sessions of pages, or passes on to the process that has them what pages say."""
        front_end, joined = self._front_end, self._joined
        if front_end is None or front_end.writes:
            self._hub = loaded.hub(site, self.options, None if front_end is None else front_end.folder)
        if front_end is None or joined is None:
            assert self._hub is not None
            return self._hub
        names = [name for name, _ in loaded.scripts]
        return joined.share_sessions(loaded.sessions(front_end, site), names, self.options, self._hub)

    async def _start_apps(self, hub: Hub, backend: Backend, builds: bool) -> None:
        """Start all apps, and from then on whenever they end; `builds`: build what the first of them shows."""

        def opened(document: Document) -> None:
            nonlocal builds
            self._tell_opened([document])
            if builds:
                builds = False
                self._tasks.append(asyncio.ensure_future(self._build_first(backend, document)))

        hub.opened = opened
        starts = [asyncio.ensure_future(self._start_app(app)) for app in hub.apps.values()]
        if not starts:
            return
        try:
            await asyncio.wait(starts, return_when=asyncio.FIRST_EXCEPTION)
            for start in starts:
                if start.done():
                    start.result()
        except asyncio.CancelledError:
            for start in starts:
                start.cancel()
            raise

    async def _start_app(self, app: App) -> None:
        try:
            await app.start()
        except ScriptFailed as error:
            if not self.options.dev:
                raise
            app.script_failed(error)
        self._tasks.append(asyncio.ensure_future(app.keep()))

    def _tell_opened(self, documents: Sequence[Document]) -> None:
        sources = {name: source for doc in documents for name, source in doc.sources.items()}
        datasets = {name: getattr(source, "num_rows", 0) for name, source in sources.items()}
        notes = {
            name: [*getattr(source, "notes", ()), *getattr(source, "assumed", ())] for name, source in sources.items()
        }
        self._event("loaded", datasets=datasets, notes={name: each for name, each in notes.items() if each})

    def publish(self, documents: Sequence[Document]) -> None:
        """Serve other documents from now on; browsers that show the old ones connect again and get the new ones."""
        assert self.site is not None and self.site.loaded is not None
        for document in documents:
            self.site.loaded.publish(document)
        self.site.renew(documents)

    def _close_library(self) -> None:
        if self._owns and self.library is not None:
            self.library.close()

    async def _build_first(self, backend: Backend, document: Document) -> None:
        """Build what the first document shows without waiting for a browser, and hold on to it."""
        for number in range(len(document.layers())):
            began = time.perf_counter()
            try:
                asked = backend.asked(document, number, lambda name: None)
                info = await backend.info(asked.dataset, asked.layer, whole=True)
            except Cancelled:
                return
            except BigvizError as error:
                self._warn(f"{document.id}: {error.message}")
                continue
            layer: Any = asked.layer
            what = f"{layer.agg} of {layer.x}, {layer.y}" if layer.y else f"{layer.agg} by {layer.x}"
            self._event("built", dataset=asked.dataset.name, layer=what, seconds=time.perf_counter() - began)
            if info.range is None and info.rows:
                self._warn(f"{document.id}: {_why_empty(info.rows, layer)}")

    def _tell_of_indexes(self) -> None:
        """Say where indexes are: their files are mapped, and one that others cut short ends the process."""
        with suppress(BadInput):  # no place for them: the loader says so
            storage = self.options.storage
            if storage.index != "never":
                self._event("indexes", directory=str((storage.directory or default_root()).absolute()))

    def _warn(self, message: str) -> None:
        self._event("log", level="warning", logger="bigviz", message=message)


def _tell_of_compiling(server: ref[Server]) -> None:
    """Say that a kernel is compiled. Whoever listens for that outlives a server, and must not hold it."""
    if (found := server()) is not None:
        found._event("compiling")


def _why_empty(rows: int, layer: Any) -> str:
    """Why a layer shows nothing, in words."""
    logs = [name for name, axis in ((layer.x, layer.xaxis), (layer.y, layer.yaxis)) if axis == "log"]
    above = f", with {' and '.join(logs)} above 0, as a log axis needs" if logs else ""
    return f"none of the {rows:,} rows has a finite {layer.x} and {layer.y}{above}."
