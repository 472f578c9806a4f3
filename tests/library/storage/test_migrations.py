"""How a database becomes that of the newest version, and which ones are left alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from bigviz.common.errors import BadInput, Unreadable
from bigviz.library.library import Library
from bigviz.library.storage import migrations
from bigviz.library.storage.migrations import APPLICATION_ID, MIGRATIONS


def edited(path: Path, edit: Callable[[sqlite3.Connection], object]) -> bytes:
    connection = sqlite3.connect(path)
    with connection:
        edit(connection)
    connection.close()
    return path.read_bytes()


def test_a_library_says_what_it_is(tmp_path):
    for _ in range(2):  # opening it again changes nothing
        Library.open(tmp_path).close()
        connection = sqlite3.connect(tmp_path / "library.sqlite")
        found = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("user_version", "application_id")]
        assert found == [len(MIGRATIONS), APPLICATION_ID]
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.close()


def test_a_newer_one_is_refused_with_its_number(tmp_path):
    Library.open(tmp_path).close()
    path = tmp_path / "library.sqlite"
    before = edited(path, lambda db: db.execute("PRAGMA user_version = 99"))
    with pytest.raises(Unreadable, match=r"has version 99, written by a newer bigviz.*update bigviz") as error:
        Library.open(tmp_path)
    assert error.value.got == 99 and path.read_bytes() == before


@pytest.mark.parametrize("sql", ["CREATE TABLE mine (x)", "PRAGMA user_version = 1", "PRAGMA application_id = 7"])
def test_another_programs_database_is_left_alone(tmp_path, sql):
    path = tmp_path / "library.sqlite"
    before = edited(path, lambda db: (db.execute("CREATE TABLE x (x)"), db.execute(sql)))
    with pytest.raises(BadInput, match="database of another program"):
        Library.open(tmp_path)
    assert path.read_bytes() == before


def test_a_migration_keeps_what_is_there_and_happens_whole_or_not_at_all(tmp_path, monkeypatch):
    with Library.open(tmp_path) as library:
        library.users.add("ann")
    second = ("ALTER TABLE users ADD COLUMN email TEXT", "UPDATE users SET email = name || '@example.org'")
    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, (*second, "INSERT INTO nowhere VALUES (1)")))
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        Library.open(tmp_path)
    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, second))
    with Library.open(tmp_path) as library, library._database.read() as db:
        assert db.execute("SELECT name, email FROM users").fetchall() == [("ann", "ann@example.org")]
        assert db.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS) + 1,)
