"""How far datasets have been appended to, and when."""

from __future__ import annotations

import pytest

from bigviz.server.documents import heads
from bigviz.server.documents.heads import Heads


def test_versions_and_their_times(monkeypatch: pytest.MonkeyPatch):
    clock = iter(range(100, 200))
    monkeypatch.setattr(heads.time, "time", lambda: float(next(clock)))
    known = Heads()
    assert "ticks" not in known and known.version("ticks") == 0 and known.time("ticks", 1) is None
    for version in (4, 5, 9):
        known.tell("ticks", version)
    assert "ticks" in known and known.version("ticks") == 9
    assert [known.time("ticks", version) for version in (3, 4, 5, 7, 9, 12)] == [None, 100, 101, 101, 102, 102]
    assert known.names == ["ticks"]
    known.forget("ticks")
    assert "ticks" not in known and known.time("ticks", 9) is None
    known.expect("ticks")
    assert "ticks" in known and known.version("ticks") == 0 and known.time("ticks", 9) is None


def test_times_of_old_versions_are_let_go_of():
    known = Heads()
    for version in range(1, 1_000):
        known.tell("ticks", version)
    assert known.time("ticks", 1) is None and known.time("ticks", 999) is not None
