"""What waits for one browser."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from bigviz.server.limits import Limits
from bigviz.server.websocket.lookout import Lookout, Watched
from bigviz.server.websocket.send_queue import Message, Outbox
from bigviz.wire.frames import Part, Type, parse

from ...patience import PATIENCE

LIMITS = Limits(unread_soft_bytes=2_000, unread_bytes=5_000, stalled_seconds=0.05, slowest_bytes=1e9)

GIVEN_UP = {True: "too much waits", False: "reads nothing"}


class Socket:
    """A browser that takes what it is handed only on command."""

    gone = ConnectionError

    def __init__(self) -> None:
        self.handed: list[bytes] = []
        self.writes = 0
        self.left: int | None = None  # None: all that it was handed and has not taken
        self.futures: list[asyncio.Future[None]] = []
        self.sizes: list[int] = []

    def send_frames(self, frames: list[list[bytes]]) -> asyncio.Future[None]:
        self.writes += 1
        self.handed += [b"".join(pieces) for pieces in frames]
        self.sizes.append(sum(len(piece) for pieces in frames for piece in pieces))
        self.futures.append(asyncio.get_running_loop().create_future())
        return self.futures[-1]

    def unread(self) -> int:
        if self.left is not None:
            return self.left
        return sum(size for size, future in zip(self.sizes, self.futures, strict=True) if not future.done())

    async def take(self) -> None:
        """Read everything, with time for more to be handed over."""
        for _ in range(30):
            for future in self.futures:
                if not future.done():
                    future.set_result(None)
            await asyncio.sleep(0)


def message(request: int, size: int = 60, parts: int = 1, tag: Any = None) -> Message:
    return Message(Type.DONE, [Part(b"{}      ", bytes(size - 8))] * parts, request=request, tag=tag)


class Asked(Lookout):
    """One that looks when it is told to, as so many seconds were over: a machine that is busy is no browser that reads
    nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.now = asyncio.get_running_loop().time()

    def watch(self, what: Watched) -> None:
        self._watched[what] = None

    def after(self, seconds: float) -> None:
        self.now = max(self.now, asyncio.get_running_loop().time()) + seconds
        for each in list(self._watched):
            self._look_at(each, self.now)


def posting(test: Any, limits: Limits = LIMITS, looks: type[Lookout] = Asked) -> None:
    async def run() -> None:
        socket, told = Socket(), []
        lookout = looks()
        box = Outbox(socket, 77, limits, told.append, lambda reads: told.append(GIVEN_UP[reads]), lookout)
        await asyncio.wait_for(test(box, socket, told), PATIENCE)
        box.close()
        assert not lookout._watched

    asyncio.run(run())


def test_frames_are_numbered_when_they_leave():
    async def test(box: Outbox, socket: Socket, told: list) -> None:
        box.put(message(1, parts=2, tag="a"))
        await asyncio.sleep(0)
        box.put(message(2, tag="b"))
        box.put(message(3, tag="c"))
        box.drop("b")
        await socket.take()
        frames = [parse(data) for data in socket.handed]
        assert [(f.sequence, f.request, f.part, f.epoch) for f in frames] == [
            (1, 1, 0, 77),
            (2, 1, 1, 77),
            (3, 3, 0, 77),
        ]
        assert box.sent == sum(map(len, socket.handed)) and box._waiting == 0 and told == []

    posting(test)


def test_a_browser_behind_is_told_of_and_again_when_it_has_caught_up():
    async def test(box: Outbox, socket: Socket, told: list) -> None:
        box.put(message(1, 1_500))
        assert told == []
        box.put(message(2, 1_000, tag="view"))
        assert told == [True]
        box.drop("view")
        assert told == [True, False]
        box.put(message(3, 1_000))
        await socket.take()
        assert told == [True, False, True, False]

    posting(test)


def test_more_than_the_bound_is_given_up_and_forgotten():
    async def test(box: Outbox, socket: Socket, told: list) -> None:
        for request in range(4):
            box.put(message(request, 1_500))
        assert told == [True, "too much waits"] and not box._queue
        box.put(message(9))
        await socket.take()
        assert 9 not in [parse(data).request for data in socket.handed]

    posting(test)


def test_a_browser_that_reads_nothing_is_given_up():
    async def test(box: Outbox, socket: Socket, told: list) -> None:
        box.put(message(1))
        while told != ["reads nothing"]:
            await asyncio.sleep(0.01)
        assert len(socket.handed) == 1

    posting(test, looks=Lookout)


def test_so_is_one_whose_kernel_has_taken_all_and_whose_machine_acknowledges_nothing():
    async def test(box: Outbox, socket: Socket, told: list) -> None:
        box.put(message(1))
        socket.left = 40
        await socket.take()
        assert box._waiting == 0
        while told != ["reads nothing"]:
            await asyncio.sleep(0.01)

    posting(test, looks=Lookout)


def test_nothing_is_looked_at_once_all_is_acknowledged():
    async def test(box: Outbox, socket: Socket, told: list) -> None:
        box.put(message(1))
        await socket.take()
        while box._lookout._timer is not None:
            await asyncio.sleep(0.01)
        assert told == []

    posting(test, looks=Lookout)


def test_the_last_word_to_one_who_reads_nothing_is_given_up_with_the_rest():
    async def test(box: Outbox, socket: Socket, told: list) -> None:
        box.put(message(1))
        box.end(lambda: told.append("end"))
        while told != ["end"]:
            await asyncio.sleep(0.01)

    posting(test, looks=Lookout)


def test_one_that_reads_slowly_is_not_given_up_and_gets_no_work_only_while_it_reads_nothing():
    async def test(box: Outbox, socket: Socket, told: list) -> None:
        socket.left = 50
        box.put(message(1))
        await asyncio.sleep(0)
        box._lookout.after(0.05)  # all but those 50 bytes were taken in
        box._lookout.after(0.3)
        assert told == [True]
        for left in range(20):  # longer than it may read nothing
            socket.left = 20 - left
            box._lookout.after(0.05)
        assert told == [True, False]
        socket.left = None
        await socket.take()
        box._lookout.after(0.05)
        assert box._waiting == 0 and told == [True, False] and not box._lookout._watched

    posting(test, replace(LIMITS, stalled_seconds=0.6, slowest_bytes=1.0))


def test_one_whose_newer_views_replace_what_waits_is_behind_all_the_same():
    async def test(box: Outbox, socket: Socket, told: list) -> None:
        box.put(message(0, 300 << 10))
        for request in range(1, 50):
            box.put(message(request, 1_000, tag="view"))
            await asyncio.sleep(0)
            box._lookout.after(0.01)
            box.drop("view")
        assert told == [True]
        await socket.take()
        assert told == [True, False]

    posting(test, Limits())


def test_who_has_read_is_told_of_once():
    async def test(box: Outbox, socket: Socket, told: list) -> None:
        box._reads = lambda: told.append("reads")
        socket.left = 200 << 10
        for request in range(4):
            box.put(message(request, 100 << 10))
            await socket.take()
        assert told == []  # 400 KiB were sent, of which the half is on the way
        socket.left = 0
        for request in range(4):
            box.put(message(request, 100 << 10))
            await socket.take()
        assert told == ["reads"]

    posting(test, Limits())


def test_a_usual_view_is_handed_over_in_one_go():
    async def test(box: Outbox, socket: Socket, told: list) -> None:
        for request in range(20):
            box.put(message(request, 10_000))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert len(socket.handed) == 20 and socket.writes == 1
        await socket.take()
        assert box._waiting == 0

    posting(test, Limits())


def test_the_end_comes_after_what_waits():
    async def test(box: Outbox, socket: Socket, told: list) -> None:
        box.put(message(1))
        box.end(lambda: told.append("end"))
        box.put(message(2))
        assert told == []
        await socket.take()
        assert told == ["end"] and [parse(data).request for data in socket.handed] == [1]
        box.end(lambda: told.append("at once"))
        assert told == ["end", "at once"]

    posting(test)
