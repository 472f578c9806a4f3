"""What the handlers of one server share: documents, the backend once it is loaded, limits, hosts, viewers."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

from bigviz.common.errors import Busy, Conflict, NotFound
from bigviz.library.repository import OpenedDocuments
from bigviz.server.access.access import Access
from bigviz.server.access.hosts import Hosts
from bigviz.server.documents.given import Given
from bigviz.server.documents.openings import Openings
from bigviz.server.http.response_budget import Budget
from bigviz.server.kept.kept_answers import KeptAnswers, Standing
from bigviz.server.library_threads import LibraryThreads
from bigviz.server.limits import Limits
from bigviz.server.metrics import Metrics
from bigviz.server.site_members import Apps, Others, Viewer
from bigviz.server.websocket.lookout import Lookout
from bigviz.server.websocket.updates import Updates
from bigviz.wire.frames import GONE, RESTART

if TYPE_CHECKING:
    from tornado.iostream import IOStream

    from bigviz.apps.script_failure import Failure
    from bigviz.common.web.public_url import PublicUrl
    from bigviz.data.dataset import Dataset
    from bigviz.document.spec import Document
    from bigviz.library.items import Kind
    from bigviz.library.library import Library
    from bigviz.server.access.people import People
    from bigviz.server.access.principal import Principal
    from bigviz.server.documents.opened import Opened, Shown
    from bigviz.server.documents.shelf import Shelf
    from bigviz.server.http.layer_bodies import LayerBodies
    from bigviz.server.jobs.service import Backend
    from bigviz.server.streams.append_hook import OnAppend

__all__ = ["Site"]

Event = Callable[..., None]
T = TypeVar("T")


def _ignore(name: str, **facts: Any) -> None:
    pass


def _over(document: Document, name: str, dataset: Dataset) -> Document:
    """A document over another version of a dataset, if it shows it."""
    return replace(document, sources={**document.sources, name: dataset}) if name in document.sources else document


@dataclass(eq=False)
class Site:
    """One server's state. Lives on the event loop's thread; documents and backend come when they are loaded.

    `failures` are by document why the script of an app failed when it was last run; `reading` is how much of the files
    of the first documents has been read (`stage`, `done` from 0 to 1, `rows`, `seconds`), None before and after.
    `late` are the names of those that are opened behind the others. `apps` has the apps and the sessions of pages, once
    it is loaded.

    The names of the `documents`, those that the server was started with, are known before they are opened, so that
    pages are served at once. Those of the `library` are opened by the shelf, once something is. `in_hand` are the
    handlers of requests that were let in and are not answered yet, each with its connection. Where there are no
    `basemaps`, pages fetch no tiles of maps. `public` is where browsers reach the server, if that is told. `tables`
    knows the tables whose files are followed. `others` are the processes that answer at the same port.
    `left_by_viewers` is set when one is gone.
    """

    hosts: Hosts
    documents: OpenedDocuments = field(default_factory=OpenedDocuments)
    limits: Limits = field(default_factory=Limits)
    prefix: str = ""
    access: Access = field(default_factory=Access)
    event: Event = _ignore
    library: Library | None = None
    basemaps: bool = True
    public: PublicUrl | None = None
    metrics: Metrics = field(default_factory=Metrics)
    began: float = field(default_factory=time.time)
    threads: LibraryThreads = field(default_factory=LibraryThreads)
    epoch: int = field(default_factory=lambda: secrets.randbits(32))
    viewers: set[Viewer] = field(default_factory=set)
    in_hand: dict[object, IOStream] = field(default_factory=dict)
    failures: dict[str, Failure] = field(default_factory=dict)
    apps: Apps | None = None
    others: Others | None = None
    reading: dict[str, Any] | None = None
    late: Sequence[str] = ()
    updates: Updates = field(default_factory=Updates)
    lookout: Lookout = field(default_factory=Lookout)
    left_by_viewers: asyncio.Event = field(default_factory=asyncio.Event)
    tables: Given = field(init=False)
    budget: Budget = field(init=False)
    kept_answers: KeptAnswers = field(init=False)
    _backend: Backend | None = None
    _bodies: LayerBodies | None = None
    _shelf: Shelf | None = None
    _spawned: set[asyncio.Task[Any]] = field(default_factory=set)
    _datasets: Mapping[str, Dataset] = field(default_factory=dict)
    _loaded: asyncio.Event = field(default_factory=asyncio.Event)
    _openings: Openings = field(default_factory=Openings)
    _reasons: dict[str, Busy] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.budget = Budget(self.limits.answer_bytes)
        self.kept_answers = KeptAnswers(self)
        self.tables = Given(self.documents)
        self.people.given = self.given

    @property
    def people(self) -> People:
        """Who may do what."""
        return self.access.people

    def publish(
        self, documents: Sequence[Document], backend: Backend, bodies: LayerBodies, shelf: Shelf | None = None,
        apps: Apps | None = None,
    ) -> None:  # fmt: skip
        """Serve these documents, each under its id; requests that wait for them go on. Those of `apps` are `put` when
        they are ready."""
        self._shelf = shelf
        if shelf is not None:
            shelf.when_opened = lambda opened: backend.keep_indexes(opened.document)
        self._backend, self._bodies, self.apps = backend, bodies, apps
        self._serve(documents)
        self._loaded.set()

    def renew(self, documents: Sequence[Document], only: str | None = None, epoch: int | None = None) -> None:
        """Serve other documents: browsers, of `only` one of them or of all, reconnect and, seeing a new epoch (None:
        any), load the document again."""
        self._serve(documents)
        self.epoch = secrets.randbits(32) if epoch is None else epoch
        for viewer in list(self.viewers):
            if only is not None and (viewer.name != only or viewer.shown is None):  # or is about to be greeted
                continue
            if viewer.shown is not None and viewer.shown.opened.version is not None:
                if self._is_outdated(viewer.shown.opened):
                    viewer.leave(RESTART, "the document's data was changed")
            elif self.has(viewer.name):
                viewer.leave(RESTART, "the document was changed")
            else:
                viewer.leave(GONE, "the document is gone")

    def put(self, document: Document, epoch: int | None = None) -> None:
        """Serve one document more, or in the place of the one of that name: its browsers connect again, and see a new
        epoch (None: any)."""
        assert self._backend is not None
        self._backend.publish(document)
        others = [each for each in self.documents.opened if each.id != document.id]
        self.renew([*others, document], document.id, epoch)

    def grow(self, name: str, document: Document, dataset: Dataset, since: float | None = None) -> None:
        """Serve another version of a dataset that the server was started with, which is there since then (None: now),
        and the document that shows it; browsers are not told."""
        served = [document if each.id == document.id else each for each in self.documents.opened]
        self.documents.replace([_over(each, name, dataset) for each in served])
        self.tables.grow(name, self._datasets[name], dataset, since)
        self._datasets = {**self._datasets, name: dataset}
        if self._shelf is not None:
            self._shelf.grow(self._datasets, name)

    def _is_outdated(self, opened: Opened) -> bool:
        """Whether a document of the library shows tables that the server no longer has."""
        given = [name for name in opened.document.sources if name not in opened.datasets]
        return any(self._datasets.get(name) is not opened.document.sources[name] for name in given)

    def _serve(self, documents: Sequence[Document]) -> None:
        self.documents.replace(documents, (*self.late, *(() if self.apps is None else self.apps.names)))
        self._datasets = {name: cast("Dataset", each) for doc in documents for name, each in doc.sources.items()}
        if self._shelf is not None:
            self._shelf.serve(self._datasets)
        for document in documents:
            self._openings.opened(document.id)
            self._reasons.pop(document.id, None)
        if self._are_open:
            self.reading = None

    @property
    def _are_open(self) -> bool:
        """Whether all documents are open that the others were waited for."""
        return all(self.is_open(name) for name in self.documents.names if name not in self.late)

    def reason(self, name: str) -> Busy | None:
        """Why a document is not open; None where it is, or where that is not known."""
        return self._reasons.get(name)

    def not_open(self, name: str, reason: Busy) -> None:
        """A document is not open, for a reason; those who wait for it are told."""
        self._reasons[name] = reason
        self._openings.settled(name)
        for viewer in list(self.viewers):
            if viewer.name == name and viewer.shown is None:
                viewer.refuse(reason)

    def fail(self, name: str, failure: Failure | None) -> None:
        """The script of an app failed, or (None) does not fail any more; the document that was served before still is.
        Under `--dev` the browsers are told."""
        if failure is None:
            self.failures.pop(name, None)
            return
        self.failures[name] = failure
        self._openings.settled(name)
        for viewer in list(self.viewers):
            if viewer.name == name:
                viewer.tell(failure)

    def read(self, report: dict[str, Any]) -> None:
        """Tell the browsers that wait for the first documents how much of their files has been read."""
        if self._backend is None or not self._are_open:
            self.reading = report
            for viewer in list(self.viewers):
                if viewer.shown is None:
                    viewer.read(report)

    def hear_appends(self, call: OnAppend | None) -> None:
        """Call this with what is appended to datasets of the library."""
        if self._shelf is not None:
            self._shelf.on_append(call)

    def is_open(self, name: str) -> bool:
        """Whether a document that the server was started with is open."""
        return self.documents.get(name) is not None

    def has(self, name: str) -> bool:
        """Whether a document of that name is, or will be, served that the server was started with."""
        return name in self.documents.names

    def given(self, kind: Kind, name: str) -> bool:
        """Whether the server was started with a document or a dataset of that name."""
        if kind == "document":
            return self.has(name)
        return name in self.served_datasets

    @property
    def served_datasets(self) -> Mapping[str, Dataset]:
        """The open datasets that the server was started with."""
        return self._datasets

    async def document(self, name: str) -> Document:
        """The document of that name that the server was started with, once it is open; NotFound for another name, Busy
        while its script fails, or its table cannot be opened."""
        if self.has(name):
            await self._openings.wait_settled(name)
            if not self.is_open(name) and name in self._reasons:
                raise Busy(self._reasons[name].message)
            if not self.is_open(name):
                raise Busy("The script of this document failed; its page and the server's log say why.")
        document = self.documents.get(name)
        if document is None:
            raise NotFound(f"There is no document {name[:100]!r}; / lists the documents.", "document", name[:100])
        return document

    async def show(self, name: str, principal: Principal) -> Shown:
        """A document as somebody may use it, once it is open. Raises what `document` and `Shelf.open` do."""
        if self.has(name) or self.library is None:
            return self.tables.shown(await self.document(name))
        shelf = await self.shelf()
        return await shelf.show(name, principal.caller)

    async def shelf(self) -> Shelf:
        """The documents of the library, once datasets can be opened; Conflict without a library."""
        if self.library is None:
            raise Conflict("This server keeps nothing: start it with --library DIR, or without a PATH.")
        await self._loaded.wait()
        assert self._shelf is not None
        return self._shelf

    async def growing(self, shown: Shown) -> Given | Shelf:
        """What knows of newer versions of the tables that a document shows."""
        return self.tables if shown.opened.version is None else await self.shelf()

    async def opened(self, name: str) -> None:
        """Wait until a document can be shown, however often its script fails before, or cannot be opened; one of the
        library once the server is loaded."""
        await self._loaded.wait()
        if self.has(name) and name not in self._reasons:
            await self._openings.wait_opened(name)

    async def backend(self) -> Backend:
        """The backend, once it is loaded."""
        await self._loaded.wait()
        assert self._backend is not None
        return self._backend

    @property
    def bodies(self) -> LayerBodies:
        """What the layer routes answer with; only after `backend` was awaited."""
        assert self._bodies is not None
        return self._bodies

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """A task that goes on when nobody waits for it any more; what it raises then is nobody's."""
        task = asyncio.ensure_future(work)
        self._spawned.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._spawned.discard(task)
        if not task.cancelled():
            task.exception()

    def close(self) -> None:
        """Wait for what is being written to the library, and end what checks uploads. Blocks."""
        self.threads.close()
        self.access.close()
        if self._shelf is not None:
            self._shelf.close()

    def standing(self, name: str) -> Standing | None:
        """The state of the document of that name; None where it has to be opened first."""
        if self.others is not None and self.others.is_behind:
            return None
        if self.has(name) or self.library is None:
            document = self.documents.get(name)
            return None if document is None else (document, 0)
        return None if self._shelf is None else self._shelf.standing(name)

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """An HTTP request was answered."""
        self.metrics.answered(route, status, seconds)
        self.event("request", route=route, method=method, status=status, seconds=seconds)

    def joined(self, viewer: Viewer) -> None:
        """A browser has connected."""
        self.viewers.add(viewer)
        self.metrics.viewers.set(len(self.viewers))
        self.event("connected", document=viewer.name, viewers=len(self.viewers))

    def left(self, viewer: Viewer, code: int | None) -> None:
        """A browser is gone."""
        self.viewers.discard(viewer)
        self.left_by_viewers.set()
        self.metrics.viewers.set(len(self.viewers))
        self.event("disconnected", document=viewer.name, viewers=len(self.viewers), code=code)

    @property
    def loaded(self) -> Backend | None:
        """The backend if it is loaded."""
        return self._backend
