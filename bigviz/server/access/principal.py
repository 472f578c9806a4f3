"""Who a request comes from. Today nobody logs in: a principal is an address, which is what shares are counted by."""

from __future__ import annotations

from dataclasses import dataclass

from tornado.httputil import HTTPServerRequest

__all__ = ["Principal", "principal_of"]


@dataclass(frozen=True)
class Principal:
    """Whose share of the server a request takes: of builds, and of turns in the scheduler."""

    address: str


def principal_of(request: HTTPServerRequest) -> Principal:
    """The principal of an HTTP request or of a websocket's upgrade."""
    return Principal(str(request.remote_ip))
