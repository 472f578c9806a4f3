"""What is still to be sent to one browser: bounded, in order, and able to drop what a newer view made useless."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from bigviz.server.limits import Limits
from bigviz.server.websocket.intake import Intake
from bigviz.server.websocket.lookout import Lookout
from bigviz.wire.frames import HEADER, Bytes, Part, in_pieces

__all__ = ["Message", "Outbox", "Sink"]

_AHEAD: Final = 256 << 10  # bytes handed to the sink before waiting for it: enough for a usual view in one go
_PATIENT: Final = 0.25  # seconds without one byte read, after which a browser gets no work done: a slow line reads some
_PROVEN: Final = 256 << 10  # bytes that a machine does not take in unless its browser reads: a first view has more


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
        """Bytes of these frames that the browser's machine has not acknowledged: this falls as the browser reads, and
        before that as far as its machine has room."""


class Outbox:
    """Messages for one sink, handed to it piece by piece, so that unread output stays here, counted and droppable.

    What is put in one step of the event loop is handed over together in the next. `full(True)` is called when the
    browser is behind, `full(False)` when it has caught up. `give_up` is called once: with True when more than
    `unread_bytes` wait, with False when its machine has taken in nothing of what waits for `stalled_seconds`, or less
    than `slowest_bytes` a second beyond that. The `lookout` tells when to look for that.

    A browser is behind when more than `unread_soft_bytes` wait, and when some of it does not even fit into the kernel
    and nothing was taken in for `_PATIENT` seconds: its newer views would take the place of those that wait, so their
    bytes alone would never hold it up. `reads()` is called once when it has read `_PROVEN` bytes.
    """

    def __init__(
        self,
        sink: Sink,
        epoch: int,
        limits: Limits,
        full: Callable[[bool], None],
        give_up: Callable[[bool], None],
        lookout: Lookout,
        reads: Callable[[], None] = lambda: None,
    ) -> None:
        self._sink = sink
        self._epoch = epoch
        self._limits = limits
        self._full = full
        self._give_up = give_up
        self._lookout = lookout
        self._intake = Intake(limits)
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
        self._sending: asyncio.Future[None] | None = None  # the last one's frames, until it has
        self._handed = 0
        self._then: Callable[[], None] | None = None
        self.sent = 0

    def put(self, message: Message) -> None:
        """Send a message after those that wait already. Nothing is sent after `close`."""
        if self._closed:
            return
        self._queue.append(message)
        self._waiting += message.size
        if self._waiting > self._limits.unread_bytes:
            self.close()
            self._give_up(True)
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
        self._sending = None
        self._lookout.forget(self)

    def look(self, now: float) -> bool:
        """See whether the browser takes in what it was sent, and give it up if it does not; whether to look again."""
        waiting = self._sink.unread()
        self._intake.look(now, self._handed - waiting, waiting)
        if self._intake.is_over(now):
            self._fail()
            return False
        self._stuck = self._sending is not None and self._intake.rests_for(now) >= _PATIENT
        self._tell()
        return self._sending is not None or not self._intake.is_done

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
        self._intake.begin(self._loop.time(), self._handed, size)
        self._handed += size
        self._lookout.watch(self)
        if sending.done():
            self._taken(size, sending)
        else:
            self._sending = sending
            sending.add_done_callback(partial(self._was_taken, size))

    def _next(self) -> tuple[list[Sequence[Bytes]], int]:
        """The frames that are handed over next, and their bytes."""
        frames, size = list[Sequence[Bytes]](), 0
        while size < _AHEAD and (self._begun or self._queue):
            if not self._begun:
                self._begun.extend(self._numbered(self._queue.popleft()))
            frames.append(self._begun.popleft())
            size += sum(map(len, frames[-1]))
        return frames, size

    def _was_taken(self, size: int, sending: asyncio.Future[None]) -> None:
        """A write that was awaited has ended; nothing comes of one that was given up."""
        if self._sending is sending:
            self._sending = None
            self._taken(size, sending)
        elif not sending.cancelled():
            sending.exception()

    def _taken(self, size: int, sending: asyncio.Future[None]) -> None:
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
        """The browser does not take in what waits. One that was to be told a last word is left with it unsaid."""
        ended = self._closed
        self.close()
        if ended:
            self._rest()
        else:
            self._give_up(False)
