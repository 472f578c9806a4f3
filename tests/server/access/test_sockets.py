"""Open sockets: closed when their caller's permission is taken away, and asked about at each message."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from bigviz.server.access.people import People as Watch
from bigviz.server.limits import Limits
from bigviz.wire.frames import DENIED, GONE, RESTART, Type

from ...patience import PATIENCE
from ..people import DOCUMENT, PASSWORD, People
from ..running import Running, running
from ..wire import Browser


@contextmanager
def socket(server: Running, name: str, headers: dict[str, str], **more: Any) -> Iterator[ClientConnection]:
    """A socket, whose frames nobody looks at."""
    address = f"{server.url.replace('http', 'ws', 1)}{name}/ws"
    options = {"origin": server.url.rstrip("/"), "max_size": None, "compression": None, **more}
    with connect(address, additional_headers=headers, **options) as found:
        yield found


def closed(found: ClientConnection) -> tuple[int, str]:
    """Code and reason of the closing of a socket, which is waited for."""
    with pytest.raises(ConnectionClosed) as end:
        while True:
            found.recv(PATIENCE)
    assert end.value.rcvd is not None
    return end.value.rcvd.code, end.value.rcvd.reason


@pytest.fixture
def people(tmp_path) -> Iterator[People]:
    found = People.at(tmp_path / "library")
    yield found
    found.library.close()


@pytest.fixture
def server(people: People, documents) -> Iterator[Running]:
    with running(documents[:1], library=people.library) as found:
        yield found


def token_of(people: People, name: str) -> str:
    (entry,) = people.library.tokens.entries(name)
    return entry.id


ENDS: dict[str, tuple[Callable[[People], object], int, str]] = {
    "token revoked": (lambda p: p.library.tokens.revoke(token_of(p, "viewer")), DENIED, "not known"),
    "user removed": (lambda p: p.library.users.remove("viewer"), DENIED, "not known"),
    "role removed": (lambda p: p.library.access.set("document", "secret", False, {}), GONE, "no such document"),
    "document deleted": (lambda p: p.library.documents.delete("secret"), GONE, "no such document"),
}


@pytest.mark.parametrize("end", ENDS)
def test_what_ends_a_socket_of_a_token(server: Running, people: People, end: str):
    act, code, reason = ENDS[end]
    with (
        socket(server, "secret", people.bearer("viewer")) as gone,
        socket(server, "secret", people.bearer("admin")) as stays,
    ):
        act(people)
        assert closed(gone)[0] == code
        assert reason in closed(gone)[1] or end == "document deleted"
        if end != "document deleted":
            stays.ping().wait(PATIENCE)


@pytest.mark.parametrize(
    "act",
    [
        lambda people: people.library.sessions.end_all("viewer"),
        lambda people: people.library.users.set_password("viewer", PASSWORD),
        lambda people: people.library.users.remove("viewer"),
    ],
)
def test_what_ends_a_socket_of_a_session(server: Running, people: People, act: Callable[[People], object]):
    with socket(server, "points", people.cookie("viewer", server.server.port)) as found:
        act(people)
        assert closed(found) == (DENIED, "Sign in to see this.")


def test_a_public_document_that_is_private_again(server: Running, people: People):
    people.library.access.set("document", "secret", True, {})
    with socket(server, "secret", {}) as found:
        people.library.access.set("document", "secret", False, {})
        assert closed(found) == (DENIED, "Sign in to see this.")


def test_the_operators_socket_ends_with_the_first_user(documents, tmp_path):
    people = People.at(tmp_path / "library")
    with people.library as library:
        for entry in library.users.entries():
            library.users.remove(entry.name)
        with running(documents[:1], library=library) as server, socket(server, "points", {}) as found:
            library.users.add("ada")
            assert closed(found)[0] == DENIED


def test_an_admin_who_is_none_any_more(server: Running, people: People):
    with socket(server, "secret", people.bearer("admin")) as found:
        people.library.users.remove("admin")
        people.library.users.add("admin")
        assert closed(found)[0] == DENIED


def test_a_token_that_expires(server: Running, people: People):
    """No change of the library tells of it."""
    secret = people.library.tokens.create("viewer", "read", 1.5 / 86_400)[1]
    with socket(server, "points", {"Authorization": f"Bearer {secret}"}) as found:
        code, reason = closed(found)
        assert code == DENIED and "expired" in reason


async def never(*_: object) -> None:
    """In the place of what watches the sockets."""
    await asyncio.Event().wait()


@pytest.mark.parametrize("value", [DOCUMENT, {"format": 2}], ids=["a plot", "what cannot be shown"])
def test_nothing_is_told_of_what_another_puts_in_a_documents_place(documents, people: People, monkeypatch, value):
    """Whoever looks at changes of documents first: not that it has another version, nor what is wrong with it."""
    monkeypatch.setattr(Watch, "watch", never)
    with (
        running(documents[:1], library=people.library) as server,
        Browser(server.url, "secret", additional_headers=people.bearer("viewer")) as browser,
    ):
        kept = people.library.documents
        kept.delete("secret")
        for _ in range(2):
            kept.put("secret", value, title="Other", datasets=(), author="stranger")
        with pytest.raises(ConnectionClosed) as end:
            browser.take()
        assert end.value.rcvd is not None and end.value.rcvd.code == GONE


def test_each_message_is_asked_about(documents, people: People, monkeypatch):
    """Also where nobody watches the sockets."""
    monkeypatch.setattr(Watch, "watch", never)
    with (
        running(documents[:1], library=people.library) as server,
        Browser(server.url, "points", additional_headers=people.bearer("viewer")) as browser,
    ):
        assert browser.layer().kind == Type.LAYER
        people.library.tokens.revoke(token_of(people, "viewer"))
        browser.say(op="layer", figure=0, layer=0, definition=browser.definition())
        assert closed(browser.socket)[0] == DENIED
        server.await_event("disconnected", code=DENIED)


def test_a_watch_that_fails_goes_on(documents, people: People, monkeypatch):
    with running(documents[:1], library=people.library) as server:
        changes, failed, failures = people.library.changes, threading.Event(), []

        def broken() -> int:
            failures.append(1)
            if len(failures) == 3:
                failed.set()
            raise OSError("the disk is gone")

        with socket(server, "points", people.bearer("viewer")) as found:
            monkeypatch.setattr(people.library, "changes", broken)
            assert failed.wait(PATIENCE)
            monkeypatch.setattr(people.library, "changes", changes)
            people.library.tokens.revoke(token_of(people, "viewer"))
            assert closed(found)[0] == DENIED


@pytest.mark.parametrize(
    ("name", "who", "status"),
    [
        ("secret", None, 401), ("nope", None, 401), ("points", None, 401), ("secret", "stranger", 404),
        ("nope", "viewer", 404), ("secret", "wrong", 401),
    ],
)  # fmt: skip
def test_upgrades_that_are_refused(server: Running, people: People, name: str, who: str | None, status: int):
    people.tokens["wrong"] = "x" * 43
    headers = {} if who is None else people.bearer(who)
    with pytest.raises(InvalidStatus) as refused, socket(server, name, headers):
        pass
    assert refused.value.response.status_code == status
    assert json.loads(refused.value.response.body)["error"]


def test_a_foreign_page_opens_no_socket_with_cookies(documents, people: People):
    origin = "https://app.example.com"
    with running(documents[:1], library=people.library, allow_origins=[origin]) as server:
        cookie = people.cookie("viewer", server.server.port)
        for each, status in ((origin, 401), ("https://evil.example", 403)):
            with pytest.raises(InvalidStatus) as refused, socket(server, "secret", cookie, origin=each):
                pass
            assert refused.value.response.status_code == status
        people.library.access.set("document", "secret", True, {})
        with socket(server, "secret", cookie, origin=origin) as found:
            found.ping().wait(PATIENCE)


def test_messages_of_all_sockets_of_a_client_are_counted(documents):
    limits = Limits(all_messages_burst=3, all_messages_per_second=0.001)
    with (
        running(documents[:1], limits=limits) as server,
        Browser(server.url, "points") as one,
        Browser(server.url, "points") as other,
    ):
        assert [one.layer().kind, other.layer().kind, one.layer().kind] == [Type.LAYER] * 3
        other.say(op="cancel", figure=0)
        assert "Too many requests" in other.take().value["error"]


def test_a_user_whom_others_vouch_for_is_asked_again(documents, people: People, monkeypatch):
    monkeypatch.setattr("bigviz.server.access.access.vouched_until", lambda: 1.0)
    options = {"auth_header": "X-Remote-User", "trusted_proxies": ["127.0.0.1"], "library": people.library}
    with running(documents[:1], **options) as server, socket(server, "secret", {"X-Remote-User": "viewer"}) as found:
        assert closed(found) == (RESTART, "the login is renewed")
