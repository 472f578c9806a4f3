"""Filters of a document name their figure and layer when they are wrong, and the word that a control's values need."""

from __future__ import annotations

from typing import Any

import pytest

import bigviz as bv
from bigviz.common.errors import BigvizError

TABLE = {"a": [1.0, 2.0], "b": [2.0, 1.0], "kind": ["x", "y"]}


def controls() -> list[Any]:
    return [
        bv.multiselect("kinds", ["x", "y"]), bv.range_slider("span", 0, 9), bv.slider("least", 0, 9, value=1),
        bv.select("one", ["x", "y"]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "at", "words"),
    [
        ("kind = $kinds", 7, "$kinds is a multiselect, of several values: write in, as column in $kinds"),
        ("a > 0 and not kind != $kinds", 22, "write in"),
        ("length(kind) = 1 or $kinds = kind", 20, "write in"),
        ("kind in ('z', lower($kinds))", 20, "write in"),
        ("a > $span", 4, "$span is a range, of two values: write column between $span"),
        ("a in $span", 5, "write column between $span"),
        ("a between $least and 3 and a between $kinds", 37, "$kinds is a multiselect"),
        ("a between $one", 10, "between takes the two values of a range, and $one is a select"),
        ("a > 'ten'", 4, "compare it with a number"),
        ("aa > 1", 0, "no column 'aa'"),
        ("a > $lest", 4, "no control $lest"),
        ("a >", 3, ""),
    ],
)
def test_a_wrong_filter_says_where_it_is(text: str, at: int, words: str) -> None:
    dataset = bv.open(TABLE, name="t")
    fine = bv.figure(title="Fine").points(dataset, "a", "b")
    wrong = bv.figure(title="Wrong").points(dataset, "a", "b").points(dataset, "b", "a", filter=text)
    with pytest.raises(BigvizError) as caught:
        bv.document(bv.row(fine, wrong, *controls()))
    error = caught.value
    assert error.field == "filter" and error.at == at
    assert "Figure f1 (Wrong), layer f1-1, filter" in error.message and words in error.message
    with pytest.raises(BigvizError, match="Control 'n':"):
        bv.document(bv.row(fine, bv.number("n", "count()", dataset, text), *controls()))


@pytest.mark.parametrize(
    "text",
    ["kind in $kinds", "not (kind in ('z', $kinds))", "a between $span and kind = $one", "kind in ($one, $kinds)",
     "a not between $span", "a between $least and 9", "a + $least > 2"],
)  # fmt: skip
def test_controls_stand_where_their_values_do(text: str) -> None:
    dataset = bv.open(TABLE, name="t")
    made = bv.document(bv.row(bv.figure().points(dataset, "a", "b", filter=text), *controls()))
    assert made.figures()[0].layers[0].filter == text
