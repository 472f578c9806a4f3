"""What every route shares: the Host check, the headers, errors as one JSON object, work that ends with its client."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Coroutine, Mapping
from typing import Any, ClassVar, Final

from tornado.httputil import HTTPHeaders
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, RequestHandler

from bigviz.common.errors import BadInput, BigvizError, Busy, Forbidden, OutOfDate, Unauthorized, out_of_memory
from bigviz.server.access.admission import admit, sign_in_first
from bigviz.server.access.credentials import Credentials, network_of
from bigviz.server.access.foreign_pages import refusal
from bigviz.server.access.gate import Need, needs_of
from bigviz.server.access.principal import Principal
from bigviz.server.access.proxies import stripped_prefix
from bigviz.server.access.same_origin import SAFE, foreign_origin, refuse_foreign_change
from bigviz.server.error_json import describe, dump, retry_after, status_of
from bigviz.server.http.content_types import JSON
from bigviz.server.kept.date import date
from bigviz.server.site import Site
from bigviz.wire.frames import Bytes

__all__ = ["Guarded", "Handler"]

_log = logging.getLogger("bigviz")
_WORDS: Final = {
    400: "The request is not well formed.",
    403: "This server does not answer for that host or origin: see --allow-host and --allow-origin.",
    404: "There is nothing at this address; / lists the documents.",
}
_PIECE: Final = 1 << 20  # of a body handed to the socket at once: copying 100 MB in one go holds the loop up for 100 ms
_EXPOSED: Final = "ETag, Retry-After, Content-Disposition, X-Bigviz-Version"
_HEADERS: Final = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
)


class Guarded(RequestHandler):
    """The gate in front of every route: the Host check, who asks, and what the route needs; the headers and the error
    form. Also for static files.

    `need` is declared by each route. Of several processes behind one port, the one that writes streams answers requests
    of the methods `at_writer`; where the argument `selection_at` of the address is a selection, the one that keeps that
    does. `private`: the answer depends on who signed in, so no shared cache may keep it;
    `by_origin`: on the page that asked; `reader` is the foreign origin whose pages may read it. `stripped` is the path
    that a trusted proxy has stripped from the front of the address. `in_pages`: where any origin is named, pages may
    show the answer without reading it, as pictures of a map are shown, which browsers ask for without telling the
    origin.
    """

    need: ClassVar[Need | Mapping[str, Need]]
    at_writer: ClassVar[Collection[str]] = ()
    selection_at: ClassVar[int | None] = None
    site: Site
    credentials: Credentials
    principal: Principal
    private = False
    by_origin = False
    reader: str | None = None
    stripped = ""
    in_pages: ClassVar[bool] = False

    def clear(self) -> None:
        """As Tornado's, without the name of the server, and with a date that is made once a second."""
        self._headers = HTTPHeaders()
        self._headers["Content-Type"] = "text/html; charset=UTF-8"
        self._headers["Date"] = date()
        self.set_default_headers()
        self._write_buffer = []
        self.set_status(200)

    def set_default_headers(self) -> None:
        for name, value in _HEADERS:
            self._headers[name] = value
        self._set_cache_headers()
        self._set_origin_headers()

    def _set_cache_headers(self) -> None:
        self.set_header("Cache-Control", "private, no-cache" if self.private else "no-cache")
        if self.private:
            self.vary("Cookie", "Authorization")

    def _set_origin_headers(self) -> None:
        """Credentials are never allowed: with them a foreign page would read what its visitor may see."""
        if self.by_origin:
            self.vary("Origin")
            if self.in_pages:
                self.set_header("Cross-Origin-Resource-Policy", "cross-origin")
        if self.reader is not None:
            self.set_header("Access-Control-Allow-Origin", self.reader)
            self.set_header("Access-Control-Expose-Headers", _EXPOSED)

    def vary(self, *names: str) -> None:
        """Say that the answer depends on these request headers too."""
        had = [each for each in str(self._headers.get("Vary", "")).split(", ") if each]
        self.set_header("Vary", ", ".join(dict.fromkeys((*had, *names))))

    async def prepare(self) -> None:
        """Let the request through, or answer with an error; `_finished` tells which."""
        access, request = self.site.access, self.request
        proxied = access.proxies.apply(request)
        self.stripped = stripped_prefix(request) if proxied else ""
        if not self.site.hosts.allows_host(request.headers.get("Host")):
            raise HTTPError(403)
        need = needs_of(type(self)).get(str(request.method))
        if need is None:
            if request.method == "OPTIONS" and self._answer_preflight():
                return
            raise HTTPError(405)
        self.check_source()
        try:
            refuse_foreign_change(request)
            self._check_reader(need)
            access.requests.pay(network_of(str(request.remote_ip)))
            self.private = not need.same and access.people.signs_in
            self.credentials = await access.credentials(request, proxied)
            self.principal = await access.people.principal(self.credentials)
            if self.principal.user is not None:
                access.requests.pay(self.principal.share)
            await self.admit(need)
            if request.method not in SAFE and not need.same and not need.reads and not self.principal.known:
                raise sign_in_first(access.people)  # anyone looks, and writes nothing
            if self.site.others is not None:
                await self.site.others.caught_up()
        except BigvizError as error:
            self.fail(error)

    def _check_reader(self, need: Need) -> None:
        """Let a page read the answer whose origin `--allow-origin` names; Forbidden for a page of another origin, but
        for answers that are the same for everybody."""
        hosts, origin = self.site.hosts, foreign_origin(self.request)
        self.by_origin = bool(hosts.named)
        self.reader = origin if hosts.lets_in(origin) else None
        self._set_origin_headers()
        if origin is not None and not need.same and not hosts.allows_origin(origin):
            self.site.access.foreign_pages.tell(origin)
            raise Forbidden(refusal(origin), "origin", origin)

    def _answer_preflight(self) -> bool:
        """Answer the question of a browser whether a page may send a request with a header of its own; False where it
        may not."""
        origin, wanted = foreign_origin(self.request), self.request.headers.get("Access-Control-Request-Method")
        if origin is None or not self.site.hosts.lets_in(origin) or wanted not in needs_of(type(self)).keys() & SAFE:
            return False
        self.by_origin, self.reader = True, origin
        self.restart(204)
        self.clear_header("Content-Type")
        self.set_header("Access-Control-Allow-Methods", "GET, HEAD")
        self.set_header("Access-Control-Allow-Headers", "Authorization")
        self.set_header("Access-Control-Max-Age", "600")
        self.finish()
        return True

    @property
    def scheme(self) -> str:
        """How the browser reached this server: as the connection or a trusted proxy says, else the operator."""
        if self.request.protocol == "https":
            return "https"
        return self.site.hosts.scheme_of(self.request.headers.get("Host"))

    @property
    def mount(self) -> str:
        """The path in front of all addresses, as the browser that asks uses them."""
        public = self.site.public
        if public is not None and public.names(self.request.host):
            return public.path
        return self.stripped + self.site.prefix

    @property
    def front(self) -> str:
        """The origin and the path in front of all addresses, as any browser may use them."""
        public = self.site.public
        return f"{self.scheme}://{self.request.host}{self.mount}" if public is None else public.text

    def address_of(self, path: str) -> str:
        """The whole address of a path below the server's own."""
        return f"{self.front}/{path}"

    def check_source(self) -> None:
        """Raise HTTPError for a request that is refused whoever sends it."""

    async def admit(self, need: Need) -> None:
        """Raise what the caller is answered who has not what is needed of the thing that the address names."""
        people, name = self.site.access.people, self.path_args[0] if self.path_args else ""
        await admit(people, need, self.principal, name)
        # An owner of what a public document shows may be answered more than others, so only what anyone gets is public.
        if need.kind is not None and not self.principal.known and await people.is_public(need.kind, name):
            self.private = False
        self._set_cache_headers()

    def fail(self, error: BigvizError) -> None:
        """Answer with an error."""
        self.restart(status_of(error))
        if (seconds := retry_after(error)) is not None:
            self.set_header("Retry-After", str(seconds))
        if isinstance(error, Unauthorized):
            self.set_header("WWW-Authenticate", 'Bearer realm="bigviz"')
        self.finish(dump(describe(error)))

    def audit(self, done: str, user: str | None, **facts: str) -> None:
        """Tell the log who did what about a user. `facts` hold no secret."""
        by = self.principal.user or self.principal.kind
        self.site.event("people", done=done, user=user, by=by, **facts)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.restart(status_code)
        words = _WORDS.get(status_code)
        if status_code == 405:
            allowed = ", ".join(sorted(needs_of(type(self))))
            self.set_header("Allow", allowed)
            words = f"This address answers {allowed}."
        other = "The request was refused." if status_code < 500 else "The server failed; its log says why."
        self.finish(dump({"error": words or other, "field": None, "got": None}))

    def restart(self, status: int) -> None:
        """Drop what was written so far and begin a JSON answer of this status."""
        self.clear()
        self.set_status(status)
        self.set_header("Content-Type", JSON)

    def log_exception(self, typ: Any, value: BaseException | None, tb: Any) -> None:
        if value is not None and not isinstance(value, HTTPError):
            _log.error("%s %s failed", self.request.method, type(self).__name__, exc_info=value)


class Handler(Guarded):
    """Base of all handlers. A subclass has `answer` for GET and HEAD, and for other methods that its `need` names
    `on_post`, `on_put`, `on_patch` or `on_delete`, which parse, ask one function, and write."""

    def initialize(self, site: Site) -> None:
        self.site = site
        self._work: asyncio.Task[Any] | None = None

    async def prepare(self) -> None:
        """Let the request through; from now until its answer it is in hand, and a server that stops waits for it."""
        await super().prepare()
        stream: Any = self.request.connection.stream  # type: ignore[union-attr]
        if not self._finished and not stream.closed():
            self.site.in_hand[self] = stream

    def on_finish(self) -> None:
        self.site.in_hand.pop(self, None)

    async def get(self, *args: str) -> None:
        await self.run(self.answer(*args))

    head = get

    async def post(self, *args: str) -> None:
        await self.run(self.on_post(*args))

    async def put(self, *args: str) -> None:
        await self.run(self.on_put(*args))

    async def patch(self, *args: str) -> None:
        await self.run(self.on_patch(*args))

    async def delete(self, *args: str) -> None:
        await self.run(self.on_delete(*args))

    async def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Do what the route does; what it raises of bigviz's own errors becomes the JSON answer."""
        self._work = asyncio.current_task()
        try:
            await work
        except BigvizError as error:
            self.fail(error)
        except MemoryError:
            self.fail(out_of_memory())
        except asyncio.CancelledError:
            if not self.request.connection.stream.closed():  # type: ignore[union-attr]
                self.fail(Busy("The server is stopping."))
        finally:
            self._work = None

    async def answer(self, *args: str) -> None:
        """What the route does for GET and HEAD."""
        raise HTTPError(405)

    async def on_post(self, *args: str) -> None:
        """What it does for POST."""
        raise HTTPError(405)

    async def on_put(self, *args: str) -> None:
        """What it does for PUT."""
        raise HTTPError(405)

    async def on_patch(self, *args: str) -> None:
        """What it does for PATCH."""
        raise HTTPError(405)

    async def on_delete(self, *args: str) -> None:
        """What it does for DELETE."""
        raise HTTPError(405)

    def on_connection_close(self) -> None:
        """The client is gone: nobody waits for the answer any more."""
        super().on_connection_close()
        self.site.in_hand.pop(self, None)
        if self._work is not None:
            self._work.cancel()

    def query(self, name: str) -> str | None:
        """A query argument, None without it; BadInput if it is given twice or is not UTF-8."""
        found = self.request.query_arguments.get(name)
        if found is None:
            return None
        if len(found) > 1:
            raise BadInput(f"{name} is given {len(found)} times: give it once.", name)
        return _text(found[0], name)

    def names(self, name: str) -> list[str] | None:
        """The columns that the query names, each in an argument of its own or with commas between them; None without
        such an argument. BadInput for an empty name, and for what is not UTF-8."""
        values = self.request.query_arguments.get(name)
        if values is None:
            return None
        given = [_text(value, name) for value in values]
        found = given[0].split(",") if len(given) == 1 else given
        if not all(found):
            raise BadInput(f"{name} names columns, with commas between them.", name)
        return found

    def finish(self, chunk: Any = None) -> asyncio.Future[None]:
        """End the answer; a client that has not taken it in after `write_seconds` is cut off."""
        written = super().finish(chunk)
        stream = self.request.connection.stream  # type: ignore[union-attr]
        if not written.done():
            timer = asyncio.get_running_loop().call_later(self.site.limits.write_seconds, stream.close)
            written.add_done_callback(lambda _: timer.cancel())
        return written

    def write_json(self, value: object) -> None:
        """Write a JSON answer; `finish` sends it."""
        self.set_header("Content-Type", JSON)
        self.write(dump(value))

    async def send(self, kind: str, body: Bytes) -> None:
        """Answer with bytes of a content type; done when the client has taken them in, or is gone or cut off."""
        self.set_header("Content-Type", kind)
        self.set_header("Content-Length", len(body))
        connection: Any = self.request.connection
        timer = asyncio.get_running_loop().call_later(self.site.limits.write_seconds, connection.stream.close)
        try:
            rest = memoryview(body)  # `write` takes bytes alone, which would be copies of the pieces
            if isinstance(body, bytes) and len(body) <= _PIECE:
                self.write(body)
                rest = rest[:0]
            await self.flush()
            if self.request.method != "HEAD":
                for start in range(0, len(rest), _PIECE):
                    await connection.write(rest[start : start + _PIECE])
        except StreamClosedError:
            return
        finally:
            timer.cancel()
        self.finish()

    def compute_etag(self) -> str | None:
        return None  # routes with an ETag set it before they compute the body

    def same(self, etag: str) -> bool:
        """Set the ETag; True if the client has this answer already: then there is nothing more to send. OutOfDate where
        it wants another one."""
        self.set_header("Etag", f'"{etag}"')
        wanted = self.request.headers.get("If-Match")
        if wanted is not None and wanted.strip() != "*" and f'"{etag}"' not in map(str.strip, wanted.split(",")):
            message = "What is here now is another than If-Match names: ask without it."
            raise OutOfDate(message, "If-Match", wanted[:100])
        if not self.check_etag_header():
            return False
        self.set_status(304)
        return True


def _text(value: bytes, name: str) -> str:
    """A query argument's text; BadInput if it is not UTF-8."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise BadInput(f"{name} is not UTF-8.", name) from None
