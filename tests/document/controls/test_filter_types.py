"""Filters whose controls may get values that go with no column there are refused, before anybody chooses one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import bigviz as bv
from bigviz.common.errors import BadInput

TABLE = {
    "n": [1, 2], "x": [1.0, 2.0], "kind": ["u", "v"], "ok": [True, False],
    "at": np.array(["2024-01-01", "2024-01-02"], "datetime64[s]"), "took": np.array([1, 2], "timedelta64[s]"),
}  # fmt: skip


def made(text: str, *controls: Any, number: bool = False) -> bv.Document:
    table = bv.open(TABLE, name="t")
    figure = bv.figure().points(table, "x", "n", filter="" if number else text)
    more = [bv.number("count", "count()", table, text)] if number else []
    return bv.document(bv.row(figure, bv.column(*controls, *more)))


def control(kind: str) -> Any:
    table = bv.open(TABLE, name="t")
    return {
        "texts": lambda: bv.multiselect("k", ["u", "v"]),
        "text": lambda: bv.select("k", ["u", "v"]),
        "days": lambda: bv.select("k", ["2024-01-01", "2024-02-01"]),
        "some days": lambda: bv.multiselect("k", ["2024-01-01", "soon"]),
        "numbers": lambda: bv.multiselect("k", [1, 2.5]),
        "mixed": lambda: bv.select("k", ["all", 1]),
        "truth": lambda: bv.select("k", [True, False]),
        "ticked": lambda: bv.checkbox("k"),
        "slider": lambda: bv.slider("k", 0, 9),
        "range": lambda: bv.range_slider("k", 0, 9),
        "dates": lambda: bv.date_range("k"),
        "typed": lambda: bv.text_input("k"),
        "kinds": lambda: bv.multiselect("k", table, column="kind"),
        "whole": lambda: bv.select("k", table, column="n"),
        "oks": lambda: bv.radio("k", table, column="ok"),
    }[kind]()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("kind in $k", "texts"), ("kind = $k", "text"), ("at >= $k", "days"), ("n in $k", "numbers"),
        ("x in $k", "numbers"), ("ok = $k", "truth"), ("ok = $k", "ticked"), ("n > $k", "slider"),
        ("n + $k > 3", "slider"),
        ("x between $k", "range"), ("at between $k", "dates"), ("kind = $k", "typed"), ("at >= $k", "typed"),
        ("took >= $k", "typed"), ("contains(kind, $k)", "typed"), ("kind in $k", "kinds"), ("n = $k", "whole"),
        ("ok = $k", "oks"), ("kind in ('z', $k)", "kinds"), ("not (n > 1 and kind in $k)", "texts"),
    ],
)  # fmt: skip
def test_what_goes_together_is_taken(text: str, kind: str):
    assert made(text, control(kind)).figures()[0].layers[0].filter == text
    assert made(text, control(kind), number=True).controls["count"].filter == text


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("n in $k", "texts", "$k is a multiselect and may be 'u'. n is a number: compare it with a number"),
        ("not (x > 1 or n in $k)", "texts", "compare it with a number"),
        ("n = $k", "text", "$k is a select and may be 'u'"),
        ("at >= $k", "text", "may be 'u'. at is a date or time"),
        ("at in $k", "some days", "may be 'soon'"),
        ("kind in $k", "numbers", "may be 1. kind is a text"),
        ("n = $k", "mixed", "may be 'all'"),
        ("kind = $k", "mixed", "may be 1"),
        ("n = $k", "truth", "may be False. n is a number"),
        ("kind = $k", "ticked", "$k is a checkbox and may be True"),
        ("kind > $k", "slider", "kind is a text"),
        ("at between $k", "range", "$k is a range and may be [0, 9]. at is a date or time"),
        ("x between $k", "dates", "$k is a date_range"),
        ("n = $k", "typed", "$k is a text and may be a text. n is a number"),
        ("n in $k", "kinds", "$k is a multiselect and may be a text. n is a number"),
        ("kind = $k", "whole", "may be 0. kind is a text"),
        ("n = $k", "oks", "$k is a radio and may be True"),
        ("lower($k) = kind", "slider", ""),
    ],
)
def test_what_does_not_is_refused_at_its_place(text: str, kind: str, words: str):
    for number in (False, True):
        with pytest.raises(BadInput) as error:
            made(text, control(kind), number=number)
        assert words in error.value.message
        assert error.value.field == "filter" and error.value.at is not None
        assert text[error.value.at] in "$nxk" and ("Control 'count'" if number else "Figure f0") in error.value.message


def test_several_controls_are_each_looked_at():
    """Those of one comparison too, of which another has no value at first."""
    texts, least = bv.multiselect("kinds", ["u", "v"]), bv.range_slider("least", 0, 9)
    assert made("kind in $kinds and x between $least", texts, least)
    with pytest.raises(BadInput, match=r"\$least is a range"):
        made("kind in $kinds and kind between $least", texts, least)
    one, word = bv.select("one", [1, 2]), bv.text_input("word")
    with pytest.raises(BadInput, match="compare it with"):
        made("$one = lower($word)", one, word)


def test_ends_in_the_wrong_order_are_refused_with_what_to_write():
    table = bv.open(TABLE, name="t")
    for wrong, words in (
        (bv.range_slider("span", 0, 9, value=(8, 2)), "in order, from 0 to 9, the lower one first, as [2, 8]"),
        (bv.date_range("span", value=("2024-02-01", "2024-01-01")), "earlier one first, as [2024-01-01, 2024-02-01]"),
    ):
        with pytest.raises(BadInput, match="Control 'span'") as error:
            bv.document(bv.row(bv.figure().points(table, "x", "n"), wrong))
        assert words in error.value.message and error.value.field == "controls.span.value"
