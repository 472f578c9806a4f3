"""Locks: which process gets them, and what becomes of their files."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bigviz.common.errors import BadInput
from bigviz.tiles.store.files import lock as module
from bigviz.tiles.store.files.lock import Lock


def test_one_alone_or_many_shared(tmp_path: Path):
    path = tmp_path / "a.lock"
    alone = Lock.take(path, exclusive=True)
    assert alone is not None and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Lock.take(path, exclusive=True) is None and Lock.take(path, exclusive=False) is None
    alone.release()
    alone.release()
    first, second = Lock.take(path, exclusive=False), Lock.take(path, exclusive=False)
    assert first is not None and second is not None and Lock.take(path, exclusive=True) is None
    first.release()
    assert Lock.take(path, exclusive=True) is None
    second.release()
    again = Lock.take(path, exclusive=True)
    assert again is not None
    again.release()


def test_an_exclusive_lock_becomes_a_shared_one(tmp_path: Path):
    path = tmp_path / "a.lock"
    lock = Lock.take(path, exclusive=True)
    assert lock is not None and lock.share()
    other = Lock.take(path, exclusive=False)
    assert other is not None
    other.release()
    lock.release()


def test_a_lock_whose_file_was_removed_guards_nothing(tmp_path: Path):
    path = tmp_path / "a.lock"
    old = Lock.take(path, exclusive=False)
    assert old is not None
    old.remove()
    old.remove()
    assert not path.exists() and not old.share()
    new = Lock.take(path, exclusive=True)
    assert new is not None
    old.remove()  # is not its own any more
    assert path.exists()
    new.release()
    old.release()


def test_a_file_removed_while_it_is_opened_is_not_taken_for_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "a.lock"
    opened = module._opened
    calls = []

    def opened_and_replaced(at: Path) -> int:
        descriptor = opened(at)
        calls.append(descriptor)
        if len(calls) == 1:
            at.unlink()
        return descriptor

    monkeypatch.setattr(module, "_opened", opened_and_replaced)
    lock = Lock.take(path, exclusive=True)
    assert lock is not None and len(calls) == 2 and path.exists()
    assert Lock.take(path, exclusive=False) is None
    lock.release()


@pytest.mark.parametrize("reason", [errno.EACCES, errno.EROFS, errno.EPERM])
def test_where_none_can_be_made_that_is_the_reason_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: int):
    there = tmp_path / "there.lock"
    there.touch()
    opened = os.open

    def refusing(path: Path, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_CREAT:
            raise OSError(reason, os.strerror(reason), str(path))
        return opened(path, flags, mode)

    monkeypatch.setattr(module.os, "open", refusing)
    with pytest.raises(OSError) as caught:
        Lock.take(tmp_path / "a.lock", exclusive=True)
    assert caught.value.errno == reason
    lock = Lock.take(there, exclusive=False)  # a store that is there is used
    assert lock is not None
    lock.release()


def test_it_ends_with_its_process(tmp_path: Path):
    path = tmp_path / "a.lock"
    code = (
        "import sys, time; from pathlib import Path; from bigviz.tiles.store.files.lock import Lock;"
        "assert Lock.take(Path(sys.argv[1]), exclusive=True); print('has it', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline() == b"has it\n"
    assert Lock.take(path, exclusive=False) is None
    process.kill()
    process.wait()
    process.stdout.close()
    lock = Lock.take(path, exclusive=True)
    assert lock is not None
    lock.release()


def test_its_time_is_when_it_was_last_held(tmp_path: Path):
    path = tmp_path / "a.lock"
    lock = Lock.take(path, exclusive=False)
    assert lock is not None
    os.utime(path, (1, 1))
    lock.release()
    assert path.stat().st_mtime > 1


def test_a_link_is_not_followed(tmp_path: Path):
    (tmp_path / "a.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"):
        Lock.take(tmp_path / "a.lock", exclusive=True)
    assert not (tmp_path / "elsewhere").exists()


def test_a_file_system_without_locks_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refused(*arguments: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(module.fcntl, "flock", refused)
    with pytest.raises(BadInput, match=r"without locks .* choose another directory") as caught:
        Lock.take(tmp_path / "a.lock", exclusive=True)
    assert caught.value.field == "store-dir"
