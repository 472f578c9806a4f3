"""Viewers that read nothing, as the kernel sees both of their ends: since when something waits for them and nothing of
it is taken in, and when they were cut off."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from array import array
from collections.abc import Mapping, Sequence
from fcntl import ioctl
from pathlib import Path
from termios import FIONREAD
from typing import Final

from bench.load.socket import Viewer

__all__ = ["Stalled"]

_LOOK: Final = 0.1
_ESTABLISHED: Final = 1  # tcpi_state, the first byte of tcp_info
_STATE: Final = struct.Struct("B")
_SOCKETS: Final = Path("/proc/net/tcp")


class Stalled:
    """Looks at viewers that have stopped reading. What their kernel has room for it takes in and acknowledges; from
    then on what they are sent waits in the server's."""

    def __init__(self, viewers: Sequence[Viewer]) -> None:
        self._open = list(viewers)
        self._taken = [0] * len(viewers)
        self._last = [time.perf_counter()] * len(viewers)
        self.cut_off: list[float] = []  # seconds in which something waited and nothing was taken in

    @property
    def left(self) -> list[float]:
        """The same, of those that are still there."""
        return [time.perf_counter() - last for last in self._last]

    async def watch(self) -> None:
        """Look ten times a second until all are cut off, or this is cancelled."""
        while self._open:
            waiting = _unacknowledged()
            for at in reversed(range(len(self._open))):
                self._look(at, waiting)
            await asyncio.sleep(_LOOK)

    def _look(self, at: int, waiting: Mapping[str, int]) -> None:
        end = _established(self._open[at])
        now = time.perf_counter()
        if end is None:
            self.cut_off.append(now - self._last[at])
            del self._open[at], self._taken[at], self._last[at]
            return
        taken = array("i", [0])
        ioctl(end.fileno(), FIONREAD, taken)
        if taken[0] > self._taken[at] or not waiting.get(_name(*end.getsockname())):
            self._taken[at], self._last[at] = taken[0], now


def _established(viewer: Viewer) -> asyncio.trsock.TransportSocket | None:
    """The socket; None once the connection has ended."""
    end = viewer.socket
    if end is None or end.fileno() < 0:
        return None
    (state,) = _STATE.unpack(end.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _STATE.size))
    return end if state == _ESTABLISHED else None


def _unacknowledged() -> dict[str, int]:
    """Bytes that the other ends of this machine's connections have sent and that were not taken in, by this end."""
    lines = (line.split() for line in _SOCKETS.read_text().splitlines()[1:])
    return {fields[2]: int(fields[4].partition(":")[0], 16) for fields in lines}


def _name(address: str, port: int) -> str:
    """An address as the kernel prints it."""
    (number,) = struct.unpack("=I", socket.inet_aton(address))
    return f"{number:08X}:{port:04X}"
