"""Users and their tokens over the API, for admins: what is done, what is refused, and what the log says of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bigviz.library.library import Library
from bigviz.server.access import passwords
from bigviz.server.access.passwords import Passwords

from ..running import Running, running
from .calls import call


@dataclass
class Town:
    served: Running
    library: Library
    bearer: dict[str, str]

    def call(self, method: str, path: str, value: Any = None) -> tuple[int, Any]:
        return call(self.served, method, path, value, **self.bearer)

    def audited(self) -> list[tuple[str, ...]]:
        return [(has["by"], has["done"], has["user"]) for name, has in self.served.events if name == "people"]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with Library.open(tmp_path / "library") as library:
        library.users.add("root", admin=True)
        with running([], library=tmp_path / "library") as served:
            served.await_event("loaded")
            token = library.tokens.create("root", "admin", 1)[1]
            yield Town(served, library, {"Authorization": f"Bearer {token}"})


def test_from_adding_to_removing(town: Town):
    status, told = town.call("POST", "users", {"name": "ann", "password": "correct horse"})
    assert status == 201 and told == {"name": "ann", "admin": False, "password": True, "created": told["created"],
                                     "documents": 0, "bytes": 0}  # fmt: skip
    assert town.library.users.check("ann", "correct horse")
    assert town.call("POST", "users", {"name": "bob", "admin": True})[1]["password"] is False
    assert [(each["name"], each["admin"]) for each in town.call("GET", "users")[1]["users"]] == [
        ("ann", False), ("bob", True), ("root", True),
    ]  # fmt: skip
    session = town.library.sessions.create("ann")
    assert town.call("PUT", "users/ann/password", {"password": "battery staple"}) == (204, None)
    assert town.library.users.check("ann", "battery staple") and town.library.sessions.find(session) is None
    status, told = town.call("POST", "users/ann/link", {})
    url, _, secret = told["url"].rpartition("/")
    assert (status, url) == (201, f"{town.served.url}_/link") and town.library.users.use_link(secret) == "ann"
    assert town.call("DELETE", "users/ann") == (204, None) and town.library.users.find("ann") is None
    assert town.audited() == [
        ("root", "user added", "ann"), ("root", "admin added", "bob"), ("root", "password set", "ann"),
        ("root", "link made", "ann"), ("root", "user removed", "ann"),
    ]  # fmt: skip
    log = json.dumps(town.served.events, default=str)
    assert not [each for each in ("correct horse", "battery staple", secret) if each in log]


def test_tokens_of_others(town: Town):
    town.library.users.add("ann")
    status, told = town.call("POST", "users/ann/tokens", {"scope": "read", "days": 2})
    theirs = {"Authorization": f"Bearer {told['token']}"}
    assert status == 201 and call(town.served, "GET", "me", **theirs)[1]["user"] == "ann"
    (listed,) = town.call("GET", "users/ann/tokens")[1]["tokens"]
    assert listed["id"] == told["id"] and "token" not in listed
    assert town.call("DELETE", f"tokens/{told['id']}") == (204, None)
    assert call(town.served, "GET", "me", **theirs)[0] == 401
    assert [done for _, done, _ in town.audited()] == ["token made", "token revoked"]


@pytest.mark.parametrize(
    ("method", "path", "value", "status", "field"),
    [
        ("POST", "users", {"name": "root"}, 409, "name"),
        ("POST", "users", {"name": "a b"}, 400, "name"),
        ("POST", "users", {"name": 7}, 400, "name"),
        ("POST", "users", {"name": "ann", "admin": "yes"}, 400, "admin"),
        ("POST", "users", {"name": "ann", "password": "secret!"}, 400, "password"),
        ("POST", "users", {"name": "ann", "password": ["secret!"]}, 400, "password"),
        ("POST", "users", {"name": "ann", "role": "admin"}, 400, "body"),
        ("POST", "users", [], 400, "body"),
        ("DELETE", "users/root", None, 409, "name"),
        ("DELETE", "users/ann", None, 404, "user"),
        ("PUT", "users/ann/password", {"password": "long enough"}, 404, "user"),
        ("PUT", "users/root/password", {"password": "secret!"}, 400, "password"),
        ("POST", "users/ann/link", {}, 404, "user"),
        ("GET", "users/ann/tokens", None, 404, "user"),
        ("POST", "users/ann/tokens", {"scope": "read"}, 404, "user"),
        ("POST", "users/root/tokens", {"scope": "king"}, 400, "scope"),
    ],
)
def test_what_is_refused(town: Town, method: str, path: str, value: Any, status: int, field: str):
    found, told = town.call(method, path, value)
    assert (found, told["field"]) == (status, field) and "secret!" not in json.dumps(told)
    assert town.library.users.names() == ["root"] and town.audited() == []


def test_few_passwords_are_hashed_at_once(town: Town, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(passwords, "_MOST_WAITING", 0)
    for method, path in (("POST", "users"), ("PUT", "users/root/password")):
        name = {"name": "ann"} if path == "users" else {}
        assert town.call(method, path, {**name, "password": "long enough"})[0] == 429
    assert isinstance(town.served.server.site.access.passwords, Passwords) and town.library.users.count() == 1


def test_the_operator_adds_the_first_user_and_is_nobody_then(tmp_path: Path):
    with running([], library=tmp_path / "library") as served:
        served.await_event("loaded")
        assert call(served, "POST", "users", {"name": "ada", "admin": True})[0] == 201
        assert call(served, "GET", "users")[0] == 401
        assert ("people", {"by": "operator", "done": "admin added", "user": "ada"}) in served.events
