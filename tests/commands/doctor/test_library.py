"""What is told of a library."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from bigviz.commands.doctor.finding import Finding
from bigviz.commands.doctor.library import library
from bigviz.library.library import Library


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A library with a user, an admin, a dataset, and enough documents for several pages of the database."""
    with Library.open(tmp_path / "library") as made:
        made.users.add("ada", admin=True)
        made.users.add("bob")
        with made.datasets.begin() as upload:
            upload.write(b"rows")
            upload.close()
            columns = [{"name": "x", "type": "double"}]
            made.datasets.add("trips", upload, rows=1, columns=columns, format="arrow", owner="ada")
        for number in range(40):
            made.documents.put(f"d{number}", {"text": "x" * 1_000}, title="", datasets=(), author="ada")
    return tmp_path / "library"


def found(directory: Path) -> dict[str, Finding]:
    return {each.name: each for each in library(directory)}


def test_a_sound_one_also_while_it_is_served(directory: Path):
    with Library.open(directory, serve=True):
        there = found(directory)
    assert {each.state for each in there.values()} == {"ok"}
    assert there["users"].value == "2" and there["datasets"].value == "1, all there"


def test_none_is_a_note_and_none_is_made(tmp_path: Path):
    assert found(tmp_path / "library")["database"].state == "note" and not any(tmp_path.iterdir())


def test_users_without_an_admin(directory: Path):
    with Library.open(directory) as made:
        made.users.remove("ada")
    users = found(directory)["users"]
    assert users.state == "note" and "--admin" in str(users.remedy)


def test_a_directory_that_others_may_read(directory: Path):
    directory.chmod(0o755)
    mode = found(directory)["mode"]
    assert mode.state == "problem" and f"chmod 700 {directory}" in str(mode.remedy)


def test_a_file_that_is_missing_or_cut_short(directory: Path):
    (path,) = (directory / "files").iterdir()
    path.write_bytes(b"row")
    assert found(directory)["datasets"].state == "problem"
    path.unlink()
    assert "1 of 1 missing or cut short: trips" in found(directory)["datasets"].value


def test_a_damaged_database(directory: Path):
    path = directory / "library.sqlite"
    data = bytearray(path.read_bytes())
    data[4 * 4_096 : 12 * 4_096] = bytes(8 * 4_096)
    path.write_bytes(data)
    problems = [each for each in found(directory).values() if each.state == "problem"]
    assert problems and ".recover" in str(problems[0].remedy)


def test_what_is_no_database(directory: Path):
    (directory / "library.sqlite").write_bytes(b"no database " * 100)
    assert found(directory)["database"].state == "problem"


def test_a_newer_one_and_that_of_another_program(directory: Path):
    for pragma, word in (("user_version = 99", "newer bigviz"), ("application_id = 7", "another program")):
        database = sqlite3.connect(directory / "library.sqlite")
        database.execute(f"PRAGMA {pragma}")
        database.commit()
        database.close()
        problem = found(directory)["database"]
        assert problem.state == "problem" and word in str(problem.remedy)
