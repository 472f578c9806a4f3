"""Ports for servers that listen later than a test has to know where."""

from __future__ import annotations

import random
import socket

_CHOICE = range(20_000, 32_000)  # below those that systems give to connections of their own accord


def free_port() -> int:
    """A port of this machine on which nobody listens. No connection gets it by chance before its server listens."""
    while True:
        port = random.SystemRandom().choice(_CHOICE)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
