"""An HTTP server of files by ranges that does, request by request, what servers and proxies do wrong."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import unquote, urlsplit

from .bucket_lists import listed

Fault = Literal[
    "", "503", "cut", "silent", "changed", "changed, unasked", "whole", "other range", "no range", "few", "403", "404",
    "longer", "other time", "endless", "trickle",
    "endless 403", "endless 503",
]  # fmt: skip
"""What a server does in place of the answer: `changed` answers If-Match with 412, `changed, unasked` ignores it."""


@dataclass(frozen=True)
class Request:
    """What came."""

    path: str
    headers: Mapping[str, str]


@dataclass
class RangeServer:
    """`files` by path. Each request takes the first of `faults`, and `always` where none is left."""

    files: dict[str, bytes] = field(default_factory=dict)
    etag: str | None = '"one"'
    modified: str | None = None
    faults: list[Fault] = field(default_factory=list)
    always: Fault = ""
    requests: list[Request] = field(default_factory=list)
    port: int = 0
    leads: dict[str, str] = field(default_factory=dict)
    lists: list[bytes] = field(default_factory=list)  # that are answered in place of those of `files`
    scheme: str = "http"
    sent: int = 0  # bytes of endless bodies
    ended: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def at(self, path: str, user: str = "") -> str:
        """The address of a file."""
        return f"{self.scheme}://{user}127.0.0.1:{self.port}/{path}"

    def next_fault(self) -> Fault:
        with self.lock:
            return self.faults.pop(0) if self.faults else self.always


@contextmanager
def range_server(tls: ssl.SSLContext | None = None, **files: bytes) -> Iterator[RangeServer]:
    """Serve files, whose names are the keywords with `_` for the dot, on a free port."""
    told = RangeServer({name.replace("_", "."): data for name, data in files.items()})

    class Handler(_Handler):
        server_told = told

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        told.scheme = "https"
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.daemon_threads = True
    server.block_on_close = False
    told.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield told
    finally:
        told.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_told: RangeServer

    def log_message(self, *_: object) -> None:
        """Nothing is written."""

    def do_GET(self) -> None:
        told = self.server_told
        headers = {name.lower(): value for name, value in self.headers.items()}
        told.requests.append(Request(self.path, headers))
        data = told.files.get(unquote(urlsplit(self.path).path[1:]))
        fault = told.next_fault()
        found = listed(self.path, told.files, told.etag or "")
        if found is not None and not fault.startswith("endless "):
            self._answer(200, told.lists.pop(0) if told.lists else found, [])
        elif (place := told.leads.get(self.path.partition("?")[0])) is not None:
            self._answer(302, b"over there", [("Location", place), ("x-amz-bucket-region", "eu-west-1")])
        elif fault.startswith("endless "):
            self._go_on(b"", [], status=int(fault.split()[1]))
        elif fault == "silent":
            told.ended.wait()
            self.close_connection = True
        elif data is None or fault in ("404", "403", "503"):
            self._answer(int(fault or "404"), b"", [("Retry-After", "1")] if fault == "503" else [])
        else:
            self._part(data + b"more" if fault == "longer" else data, fault, headers)

    def _part(self, data: bytes, fault: Fault, headers: Mapping[str, str]) -> None:
        told = self.server_told
        etag = '"two"' if fault.startswith("changed") else told.etag
        modified = "Mon, 30 Nov 2026 12:00:00 GMT" if fault == "other time" else told.modified
        facts = [("ETag", etag)] * (etag is not None) + [("Last-Modified", modified or "")] * (modified is not None)
        wanted = headers.get("if-match")
        if wanted is not None and wanted != etag and fault != "changed, unasked":
            self._answer(412, b"", [])
            return
        first, last = (int(each) for each in headers["range"].removeprefix("bytes=").split("-"))
        if first >= len(data):
            self._answer(416, b"", [("Content-Range", f"bytes */{len(data)}")])
            return
        stop = min(last + 1, len(data)) - (fault == "few")
        if fault in ("endless", "trickle"):
            facts.append(("Content-Range", f"bytes {first}-{stop - 1}/{len(data)}"))
            self._go_on(data[first:stop], facts, slowly=fault == "trickle")
            return
        body = data if fault == "whole" else data[first:stop]
        start = first + (fault == "other range")
        if fault not in ("whole", "no range"):
            facts.append(("Content-Range", f"bytes {start}-{stop - 1}/{len(data)}"))
        self._answer(200 if fault == "whole" else 206, body, facts, cut=fault == "cut")

    def _go_on(self, body: bytes, headers: Sequence[tuple[str, str]], slowly: bool = False, status: int = 206) -> None:
        """A part whose body does not end while anybody reads it, or that comes byte by byte."""
        self.send_response(status)
        for name, value in (*headers, ("Content-Length", str(len(body) if slowly else 1 << 40))):
            self.send_header(name, value)
        self.end_headers()
        self.close_connection = True
        with suppress(OSError):
            while not self.server_told.ended.wait(0.02 if slowly else 0):
                self.wfile.write(body[:1] if slowly else body)
                self.server_told.sent += len(body)
                body = body[1:] if slowly else bytes(1 << 20)

    def _answer(self, status: int, body: bytes, headers: Sequence[tuple[str, str]], cut: bool = False) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(ConnectionError):  # who has heard enough
            self.wfile.write(body[: len(body) // 2] if cut else body)
        if cut:
            self.close_connection = True
            self.wfile.flush()
            self.connection.shutdown(2)
