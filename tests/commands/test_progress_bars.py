"""Bars of stages: what stands there when the work has ended."""

from __future__ import annotations

import re

import pytest

from bigviz.commands.progress_bars import stage_bars


def shares(text: str) -> list[str]:
    return re.findall(r"\d+%", text)


def test_stages_that_have_ended_are_done(capsys: pytest.CaptureFixture[str]) -> None:
    """The last share that a stage tells is seldom 1: what is done by then is told at intervals."""
    with stage_bars() as tell:
        tell("ordering", 0.43, 10)
        tell("building", 0.19, 5)
    assert shares(capsys.readouterr().err) == ["100%", "100%"]


def test_a_stage_that_fails_shows_how_far_it_came(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt), stage_bars() as tell:
        tell("ordering", 0.43, 10)
        tell("building", 0.19, 5)
        raise KeyboardInterrupt
    assert shares(capsys.readouterr().err) == ["100%", "19%"]
