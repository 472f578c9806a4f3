"""Which error whom is told, and what caches may keep."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bigviz.library.library import Library
from bigviz.server.limits import Limits

from ..people import People
from ..running import Running, running

HTML = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
TILE = "/points/layers/0/tilejson.json"
WRONG = {"Authorization": "Bearer " + "x" * 43}


@pytest.mark.parametrize("path", ["/secret/layers/0/tilejson.json", "/nope/layers/0/tilejson.json", TILE])
def test_without_credentials_no_name_is_told_apart(peopled: Running, path: str):
    answer = peopled.get(path)
    assert answer.status == 401 and answer.headers["WWW-Authenticate"] == 'Bearer realm="bigviz"'
    found = json.loads(answer.body)
    assert found["error"] == "Sign in to see this." and found["got"] == path.split("/")[1]


@pytest.mark.parametrize("name", ["secret", "nope", "points"])
@pytest.mark.parametrize("accept", [HTML, {}])
def test_without_credentials_pages_lead_to_the_login(peopled: Running, name: str, accept: dict[str, str]):
    for path, location in ((f"/{name}/", "../_/login"), (f"/{name}", "_/login")):
        answer = peopled.get(path, **accept)
        assert (answer.status, answer.headers["Location"]) == (302, f"{location}?next={name}")
        assert answer.headers["Cache-Control"] == "private, no-cache"


def test_a_name_in_the_way_to_the_login_is_quoted(peopled: Running):
    answer = peopled.get("/%2F%2Fevil.example%0d%0aSet-Cookie:a=b&x=%22/")
    assert answer.headers["Location"] == "../_/login?next=%2F%2Fevil.example%0D%0ASet-Cookie%3Aa%3Db%26x%3D%22"


def test_a_page_that_is_asked_for_as_json_is_401(peopled: Running):
    assert peopled.get("/secret/", Accept="application/json").status == 401


@pytest.mark.parametrize("path", ["/", "/secret/", "/nope/", "/healthz", "/_/static/style.css", "/_/login", "/x/y/z"])
@pytest.mark.parametrize("token", ["x" * 43, "", "x", "\xff", "a b", "x" * 10_000])
def test_a_wrong_token_is_401_everywhere(peopled: Running, path: str, token: str):
    answer = peopled.get(path, Authorization=f"Bearer {token}", **HTML)
    assert answer.status == 401


def test_an_expired_token_is_401(documents, tmp_path):
    now = [1_000_000.0]
    people = People.at(tmp_path / "library", now=lambda: now[0])
    with people.library, running(documents[:1], library=people.library) as server:
        answer = server.get("/healthz", **people.bearer("viewer"))
        assert answer.status == 401 and "expired" in json.loads(answer.body)["error"]


@pytest.mark.parametrize("path", ["/secret/", "/secret/layers/0/tilejson.json"])
def test_with_credentials_what_one_may_not_know_of_is_not_there(peopled: Running, people: People, path: str):
    hidden, missing = (
        peopled.get(path.replace("secret", name), **people.bearer("stranger")) for name in ("secret", "nope")
    )
    assert hidden.status == missing.status == 404
    assert json.loads(hidden.body)["error"] == json.loads(missing.body)["error"]
    assert dict(hidden.headers) | {"Date": ""} == dict(missing.headers) | {
        "Date": "",
        "Content-Length": hidden.headers["Content-Length"],
    }


@pytest.mark.parametrize(("name", "status"), [("viewer", 403), ("writer", 403), ("owner", 200), ("admin", 200)])
def test_a_role_that_is_too_low_is_403(peopled: Running, people: People, name: str, status: int):
    answer = peopled.get("/_/documents/secret/access", **people.bearer(name))
    assert answer.status == status


@pytest.mark.parametrize(
    ("scope", "page", "access"), [("read", 200, 200), ("write", 200, 200), ("append", 403, 403), ("admin", 200, 200)]
)
def test_scopes_bound_what_a_token_does(peopled: Running, people: People, scope: str, page: int, access: int):
    headers = people.bearer("owner", scope)
    assert peopled.get("/secret/", **headers).status == page
    assert peopled.get("/_/documents/secret/access", **headers).status == access
    changed = peopled.get("/_/documents/secret/access", "POST", b"action=nothing", **headers)
    assert changed.status == (400 if scope in ("write", "admin") else 403)
    assert peopled.get("/_/account", "POST", b"action=nothing", **headers).status == (400 if scope == "admin" else 403)


@pytest.mark.parametrize("scope", ["read", "write"])
def test_an_admins_token_of_less_scope_is_a_users(peopled: Running, people: People, scope: str):
    assert peopled.get("/secret/", **people.bearer("admin", scope)).status == 404
    assert peopled.get("/secret/", **people.bearer("admin", "admin")).status == 200


def test_a_scope_does_not_make_an_admin(peopled: Running, people: People):
    assert peopled.get("/secret/", **people.bearer("stranger", "admin")).status == 404


def test_tables_of_the_command_line_are_for_every_user(peopled: Running, people: People):
    assert peopled.get(TILE, **people.bearer("stranger")).status == 200


def test_a_session(peopled: Running, people: People):
    port = peopled.server.port
    assert peopled.get("/secret/", **people.cookie("viewer", port)).status == 200
    assert peopled.get("/secret/", **people.cookie("stranger", port)).status == 404
    assert peopled.get("/secret/", Cookie=f"bigviz-{port}=nonsense").status == 302
    assert peopled.get("/secret/", **people.cookie("viewer", port + 1)).status == 302


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Dest": "script"},
        {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Dest": "iframe"},
    ],
)
def test_a_foreign_page_uses_no_cookie(peopled: Running, people: People, headers: dict[str, str]):
    cookie = people.cookie("viewer", peopled.server.port)
    assert peopled.get("/secret/layers/0/tilejson.json", **cookie, **headers).status == 401


def test_a_link_on_a_foreign_page_works(peopled: Running, people: People):
    cookie = people.cookie("viewer", peopled.server.port)
    headers = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Dest": "document", "Sec_Fetch_Mode": "navigate"}
    assert peopled.get("/secret/", **cookie, **headers).status == 200


@pytest.mark.parametrize("headers", [{"Sec_Fetch_Site": "same-site"}, {"Origin": "http://evil.example"}])
def test_changes_from_foreign_pages(peopled: Running, people: People, headers: dict[str, str]):
    for path in ("/_/login", "/_/logout", "/_/documents/secret/access", "/_/account"):
        who = people.cookie("owner", peopled.server.port)
        answer = peopled.get(path, "POST", b"action=public", **who, **headers)
        assert answer.status == 403 and b"Another page" in answer.body
    assert people.library.access.get("document", "secret")["public"] is False


def test_what_caches_may_keep(documents, tmp_path):
    people = People.at(tmp_path / "library")
    with people.library, running(documents[:1], library=people.library) as server:
        private = server.get("/secret/", **people.bearer("viewer")).headers
        varies = "Cookie, Authorization, Accept-Encoding"
        assert (private["Cache-Control"], private["Vary"]) == ("private, no-cache", varies)
        etag = private["Etag"]
        assert server.get("/secret/", If_None_Match=etag).status == 302
        assert server.get("/secret/", If_None_Match=etag, **people.bearer("stranger")).status == 404
        assert server.get("/secret/", If_None_Match=etag, **people.bearer("viewer")).status == 304
        people.library.access.set("document", "secret", True, {})
        public = server.get("/secret/")
        assert (public.status, public.headers["Cache-Control"]) == (200, "no-cache")
        assert public.headers["Vary"] == "Accept-Encoding"
        for who in ("owner", "viewer"):  # who may be answered more: the owner of a dataset asks for all its columns
            known = server.get("/secret/", **people.bearer(who)).headers
            assert (known["Cache-Control"], known["Vary"]) == ("private, no-cache", varies)


def test_the_list_holds_what_one_may_see(peopled: Running, people: People):
    answer = peopled.get("/")
    assert (answer.status, answer.headers["Location"]) == (302, "_/login")
    found = json.loads(peopled.get("/", Accept="application/json", **people.bearer("stranger")).body)
    assert [each["name"] for each in found["documents"]] == ["points"]


def test_health_tells_no_counts(peopled: Running, people: People):
    assert json.loads(peopled.get("/healthz").body).keys() == {"ok", "loaded"}
    assert json.loads(peopled.get("/healthz", **people.bearer("admin")).body)["documents"] == 1
    assert peopled.get("/metrics").status == 401 and peopled.get("/metrics", **people.bearer("viewer")).status == 200


def test_methods_that_a_route_does_not_answer(peopled: Running, people: People):
    for path, allow in (("/_/login", "GET, HEAD, POST"), ("/_/logout", "POST"), ("/secret/", "GET, HEAD")):
        answer = peopled.get(path, "DELETE", **people.bearer("admin"))
        assert (answer.status, answer.headers["Allow"]) == (405, allow)


FORWARDED = [{"Forwarded": "for=1.1.1.1"}, {"X_Forwarded_For": "127.0.0.1"}, {"X_Forwarded_Host": "localhost"}]


@pytest.mark.parametrize("headers", FORWARDED)
def test_behind_a_proxy_nobody_is_the_operator(served: Running, headers: dict[str, str]):
    """Of a server without a library: it says what to type, since there is no login."""
    assert served.get(TILE).status == served.get("/").status == 200
    for path in (TILE, "/", "/nope/"):
        answer = served.get(path, **headers)
        assert answer.status == 401 and b"--allow-anonymous" in answer.body
    page = served.get("/points/", **headers, **HTML)
    assert page.status == 401 and b"Not allowed" in page.body


def test_another_host_is_not_the_operators(documents):
    with running(documents[:1], allow_hosts=["plots.example.org"]) as server:
        assert server.get(TILE, Host="plots.example.org").status == 401
        assert server.get(TILE, Host=f"localhost:{server.server.port}").status == 200


@pytest.mark.parametrize("headers", FORWARDED)
def test_anyone_may_look_where_that_is_allowed(documents, headers: dict[str, str]):
    with running(documents[:1], allow_anonymous=True) as server:
        assert server.get(TILE, **headers).status == 200
        assert server.get("/nope/", **headers).status == 404
        assert server.get("/_/account", **headers).status == 401


def test_the_first_user_ends_the_operators_time(documents, tmp_path):
    with Library.open(tmp_path / "library") as library, running(documents[:1], library=library) as server:
        assert server.get(TILE).status == 200 and b"You are the operator" in server.get("/_/account").body
        library.users.add("ada")
        assert server.get(TILE).status == 401
        library.users.remove("ada")
        assert server.get(TILE).status == 200


def test_with_users_anyone_sees_what_is_public_and_the_command_lines(documents, tmp_path):
    people = People.at(tmp_path / "library")
    with people.library, running(documents[:1], library=people.library, allow_anonymous=True) as server:
        assert server.get(TILE).status == server.get("/points/").status == 200
        assert server.get("/secret/").status == server.get("/nope/").status == 302
        assert server.get("/secret/layers/0/tilejson.json").status == 401
        people.library.access.set("document", "secret", True, {})
        assert server.get("/secret/").status == 200
        assert server.get("/_/documents/secret/access", "POST", b"action=private").status == 302


def test_a_page_of_an_allowed_origin_looks_and_changes_nothing(documents, tmp_path):
    origin = {"Origin": "https://app.example.com"}
    with (
        Library.open(tmp_path / "library") as library,
        running(documents[:1], library=library, allow_origins=["https://app.example.com"]) as server,
    ):
        library.documents.put("secret", {"title": "s"}, title="s", datasets=(), author=None)
        assert server.get("/secret/", **origin).status == 200
        for path in ("/_/documents/secret/access", "/_/api/documents/secret/access", "/_/account"):
            assert server.get(path, Accept="application/json", **origin).status == 401
        assert json.loads(server.get("/_/api/me", **origin).body)["kind"] == "visitor"
        assert server.get("/nope/", **origin).status == 404
        assert server.get("/_/documents/secret/access", "POST", b"action=public", **origin).status == 403
        assert server.get("/metrics", **origin).status == 200
        library.users.add("ada")
        assert server.get("/secret/", **origin).status == 302


def test_a_page_of_another_origin_is_told_what_to_type_and_so_is_the_operator(documents, caplog):
    with running(documents[:1], allow_origins=["https://app.example.com"]) as server:
        for origin in ("https://evil.example", "https://evil.example", "null", "https://app.example.com.evil.example"):
            answer = server.get(TILE, Origin=origin)
            assert answer.status == 403 and "Access-Control-Allow-Origin" not in answer.headers
            assert answer.headers["Vary"] == "Origin"
            assert (f"--allow-origin {origin}" in json.loads(answer.body)["error"]) is (origin != "null")
        told = [each.message for each in caplog.records if "--allow-origin" in each.message]
        assert len(told) == 3 and "--allow-origin https://evil.example " in told[0]


def test_a_page_of_an_allowed_origin_reads_without_credentials(documents):
    origin = "https://app.example.com"
    with running(documents[:1], allow_origins=[origin]) as server:
        for path in (TILE, "/points/layers/0/tiles/0/0/0.png", "/_/static/style.css", "/nothing/at/all", "/points/"):
            headers = server.get(path, Origin=origin).headers
            assert headers["Access-Control-Allow-Origin"] == origin and "Origin" in headers["Vary"]
            assert "Access-Control-Allow-Credentials" not in headers
            shown = "cross-origin" if "/layers/" in path else "same-origin"
            assert headers["Cross-Origin-Resource-Policy"] == shown
            assert served_picture(server, path)["Cross-Origin-Resource-Policy"] == shown
        plain = server.get(TILE).headers
        assert "Access-Control-Allow-Origin" not in plain and plain["Vary"] == "Origin"


def served_picture(server: Running, path: str) -> Any:
    """The headers that a picture in a page gets, of whose origin its browser says nothing."""
    return server.get(path, Sec_Fetch_Site="same-site", Sec_Fetch_Dest="image").headers


@pytest.mark.parametrize(
    ("origin", "method", "path", "status"),
    [
        ("https://app.example.com", "GET", TILE, 204),
        ("https://app.example.com", "HEAD", TILE, 204),
        ("https://app.example.com", "PUT", "/_/api/documents/points", 405),
        ("https://app.example.com", "POST", "/points/views", 405),
        ("https://evil.example", "GET", TILE, 405),
        ("", "GET", TILE, 405),
    ],
)
def test_the_question_before_a_request_with_a_token(documents, origin: str, method: str, path: str, status: int):
    with running(documents[:1], allow_origins=["https://app.example.com"]) as server:
        answer = server.get(path, "OPTIONS", Origin=origin, Access_Control_Request_Method=method)
        assert answer.status == status
        allowed = answer.headers["Access-Control-Allow-Headers"], answer.headers["Access-Control-Allow-Origin"]
        assert allowed == (("Authorization", origin) if status == 204 else (None, None))


def test_floods_are_refused_for_each_client(documents, tmp_path):
    people = People.at(tmp_path / "library")
    limits = Limits(requests_burst=20, requests_per_second=0.001)
    with people.library, running(documents[:1], library=people.library, limits=limits) as server:
        answers = [server.get("/healthz") for _ in range(22)]
        assert [each.status for each in answers] == [200] * 20 + [429] * 2
        assert answers[-1].headers["Retry-After"] == "1"
