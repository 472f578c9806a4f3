"""Tokens of scripts."""

from __future__ import annotations

import re

import pytest

from bigviz.common.errors import BadInput, NotFound
from bigviz.library.tokens import SCOPES, TokenEntry

DAY = 86_400.0


@pytest.fixture(autouse=True)
def people(library):
    for name in ("ann", "bob"):
        library.users.add(name)


def test_a_secret_finds_its_token(library, clock):
    entry, secret = library.tokens.create("ann", "write", 30)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", secret) and re.fullmatch(r"[0-9a-f]{12}", entry.id)
    assert entry == TokenEntry(entry.id, "ann", "write", clock.now, clock.now + 30 * DAY, None) and not entry.expired
    assert library.tokens.find(secret) == entry
    for wrong in ("", "x", secret[:-1], secret + "A", entry.id, "\ud800"):
        assert library.tokens.find(wrong) is None


def test_use_is_noted_once_a_minute(library, clock):
    _, secret = library.tokens.create("ann", "read", 1)
    library.tokens.find(secret)
    used, changes = clock.now, library.changes()
    for _ in range(59):
        clock.now += 1
        assert library.tokens.find(secret).last_used == used
    assert library.changes() == changes
    clock.now += 1
    library.tokens.find(secret)
    assert [each.last_used for each in library.tokens.entries()] == [clock.now] and library.changes() != changes


def test_an_expired_one_says_so(library, clock):
    clock.now -= 2 * DAY
    entry, secret = library.tokens.create("ann", "read", 1)
    clock.now += 2 * DAY
    found = library.tokens.find(secret)
    assert found is not None and found.expired and found.id == entry.id and found.last_used is None
    assert library.tokens.find(secret).last_used is None  # refused, not used


def test_tokens_of_one_user_or_of_all(library, clock):
    first, _ = library.tokens.create("ann", "read", 1)
    clock.now += 1
    second, _ = library.tokens.create("bob", "admin", 1)
    assert library.tokens.entries() == [second, first] and library.tokens.entries("ann") == [first]
    assert library.tokens.entries("nobody") == library.tokens.entries("\ud800") == []


def test_a_revoked_one_is_gone(library):
    entry, secret = library.tokens.create("ann", "read", 1)
    for id, user in ((entry.id, "bob"), ("0" * 12, "ann"), ("", None), ("\ud800", None)):
        with pytest.raises(NotFound, match="no token"):
            library.tokens.revoke(id, user)
    assert library.tokens.find(secret) is not None
    library.tokens.revoke(entry.id, "ann")
    assert library.tokens.find(secret) is None
    with pytest.raises(NotFound):
        library.tokens.revoke(entry.id)


def test_what_is_refused(library):
    for scope in SCOPES:
        library.tokens.create("ann", scope, 1)
    for user, scope, days, error in (
        ("carl", "read", 1, NotFound),
        ("ann", "own", 1, BadInput),
        ("ann", "read", 0, BadInput),
        ("ann", "read", -1, BadInput),
        ("ann", "read", float("nan"), BadInput),
        ("ann", "read", 36_501, BadInput),
    ):
        with pytest.raises(error):
            library.tokens.create(user, scope, days)
    assert len(library.tokens.entries()) == len(SCOPES)
