"""The listening socket and the HTTP server on it, with the bounds that Tornado leaves open."""

from __future__ import annotations

import asyncio
import errno
import resource
import socket
import ssl
from collections.abc import Collection
from typing import Any, Final

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPMessageDelegate
from tornado.iostream import IOStream
from tornado.web import Application

from bigviz.common.errors import BadInput
from bigviz.server.kept.read_ahead import ReadAhead
from bigviz.server.limits import Limits
from bigviz.server.run.health_only import HealthOnly
from bigviz.server.site import Site

__all__ = ["LOCAL", "Listener", "bind", "peer_of"]

_MOST_PROBED: Final = 200
_BACKLOG: Final = 128
_OTHER_FILES: Final = 64
_MOST_BEYOND: Final = 16  # connections beyond the limit that are held at a time
_SECONDS_TO_ASK: Final = 2.0  # after which one of these is closed

LOCAL: Final = "127.0.0.1"
"""Where a request over a unix socket comes from: only who may use the server's files on this machine can send one."""


class Listener(HTTPServer):
    """An HTTP server with a limit on connections, in all and per address, which answers from their bytes the requests
    that it has answered before. A connection beyond the limit may ask whether the server lives; anything else is
    answered 503, and the connection is closed."""

    def initialize(  # type: ignore[override]
        self, app: Application, site: Site, limits: Limits, tls: ssl.SSLContext | None = None
    ) -> None:
        super().initialize(
            app,
            ssl_options=tls,
            idle_connection_timeout=limits.header_seconds,
            body_timeout=limits.body_seconds,
            max_header_size=limits.header_bytes,
            max_body_size=limits.body_bytes,
            max_buffer_size=2 * max(limits.frame_bytes, limits.header_bytes, limits.body_bytes),
        )
        self._site = site
        self._limits = limits
        # Once a process has as many files open as it may, accepting fails again and again: stay below that.
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        room = limits.connections if files == resource.RLIM_INFINITY else files - _OTHER_FILES
        self._most = max(1, min(limits.connections, room))
        self._streams: dict[str, set[IOStream]] = {}
        # Connections beyond the number, oldest first, each with what ends it.
        self._beyond: dict[IOStream, asyncio.TimerHandle] = {}

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        """A new connection."""
        peer = peer_of(stream, address)
        if self._full(peer):
            self._let_ask(stream)
            super().handle_stream(stream, address)
            return
        self._streams.setdefault(peer, set()).add(stream)
        stream.set_nodelay(True)
        super().handle_stream(stream, address)

    def start_request(self, server_conn: object, request_conn: Any) -> HTTPMessageDelegate:
        """A new request. One over a unix socket comes from this machine (Tornado calls its address 0.0.0.0)."""
        context = request_conn.context
        if context.address_family == socket.AF_UNIX:
            context.remote_ip = LOCAL
        delegate = super().start_request(server_conn, request_conn)
        if request_conn.stream in self._beyond:
            return HealthOnly(delegate, request_conn)
        kept = self._site.kept_answers
        client = kept.client(str(context.remote_ip), context.protocol)
        request_conn.read_response = ReadAhead(request_conn, client, kept, self._site.budget, self._limits)
        return delegate

    def close_idle(self, busy: Collection[IOStream]) -> bool:
        """Close the connections that are not `busy` and have nothing left to send; whether any is still open."""
        for stream in [each for streams in self._streams.values() for each in streams]:
            if stream not in busy and not stream.closed() and not stream.writing():
                stream.close()
        return any(self._open(peer) for peer in list(self._streams))

    def abort(self) -> None:
        """Close every connection at once, upgraded ones too."""
        for streams in self._streams.values():
            for stream in streams:
                stream.close()
        self._streams.clear()
        for stream in list(self._beyond):
            stream.close()

    def _let_ask(self, stream: IOStream) -> None:
        """A connection beyond the number has `_SECONDS_TO_ASK`, and less where more of them come than are held: a probe
        asks as soon as it is connected. Tornado takes a stream's close callback for itself, so those that have ended
        are found when the next one comes."""
        ended = [each for each in self._beyond if each.closed()]
        oldest = [each for each in self._beyond if not each.closed()][: -_MOST_BEYOND + 1]
        for each in (*ended, *oldest):
            self._beyond.pop(each).cancel()
            each.close()
        self._beyond[stream] = asyncio.get_running_loop().call_later(_SECONDS_TO_ASK, stream.close)

    def _full(self, peer: str) -> bool:
        if len(self._open(peer)) + self.others_at(peer) >= self._limits.connections_per_address:
            return True
        most = min(self._most, self._limits.connections - self.others)
        if sum(map(len, self._streams.values())) < most:
            return False
        return self.connections >= most

    @property
    def connections(self) -> int:
        """How many are open."""
        return sum(len(self._open(each)) for each in list(self._streams))

    @property
    def others(self) -> int:
        """How many other processes have open, which are behind the same port."""
        return 0

    def others_at(self, peer: str) -> int:
        """How many of these come from an address."""
        return 0

    @property
    def by_address(self) -> dict[str, int]:
        """How many are open of each address."""
        return {each: len(self._open(each)) for each in list(self._streams)}

    def _open(self, peer: str) -> set[IOStream]:
        """The open connections of an address; closed ones are forgotten here, as an upgraded stream tells nobody."""
        found = {stream for stream in self._streams.get(peer, ()) if not stream.closed()}
        if found:
            self._streams[peer] = found
        else:
            self._streams.pop(peer, None)
        return found


def peer_of(stream: IOStream, address: tuple[Any, ...]) -> str:
    """The address of a connection's other end."""
    return LOCAL if stream.socket.family == socket.AF_UNIX else str(address[0])


def bind(port: int, address: str) -> tuple[list[socket.socket], int]:
    """Listening sockets and their port (port 0: any free one).

    Raises BadInput where the address is not this machine's, the port is taken (naming the next free one) or needs more
    rights.
    """
    try:
        sockets = _listening(port, address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            free = _next_free(port, address)
            hint = f": try --port {free}, or --port 0 for any free one" if free else ""
            raise BadInput(f"Port {port} of {address} is in use{hint}.", "port", port) from None
        if error.errno == errno.EACCES:
            raise BadInput(f"Port {port} needs more rights; take one from 1024 on.", "port", port) from None
        raise BadInput(f"Cannot listen at {address}: {error.strerror or error}.", "address", address) from None
    return sockets, int(sockets[0].getsockname()[1])


def _listening(port: int, address: str) -> list[socket.socket]:
    """A socket for each address that a name stands for, all with one port; none is left open where one fails."""
    found = socket.getaddrinfo(address or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    sockets: list[socket.socket] = []
    try:
        for family, place in sorted({(family, place) for family, _, _, _, place in found}):
            if sockets and family == socket.AF_INET6 and not socket.has_dualstack_ipv6():
                continue  # "localhost" where IPv6 is switched off
            each = socket.socket(family, socket.SOCK_STREAM)
            sockets.append(each)
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                each.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            first = sockets[0].getsockname()[1]
            each.bind((place[0], port or first, *place[2:]))
            each.listen(_BACKLOG)
            each.setblocking(False)
    except OSError:
        for each in sockets:
            each.close()
        raise
    return sockets


def _next_free(port: int, address: str) -> int | None:
    for each in range(port + 1, min(port + _MOST_PROBED, 65_536)):
        try:
            for found in _listening(each, address):
                found.close()
        except OSError:
            continue
        return each
    return None
