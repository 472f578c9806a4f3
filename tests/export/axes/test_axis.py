"""Ticks, titles and numbers on axes: what the page's own modules make of the same spans."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bigviz.export.axes.axis import Axis, format_number
from bigviz.export.axes.span import as_kind, home_span, newest_span, span_of, whole_bins
from bigviz.tiles.bars.bin_edges import BinRule

from .golden_axes import CASES, axis_of


@pytest.mark.parametrize("case", CASES["ticks"], ids=lambda case: f"{case['flavour']} {case['start']} {case['end']}")
def test_ticks(case: dict[str, Any]) -> None:
    axis = axis_of(case["options"])
    shown = span_of(case["start"], case["end"], axis.exact)
    assert shown
    found = axis.ticks(shown, case["pixels"], case["spacing"])
    assert (axis.flavour, axis.title) == (case["flavour"], case["title"])
    assert [(t.label, t.context, t.minor) for t in found] == [tuple(each[1:]) for each in case["ticks"]]
    assert [t.fraction for t in found] == pytest.approx([each[0] for each in case["ticks"]], rel=1e-9, abs=1e-11)


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (1234, 6, "1,234"),
        (1234567, 4, "1.235M"),
        (12345678901234567890, 20, "12,345,678,901,234,567,890"),
        (-0.000001234, 3, "\u22121.23e-6"),
        (2.5, 1, "3"),
        (0.1 + 0.2, 15, "0.3"),
        (float("inf"), 4, "∞"),
        (float("nan"), 4, "\u2013"),
    ],
)
def test_numbers(value: float, digits: int, text: str) -> None:
    assert format_number(value, digits) == text


def test_a_label_without_a_visible_character_is_not_a_gap() -> None:
    axis = Axis("linear", "x", "kind", "category", labels=["", "bus", " \t"])
    assert [tick.label for tick in axis.ticks(home_span([(0, 2, True)], exact=True), 600, 100)] == [
        "(blank)",
        "bus",
        "(blank)",
    ]


def test_an_axis_without_a_column() -> None:
    axis = Axis("datetime", "x", label="when", unit="UT")
    assert (axis.flavour, axis.exact, axis.title) == ("stamp", True, "when (UT)")


def test_home_has_a_margin_and_shows_one_value_and_none() -> None:
    home = home_span([(0, 100, False), None, (-10, 50, False)], exact=True)
    assert (home.origin + home.lo, home.origin + home.hi) == pytest.approx((-12.2, 102.2))
    assert home_span([(3.0, 3.0, False)], exact=False).length == pytest.approx(1.04)
    assert home_span([(0, 3, True)], exact=True).length == pytest.approx(4 * 1.04)
    assert home_span([], exact=True) == span_of(0, 1, True)


def test_the_newest_part_ends_with_a_margin() -> None:
    newest = newest_span([(0, 100, False), None, (-10, 50, False)], exact=False, window=10)
    assert (newest.lo, newest.hi) == pytest.approx((90.2, 100.2))
    stamps = ("1700000000000000000", "1700000060000000000", False)
    newest = newest_span([stamps], exact=True, window=10e9)
    assert newest.length == 10e9 and newest.fraction(1_700_000_060_000_000_000, 0) == pytest.approx(0.98)
    none = newest_span([], exact=True, window=10)
    assert (none.origin + none.lo, none.origin + none.hi) == pytest.approx((-9.8, 0.2))


def test_nanoseconds_stay_apart_over_centuries() -> None:
    near = span_of("1700000000000000001", "1700000000000000004", True)
    assert near
    assert near.fraction(1_700_000_000_000_000_002, 0) == pytest.approx(1 / 3)
    assert as_kind(near, False).lo == 1.7e18


@pytest.mark.parametrize(("start", "end"), [("1", "1"), ("x", "2"), (2.0, 1.0), (float("nan"), 1.0)])
def test_no_span(start: Any, end: Any) -> None:
    assert span_of(start, end, False) is None


@pytest.mark.parametrize(("low", "high", "bins"), [(1, 11, 11), (7, 7, 50), (-3, 2, 5), (0, 50, 50), (0, 51, 50)])
def test_whole_bins_end_where_the_last_bin_of_a_histogram_does(low: int, high: int, bins: int) -> None:
    edges = BinRule(low, high, bins, np.dtype(np.int64)).edges(low, high)
    assert whole_bins(low, high, bins) == (edges.values[0], edges.values[-1])
