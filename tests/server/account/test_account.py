"""The account page: one's tokens and password."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from bigviz.server.limits import Limits

from ..people import PASSWORD, People
from ..running import Answer, Running, running


@pytest.fixture
def people(tmp_path) -> Iterator[People]:
    found = People.at(tmp_path / "library")
    found.library.users.set_password("viewer", PASSWORD)
    yield found
    found.library.close()


@pytest.fixture
def server(people: People, documents) -> Iterator[Running]:
    limits = Limits(login_wait_address=0, login_wait_user=0)
    with running(documents[:1], library=people.library, limits=limits) as found:
        yield found


@pytest.fixture
def cookie(server: Running, people: People) -> dict[str, str]:
    return people.cookie("viewer", server.server.port)


def sent(server: Running, cookie: dict[str, str], **fields: str) -> Answer:
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    return server.get("/_/account", "POST", urlencode(fields).encode(), **form, **cookie)


def test_without_a_login(server: Running):
    answer = server.get("/_/account")
    assert (answer.status, answer.headers["Location"]) == (302, "../_/login")


def test_ones_own_tokens_and_no_others(server: Running, people: People, cookie: dict[str, str]):
    page = server.get("/_/account", **cookie)
    assert page.headers["Cache-Control"] == "no-store" and page.headers["Referrer-Policy"] == "same-origin"
    text = page.body.decode()
    mine, others = ({each.id for each in people.library.tokens.entries(name)} for name in ("viewer", "owner"))
    assert all(each in text for each in mine) and not any(each in text for each in others)
    assert not any(token in text for token in people.tokens.values())


def test_a_token_is_shown_once_and_works(server: Running, cookie: dict[str, str]):
    page = sent(server, cookie, action="token", scope="read", days="30").body.decode()
    (secret,) = re.findall(r'id="secret"[^>]* value="([^"]+)"', page)
    assert server.get("/secret/", Authorization=f"Bearer {secret}").status == 200
    assert secret not in server.get("/_/account", **cookie).body.decode()


@pytest.mark.parametrize(
    "fields",
    [
        {"scope": "all", "days": "1"}, {"scope": "read", "days": "0"}, {"scope": "read", "days": "-1"},
        {"scope": "read", "days": "1e3"}, {"scope": "read", "days": "9" * 30}, {"scope": "read"}, {"days": "1"},
    ],
)  # fmt: skip
def test_tokens_that_cannot_be(server: Running, people: People, cookie: dict[str, str], fields: dict[str, str]):
    answer = sent(server, cookie, action="token", **fields)
    assert answer.status == 400 and b'role="alert"' in answer.body
    assert len(people.library.tokens.entries("viewer")) == 1


def test_revoking(server: Running, people: People, cookie: dict[str, str]):
    (mine,), (other,) = (people.library.tokens.entries(name) for name in ("viewer", "owner"))
    assert sent(server, cookie, action="revoke", id=other.id).status == 404
    assert sent(server, cookie, action="revoke", id=mine.id).status == 200
    assert server.get("/secret/", **people.bearer("viewer")).status == 401
    assert server.get("/secret/", **people.bearer("owner")).status == 200


def test_a_new_password(server: Running, people: People, cookie: dict[str, str]):
    other = people.cookie("viewer", server.server.port)
    wrong = sent(server, cookie, action="password", current="wrong", new="the new one", again="the new one")
    assert wrong.status == 401 and b"The user name or the password is wrong." in wrong.body
    differ = sent(server, cookie, action="password", current=PASSWORD, new="the new one", again="another")
    assert differ.status == 400 and people.library.users.check("viewer", PASSWORD)
    short = sent(server, cookie, action="password", current=PASSWORD, new="too few", again="too few")
    assert short.status == 400 and b"A password has at least 8 characters" in short.body
    done = sent(server, cookie, action="password", current=PASSWORD, new="the new one", again="the new one")
    assert done.status == 200 and people.library.users.check("viewer", "the new one")
    fresh = done.headers["Set-Cookie"].partition(";")[0]
    assert [server.get("/secret/", Cookie=each).status for each in (cookie["Cookie"], other["Cookie"], fresh)] == [
        302,
        302,
        200,
    ]


def test_a_first_password_needs_no_other(server: Running, people: People):
    session = people.cookie("stranger", server.server.port)
    page = server.get("/_/account", **session).body
    assert b"Set password" in page and b'name="current"' not in page
    assert sent(server, session, action="password", new="mine now", again="mine now").status == 200
    assert people.library.users.check("stranger", "mine now")


@pytest.mark.parametrize("scope", ["read", "write", "append"])
def test_no_token_but_of_scope_admin_makes_tokens(server: Running, people: People, scope: str):
    answer = sent(server, people.bearer("viewer", scope), action="token", scope="admin", days="1")
    assert answer.status == 403


def test_an_unknown_action(server: Running, cookie: dict[str, str]):
    assert sent(server, cookie, action="other").status == 400


def test_users_whom_others_vouch_for_have_no_account(documents, people: People):
    options = {"auth_header": "X-Remote-User", "trusted_proxies": ["127.0.0.1"], "library": people.library}
    with running(documents[:1], **options) as server:
        page = server.get("/_/account", X_Remote_User="somebody")
        assert page.status == 200 and b"signed in as somebody by your organisation" in page.body
        assert sent(server, {"X_Remote_User": "somebody"}, action="token", scope="read", days="1").status == 404
