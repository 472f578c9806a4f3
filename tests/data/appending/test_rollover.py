"""The last rows of a log stay, the others leave the disk, whatever happens meanwhile."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from bigviz.common.errors import Unreadable
from bigviz.data.appending import log as log_module
from bigviz.data.appending.log import AppendLog
from bigviz.data.appending.rule import Rule

from ...patience import PATIENCE
from .logs import NOW, SCHEMA, SECOND, commit, entry, new, opened, patch, rows


def rolling(folder: Path, kept: int = 3, **options: Any) -> AppendLog:
    return new(folder, rule=Rule(rows=kept), roll_bytes=1, **options)


def again(log: AppendLog, kept: int = 3) -> AppendLog:
    """The log after a start."""
    log.close()
    return AppendLog.open(log.snapshot.files[0].batches.path.parent, log.snapshot.version, rule=Rule(rows=kept))


@pytest.mark.usefixtures("quick")
def test_the_disk_holds_what_is_kept(tmp_path):
    log = rolling(tmp_path / "log")
    for value in range(40):
        commit(log, [entry([value] * 2)], NOW)
        assert len(list((tmp_path / "log").glob("*.log"))) <= 3
    assert rows(log) == [38, 39, 39] and log.snapshot.first_row == 77
    log = again(log)
    assert rows(log) == [38, 39, 39] and log.snapshot.nbytes < 2_500
    log.close()


@pytest.mark.usefixtures("quick")
def test_nobody_who_appends_waits_for_files_that_are_removed(tmp_path, monkeypatch):
    log = rolling(tmp_path / "log", kept=2)
    for value in range(4):
        log.commit([entry([value], str(value))], NOW)
    begun, go_on = threading.Event(), threading.Event()
    numbers_of = log_module.numbers_of

    def slow(*values: Any) -> Any:
        begun.set()
        assert go_on.wait(PATIENCE)
        return numbers_of(*values)

    monkeypatch.setattr(log_module, "numbers_of", slow)
    removing = threading.Thread(target=log.tidy)
    removing.start()
    assert begun.wait(PATIENCE)
    log.tidy()  # a second one leaves it to the first
    for value in range(4, 9):
        log.commit([entry([value], str(value))], NOW)
    log.commit([patch({8: 80})], NOW)
    assert log.sync().version == 11 and not log.is_tidy
    go_on.set()
    removing.join(PATIENCE)
    assert not log.is_tidy and rows(log) == [7, 80]
    log.tidy()
    assert log.is_tidy and rows(log) == [7, 80]
    log = again(log, kept=2)
    assert rows(log) == [7, 80] and log.repeated(entry([0], "0").key, entry([0], "0").body, NOW) is not None
    log.close()


@pytest.mark.usefixtures("quick")
def test_keys_and_corrections_outlive_their_files(tmp_path):
    log = rolling(tmp_path / "log", kept=9)
    first = entry([1], "a")
    receipt = commit(log, [first], NOW)[0]
    commit(log, [entry([2] * 8)], NOW)
    changed = patch({5: 50, 8: 80}, "b")
    patched = commit(log, [changed], NOW)[0]
    for value in range(3):
        commit(log, [entry([value])], NOW)
    assert log.snapshot.files[0].first > 0
    log = again(log, kept=9)
    assert (
        log.repeated(first.key, first.body, NOW) == receipt and log.repeated(changed.key, changed.body, NOW) == patched
    )
    assert rows(log) == [2, 2, 50, 2, 2, 80, 0, 1, 2]
    assert [each.rows.tolist() for each in log.snapshot.corrections.told] == [[5, 8]]
    commit(log, [entry([7] * 9)], NOW)
    assert not again(log, kept=9).snapshot.corrections


@pytest.mark.usefixtures("quick")
def test_a_kill_between_the_two_steps_of_a_removal(tmp_path, monkeypatch):
    log = rolling(tmp_path / "log")
    commit(log, [entry([1, 2, 3])], NOW)
    unlink = Path.unlink
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", lambda path, missing_ok=False: None if path.suffix == ".log" else unlink(path))
        commit(log, [entry([4, 5, 6])], NOW)
        commit(log, [entry([7])], NOW)
    assert (tmp_path / "log" / "00000001.log").exists() and (tmp_path / "log" / "rolled").exists()
    log = again(log)
    assert rows(log) == [5, 6, 7] and not (tmp_path / "log" / "00000001.log").exists()
    log.close()


@pytest.mark.usefixtures("quick")
def test_damage_to_what_is_kept_of_removed_files_is_told(tmp_path):
    log = rolling(tmp_path / "log")
    for value in range(8):
        commit(log, [entry([value], str(value))], NOW)
    log.close()
    path = tmp_path / "log" / "rolled"
    whole = path.read_bytes()
    for at in range(0, len(whole), 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(Unreadable, match="damaged"):
            again(log)
    path.unlink()
    with pytest.raises(Unreadable, match="damaged"):
        again(log)


@pytest.mark.usefixtures("quick")
def test_a_full_disk_holds_no_rollover_up_for_ever(tmp_path, monkeypatch, caplog):
    log = rolling(tmp_path / "log")
    commit(log, [entry([1, 2, 3])], NOW)

    def full(*values: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", full)
        for value in range(3):  # the files stay, and the rows are appended all the same
            commit(log, [entry([value] * 3)], NOW)
    assert len(list((tmp_path / "log").glob("*.log"))) == 4 and "could not be removed" in caplog.text
    commit(log, [entry([9])], NOW)
    assert rows(log) == [2, 2, 9] and len(list((tmp_path / "log").glob("*.log"))) == 2
    log.close()


@pytest.mark.usefixtures("quick")
def test_an_old_version_is_read_when_its_files_are_gone(tmp_path):
    log = rolling(tmp_path / "log")
    commit(log, [entry([1, 2, 3])], NOW)
    before = log.snapshot
    for value in range(6):
        commit(log, [entry([value] * 3)], NOW)
    assert not before.files[0].batches.path.exists()
    assert opened(before).column("x").values.tolist() == [1, 2, 3]
    log.close()


def test_the_rows_of_an_upload_are_rolled_over_too(tmp_path):
    (tmp_path / "log").mkdir()
    options: dict[str, Any] = {"rule": Rule(nbytes=1_000), "upload": (10, 900)}
    log = AppendLog.create(tmp_path / "log", SCHEMA, 10, 1, rule=Rule(nbytes=1_000), upload_bytes=900)
    assert log.snapshot.rows == 10
    commit(log, [entry([1, 2])], NOW)
    assert (log.snapshot.first_row, log.snapshot.rows) == (10, 2)
    log.close()
    assert AppendLog.open(tmp_path / "log", 2, **options).snapshot.first_row == 10
    (tmp_path / "old").mkdir()
    old = AppendLog.create(tmp_path / "old", SCHEMA, 10, 1, rule=Rule(age_ns=5 * SECOND))
    assert old.roll(NOW) and old.snapshot.rows == 10  # the clock begins
    assert not old.roll(NOW + 5 * SECOND) and old.roll(NOW + 6 * SECOND) and old.snapshot.rows == 0
