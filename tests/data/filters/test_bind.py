"""Values of controls in expressions, and what is taken out where there is none."""

from __future__ import annotations

from typing import Any

import pytest

from bigviz.common.errors import BadInput
from bigviz.data.filters.bind import bind
from bigviz.data.filters.parse import parse


@pytest.mark.parametrize(
    ("text", "values", "bound"),
    [
        ("fare > $low", {"low": 5}, "fare > 5"),
        ("fare > $low", {"low": 0.5}, "fare > 0.5"),
        ("fare > $low", {"low": None}, None),
        ("kind in $kinds", {"kinds": ["a", "it's"]}, "kind in ('a', 'it''s')"),
        ("kind in ($kinds, 'z')", {"kinds": ["a"]}, "kind in ('a', 'z')"),
        ("kind in ($kinds)", {"kinds": []}, None),
        ("not kind in $kinds", {"kinds": []}, None),
        ("not (a = $x or b = 1)", {"x": None}, "not b = 1"),
        ("a = $x and b = 1", {"x": None}, "b = 1"),
        ("a = $x or b = 1 or c = 2", {"x": None}, "b = 1 or c = 2"),
        ("a = 1 and (b = $x or c = 2 and d = 3)", {"x": None}, "a = 1 and c = 2 and d = 3"),
        ("a + $x * 2 > abs($x)", {"x": None}, None),
        ("$x is null or a = 1", {"x": None}, "a = 1"),
        ("starts_with(name, $q)", {"q": None}, None),
        ("starts_with(name, $q)", {"q": ""}, "starts_with(name, '')"),
        ("(a = $x) = true and b", {"x": None}, "b"),
        ("$flag", {"flag": True}, "true"),
        ("delay between $d", {"d": [1, 2]}, "delay between 1 and 2"),
        ("delay between $d and kind = 'a'", {"d": [1, 2]}, "delay between 1 and 2 and kind = 'a'"),
        ("not delay between $d and not late", {"d": [1, 2]}, "not delay between 1 and 2 and not late"),
        ("delay between $a and $b", {"a": 1, "b": 2}, "delay between 1 and 2"),
        ("delay between $d", {"d": [None, 2]}, "delay <= 2"),
        ("delay not between $d", {"d": [1, None]}, "not delay >= 1"),
        ("delay between $d", {"d": [None, None]}, None),
        ("delay between $d", {"d": None}, None),
        ("a = 1", {}, "a = 1"),
    ],
)
def test_values_are_put_in_or_the_comparison_is_taken_out(text: str, values: dict[str, Any], bound: str | None):
    found = bind(parse(text), values)
    assert (None if found is None else str(found)) == bound
    if found is not None:
        assert parse(str(found)) == found


@pytest.mark.parametrize(
    ("text", "values", "at", "words"),
    [
        ("a = 1 and b = $kind", {"kinds": 1}, 14, "Did you mean 'kinds'"),
        ("a = $x", {"x": [1, 2]}, 4, "several values"),
        ("a between $x", {"x": [1, 2, 3]}, 10, "pair"),
        ("a between $x", {"x": 5}, 10, "pair"),
        ("a = $x", {"x": {"b": 1}}, 4, "neither"),
        ("a = $x", {"x": float("nan")}, 4, "neither"),
        ("a in $x", {"x": list(range(2_000))}, 5, "1,000"),
    ],
)
def test_values_that_fit_nowhere_are_refused_where_the_control_stands(
    text: str, values: dict[str, Any], at: int, words: str
):
    with pytest.raises(BadInput, match=words) as caught:
        bind(parse(text), values)
    assert (caught.value.field, caught.value.at) == ("filter", at)


def test_a_text_of_a_control_is_never_read_as_an_expression():
    bound = bind(parse("name = $q"), {"q": "' or true or name = '"})
    assert bound is not None
    assert str(bound) == "name = ''' or true or name = '''"
    assert bound == parse(str(bound))


def test_columns_and_controls_are_named():
    expression = parse("`a b` > $x and c in $y or not c")
    assert expression.columns == {"a b", "c"}
    assert expression.controls == {"x", "y"}
