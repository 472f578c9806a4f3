from __future__ import annotations

import pytest

from bigviz.data.remote.circuit_breaker import CircuitBreaker
from bigviz.data.remote.failures import is_unanswered


def breaker() -> tuple[CircuitBreaker, list[float]]:
    now = [100.0]
    return CircuitBreaker(lambda: now[0]), now


def test_it_opens_after_three_failures_in_a_row():
    switch, _ = breaker()
    for _ in range(5):
        switch.unanswered()
        switch.unanswered()
        assert switch.refused_for() == 0
        switch.answered()
    for _ in range(3):
        assert switch.refused_for() == 0
        switch.unanswered()
    assert switch.refused_for() == 30


def test_one_object_is_not_its_host():
    switch, _ = breaker()
    for _ in range(9):
        switch.unanswered("a")
        assert switch.refused_for() == 0
    switch.unanswered("b")
    assert switch.refused_for() == 30
    for others in (["a", "a", None], ["a", "b", "a"]):
        switch.answered()
        for each in others:
            assert switch.refused_for() == 0
            switch.unanswered(each)
        assert switch.refused_for() == 30


def test_one_request_finds_out_whether_the_host_answers_again():
    switch, now = breaker()
    for _ in range(3):
        switch.unanswered()
    now[0] += 29
    assert switch.refused_for() == 1
    now[0] += 1
    assert switch.refused_for() == 0
    assert switch.refused_for() == 30  # the first one is under way
    switch.unanswered()
    assert switch.refused_for() == 30
    now[0] += 30
    assert switch.refused_for() == 0
    switch.given_up()
    assert switch.refused_for() == 0
    switch.answered()
    assert switch.refused_for() == switch.refused_for() == 0


@pytest.mark.parametrize(
    ("words", "is_silent"),
    [("timed out", True), ("kind: Connect", True), ("dns error", True), ("the body was cut", False),
     ("status code: 503 Service Unavailable", False)],
)  # fmt: skip
def test_what_counts_as_no_answer(words: str, is_silent: bool):
    assert is_unanswered(OSError(f"{words}, after 8 retries")) is is_silent
