"""The brush of a connection: the newest step is answered next, and what it replaces is not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from bigviz.common.cancel import Cancel
from bigviz.common.daemon_thread import in_thread
from bigviz.common.errors import Cancelled
from bigviz.server.websocket.send_queue import Message
from bigviz.wire.frames import Type, json_parts

if TYPE_CHECKING:
    from bigviz.server.brushes.steps import Answer, HeldBrush
    from bigviz.server.brushes.wanted import AskedBrush, BrushRequest
    from bigviz.server.documents.opened import Shown
    from bigviz.server.jobs.service import Backend

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
    """Lives on the event loop's thread. Its work is in one task at a time, which the viewer ends with the others."""

    def __init__(self, viewer: Brusher, backend: Backend) -> None:
        self._viewer, self._backend = viewer, backend
        self._held: HeldBrush | None = None
        self._next: BrushRequest | None = None
        self._came = asyncio.Event()
        self._cancel = Cancel()
        self._works = False
        self._taking: list[list[int]] = []

    def take(self, request: BrushRequest) -> Callable[[], Any] | None:
        """A step came: the work to be begun, unless some is under way, which goes on with this step."""
        if self._next is not None:
            self._viewer.fail_request(self._next.id, _replaced(self._next))
        self._next = request
        self._came.set()
        if self._works:
            return None
        self._works = True
        return self._work

    def close(self) -> None:
        """The connection has ended: the brush is given back."""
        self._cancel.cancel()
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
        asked = await self._asked(request)
        held = self._holding()
        brush = await self._run(partial(held.begin, asked))
        self._taking = [[want.figure, want.layer] for want, _ in asked.targets]
        if request.only_prepares:
            told = {"selected": 0, "of": 0} if request.control is None else {"taking": self._taking}
            self._done(request, {**free, **told})
            return True
        if not brush.ready:
            await in_thread(partial(brush.wait, self._cancel, False))
        return self._send(request, *await self._run(partial(held.move, asked, request.seq)))

    async def _asked(self, request: BrushRequest) -> AskedBrush:
        shown = self._viewer.shown
        assert shown is not None
        if request.control is not None:
            return await self._run(partial(self._backend.dragged, request, shown))
        return self._backend.resolved(request, shown)

    def _holding(self) -> HeldBrush:
        if self._held is None:
            self._held = self._backend.held_brush()
        return self._held

    async def _settle(self, request: BrushRequest) -> bool:
        held = self._held
        if held is None:
            return True
        asked = await self._asked(request)
        await self._run(partial(held.begin, asked))  # targets may have been zoomed before it was prepared
        return self._send(request, *await self._run(partial(held.settle, asked, request.seq)))

    async def _run(self, call: Callable[[Cancel], T]) -> T:
        return await self._backend.runner.run(self._viewer, object(), call)

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


def _replaced(request: BrushRequest) -> Cancelled:
    """The answer to a step that is not counted any more; pages know it by its field."""
    return Cancelled("A newer step of the brush came first.", "seq", request.seq)
