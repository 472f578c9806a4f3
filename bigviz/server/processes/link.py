"""A connection between two processes of a server, which carries JSON objects, each followed by bytes."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any, Final

from tornado.iostream import IOStream, StreamBufferFullError, StreamClosedError

from bigviz.apps.process.messages import HEAD, MOST_BODY, MOST_JSON, pack, sizes
from bigviz.common.errors import BigvizError
from bigviz.common.process.remote_errors import error_json

__all__ = ["Link"]

_log = logging.getLogger("bigviz")

_PIECE: Final = 1 << 20
_MOST_WAITING: Final = MOST_BODY + 2 * MOST_JSON
"""Bytes that the other side has not read: it is given up then."""


class Link:
    """Lives on the event loop; the user of the server alone has the other end."""

    def __init__(self, stream: IOStream) -> None:
        self._stream = stream
        stream.max_write_buffer_size = _MOST_WAITING

    def send(self, message: Mapping[str, Any], body: bytes = b"") -> None:
        """Send an object; nothing happens once the other side is gone. Raises TooLarge, and TypeError or ValueError for
        what is no JSON."""
        packed = pack(message, body)
        try:
            self._stream.write(packed + body)
        except (StreamClosedError, StreamBufferFullError):
            self._stream.close()

    def fail(self, error: Exception, **place: Any) -> None:
        """Send an error; one that is not bigviz's own is logged here, and the other side is told no more of it."""
        if not isinstance(error, BigvizError):
            _log.error("what another process asked for failed", exc_info=error)
        self.send({**place, "error": error_json(error)})

    async def receive(self) -> tuple[dict[str, Any], bytes]:
        """The next object, and the bytes after it. Raises StreamClosedError once the other side is gone."""
        text, body = sizes(await self._stream.read_bytes(HEAD.size), MOST_JSON, MOST_BODY)
        return json.loads(await self._read(text)), await self._read(body)

    def close(self) -> None:
        """Send and receive no more."""
        self._stream.close()

    async def _read(self, size: int) -> bytes:
        if size <= _PIECE:
            return await self._stream.read_bytes(size) if size else b""
        pieces = list[bytes]()
        while size:
            pieces.append(await self._stream.read_bytes(min(size, _PIECE)))
            size -= len(pieces[-1])
        return b"".join(pieces)
