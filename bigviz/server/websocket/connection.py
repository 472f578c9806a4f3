"""The websocket at `/D/ws`, which carries one viewer of a document."""

from __future__ import annotations

import asyncio
import struct
from typing import Any, Final

from tornado.iostream import StreamClosedError
from tornado.web import HTTPError
from tornado.websocket import WebSocketHandler

from bigviz.common.rate_limit import Tokens
from bigviz.server.access.gate import Need
from bigviz.server.http.base import Guarded
from bigviz.server.site import Site
from bigviz.server.websocket.viewer import Viewer
from bigviz.wire.frames import FLOODED, OTHER_VERSION, VERSION

__all__ = ["Websocket"]

_BINARY: Final = 0x82  # a whole message
_LONGEST_REASON: Final = 123  # bytes, of a close frame


class Websocket(Guarded, WebSocketHandler):
    """The connection of one browser to one document."""

    need = Need.document("viewer")
    gone = StreamClosedError

    def initialize(self, site: Site) -> None:
        self.site = site
        self.controls = Tokens(site.limits.messages_burst, site.limits.messages_per_second)
        self.name = ""
        self.viewer: Viewer | None = None

    async def get(self, *args: str, **kwargs: Any) -> None:
        """The upgrade."""
        (self.name,) = args
        await super().get()

    def check_source(self) -> None:
        """403 for another origin, and for none: browsers always send one, and other clients can."""
        if self.request.headers.get("Upgrade", "").lower() != "websocket":
            raise HTTPError(400)
        if not self.site.hosts.allows_origin(self.request.headers.get("Origin")):
            raise HTTPError(403)

    def check_origin(self, origin: str) -> bool:
        return self.site.hosts.allows_origin(origin)

    def get_compression_options(self) -> None:
        return None

    async def open(self, *args: str, **kwargs: str) -> None:
        stream: Any = self.ws_connection.stream  # type: ignore[union-attr]
        stream.set_nodelay(True)
        stream.max_write_buffer_size = self.site.limits.unread_bytes
        self.viewer = Viewer(self.site, self.name, self.credentials, self.principal, self)
        if self.get_query_argument("protocol", str(VERSION)) == str(VERSION):
            self.viewer.open()
        else:
            self.viewer.leave(OTHER_VERSION, f"this server speaks version {VERSION}")

    async def on_message(self, message: str | bytes) -> None:
        if self.viewer is not None:
            await self.viewer.receive(message)

    def on_close(self) -> None:
        if self.viewer is not None:
            self.viewer.closed(self.close_code)

    # --- what the viewer sends ---------------------------------------------------------------------------------------

    def send_frame(self, frame: bytes) -> asyncio.Future[None]:
        """Hand a frame to the socket; done when the kernel has taken it. Raises StreamClosedError.

        As `write_message` of Tornado does, which makes a task for each frame.
        """
        connection: Any = self.ws_connection
        if connection is None or connection.is_closing():
            raise StreamClosedError
        written: asyncio.Future[None] = connection.stream.write(_binary_head(len(frame)) + frame)
        return written

    def hang_up(self, code: int, reason: str) -> None:
        """Begin the closing handshake; nothing happens on a connection that is closing."""
        self.close(code, _short_reason(reason))

    # --- pings and pongs ---------------------------------------------------------------------------------------------

    def on_ping(self, data: bytes) -> None:
        self._count_control()

    def on_pong(self, data: bytes) -> None:
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
