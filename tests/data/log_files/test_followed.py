"""A log that another process writes is what its writer has, whatever came between two looks."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from bigviz.data.appending.log import AppendLog
from bigviz.data.appending.rule import Rule
from bigviz.data.appending.snapshot import Snapshot
from bigviz.data.log_files import rewritten
from bigviz.data.log_files.followed import FollowedLog

from ..appending.logs import NOW, SECOND, entry, new, patch, rows


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dozen appends are many, and no power is cut."""
    monkeypatch.setattr(rewritten, "MANY", 12)
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


def facts(snapshot: Snapshot) -> tuple[object, ...]:
    corrected = [each.version for each in snapshot.corrections.told if (each.rows >= snapshot.first_row).any()]
    return (
        snapshot.head, snapshot.digest, snapshot.lineage, snapshot.next_row, snapshot.first_row, snapshot.upload_rows,
        corrected,
    )  # fmt: skip


def require_same(followed: FollowedLog, log: AppendLog) -> None:
    followed.advance(log.snapshot.version, log.snapshot.head)
    assert facts(followed.snapshot) == facts(log.snapshot)
    assert rows(followed) == rows(log)  # type: ignore[arg-type]


@pytest.mark.parametrize("rule", [Rule(), Rule(rows=40)], ids=["all", "the last"])
def test_it_is_what_the_writer_has(tmp_path: Path, rule: Rule) -> None:
    rng = np.random.default_rng(29)
    log = new(tmp_path / "log", roll_bytes=3_000, rule=rule)
    followed = FollowedLog(tmp_path / "log", log.snapshot.version, rule)
    old = []
    for number in range(200):
        log.commit([entry(rng.integers(0, 99, rng.integers(1, 5)).tolist())], NOW + number * SECOND)
        if rng.random() < 0.2:
            last = log.snapshot.next_row - 1
            log.commit([patch({last: int(rng.integers(100))})], NOW + number * SECOND)
        if rng.random() < 0.1:
            log.tidy()
        if rng.random() < 0.4:
            require_same(followed, log)
            old.append((followed.snapshot, rows(log)))
        if rng.random() < 0.05:
            require_same(FollowedLog(tmp_path / "log", log.snapshot.version, rule), log)
    log.seal(NOW + 999 * SECOND)
    require_same(followed, log)
    assert followed.snapshot.sealed


def test_nothing_is_looked_at_before_it_is_told(tmp_path: Path) -> None:
    log = new(tmp_path / "log")
    log.commit([entry([1]), entry([2])], NOW)
    first = log.snapshot.version - 1
    followed = FollowedLog(tmp_path / "log", first)
    assert followed.snapshot.version == first and rows(followed) == [1]  # type: ignore[arg-type]
    log.commit([entry([3])], NOW)
    followed.advance(first + 1)
    assert rows(followed) == [1, 2]  # type: ignore[arg-type]
    require_same(followed, log)


def test_what_was_read_stays_when_its_files_are_removed_or_written_anew(tmp_path: Path) -> None:
    log = new(tmp_path / "log", roll_bytes=2_000, rule=Rule(rows=30))
    for number in range(60):
        log.commit([entry([number])], NOW)
    followed = FollowedLog(tmp_path / "log", log.snapshot.version, Rule(rows=30))
    before, expected = followed.snapshot, rows(followed)  # type: ignore[arg-type]
    for number in range(60, 200):
        log.commit([entry([number])], NOW)
    log.tidy()
    require_same(followed, log)

    class Old:
        snapshot = before

    assert rows(Old()) == expected  # type: ignore[arg-type]
