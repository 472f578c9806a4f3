"""The directory of a library: who may use it, and who has it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from bigviz.common.errors import BadInput, Unreadable
from bigviz.library.library import Library
from bigviz.library.storage import directory
from bigviz.library.storage.directory import default_directory

SERVE = """
import sys
from pathlib import Path
from bigviz.library.library import Library
library = Library.open(Path(sys.argv[1]), serve=True)
print("serving", flush=True)
sys.stdin.read()
"""


def modes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}


def test_it_is_for_its_user_alone(tmp_path):
    before = os.umask(0)
    try:
        with Library.open(tmp_path / "a" / "b", serve=True) as library:
            library.users.add("ann")
            expected = {"library.sqlite": 0o600, "library.sqlite-wal": 0o600, "library.sqlite-shm": 0o600}
            expected |= {"server.lock": 0o600, "files": 0o700, "incoming": 0o700, "streams": 0o700}
            assert modes(library.directory) == expected and library.directory.stat().st_mode & 0o777 == 0o700
    finally:
        os.umask(before)


def test_the_default_is_the_users_data_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert default_directory() == tmp_path / "data" / "bigviz"
    with Library.open() as library:
        assert library.directory == tmp_path / "data" / "bigviz"
    for other in ("", "relative"):
        monkeypatch.setenv("XDG_DATA_HOME", other)
        monkeypatch.setenv("HOME", str(tmp_path))
        assert default_directory() == tmp_path / ".local" / "share" / "bigviz"
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError))
    with pytest.raises(BadInput, match="choose a directory with --library"):
        default_directory()


def test_one_server_has_it(tmp_path):
    with Library.open(tmp_path, serve=True):
        with pytest.raises(BadInput, match=rf"another server already \(process {os.getpid()}\)"):
            Library.open(tmp_path, serve=True)
        Library.open(tmp_path).close()  # commands may come
    child = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdin and child.stdout and child.stdout.readline() == "serving\n"
    with pytest.raises(BadInput, match=rf"\(process {child.pid}\): stop it, or choose another"):
        Library.open(tmp_path, serve=True)
    child.kill()
    child.communicate()
    Library.open(tmp_path, serve=True).close()  # a lock ends with its process


def test_a_library_that_cannot_be_opened_is_not_locked(tmp_path):
    (tmp_path / "library.sqlite").write_bytes(b"not a database" * 1_000)
    for _ in range(2):
        with pytest.raises(Unreadable):
            Library.open(tmp_path, serve=True)


def test_many_may_open_a_new_one_at_once(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        opened = list(pool.map(lambda n: Library.open(tmp_path / "new"), range(8)))
    for number, library in enumerate(opened):
        library.users.add(f"user{number}")
    assert opened[0].users.count() == 8
    for library in opened:
        library.close()


@contextmanager
def without_rights(folder: Path) -> Iterator[None]:
    """As a user that may read the folder and not write to it."""
    before = os.geteuid()
    folder.chmod(0o555)
    if before == 0:
        os.seteuid(65_534)
    try:
        yield
    finally:
        if before == 0:
            os.seteuid(before)
        folder.chmod(0o700)


def test_a_directory_that_cannot_be_written_to(tmp_path):
    for parent in (tmp_path, *tmp_path.parents):
        if os.geteuid() == 0 and parent.stat().st_uid == 0 and not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o011)
    new, old = tmp_path / "new", tmp_path / "old"
    new.mkdir()
    Library.open(old).close()
    (old / "library.sqlite").chmod(0o666)
    for folder in (new, old):
        with without_rights(folder), pytest.raises(BadInput, match="cannot be used as a library") as error:
            Library.open(folder)
        assert error.value.field == "library" and error.value.got == str(folder)
    Library.open(old).close()


def test_what_is_no_directory(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(BadInput, match="choose another directory with --library"):
            Library.open(path)


def test_network_file_systems_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(directory, "file_system", lambda path: "nfs4")
    with pytest.raises(BadInput, match=r"network file system \(nfs4\)"):
        Library.open(tmp_path / "a")
    assert not (tmp_path / "a" / "library.sqlite").exists()


def test_a_database_that_was_lost_is_not_made_again(tmp_path):
    """An empty one in its place would have all uploaded datasets removed."""
    with Library.open(tmp_path) as library, library.datasets.begin() as upload:
        upload.write(b"rows")
        library.datasets.add("a", upload, rows=1, columns=[], format="arrow", owner=None)
    path = tmp_path / "library.sqlite"
    whole = path.read_bytes()
    for lose in (path.unlink, lambda: path.write_bytes(b"")):
        lose()
        with pytest.raises(Unreadable, match=re.escape("missing or empty, and files beside it is not: put a backup")):
            Library.open(tmp_path)
    path.write_bytes(whole)
    with Library.open(tmp_path) as library:
        assert library.datasets.entry("a").path.read_bytes() == b"rows"
        library.datasets.delete("a")
        library.datasets.collect()
        log = (tmp_path / "library.sqlite-wal").read_bytes()
    path.unlink()
    (tmp_path / "library.sqlite-wal").write_bytes(log)
    with pytest.raises(Unreadable, match=r"missing or empty, and library.sqlite-wal beside it"):
        Library.open(tmp_path)
