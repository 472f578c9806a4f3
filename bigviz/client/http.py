"""One HTTP request at a time to a plot server. The token is in a header, never in an address or a message."""

from __future__ import annotations

import json
import ssl
import time
import warnings
import weakref
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from ipaddress import ip_address
from socket import SO_KEEPALIVE, SOL_SOCKET
from typing import Any, Final
from urllib.parse import quote, urlsplit

from bigviz import __version__
from bigviz.client.refusals import Unreachable, error_of
from bigviz.common.errors import BadInput
from bigviz.data.given import given_text

__all__ = ["Http", "route"]

_SECONDS: Final = 60.0  # between two pieces of an answer, or of what is sent
_LARGEST_ANSWER: Final = 64 << 20
_LONGEST_TOKEN: Final = 1_000
_MOST_IDLE: Final = 8
_SECONDS_IDLE: Final = 5.0  # a server closes connections that are idle for longer

Body = bytes | Iterable[bytes] | None


class Http:
    """Requests below an address, each on a connection of its own, so any threads may share one. Those that may be sent
    twice use connections again that are idle."""

    def __init__(self, url: str, token: str | None) -> None:
        """Raises BadInput for an address or a token that cannot be one. A token that would go over plain HTTP to
        another machine gives a warning: whoever is on the way can read it."""
        self.url = str(url).rstrip("/")
        parts = _parts(self.url)
        self._tls = parts.scheme == "https"
        self._host, self._port = str(parts.hostname), parts.port or (443 if self._tls else 80)
        self._path = parts.path
        self._token = None if token is None else _checked(token)
        self._idle: list[tuple[HTTPConnection, float]] = []  # and since when
        weakref.finalize(self, _close, self._idle)
        if self._token and not self._tls and not _is_loopback(self._host):
            warnings.warn(
                f"The token goes to {self._host} over plain HTTP, where others can read it: use https://.",
                UserWarning,
                stacklevel=3,
            )

    def json(
        self,
        method: str,
        path: str,
        body: Body = None,
        headers: Mapping[str, str] | None = None,
        twice: bool = False,
    ) -> dict[str, Any]:
        """The JSON object of an answer, {} where it has no body.

        `path` is below the server's address and begins with a slash. Pieces of bytes are sent as they come. `twice`:
        bytes may be sent twice, if the first connection breaks. Raises the server's refusal as an error of
        `bigviz.common.errors`, and Unreachable where no server answers.
        """
        found = self._ask_again(method, path, body, headers or {}) if twice else None
        status, answer, after = found or self._ask(method, path, body, headers or {}, twice)
        if not 200 <= status < 300:
            raise error_of(status, answer, self.url, after)
        if not answer:
            return {}
        with suppress(ValueError):
            value = json.loads(answer)
            if isinstance(value, dict):
                return value
        raise Unreachable(f"{self.url} does not answer as a bigviz server does: is that its address?", "url", self.url)

    def send(self, method: str, path: str, value: Mapping[str, Any] | None) -> dict[str, Any]:
        """The same for a body that is a JSON object, None for no body."""
        if value is None:
            return self.json(method, path)
        body = json.dumps(value, ensure_ascii=False).encode()
        return self.json(method, path, body, {"Content-Type": "application/json"})

    @contextmanager
    def reading(self, path: str) -> Iterator[HTTPResponse]:
        """The answer to a GET, to be read as it comes, however long nothing does. Raises what `json` does; reading it
        raises OSError or HTTPException."""
        connection, response = self._connection(), None
        try:
            try:
                connection.connect()
                response = self._answer(connection, "GET", path, None, {})
                if response.status != 200:
                    refused = response.read(_LARGEST_ANSWER)
                    raise error_of(response.status, refused, self.url, response.headers.get("Retry-After"))
            except (OSError, HTTPException) as error:
                raise self._lost(error) from error
            if connection.sock is not None:
                connection.sock.settimeout(None)
                connection.sock.setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1)
            yield response
        finally:
            connection.close()
            if response is not None:  # it holds the socket too
                response.close()

    def _ask(
        self, method: str, path: str, body: Body, headers: Mapping[str, str], keep: bool
    ) -> tuple[int, bytes, str | None]:
        connection = self._connection()
        try:
            connection.connect()
        except OSError as error:
            raise self._absent(error) from error
        try:
            return self._answered(connection, method, path, body, headers, keep)
        except (OSError, HTTPException) as error:
            raise self._lost(error) from error

    def _ask_again(
        self, method: str, path: str, body: Body, headers: Mapping[str, str]
    ) -> tuple[int, bytes, str | None] | None:
        """The answer on a connection that was used before; None where there is none that works."""
        while self._idle:
            try:
                connection, since = self._idle.pop()
            except IndexError:  # another thread was faster
                return None
            if time.monotonic() - since > _SECONDS_IDLE:
                connection.close()
                continue
            with suppress(OSError, HTTPException):
                return self._answered(connection, method, path, body, headers, keep=True)
        return None

    def _answered(
        self, connection: HTTPConnection, method: str, path: str, body: Body, headers: Mapping[str, str], keep: bool
    ) -> tuple[int, bytes, str | None]:
        """What an open connection answers; it is closed, or kept for the next request."""
        kept = False
        try:
            response = self._answer(connection, method, path, body, headers)
            found = response.read(_LARGEST_ANSWER)
            kept = keep and not response.will_close and response.isclosed()
            return response.status, found, response.headers.get("Retry-After")
        finally:
            if kept and len(self._idle) < _MOST_IDLE:
                self._idle.append((connection, time.monotonic()))
            else:
                connection.close()

    def _connection(self) -> HTTPConnection:
        if self._tls:
            return HTTPSConnection(self._host, self._port, timeout=_SECONDS, context=ssl.create_default_context())
        return HTTPConnection(self._host, self._port, timeout=_SECONDS)

    def _answer(
        self, connection: HTTPConnection, method: str, path: str, body: Body, headers: Mapping[str, str]
    ) -> HTTPResponse:
        own = {"Accept": "application/json", "User-Agent": f"bigviz/{__version__}"}
        if self._token:
            own["Authorization"] = f"Bearer {self._token}"
        pieces = body is not None and not isinstance(body, bytes)
        if body is None and method in ("PUT", "POST"):
            body = b""
        if pieces:
            own["Transfer-Encoding"] = "chunked"
        with suppress(BrokenPipeError, ConnectionResetError):  # a refusal may come before the body, and end it
            connection.request(method, self._path + path, body, {**own, **headers}, encode_chunked=pieces)
        return connection.getresponse()

    def _absent(self, error: OSError) -> Unreachable:
        if isinstance(error, ssl.SSLError):
            return Unreachable(f"{self.url} has no valid certificate: {error}.", "url", self.url)
        port = "" if self._port == 5006 else f" --port {self._port}"
        start = f"`bigviz serve{port}` starts one" if _is_loopback(self._host) else "is its address right?"
        return Unreachable(f"No plot server answers at {self.url}: {start}.".replace("?.", "?"), "url", self.url)

    def _lost(self, error: Exception) -> Unreachable:
        what = "takes too long to answer" if isinstance(error, TimeoutError) else "ended the connection"
        return Unreachable(f"The server at {self.url} {what}: try again.", "url", self.url)


def _close(idle: list[tuple[HTTPConnection, float]]) -> None:
    for connection, _ in idle:
        connection.close()


def _parts(url: str) -> Any:
    parts = urlsplit(url)
    try:
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:  # a port that is none
        sound = False
    if not sound or not url.isascii() or not url.isprintable() or " " in url:
        raise BadInput(f"A server's address looks like http://127.0.0.1:5006, got {url[:200]!r}.", "url", url[:200])
    if parts.username is not None or parts.query or parts.fragment:
        raise BadInput("A server's address has no user, password, ? or # in it: a token is given by itself.", "url")
    return parts


def _checked(token: str) -> str:
    """A token as a header may have it. What is wrong with one is told without it."""
    token = token.strip() if isinstance(token, str) else ""
    if not token.isascii() or not token.isprintable() or " " in token or not 1 <= len(token) <= _LONGEST_TOKEN:
        raise BadInput("A token is one word of letters, digits, - and _, as `bigviz token create` prints it.", "token")
    return token


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def route(kind: str, name: str, below: str = "") -> str:
    """The path of a document, a dataset or a user, or of what is `below` it."""
    return f"/_/api/{kind}/{quote(given_text(name, 'name'), safe='')}" + (f"/{below}" if below else "")
