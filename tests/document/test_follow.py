"""Figures that follow the newest data: windows in Python and in JSON, and what does not go with them."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

import bigviz as bv
from bigviz.common.errors import BadInput
from bigviz.document.bind import bind
from bigviz.document.follow import Window, figure_follow
from bigviz.document.json import from_json
from bigviz.document.spec import FollowSpec

TICKS = {"time": np.array(["2026-05-01T12:00", "2026-05-01T12:01"], "datetime64[ms]"), "n": [0, 1], "price": [1.0, 2.0]}


@pytest.mark.parametrize(
    ("window", "length"),
    [
        ("60s", 60_000_000_000),
        (" 1.5 min ", 90_000_000_000),
        ("250ms", 250_000_000),
        ("2h", 7_200_000_000_000),
        ("7d", 604_800_000_000_000),
        ("1w", 604_800_000_000_000),
        (timedelta(microseconds=3), 3_000),
        (np.timedelta64(5, "s"), 5_000_000_000),
        (1_000, 1_000),
        (0.25, 0.25),
        (np.float32(0.5), 0.5),
    ],
)
def test_windows(window: Window, length: float) -> None:
    assert figure_follow(window) == FollowSpec(length)


@pytest.mark.parametrize(
    "window", ["60", "s", "-1s", "0s", "1 month", "", 0, -1, np.nan, np.inf, True, timedelta(0), timedelta(-1), [60]]
)
def test_what_is_no_window(window: Any) -> None:
    with pytest.raises(BadInput, match="follow: expected a number above 0"):
        bv.figure(follow=window)


def test_a_document_keeps_it_there_and_back() -> None:
    made = bv.document(bv.figure(title="Market", follow="60s").line(TICKS, x="time", y="price"))
    value = made.to_json()
    assert value["layout"]["follow"] == {"axis": "x", "window": 60_000_000_000}
    assert from_json(value) == made
    del value["layout"]["follow"]["axis"]
    assert from_json(value) == made
    plain = bv.document(bv.figure(title="Market").line(TICKS, x="time", y="price"))
    assert "follow" not in plain.to_json()["layout"]
    assert from_json({**value, "layout": {**value["layout"], "follow": None}}) == plain


@pytest.mark.parametrize(
    ("follow", "x", "wanted"),
    [("60s", "n", "no times, got a datetime axis.*a number in units"), (60, "time", "times, got a linear axis.*60s")],
)
@pytest.mark.parametrize("source", ["ticks", TICKS])
def test_a_length_of_time_is_for_an_axis_of_times_and_a_number_for_others(
    follow: Window, x: str, wanted: str, source: Any
) -> None:
    """Of a table that is here, and of a server's dataset, which is known once the document is published."""
    with pytest.raises(BadInput, match=wanted) as refused:
        made = bv.document(bv.figure(follow=follow).line(source, x=x, y="price"))
        bind(from_json(made.to_json()), {"ticks": bv.open(TICKS)})
    assert refused.value.field == "follow"


@pytest.mark.parametrize(("follow", "x"), [(timedelta(seconds=60), "time"), (60, "n"), (0.5, "price")])
def test_a_window_that_goes_with_its_axis_is_published(follow: Window, x: str) -> None:
    made = bv.document(bv.figure(follow=follow).line("ticks", x=x, y="price"))
    (figure,) = bind(from_json(made.to_json()), {"ticks": bv.open(TICKS)}).figures()
    assert figure.x_axis.kind == ("datetime" if x == "time" else "linear")


@pytest.mark.parametrize(("follow", "kind"), [("60s", "linear"), ("60s", "log"), (60, "datetime")])
def test_an_axis_type_that_does_not_go_with_a_window_is_refused(follow: Window, kind: Any) -> None:
    with pytest.raises(BadInput, match=f"its x axis is {kind}: give a") as refused:
        bv.document(bv.figure(follow=follow, x_axis_type=kind).line("ticks", x="time", y="price"))
    assert refused.value.field == "follow"
    bv.document(bv.figure(follow="1h", x_axis_type="datetime").line("ticks", x="time", y="price"))
    bv.document(bv.figure(follow=2, x_axis_type="log").line("ticks", x="n", y="price"))


@pytest.mark.parametrize("ends", [(0, 1), (None, 1), (0, None)])
def test_a_range_that_says_where_it_is_does_not_follow(ends: tuple[Any, Any]) -> None:
    with pytest.raises(BadInput, match="has no start and end"):
        bv.document(bv.figure(follow=5, x_range=ends).line(TICKS, x="n", y="price"))


def test_linked_figures_follow_in_one_window() -> None:
    first = bv.figure(follow=5).line(TICKS, x="n", y="price")
    second = bv.figure(x_range=first.x_range, follow=5).line(TICKS, x="n", y="price")
    value = bv.document(bv.column(first, second)).to_json()
    other = copy.deepcopy(value)
    other["layout"]["children"][1]["follow"]["window"] = 6
    with pytest.raises(BadInput, match="of two lengths, 5 and 6"):
        from_json(other)
    del other["layout"]["children"][1]["follow"]
    assert from_json(other).figures()[1].follow is None


def test_maps_do_not_follow() -> None:
    with pytest.raises(BadInput, match="axes of a map"):
        bv.document(bv.figure(follow=5, x_axis_type="mercator", y_axis_type="mercator").points("here", x="x", y="y"))
