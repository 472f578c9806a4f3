"""Viewers that read nothing, as their own kernel sees them: when it took in a last byte, and when they were cut off."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from array import array
from collections.abc import Sequence
from fcntl import ioctl
from termios import FIONREAD
from typing import Final

from bench.load.socket import Viewer

__all__ = ["Stalled"]

_LOOK: Final = 0.1
_ESTABLISHED: Final = 1  # tcpi_state, the first byte of tcp_info
_STATE: Final = struct.Struct("B")


class Stalled:
    """Looks at viewers that have stopped reading. What their kernel has room for it takes in and acknowledges; from
    then on what they are sent waits in the server."""

    def __init__(self, viewers: Sequence[Viewer]) -> None:
        self._open = list(viewers)
        self._taken = [0] * len(viewers)
        self._last = [time.perf_counter()] * len(viewers)
        self.cut_off: list[float] = []  # seconds from the last byte taken in

    @property
    def left(self) -> list[float]:
        """Seconds since the last byte, of those that are still there."""
        return [time.perf_counter() - last for last in self._last]

    async def watch(self) -> None:
        """Look ten times a second until all are cut off, or this is cancelled."""
        while self._open:
            for at in reversed(range(len(self._open))):
                self._look(at)
            await asyncio.sleep(_LOOK)

    def _look(self, at: int) -> None:
        taken = _in_kernel(self._open[at])
        now = time.perf_counter()
        if taken is None:
            self.cut_off.append(now - self._last[at])
            del self._open[at], self._taken[at], self._last[at]
        elif taken > self._taken[at]:
            self._taken[at], self._last[at] = taken, now


def _in_kernel(viewer: Viewer) -> int | None:
    """Bytes that came and were not read; None once the connection has ended."""
    end = viewer.socket
    if end is None or end.fileno() < 0:
        return None
    (state,) = _STATE.unpack(end.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _STATE.size))
    if state != _ESTABLISHED:
        return None
    found = array("i", [0])
    ioctl(end.fileno(), FIONREAD, found)
    return found[0]
