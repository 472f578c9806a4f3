"""Viewers that ask for their next view as soon as they have the last: one thread that reads bytes and decodes nothing,
so that it takes the server's cores as little as it can.

`python -m bench.load.pressing` is told a `Job` and tells an `Outcome` as `bench.load.clients` does.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time
from dataclasses import asdict
from typing import Final

from bench.load.clients import Job, Outcome
from bench.load.machine import LOCAL, raise_file_limit
from bench.load.socket import Opcode, frame_of, upgrade
from bigviz.wire.frames import MAGIC, Type

__all__ = ["Pressing", "Skipper"]

_BUFFER: Final = 1 << 18
_LATEST: Final = 60.0
_DONE: Final = MAGIC + bytes([Type.DONE])
_ERROR: Final = MAGIC + bytes([Type.ERROR])
_LOOKED_AT: Final = len(_DONE)
_CONTROL: Final = 8


class Skipper:
    """Bytes from a server in any pieces: of each frame its opcode, and how its payload begins; all of it of a control
    frame, the rest is skipped."""

    def __init__(self) -> None:
        self._skip = 0  # bytes of what comes that belong to a frame that was looked at
        self._rest = b""

    def feed(self, data: bytes | memoryview) -> list[tuple[int, bytes]]:
        """What frames begin with these bytes."""
        if self._rest:
            data, self._rest = self._rest + data, b""
        found, at, size = list[tuple[int, bytes]](), self._skip, len(data)
        while at < size:
            place = _place(data, at)
            if place is None:
                self._rest = bytes(data[at:])
                at = size
                break
            start, length = place
            opcode = data[at] & 0x0F
            looked = length if opcode & _CONTROL else min(_LOOKED_AT, length)
            if size < start + looked:
                self._rest = bytes(data[at:])
                at = size
                break
            found.append((opcode, bytes(data[start : start + looked])))
            at = start + length
        self._skip = at - size
        return found


def _place(data: bytes | memoryview, at: int) -> tuple[int, int] | None:
    """Where the payload of a frame begins, and its length; None where that is not there yet."""
    if len(data) < at + 2:
        return None
    length = data[at + 1] & 0x7F
    start = at + (2 if length < 126 else 4 if length == 126 else 10)
    if len(data) < start:
        return None
    return start, length if length < 126 else int.from_bytes(data[at + 2 : start], "big")


class _Viewer:
    """One socket."""

    def __init__(self, job: Job, number: int) -> None:
        texts = job.messages[number % len(job.messages)]
        self._frames = [
            frame_of(Opcode.TEXT, f'{{"id": {at + 1}, {each[1:]}'.encode()) for at, each in enumerate(texts)
        ]
        self._asked = 0
        self.since = 0.0
        self._skipper = Skipper()
        source = job.sources[number % len(job.sources)]
        self.socket = socket.create_connection((LOCAL, job.port), _LATEST, source_address=(source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(upgrade(f"{LOCAL}:{job.port}", job.path))
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.socket.recv(1)
        self.status = head.split(b" ", 2)[1].decode()

    def ask(self) -> None:
        """Send the next view."""
        self.since = time.perf_counter()
        self.socket.sendall(self._frames[self._asked % len(self._frames)])
        self._asked += 1

    def read(self, buffer: memoryview) -> list[bytes]:
        """How the frames begin that have come. Raises ConnectionError where the server has closed the connection."""
        size = self.socket.recv_into(buffer)
        found = list[bytes]()
        for opcode, start in self._skipper.feed(buffer[:size]):
            if opcode == Opcode.PING:
                self.socket.sendall(frame_of(Opcode.PONG, start))
            elif opcode == Opcode.BINARY:
                found.append(start)
        if not size:
            raise ConnectionError("the server has closed the connection of a viewer")
        return found


class Pressing:
    """The viewers of a job, in this process."""

    def __init__(self, job: Job) -> None:
        self.job, self.outcome = job, Outcome()
        self._viewers: dict[int, _Viewer] = {}
        self._poll = select.epoll()
        self._buffer = memoryview(bytearray(_BUFFER))

    def arrive(self) -> None:
        """Connect all, and wait until they are greeted."""
        for number in range(self.job.count):
            viewer = _Viewer(self.job, number)
            self._viewers[viewer.socket.fileno()] = viewer
            self.outcome.statuses[viewer.status] = self.outcome.statuses.get(viewer.status, 0) + 1
            while not viewer.read(self._buffer):
                pass
            viewer.socket.setblocking(False)
            self._poll.register(viewer.socket, select.EPOLLIN)
            self.outcome.greeted += 1

    def work(self) -> None:
        """Ask, until the job's seconds are over."""
        used, end = time.process_time(), time.perf_counter() + self.job.seconds
        for viewer in self._viewers.values():
            viewer.ask()
        while (now := time.perf_counter()) < end:
            for descriptor, _ in self._poll.poll(end - now):
                self._heard(self._viewers[descriptor])
        self.outcome.cpu = time.process_time() - used

    def _heard(self, viewer: _Viewer) -> None:
        for kind in viewer.read(self._buffer):
            if kind == _DONE:
                self.outcome.milliseconds.append((time.perf_counter() - viewer.since) * 1e3)
            elif kind == _ERROR:
                self.outcome.failed += 1
            else:
                continue
            viewer.ask()


def _main() -> None:
    raise_file_limit()
    pressing = Pressing(Job(**json.loads(sys.stdin.readline())))
    pressing.arrive()
    print(json.dumps(asdict(pressing.outcome)), flush=True)
    sys.stdin.readline()
    pressing.work()
    print(json.dumps(asdict(pressing.outcome)), flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    _main()
