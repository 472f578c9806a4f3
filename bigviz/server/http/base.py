"""What every route shares: the Host check, the headers, errors as one JSON object, work that ends with its client."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, RequestHandler

from bigviz.common.errors import BadInput, BigvizError, Busy
from bigviz.server.access.principal import Principal, principal_of
from bigviz.server.error_json import describe, dump, retry_after, status_of
from bigviz.server.http.content_types import JSON
from bigviz.server.site import Site

__all__ = ["Guarded", "Handler"]

_log = logging.getLogger("bigviz")
_WORDS: Final = {
    400: "The request is not well formed.",
    403: "This server does not answer for that host or origin: see --allow-host and --allow-origin.",
    404: "There is nothing at this address; / lists the documents.",
    405: "Only GET and HEAD are answered here.",
}
_PIECE: Final = 1 << 20  # of a body handed to the socket at once: copying 100 MB in one go holds the loop up for 100 ms
_NO_CONTENT_POLICY: Final = "default-src 'none'; frame-ancestors 'none'"


class Guarded(RequestHandler):
    """The Host check, the headers and the error form; also for static files."""

    site: Site

    @property
    def principal(self) -> Principal:
        """Who asks."""
        return principal_of(self.request)

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("X-Frame-Options", "DENY")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")
        self.set_header("Cross-Origin-Opener-Policy", "same-origin")
        self.set_header("Content-Security-Policy", _NO_CONTENT_POLICY)
        self.set_header("Cache-Control", "no-cache")

    def prepare(self) -> None:
        if not self.site.hosts.allows_host(self.request.headers.get("Host")):
            raise HTTPError(403)
        if self.request.method not in ("GET", "HEAD"):
            raise HTTPError(405)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.restart(status_code)
        if status_code == 405:
            self.set_header("Allow", "GET, HEAD")
        other = "The request was refused." if status_code < 500 else "The server failed; its log says why."
        self.finish(dump({"error": _WORDS.get(status_code, other), "field": None, "got": None}))

    def restart(self, status: int) -> None:
        """Drop what was written so far; what follows is a JSON answer of this status."""
        self.clear()
        self.set_status(status)
        self.set_header("Content-Type", JSON)

    def log_exception(self, typ: Any, value: BaseException | None, tb: Any) -> None:
        if value is not None and not isinstance(value, HTTPError):
            _log.error("%s %s failed", self.request.method, type(self).__name__, exc_info=value)


class Handler(Guarded):
    """Base of all handlers. A subclass has `answer`, which parses, asks one function, and writes."""

    def initialize(self, site: Site) -> None:
        self.site = site
        self._work: asyncio.Future[None] | None = None

    async def get(self, *args: str) -> None:
        """Run `answer`; what it raises of bigviz's own errors becomes the JSON answer."""
        self._work = asyncio.ensure_future(self.answer(*args))
        try:
            await self._work
        except BigvizError as error:
            self.fail(error)
        except asyncio.CancelledError:
            if not self.request.connection.stream.closed():  # type: ignore[union-attr]
                self.fail(Busy("The server is stopping."))

    head = get

    async def answer(self, *args: str) -> None:
        """What the route does."""
        raise HTTPError(405)

    def on_connection_close(self) -> None:
        """The client is gone: nobody waits for the answer any more."""
        if self._work is not None:
            self._work.cancel()

    def query(self, name: str) -> str | None:
        """A query argument, None without it; BadInput where it stands twice or is not UTF-8."""
        found = self.request.query_arguments.get(name)
        if found is None:
            return None
        if len(found) > 1:
            raise BadInput(f"{name} is given {len(found)} times: give it once.", name)
        try:
            return found[0].decode()
        except UnicodeDecodeError:
            raise BadInput(f"{name} is not UTF-8.", name) from None

    def finish(self, chunk: Any = None) -> asyncio.Future[None]:
        """End the answer; a client that has not taken it in by `write_seconds` is cut off."""
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

    async def send(self, kind: str, body: bytes) -> None:
        """Answer with bytes of a content type; done when the client has taken them in, or is gone or cut off."""
        self.set_header("Content-Type", kind)
        self.set_header("Content-Length", len(body))
        stream = self.request.connection.stream  # type: ignore[union-attr]
        timer = asyncio.get_running_loop().call_later(self.site.limits.write_seconds, stream.close)
        try:
            for start in range(0, len(body), _PIECE):
                self.write(body[start : start + _PIECE])
                await self.flush()
        except StreamClosedError:
            return
        finally:
            timer.cancel()
        self.finish()

    def fail(self, error: BigvizError) -> None:
        """Answer with an error."""
        self.restart(status_of(error))
        if (seconds := retry_after(error)) is not None:
            self.set_header("Retry-After", str(seconds))
        self.finish(dump(describe(error)))

    def compute_etag(self) -> str | None:
        return None  # routes with an ETag set it before they compute the body

    def same(self, etag: str) -> bool:
        """Set the ETag; True if the client has this answer already, which is then all that is said."""
        self.set_header("Etag", f'"{etag}"')
        if not self.check_etag_header():
            return False
        self.set_status(304)
        return True
