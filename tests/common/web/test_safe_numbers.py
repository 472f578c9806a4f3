"""Numbers for browsers."""

from __future__ import annotations

import pytest

from bigviz.common.web.safe_numbers import finite, safe


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (2**53 - 1, 2**53 - 1), (2**53, "9007199254740992"), (-(2**53), "-9007199254740992"), (1 - 2**53, 1 - 2**53),
        (10**400, "1" + "0" * 400), (1e300, 1e300), (True, True), (0.5, 0.5),
    ],
)  # fmt: skip
def test_whole_numbers_that_browsers_round_are_texts(number: float, expected: object):
    assert safe(number) == expected and type(safe(number)) is type(expected)


def test_what_is_no_finite_number_is_none():
    values = (None, float("nan"), float("inf"), -float("inf"), 2**60, 1.5)
    assert [finite(value) for value in values] == [None] * 4 + [str(2**60), 1.5]
