"""The budget of answers: what is held, what is refused, and what comes back."""

from __future__ import annotations

import pytest

from bigviz.common.errors import Busy, TooLarge
from bigviz.server.http.response_budget import Budget


def test_an_answer_holds_what_it_has_and_gives_it_back():
    budget = Budget(100)
    with budget.hold(60) as held:
        assert budget.held == 60
        held.set(20)
        assert budget.held == 20
        with budget.hold(80):
            assert budget.held == 100
            with pytest.raises(Busy, match="again"), budget.hold(1):
                pass
            with pytest.raises(Busy):
                held.set(21)
            assert budget.held == 100
        held.set(100)
        with pytest.raises(TooLarge, match="limit"):
            held.set(101)
    assert budget.held == 0


def test_what_fails_gives_back_what_it_held():
    budget = Budget(100)
    with pytest.raises(ZeroDivisionError), budget.hold(60):
        raise ZeroDivisionError
    with pytest.raises(TooLarge), budget.hold(101):
        pass
    assert budget.held == 0
