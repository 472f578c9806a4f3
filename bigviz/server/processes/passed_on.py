"""Requests that another process has to answer: it gets them as they come, and what it answers is the answer."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from tornado.http1connection import HTTP1Connection, HTTP1ConnectionParameters
from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, RequestStartLine, ResponseStartLine
from tornado.iostream import StreamClosedError
from tornado.web import RequestHandler, stream_request_body

from bigviz.common.errors import Busy
from bigviz.server.error_json import describe, dump
from bigviz.server.http.content_types import JSON
from bigviz.server.processes.inner import connected, request_line

if TYPE_CHECKING:
    from bigviz.server.site import Site

__all__ = ["PassedOn"]

_MOST: Final = 1 << 41
_OF_CONNECTION: Final = ("Connection", "Transfer-Encoding", "Keep-Alive", "Expect", "Upgrade")
_IN_CHUNKS: Final = ("POST", "PUT", "PATCH")
"""Methods whose body Tornado sends in chunks, where nobody says how long it is."""
_ASCII: Final = "".join(map(chr, range(0x21, 0x7F)))


@stream_request_body
class PassedOn(RequestHandler):
    """Looks at nothing: the other process lets the request in or refuses it, reads its body as fast as it may come, and
    counts it."""

    def initialize(self, site: Site, place: str) -> None:
        self.site = site
        self._place = place
        self._inner: HTTP1Connection | None = None
        self._answer: asyncio.Future[bool] | None = None
        self._has_body = False

    def clear(self) -> None:
        """No header is the handler's own."""
        self._headers = HTTPHeaders()
        self._write_buffer = []
        self._status_code, self._reason = 200, "OK"

    async def prepare(self) -> None:
        """Begin the request there."""
        request, connection = self.request, self._client
        connection.set_max_body_size(_MOST)  # the route that it is for has its own limit, and its own clock
        connection.set_body_timeout(self.site.limits.upload_seconds)
        try:
            stream = await connected(self._place, request_line(str(request.remote_ip), request.protocol))
        except (StreamClosedError, OSError):
            self._refuse()
            return
        if connection.stream.closed():
            stream.close()
            return
        self.site.in_hand[self] = connection.stream
        inner = HTTP1Connection(stream, True, HTTP1ConnectionParameters(max_body_size=_MOST, max_header_size=1 << 20))
        line = RequestStartLine(str(request.method), _target(str(request.uri)), "HTTP/1.1")
        self._has_body = line.method in _IN_CHUNKS or "Content-Length" in request.headers
        inner.write_headers(line, _headers_of(request.headers, request.version))
        self._inner, self._answer = inner, asyncio.ensure_future(inner.read_response(_Answer(self)))

    async def data_received(self, chunk: bytes) -> None:
        """One piece of the body; what comes after the answer is dropped, as the other process would. So is a body
        whose end could not be told there: what is after it would be taken for another request."""
        if self._inner is not None and self._has_body and not self._finished:
            with suppress(StreamClosedError):
                await self._inner.write(chunk)

    async def _whole(self, *args: str) -> None:
        if self._inner is None or self._answer is None:
            return
        if self._finished:  # refused before its body had come
            self._inner.close()
            return
        with suppress(StreamClosedError):
            self._inner.finish()
        await self._answer
        if not self._finished:  # it ended amid its work: nobody knows whether it is done
            self._client.stream.close()

    get = head = post = put = patch = delete = options = _whole

    async def begin(self, status: ResponseStartLine, headers: HTTPHeaders) -> None:
        """The head of the answer."""
        self._set_answer(status.code, status.reason)
        self._headers = HTTPHeaders()
        for name, value in headers.get_all():
            if name not in _OF_CONNECTION or (name == "Connection" and value.lower() == "close"):
                self._headers.add(name, value)
        await self._flushed()

    async def go_on(self, chunk: bytes) -> None:
        """A piece of the answer; done once the client has taken it in. One that does not is cut off."""
        self.write(chunk)
        await self._flushed()

    def on_finish(self) -> None:
        self.site.in_hand.pop(self, None)
        if self._inner is not None:
            self._inner.close()  # Tornado keeps it open for another request, which does not come

    def on_connection_close(self) -> None:
        """The client is gone, and so is who asks there."""
        super().on_connection_close()
        self.site.in_hand.pop(self, None)
        if self._inner is not None:
            self._inner.close()

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self._client.stream.close()

    def log_exception(self, typ: Any, value: BaseException | None, tb: Any) -> None:
        if not isinstance(value, StreamClosedError):
            super().log_exception(typ, value, tb)

    @property
    def _client(self) -> Any:
        return self.request.connection

    async def _flushed(self) -> None:
        timer = asyncio.get_running_loop().call_later(self.site.limits.write_seconds, self._client.stream.close)
        try:
            await self.flush()
        except StreamClosedError:
            if self._inner is not None:
                self._inner.close()
        finally:
            timer.cancel()

    def _set_answer(self, status: int, reason: str) -> None:
        self._status_code, self._reason = status, reason

    def _refuse(self) -> None:
        body = dump(describe(Busy("The process that keeps this starts again: try again in a second.")))
        self._set_answer(503, "Service Unavailable")
        for name, value in (("Content-Type", JSON), ("Retry-After", "1"), ("Connection", "close")):
            self._headers[name] = value
        self.finish(body)


class _Answer(HTTPMessageDelegate):
    """What comes of the answer is handed on."""

    def __init__(self, handler: PassedOn) -> None:
        self._handler = handler

    def headers_received(self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders) -> Any:
        assert isinstance(start_line, ResponseStartLine)
        return self._handler.begin(start_line, headers)

    def data_received(self, chunk: bytes) -> Any:
        return self._handler.go_on(chunk)

    def finish(self) -> None:
        self._handler.finish()


def _target(uri: str) -> str:
    """What a request asks for, in ASCII. Tornado reads a path as Latin-1 and takes its names for UTF-8, and the values
    of a query for bytes: others would arrive there."""
    path, mark, query = uri.partition("?")
    return quote(path, _ASCII) + mark + quote(query.encode("latin-1"), _ASCII)


def _headers_of(headers: HTTPHeaders, version: str) -> HTTPHeaders:
    """Those of the request, but for those of its connection. HTTP/1.0 says that a proxy passed it on: see
    `is_forwarded`."""
    found = HTTPHeaders()
    for name, value in headers.get_all():
        if name not in _OF_CONNECTION:
            found.add(name, value)
    if version == "HTTP/1.0":
        found.add("Via", "1.0 bigviz")
    return found
