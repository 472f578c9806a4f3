"""How much each has used lately."""

from __future__ import annotations

from bigviz.server.access.used_time import UsedTime


def test_half_is_forgotten_every_two_seconds():
    at = 100.0
    used = UsedTime(lambda: at)
    used.charge("a", 8.0)
    at += 2.0
    used.charge("b", 4.0)
    assert used.amounts.get("a", 0) == used.amounts.get("b", 0) > 0 == used.amounts.get("c", 0)
    used.charge("b", 0.1)
    assert used.amounts.get("b", 0) > used.amounts.get("a", 0)
    used.forget("b")
    assert used.amounts.get("b", 0) == 0


def test_a_year_of_use_stays_in_bounds():
    at = 0.0
    used = UsedTime(lambda: at)
    for hour in range(24 * 365):
        used.charge(hour, 1.0)
        used.charge("always", 0.5)
        at += 3_600.0
        assert used.amounts.get("always", 0) < 2.0**40
    assert len(used._used) <= 3
