"""What the handlers of one server share: documents, the backend once it is loaded, limits, hosts, viewers."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from bigviz.common.errors import Busy, NotFound
from bigviz.library.repository import OpenedDocuments
from bigviz.server.access.access import Access
from bigviz.server.access.hosts import Hosts
from bigviz.server.access.people import Guest
from bigviz.server.http.response_budget import Budget
from bigviz.server.limits import Limits
from bigviz.server.metrics import Metrics
from bigviz.wire.frames import GONE, RESTART

if TYPE_CHECKING:
    from bigviz.apps.script_failure import Failure
    from bigviz.document.spec import Document
    from bigviz.library.items import Kind
    from bigviz.server.access.people import People
    from bigviz.server.http.layer_bodies import LayerBodies
    from bigviz.server.jobs.service import Backend

__all__ = ["Site"]

Event = Callable[..., None]


def _ignore(name: str, **facts: Any) -> None:
    pass


class Viewer(Guest, Protocol):
    """A browser that looks at a document."""

    def tell(self, failure: Failure) -> None:
        """Tell the browser why the script failed."""

    def read(self, report: dict[str, Any]) -> None:
        """Tell a browser that waits for its document how much of the files has been read."""


@dataclass(eq=False)
class Site:
    """One server's state. Lives on the event loop's thread; documents and backend come when they are loaded.

    `failure` is why the script of `bigviz serve --dev` failed when it was last run; `reading` how much of the files of
    the first documents has been read (`stage`, `done` from 0 to 1, `rows`, `seconds`), None before and after.

    The names of the `documents` are known before they are opened, so that pages are served at once.
    """

    hosts: Hosts
    documents: OpenedDocuments = field(default_factory=OpenedDocuments)
    limits: Limits = field(default_factory=Limits)
    prefix: str = ""
    access: Access = field(default_factory=Access)
    event: Event = _ignore
    metrics: Metrics = field(default_factory=Metrics)
    epoch: int = field(default_factory=lambda: secrets.randbits(32))
    viewers: set[Viewer] = field(default_factory=set)
    failure: Failure | None = None
    reading: dict[str, Any] | None = None
    budget: Budget = field(init=False)
    _backend: Backend | None = None
    _bodies: LayerBodies | None = None
    _loaded: asyncio.Event = field(default_factory=asyncio.Event)
    _settled: asyncio.Event = field(default_factory=asyncio.Event)  # loaded, or failed for the first time

    def __post_init__(self) -> None:
        self.budget = Budget(self.limits.answer_bytes)
        self.people.given = self.given

    @property
    def people(self) -> People:
        """Who may do what."""
        return self.access.people

    def given(self, kind: Kind, name: str) -> bool:
        """Whether the server was started with a document of that name."""
        return kind == "document" and name in self.documents.names

    def publish(self, documents: Sequence[Document], backend: Backend, bodies: LayerBodies) -> None:
        """Serve these documents, each under its id; requests that wait for them go on."""
        self.documents.replace(documents)
        self._backend, self._bodies = backend, bodies
        self.failure = self.reading = None
        self._loaded.set()
        self._settled.set()

    def renew(self, documents: Sequence[Document]) -> None:
        """Serve other documents: browsers reconnect and, seeing a new epoch, load the document again."""
        self.documents.replace(documents)
        self.epoch = secrets.randbits(32)
        self.failure = None
        for viewer in list(self.viewers):
            if self.has(viewer.name):
                viewer.leave(RESTART, "the document was changed")
            else:
                viewer.leave(GONE, "the document is gone")

    def fail(self, failure: Failure) -> None:
        """Tell every browser that the script failed; documents that were served before still are."""
        self.failure = failure
        self._settled.set()
        for viewer in list(self.viewers):
            viewer.tell(failure)

    def read(self, report: dict[str, Any]) -> None:
        """Tell the browsers that wait for the first documents how much of their files has been read."""
        if self._backend is None:
            self.reading = report
            for viewer in list(self.viewers):
                viewer.read(report)

    def has(self, name: str) -> bool:
        """Whether a document of that name is, or will be, served."""
        return name in self.documents.names

    async def document(self, name: str) -> Document:
        """The document of that name, once it is open; NotFound for another name, Busy while its script fails."""
        if self.has(name):
            await self._settled.wait()
            if not self._loaded.is_set():
                raise Busy("The script of this document failed; its page and the server's log say why.")
        document = self.documents.get(name)
        if document is None:
            raise NotFound(f"There is no document {name[:100]!r}; / lists the documents.", "document", name[:100])
        return document

    async def opened(self) -> None:
        """Wait until documents are open, however often the script fails before."""
        await self._loaded.wait()

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

    def joined(self, viewer: Viewer) -> None:
        """A browser has connected."""
        self.viewers.add(viewer)
        self.metrics.viewers.set(len(self.viewers))
        self.event("connected", document=viewer.name, viewers=len(self.viewers))

    def left(self, viewer: Viewer, code: int | None) -> None:
        """A browser is gone."""
        self.viewers.discard(viewer)
        self.metrics.viewers.set(len(self.viewers))
        self.event("disconnected", document=viewer.name, viewers=len(self.viewers), code=code)

    @property
    def loaded(self) -> Backend | None:
        """The backend if it is loaded."""
        return self._backend
