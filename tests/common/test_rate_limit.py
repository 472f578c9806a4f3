"""The token bucket, on a clock of its own."""

from __future__ import annotations

import pytest

from bigviz.common import rate_limit
from bigviz.common.rate_limit import Tokens


def test_a_burst_and_then_the_rate(monkeypatch: pytest.MonkeyPatch):
    now = 100.0
    monkeypatch.setattr(rate_limit.time, "monotonic", lambda: now)
    bucket = Tokens(5, 2)
    assert [bucket.pay() for _ in range(7)] == [True] * 5 + [False] * 2
    now += 0.5
    assert [bucket.pay() for _ in range(2)] == [True, False]
    now += 1_000
    assert [bucket.pay() for _ in range(7)] == [True] * 5 + [False] * 2, "never more than the burst"
