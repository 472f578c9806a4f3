"""`kill -9` at random moments. `python -m bench.publish` does it 200 times."""

from __future__ import annotations

from bench.kills import kill_rounds


def test_what_was_acknowledged_is_there_after_a_kill(tmp_path):
    assert len(list(kill_rounds(tmp_path / "library", rounds=3, publishers=2, seed=7))) == 3
