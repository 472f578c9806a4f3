"""Logs whose files of many small appends were written anew: they are what they were, whatever is cut off or fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from bigviz.common.errors import Unreadable
from bigviz.data.appending.keys import Receipt
from bigviz.data.appending.log import AppendLog
from bigviz.data.appending.rule import Rule
from bigviz.data.log_files import retries, rewritten
from bigviz.server.streams.feeds import Feed

from ..appending.logs import NOW, SECOND, entry, new, opened, patch, rows


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dozen appends are many, and no power is cut."""
    monkeypatch.setattr(rewritten, "MANY", 12)
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


def small(folder: Path, count: int = 40, **options: object) -> AppendLog:
    """A log of one row an append, some of them with a key, some without a row."""
    log = new(folder, **options)
    for number in range(count):
        log.commit([entry([] if number % 7 == 3 else [number], f"key {number}" if number % 3 else None)], NOW + number)
    return log


def fed(log: AppendLog, after: int) -> list[tuple[int, int, list[int]]]:
    """Version, offset and rows of each batch after a version."""
    feed = Feed(log.snapshot, after)
    data = feed.piece(log.snapshot) + feed.end()
    count = sum(1 for _ in pa.ipc.open_stream(data))
    with pa.ipc.open_stream(data) as reader:
        found = [reader.read_next_batch_with_custom_metadata() for _ in range(count)]
    return [(int(about[b"version"]), int(about[b"offset"]), batch["x"].to_pylist()) for batch, about in found]


def test_a_log_of_small_appends_is_the_same_in_few_batches(tmp_path: Path) -> None:
    log = small(tmp_path / "log")
    before, old = log.snapshot, rows(log)
    feeds = {after: fed(log, after) for after in (1, 9, 10, 30)}
    dataset = opened(before)
    nbytes = before.nbytes
    assert len(before.files) == 3 and not log.is_tidy
    log.tidy()
    assert log.is_tidy and log.snapshot.digest == before.digest and log.snapshot.nbytes < nbytes
    assert [len(each.batches.at) for each in log.snapshot.files[:-1]] == [1, 1]
    assert dataset.column("x").values.tolist() == old, "an older version is read as it was"
    for _ in range(2):
        assert rows(log) == old and {after: fed(log, after) for after in feeds} == feeds
        assert log.snapshot.digest == before.digest and log.snapshot.nbytes == sum(
            each.stat().st_size for each in (tmp_path / "log").iterdir()
        )
        again = log.commit([entry([1], "key 1"), entry([25], "key 25"), entry([9], "key 25")], NOW)
        assert again[:2] == [Receipt(3, 1, 1, True), Receipt(27, 21, 1, True)] and "another body" in str(again[2])
        log.close()
        log = AppendLog.open(tmp_path / "log", before.version)
    assert log.commit([entry([5])], NOW)[0] == Receipt(42, len(old), 1, True)
    log.close()


def test_patches_keep_their_place_and_rollover_goes_on(tmp_path: Path) -> None:
    """By age, which each append has of its own, also where it was merged with others."""
    rule = Rule(age_ns=20 * SECOND)
    log, values = new(tmp_path / "log", rule=rule), list(range(60))
    for number in range(30):
        log.commit([entry([number])], NOW + number * SECOND // 10)
        if number == 17:
            log.commit([patch({3: 99, 17: 98})], NOW + number * SECOND // 10)
            values[3], values[17] = 99, 98
    for number in range(30, 60):
        log.commit([entry([number])], NOW + number * SECOND // 10)
    log.tidy()
    assert min(len(each.batches.at) for each in log.snapshot.files) <= 2
    assert rows(log) == values
    log.close()
    log = AppendLog.open(tmp_path / "log", log.snapshot.version, rule=rule)
    log.roll(NOW + 20 * SECOND + SECOND)
    assert log.snapshot.first_row == 10 and rows(log) == values[10:]
    log.close()


def test_a_file_that_was_being_written_is_removed_and_the_old_one_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "log"
    log = small(folder)
    old, before = rows(log), {path.name: path.read_bytes() for path in folder.iterdir()}
    log.tidy()
    made = (folder / "00000000.log").read_bytes()
    log.close()
    for size in (0, 50, 200, len(made) // 2, len(made) - 1, len(made)):
        for name, data in before.items():
            (folder / name).write_bytes(data)
        (folder / ".00000000.log.12345678").write_bytes(made[:size])
        log = AppendLog.open(folder, 41)
        assert rows(log) == old and not list(folder.glob(".*"))
        log.close()
    log = AppendLog.open(folder, 41)
    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", _fails)
        log.tidy()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before and rows(log) == old
    log.commit([entry([7])], NOW)
    assert rows(log) == [*old, 7]
    log.close()


def _fails(*values: object) -> None:
    raise OSError(28, "full")


def test_what_a_disk_refused_is_tried_again_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(retries, "time", SimpleNamespace(monotonic=lambda: now[0]))
    log = small(tmp_path / "log")
    old = rows(log)
    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", _fails)
        for _ in range(2):  # the one file, then the other
            assert not log.is_tidy
            log.tidy()
        assert log.is_tidy
    log.tidy()
    assert min(len(each.batches.at) for each in log.snapshot.files[:-1]) > 1, "not yet"
    now[0] = 10.0
    assert not log.is_tidy
    log.tidy()
    assert [len(each.batches.at) for each in log.snapshot.files[:-1]] == [1, 1] and log.is_tidy and rows(log) == old
    log.close()


def test_damage_is_told(tmp_path: Path) -> None:
    """Of what was merged, before it is merged and after."""
    folder = tmp_path / "log"
    log = small(folder)
    old = rows(log)
    log.tidy()
    log.close()
    path = folder / "00000001.log"
    whole = path.read_bytes()
    start = log.snapshot.files[1].batches.at[0]
    refused = 0
    for at in range(log._files[1].head.size, len(whole), 13):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x20]) + whole[at + 1 :])
        try:
            found = AppendLog.open(folder, 41)
        except Unreadable:
            refused += 1
            assert at < start
            continue
        if at < start + log.snapshot.files[1].batches.size[0]:
            with pytest.raises(Unreadable, match="not what was written"):
                rows(found)
        found.close()
    assert refused > 10
    for size in range(0, len(whole), 97):
        path.write_bytes(whole[:size])
        with pytest.raises(Unreadable, match="damaged"):
            AppendLog.open(folder, 41)
    path.write_bytes(whole)
    log = AppendLog.open(folder, 41)
    assert rows(log) == old
    log.close()


def test_a_damaged_file_is_not_written_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    log = small(tmp_path / "log", 30)
    file = log.snapshot.files[0].batches
    data = bytearray(file.path.read_bytes())
    data[file.at[2] + file.size[2] // 2] ^= 1
    file.path.write_bytes(data)
    log.tidy()
    assert file.path.read_bytes() == data and "damaged" in caplog.text
    log.commit([entry([1])], NOW)
    log.close()


def test_a_kill_at_any_step_loses_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.data.log_files.killing", str(tmp_path)],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) > 10, "before and after each call"
    for each in found:
        assert each["rows"] == list(range(9)) and each["left"] == []
        assert each["receipts"] == [[2 + number, number, 1, True] for number in range(9)]
        assert each["versions"] == list(range(2, 11))
    blocks = [each["blocks"] for each in found]
    assert blocks == sorted(blocks, reverse=True) and blocks[-1] < blocks[0] == 9


def test_large_appends_and_few_small_ones_stay(tmp_path: Path) -> None:
    log = new(tmp_path / "log", roll_bytes=400_000)
    values = np.arange(9_000).tolist()
    for _ in range(6):
        log.commit([entry(values)], NOW)
    assert len(log.snapshot.files) > 1 and log.is_tidy
    log.close()
