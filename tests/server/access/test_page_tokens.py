"""Page tokens at the gate: what they open, for whom, and for how long."""

from __future__ import annotations

import hmac
import json
import re
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

import bigviz as bv
from bigviz.common.errors import BadInput, Forbidden
from bigviz.common.web.page_tokens import PageTokens
from bigviz.library.secrets import new_secret
from bigviz.server.access import people
from bigviz.server.access.principal import Principal
from bigviz.server.documents.opened import Shown
from bigviz.server.site import Site
from bigviz.wire.frames import DENIED, GONE, Type, parse

from ...patience import PATIENCE
from ..people import People
from ..running import Running, running

ORIGIN = "https://www.example.org"
SECRET = new_secret()
MAKER = PageTokens(SECRET)
TILEJSON = "/points/layers/0/tilejson.json"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    people = People.at(tmp_path_factory.mktemp("library"))
    (people.library.directory.parent / "secret").write_text(SECRET)
    yield people
    people.library.close()


@pytest.fixture(autouse=True)
def _as_it_was(town: People) -> None:
    town.restore()


@pytest.fixture(scope="module")
def server(town: People, documents: list[Any]) -> Iterator[Running]:
    secret = town.library.directory.parent / "secret"
    options = {"secret_file": secret, "allow_origins": [ORIGIN, "https://other.example.org"]}
    with running(documents[:1], library=town.library, **options) as found:
        yield found


def bearer(document: str, *, user: str | None = None, seconds: float = 60) -> dict[str, str]:
    return {"Authorization": f"Bearer {MAKER.make(document, ORIGIN, seconds, user)[0]}"}


@contextmanager
def socket(
    server: Running, document: str, token: str | None, query: str = "?embed=1", **more: Any
) -> Iterator[ClientConnection]:
    """A socket as the page in a frame opens it."""
    protocols: Any = None if token is None else ["bigviz", f"bigviz-token.{token}"]
    address = f"{server.url.replace('http', 'ws', 1)}{document}/ws{query}"
    options = {
        "origin": server.url.rstrip("/"),
        "subprotocols": protocols,
        "max_size": None,
        "compression": None,
        **more,
    }
    with connect(address, **options) as found:
        yield found


def closed(found: ClientConnection) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as end:
        while True:
            found.recv(PATIENCE)
    assert end.value.rcvd is not None
    return end.value.rcvd.code, end.value.rcvd.reason


def test_it_opens_its_document_and_no_other(server: Running):
    mine = bearer("points")
    assert server.get(TILEJSON, **mine).status == server.get("/points/", **mine).status == 200
    assert server.get(TILEJSON, **mine, Origin=ORIGIN).headers["Access-Control-Allow-Origin"] == ORIGIN
    assert server.get("/secret/", **bearer("secret")).status == 200
    for path in ("/secret/layers/0/tilejson.json", "/nope/layers/0/tilejson.json", "/_/api/datasets/rows"):
        assert server.get(path, **mine).status == 401
    found = json.loads(server.get("/_/api/documents", **mine).body)
    assert found["documents"] == []


@pytest.mark.parametrize(
    "path",
    ["documents/secret", "documents/secret?version=1", "documents/secret/versions", "documents/secret/thumbnail.png"],
)
def test_it_tells_nothing_that_its_plot_does_not_show(server: Running, path: str):
    """Neither older versions nor authors, nor anything of the server."""
    for address in (f"/_/api/{path}", "/_/api/me", "/metrics"):
        answer = server.get(address, **bearer("secret"))
        assert answer.status == 401 and b"good for nothing else" in answer.body


def test_it_changes_nothing(server: Running):
    for method, path in (("POST", "/points/views"), ("DELETE", "/_/api/documents/secret"), ("POST", "/_/api/tokens")):
        assert server.get(path, method, b"{}", **bearer("secret")).status == 401
    assert server.get("/_/api/documents/secret/access", **bearer("secret")).status == 401


def test_it_is_for_pages_of_one_origin(server: Running):
    answer = server.get(TILEJSON, **bearer("points"), Origin="https://other.example.org")
    assert answer.status == 401 and f"for pages of {ORIGIN}" in json.loads(answer.body)["error"]
    assert server.get(TILEJSON, **bearer("points"), Origin="https://evil.example").status == 403


@pytest.mark.parametrize("token", ["x.y", ".", "a." + "x" * 43, PageTokens("other" * 9).make("points", ORIGIN, 60)[0]])
def test_others_are_401_everywhere(server: Running, token: str):
    for path in ("/healthz", TILEJSON, "/points/?embed=1", "/points/autoload.js"):
        assert server.get(path, Authorization=f"Bearer {token}").status == 401


def test_a_token_of_an_owner_ends_with_the_ownership(server: Running, town: People):
    mine = bearer("secret", user="owner")
    address = "/secret/"
    assert server.get(address, **mine).status == 200
    assert server.get(address, **bearer("secret", user="admin")).status == 200
    for user in ("writer", "viewer", "stranger", "nobody-any-more"):
        assert server.get(address, **bearer("secret", user=user)).status == 401
    with socket(server, "secret", mine["Authorization"].removeprefix("Bearer ")) as found:
        town.library.documents.delete("secret")
        town.library.documents.put("secret", {"format": 2}, title="s", datasets=(), author="stranger")
        assert closed(found)[0] in (DENIED, GONE)
    assert server.get(address, **mine).status == 401
    town.library.documents.delete("secret")


@pytest.mark.parametrize("document", [{"format": 2}, None])
def test_a_socket_is_shown_nothing_of_who_took_the_name_since(
    server: Running, town: People, monkeypatch: pytest.MonkeyPatch, document: dict[str, Any] | None
):
    kept, show = town.library.documents.get("secret").value, Site.show

    async def late(site: Site, name: str, principal: Principal) -> Shown:
        town.library.documents.delete(name)
        town.library.documents.put(name, document or kept, title="s", datasets=(), author="stranger")
        return await show(site, name, principal)

    token = bearer("secret", user="owner")["Authorization"].removeprefix("Bearer ")
    with monkeypatch.context() as patched:
        patched.setattr(Site, "show", late)
        with socket(server, "secret", token) as found, pytest.raises(ConnectionClosed) as end:
            while True:
                frame = parse(found.recv(PATIENCE))
                assert frame.type not in (Type.HELLO, Type.ERROR)
    assert end.value.rcvd is not None and end.value.rcvd.code in (DENIED, GONE)
    town.library.documents.delete("secret")


def test_a_socket_ends_with_its_token(server: Running, monkeypatch: pytest.MonkeyPatch):
    with socket(server, "points", MAKER.make("points", ORIGIN, 60)[0]) as found:
        assert found.subprotocol == "bigviz"
        later = time.time() + 61
        monkeypatch.setattr(server.server.site.access.people.page_tokens, "_now", lambda: later)
        monkeypatch.setattr(people, "time", SimpleNamespace(time=lambda: later, monotonic=time.monotonic))
        code, reason = closed(found)
    assert code == DENIED and "expired" in reason


@pytest.mark.parametrize(
    "said",
    [
        {"document": "points", "origin": ORIGIN, "expires": 1e12, "role": "owner"},
        {"document": "points", "origin": ORIGIN},
        {"document": "points", "origin": ORIGIN, "expires": "never"},
        {"document": "points", "origin": ORIGIN, "expires": True},
        {"document": "points", "origin": ORIGIN, "expires": [1e12]},
        {"document": 1, "origin": ORIGIN, "expires": 1e12},
        {"document": "points", "origin": None, "expires": 1e12},
        {"document": "points", "origin": ORIGIN, "expires": 1e12, "user": 7},
        ["points", ORIGIN, 1e12],
        None,
    ],
)
def test_what_is_signed_and_no_token_is_401(server: Running, said: Any):
    """Whoever has the secret can sign anything: a newer bigviz, or a program of the operator's own."""
    payload = encoded(json.dumps(said).encode())
    key = hmac.digest(SECRET.encode(), b"bigviz page token 1", "sha256")
    token = f"{payload}.{encoded(hmac.digest(key, payload.encode(), 'sha256'))}"
    answer = server.get(TILEJSON, Authorization=f"Bearer {token}")
    assert answer.status == 401 and b"make it with the same version" in answer.body


def encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.mark.parametrize("document", ["secret", "points", "nope"])
def test_the_page_in_a_frame_is_told_why_it_shows_nothing(server: Running, town: People, document: str):
    """The same for a name that nobody has; and a cookie, which browsers send to the same site, is not used."""
    cookie = town.cookie("owner", server.server.port)
    with socket(server, document, None, additional_headers=cookie) as found:
        code, reason = closed(found)
    assert code == DENIED and reason.startswith("This plot is not there, or is not public")
    with socket(server, document, "x.y") as found:
        assert closed(found) == (DENIED, "This page token is not this server's.")


def test_the_page_in_a_frame_is_the_same_for_every_name(server: Running, town: People):
    answers = [server.get(f"/{name}/?embed=1") for name in ("secret", "points", "nope")]
    assert {each.status for each in answers} == {200} and len({each.body for each in answers}) == 1
    for each in answers:
        (ancestors,) = re.findall("frame-ancestors ([^;]*);", each.headers["Content-Security-Policy"])
        assert ancestors == f"'self' https://other.example.org {ORIGIN}"
        assert "X-Frame-Options" not in each.headers
    plain = server.get("/secret/", **town.bearer("viewer")).headers
    assert "frame-ancestors 'self';" in plain["Content-Security-Policy"] and plain["X-Frame-Options"] == "SAMEORIGIN"


def test_the_page_in_a_frame_tells_of_maps_of_public_documents_alone(server: Running, town: People):
    axes: dict[str, Any] = {"x_axis_type": "mercator", "y_axis_type": "mercator"}
    plot = bv.figure(title="Secret", **axes, basemap="https://tile.example/{z}/{x}/{y}", attribution="Map makers")
    value = bv.document(plot.points("rows", "x", "y"), id="secret").to_json()
    town.library.documents.put("secret", value, title="Secret", datasets=["rows"], author="owner")
    private, token = server.get("/secret/?embed=1"), server.get("/secret/?embed=token")
    for answer in (private, token):
        assert "tile.example" not in answer.body.decode() + str(answer.headers)
    assert private.body == server.get("/nope/?embed=1").body
    assert "https://tile.example;" in server.get("/secret/", **town.bearer("viewer")).headers["Content-Security-Policy"]
    town.library.access.set("document", "secret", True, {"owner": "owner"})
    assert "https://tile.example;" in server.get("/secret/?embed=1").headers["Content-Security-Policy"]


FRAME = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Dest": "iframe", "Sec_Fetch_Mode": "navigate"}


@pytest.mark.parametrize("name", ["points", "secret", "nope"])
def test_a_page_in_a_frame_of_another_origin_is_the_one_without_cookies(server: Running, town: People, name: str):
    cookie = town.cookie("owner", server.server.port)
    for headers in ({}, {"Referer": f"{ORIGIN}/"}):
        answer = server.get(f"/{name}/", **FRAME, **cookie, **headers)
        assert (answer.status, answer.headers["Location"]) == (302, "./?embed=1")
    refused = server.get(f"/{name}/?embed=1", **FRAME, **cookie, Referer="https://evil.example/a?b")
    assert refused.status == 403 and b"--allow-origin https://evil.example " in refused.body
    assert "frame-ancestors *;" in refused.headers["Content-Security-Policy"]


def test_a_kept_view_in_a_frame(server: Running, town: People):
    id = town.library.views.put("secret", "x0=1")
    address = f"/secret/?embed=1&v={id}"
    assert server.get(address, **town.cookie("owner", server.server.port)).status == 302
    assert "login" in server.get(address, **town.cookie("owner", server.server.port)).headers["Location"]
    town.library.access.set("document", "secret", True, {})
    assert server.get(address, **FRAME).headers["Location"] == "./?embed=1#x0=1"


def test_the_server_makes_tokens_for_owners(server: Running, town: People, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("BIGVIZ_SECRET", raising=False)
    tag = bv.embed("secret", server.url, origin=ORIGIN.upper(), token=town.tokens["owner"], expires=60)
    token = tag.partition('data-token="')[2].partition('"')[0]
    assert MAKER.read(token).user == "owner" and MAKER.read(token).origin == ORIGIN
    assert server.get("/secret/", Authorization=f"Bearer {token}").status == 200
    with pytest.raises(Forbidden):
        bv.embed("secret", server.url, origin=ORIGIN, token=town.tokens["viewer"])
    with pytest.raises(BadInput, match="start it with"):
        bv.embed("secret", server.url, origin="https://evil.example", token=town.tokens["owner"])


@pytest.mark.parametrize(
    "body",
    [{}, {"origin": 1}, {"origin": "*"}, {"origin": ORIGIN, "seconds": True}, {"origin": ORIGIN, "seconds": 1e9}],
)
def test_wishes_that_cannot_be(server: Running, town: People, body: dict[str, Any]):
    headers = {**town.bearer("owner"), "Content_Type": "application/json"}
    answer = server.get("/_/api/documents/secret/embed", "POST", json.dumps(body).encode(), **headers)
    assert answer.status == 400 and json.loads(answer.body)["field"] in ("origin", "seconds")


def test_without_a_secret_there_are_none(documents: list[Any], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("BIGVIZ_SECRET", raising=False)
    with running(documents[:1], allow_origins=[ORIGIN]) as server:
        answer = server.get(TILEJSON, **bearer("points"))
        assert answer.status == 401 and b"--secret-file" in answer.body
        made = server.get(
            "/_/api/documents/points/embed",
            "POST",
            json.dumps({"origin": ORIGIN}).encode(),
            Content_Type="application/json",
        )
        assert made.status == 409 and b"--secret-file" in made.body


def test_the_secret_may_be_in_the_environment(documents: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("BIGVIZ_SECRET", SECRET)
    with running(documents[:1]) as server:
        assert server.get(TILEJSON, **bearer("points")).status == 200
    monkeypatch.setenv("BIGVIZ_SECRET", "short")
    with pytest.raises(BadInput, match="32 characters"), running(documents[:1]):
        pass
