"""What hostile clients send: hosts, origins, paths, slow and many connections, headers of every answer."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import resource
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.sync.client import connect

from bigviz.common.errors import BadInput
from bigviz.server.http import pages
from bigviz.server.limits import Limits
from bigviz.server.run import listener
from bigviz.server.run.options import Options
from bigviz.server.websocket.connection import Websocket
from bigviz.wire.frames import Type

from ..patience import PATIENCE, eventually
from .running import Running, running, unread
from .wire import Browser

ROUTES = [
    "/",
    "/points",
    "/points/",
    "/points/ws",
    "/points/layers/0/tilejson.json",
    "/points/layers/0/tiles/0/0/0.npy",
    "/points/layers/0/image.npy?x0=0&x1=1&y0=0&y1=1&width=2&height=2",
    "/line/layers/0/columns.arrow?x0=1&x1=2&width=3",
    "/points/layers/0/rows.arrow?x0=0&x1=1&y0=0&y1=1",
    "/healthz",
    "/metrics",
    "/_/static/style.css",
    "/nothing/at/all",
]


@contextmanager
def raw(served: Running) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", served.server.port), timeout=PATIENCE) as found:
        yield found


def drained(connection: socket.socket) -> bytes:
    """Everything until the server closes."""
    out = b""
    try:
        while piece := connection.recv(65_536):
            out += piece
    except ConnectionResetError:
        pass
    return out


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:{port}", "localhost:1", ""])
def test_every_route_refuses_other_hosts(served: Running, path, host):
    answer = served.get(path, Host=host.format(port=served.server.port))
    assert answer.status == 403
    assert json.loads(answer.body)["error"].startswith("This server does not answer for that host")
    assert b"evil" not in answer.body and "evil" not in str(answer.headers) and answer.reason == "Forbidden"


def test_http_without_a_host_is_refused(served: Running):
    for head in (b"GET /healthz HTTP/1.0\r\n", b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1, evil.example\r\n"):
        with raw(served) as connection:
            connection.sendall(head + b"\r\n")
            assert b" 40" in drained(connection)[:13]


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_nothing_but_get_and_head(served: Running, path, method):
    answer = served.get(path, method, body=b"x=1" if method in ("POST", "PUT", "PATCH") else None)
    assert answer.status in (404, 405) and json.loads(answer.body)["error"]
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("path", [path for path in ROUTES if path != "/points/ws"])
def test_headers_of_every_answer(served: Running, path):
    headers = served.get(path, Origin="http://evil.example").headers
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["X-Frame-Options"] == "DENY"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert not any(name.startswith("Access-Control") for name in headers)
    assert "Server" not in headers and headers["Cache-Control"] in ("no-cache", "no-store")


def test_the_pages_policy_allows_its_own_import_map_by_hash(served: Running):
    page = served.get("/points/")
    policy = dict(each.split(" ", 1) for each in page.headers["Content-Security-Policy"].split("; "))
    (inline,) = re.findall(rb"<script(?! src)[^>]*>(.*?)</script>", page.body, re.DOTALL)[:1]
    scripts = re.findall(rb"<script(?![^>]* src)[^>]*>(.*?)</script>", page.body, re.DOTALL)
    assert scripts == [inline], "one inline script: the import map"
    digest = base64.b64encode(hashlib.sha256(inline).digest()).decode()
    assert policy["script-src"] == f"'self' 'sha256-{digest}'"
    assert policy["connect-src"] == policy["font-src"] == "'self'"
    assert policy["img-src"] == "'self' data: blob:" and policy["style-src"] == "'self' 'unsafe-inline'"
    assert "unsafe-eval" not in str(policy) and "http" not in str(policy)
    assert b" onload=" not in page.body and b" onclick=" not in page.body


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "",
        "http://127.0.0.1",
        "https://127.0.0.1:{port}",
        "http://127.0.0.1:{port}.evil.example",
    ],
)
def test_sockets_of_other_origins_are_refused(served: Running, origin):
    with pytest.raises(InvalidStatus) as refused:
        Browser(served.url, "points", origin=origin.format(port=served.server.port))
    assert refused.value.response.status_code == 403


def test_sockets_without_an_origin_are_refused(served: Running):
    with pytest.raises(InvalidStatus) as refused, connect(served.url.replace("http", "ws") + "points/ws"):
        pass
    assert refused.value.response.status_code == 403


def test_sockets_of_unknown_documents(served: Running):
    with pytest.raises(InvalidStatus) as refused:
        Browser(served.url, "nope")
    assert refused.value.response.status_code == 404


def test_the_socket_route_without_an_upgrade(served: Running):
    assert served.get("/points/ws").status == 400


def test_allowed_hosts_and_origins(documents):
    with running(
        documents[:1], allow_hosts=["plots.example.org"], allow_origins=["https://app.example.com:8443"]
    ) as server:
        assert server.get("/healthz", Host="plots.example.org").status == 200
        assert server.get("/healthz", Host="plots.example.org.").status == 200
        assert server.get("/healthz", Host="x.plots.example.org").status == 403
        for origin in ("https://plots.example.org", "http://plots.example.org", "https://app.example.com:8443"):
            with Browser(server.url, "points", origin=origin) as browser:
                assert browser.document["id"] == "points"
        with pytest.raises(InvalidStatus):
            Browser(server.url, "points", origin="https://app.example.com")


TRAVERSAL = [
    "/_/static/../cli.py",
    "/_/static/../../pyproject.toml",
    "/_/static/%2e%2e/cli.py",
    "/_/static/..%2fcli.py",
    "/_/static/%252e%252e/cli.py",
    "/_/static//etc/passwd",
    "/_/static/%2fetc%2fpasswd",
    "/_/static/..\\cli.py",
    "/_/static/%00",
    "/_/static/style.css%00.js",
    "/_/static/" + "a" * 5_000,
    "/_/static/‥/cli.py".encode().decode("latin-1"),
    "/_/static/vendor",
    "/_/static/vendor/",
    "/_/static",
    "/_/static/",
    "/../etc/passwd",
    "/%2e%2e/etc/passwd",
    "/..%2f..%2fetc%2fpasswd",
    "/file:///etc/passwd",
    "/*/",
    "/points/../../etc/passwd",
    "/%00/",
    "/points%00/",
    "/%ff%fe/",
    "//evil.example/",
    "/\\evil.example/",
]


@pytest.mark.parametrize("path", TRAVERSAL)
def test_no_path_leads_out(served: Running, path):
    with raw(served) as connection:
        connection.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{served.server.port}\r\nConnection: close\r\n\r\n".encode(
                "latin-1"
            )
        )
        answer = drained(connection)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert re.match(rb"HTTP/1.1 40[0-9] ", head) and b"403" not in head[:15], answer[:200]
    assert b"root:" not in body and b"import " not in body and b"Location" not in head


def test_links_out_of_the_static_files_are_not_followed(documents, tmp_path: Path, monkeypatch):
    inside = tmp_path / "static"
    inside.mkdir()
    (tmp_path / "static-secret").mkdir()
    (tmp_path / "static-secret" / "key").write_text("secret")
    (inside / "own.js").write_text("1")
    (inside / "near.js").symlink_to(inside / "own.js")
    (inside / "far.js").symlink_to(tmp_path / "static-secret" / "key")
    (inside / "out").symlink_to(tmp_path / "static-secret")
    os.mkfifo(inside / "pipe")
    monkeypatch.setattr(pages, "STATIC", inside)
    with running(documents[:1]) as server:
        assert server.get("/_/static/own.js").body == server.get("/_/static/near.js").body == b"1"
        for path in ("far.js", "out/key", "../static-secret/key", "pipe"):
            assert server.get(f"/_/static/{path}").status == 404, path


def test_a_static_file_that_changes_gets_another_etag(documents, tmp_path: Path, monkeypatch):
    (tmp_path / "a.js").write_text("1")
    monkeypatch.setattr(pages, "STATIC", tmp_path)
    with running(documents[:1]) as server:
        first = server.get("/_/static/a.js").headers["Etag"]
        assert first.startswith('"') and server.get("/_/static/a.js", If_None_Match=first).status == 304
        (tmp_path / "a.js").write_text("12")
        again = server.get("/_/static/a.js", If_None_Match=first)
        assert (again.status, again.body) == (200, b"12") and again.headers["Etag"] != first


def test_no_query_makes_a_static_file_last(served: Running):
    found = served.get("/_/static/style.css?v=anything")
    assert found.status == 200 and found.headers["Cache-Control"] == "no-cache" and "Expires" not in found.headers


def test_markup_in_a_request_comes_back_as_json_without_markup(served: Running):
    for path in ("/%3Cscript%3E", "/%3Cscript%3E/", "/points/layers/%3Cscript%3E/tilejson.json"):
        answer = served.get(path)
        assert answer.status == 404 and b"<" not in answer.body and "json" in answer.headers["Content-Type"]
    answer = served.get("/points/layers/0/tilejson.json?x=%3Cimg+onerror%3E%0d%0aSet-Cookie:+a=b")
    assert answer.status == 404 and b"<" not in answer.body and "Set-Cookie" not in answer.headers
    assert "onerror" in json.loads(answer.body)["got"] and answer.reason == "Not Found"


def test_headers_that_never_end_are_cut_off(documents):
    with running(documents[:1], limits=Limits(header_seconds=0.5)) as server, raw(server) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        stop = threading.Event()

        def drip() -> None:
            while not stop.wait(0.05):
                try:
                    connection.sendall(b"X-a: b\r\n")
                except OSError:
                    return

        slow = threading.Thread(target=drip)
        slow.start()
        try:
            assert b"200" not in drained(connection)
        finally:
            stop.set()
            slow.join()
        assert eventually(lambda: server.get("/healthz")).status == 200


def test_an_idle_connection_is_closed(documents):
    with running(documents[:1], limits=Limits(header_seconds=0.3)) as server, raw(server) as connection:
        assert drained(connection) == b""


def test_long_headers_and_bodies(served: Running):
    with raw(served) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"a" * 70_000 + b"\r\n\r\n")
        assert b"200 OK" not in drained(connection)
    with raw(served) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000000000\r\n\r\n")
        assert b"200 OK" not in drained(connection)
    assert served.get("/healthz").status == 200


def one_too_many(server: Running) -> bytes:
    """What a connection beyond the number is answered, for the page and for whether the server lives."""
    answers = []
    for path in ("/", "/healthz"):
        with raw(server) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.server.port}\r\n\r\n".encode())
            answers.append(drained(connection))
    assert answers[1].startswith(b"HTTP/1.1 200") and b'"ok": true' in answers[1]
    return answers[0]


def test_connections_of_one_address_are_counted(documents):
    with running(documents[:1], limits=Limits(connections_per_address=5)) as server, ExitStack() as stack:
        browsers = [stack.enter_context(Browser(server.url, "points")) for _ in range(5)]
        answer = one_too_many(server)
        assert answer.startswith(b"HTTP/1.1 503") and b"Too many connections are open: close some" in answer
        browsers.pop().close()
        server.await_event("disconnected")
        assert server.get("/").status == 200


def test_connections_in_all_are_counted(documents):
    with running(documents[:1], limits=Limits(connections=3)) as server, ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(Browser(server.url, "points"))
        assert one_too_many(server).startswith(b"HTTP/1.1 503")


def test_who_holds_every_connection_and_asks_nothing_keeps_no_probe_out(documents):
    with running(documents[:1], limits=Limits(connections_per_address=3)) as server, ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(raw(server))
        assert one_too_many(server).startswith(b"HTTP/1.1 503")


def test_connections_beyond_the_number_are_few_however_many_came_before(documents):
    with running(documents[:1], limits=Limits(connections_per_address=1)) as server, ExitStack() as stack:
        stack.enter_context(raw(server))
        for _ in range(10):
            one_too_many(server)
        for _ in range(30):
            stack.enter_context(raw(server))
        one_too_many(server)
        beyond = server.server._http._beyond
        assert server.on_loop(lambda: len(beyond)) <= listener._MOST_BEYOND


def test_the_operator_says_how_many_connections(documents):
    """Each of the two numbers takes the place of its own default."""
    for chosen in ({"max_connections": 3}, {"max_connections_per_address": 3}):
        with running(documents[:1], **chosen) as server, ExitStack() as stack:
            for _ in range(3):
                stack.enter_context(Browser(server.url, "points"))
            assert one_too_many(server).startswith(b"HTTP/1.1 503")
    assert Options().bounds == Limits()
    assert Options(limits=Limits(connections=7), max_connections_per_address=9).bounds == Limits(
        connections=7, connections_per_address=9
    )


def test_where_any_number_of_files_may_be_open(documents, monkeypatch):
    endless = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    monkeypatch.setattr("bigviz.server.run.listener.resource.getrlimit", lambda which: endless)
    with running(documents[:1]) as server, ExitStack() as stack:
        browsers = [stack.enter_context(Browser(server.url, "points")) for _ in range(3)]
        assert server.get("/healthz").status == 200 and len(browsers) == 3


def test_an_answer_that_is_not_read_is_given_up(documents):
    """The picture is larger than all buffers between; its bytes come back into the budget."""
    path = "/points/layers/0/image.npy?x0=-1&x1=1&y0=-1&y1=1&width=4000&height=4000"
    with running(documents[:1], limits=Limits(write_seconds=0.5)) as server, unread(server, path) as connection:
        server.await_event("request", route="image")
        assert len(drained(connection)) < 64_000_000
        assert server.server.site.budget.held == 0


FRAMES = {
    "reserved bits": b"\xf1\x80\0\0\0\0",
    "unknown opcode": b"\x83\x80\0\0\0\0",
    "fragmented control": b"\x09\x80\0\0\0\0",
    "long control": b"\x89\xfe\x01\x00\0\0\0\0" + bytes(256),
    "endless length": b"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0",
    "continuation of nothing": b"\x80\x80\0\0\0\0",
    "bad utf-8": b"\x81\x82\0\0\0\0\xff\xfe",
    "interrupted fragments": b"\x01\x81\0\0\0\0a\x81\x81\0\0\0\0b",
    "compressed": b"\xc1\x81\0\0\0\0a",
}


@pytest.mark.parametrize("name", FRAMES)
def test_broken_websocket_frames_end_their_connection_only(served: Running, name):
    with raw(served) as connection:
        origin = served.url.rstrip("/")
        key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13"
        head = f"Host: 127.0.0.1:{served.server.port}\r\nOrigin: {origin}\r\nUpgrade: websocket\r\nConnection: Upgrade"
        connection.sendall(f"GET /points/ws HTTP/1.1\r\n{head}\r\n{key}\r\n\r\n".encode())
        assert b"101 Switching" in connection.recv(1_000)
        connection.sendall(FRAMES[name])
        drained(connection)
    with Browser(served.url, "points") as browser:
        assert browser.layer().value["rows"] == 100_000


@pytest.mark.parametrize("opcode", [Opcode.PING, Opcode.PONG])
def test_floods_of_pings_end_their_connection(documents, monkeypatch, opcode: Opcode):
    """They arrive together, and hardly more of them than are allowed are looked at."""
    seen: list[bytes] = []
    name = f"on_{opcode.name.lower()}"
    counted = getattr(Websocket, name)
    monkeypatch.setattr(Websocket, name, lambda socket, data: seen.append(data) or counted(socket, data))
    limits = Limits(messages_burst=50, messages_per_second=0.001)
    with running(documents[:1], limits=limits) as server, Browser(server.url, "points") as other:
        with Browser(server.url, "points") as browser:
            browser.socket.socket.sendall(Frame(opcode, b"").serialize(mask=True) * 10_000)
            server.await_event("disconnected", code=1008)
            assert len(seen) == 51
        assert 'closed_total{code="1008"} 1.0' in server.get("/metrics").body.decode()
        for _ in range(20):
            other.socket.ping()
        assert other.layer().value["rows"] == 100_000, "some pings are welcome"


def test_a_browser_out_of_requests_may_answer_pings(documents):
    limits = Limits(messages_burst=5, messages_per_second=0.001)
    with running(documents[:1], limits=limits) as server, Browser(server.url, "points") as browser:
        for _ in range(40):
            browser.say(op="cancel", figure=0)
        browser.until(lambda each: each.kind == Type.ERROR)
        (viewer,) = server.server.site.viewers
        server.on_loop(lambda: viewer.transport.on_pong(b""))
        assert viewer.is_open


def test_compression_is_never_agreed_to(served: Running):
    with connect(
        served.url.replace("http", "ws") + "points/ws", origin=served.url.rstrip("/"), compression="deflate"
    ) as found:
        assert "Sec-WebSocket-Extensions" not in found.response.headers


def test_other_addresses_need_a_word():
    for address in ("0.0.0.0", "::", "192.0.2.1", ""):
        with pytest.raises(BadInput, match="allow-anonymous"):
            Options(address=address).check()
        Options(address=address, allow_anonymous=True).check()
    for address in ("127.0.0.1", "127.1.2.3", "::1", "localhost"):
        Options(address=address).check()


@pytest.mark.parametrize("prefix", ["plots", "/a/", "/a b", "/<script>", "//a", "/a//b"])
def test_prefixes_that_are_no_paths(prefix):
    with pytest.raises(BadInput, match="prefix"):
        Options(prefix=prefix).check()


def test_nothing_of_a_client_is_in_metrics_or_access_events(documents):
    with running(documents[:1]) as server:
        server.get("/points/layers/0/tilejson.json?token=hunter2&x=x")
        server.get("/hunter2/", Referer="http://x/?token=hunter2")
        assert b"hunter2" not in server.get("/metrics").body
        assert "hunter2" not in repr(server.events)
