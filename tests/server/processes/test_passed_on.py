"""What a process passes on to another arrives as the client sent it, and as one request."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import pytest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets, bind_unix_socket
from tornado.web import Application, RequestHandler

from bigviz.server.limits import Limits
from bigviz.server.processes.inner import InnerListener, request_line
from bigviz.server.processes.passed_on import PassedOn

HIDDEN = b"PUT /hidden HTTP/1.1\r\nHost: a\r\nX-Remote-User: admin\r\nContent-Length: 0\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN)
MEASURED = b"Content-Length: %d\r\n\r\n%s" % (len(HIDDEN), HIDDEN)
NOTHING = b"\r\n"

Asked = tuple[str, tuple[str, ...], dict[str, list[bytes]], bytes]


class Recorder(RequestHandler):
    """Keeps what it is asked."""

    def initialize(self, got: list[Asked]) -> None:
        self.got = got

    def _asked(self, *args: str) -> None:
        self.got.append((str(self.request.method), args, self.request.query_arguments, self.request.body))
        self.finish("answer")

    get = post = put = patch = delete = _asked


def asked(request: bytes, passed_on: bool) -> list[Asked]:
    """What a server is asked by a client that sends these bytes: to it, or to a process that passes requests on."""
    got: list[Asked] = []
    application = Application([(r"/(.*)", Recorder, {"got": got})])

    async def run(place: str) -> None:
        inner = InnerListener(application, Limits(), {})
        inner.add_socket(bind_unix_socket(place))
        site = SimpleNamespace(limits=Limits(), in_hand={})
        passing = Application([(r".*", PassedOn, {"site": site, "place": place})])
        outer = HTTPServer(passing if passed_on else application)
        (listening,) = bind_sockets(0, "127.0.0.1")
        outer.add_socket(listening)
        answer = await said(*await asyncio.open_connection(*listening.getsockname()), request)
        assert answer.startswith(b"HTTP/1.1 200") and answer.count(b"HTTP/1.1 ") == 1, answer
        for each in (outer, inner):
            each.stop()
            await each.close_all_connections()
        assert not site.in_hand

    with place_of_socket() as place:
        asyncio.run(run(place))
    return got


@contextmanager
def place_of_socket() -> Iterator[str]:
    """A path for a unix socket, which has to be short."""
    with TemporaryDirectory() as folder:
        yield f"{folder}/inner"


async def said(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bytes:
    """All that is answered to these bytes, until the other end closes."""
    writer.write(request)
    answer = await reader.read()
    writer.close()
    return answer


def of(method: str, target: bytes, rest: bytes) -> bytes:
    return b"%s %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%s" % (method.encode(), target, rest)


@pytest.mark.parametrize("body", [CHUNKED, MEASURED, NOTHING], ids=["chunked", "measured", "nothing"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "GET"])
def test_a_body_is_no_request(method: str, body: bytes) -> None:
    found, expected = (asked(of(method, b"/a", body), passed_on) for passed_on in (True, False))
    assert len(found) == len(expected) == 1 and found[0][:3] == expected[0][:3]
    means_nothing = body == CHUNKED and method in ("DELETE", "GET")
    assert found[0][3] == (b"" if means_nothing else expected[0][3])


TARGETS = (b"/caf\xc3\xa9?q=\xc3\xa9&r=%C3%A9+%2B", b"/caf\xe9%20%2F;a=b?q=\xe9", b"/a//..;/%25?", b"/?a?b#c")


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_asked_for_is_the_same(target: bytes) -> None:
    found, expected = (asked(of("POST", target, MEASURED), passed_on) for passed_on in (True, False))
    assert found == expected


def test_a_connection_between_processes_has_one_request() -> None:
    got: list[Asked] = []
    first = b"GET /first HTTP/1.1\r\nHost: a\r\n\r\n"

    async def run(place: str) -> bytes:
        inner = InnerListener(Application([(r"/(.*)", Recorder, {"got": got})]), Limits(), {})
        inner.add_socket(bind_unix_socket(place))
        ends = await asyncio.open_unix_connection(place)
        answer = await said(*ends, request_line("203.0.113.9", "http") + first + HIDDEN)
        inner.stop()
        return answer

    with place_of_socket() as place:
        answer = asyncio.run(run(place))
    assert answer.count(b"HTTP/1.1 200") == 1 and [each[1] for each in got] == [("first",)]
