"""`kill -9` of a server under four writers. `python -m bench.stream` does it 200 times."""

from __future__ import annotations

from pathlib import Path

from bench.append_kills import append_kill_rounds


def test_what_was_acknowledged_is_there_once_after_a_kill(tmp_path: Path):
    assert len(list(append_kill_rounds(tmp_path / "library", rounds=1, writers=4, seed=7))) == 2
