"""What has failed is tried again, later each time."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from bigviz.data.log_files import retries
from bigviz.data.log_files.retries import Retries


def test_pauses_double_up_to_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_000.0]
    monkeypatch.setattr(retries, "time", SimpleNamespace(monotonic=lambda: now[0]))
    known, pauses = Retries(), []
    assert known.is_due(3)
    for _ in range(12):
        known.failed(3)
        assert not known.is_due(3) and known.is_due(4)
        before = now[0]
        while not known.is_due(3):
            now[0] += 10.0
        pauses.append(now[0] - before)
    assert pauses == [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600]
    known.failed(3)
    known.done(3)
    assert known.is_due(3)
    known.failed(3)
    now[0] += 10.0
    assert known.is_due(3), "pauses begin anew"
