"""Requests as Tornado hands them to handlers, without a connection."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine


def request(
    method: str = "GET", address: str = "127.0.0.1", path: str = "/", version: str = "1.1", **headers: str
) -> HTTPServerRequest:
    """A request from an address; underscores of header names are hyphens."""
    found = HTTPHeaders({"Host": "127.0.0.1:5006"})
    for name, value in headers.items():
        found[name.replace("_", "-")] = value
    context: Any = SimpleNamespace(remote_ip=address, protocol="http")
    connection: Any = SimpleNamespace(context=context)
    line = RequestStartLine(method, path, f"HTTP/{version}")
    return HTTPServerRequest(headers=found, connection=connection, start_line=line)
