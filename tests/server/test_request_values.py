"""Numbers from requests."""

from __future__ import annotations

import json
import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigviz.common.errors import BadInput, TooLarge
from bigviz.server.limits import Limits
from bigviz.server.request_values import choice, image_size, interval, number, optional_number, whole

anything = st.one_of(
    st.text(max_size=30), st.floats(), st.integers(), st.none(), st.booleans(), st.lists(st.integers(), max_size=2)
)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1), ("-0", 0), ("+7", 7), ("1.5", 1.5), (".5", 0.5), ("5.", 5.0), ("1e3", 1000.0), ("-1E-3", -0.001),
     (2.5, 2.5), ("9007199254740993", 9_007_199_254_740_993), (3, 3), (-0.0, 0.0), ("5e-324", 5e-324)],
)  # fmt: skip
def test_number(text, value):
    found = number(text, "x0")
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    "text",
    ["", " 1", "1 ", "nan", "inf", "-inf", "Infinity", "1e999", "0x1", "1_0", "1,5", "--1", "1e", "e1", "٣", "1\n",
     None, True, [], {}, math.nan, math.inf, "1" * 500],
)  # fmt: skip
def test_what_is_no_number(text):
    with pytest.raises(BadInput) as error:
        number(text, "x0")
    assert error.value.field == "x0"


def test_times_are_whole_nanoseconds():
    assert number("1700000000000000001", "x0", time=True) == 1_700_000_000_000_000_001
    assert number("-9223372036854775808", "x0", time=True) == -(2**63)
    assert number("1.7e18", "x0", time=True) == 1_700_000_000_000_000_000
    assert number(5, "x0", time=True) == 5
    for text in ("0.5", "9223372036854775808", 1e19, "nan"):
        with pytest.raises(BadInput):
            number(text, "x0", time=True)


@given(anything, anything, st.booleans())
def test_an_interval_is_finite_and_wide_or_an_error_with_a_field(low, high, time):
    try:
        a, b = interval({"x0": low, "x1": high}.get, "x0", "x1", time=time)
    except BadInput as error:
        assert error.field in ("x0", "x1") and error.message
        json.dumps([error.field, error.got], allow_nan=False)
        return
    assert math.isfinite(a) and math.isfinite(b) and a < b
    assert sys.float_info.min <= b - a < math.inf
    assert not time or (isinstance(a, int) and isinstance(b, int))


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_every_window_that_can_be_divided_is_taken_exactly(a: float, b: float):
    low, high = sorted((a, b))
    if not sys.float_info.min <= high - low < math.inf:
        return
    assert interval({"x0": repr(low), "x1": repr(high)}.get, "x0", "x1") == (low, high)


@given(anything)
def test_whole(value):
    try:
        found = whole(value, "width", 1, 100)
    except BadInput as error:
        assert error.field == "width" and "1 to 100" in error.message
        return
    assert 1 <= found <= 100 and isinstance(found, int) and str(value).lstrip("+").lstrip("0") == str(found)


def test_images_are_bounded_before_anything_is_allocated():
    limits = Limits(image_side=100, image_cells=1_000)

    def size(width: object, height: object) -> tuple[int, int]:
        return image_size({"width": width, "height": height}.get, limits)

    assert size("10", "100") == (10, 100)
    for width, height in (("101", "1"), ("11", "91"), ("1" * 300, "1")):
        with pytest.raises(TooLarge):
            size(width, height)
    for width, height in (("0", "1"), ("-1", "1"), ("", "1"), (None, "1"), ("1", "x")):
        with pytest.raises(BadInput):
            size(width, height)


def test_optional_numbers_and_choices():
    assert optional_number(None, "low") is None and optional_number("", "low") is None
    assert optional_number("2", "low") == 2.0
    assert choice("a", "how", ("a", "b")) == "a"
    for wrong in ("c", None, 3, ["a"]):
        with pytest.raises(BadInput, match="how is one of a, b"):
            choice(wrong, "how", ("a", "b"))


def test_what_is_nested_deeper_than_python_goes_is_told():
    deep: list[object] = []
    for _ in range(5_000):
        deep = [deep]
    with pytest.raises(BadInput, match="width is a whole number") as caught:
        whole(deep, "width", 1, 2)
    assert len(str(caught.value.got)) < 100
    while deep:
        deep = deep[0]  # type: ignore[assignment]
