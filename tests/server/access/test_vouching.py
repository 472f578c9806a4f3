"""The organisation's own login: a header of a trusted proxy, or a function."""

from __future__ import annotations

import sys
import threading
from http.client import HTTPConnection
from types import ModuleType

import pytest

from bigviz.common.errors import BadInput
from bigviz.server.access.vouching import Asked
from bigviz.server.run.options import Options

from ..people import People
from ..running import Running, running

TILE = "/points/layers/0/tilejson.json"


@pytest.fixture(scope="module")
def headed(people: People, documents):
    options = {"auth_header": "X-Remote-User", "trusted_proxies": ["127.0.0.1"], "library": people.library}
    with running(documents[:1], **options) as server:
        yield server


@pytest.mark.parametrize(("user", "status"), [("viewer", 200), ("stranger", 404), ("somebody.new@example.org", 404)])
def test_the_header_names_the_user(headed: Running, user: str, status: int):
    assert headed.get("/secret/", X_Remote_User=user).status == status
    assert headed.get(TILE, X_Remote_User=user).status == 200


def test_an_admin_of_the_library_is_one(headed: Running):
    assert headed.get("/secret/", X_Remote_User="admin").status == 200


def test_without_the_header_there_is_nobody(headed: Running):
    assert headed.get(TILE).status == headed.get(TILE, X_Remote_User="").status == 401


def test_through_a_trusted_proxy_nobody_is_the_operator(documents):
    """Though the proxy is on this machine, tells nothing of where the request came from, and there are no users."""
    for options in ({}, {"auth_header": "X-Remote-User"}):
        with running(documents[:1], trusted_proxies=["127.0.0.1"], **options) as server:
            assert server.get(TILE).status == 401
            assert server.get(TILE, X_Forwarded_For="127.0.0.1").status == 401


@pytest.mark.parametrize("user", ["a b", "-x", "a\tb", "<script>", "x" * 65, "../admin"])
def test_names_that_no_user_can_have(headed: Running, user: str):
    assert headed.get(TILE, X_Remote_User=user).status == 401


def test_two_headers_are_refused(headed: Running):
    """A proxy that adds to what the client sent, instead of replacing it, would let anybody be anybody."""
    connection = HTTPConnection("127.0.0.1", headed.server.port)
    connection.putrequest("GET", TILE)
    for user in ("admin", "stranger"):
        connection.putheader("X-Remote-User", user)
    connection.endheaders()
    assert connection.getresponse().status == 401
    connection.close()


def test_the_header_of_others_is_worth_nothing(documents, people: People):
    options = {"auth_header": "X-Remote-User", "trusted_proxies": ["192.0.2.1"], "library": people.library}
    with running(documents[:1], **options) as server:
        assert server.get(TILE, X_Remote_User="admin").status == 401


def test_a_foreign_page_is_not_vouched_for(headed: Running):
    assert headed.get(TILE, X_Remote_User="viewer", Origin="http://evil.example").status == 403
    foreign = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Dest": "image"}
    assert headed.get(TILE, X_Remote_User="viewer", **foreign).status == 401


def test_a_token_goes_before_the_header(headed: Running, people: People):
    assert headed.get("/secret/", X_Remote_User="admin", **people.bearer("stranger")).status == 404


def test_it_works_without_a_library(documents):
    options = {"auth_header": "X-Remote-User", "trusted_proxies": ["127.0.0.1"]}
    with running(documents[:1], **options) as server:
        assert server.get(TILE, X_Remote_User="ada", X_Forwarded_For="192.0.2.9").status == 200
        assert server.get(TILE, X_Forwarded_For="192.0.2.9").status == 401


@pytest.fixture
def company(monkeypatch) -> ModuleType:
    found = ModuleType("company_login")
    monkeypatch.setitem(sys.modules, "company_login", found)
    return found


def test_a_function_names_the_user(documents, people: People, company: ModuleType):
    asked: list[tuple[Asked, str]] = []

    def user_of(request: Asked) -> str | None:
        asked.append((request, threading.current_thread().name))
        return request.headers.get("x-badge")

    company.user_of = user_of
    with running(documents[:1], auth="company_login:user_of", library=people.library) as server:
        assert server.get("/secret/", X_Badge="viewer").status == 200
        assert server.get("/secret/", X_Badge="stranger").status == 404
        assert server.get("/secret/").status == 302
    first, thread = asked[0]
    assert (first.path, first.address) == ("/secret/", "127.0.0.1") and thread == "bigviz-thread"


def test_it_may_be_a_coroutine_function(documents, people: People, company: ModuleType):
    async def user_of(request: Asked) -> str | None:
        return "viewer"

    company.user_of = user_of
    with running(documents[:1], auth="company_login:user_of", library=people.library) as server:
        assert server.get("/secret/").status == 200


@pytest.mark.parametrize("outcome", [RuntimeError("hunter2"), 7, b"viewer", ["viewer"]])
def test_a_function_that_fails_lets_nobody_in(documents, people: People, company: ModuleType, outcome: object, caplog):
    def user_of(request: Asked) -> object:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    company.user_of = user_of
    with running(documents[:1], auth="company_login:user_of", library=people.library) as server:
        answer = server.get(TILE)
        assert answer.status == 401 and b"hunter2" not in answer.body
    assert "the function of --auth failed" in caplog.text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"auth": "nonsense"}, "module:function"),
        ({"auth": ":f"}, "module:function"),
        ({"auth": "no.such.module:f"}, "cannot be imported"),
        ({"auth": "json:no_such_function"}, "cannot be imported"),
        ({"auth": "sys:path"}, "takes a function"),
        ({"auth_header": "X-User"}, "--trusted-proxy"),
        ({"auth_header": "X-User", "trusted_proxies": ["10.0.0.1"], "auth": "json:loads"}, "one of them"),
        ({"trusted_proxies": ["proxy"]}, "--trusted-proxy"),
    ],
)
def test_options_that_cannot_be(options: dict[str, object], words: str):
    with pytest.raises(BadInput, match=words):
        Options(**options).check()


def test_a_login_of_ones_own_lets_a_server_be_reached(documents):
    Options(address="0.0.0.0", auth_header="X-User", trusted_proxies=["10.0.0.1"]).check()
    Options(address="0.0.0.0", auth="json:loads").check()
    with pytest.raises(BadInput):
        Options(address="0.0.0.0", trusted_proxies=["10.0.0.1"]).check()
