"""How fast a body must come."""

from __future__ import annotations

import pytest

from bigviz.server.http.request_body import too_slow
from bigviz.server.limits import Limits

LIMITS = Limits(body_seconds=10.0, slowest_bytes=1_000.0)


@pytest.mark.parametrize(
    ("received", "waited", "expected"),
    [(0, 10.0, False), (1, 10.01, True), (999, 11.0, True), (1_000, 11.0, False), (10**9, 86_400.0, False)],
)
def test_a_body_has_some_seconds_and_then_a_least_rate(received: int, waited: float, expected: bool) -> None:
    assert too_slow(received, waited, LIMITS) is expected
