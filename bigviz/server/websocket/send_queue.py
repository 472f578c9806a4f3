"""What is still to be sent to one browser: bounded, in order, and able to drop what a newer view made useless."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from bigviz.server.limits import Limits
from bigviz.wire.frames import HEADER, Bytes, Part, in_pieces

__all__ = ["Message", "Outbox", "Sink"]

_AHEAD: Final = 256 << 10  # bytes handed to the sink before waiting for it: enough for a usual view in one go
_PATIENT: Final = 0.25  # seconds without one byte read, after which a browser gets no work done: a slow line reads some
_PROVEN: Final = 256 << 10  # bytes that a machine does not take in unless its browser reads: a first view has more
_LOOK: Final = 1.0  # seconds between two looks at a browser that reads nothing


@dataclass(eq=False, slots=True)  # thousands a second are made
class Message:
    """One message before it is numbered. Messages with the tag of a view that was replaced can be dropped."""

    kind: int
    parts: Sequence[Part]
    request: int = 0
    figure: int = 0
    layer: int = 0
    queue_us: int | None = None
    tag: Hashable = None

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return sum(HEADER.size + len(part.json) + len(part.body) for part in self.parts)


class Sink(Protocol):
    """Takes frames to one browser, in order."""

    @property
    def gone(self) -> type[Exception]:
        """What `send_frames` raises, or its future ends with, when the browser is gone."""

    def send_frames(self, frames: Sequence[Sequence[Bytes]]) -> asyncio.Future[None]:
        """Take frames, each in pieces; done when they have left and room is for others. Until then the rest waits in
        the outbox."""

    def unread(self) -> int:
        """Bytes of these frames that the browser's machine has not acknowledged. While a write is awaited this falls as
        the browser reads."""


class Outbox:
    """Messages for one sink, handed to it piece by piece, so that unread output stays here, counted and droppable.

    What is put in one step of the event loop is handed over together in the next. `full(True)` is called when the
    browser is behind, `full(False)` when it has caught up, `give_up()` once when it has read nothing for
    `stalled_seconds`, reads less than `slowest_bytes` a second beyond that, or when more than `unread_bytes` wait.

    A browser is behind when more than `unread_soft_bytes` wait, and when it has read nothing for `_PATIENT` seconds:
    its newer views would take the place of those that wait, so their bytes alone would never hold it up. `reads()` is
    called once when it has read `_PROVEN` bytes.
    """

    def __init__(
        self,
        sink: Sink,
        epoch: int,
        limits: Limits,
        full: Callable[[bool], None],
        give_up: Callable[[], None],
        reads: Callable[[], None] = lambda: None,
    ) -> None:
        self._sink = sink
        self._epoch = epoch
        self._limits = limits
        self._full = full
        self._give_up = give_up
        self._reads: Callable[[], None] | None = reads
        self._queue: deque[Message] = deque()
        self._begun: deque[Sequence[Bytes]] = deque()  # frames of a message that are still to be handed over
        self._sequence = 1
        self._waiting = 0
        self._behind = False
        self._stuck = False
        self._closed = False
        self._loop = asyncio.get_running_loop()
        self._busy = False  # a step is to come, or the sink has not taken the last one's frames
        self._task: asyncio.Task[None] | None = None
        self._then: Callable[[], None] | None = None
        self.sent = 0

    def put(self, message: Message) -> None:
        """Send a message after those that wait already. Nothing is sent after `close`."""
        if self._closed:
            return
        self._queue.append(message)
        self._waiting += message.size
        if self._waiting > self._limits.unread_bytes:
            self._fail()
            return
        self._tell()
        if not self._busy:
            self._busy = True
            self._loop.call_soon(self._step)

    def drop(self, tag: Hashable) -> None:
        """Forget the messages of a tag of which nothing was sent yet."""
        gone = sum(message.size for message in self._queue if message.tag == tag)
        if gone:
            self._queue = deque(message for message in self._queue if message.tag != tag)
            self._waiting -= gone
            self._tell()

    def end(self, then: Callable[[], None]) -> None:
        """Take nothing more; call `then` when what waits has been sent."""
        self._closed = True
        if self._busy:
            self._then = then
        else:
            then()

    def close(self) -> None:
        """Forget everything."""
        self._closed = True
        self._queue.clear()
        self._begun.clear()
        if self._task is not None:
            self._task.cancel()

    def _step(self) -> None:
        """Hand over what there is, or the first of it. That the sink takes it at once is usual, and takes no task."""
        if self._reads is not None and self.sent >= _PROVEN and self.sent - self._sink.unread() >= _PROVEN:
            self._reads()
            self._reads = None
        frames, size = self._next()
        if not frames:
            self._rest()
            return
        try:
            sending = self._sink.send_frames(frames)
        except self._sink.gone:
            self._rest()
            return
        if sending.done():
            self._taken(sending, size)
        else:
            self._task = asyncio.ensure_future(self._wait(sending, size))

    def _next(self) -> tuple[list[Sequence[Bytes]], int]:
        """The frames that are handed over next, and their bytes."""
        frames, size = list[Sequence[Bytes]](), 0
        while size < _AHEAD and (self._begun or self._queue):
            if not self._begun:
                self._begun.extend(self._numbered(self._queue.popleft()))
            frames.append(self._begun.popleft())
            size += sum(map(len, frames[-1]))
        return frames, size

    async def _wait(self, sending: asyncio.Future[None], size: int) -> None:
        """Wait until the browser has taken in the last of so many bytes; give it up if it is too slow."""
        begun = heard = self._loop.time()
        end, left = begun + self._limits.stalled_seconds + size / self._limits.slowest_bytes, self._sink.unread()
        while True:
            now = self._loop.time()
            stalled = heard + self._limits.stalled_seconds
            if now >= min(stalled, end):
                sending.add_done_callback(_ignore)
                self._fail()
                self._rest()
                return
            look = _LOOK if self._stuck else _PATIENT
            await asyncio.wait([sending], timeout=min(look, stalled - now, end - now))
            if sending.done():
                self._taken(sending, size)
                return
            before, left = left, self._sink.unread()
            if left < before:
                heard = self._loop.time()
            self._stuck = left >= before
            self._tell()

    def _taken(self, sending: asyncio.Future[None], size: int) -> None:
        """The sink has taken so many bytes, or its browser is gone: others have a turn before the next ones."""
        if sending.cancelled() or isinstance(sending.exception(), self._sink.gone):
            self._rest()
            return
        sending.result()
        self._stuck = False
        self._waiting -= size
        self.sent += size
        self._tell()
        if self._begun or self._queue:
            self._loop.call_soon(self._step)
        else:
            self._rest()

    def _rest(self) -> None:
        """Nothing is left to be sent, or nobody to send it to."""
        self._busy = False
        if self._then is not None:
            then, self._then = self._then, None
            then()

    def _numbered(self, message: Message) -> list[Sequence[Bytes]]:
        made = in_pieces(
            message.kind,
            message.parts,
            sequence=self._sequence,
            epoch=self._epoch,
            request=message.request,
            figure=message.figure,
            layer=message.layer,
            queue_us=message.queue_us,
        )
        self._sequence += len(made)
        return made

    def _tell(self) -> None:
        behind = self._stuck or self._waiting > self._limits.unread_soft_bytes
        if behind != self._behind:
            self._behind = behind
            self._full(behind)

    def _fail(self) -> None:
        if not self._closed:
            self.close()
            self._give_up()


def _ignore(sending: asyncio.Future[None]) -> None:
    if not sending.cancelled():
        sending.exception()
