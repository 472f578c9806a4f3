"""The websocket at `/D/ws`, which carries one viewer of a document."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Awaitable, Sequence
from itertools import chain
from typing import Any, Final

from tornado.iostream import StreamClosedError
from tornado.web import HTTPError
from tornado.websocket import WebSocketHandler

from bigviz.common.errors import BigvizError, Forbidden, NotFound, Unauthorized
from bigviz.common.rate_limit import Tokens
from bigviz.server.access.credentials import PROTOCOL, TOKEN_PROTOCOL
from bigviz.server.access.gate import Need
from bigviz.server.access.same_origin import foreign_origin, is_embedded
from bigviz.server.eager import begun
from bigviz.server.http.base import Guarded
from bigviz.server.site import Site
from bigviz.server.websocket.socket_queue import drop_unsent, hold_little_unsent, unacknowledged
from bigviz.server.websocket.viewer import Viewer
from bigviz.wire.frames import DENIED, FLOODED, GONE, OTHER_VERSION, UNREAD, VERSION, Bytes

__all__ = ["Websocket"]

_BINARY: Final = 0x82  # a whole message
_CHUNK: Final = 1 << 13  # bytes of memory for each read: a message of a page has some hundred
_PINGS_TO_ANSWER: Final = 1.5  # after so many times the pause between two, one was not answered
_LONGEST_REASON: Final = 123  # bytes, of a close frame
_PRIVATE: Final = "This plot is not there, or is not public: bigviz.embed with origin= makes a tag that may show it."


class Websocket(Guarded, WebSocketHandler):
    """The connection of one browser to one document."""

    need = Need.shown()
    gone = StreamClosedError

    def initialize(self, site: Site) -> None:
        self.site = site
        self.controls = Tokens(site.limits.messages_burst, site.limits.messages_per_second)
        self.name = ""
        self.follows, self.speaks = False, True
        self.resumes: str | None = None
        self.answered = time.monotonic()  # when the browser answered a ping last: those that read nothing may ask on
        self.viewer: Viewer | None = None
        self.refusal: BigvizError | None = None

    async def get(self, *args: str, **kwargs: Any) -> None:
        """The upgrade; 400 for a query that is no UTF-8."""
        (self.name,) = args
        self.follows = self.get_query_argument("follow", "") == "1"
        self.resumes = self.get_query_argument("session", None)
        self.speaks = self.get_query_argument("protocol", str(VERSION)) == str(VERSION)
        await super().get()

    def check_source(self) -> None:
        """403 for another origin, and for none: browsers always send one, and other clients can."""
        if self.request.headers.get("Upgrade", "").lower() != "websocket":
            raise HTTPError(400)
        if not self.site.hosts.allows_origin(self.request.headers.get("Origin")):
            if (origin := foreign_origin(self.request)) is not None:
                self.site.access.foreign_pages.tell(origin)
            raise HTTPError(403)

    def fail(self, error: BigvizError) -> None:
        """An embedded page is told why when its socket is closed: of an upgrade that fails, scripts learn nothing."""
        if is_embedded(self.request) and isinstance(error, Forbidden | NotFound | Unauthorized):
            self.refusal = error
        else:
            super().fail(error)

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        """The one of ours: a browser whose page names some needs one of them to be chosen."""
        return PROTOCOL if PROTOCOL in subprotocols else None

    def check_origin(self, origin: str) -> bool:
        return self.site.hosts.allows_origin(origin)

    def get_compression_options(self) -> None:
        return None

    async def open(self, *args: str, **kwargs: str) -> None:
        if self.refusal is not None:
            code = GONE if isinstance(self.refusal, NotFound) else DENIED
            self.hang_up(code, self.refusal.message if self.has_token else _PRIVATE)
            return
        stream: Any = self.ws_connection.stream  # type: ignore[union-attr]
        stream.set_nodelay(True)
        stream.read_chunk_size = _CHUNK
        stream.max_write_buffer_size = self.site.limits.unread_bytes
        hold_little_unsent(stream.socket)
        self.viewer = Viewer(
            self.site, self.name, self.credentials, self.principal, self, self.follows, self.resumes
        )  # fmt: skip
        if self.speaks:
            self.viewer.open()
        else:
            self.viewer.leave(OTHER_VERSION, f"this server speaks version {VERSION}")

    @property
    def has_token(self) -> bool:
        """Whether the page has sent a token."""
        return TOKEN_PROTOCOL in self.request.headers.get("Sec-WebSocket-Protocol", "")

    def on_message(self, message: str | bytes) -> Awaitable[None] | None:
        return None if self.viewer is None else begun(self.viewer.receive(message))

    def on_close(self) -> None:
        if self.viewer is not None:
            quiet = time.monotonic() - self.answered > _PINGS_TO_ANSWER * self.site.limits.ping_seconds
            if quiet and self.viewer.code is None:  # Tornado has closed it: a ping was not answered
                self.viewer.code = UNREAD
                self.site.metrics.closed.labels(str(UNREAD)).inc()
            self.viewer.closed(self.close_code)

    # --- what the viewer sends ---------------------------------------------------------------------------------------

    def send_frames(self, frames: Sequence[Sequence[Bytes]]) -> asyncio.Future[None]:
        """Hand frames to the socket in one write; done when the kernel has taken them. Raises StreamClosedError.

        As `write_message` of Tornado does, which makes a write and a task for each frame.
        """
        connection: Any = self.ws_connection
        if connection is None or connection.is_closing():
            raise StreamClosedError
        heads = (_binary_head(sum(map(len, pieces))) for pieces in frames)
        together = chain.from_iterable((head, *pieces) for head, pieces in zip(heads, frames, strict=True))
        written: asyncio.Future[None] = connection.stream.write(b"".join(together))
        return written

    def unread(self) -> int:
        """Bytes that were written and that the browser's machine has not acknowledged."""
        connection: Any = self.ws_connection
        if connection is None or connection.is_closing():
            return 0
        stream = connection.stream
        return len(stream._write_buffer) + unacknowledged(stream.socket)

    def hang_up(self, code: int, reason: str) -> None:
        """Begin the closing handshake; nothing happens on a connection that is closing."""
        self.close(code, _short_reason(reason))

    def cut_off(self) -> None:
        """End the connection at once. A closing handshake would come after all that the browser does not read, and
        hold it for five more seconds."""
        connection: Any = self.ws_connection
        if connection is not None and not connection.stream.closed():
            drop_unsent(connection.stream.socket)
            connection.client_terminated = True  # nothing that it has sent already is handed out any more
            connection.stream.close()

    # --- pings and pongs ---------------------------------------------------------------------------------------------

    def on_ping(self, data: bytes) -> None:
        self._count_control()

    def on_pong(self, data: bytes) -> None:
        self.answered = time.monotonic()
        self._count_control()

    def _count_control(self) -> None:
        """Pings and pongs cost what requests do, of a bucket of their own, so that a busy browser may answer pings.

        No browser sends so many: a client that does is cut off at once. A closing handshake would let it go on, and
        Tornado hands out what it has read already until the client counts as gone.
        """
        connection: Any = self.ws_connection
        if self.viewer is not None and connection is not None and not self.controls.pay():
            self.viewer.leave(FLOODED, "send fewer pings")
            connection.client_terminated = True
            connection.stream.close()


def _binary_head(size: int) -> bytes:
    """What stands before a binary message of so many bytes: RFC 6455, section 5.2."""
    if size < 126:
        return struct.pack("!BB", _BINARY, size)
    if size < 1 << 16:
        return struct.pack("!BBH", _BINARY, 126, size)
    return struct.pack("!BBQ", _BINARY, 127, size)


def _short_reason(message: str) -> str:
    """A message as the reason of a close frame, which has at most 123 bytes."""
    encoded = message.encode()
    return message if len(encoded) <= _LONGEST_REASON else encoded[: _LONGEST_REASON - 3].decode(errors="ignore") + "…"
