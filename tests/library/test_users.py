"""People: names, passwords, links."""

from __future__ import annotations

import re

import pytest

from bigviz.common.errors import BadInput, Conflict, NotFound
from bigviz.library import passwords
from bigviz.library.users import LINK_SECONDS, UserEntry


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    """Argon2 with the smallest costs; what the costs are is told by one test."""
    monkeypatch.setattr(passwords, "_HASHER", passwords.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    passwords._nobodys.cache_clear()
    yield
    passwords._nobodys.cache_clear()


def test_users_are_added_listed_and_removed(library, clock):
    assert library.users.count() == 0 and library.users.names() == []
    library.users.add("bob", password="secret word")
    library.users.add("ann@example.org", admin=True)
    assert library.users.entries() == [
        UserEntry("ann@example.org", True, clock.now, False),
        UserEntry("bob", False, clock.now, True),
    ]
    assert library.users.find("bob") == library.users.entries()[1] and library.users.find("Bob") is None
    with pytest.raises(Conflict, match="a user 'bob' already"):
        library.users.add("bob")
    library.users.remove("bob")
    assert library.users.names() == ["ann@example.org"] and library.users.count() == 1
    with pytest.raises(NotFound):
        library.users.remove("bob")


@pytest.mark.parametrize("name", ["", "-a", ".a", "a b", "é", "a" * 65, "a\n", "a/b", "a:b", "\ud800"])
def test_names_are_plain(library, name):
    with pytest.raises(BadInput, match="begins with a letter"):
        library.users.add(name)


def test_passwords(library):
    library.users.add("ann", password="Zu\u0308rich 1")
    library.users.add("bob")
    assert library.users.check("ann", "Zürich 1")  # the same text in another form
    for name, password in (("ann", "zürich 1"), ("ann", ""), ("bob", ""), ("bob", "x"), ("carl", "x"), ("\ud800", "x")):
        assert not library.users.check(name, password)
    library.users.set_password("bob", "x" * 1_024)
    assert library.users.check("bob", "x" * 1_024)
    library.users.set_password("bob", "12345678")  # of any characters
    assert not library.users.check("bob", "x" * 1_024) and library.users.check("bob", "12345678")
    with pytest.raises(NotFound):
        library.users.set_password("carl", "password")


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("", "at least 8 characters, and at most 1,024 bytes as UTF-8, got 0 characters, 0 bytes"),
        ("1234567", "got 7 characters, 7 bytes"),
        ("u\u0308" * 7, "got 7 characters, 14 bytes"),
        ("x" * 1_025, "got 1,025 characters, 1,025 bytes"),
        ("\u20ac" * 342, "got 342 characters, 1,026 bytes"),
        ("half of \ud800b", "half a character"),
    ],
)
def test_passwords_that_may_not_be_set(library, password, said):
    library.users.add("bob", password="password")
    for refused in (
        lambda: library.users.add("ann", password=password),
        lambda: library.users.set_password("bob", password),
    ):
        with pytest.raises(BadInput, match=re.escape(said)) as error:
            refused()
        assert error.value.field == "password" and (password not in str(error.value) or not password)
    assert library.users.names() == ["bob"] and library.users.check("bob", "password")
    assert not library.users.check("bob", password)


def test_a_password_of_before_there_was_a_least_length_still_lets_in(library):
    library.users.add("ann")
    with library.users._database.write() as db:
        db.execute("UPDATE users SET password = ?", (passwords._HASHER.hash("short"),))
    assert library.users.check("ann", "short") and not library.users.check("ann", "shor")


def test_only_a_hash_is_kept(library):
    library.users.add("ann", password="a very secret word")
    link = library.users.make_link("ann")
    _, token = library.tokens.create("ann", "read", 1)
    session = library.sessions.create("ann")
    library.close()
    kept = b"".join(path.read_bytes() for path in library.directory.iterdir() if path.is_file())
    assert b"$argon2id$" in kept
    for secret in ("a very secret word", link, token, session):
        assert secret.encode() not in kept


def test_unknown_names_take_as_much_work(library, monkeypatch):
    """As many hashes are verified for a name that is not there, for a user without a password, and for one with."""
    library.users.add("ann", password="password")
    library.users.add("bob")
    library.users.check("ann", "y")
    hasher, asked = passwords._HASHER, []

    class Counting:
        def verify(self, kept: str, password: str) -> bool:
            asked.append(kept.split("$")[3])
            return hasher.verify(kept, password)

        def check_needs_rehash(self, kept: str) -> bool:
            return False

        hash = hasher.hash

    monkeypatch.setattr(passwords, "_HASHER", Counting())
    for name, password in (
        ("ann", "password"),
        ("ann", "y"),
        ("bob", "x"),
        ("nobody", "x"),
        ("ann", ""),
        ("ann", "x" * 9_999),
    ):
        library.users.check(name, password)
    assert asked == ["m=8,t=1,p=1"] * 6


def test_a_login_renews_a_hash_of_other_costs(library, monkeypatch):
    library.users.add("ann", password="password")
    monkeypatch.setattr(passwords, "_HASHER", passwords.PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    passwords._nobodys.cache_clear()
    before = library.changes()
    assert not library.users.check("ann", "y") and library.changes() == before
    assert library.users.check("ann", "password") and library.changes() != before
    after = library.changes()
    assert library.users.check("ann", "password") and library.changes() == after


def test_a_password_ends_sessions_and_links(library):
    library.users.add("ann", password="password")
    library.users.add("bob")
    sessions = [library.sessions.create(name) for name in ("ann", "bob")]
    links = [library.users.make_link(name) for name in ("ann", "bob")]
    _, token = library.tokens.create("ann", "read", 1)
    library.users.set_password("ann", "another one")
    assert [library.sessions.find(each) for each in sessions] == [None, "bob"]
    assert [library.users.link_user(each) for each in links] == [None, "bob"]
    assert library.tokens.find(token) is not None


def test_a_link_lets_in_once(library, clock):
    library.users.add("ann")
    link = library.users.make_link("ann")
    assert len(link) == 43 and library.users.link_user(link) == library.users.link_user(link) == "ann"
    assert library.users.use_link(link) == "ann"
    assert library.users.use_link(link) is None and library.users.link_user(link) is None
    assert library.users.use_link("wrong") is None and library.users.use_link("\ud800") is None
    late = library.users.make_link("ann")
    clock.now += LINK_SECONDS
    assert library.users.link_user(late) is None and library.users.use_link(late) is None
    with pytest.raises(NotFound):
        library.users.make_link("bob")


def test_what_a_removed_user_had(library):
    for name in ("ann", "bob", "carl"):
        library.users.add(name)
    for name, users in (("alone", {"bob": "writer"}), ("shared", {"carl": "owner", "bob": "owner"})):
        library.documents.put(name, {}, title="", datasets=(), author="ann")
        library.access.set("document", name, False, users)
    library.documents.put("bobs", {}, title="", datasets=(), author="bob")
    library.access.set("document", "bobs", False, {"ann": "writer"})
    secrets = library.tokens.create("ann", "read", 1)[1], library.sessions.create("ann"), library.users.make_link("ann")
    library.users.remove("ann")
    library.users.add("ann")  # another person of the same name has nothing of it
    assert library.tokens.find(secrets[0]) is None and library.tokens.entries() == []
    assert library.sessions.find(secrets[1]) is None and library.users.use_link(secrets[2]) is None
    assert [library.access.role("document", name, "ann") for name in ("alone", "shared", "bobs")] == [None] * 3
    assert [library.documents.entry(name).owner for name in ("alone", "shared", "bobs")] == [None, "bob", "bob"]
    assert library.access.get("document", "shared")["users"] == {"bob": "owner", "carl": "owner"}
    assert library.documents.get("alone").author == "ann"
