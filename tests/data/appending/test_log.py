"""An append log against a list: what was acknowledged is there, in order and once, whatever is cut off or fails."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from bigviz.common.errors import Busy, Conflict, NoSpace, Unreadable
from bigviz.data.appending.keys import Receipt, key_digest
from bigviz.data.appending.log import AppendLog, Entry
from bigviz.data.appending.records import HEAD, NO_KEY
from bigviz.data.appending.refusals import KeyReused

from .logs import DAY, NOW, SCHEMA, entry, new, opened, patch, rows


def written(folder: Path, last: Entry) -> tuple[Path, int]:
    """A log of two versions, and where its last record begins."""
    log = new(folder)
    log.commit([entry([1, 2, 3])], NOW)
    end = log.snapshot.files[0].end
    log.commit([last], NOW)
    log.close()
    return folder / "00000000.log", end


LAST = [entry([4, 5], "k"), patch({0: 9, 2: 7}, "k")]
AFTER = [[1, 2, 3, 4, 5], [9, 2, 7]]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("last", LAST, ids=["append", "patch"])
def test_a_record_that_is_torn_anywhere_is_cut_off(tmp_path, last):
    path, end = written(tmp_path / "log", last)
    whole = path.read_bytes()
    for size in range(end, len(whole)):
        path.write_bytes(whole[:size])
        log = AppendLog.open(path.parent, 2)
        assert rows(log) == [1, 2, 3] and path.stat().st_size == end
        assert log.commit([entry([9])], NOW) == [Receipt(3, 3, 1, True)]
        log.close()
        path.write_bytes(whole)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("last", "after"), list(zip(LAST, AFTER, strict=True)), ids=["append", "patch"])
def test_a_flipped_byte_in_the_last_record_is_no_version(tmp_path, last, after):
    path, end = written(tmp_path / "log", last)
    whole = bytearray(path.read_bytes())
    size = int.from_bytes(whole[end + 8 : end + 16], "little")
    for at in range(end, end + HEAD + size):  # what comes after is padding
        whole[at] ^= 0x40
        path.write_bytes(whole)
        with pytest.raises(Unreadable, match="version 3 was acknowledged"):
            AppendLog.open(path.parent, 3)
        assert path.read_bytes() == whole  # nothing is cut off of what was acknowledged
        log = AppendLog.open(path.parent, 2)
        assert rows(log) == [1, 2, 3]
        log.close()
        whole[at] ^= 0x40
    path.write_bytes(whole)
    log = AppendLog.open(path.parent, 3)
    assert rows(log) == after
    log.close()


def test_a_damaged_record_before_an_acknowledged_one_is_told(tmp_path):
    path, end = written(tmp_path / "log", LAST[0])
    folder = path.parent
    whole = bytearray(path.read_bytes())
    whole[end - 10] ^= 1  # of the first batch: the second record says that it was on the disk
    path.write_bytes(whole)
    with pytest.raises(Unreadable, match="damaged at byte"):
        AppendLog.open(folder, 1)
    assert path.read_bytes() == whole


def test_damage_under_an_open_log_is_told_when_it_is_read(tmp_path):
    log = new(tmp_path / "log")
    log.commit([entry([1, 2, 3])], NOW)
    dataset = opened(log.snapshot)
    path = log.snapshot.files[0].batches.path
    with path.open("r+b") as file:
        file.seek(-9, os.SEEK_END)
        file.write(b"\xff")
    with pytest.raises(Unreadable, match="not what was written"):
        dataset.column("x")


def test_a_version_stays_as_it_was(tmp_path):
    log = new(tmp_path / "log", roll_bytes=900)
    kept = []
    for number in range(12):
        log.commit([entry([number] * 3)], NOW)
        kept.append(log.snapshot)
    assert len(list((tmp_path / "log").iterdir())) > 2
    for number, snapshot in enumerate(kept):
        dataset = opened(snapshot)
        assert dataset.column("x").values.tolist() == np.repeat(np.arange(number + 1), 3).tolist()
    assert len({each.digest for each in kept}) == 12
    fingerprint = opened(kept[-1]).fingerprint
    log.close()
    again = AppendLog.open(tmp_path / "log", 13)
    assert opened(again.snapshot).fingerprint == fingerprint
    again.close()


def test_a_file_that_was_just_begun_holds_nothing(tmp_path):
    log = new(tmp_path / "log", roll_bytes=1)
    log.commit([entry([1])], NOW)
    log.commit([entry([2])], NOW)
    log.close()
    last = max((tmp_path / "log").glob("*.log"))
    begun = last.with_name(f"{int(last.stem) + 1:08}.log")
    begun.write_bytes(last.read_bytes()[:50])
    again = AppendLog.open(tmp_path / "log", 3)
    assert rows(again) == [1, 2] and not begun.exists()
    again.close()
    last.unlink()
    with pytest.raises(Unreadable, match="version 3 was acknowledged"):
        AppendLog.open(tmp_path / "log", 3)


@pytest.mark.parametrize("written", [0, 1, 100, 500])
def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch, written):
    log = new(tmp_path / "log")
    log.commit([entry([1, 2])], NOW)
    path = log.snapshot.files[0].batches.path
    before, write, left = path.read_bytes(), os.pwrite, written

    def full(descriptor: int, data: memoryview, at: int) -> int:
        nonlocal left
        if left <= 0:
            raise OSError(errno.ENOSPC, "full")
        done = write(descriptor, data[:left], at)
        left -= done
        return done

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(NoSpace):
        log.commit([entry([3], "k"), entry([4])], NOW)
    monkeypatch.undo()
    assert path.read_bytes() == before and rows(log) == [1, 2]
    assert log.commit([entry([5], "k")], NOW) == [Receipt(3, 2, 1, True)]  # errors are not remembered
    log.close()
    again = AppendLog.open(tmp_path / "log", 3)
    assert rows(again) == [1, 2, 5]
    again.close()


def test_a_disk_that_fails_to_sync(tmp_path, monkeypatch):
    log = new(tmp_path / "log")
    with monkeypatch.context() as patched:
        failures = [OSError(errno.EIO, "failed")]

        def fails_once(descriptor: int) -> None:
            if failures:
                raise failures.pop()

        patched.setattr(os, "fsync", fails_once)
        with pytest.raises(NoSpace):
            log.commit([entry([1])], NOW)
    assert rows(log) == [] and len(log.commit([entry([2])], NOW)) == 1 and rows(log) == [2]
    log.close()


def test_where_nothing_can_be_taken_back_nothing_more_is_written(tmp_path, monkeypatch):
    log = new(tmp_path / "log")
    with monkeypatch.context() as patched:

        def fails(*values: object) -> None:
            raise OSError(errno.EIO, "failed")

        patched.setattr(os, "fsync", fails)
        patched.setattr(os, "ftruncate", fails)
        with pytest.raises(NoSpace):
            log.commit([entry([1])], NOW)
    with pytest.raises(NoSpace):
        log.commit([entry([2])], NOW)
    log.close()
    again = AppendLog.open(tmp_path / "log", 1)  # what was refused is not there after a start
    assert rows(again) == []
    again.close()


def test_logs_that_are_open_hold_no_descriptor(tmp_path):
    """A server has as many as it has datasets that are appended to."""
    before = len(os.listdir("/proc/self/fd"))
    logs = [new(tmp_path / str(number), roll_bytes=1) for number in range(5)]
    for log in logs:
        for value in range(3):
            log.commit([entry([value])], NOW)
        log.sync()
    assert len(os.listdir("/proc/self/fd")) == before and all(rows(log) == [0, 1, 2] for log in logs)
    for log in logs:
        log.close()
        with pytest.raises(Conflict, match="taken away"):
            log.commit([entry([3])], NOW)


def test_without_a_descriptor_nothing_is_appended(tmp_path, monkeypatch):
    log = new(tmp_path / "log")
    path = log.snapshot.files[0].batches.path

    def too_many(*values: object) -> int:
        raise OSError(errno.EMFILE, "too many")

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", too_many)
        with pytest.raises(Busy, match="too many files"):
            log.commit([entry([1])], NOW)
    assert log.commit([entry([2])], NOW) == [Receipt(2, 0, 1, True)] and rows(log) == [2]
    path.unlink()
    with pytest.raises(Conflict, match="taken away"):
        log.commit([entry([3])], NOW)


def test_a_log_that_was_taken_away_with_its_dataset_holds_no_other_up(tmp_path):
    """Another process may remove a dataset before how far its log goes was written down."""
    log = new(tmp_path / "log", durability="os")
    log.commit([entry([1])], NOW)
    shutil.rmtree(tmp_path / "log")
    assert log.sync().version == 2
    log.close()


def test_a_sealed_log_takes_nothing(tmp_path):
    log = new(tmp_path / "log")
    receipt = log.commit([entry([1], "k")], NOW)[0]
    assert log.seal(NOW) == log.seal(NOW) == 3
    with pytest.raises(Conflict, match="sealed"):
        log.commit([entry([2])], NOW)
    log.close()
    again = AppendLog.open(tmp_path / "log", 3)
    assert again.snapshot.sealed and rows(again) == [1]
    same = entry([1], "k")
    assert again.repeated(same.key, same.body, NOW) == receipt
    again.close()


def test_os_durability_does_not_wait_for_the_disk(tmp_path, monkeypatch):
    (tmp_path / "log").mkdir()
    log = AppendLog.create(tmp_path / "log", SCHEMA, 0, 1, "os")
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    assert log.commit([entry([1])], NOW) == [Receipt(2, 0, 1, False)] and synced == []
    log.sync()
    assert len(synced) == 1
    monkeypatch.undo()
    log.close()


def test_a_key_is_kept_for_a_day(tmp_path):
    log = new(tmp_path / "log")
    first = log.commit([entry([1], "k")], NOW)
    assert log.commit([entry([1], "k")], NOW + DAY) == first
    assert log.commit([entry([1], "k")], NOW - 5 * DAY) == first  # the clock was set back
    assert isinstance(log.commit([entry([2], "k")], NOW)[0], KeyReused)
    assert log.commit([entry([2], "k")], NOW + DAY + 1) == [Receipt(3, 1, 1, True)]
    assert entry([1]).key == NO_KEY and key_digest("ann", "k") != key_digest("bob", "k")
    log.close()
