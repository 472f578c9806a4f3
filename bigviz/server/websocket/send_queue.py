"""What is still to be sent to one browser: bounded, in order, and able to drop what a newer view made useless."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from bigviz.server.limits import Limits
from bigviz.wire.frames import HEADER, Part, frames

__all__ = ["Message", "Outbox", "Sink"]

_AHEAD: Final = 256 << 10  # bytes handed to the sink before waiting for it: enough for a usual view in one go


@dataclass(frozen=True)
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
        """What `send_frame` raises, or its future ends with, when the browser is gone."""

    def send_frame(self, frame: bytes) -> asyncio.Future[None]:
        """Take a frame; done when it has left and room is for another. Until then the rest waits in the outbox."""


class Outbox:
    """Messages for one sink, handed to it piece by piece, so that unread output stays here, counted and droppable.

    `full(True)` is called when the browser is behind, `full(False)` when it has caught up, `give_up()` once when it
    reads nothing or when more than `unread_bytes` wait.
    """

    def __init__(
        self,
        sink: Sink,
        epoch: int,
        limits: Limits,
        full: Callable[[bool], None],
        give_up: Callable[[], None],
    ) -> None:
        self._sink = sink
        self._epoch = epoch
        self._limits = limits
        self._full = full
        self._give_up = give_up
        self._queue: deque[Message] = deque()
        self._sequence = 1
        self._waiting = 0
        self._behind = False
        self._closed = False
        self._task: asyncio.Task[None] | None = None
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
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._send())

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
        if self._task is None or self._task.done():
            then()
        else:
            self._task.add_done_callback(lambda _: then())

    def close(self) -> None:
        """Forget everything."""
        self._closed = True
        self._queue.clear()
        if self._task is not None:
            self._task.cancel()

    async def _send(self) -> None:
        ahead = 0
        try:
            while self._queue:
                message = self._queue.popleft()
                for frame in self._numbered(message):
                    sending = self._sink.send_frame(frame)
                    sending.add_done_callback(_ignore)
                    ahead += len(frame)
                    if ahead >= _AHEAD or not self._queue:
                        await self._taken(sending, ahead)
                        self._waiting -= ahead
                        self.sent += ahead
                        ahead = 0
                self._tell()
        except self._sink.gone:
            return
        except TimeoutError:
            self._fail()

    async def _taken(self, sending: asyncio.Future[None], ahead: int) -> None:
        """Wait until the browser has taken in the last of `ahead` bytes; TimeoutError if it is too slow."""
        if sending.done():  # the kernel had room for it, which is usual: no timer for that
            sending.result()
            await asyncio.sleep(0)
            return
        patience = self._limits.stalled_seconds + ahead / self._limits.slowest_bytes
        await asyncio.wait_for(asyncio.shield(sending), patience)

    def _numbered(self, message: Message) -> list[bytes]:
        made = frames(
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
        behind = self._waiting > self._limits.unread_soft_bytes
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
