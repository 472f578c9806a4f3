"""Answers that are given again from their bytes, before their request is parsed.

Parsing a request, making its handler and looking at all that it may ask for takes several times as long as sending a
tile that is there already. So the answer to a request for a tile is kept under the request's own bytes, with what it
rests on. The same request gets the same answer for as long as

- it comes from a client of the same kind: a trusted proxy or not, this machine or not, with TLS or without;
- nobody's rights have changed, no session or token of the request has ended, and people are not vouched for by others;
- the document and the version of its dataset are those that were shown, and the engine still names their answers so;
- the body is kept.

Where one of these does not hold, the request is parsed and answered as if nothing had been kept, so that every refusal
comes from one place. The rates of clients, the metrics and the access log count these answers like others.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Protocol

from bigviz.server.access.credentials import network_of
from bigviz.server.access.hosts import is_loopback
from bigviz.server.kept.date import date

if TYPE_CHECKING:
    from tornado.httputil import HTTPServerRequest
    from tornado.iostream import IOStream

    from bigviz.server.access.access import Access
    from bigviz.server.access.principal import Principal
    from bigviz.server.jobs.layer_ref import Asked
    from bigviz.server.jobs.service import Backend

__all__ = ["Basis", "Client", "KeptAnswer", "KeptAnswers", "Standing"]

Standing = tuple[object, int]
"""What stands for a document: while the object and the number are the same, who is let in is shown the same."""

Kind = tuple[bool, bool, str]
Key = tuple[bytes, Kind]

_LONGEST: Final = 4 << 10  # bytes of a request; those of browsers have some hundred
_MOST_BYTES: Final = 16 << 20  # of requests and headers
_OBJECTS: Final = 1 << 10  # bytes that go with each
_MOST_CLIENTS: Final = 1_000  # whose kinds are known
_STATUSES: Final = (200, 304)
_MORE_FOLLOWS: Final = ("Content-Length", "Transfer-Encoding", "Expect")


class Served(Protocol):
    """What is asked of the `Site` of a server."""

    access: Access

    @property
    def loaded(self) -> Backend | None: ...
    def standing(self, name: str) -> Standing | None: ...
    def answered(self, route: str, method: str, status: int, seconds: float) -> None: ...


@dataclass(frozen=True)
class Client:
    """The other end of a connection: its `kind` is all of it that an answer may depend on, its `network` pays."""

    kind: Kind
    network: str


@dataclass(frozen=True)
class Basis:
    """What an answer rests on: what was known of `people`, and what stood for the `document`, before either was looked
    up; who asked; the layer; and the name of the `body`, empty for an answer without one."""

    people: object
    document: str
    standing: Standing | None
    principal: Principal
    asked: Asked
    body: str


@dataclass(frozen=True)
class KeptAnswer:
    """Status line and headers, in two pieces that the date stands between. `network` pays for the answer where a proxy
    passed the request on, else that of the connection."""

    route: str
    status: int
    head: tuple[bytes, bytes]
    network: str | None
    basis: Basis

    def written(self, body: bytes) -> bytes:
        """The bytes of the answer, as it is sent now."""
        before, after = self.head
        return b"".join((before, date().encode(), after, body))


class KeptAnswers:
    """The answers of one server; those that were asked for longest ago are forgotten first. Lives on the event loop."""

    def __init__(self, site: Served) -> None:
        self._site = site
        self._answers: OrderedDict[Key, KeptAnswer] = OrderedDict()
        self._bytes = 0
        self._people: object = None  # what was known of them when these answers were kept
        self._asking: dict[IOStream, Key] = {}
        self.client = lru_cache(_MOST_CLIENTS)(self._client)

    def _client(self, address: str, scheme: str) -> Client:
        """The client at an address that speaks `scheme` with this server."""
        kind = (self._site.access.proxies.trusts(address), is_loopback(address), scheme)
        return Client(kind, network_of(address))

    @contextmanager
    def asking(self, stream: IOStream, request: bytes, client: Client) -> Iterator[None]:
        """While a request is answered by its handler, which may keep the answer."""
        if len(request) <= _LONGEST and request.startswith(b"GET ") and b"/tiles/" in request:
            self._asking[stream] = request, client.kind
        try:
            yield
        finally:
            self._asking.pop(stream, None)

    def keep(
        self, request: HTTPServerRequest, route: str, status: int, headers: Sequence[tuple[str, str]], basis: Basis
    ) -> None:
        """Keep the answer to a request, if it can be told the next time whether it still holds."""
        key = self._asking.get(request.connection.stream)  # type: ignore[union-attr]
        if key is None or status not in _STATUSES or not _is_whole(request):
            return
        site = self._site
        if site.access.vouching is not None or not self._holds(basis):
            return
        if basis.people is not self._people:
            self._clear()
            self._people = basis.people
        (_, (trusted, *_)) = key
        network = network_of(str(request.remote_ip)) if trusted else None
        self._forget(key)
        self._answers[key] = answer = KeptAnswer(route, status, _head(status, headers), network, basis)
        self._bytes += _size(key, answer)
        while self._bytes > _MOST_BYTES:
            self._forget(next(iter(self._answers)))

    def find(self, request: bytes, client: Client) -> tuple[KeptAnswer, bytes] | None:
        """The answer to this request, which its client has paid for, and its body; None where there is none, or it may
        not be given now."""
        key = request, client.kind
        answer = self._answers.get(key)
        if answer is None:
            return None
        body = self._body(answer.basis)
        if body is None:
            self._forget(key)
            return None
        self._answers.move_to_end(key)
        rates, principal = self._site.access.requests, answer.basis.principal
        pays = rates.allows(answer.network or client.network)
        if not pays or (principal.user is not None and not rates.allows(principal.share)):
            return None
        return answer, body

    def sent(self, answer: KeptAnswer, seconds: float) -> None:
        """Count an answer that was given again."""
        self._site.answered(answer.route, "GET", answer.status, seconds)

    def _body(self, basis: Basis) -> bytes | None:
        """The body of an answer that still holds; None where it does not."""
        if not self._holds(basis):
            return None
        assert self._site.loaded is not None
        return self._site.loaded.engine.kept_body(basis.body) if basis.body else b""

    def _holds(self, basis: Basis) -> bool:
        site, expires = self._site, basis.principal.expires
        if site.access.people.mark() is not basis.people or (expires is not None and expires <= time.time()):
            return False
        now = site.standing(basis.document)
        if now is None or basis.standing is None or now[0] is not basis.standing[0] or now[1] != basis.standing[1]:
            return False
        asked = basis.asked
        return site.loaded is not None and site.loaded.engine.etag(asked.dataset, asked.layer) == asked.etag

    def _forget(self, key: Key) -> None:
        answer = self._answers.pop(key, None)
        if answer is not None:
            self._bytes -= _size(key, answer)

    def _clear(self) -> None:
        self._answers.clear()
        self._bytes = 0


def _size(key: Key, answer: KeptAnswer) -> int:
    return len(key[0]) + sum(map(len, answer.head)) + _OBJECTS


def _head(status: int, headers: Sequence[tuple[str, str]]) -> tuple[bytes, bytes]:
    """The status line and the headers before the value of Date, and what comes after it."""
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {value}" for name, value in headers)]
    at = next(number for number, line in enumerate(lines) if line.startswith("Date: "))
    before, after = [*lines[:at], "Date: "], ["", *lines[at + 1 :], "", ""]
    return "\r\n".join(before).encode("latin-1"), "\r\n".join(after).encode("latin-1")


def _is_whole(request: HTTPServerRequest) -> bool:
    """Whether nothing follows the head of a request, on a connection that is kept."""
    headers = request.headers
    kept = request.version == "HTTP/1.1" and headers.get("Connection", "").lower() != "close"
    return kept and request.method == "GET" and not any(name in headers for name in _MORE_FOLLOWS)
