"""The brush of a connection: the newest step is answered next, and what it replaces is not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Hashable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from bigviz.common.cancel import Cancel
from bigviz.common.errors import Cancelled
from bigviz.server.websocket.send_queue import Message
from bigviz.wire.frames import Type, json_parts

if TYPE_CHECKING:
    from bigviz.server.brushes.steps import Answer, HeldBrush
    from bigviz.server.brushes.wanted import AskedBrush, BrushRequest
    from bigviz.server.documents.opened import Shown
    from bigviz.server.jobs.service import Backend
    from bigviz.tiles.interface import Brush

    Told = tuple[list[Answer], dict[str, Any]]

__all__ = ["Brushing"]

T = TypeVar("T")

_REST: Final = 0.3  # seconds after which a brush that is an estimate is counted anew
_LOOK: Final = 0.03  # seconds after which it is asked again whether a brush is prepared


class Brusher(Hashable, Protocol):
    """Whose brush it is."""

    @property
    def shown(self) -> Shown | None:
        """What is shown now."""

    def put(self, message: Message) -> None:
        """Send a message."""

    def fail_request(self, request: int, error: BaseException, figure: int = 0, layer: int = 0) -> None:
        """Answer a request with an error."""


class Brushing:
    """The brush of one connection. Lives on the event loop's thread. Its work is in one task at a time, which the
    viewer ends with the others."""

    def __init__(self, viewer: Brusher, backend: Backend) -> None:
        self._viewer, self._backend = viewer, backend
        self._held: HeldBrush | None = None
        self._next: BrushRequest | None = None
        self._since = 0.0  # when the newest step came
        self._came = asyncio.Event()
        self._works = False
        self._taking: list[list[int]] = []

    def take(self, request: BrushRequest) -> Callable[[], Any] | None:
        """A step came: the work to be begun, unless some is under way, which goes on with this step."""
        if self._next is not None:
            self._viewer.fail_request(self._next.id, _replaced(self._next))
        self._next, self._since = request, time.perf_counter()
        self._came.set()
        if self._works:
            return None
        self._works = True
        return self._work

    def close(self) -> None:
        """The connection has ended: the brush is given back."""
        self._next = None
        held, self._held = self._held, None
        if held is not None:
            held.close()

    async def _work(self) -> None:
        try:
            rough: BrushRequest | None = None
            while True:
                request, self._next = self._next, None
                self._came.clear()
                if request is not None:
                    rough = None if await self._guarded(request, self._step) else request
                elif rough is None:
                    return
                elif await self._rests():
                    await self._guarded(rough, self._settle)
                    rough = None
        finally:
            self._works = False

    async def _rests(self) -> bool:
        """Whether no step comes until the brush is prepared, or for a while if it is."""
        wait = _REST if self._held is None or self._held.prepared else _LOOK
        while True:
            try:
                await asyncio.wait_for(self._came.wait(), wait)
            except TimeoutError:
                if self._held is None or self._held.prepared:
                    return True
                continue
            return False

    async def _guarded(self, request: BrushRequest, work: Callable[[BrushRequest], Any]) -> bool:
        """Do the work of a step; its error is the answer. Whether what was sent is exact."""
        try:
            return bool(await work(request))
        except Exception as error:
            self._viewer.fail_request(request.id, error, request.figure, request.layer)
            return True

    async def _step(self, request: BrushRequest) -> bool:
        """A step: an estimate until the brush is prepared."""
        free = {**_FREE, "brush": request.seq, "exact": True}
        if request.closes:
            held, self._held = self._held, None
            if held is not None:
                held.close()
            self._done(request, {**free, "selected": 0, "of": 0})
            return True
        held, since = self._holding(), self._since
        asked, brush, told, begun = await self._run(partial(self._begun, request, held))
        self._taking = [[want.figure, want.layer] for want, _ in asked.targets]
        if request.only_prepares:
            known = {"selected": 0, "of": 0} if request.control is None else {"taking": self._taking}
            self._done(request, {**free, **known})
            return True
        if told is None:
            await _some_of(brush)
            told = await self._run(partial(held.move, asked, request.seq))
        answers, done = told
        return self._send(request, answers, {**done, "queue_us": round(1e6 * (begun - since))})

    def _begun(
        self, request: BrushRequest, held: HeldBrush, cancel: Cancel
    ) -> tuple[AskedBrush, Brush, Told | None, float]:
        """What a step asks for, its brush, the answers where nothing has to be waited for, and when it was begun: one
        job, since each turn of the loop and of a thread is time between a pointer and a picture."""
        begun = time.perf_counter()
        asked = self._asked(request, cancel)
        brush = held.begin(asked, cancel)
        told = None if request.only_prepares or not brush.ready else held.move(asked, request.seq, cancel)
        return asked, brush, told, begun

    def _asked(self, request: BrushRequest, cancel: Cancel) -> AskedBrush:
        shown = self._viewer.shown
        assert shown is not None
        if request.control is not None:
            return self._backend.dragged(request, shown, cancel)
        return self._backend.resolved(request, shown)

    def _holding(self) -> HeldBrush:
        if self._held is None:
            self._held = self._backend.held_brush()
        return self._held

    async def _settle(self, request: BrushRequest) -> bool:
        held = self._held
        if held is None:
            return True
        return self._send(request, *await self._run(partial(self._settled, request, held)))

    def _settled(self, request: BrushRequest, held: HeldBrush, cancel: Cancel) -> Told:
        asked = self._asked(request, cancel)
        held.begin(asked, cancel)  # targets may have been zoomed before it was prepared
        return held.settle(asked, request.seq, cancel)

    async def _run(self, call: Callable[[Cancel], T]) -> T:
        return await self._backend.runner.run(self._viewer, object(), call, brush=True)

    def _send(self, request: BrushRequest, answers: list[Answer], done: dict[str, Any]) -> bool:
        for each in answers:
            self._viewer.put(Message(each.kind, each.parts, request.id, each.figure, each.layer))
        if request.control is not None:  # of how many rows beyond a target's filter is not told
            done = {name: value for name, value in done.items() if name not in ("selected", "of")}
            done["taking"] = self._taking
        self._done(request, done)
        return bool(done["exact"])

    def _done(self, request: BrushRequest, done: dict[str, Any]) -> None:
        self._viewer.put(Message(Type.DONE, json_parts({"tiles": 0, **done}), request.id, request.figure))


_FREE: Final = {"queue_us": 0, "kernel_us": 0, "encode_us": 0, "rows": 0, "bytes": 0}


async def _some_of(brush: Brush) -> None:
    """Wait, without a thread, until a brush answers; what preparing it raises is raised by its first move."""
    loop, some = asyncio.get_running_loop(), asyncio.Event()

    def tell() -> None:
        with suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(some.set)

    brush.tell(tell)
    await some.wait()


def _replaced(request: BrushRequest) -> Cancelled:
    """The answer to a step that is not counted any more; pages know it by its field."""
    return Cancelled("A newer step of the brush came first.", "seq", request.seq)
