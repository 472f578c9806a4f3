"""Bins of one side: the affine map, and exact edges where integers are too large for it."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from bigviz.aggregate.glyphs.bins import Bins
from bigviz.common.errors import BadInput

COMMON = settings(max_examples=100)
STAMP = 1_700_000_000_000_000_000
STAMPS = st.one_of(st.integers(STAMP, STAMP + 40), st.integers(-(2**63), 2**63 - 1))
WORDS = st.one_of(st.integers(2**63, 2**63 + 40), st.integers(0, 2**64 - 1))


def placed(bins: Bins, values: np.ndarray, valid: np.ndarray | None = None) -> list[int]:
    out = np.full(len(values), 99, np.int32)
    bins.place(values, valid, out)
    return out.tolist()  # type: ignore[no-any-return]


def exact(bins: Bins, value: int) -> int:
    if not bins.low <= value <= bins.high:
        return -1
    low, high = Fraction(bins.low), Fraction(bins.high)
    return min(math.floor((value - low) * bins.size / (high - low)), bins.size - 1)


@COMMON
@given(st.lists(STAMPS, min_size=2, max_size=9, unique=True), st.integers(1, 300))
@example([-(2**63), 2**63 - 1, 0], 7)
@example([STAMP, STAMP + 1], 300)
def test_stamps_are_placed_exactly(values: list[int], size: int) -> None:
    bins = Bins(*sorted(values[:2]), size)
    if bins.exact(np.dtype(np.int64)):
        assert placed(bins, np.array(values)) == [exact(bins, value) for value in values]


@COMMON
@given(st.lists(WORDS, min_size=2, max_size=9, unique=True), st.integers(1, 300))
@example([0, 2**64 - 1, 2**63], 3)
def test_uint64_is_placed_exactly(values: list[int], size: int) -> None:
    bins = Bins(*sorted(values[:2]), size)
    if bins.exact(np.dtype(np.uint64)):
        assert placed(bins, np.array(values, np.uint64)) == [exact(bins, value) for value in values]


@COMMON
@given(st.lists(STAMPS, min_size=1, max_size=6), st.floats(-1e19, 1e19), st.floats(1e3, 1e19), st.integers(1, 50))
def test_windows_of_floats_over_integers(values: list[int], low: float, span: float, size: int) -> None:
    """Ends between or far beyond the integers."""
    assume(low + span > low and max(abs(low), abs(low + span)) >= 2**53)
    bins = Bins(low, low + span, size)
    assert placed(bins, np.array(values)) == [exact(bins, value) for value in values]
    words = [value + 2**63 for value in values]
    assert placed(bins, np.array(words, np.uint64)) == [exact(bins, value) for value in words]


@COMMON
@given(
    st.lists(st.floats(-10, 10), min_size=1, max_size=12),
    st.floats(-9, 9),
    st.floats(1e-3, 20),
    st.integers(1, 50),
    st.sampled_from([np.float64, np.float32, np.int64]),
)
def test_affine_map(values: list[float], low: float, span: float, size: int, dtype: Any) -> None:
    bins = Bins(low, low + span, size)
    numbers = np.array([*values, low, low + span, 0.0, -0.0]).astype(dtype)
    expected = [
        min(max(int(v * bins.scale + bins.shift), 0), size - 1) if low <= v <= low + span else -1
        for v in numbers.astype(np.float64).tolist()
    ]
    assert placed(bins, numbers) == expected


def test_what_is_not_a_number_has_no_bin() -> None:
    values = np.array([math.nan, math.inf, -math.inf, 0.5])
    assert placed(Bins(0.0, 1.0, 4), values) == [-1, -1, -1, 2]
    assert placed(Bins(0, 4, 4), np.array([1, 2]), np.array([False, True])) == [-1, 2]
    assert placed(Bins(STAMP, STAMP + 4, 4), np.array([STAMP, STAMP]), np.array([False, True])) == [-1, 0]


def test_the_second_side_counts_rows() -> None:
    out = np.array([2, -1, 0, 1], np.int32)
    Bins(0.0, 3.0, 3).place(np.array([2.5, 2.5, 9.0, 0.0]), None, out, stride=5)
    assert out.tolist() == [12, -1, -1, 1]
    out = np.array([2, -1], np.int32)
    Bins(STAMP, STAMP + 3, 3).place(np.array([STAMP + 2, STAMP]), None, out, stride=5)
    assert out.tolist() == [12, -1]


def test_log() -> None:
    bins = Bins(1, 1000, 3, log=True)
    assert placed(bins, np.array([0.5, 1.0, 9.9, 10.0, 100.0, 1000.0, -1.0])) == [-1, 0, 0, 1, 2, 2, -1]
    assert np.allclose(bins.centres(), 10 ** np.array([0.5, 1.5, 2.5]))
    assert placed(Bins(1, 2**60, 60, log=True), np.array([2**59 + 1, 1])) == [59, 0]


def test_centres() -> None:
    assert Bins(-1, 1, 4).centres().tolist() == [-0.75, -0.25, 0.25, 0.75]


@pytest.mark.parametrize(
    ("low", "high", "size", "log", "problem"),
    [
        (0.0, math.nan, 4, False, "two finite numbers"),
        (-math.inf, 0.0, 4, False, "two finite numbers"),
        (1.0, 0.0, 4, False, "must ascend"),
        (1.0, 1.0, 4, False, "must ascend"),
        (0.0, 5e-324, 4, False, "too narrow or too wide"),
        (-1.7e308, 1.7e308, 4, False, "too narrow or too wide"),
        (0.0, 1.0, 4, True, "must be >0 for logarithmic axes"),
        (1.0, math.nextafter(1.0, 2.0), 4, True, None),
        (0.0, 1.0, 0, False, "1 to 16777216 cells a side, got 0"),
        (0.0, 1.0, 10**9, False, "1 to 16777216 cells a side"),
    ],
)
def test_bad_windows(low: float, high: float, size: int, log: bool, problem: str | None) -> None:
    if problem is None:
        assert Bins(low, high, size, log).size == size
        return
    with pytest.raises(BadInput, match=problem) as caught:
        Bins(low, high, size, log, "y_range")
    assert caught.value.field == "y_range"
