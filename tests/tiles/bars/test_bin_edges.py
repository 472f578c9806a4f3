"""The edges of bins: numpy's where all of the range is shown, nested below, whole numbers on axes of whole numbers."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bigviz.tiles.bars.bin_edges import BinRule

FLOAT, INT, UINT = np.dtype(np.float64), np.dtype(np.int64), np.dtype(np.uint64)
finite = st.floats(-1e300, 1e300)


@given(finite, finite, st.integers(1, 300))
def test_all_of_the_range_has_the_edges_of_numpy(low: float, high: float, count: int) -> None:
    assume(high - low > 1e3 * count * np.spacing(max(abs(low), abs(high))))
    found = BinRule(low, high, count, FLOAT).edges(low, high)
    np.testing.assert_array_equal(found.values, np.linspace(low, high, count + 1))
    assert found.closed and found.first == 0


@settings(max_examples=60)
@given(st.data(), st.integers(1, 60), st.integers(0, 12))
def test_bins_of_a_level_are_halves_of_those_before(data: st.DataObject, count: int, level: int) -> None:
    low = data.draw(st.floats(-1e6, 1e6))
    rule = BinRule(low, low + data.draw(st.floats(1e-3, 1e6)), count, FLOAT)
    width = (rule.high - rule.low) / 2**level
    window = (rule.low, rule.low + width)
    coarse = rule.edges(*window)
    fine = rule.edges(window[0], window[0] + width / 2)
    deeper = rule.level(window[0], window[0] + width / 2) - rule.level(*window)
    shared = fine.values[:: 2**deeper]
    np.testing.assert_array_equal(shared, coarse.values[: len(shared)])


@given(st.integers(-(2**63), 2**63 - 1), st.integers(0, 2**63), st.integers(1, 80))
def test_whole_numbers_are_divided_at_whole_numbers_exactly(low: int, span: int, count: int) -> None:
    high = min(low + span, 2**63 - 1)
    span = high - low
    found = BinRule(low, high, count, INT).edges(low, high)
    edges = [int(edge) for edge in found.values]
    if count >= span:
        assert edges == [min(edge, 2**63 - 1) for edge in range(low, high + 2)]
        return
    exact = [low + Fraction(span * j, count) for j in range(count + 1)]
    assert len(edges) == count + 1 and all(edge - 1 < want <= edge for edge, want in zip(edges, exact, strict=True))


def test_bins_are_halved_until_each_whole_number_has_its_own() -> None:
    rule = BinRule(0, 1000, 10, INT)
    assert [rule.level(0, width) for width in (1000, 501, 500, 250, 10, 1)] == [0, 0, 1, 2, 6, 7]
    assert rule.edges(500, 504).values.tolist() == [500, 501, 502, 503, 504, 505]
    assert rule.edges(998, 2000).values.tolist() == [900, 1000]


@pytest.mark.parametrize("value", [0.0, 3.5, -1e300, 2.0**52])
def test_one_value_has_bins_around_it(value: float) -> None:
    found = BinRule(value, value, 4, FLOAT).edges(value - abs(value) - 1, value + abs(value) + 1)
    assert len(found) == 4 and found.values[0] < value < found.values[-1] and found.closed
    whole = BinRule(7, 7, 4, UINT).edges(0, 9)
    assert whole.values.tolist() == [7, 8] and whole.values.dtype == UINT


def test_a_window_beside_the_range_has_no_bins() -> None:
    for rule in (BinRule(0.0, 1.0, 5, FLOAT), BinRule(0, 100, 5, INT)):
        assert len(rule.edges(-9, -8)) == 0 and len(rule.edges(1000, 1001)) == 0


def test_floats_are_not_divided_beyond_their_spacing() -> None:
    rule = BinRule(1e9, 1e9 + 1e-3, 16, FLOAT)
    found = rule.edges(1e9 + 5e-4, 1e9 + 5.00001e-4)
    assert len(found) and (np.diff(found.values) > 0).all()
