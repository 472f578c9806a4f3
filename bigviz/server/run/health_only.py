"""Connections beyond the limit: they are told whether the server lives, since probes come from busy addresses too."""

from __future__ import annotations

from copy import copy
from typing import Any, Final

from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, RequestStartLine, ResponseStartLine

from bigviz.common.errors import Busy
from bigviz.server.access.same_origin import SAFE
from bigviz.server.error_json import describe, dump
from bigviz.server.http.content_types import JSON

__all__ = ["HealthOnly"]

_HEALTH: Final = "/healthz"


class HealthOnly(HTTPMessageDelegate):
    """Hands a request for `/healthz` on, answers 503 to any other, and lets the connection end after it."""

    def __init__(self, delegate: HTTPMessageDelegate, connection: Any) -> None:
        self._delegate = delegate
        self._connection = connection
        connection.params = copy(connection.params)
        connection.params.no_keep_alive = True
        self._passes = False

    def headers_received(self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders) -> Any:
        """The head of the request is there."""
        if isinstance(start_line, RequestStartLine) and start_line.method in SAFE:
            self._passes = start_line.path.partition("?")[0].endswith(_HEALTH)
        if self._passes:
            return self._delegate.headers_received(start_line, headers)
        body = dump(describe(Busy("Too many connections are open: close some, or try again in a second.")))
        given = {"Content-Type": JSON, "Content-Length": str(len(body)), "Retry-After": "1", "Connection": "close"}
        status = ResponseStartLine("HTTP/1.1", 503, "Service Unavailable")
        self._connection.write_headers(status, HTTPHeaders(given), body)
        self._connection.finish()
        return None

    def data_received(self, chunk: bytes) -> Any:
        """A piece of the body."""
        return self._delegate.data_received(chunk) if self._passes else None

    def finish(self) -> None:
        """The request is whole."""
        if self._passes:
            self._delegate.finish()

    def on_connection_close(self) -> None:
        """The client is gone."""
        if self._passes:
            self._delegate.on_connection_close()
