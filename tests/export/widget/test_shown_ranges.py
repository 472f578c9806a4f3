"""What a page tells of its view, as numbers of a notebook."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import bigviz as bv
from bigviz.export.widget.shown_ranges import ranges_of

DOCUMENT = bv.document(bv.figure(id="one").points(pa.table({"x": [1.0], "y": [1.0]}), "x", "y"), id="d")


def ends(texts: list[str], kind: str, side: str = "x") -> tuple[object, object]:
    views = [{each: {"ends": texts, "is": kind} for each in ("x", "y")}]
    return ranges_of(DOCUMENT, views)["one"][side]


def test_numbers_and_categories():
    assert ends(["-1.5e300", "2"], "number") == (-1.5e300, 2.0)
    assert ends(["9007199254740993.25", "9007199254740995"], "whole") == (9007199254740993.25, 9007199254740995.0)
    assert ends(["0", "3"], "category") == (0.0, 3.0)


def test_times_are_whole_nanoseconds():
    low, high = ends(["1700000000000000001", "1700000000000000002.75"], "stamp")
    assert low == np.datetime64(1700000000000000001, "ns") and high == np.datetime64(1700000000000000003, "ns")
    assert ends(["0", "1000"], "duration") == (np.timedelta64(0, "ns"), np.timedelta64(1000, "ns"))
    assert ends(["-1e30", "1e30"], "stamp")[0] == np.datetime64(-(2**63) + 1, "ns"), "beyond is the first moment"


def test_log_axes_give_values_and_mercator_degrees():
    assert ends(["-2", "3"], "log") == pytest.approx((0.01, 1000.0), rel=1e-15)
    assert ends(["0", "0.75"], "degrees") == (-180.0, 90.0)
    assert ends(["0.5", "1"], "degrees", "y") == pytest.approx((0.0, 85.0511287798066), abs=1e-12)


def test_nothing_is_known_before_the_page_has_told():
    assert ranges_of(DOCUMENT, []) == {}
