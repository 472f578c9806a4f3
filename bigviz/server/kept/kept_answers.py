"""A cache of HTTP answers by the bytes of their requests, so that a hit is sent without parsing one.

Parsing a request, making its handler and looking at all that it may ask for takes several times as long as sending a
tile that is there already. So the answer to a request for a tile is kept under the request's own bytes, with what it
rests on. The same request gets the same answer for as long as

- it comes from a client of the same kind: a trusted proxy or not, this machine or not, with TLS or without;
- nobody's rights have changed, no session or token of the request has ended, and neither a proxy nor a function of the
  operator's vouches for users;
- the document and the version of its dataset are those that were shown, and the engine still names their answers so,
  which of pictures it does not once the index that their colours are chosen by is complete;
- the body is kept.

A request for another tile that differs in the tile's place alone rests on the same: where these hold, the tile is made
and sent, and only its ETag and its length are others.

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

from cachetools import LRUCache

from bigviz.server.access.credentials import network_of
from bigviz.server.access.hosts import is_loopback
from bigviz.server.kept.date import date
from bigviz.server.kept.tile_requests import Pattern, Place, parted

if TYPE_CHECKING:
    from tornado.httputil import HTTPServerRequest
    from tornado.iostream import IOStream

    from bigviz.server.access.access import Access
    from bigviz.server.jobs.service import Backend
    from bigviz.server.kept.tile_question import TileQuestion
    from bigviz.wire.frames import Bytes

__all__ = ["Basis", "Client", "KeptAnswer", "KeptAnswers", "Model", "Standing"]

Standing = tuple[object, int]
"""The state of a document: while the object and the number are the same, whoever is let in is shown the same."""

Kind = tuple[bool, bool, str]
"""Whether a client is a trusted proxy, whether it is on this machine, and the scheme that it speaks."""
Key = tuple[bytes, Kind]
"""The bytes of a request, and the kind of its client."""

_LONGEST: Final = 4 << 10  # bytes of a request; those of browsers have some hundred
_MOST_BYTES: Final = 16 << 20  # of requests and headers
_OBJECTS: Final = 1 << 10  # bytes of the objects that go with each answer, about
_MOST_CLIENTS: Final = 1_000  # whose kinds are known
_MOST_MODELS: Final = 256
_STATUSES: Final = (200, 304)
_MORE_FOLLOWS: Final = ("Content-Length", "Transfer-Encoding", "Expect")
_CONDITIONS: Final = ("If-Match", "If-None-Match")
_TAG: Final = b"\0tag"  # no header has a zero byte
_SIZE: Final = b"\0size"
_MARKS: Final = {"Etag": f'"{_TAG.decode()}"', "Content-Length": _SIZE.decode()}


class Served(Protocol):
    """What is asked of the `Site` of a server."""

    access: Access
    in_hand: dict[object, IOStream]

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
    """What an answer rests on: the mark of `people`, and the `standing` of the `document`, both taken before either was
    looked up; who asked for tiles of which layer; and the name of the `body`, empty for an answer without one."""

    people: object
    document: str
    standing: Standing | None
    question: TileQuestion
    body: str


@dataclass(frozen=True)
class KeptAnswer:
    """Status line and headers, in two pieces that the date stands between, for a body of `size` bytes. `network` pays
    for the answer where a proxy passed the request on, else that of the connection."""

    route: str
    status: int
    head: tuple[bytes, bytes]
    size: int
    network: str | None
    basis: Basis

    def head_now(self) -> bytes:
        """Status line and headers, as they are sent now."""
        before, after = self.head
        return b"".join((before, date().encode(), after))


@dataclass(frozen=True)
class Model:
    """A template for the answers to requests for other tiles; its `head` has marks where the ETag and the length of
    the body are."""

    answer: KeptAnswer
    head: tuple[bytes, bytes]

    def of(self, tag: str, size: int) -> KeptAnswer:
        """The like with a body of this name and size."""
        before, after = self.head
        for mark, value in ((_TAG, tag.encode()), (_SIZE, b"%d" % size)):
            before, after = before.replace(mark, value), after.replace(mark, value)
        answer, basis = self.answer, self.answer.basis
        own = Basis(basis.people, basis.document, basis.standing, basis.question, tag)
        return KeptAnswer(answer.route, answer.status, (before, after), size, answer.network, own)


class KeptAnswers:
    """The cache of one server: the least recently used answers are dropped first. Lives on the event loop."""

    def __init__(self, site: Served) -> None:
        self._site = site
        self._answers: OrderedDict[Key, KeptAnswer] = OrderedDict()
        self._bytes = 0
        self._models: LRUCache[tuple[Pattern, Kind], Model] = LRUCache(_MOST_MODELS)
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
        (asked, (trusted, *_)) = key
        network = network_of(str(request.remote_ip)) if trusted else None
        size = int(dict(headers).get("Content-Length", 0)) if basis.body else 0
        answer = KeptAnswer(route, status, _head(status, headers), size, network, basis)
        self._put(key, answer)
        parts = parted(asked)
        if parts is not None and status == 200 and not any(name in request.headers for name in _CONDITIONS):
            marked = [(name, _MARKS.get(name, value)) for name, value in headers]
            self._models[parts[0], key[1]] = Model(answer, _head(status, marked))

    def made(self, request: bytes, client: Client, model: Model, tag: str, size: int) -> KeptAnswer:
        """The answer to a request that is like the one of a model, with a body of that name and size; it is kept."""
        answer = model.of(tag, size)
        self._put((request, client.kind), answer)
        return answer

    def find(self, request: bytes, client: Client) -> tuple[KeptAnswer, Bytes] | None:
        """The answer to this request, which its client has paid for, and its body; None where there is none, or it may
        not be given now."""
        key = request, client.kind
        answer = self._answers.get(key)
        if answer is None:
            return None
        body = self._body(answer.basis)
        if body is None or len(body) != answer.size:  # floats of a tile made anew may differ in their last bits
            self._forget(key)
            return None
        self._answers.move_to_end(key)
        return (answer, body) if self._pays(answer, client) else None

    def like(self, request: bytes, client: Client) -> tuple[Model, Place] | None:
        """The model of the answer to this request, which its client has paid for, and the place of the tile that it
        asks for; None where there is none, or it may not be given now."""
        parts = parted(request)
        if parts is None:
            return None
        pattern, place = parts
        model = self._models.get((pattern, client.kind))
        if model is None:
            return None
        if not self._holds(model.answer.basis):
            del self._models[pattern, client.kind]
            return None
        return (model, place) if self._pays(model.answer, client) else None

    @property
    def in_hand(self) -> dict[object, IOStream]:
        """What is being answered, each with its connection: a server that stops waits for it."""
        return self._site.in_hand

    def sent(self, answer: KeptAnswer, seconds: float) -> None:
        """Count an answer that was given again."""
        self._site.answered(answer.route, "GET", answer.status, seconds)

    def _pays(self, answer: KeptAnswer, client: Client) -> bool:
        """Count one request of the client, and of its user; False where it is one too many."""
        rates, principal = self._site.access.requests, answer.basis.question.principal
        pays = rates.allows(answer.network or client.network)
        return pays and (principal.user is None or rates.allows(principal.share))

    def _put(self, key: Key, answer: KeptAnswer) -> None:
        self._forget(key)
        self._answers[key] = answer
        self._bytes += _size(key, answer)
        while self._bytes > _MOST_BYTES:
            self._forget(next(iter(self._answers)))

    def _body(self, basis: Basis) -> Bytes | None:
        """The body of an answer that still holds; None where it does not."""
        if not self._holds(basis):
            return None
        assert self._site.loaded is not None
        return self._site.loaded.engine.kept_body(basis.body) if basis.body else b""

    def _holds(self, basis: Basis) -> bool:
        """Whether an answer still holds; where the library cannot be asked, its handler says so."""
        try:
            return self._is_as_it_was(basis)
        except Exception:
            return False

    def _is_as_it_was(self, basis: Basis) -> bool:
        site, expires = self._site, basis.question.principal.expires
        if site.access.people.mark() is not basis.people or (expires is not None and expires <= time.time()):
            return False
        now = site.standing(basis.document)
        if now is None or basis.standing is None or now[0] is not basis.standing[0] or now[1] != basis.standing[1]:
            return False
        return site.loaded is not None and basis.question.is_of(site.loaded.engine)

    def _forget(self, key: Key) -> None:
        answer = self._answers.pop(key, None)
        if answer is not None:
            self._bytes -= _size(key, answer)

    def _clear(self) -> None:
        self._answers.clear()
        self._models.clear()
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
