"""One viewer of one document: texts in, binary frames out, one current view a figure. It knows nothing of sockets.

`receive` parses and returns; everything that takes time happens in tasks and in the runner's threads. Whatever a
message holds, the answer is a frame: nothing is raised into what carries it.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine, Hashable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

from bigviz.common.errors import (
    BadInput,
    BigvizError,
    Busy,
    Cancelled,
    Forbidden,
    NotFound,
    Unauthorized,
)
from bigviz.common.rate_limit import Tokens
from bigviz.server.access.admission import admit
from bigviz.server.access.gate import Need
from bigviz.server.brushes.wanted import BrushRequest
from bigviz.server.open_datasets import dataset_of, version_facts
from bigviz.server.websocket import requests
from bigviz.server.websocket.brushing import Brushing
from bigviz.server.websocket.chunked_json import answer_parts
from bigviz.server.websocket.current_view import View
from bigviz.server.websocket.follower import Follower
from bigviz.server.websocket.requests import (
    CancelRequest,
    FollowRequest,
    LayerRequest,
    Malformed,
    Request,
    ViewRequest,
)
from bigviz.server.websocket.send_queue import Message
from bigviz.server.websocket.session_requests import ControlRequest, RangeRequest, SelectionRequest
from bigviz.server.websocket.telling import Telling, Transport
from bigviz.wire.frames import MALFORMED, RESTART, Type, json_parts

if TYPE_CHECKING:
    from bigviz.server.access.credentials import Credentials
    from bigviz.server.access.principal import Principal
    from bigviz.server.apps.session import Session
    from bigviz.server.documents.opened import Shown
    from bigviz.server.jobs.service import Backend
    from bigviz.server.site import Site

__all__ = ["Viewer"]

_SECONDS_TO_ASK: Final = 2.0
_MINUTE: Final = 60.0


class Viewer(Telling):
    """Somebody who looks at a document. Lives on the event loop's thread; `open` begins it, `closed` ends it."""

    need: ClassVar[Need] = Need.shown()

    def __init__(
        self,
        site: Site,
        name: str,
        credentials: Credentials,
        principal: Principal,
        transport: Transport,
        follows: bool = False,
        resumes: str | None = None,
    ) -> None:
        """`follows`: the page wants updates of data that grow, not `changed`; `resumes`: the session that it had before
        its connection was lost."""
        super().__init__(site, name, transport, self._full, self._reads)
        self.credentials = credentials
        self.principal = principal
        self.shown: Shown | None = None
        self.resumes = resumes
        self.session: Session | None = None
        self.renewed: float | None = None  # when its data was, if it has asked for no view since
        self.backend: Backend | None = None
        self.views: dict[int, View] = {}
        self.asked: dict[tuple[int, int], asyncio.Task[None]] = {}
        self.tasks: set[asyncio.Task[None]] = set()
        self.malformed: deque[float] = deque()
        limits = site.limits
        self.requests = Tokens(limits.messages_burst, limits.messages_per_second)
        self.follower = Follower(self) if follows else None
        self.following: asyncio.Task[None] | None = None
        self.brushing: Brushing | None = None

    # --- opening and closing -----------------------------------------------------------------------------------------

    def open(self) -> None:
        """Begin: the document's `hello` follows, as soon as it can be shown."""
        self.is_open = True
        self.site.joined(self)
        self._spawn(self._guarded(self._greet, 0, 0))

    def closed(self, code: int | None = None) -> None:
        """The connection has ended, with the other side's close code if that ended it: nothing goes on for it."""
        if self.is_open:
            self.is_open = False
            self.site.left(self, self.code or code)
            self.site.metrics.sent.inc(self.outbox.sent)
            self.outbox.close()
        if self.site.apps is not None:
            self.site.apps.leave(self)
        for view in self.views.values():
            view.end()
        if self.brushing is not None:
            self.brushing.close()
        for task in list(self.tasks):
            task.cancel()
        if self.backend is not None:
            self.backend.runner.forget(self)

    @property
    def share(self) -> Hashable:
        """Whose share of the server its requests use."""
        return self.principal.share

    @property
    def settled(self) -> bool:
        """Whether all that was asked for is answered. A browser that asks for nothing after its data was renewed, since
        nobody looks at its page, is settled after two seconds."""
        if self.renewed is not None and time.monotonic() - self.renewed < _SECONDS_TO_ASK:
            return False
        return self.at_rest

    @property
    def at_rest(self) -> bool:
        """Whether all that was asked for is answered."""
        return not self.asked and all(view.over for view in self.views.values())

    @property
    def follows(self) -> bool:
        """Whether the page is sent what appended rows change."""
        return self.follower is not None

    def wake(self) -> None:
        """There may be newer data for a page that follows them."""
        if self.follower is not None:
            self.follower.wake()

    def rested(self) -> None:
        """A view was answered, or a request about a layer."""
        if self.follower is not None:
            self.follower.rested()

    async def look(self) -> None:
        """`shown` is what the page draws."""

    def renew(self, shown: Shown, times: Mapping[str, float | None]) -> None:
        """Go on with the same document over other data: what was asked of the old is not answered any more, and the
        page asks again. Where that is not enough, because columns or axes are others, or because it waits for an answer
        and would not hear of a change, it connects and loads again. `times`: when datasets were appended to last, by
        the wall clock."""
        before, backend = self.shown, self.backend
        if before is None or backend is None or not self.is_open:
            return
        datasets = backend.changes(before, shown)
        if datasets == {} and self.at_rest:  # the caller may use more or less; a page that follows waits for new data
            self.shown = shown
            return
        if not datasets:
            self.leave(RESTART, "the document's data was changed")
            return
        for figure in list(self.views):
            self._end_view(figure)
        for task in self.asked.values():
            task.cancel()
        self.asked.clear()
        self._unfollow()
        self.shown = shown
        self.renewed = time.monotonic()
        for name, version in datasets.items():
            facts = version_facts(dataset_of(shown.document, name).num_rows, version, times.get(name))
            self.put(Message(Type.CHANGED, json_parts({"dataset": name, **facts})))

    async def _greet(self) -> None:
        failure = self.site.failures.get(self.name)
        if failure is not None and not self.site.is_open(self.name):
            self.tell(failure)
        elif self.site.reading is not None:
            self.read(self.site.reading)
        await self.site.opened(self.name)
        try:
            shown, backend = await self.site.show(self.name, self.principal), await self.site.backend()
            text, body = await backend.hello(shown.document, shown.usage)
            if not await self._may(Need.shown()):  # it may be another's since the socket was opened
                return
            self.shown = shown
            session = None if self.site.apps is None else await self.site.apps.join(self, shown, self.resumes)
            if session is not None:
                text["session"] = session
        except BigvizError as error:
            self.shown = None
            if await self._may(Need.shown()):
                self.refuse(error)
            return
        backend.expect(greeted=True)
        self.outbox.drop("reading")
        if shown.opened.growing:
            text["follow"] = sorted(shown.opened.growing)
        self.greet(Message(Type.HELLO, json_parts(text, body)))
        self.backend = backend
        backend.runner.follow(self, True)
        failure = self.site.failures.get(self.name)
        if failure is not None and shown.opened.version is None:
            self.tell(failure)

    # --- messages ----------------------------------------------------------------------------------------------------

    async def receive(self, message: str | bytes) -> None:
        """Take a message of the browser. The next one is read when this returns: one who sends too many is held up."""
        if self.is_open and not (self.requests.pay() and self.site.access.messages.allows(self.principal.share)):
            rate = self.site.limits.messages_per_second
            self._error(0, Busy(f"Too many requests: send at most {rate:g} a second on average."))
            await asyncio.sleep(1 / rate)  # until then nothing more is read
            return
        try:
            request = requests.read(message, self.site.limits)
            if not await self._may(request.need, request.id):
                return
            self.site.metrics.messages.labels(type(request).__name__.removesuffix("Request").lower()).inc()
            if self.shown is None or self.backend is None:
                self._error(request.id, BadInput("The first message is the server's hello: send nothing before it."))
                return
            self._handle(request, self.shown, self.backend)
        except Malformed as error:
            self._error(0, error)
            self._count_malformed()
        except BadInput as error:
            self._error(getattr(error, "request", 0), error)

    async def _may(self, need: Need, request: int = 0) -> bool:
        """Whether the caller may, at this moment; the connection of one who may not is closed."""
        try:
            self.principal = await self.site.people.principal(self.credentials)
            await admit(self.site.people, need, self.principal, self.name)
        except (Forbidden, NotFound, Unauthorized) as error:
            self.deny(error)
            return False
        except Exception as error:  # the library cannot be asked: nothing is answered then
            self.fail_request(request, error)
            return False
        return self.is_open

    def _handle(self, request: Request, shown: Shown, backend: Backend) -> None:
        figures = shown.document.figures()
        if isinstance(request, FollowRequest):
            self._follow(request, len(figures))
            return
        if isinstance(request, BrushRequest):
            self._brush(request, shown, backend)
            return
        if isinstance(request, ControlRequest | RangeRequest | SelectionRequest):
            if self.site.apps is not None:
                self._spawn(self._guarded(partial(self.site.apps.take, self, request), request.id, 0))
            return
        requests.one_of("figure", request.figure, len(figures), request.id)
        if isinstance(request, CancelRequest):
            self._end_view(request.figure)
        elif isinstance(request, ViewRequest):
            self._unfollow()
            self._end_view(request.figure, replaced=True)
            self.renewed = None
            view = View(self, backend, shown, request)
            self.views[request.figure] = view
            view.begin()
        else:  # each number that the figure does not have would be a task and a listener of its own
            requests.one_of("layer", request.layer, len(figures[request.figure].layers), request.id)
            self._unfollow()
            if self.follower is not None:
                self.follower.asked(request.figure)
            place = (request.figure, request.layer)
            before = self.asked.get(place)
            task = self._spawn(self._guarded(partial(self._layer, request, shown, backend), request.id, *place))
            self.asked[place] = task
            if before is not None:
                before.cancel()

    def _follow(self, request: FollowRequest, figures: int) -> None:
        if self.follower is None:
            raise requests.about(BadInput("Open the socket with ?follow=1 to follow data."), request.id)
        for figure, _ in request.followed.figures if request.followed else ():
            requests.one_of("figure", figure, figures, request.id)
        try:
            is_due = self.follower.is_due(request)
        except BadInput as error:
            raise requests.about(error, request.id) from None
        if is_due:
            self._unfollow()
            self.following = self._spawn(self._guarded(partial(self.follower.answer, request), request.id, 0))

    def _brush(self, request: BrushRequest, shown: Shown, backend: Backend) -> None:
        """A step of the connection's brush."""
        figures = shown.document.figures()
        for figure, layer in ((request.figure, request.layer), *((t.figure, t.layer) for t in request.targets)):
            requests.one_of("figure", figure, len(figures), request.id)
            requests.one_of("layer", layer, len(figures[figure].layers), request.id)
        if self.brushing is None:
            self.brushing = Brushing(self, backend)
        work = self.brushing.take(request)
        if work is not None:
            self._spawn(work())

    def _unfollow(self) -> None:
        """What the page wanted to follow is no longer what it shows."""
        if self.following is not None:
            self.following.cancel()
            self.following = None

    async def _layer(self, request: LayerRequest, shown: Shown, backend: Backend) -> None:
        place, principal = (request.figure, request.layer), self.principal

        def progress(report: dict[str, Any]) -> None:
            self.put(Message(Type.PROGRESS, json_parts(report), request.id, *place))

        try:
            async for answer in backend.layer(shown.document, request.definition, progress, principal, shown.usage):
                parts = await answer_parts(answer, self.site.limits.labels_bytes)
                if self.is_open:
                    self.outbox.drop(("layer", *place))  # what was not sent yet is out of date
                self.put(Message(Type.LAYER, parts, request.id, *place, tag=("layer", *place)))
        except asyncio.CancelledError:
            if self.is_open and self.shown is shown:
                self._error(request.id, Cancelled("A newer request for this layer came first."), *place)
            raise

    def _end_view(self, figure: int, replaced: bool = False) -> None:
        view = self.views.pop(figure, None)
        if view is None:
            return
        view.end()
        if view.task is not None:
            view.task.cancel()
        self.outbox.drop(view)
        if self.backend is not None and not replaced:  # else the new view takes the slot over, with what both want
            self.backend.runner.drop(self, figure)

    def begin(self, view: View) -> asyncio.Task[None]:
        """Begin a view in a task, or begin it again."""
        return self._spawn(self._guarded(view.start, view.request.id, view.request.figure))

    # --- tasks -------------------------------------------------------------------------------------------------------

    async def _guarded(
        self, work: Callable[[], Coroutine[Any, Any, None]], request: int, figure: int, layer: int = 0
    ) -> None:
        """Do the work of a request. It is begun here: a task that is cancelled before leaves no coroutine behind."""
        try:
            await work()
        except Exception as error:
            self.fail_request(request, error, figure, layer)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        for place, each in list(self.asked.items()):
            if each is task:
                del self.asked[place]
                self.rested()

    def _full(self, behind: bool) -> None:
        if self.backend is not None:
            self.backend.runner.pause(self, behind)

    def _reads(self) -> None:
        """The browser takes in what it is sent: its work need not come after that of others any more."""
        if self.backend is not None:
            self.backend.runner.follow(self, False)

    def _count_malformed(self) -> None:
        now = time.monotonic()
        self.malformed.append(now)
        while now - self.malformed[0] > _MINUTE:
            self.malformed.popleft()
        if len(self.malformed) >= self.site.limits.malformed_per_minute:
            self.outbox.end(partial(self.leave, MALFORMED, "messages are JSON objects"))
