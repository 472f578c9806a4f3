"""How a browser takes in what it is sent, by a clock of the test."""

from __future__ import annotations

import pytest

from bigviz.server.limits import Limits
from bigviz.server.websocket.intake import Intake

LIMITS = Limits(stalled_seconds=15.0, slowest_bytes=1_000.0)


def begun(waiting: int, limits: Limits = LIMITS) -> Intake:
    intake = Intake(limits)
    intake.begin(100.0, 0, waiting)
    return intake


def test_one_that_takes_nothing_in_is_over_after_the_bound_and_no_earlier():
    intake = begun(1_000)
    for now in (100.25, 107.0, 114.9):
        intake.look(now, 0, 1_000)
        assert not intake.is_over(now)
    intake.look(115.0, 0, 1_000)
    assert intake.is_over(115.0) and intake.rests_for(115.0) == 15.0


def test_asking_for_more_is_no_reading():
    intake = begun(1_000)
    for second in range(1, 15):
        intake.look(100.0 + second, 0, 1_000 + 500 * second)
    intake.look(115.0, 0, 9_000)
    assert intake.is_over(115.0)


def test_the_bound_runs_from_the_last_byte():
    intake = begun(50_000)
    intake.look(110.0, 1, 49_999)
    intake.look(124.9, 1, 49_999)
    assert not intake.is_over(124.9)
    intake.look(125.0, 1, 49_999)
    assert intake.is_over(125.0)


def test_where_nothing_waits_nothing_runs():
    intake = begun(1_000)
    intake.look(101.0, 1_000, 0)
    assert intake.is_done and not intake.is_over(1_000.0) and intake.rests_for(1_000.0) == 0.0
    intake.begin(1_000.0, 1_000, 200)
    assert not intake.is_done and not intake.is_over(1_014.9) and intake.is_over(1_015.0)


def test_a_byte_now_and_then_does_not_help_one_that_is_slower_than_the_bound():
    """30,000 bytes have to be taken in within 15 + 30 s."""
    intake = begun(30_000)
    for second in range(1, 45):
        intake.look(100.0 + second, second, 30_000 - second)
        assert not intake.is_over(100.0 + second)
    intake.look(145.0, 45, 29_955)
    assert intake.is_over(145.0)


@pytest.mark.parametrize("more", [0, 2_000])
def test_one_that_is_as_fast_as_it_has_to_be_is_never_over(more: int):
    """However much comes in addition: what waited at one time has its own bound."""
    intake, handed = begun(30_000), 30_000
    for second in range(1, 400):
        handed += more
        taken = min(handed, 1_000 * second)
        intake.look(100.0 + second, taken, handed - taken)
        assert not intake.is_over(100.0 + second)


def test_heads_of_frames_that_wait_too_are_no_step_back():
    intake = begun(20_000)
    intake.look(110.0, -30, 20_030)
    intake.look(111.0, -10, 20_010)
    assert not intake.is_over(120.0) and intake.rests_for(120.0) == 9.0
