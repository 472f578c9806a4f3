"""`bigviz serve` with the arguments of a configuration of deploy/."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection

from ..command_line import Process
from ..patience import PATIENCE, eventually
from .proxies import free_port


@contextmanager
def started(arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> Iterator[int]:
    """The port of a server with these arguments, the first of which is `serve`, once it answers."""
    port = free_port()
    process = Process(*arguments, "--port", port, env={**os.environ, **(environment or {})})
    try:
        process.until("http")
        eventually(lambda: status(port, "/healthz"))
        yield port
    finally:
        process.close()


def status(port: int, path: str, **headers: str) -> int:
    """What a request to this machine is answered."""
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", path, headers=headers)
    found = connection.getresponse().status
    connection.close()
    return found
