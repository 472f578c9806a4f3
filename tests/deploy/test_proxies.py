"""What holds behind each proxy whose configuration is in deploy/."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import bigviz as bv
from bigviz.document.document import document
from bigviz.document.figure import figure
from bigviz.wire.frames import Type

from ..patience import PATIENCE
from ..server.api.calls import ARROW, TABLE, stream_of
from ..server.certificates import Certificates
from ..server.people import PASSWORD
from ..server.running import running
from ..server.wire import Browser, tiles_of
from .conftest import TILE, Behind
from .proxies import PROXIES, free_port


def test_a_page_its_files_and_its_socket(behind: Behind) -> None:
    front = behind.front
    page, style = front.get("/open/"), front.get("/_/static/style.css")
    assert (page.status, style.status) == (200, 200) and b"<html" in page.body
    with Browser(front.url, "open", ssl=front.trust) as browser:
        assert browser.layer().kind == Type.LAYER
        assert tiles_of(browser.view([[0, 0, 0, 0]])) == [(0, 0, 0, 0)]


def test_a_tile_is_the_one_of_the_server_with_its_strong_etag(behind: Behind) -> None:
    for query in ("", "?cmap=bmy"):
        found, direct = behind.tile("open", query), behind.served.get(f"/open{TILE}{query}")
        assert (found.status, found.body) == (200, direct.body)
        etag = found.headers["ETag"]
        assert etag == direct.headers["ETag"] and etag.startswith('"')
        again = behind.tile("open", query, If_None_Match=etag)
        assert (again.status, again.body, again.headers["ETag"]) == (304, b"", etag)


def test_addresses_in_answers_are_those_that_browsers_use(behind: Behind) -> None:
    about = json.loads(behind.front.get("/open/layers/0/tilejson.json").body)
    assert about["tiles"] == [f"{behind.front.url}open/layers/0/tiles/{{z}}/{{x}}/{{y}}.png"]


def test_who_signs_in_gets_a_secure_cookie(behind: Behind) -> None:
    behind.people.library.users.set_password("viewer", PASSWORD)
    form = f"username=viewer&password={PASSWORD}&next=secret".encode()
    kind = {"Content_Type": "application/x-www-form-urlencoded", "Origin": behind.front.url.rstrip("/")}
    found = behind.front.get("/_/login", "POST", form, **kind)
    assert found.status == 303, found.body
    cookie = found.headers["Set-Cookie"]
    assert "; Secure" in cookie
    assert behind.tile("secret", Cookie=cookie.partition(";")[0]).status == 200
    assert behind.tile("secret").status == 401


def test_what_is_private_is_answered_to_those_alone_who_may_see_it(behind: Behind) -> None:
    bearer = behind.people.bearer
    for query in ("", "?cmap=bmy"):
        found = behind.tile("secret", query, **bearer("viewer"))
        assert (found.status, found.headers["Cache-Control"]) == (200, "private, no-cache")
        assert behind.tile("secret", query).status == 401
        assert behind.tile("secret", query, If_None_Match=found.headers["ETag"]).status == 401
        assert behind.tile("secret", query, **bearer("stranger")).status == 404


def test_what_an_owner_asks_of_a_public_plot_is_not_answered_to_others(behind: Behind) -> None:
    query = "?agg=mean(secret)"
    for _ in range(2):
        assert behind.tile("open", query, **behind.people.bearer("owner")).status == 200
        assert behind.tile("open", query).status == 403


def test_a_reader_who_takes_nothing_in_gets_all_of_a_large_answer(
    behind: Behind, request: pytest.FixtureRequest
) -> None:
    path = "/open/layers/0/image.npy?x0=0&x1=3&y0=1&y1=4&width=2048&height=2048"
    connection = behind.front.connection()
    connection.request("GET", path)
    if "nginx" in request.node.callspec.id:  # it has taken all of it from the server before its reader takes anything
        behind.served.await_event("request", route="image", status=200)
    answer = connection.getresponse()
    found = answer.read()
    connection.close()
    assert answer.status == 200 and len(found) > 16 << 20
    assert found == behind.served.get(path).body


def test_rows_that_are_appended_come_as_they_are(behind: Behind) -> None:
    owner = behind.people.bearer("owner")
    connection = behind.front.connection()
    connection.request("GET", "/_/api/datasets/rows/batches", headers=owner)
    answer = connection.getresponse()
    assert answer.status == 200
    said = behind.front.get("/_/api/datasets/rows/append", "POST", stream_of(TABLE), Content_Type=ARROW, **owner)
    assert said.status == 200, said.body
    with pa.ipc.open_stream(answer) as reader:
        assert reader.read_next_batch().to_pydict() == TABLE.to_pydict()
    connection.close()


def test_a_table_may_be_larger_than_a_document(behind: Behind) -> None:
    table = pa.table({"x": np.arange(1_200_000.0)})
    kind = {"Content_Type": ARROW, **behind.people.bearer("owner")}
    said = behind.front.get("/_/api/datasets/large", "PUT", stream_of(table), **kind)
    assert (said.status, json.loads(said.body)["rows"]) == (201, len(table))


@contextmanager
def echo() -> Iterator[tuple[int, list[HTTPMessage]]]:
    """A server that keeps the headers of requests, and its port."""
    got: list[HTTPMessage] = []

    class Echo(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            got.append(self.headers)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_address[1], got
        server.shutdown()
        thread.join(PATIENCE)


@pytest.mark.parametrize("name", PROXIES)
def test_a_client_cannot_speak_for_the_proxy(name: str, certificates: Certificates, tmp_path: Path) -> None:
    forged = {
        "X_Forwarded_For": "203.0.113.9",
        "X_Forwarded_Host": "evil.example",
        "X_Forwarded_Proto": "http",
        "X_Forwarded_Prefix": "/evil",
    }
    with echo() as (upstream, got), PROXIES[name](tmp_path, upstream, free_port(), certificates) as front:
        assert front.get("/open/layers/0/tilejson.json", **forged).status == 200
        assert front.get(f"/open{TILE}", **forged).status == 200
    assert len(got) == 2
    for headers in got:
        own = f"localhost:{front.port}"
        assert headers.get_all("Host") == headers.get_all("X-Forwarded-Host") == [own]
        assert headers.get_all("X-Forwarded-Proto") == ["https"] and "X-Forwarded-Prefix" not in headers
        (hops,) = headers.get_all("X-Forwarded-For")
        assert hops.rpartition(",")[2].strip() == "127.0.0.1", "the last one counts"


@pytest.mark.parametrize("name", PROXIES)
def test_a_path_in_front_of_all_addresses(name: str, certificates: Certificates, tmp_path: Path) -> None:
    port, rng = free_port(), np.random.default_rng(3)
    rows = bv.open(pa.table({"x": rng.random(1_000), "y": rng.random(1_000)}), name="rows")
    plot = document(figure().points(rows, "x", "y"), id="plot")
    front_url = f"https://localhost:{port}/plots"
    options = {"prefix": "/plots", "public_url": front_url, "trusted_proxies": ["127.0.0.1"], "allow_anonymous": True}
    with running([plot], **options) as served, PROXIES[name](tmp_path, served.server.port, port, certificates) as front:
        assert front.get("/plots/plot/").status == 200
        about = json.loads(front.get("/plots/plot/layers/0/tilejson.json").body)
        assert about["tiles"] == [f"{front_url}/plot/layers/0/tiles/{{z}}/{{x}}/{{y}}.png"]
        tile = front.get(f"/plots/plot{TILE}")
        assert tile.status == 200 and ("X-Cache-Status" in tile.headers) is (name == "nginx")
        with Browser(f"{front_url}/", "plot", origin=front_url.removesuffix("/plots"), ssl=front.trust) as browser:
            assert browser.layer().kind == Type.LAYER


def test_nginx_leads_from_http_to_https(behind: Behind) -> None:
    if not behind.front.plain:
        return  # Caddy does so by itself, at port 80
    connection = HTTPConnection("localhost", behind.front.plain, timeout=PATIENCE)
    connection.request("GET", "/open/?v=1")
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Location"]) == (308, "https://localhost/open/?v=1")
    connection.close()
