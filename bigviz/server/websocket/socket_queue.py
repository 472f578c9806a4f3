"""What the kernel holds of a connection's output: how much that may be, how much of it is not acknowledged yet, and how
to let go of it."""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from fcntl import ioctl
from termios import TIOCOUTQ
from typing import Final

__all__ = ["drop_unsent", "hold_little_unsent", "unacknowledged"]

_UNSENT: Final = 128 << 10  # bytes; the kernel's own bound grows to 4 MiB, of which nothing could be dropped
_INT: Final = struct.Struct("@i")
_AT_ONCE: Final = struct.pack("@ii", 1, 0)  # of SO_LINGER: a close waits, for no time


def hold_little_unsent(connection: socket.socket) -> None:
    """Let the kernel take output only as it can send it soon: what waits beyond 128 KiB waits in the server, where it
    is counted and can be dropped. What is on its way does not count, so a fast, far connection is not slowed down.

    `TCP_NOTSENT_LOWAT` of Linux and macOS (https://lwn.net/Articles/560082/); nothing happens on other sockets.
    """
    option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
    if option is not None and connection.family in (socket.AF_INET, socket.AF_INET6):
        with suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, option, _UNSENT)


def unacknowledged(connection: socket.socket) -> int:
    """Bytes in the kernel that the other side has not acknowledged; 0 where the system does not tell. What its kernel
    has room for is acknowledged, whether it is read or not; beyond that it stays here until it is read."""
    try:
        return int(_INT.unpack(ioctl(connection.fileno(), TIOCOUTQ, bytes(_INT.size)))[0])
    except OSError:
        return 0


def drop_unsent(connection: socket.socket) -> None:
    """Let the kernel forget what is not acknowledged when the connection is closed, and reset it. Otherwise it would
    try for minutes to send that to someone who reads nothing."""
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
