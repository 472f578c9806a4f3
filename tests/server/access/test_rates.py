"""How often a client may ask, and the waits after wrong passwords."""

from __future__ import annotations

import pytest

from bigviz.common import rate_limit
from bigviz.common.errors import TooMany
from bigviz.server.access import rates
from bigviz.server.access.rates import Failures, Rates


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(rates, "time", found)
    monkeypatch.setattr(rate_limit, "time", found)
    return found


def test_each_client_has_a_bucket_of_its_own(clock: Clock):
    found = Rates(burst=3, rate=1)
    for _ in range(3):
        found.pay("a")
    with pytest.raises(TooMany) as refused:
        found.pay("a")
    assert refused.value.retry_after == 1
    found.pay("b")
    clock.now += 1
    found.pay("a")
    assert not found.allows("a")


def waits(clock: Clock, failures: Failures, tries: int) -> list[float]:
    """The waits after each of so many failed tries, each of which comes as soon as it may."""
    found = []
    for _ in range(tries):
        failures.begin("ada")
        clock.now += 0.3  # a password takes its time
        failures.failed("ada")
        found.append(failures.wait("ada"))
        clock.now += found[-1]
    return found


def test_five_failures_are_free_and_then_each_waits_twice_as_long(clock: Clock):
    assert waits(clock, Failures(60), 13) == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_try_that_comes_too_early_is_refused_and_does_not_count(clock: Clock):
    failures = Failures(60)
    waits(clock, failures, 5)
    failures.begin("ada")
    clock.now += 0.5
    for _ in range(100):
        with pytest.raises(TooMany) as refused:
            failures.begin("ada")
    assert refused.value.retry_after == 1.5
    assert failures.wait("bob") == 0


def test_many_at_once_are_no_way_round(clock: Clock):
    failures = Failures(60)
    for _ in range(5):
        failures.begin("ada")  # none of them has been answered yet
    with pytest.raises(TooMany):
        failures.begin("ada")


def test_success_and_time_forget(clock: Clock):
    failures = Failures(60)
    waits(clock, failures, 8)
    failures.succeeded("ada")
    assert waits(clock, failures, 5)[-1] == 1
    clock.now += 900
    assert failures.wait("ada") == 0 and waits(clock, failures, 4) == [0, 0, 0, 0]
