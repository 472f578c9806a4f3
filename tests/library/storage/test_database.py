"""The database of a library: what a commit promises, to threads and to processes, and what goes wrong."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bigviz.common.errors import Busy, NoSpace, Unreadable
from bigviz.library.access import OPERATOR
from bigviz.library.library import Library
from bigviz.library.storage import database
from tests.patience import PATIENCE

PUBLISH = """
import sys
from pathlib import Path
from bigviz.library.library import Library
with Library.open(Path(sys.argv[1])) as library:
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(int(sys.argv[3])):
        value = {"who": sys.argv[2], "number": number}
        library.documents.put("shared", value, title="", datasets=(), author=sys.argv[2])
"""


def put(library: Library, name: str, value: dict[str, Any]) -> int:
    return library.documents.put(name, value, title="", datasets=(), author=None).version


def child(library: Library, who: str, count: int) -> subprocess.Popen[bytes]:
    """A process that publishes as soon as it is told to."""
    command = [sys.executable, "-c", PUBLISH, str(library.directory), who, str(count)]
    started = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert started.stdout and started.stdout.readline() == b"ready\n"
    return started


def ended(started: subprocess.Popen[bytes]) -> int:
    """The exit code of a child that was told to end."""
    started.communicate(timeout=PATIENCE)
    return started.returncode


def test_processes_and_threads_that_write_at_once_lose_nothing(library):
    count = 25
    children = [child(library, who, count) for who in ("ann", "bob")]
    for each in children:
        assert each.stdin
        each.stdin.write(b"go\n")
        each.stdin.flush()
    with ThreadPoolExecutor(3) as pool:
        versions = list(pool.map(lambda n: put(library, "shared", {"who": "me", "number": n}), range(count)))
    assert [ended(each) for each in children] == [0, 0]
    assert len(set(versions)) == count
    assert [each.version for each in library.documents.versions("shared")] == list(range(3 * count, 0, -1))
    found = [library.documents.get("shared", version).value for version in range(1, 3 * count + 1)]
    for who in ("ann", "bob"):
        assert [each["number"] for each in found if each["who"] == who] == list(range(count))
    assert sorted(each["number"] for each in found if each["who"] == "me") == list(range(count))


def test_readers_see_one_state_and_never_wait(library):
    put(library, "a", {"n": 1})
    seen = "SELECT version FROM items WHERE name = 'a'"
    with library._database.read() as db:
        assert db.execute(seen).fetchone() == (1,)
        put(library, "a", {"n": 2})
        assert db.execute(seen).fetchone() == (1,)
    with library._database.write() as db:
        db.execute("UPDATE items SET version = 9")
        assert library.documents.entry("a").version == 2
    assert library.documents.entry("a").version == 9


def test_a_writer_is_alone_from_the_start(library):
    """What it reads before it writes is what it writes to."""
    other = sqlite3.connect(library.directory / "library.sqlite", timeout=0, isolation_level=None)
    with library._database.write(), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    other.close()


def test_what_fails_is_rolled_back_whole(library):
    put(library, "a", {"n": 1})
    with pytest.raises(ZeroDivisionError), library._database.write() as db:
        db.execute("UPDATE items SET version = 9")
        raise ZeroDivisionError
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"), library._database.write() as db:
        db.execute("UPDATE items SET version = 9")
        db.execute("INSERT INTO roles VALUES (77, 'ann', 'viewer')")
    assert library.documents.entry("a").version == 1 and put(library, "a", {"n": 2}) == 2


def test_a_reader_that_failed_is_used_again(library):
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), library._database.read() as db:
            db.execute("SELECT * FROM items")
            raise ZeroDivisionError
    assert len(library._database._idle) == 1


def test_readers_write_nothing(library):
    with pytest.raises(sqlite3.OperationalError, match="readonly"), library._database.read() as db:
        db.execute("DELETE FROM items")


def test_changes_of_any_process_are_noticed(library):
    def changed(before: list[int]) -> bool:
        before.append(library.changes())
        return before[-1] != before[-2]

    seen = [library.changes()]
    assert not changed(seen)
    put(library, "a", {"n": 1})
    assert changed(seen) and not changed(seen)
    put(library, "a", {"n": 1})  # equal: nothing to notice
    library.documents.page(OPERATOR)
    assert not changed(seen)
    assert ended(child(library, "ann", 1)) == 0
    assert changed(seen) and not changed(seen)


def test_another_writer_is_waited_for_and_then_told_of(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "_SECONDS_TO_WAIT", 0.05)
    with Library.open(tmp_path) as library:
        other = sqlite3.connect(tmp_path / "library.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Busy, match="another process"):
            put(library, "a", {})
        assert library.documents.find("a") is None  # reading goes on
        other.execute("ROLLBACK")
        other.close()
        assert put(library, "a", {}) == 1


def test_a_full_disk_is_told_and_nothing_is_lost(library):
    put(library, "a", {"n": 1})
    writer = library._database._writer
    (pages,) = writer.execute("PRAGMA page_count").fetchone()
    writer.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(NoSpace, match="Nothing was kept"):
        put(library, "a", {"n": "x" * 1_000_000})
    assert library.documents.get("a").value == {"n": 1}
    writer.execute("PRAGMA max_page_count = 1000000")
    assert put(library, "a", {"n": 2}) == 2


def test_a_quota_is_a_full_disk(tmp_path):
    """A limit of the system's on files: writing fails, with another number than that of a full disk."""
    code = f"""
import resource
from pathlib import Path
from bigviz.common.errors import NoSpace
from bigviz.library.library import Library
with Library.open(Path({str(tmp_path)!r})) as library:
    library.documents.put("a", {{"n": 1}}, title="", datasets=(), author=None)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, limit[1]))
    try:
        library.documents.put("a", {{"n": "x" * 1_000_000}}, title="", datasets=(), author=None)
    except NoSpace:
        print("no space", library.documents.get("a").value)
    resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    print(library.documents.put("a", {{"n": 2}}, title="", datasets=(), author=None).version)
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (found.stdout, found.stderr) == ("no space {'n': 1}\n2\n", "")


def test_an_error_of_a_disk_with_no_room_is_a_full_disk(library, monkeypatch):
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_SHMSIZE
    with pytest.raises(sqlite3.OperationalError), library._database.read():
        raise error
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=0))
    with pytest.raises(NoSpace), library._database.read():
        raise error


def test_damage_is_told_with_a_remedy(tmp_path):
    path = tmp_path / "library.sqlite"
    with Library.open(tmp_path) as library, library._database.write() as db:
        db.executemany("INSERT INTO users VALUES (?, 0, ?, 0)", [(f"user{n:04}", "x" * 100) for n in range(1_000)])
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] + b"\xff" * (len(whole) - len(whole) // 2))
    with (
        Library.open(tmp_path) as library,
        pytest.raises(Unreadable, match=r"library.sqlite, is damaged .* a backup") as error,
    ):
        library.users.entries()
    assert str(tmp_path) not in str(error.value)  # a client may see it
    path.write_bytes(b"not a database" * 1_000)
    with pytest.raises(Unreadable, match=r"sqlite3 library.sqlite .recover") as error:
        Library.open(tmp_path)
    assert str(path) in str(error.value)


def test_what_is_closed_is_closed(tmp_path):
    library = Library.open(tmp_path)
    began, end = threading.Event(), threading.Event()

    def reading() -> None:
        with library._database.read() as db:
            began.set()
            assert end.wait(PATIENCE) and db.execute("SELECT count(*) FROM items").fetchone() == (0,)

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(reading)
        assert began.wait(PATIENCE)
        library.close()
        library.close()
        end.set()
        running.result()
    for use in (library.changes, lambda: put(library, "a", {}), lambda: library.documents.find("a")):
        with pytest.raises(RuntimeError, match="The library is closed"):
            use()
    assert not list(tmp_path.glob("*-wal"))


def test_every_connection_brings_commits_to_the_disk(library: Library, tmp_path: Path):
    with library._database.read() as reader, library._database.write() as writer:
        for connection in (reader, writer):
            for pragma, value in (("synchronous", 2), ("foreign_keys", 1), ("journal_mode", "wal")):
                assert connection.execute(f"PRAGMA {pragma}").fetchone() == (value,)
