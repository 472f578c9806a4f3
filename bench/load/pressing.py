"""Viewers that ask for their next view as soon as they have the last: one thread that reads bytes and decodes nothing, so
that it takes the server's cores as little as it can.

`python -m bench.load.pressing` is told a `Job` and tells an `Outcome` as `bench.load.clients` does.
"""

from __future__ import annotations

import json
import select
import socket
import struct
import sys
import time
from dataclasses import asdict
from typing import Final

from bench.load.clients import Job, Outcome
from bench.load.machine import LOCAL, raise_file_limit
from bench.load.socket import Opcode, frame_of, upgrade
from bigviz.wire.frames import MAGIC, Type

__all__ = ["Pressing"]

_BUFFER: Final = 1 << 18
_LATEST: Final = 60.0
_DONE: Final = MAGIC + bytes([Type.DONE])
_ERROR: Final = MAGIC + bytes([Type.ERROR])
_LOOKED_AT: Final = len(_DONE)
_HEAD: Final = 10 + _LOOKED_AT  # bytes of a frame that tell its length and what it is, at most


class _Viewer:
    """One socket. Of each frame its length and kind are looked at, the rest is skipped."""

    def __init__(self, job: Job, number: int) -> None:
        messages = job.messages[number % len(job.messages)]
        self.frames = [frame_of(Opcode.TEXT, f'{{"id": {at + 1}, {each[1:]}'.encode()) for at, each in enumerate(messages)]
        self.asked = 0
        self.since = 0.0
        self._skip = 0
        self._rest = b""
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
        self.socket.sendall(self.frames[self.asked % len(self.frames)])
        self.asked += 1

    def kinds(self, data: memoryview) -> list[bytes]:
        """What the frames are that begin in these bytes."""
        found, at, size = list[bytes](), self._skip, len(data)
        if self._rest:
            data = memoryview(self._rest + data)
            size, self._rest = len(data), b""
        while at < size:
            length = data[at + 1] & 0x7F if size > at + 1 else 0
            start = at + (2 if length < 126 else 4 if length == 126 else 10)
            if size < start or size < start + min(_LOOKED_AT, length):
                self._rest = bytes(data[at:])
                at = size
                break
            if length == 126:
                length = int.from_bytes(data[at + 2 : start], "big")
            elif length == 127:
                length = struct.unpack(">Q", data[at + 2 : start])[0]
            opcode = data[at] & 0x0F
            if opcode == Opcode.PING:
                self.socket.sendall(frame_of(Opcode.PONG, bytes(data[start : start + length])))
            elif opcode == Opcode.BINARY:
                found.append(bytes(data[start : start + _LOOKED_AT]))
            at = start + length
        self._skip = at - size
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
            while not self._read(viewer):
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
        for kind in self._read(viewer):
            if kind == _DONE:
                self.outcome.milliseconds.append((time.perf_counter() - viewer.since) * 1e3)
            elif kind == _ERROR:
                self.outcome.failed += 1
            else:
                continue
            viewer.ask()

    def _read(self, viewer: _Viewer) -> list[bytes]:
        size = viewer.socket.recv_into(self._buffer)
        if not size:
            raise ConnectionError("the server has closed the connection of a viewer")
        return viewer.kinds(self._buffer[:size])


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
