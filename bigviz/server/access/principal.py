"""Who a request comes from. There is no login: a principal is an address, and shares are counted by address."""

from __future__ import annotations

from dataclasses import dataclass

from tornado.httputil import HTTPServerRequest

__all__ = ["Principal", "principal_of"]


@dataclass(frozen=True)
class Principal:
    """The one whose share of the server a request uses: of builds, and of turns in the scheduler."""

    address: str


def principal_of(request: HTTPServerRequest) -> Principal:
    """The principal of an HTTP request or of a websocket's upgrade."""
    return Principal(str(request.remote_ip))
