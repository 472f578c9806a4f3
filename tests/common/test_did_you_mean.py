"""The nearest name, and how much is done to find it."""

from __future__ import annotations

import difflib
from typing import Any

import pytest

from bigviz.common.did_you_mean import hint, nearest


def test_no_name_is_looked_for_among_very_many_or_very_long_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Comparing takes time by the product of lengths, and a server does it between two answers."""
    compared: list[int] = []
    original = difflib.get_close_matches

    def counting(word: str, names: list[str], **options: Any) -> list[str]:
        compared.append(len(word) * sum(map(len, names)))
        return original(word, names, **options)

    monkeypatch.setattr(difflib, "get_close_matches", counting)
    assert nearest("column7x", [f"column{number}" for number in range(300)]) == "column7"
    assert nearest("column7x", [f"column{number}" for number in range(301)]) is None
    assert nearest("x" * 9_999, ["x" * 10_000]) is None and nearest("x" * 99, ["x" * 100] * 2) == "x" * 100
    assert nearest("x" * 10_000, ["x", "y", "z"]) == nearest("y", ["a" * 50_000]) is None
    assert compared and max(compared) <= 40_000


def test_of_equally_near_names_the_first_is_meant() -> None:
    """A sequence matcher finds `sensor_5` as like 005 as it finds it like 295."""
    assert nearest("sensor_5", [f"sensor_{number:03}" for number in range(100)]) == "sensor_005"
    assert nearest("bat", ["hat", "cat"]) == "hat" and nearest("bat", ["cat", "hat"]) == "cat"


def test_a_hint_is_a_sentence_with_a_space_before_it_or_nothing() -> None:
    assert hint("fair", ["fare", "tip"], "It has no columns.") == " Did you mean 'fare'?"
    assert hint("zzz", ["fare", "tip"], "It has 'fare', 'tip'.") == " It has 'fare', 'tip'."
    assert hint("zzz", ["fare", "tip"]) == ""
