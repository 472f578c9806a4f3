"""Who is logged in."""

from __future__ import annotations

import pytest

from bigviz.common.errors import NotFound
from bigviz.library.sessions import SESSION_SECONDS


@pytest.fixture(autouse=True)
def people(library):
    for name in ("ann", "bob"):
        library.users.add(name)


def test_sessions_end(library):
    first, second, third = (library.sessions.create(name) for name in ("ann", "ann", "bob"))
    assert len({first, second, third}) == 3 and library.sessions.find(first) == "ann"
    library.sessions.end(first)
    library.sessions.end("wrong")
    library.sessions.end_all("\ud800")
    assert [library.sessions.find(each) for each in (first, second, third)] == [None, "ann", "bob"]
    library.sessions.end_all("ann")
    assert [library.sessions.find(each) for each in (second, third)] == [None, "bob"]
    for wrong in ("", third[:-1], "\ud800"):
        assert library.sessions.find(wrong) is None
    with pytest.raises(NotFound):
        library.sessions.create("carl")


def test_sessions_end_by_themselves(library, clock):
    secret = library.sessions.create("ann")
    clock.now += SESSION_SECONDS - 1
    assert library.sessions.find(secret) == "ann"
    clock.now += 1
    assert library.sessions.find(secret) is None
    library.sessions.create("bob")
    with library._database.read() as db:
        assert db.execute("SELECT user FROM sessions").fetchall() == [("bob",)]
