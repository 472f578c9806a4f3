"""Signing in and out: sessions, cookies, wrong passwords, and where one is led."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest

from bigviz.library.library import Library
from bigviz.server.access import rates
from bigviz.server.limits import Limits

from ..people import PASSWORD, People
from ..running import Answer, Running, running

FORM = {"Content_Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    found = People.at(tmp_path_factory.mktemp("library"))
    found.library.users.set_password("viewer", PASSWORD)
    yield found
    found.library.close()


@pytest.fixture(scope="module")
def server(people: People, documents) -> Iterator[Running]:
    with running(
        documents[:1], library=people.library, limits=Limits(login_wait_address=0, login_wait_user=0)
    ) as found:
        yield found


def sent(server: Running, path: str = "/_/login", headers: dict[str, str] | None = None, **fields: str) -> Answer:
    return server.get(path, "POST", urlencode(fields).encode(), **FORM, **(headers or {}))


def cookie_of(answer: Answer) -> str:
    """The name and value of the cookie that an answer sets."""
    return answer.headers["Set-Cookie"].partition(";")[0]


def test_the_form(server: Running):
    page = server.get("/_/login?next=secret")
    assert page.status == 200 and page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "same-origin"  # else browsers send "null" as the form's Origin
    assert "form-action 'self'" in page.headers["Content-Security-Policy"]
    text = page.body.decode()
    assert '<input type="hidden" name="next" value="secret">' in text
    assert 'autocomplete="username"' in text and 'autocomplete="current-password"' in text
    assert not re.search(r"<script(?![^>]* src=)|\son\w+=|<style|\sstyle=", text)


def test_signing_in_and_out(server: Running, people: People):
    answer = sent(server, username="viewer", password=PASSWORD, next="secret")
    assert (answer.status, answer.headers["Location"]) == (303, "../secret/")
    name, *attributes = answer.headers["Set-Cookie"].split("; ")
    assert re.fullmatch(rf"bigviz-{server.server.port}=[\w-]{{43}}", name)
    assert sorted(attributes) == ["HttpOnly", "Max-Age=1209600", "Path=/", "SameSite=Lax"]
    cookie = {"Cookie": name}
    assert server.get("/secret/", **cookie).status == 200
    out = sent(server, "/_/logout", cookie)
    assert (out.status, out.headers["Location"]) == (303, "login")
    assert re.match(rf'bigviz-{server.server.port}=""; expires=', out.headers["Set-Cookie"])
    assert server.get("/secret/", **cookie).status == 302


def test_each_login_is_a_session_of_its_own(server: Running):
    first = cookie_of(sent(server, username="viewer", password=PASSWORD))
    other = cookie_of(sent(server, username="viewer", password=PASSWORD))
    again = cookie_of(sent(server, headers={"Cookie": first}, username="viewer", password=PASSWORD))
    assert len({first, other, again}) == 3
    assert [server.get("/secret/", Cookie=each).status for each in (first, other, again)] == [302, 200, 200]


def test_a_session_is_not_taken_from_the_client(server: Running, people: People):
    """Session fixation: what stood in the browser's cookie before the login is worth nothing after it."""
    planted = f"bigviz-{server.server.port}=" + "A" * 43
    made = cookie_of(sent(server, headers={"Cookie": planted}, username="viewer", password=PASSWORD))
    assert made != planted and server.get("/secret/", Cookie=planted).status == 302


@pytest.mark.parametrize(
    ("following", "location"),
    [
        ("secret", "../secret/"),
        ("points", "../points/"),
        ("", "../"),
        ("nope", "../"),
        ("hidden", "../"),
        ("//evil.example", "../"),
        ("/\\evil.example", "../"),
        ("https://evil.example", "../"),
        ("javascript:alert(1)", "../"),
        ("secret/../../evil", "../"),
        ("secret\r\nSet-Cookie: a=b", "../"),
        ("\u2028", "../"),
    ],
)
def test_one_is_led_to_a_document_and_nowhere_else(server: Running, people: People, following: str, location: str):
    people.library.documents.put("hidden", {"title": "h"}, title="h", datasets=(), author="owner")
    answer = sent(server, username="viewer", password=PASSWORD, next=following)
    assert (answer.status, answer.headers["Location"]) == (303, location)


VIEW = "Ab-_" * 5 + "xy"


@pytest.mark.parametrize(
    ("view", "location"),
    [
        (VIEW, f"../secret/?v={VIEW}"),
        ("", "../secret/"),
        (VIEW + "z", "../secret/"),
        (VIEW[1:] + "#", "../secret/"),
        ("//evil.example/" + VIEW[:7], "../secret/"),
        ("\u0661" * 22, "../secret/"),
    ],
)
def test_one_is_led_to_a_view_of_it(server: Running, view: str, location: str):
    answer = sent(server, username="viewer", password=PASSWORD, next="secret", v=view)
    assert (answer.status, answer.headers["Location"]) == (303, location)
    elsewhere = sent(server, username="viewer", password=PASSWORD, next="nope", v=view)
    assert elsewhere.headers["Location"] == "../"


def test_the_view_goes_by_the_login_and_a_wrong_password(server: Running):
    way = server.get(f"/secret/?v={VIEW}").headers["Location"]
    assert way == f"../_/login?next=secret&v={VIEW}"
    for page in (server.get(f"/{way[3:]}"), sent(server, username="viewer", password="wrong", next="secret", v=VIEW)):
        assert f'<input type="hidden" name="v" value="{VIEW}">' in page.body.decode()
    for other in ("?v=", f"?v={VIEW}&v=x", "?v=%ff", "?v=%0d%0aX:y"):
        assert server.get(f"/secret/{other}").headers["Location"] == "../_/login?next=secret"


def test_names_that_must_be_quoted(server: Running, people: People):
    name = 'a "b" <c>?&#'
    people.library.documents.put(name, {"title": "h"}, title="h", datasets=(), author="viewer")
    answer = sent(server, username="viewer", password=PASSWORD, next=name)
    assert answer.headers["Location"] == "../a%20%22b%22%20%3Cc%3E%3F%26%23/"


@pytest.mark.parametrize(
    ("user", "password"),
    [("viewer", "wrong"), ("nobody", PASSWORD), ("owner", ""), ("", ""), ("VIEWER", PASSWORD), ("viewer", "\0" * 900)],
)
def test_wrong_ones_are_all_answered_alike(server: Running, user: str, password: str):
    answer = sent(server, username=user, password=password)
    assert answer.status == 401 and "Set-Cookie" not in answer.headers
    assert b'role="alert">The user name or the password is wrong.' in answer.body


def test_what_was_typed_comes_back_as_text_and_the_password_not_at_all(server: Running):
    typed = '"><script>alert(1)</script>'
    page = sent(server, username=typed, password="hunter2!", next=typed).body.decode()
    assert "<script>alert" not in page and page.count("&lt;script&gt;alert(1)") == 2 and "hunter2!" not in page


@pytest.mark.parametrize("body", [b"username=a&username=b", b"username=%ff", b"username=" + b"a" * 2_000])
def test_forms_that_no_page_of_ours_sends(server: Running, body: bytes):
    assert server.get("/_/login", "POST", body, **FORM).status == 400


def test_a_changed_password_ends_the_sessions(server: Running, people: People):
    people.library.users.set_password("writer", "the first one")
    cookie = cookie_of(sent(server, username="writer", password="the first one"))
    assert server.get("/secret/", Cookie=cookie).status == 200
    people.library.users.set_password("writer", "the second one")
    assert server.get("/secret/", Cookie=cookie).status == 302
    assert sent(server, username="writer", password="the first one").status == 401


def test_a_removed_user_is_out_at_once(server: Running, people: People):
    people.library.users.add("leaver")
    cookie = people.cookie("leaver", server.server.port)
    assert server.get("/points/", **cookie).status == 200
    people.library.users.remove("leaver")
    assert server.get("/points/", **cookie).status == 302


@pytest.fixture
def stopped(monkeypatch) -> None:
    """No time goes by for the waits after failures."""
    monkeypatch.setattr(rates, "time", SimpleNamespace(monotonic=lambda: 1_000.0))


@pytest.mark.usefixtures("stopped")
def test_five_failures_slow_a_client_down(documents, tmp_path):
    people = People.at(tmp_path / "library")
    with people.library, running(documents[:1], library=people.library) as server:
        found = [sent(server, username=f"user{number}", password="x") for number in range(7)]
        assert [each.status for each in found] == [401] * 5 + [429] * 2
        assert found[-1].headers["Retry-After"] == "1" and b"Too many failed attempts" in found[-1].body


@pytest.mark.usefixtures("stopped")
def test_five_failures_slow_down_guesses_for_a_user(documents, tmp_path):
    """Whatever their addresses, which a trusted proxy tells here."""
    people = People.at(tmp_path / "library")
    people.library.users.set_password("viewer", PASSWORD)
    with people.library, running(documents[:1], library=people.library, trusted_proxies=["127.0.0.1"]) as server:

        def tried(number: int, user: str, password: str) -> int:
            return sent(
                server, headers={"X-Forwarded-For": f"192.0.2.{number}"}, username=user, password=password
            ).status

        assert [tried(number, "viewer", "x") for number in range(7)] == [401] * 5 + [429] * 2
        assert tried(8, "viewer", PASSWORD) == 429 and tried(9, "owner", "x") == 401


def test_the_cookie_is_for_https_alone_where_browsers_speak_it(documents, tmp_path):
    people = People.at(tmp_path / "library")
    people.library.users.set_password("viewer", PASSWORD)
    options = {
        "library": people.library, "prefix": "/plots", "trusted_proxies": ["127.0.0.1"],
        "allow_hosts": ["plots.example.org"],
    }  # fmt: skip
    with people.library, running(documents[:1], **options) as server:
        headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "plots.example.org"}
        for origin, status in (("https://plots.example.org", 303), ("http://plots.example.org", 403)):
            made = sent(server, "/plots/_/login", headers | {"Origin": origin}, username="viewer", password=PASSWORD)
            assert made.status == status
            if status == 303:
                assert made.headers["Set-Cookie"].split("; ")[1:] == [
                    "HttpOnly", "Max-Age=1209600", "Path=/plots/", "SameSite=Lax", "Secure",
                ]  # fmt: skip
                assert server.get("/plots/secret/", Cookie=cookie_of(made), **headers).status == 200


def test_a_link_lets_in_once_and_only_its_button_uses_it(server: Running, people: People):
    path = f"/_/link/{people.library.users.make_link('stranger')}"
    for _ in range(2):
        page = server.get(path)
        assert page.status == 200 and b"Sign in as stranger" in page.body and "Set-Cookie" not in page.headers
        assert page.headers["Cache-Control"] == "no-store"
    answer = sent(server, path)
    assert (answer.status, answer.headers["Location"]) == (303, "../../")
    assert server.get("/points/", Cookie=cookie_of(answer)).status == 200
    for used in (sent(server, path), server.get(path), server.get("/_/link/" + "x" * 43)):
        assert used.status == 404 and b"no longer valid" in used.body and "Set-Cookie" not in used.headers


def test_an_old_link_lets_nobody_in(documents, tmp_path):
    now = [1_000_000.0]
    people = People.at(tmp_path / "library", now=lambda: now[0])
    with people.library, running(documents[:1], library=people.library) as server:
        path = f"/_/link/{people.library.users.make_link('viewer')}"
        assert server.get(path).status == 200
        now[0] += 15 * 60
        assert server.get(path).status == sent(server, path).status == 404


def test_a_link_that_another_page_sends_is_refused(server: Running, people: People):
    path = f"/_/link/{people.library.users.make_link('stranger')}"
    assert sent(server, path, {"Sec-Fetch-Site": "cross-site"}).status == 403
    assert server.get(path).status == 200


def test_servers_without_users_say_how_to_have_some(documents, served: Running, tmp_path):
    with Library.open(tmp_path / "library") as library, running(documents[:1], library=library) as server:
        for each in (server, served):
            page = each.get("/_/login")
            assert page.status == 200 and b"bigviz user add NAME" in page.body
        assert sent(server, username="a", password="b").status == 401
    assert sent(served, username="a", password="b").status == 400
