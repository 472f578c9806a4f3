"""Turns at a file: one after the other, and never for ever."""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from bigviz.common.disk.turn import turn

from ...patience import PATIENCE


def test_one_after_the_other(tmp_path: Path) -> None:
    seen: list[str] = []
    began = threading.Event()

    def second() -> None:
        began.set()
        with turn(tmp_path / "turn", PATIENCE):
            seen.append("second")

    thread = threading.Thread(target=second)
    with turn(tmp_path / "turn", PATIENCE):
        thread.start()
        assert began.wait(PATIENCE)
        seen.append("first")
    thread.join(PATIENCE)
    assert seen == ["first", "second"] and (tmp_path / "turn").exists()


def test_patience_ends(tmp_path: Path) -> None:
    with turn(tmp_path / "turn", PATIENCE), turn(tmp_path / "turn", 0.02):
        pass
    with turn(tmp_path / "turn", PATIENCE):
        pass


def test_no_place_for_the_file_is_no_reason_to_stop(tmp_path: Path) -> None:
    with turn(tmp_path / "nowhere" / "turn", PATIENCE):
        pass


def test_a_turn_ends_where_another_process_has_its_descriptor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a child has that is forked meanwhile, until it ends."""
    opened, copies = os.open, list[int]()

    def open_twice(*arguments: Any) -> int:
        descriptor = opened(*arguments)
        copies.append(os.dup(descriptor))
        return descriptor

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", open_twice)
        with turn(tmp_path / "turn", PATIENCE):
            assert len(copies) == 1
    with (tmp_path / "turn").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(copies[0])
