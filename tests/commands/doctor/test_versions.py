"""Versions against what is needed."""

from __future__ import annotations

import pytest

from bigviz.commands.doctor.versions import compared, versions


@pytest.mark.parametrize(
    ("needed", "has", "state"),
    [
        ("numpy>=2.1", "2.1", "ok"), ("numpy>=2.1", "2.10.0", "ok"), ("numpy>=2.1", "2.1.0rc1", "ok"),
        ("numpy>=2.1", "2.0.9", "problem"), ("pyarrow>=23.0.1", "23.0", "problem"), ("click>=8.1", None, "problem"),
        ("Python>=3.11", "3.10.4", "problem"),
    ],
)  # fmt: skip
def test_numbers_are_compared_as_numbers(needed: str, has: str | None, state: str):
    (found,) = compared([needed], lambda name: has)
    assert found.state == state and (found.remedy is None) == (state == "ok")
    if state == "problem":
        assert needed.partition(">=")[2] in str(found.remedy) and (has or "not installed") in found.value


def test_what_only_extras_need_is_left_out():
    assert list(compared(["ruff>=0.9; extra == 'test'"], lambda name: None)) == []


def test_those_of_this_installation():
    found = {each.name: each for each in versions()}
    assert {"bigviz", "Python", "numba", "tornado"} <= found.keys()
