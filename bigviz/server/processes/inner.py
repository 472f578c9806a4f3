"""What processes of one server say to each other: lines, and requests that one passes on to another, at unix sockets
that only the user of the server can reach.

A connection begins with a line: `request ADDRESS SCHEME`, after which one HTTP request follows as the client at that
address sent it; or it is `versions`, after which the writer of streams tells of each version, `metrics`, `sessions`, or
`question`.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from tornado.http1connection import HTTP1ServerConnection
from tornado.httpserver import HTTPServer, _HTTPRequestContext
from tornado.httputil import HTTPMessageDelegate
from tornado.iostream import IOStream, StreamClosedError, UnsatisfiableReadError
from tornado.web import Application

from bigviz.server.limits import Limits

__all__ = ["METRICS", "QUESTION", "SESSIONS", "VERSIONS", "InnerListener", "connected", "is_passed_on", "request_line"]

VERSIONS: Final = b"versions\n"
"""The line of a process that wants to hear of streams."""
METRICS: Final = b"metrics\n"
"""The line of one that wants to know what another one counts, which is all that comes."""
SESSIONS: Final = b"sessions\n"
"""The line of a process whose pages have sessions at the other: see `bigviz.server.processes.sessions`."""
QUESTION: Final = b"question\n"
"""The line of one that asks something of a selection, which follows as a `Link` carries it, as does the answer."""

_LONGEST: Final = 200
_SECONDS: Final = 10.0

Answers = Mapping[bytes, Callable[[IOStream], None]]


class InnerListener(HTTPServer):
    """Answers what other processes pass on as if it had come from their clients. `answers` are called with the
    connections of those who begin with their lines."""

    def initialize(self, app: Application, limits: Limits, answers: Answers) -> None:  # type: ignore[override]
        super().initialize(
            app,
            idle_connection_timeout=limits.header_seconds,
            body_timeout=limits.body_seconds,
            max_header_size=2 * limits.header_bytes,
            max_body_size=limits.body_bytes,
            max_buffer_size=2 * max(limits.frame_bytes, limits.header_bytes, limits.body_bytes),
        )
        self._answers = answers

    def handle_stream(  # type: ignore[override]
        self, stream: IOStream, address: tuple[Any, ...]
    ) -> Awaitable[None]:
        """A new connection."""
        return self._begin(stream, address)

    async def _begin(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        try:
            read = stream.read_until(b"\n", max_bytes=_LONGEST)
            line = bytes(await asyncio.wait_for(read, _SECONDS))
        except (StreamClosedError, TimeoutError, UnsatisfiableReadError):
            stream.close()
            return
        kind, *rest = line.decode("latin-1").split() or [""]
        answer = self._answers.get(line)
        if answer is not None:
            answer(stream)
        elif kind == "request" and len(rest) == 2:
            context = _HTTPRequestContext(stream, address, rest[1])
            context.remote_ip = rest[0]
            context.passed_on, context.has_asked = True, False  # type: ignore[attr-defined]
            connection = HTTP1ServerConnection(stream, self.conn_params, context)
            self._connections.add(connection)
            connection.start_serving(self)
        else:
            stream.close()

    def start_request(self, server_conn: object, request_conn: Any) -> HTTPMessageDelegate:
        """The one request of a connection. Whatever comes behind it is none: it would be believed as what another
        process passes on, and could say of itself what only a trusted proxy may."""
        context = request_conn.context
        if context.has_asked:
            request_conn.stream.close()
        context.has_asked = True
        return super().start_request(server_conn, request_conn)


def is_passed_on(connection: Any) -> bool:
    """Whether what comes on a connection was passed on by another process."""
    return getattr(connection.context, "passed_on", False)


def request_line(address: str, scheme: str) -> bytes:
    """What stands before a request of a client."""
    return f"request {address} {scheme}\n".encode("latin-1")


async def connected(place: str, line: bytes) -> IOStream:
    """A connection to the process that listens at a path, which has been sent a line. Raises StreamClosedError."""
    stream = IOStream(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
    try:
        await stream.connect(place)
        await stream.write(line)
    except BaseException:
        stream.close()
        raise
    return stream
