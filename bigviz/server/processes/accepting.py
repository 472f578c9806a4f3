"""Connections of a socket at which several processes listen: the one that has the fewest takes the next."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable
from typing import Any, Final

from bigviz.server.processes.front_end import FrontEnd

__all__ = ["Accepting"]

_PAUSE: Final = 0.002  # seconds that others have to be faster
_PAUSE_AFTER_FAILURE: Final = 0.1
_GONE: Final = (errno.ECONNABORTED, errno.EAGAIN, errno.EINTR, errno.EPROTO)


class Accepting:
    """Takes connections one by one. The kernel wakes all processes for each: those that have more than another one wait
    a moment, and take it where that one is busy. Lives on the event loop."""

    def __init__(
        self, listening: socket.socket, front_end: FrontEnd, take: Callable[[socket.socket, Any], None]
    ) -> None:
        self._socket = listening
        self._front_end = front_end
        self._take = take
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._has_waited = False
        self._loop.add_reader(listening, self._ready)

    def stop(self) -> None:
        """Take no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._loop.remove_reader(self._socket)

    def _ready(self) -> None:
        front_end = self._front_end
        if not self._has_waited and front_end.counts.is_ahead(front_end.number):
            self._wait(_PAUSE)
            return
        self._has_waited = False
        try:
            connection, address = self._socket.accept()
        except OSError as error:
            if error.errno not in _GONE:  # no descriptors are left: it stays readable until some are
                self._wait(_PAUSE_AFTER_FAILURE)
            return
        self._take(connection, address)

    def _wait(self, seconds: float) -> None:
        self._loop.remove_reader(self._socket)
        self._timer = self._loop.call_later(seconds, self._again)

    def _again(self) -> None:
        self._timer, self._has_waited = None, True
        self._loop.add_reader(self._socket, self._ready)
