"""Codes against exact fractions."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bigviz.aggregate.dyadic_cells import FAR, INSIDE, LIMIT, NOWHERE, Root, floor_log2, power_of_two, root_of

from ..examples import examples

COMMON = settings(max_examples=examples(100, fuzzed=300))

LARGEST = math.nextafter(LIMIT, 0.0)
SPECIAL = (0.0, -0.0, 5e-324, -5e-324, 2.0**-1022, 1.0, -1.0, 0.1, LARGEST, -LARGEST)
FLOATS = st.one_of(
    st.sampled_from(SPECIAL),
    st.floats(-LARGEST, LARGEST),
    st.floats(-1.0, 1.0),
    st.floats(1e6, 1e6 + 1.0),
    st.floats(-1e-300, 1e-300),
    st.integers(-64, 64).map(lambda k: k / 8),
)
INT64 = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(-20, 20), st.integers(2**62 - 9, 2**62 + 9))
UINT64 = st.one_of(st.integers(0, 2**64 - 1), st.integers(0, 40), st.integers(2**63 - 9, 2**63 + 9))


def oracle(root: Root, value: Any) -> int:
    """floor(v / 2^e) less the root's first cell, e = E - 32."""
    return math.floor(Fraction(value) / power_of_two(root.exponent - 32)) - root.multiple * 2**31


def check(root: Root, values: np.ndarray) -> None:
    codes = np.full(len(values), 7, np.uint32)
    where = root.codes(values, None, codes)
    upper = np.full(len(values), 7, np.uint16)
    np.testing.assert_array_equal(root.upper_codes(values, None, upper), where == INSIDE)
    np.testing.assert_array_equal(upper, codes >> 16)
    for value, code, place in zip(values.tolist(), codes.tolist(), where.tolist(), strict=True):
        if isinstance(value, float) and not abs(value) < LIMIT:
            assert (code, place) == (0, NOWHERE)
            continue
        expected = oracle(root, value)
        inside = 0 <= expected < 2**32
        assert (code, place) == ((expected, INSIDE) if inside else (0, FAR)), (value, root)


def with_neighbours(values: list[float], root: Root) -> list[float]:
    edges = [float(root.start), float(root.stop), float(root.edge(32, 1)), float(root.edge(5, 9))]
    near = [math.nextafter(v, end) for v in values + edges for end in (-math.inf, math.inf)]
    return values + edges + near + [math.nan, math.inf, -math.inf, LIMIT]


@COMMON
@given(st.lists(FLOATS, min_size=1, max_size=4), st.lists(FLOATS, max_size=6))
@example([1e-300, 3e-300], [1e300])
@example([-LARGEST, LARGEST], [5e-324, -5e-324])
@example([5e-324, 1e-323], [0.0])
def test_float64(own: list[float], others: list[float]) -> None:
    root = root_of(min(own), max(own))
    assert all(root.holds(value) for value in own)
    check(root, np.array(with_neighbours(own, root) + others))


@COMMON
@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=8))
def test_float32(values: list[float]) -> None:
    check(root_of(min(values), max(values)), np.array([*values, math.inf, math.nan], np.float32))


@COMMON
@given(st.lists(INT64, min_size=1, max_size=4), st.lists(INT64, max_size=6))
@example([-(2**63), 2**63 - 1], [0, -1])
def test_int64(own: list[int], others: list[int]) -> None:
    root = root_of(min(own), max(own))
    check(root, np.array(own + others + [-(2**63), 2**63 - 1], np.int64))


@COMMON
@given(st.lists(UINT64, min_size=1, max_size=4), st.lists(UINT64, max_size=6))
@example([0, 2**64 - 1], [2**63])
def test_uint64(own: list[int], others: list[int]) -> None:
    root = root_of(min(own), max(own))
    check(root, np.array(own + others + [0, 2**64 - 1], np.uint64))


@COMMON
@given(st.integers(-5, 5), st.integers(-40, 64), st.lists(INT64, max_size=6))
def test_integers_in_any_root(multiple: int, exponent: int, values: list[int]) -> None:
    check(Root(multiple, exponent), np.array([*values, 0, 1, -1, 2**62], np.int64))


@COMMON
@given(st.integers(-5, 5), st.integers(-1000, 1000), st.lists(FLOATS, max_size=6))
def test_floats_in_any_root(multiple: int, exponent: int, values: list[float]) -> None:
    root = Root(multiple, exponent)
    check(root, np.array(with_neighbours(values, root)))


def test_null_is_nowhere() -> None:
    valid = np.array([True, False])
    for dtype in (np.float32, np.float64, np.int64, np.uint64):
        codes = np.empty(2, np.uint32)
        where = Root(0, 2).codes(np.ones(2, dtype), valid, codes)
        assert where.tolist() == [INSIDE, NOWHERE] and codes.tolist() == [1 << 30, 0]


def test_read_only_and_writable_arrays_give_the_same() -> None:
    values = np.linspace(-1, 1, 9)
    codes = [np.empty(9, np.uint32) for _ in range(2)]
    Root(-1, 1).codes(values, None, codes[0])
    values.flags.writeable = False
    Root(-1, 1).codes(values, None, codes[1])
    assert np.array_equal(*codes)


def test_other_dtypes_are_refused() -> None:
    with pytest.raises(TypeError, match="got int32"):
        Root(0, 0).codes(np.zeros(1, np.int32), None, np.empty(1, np.uint32))
    with pytest.raises(ValueError, match=r"2\^65"):
        Root(0, 65).codes(np.zeros(1, np.int64), None, np.empty(1, np.uint32))


@COMMON
@given(st.lists(st.one_of(FLOATS, INT64), min_size=2, max_size=2, unique=True).map(sorted))
def test_root_is_the_smallest(pair: list[Any]) -> None:
    low, high = pair
    root = root_of(low, high)
    assert root.holds(low) and root.holds(high)
    half = power_of_two(root.exponent - 2)
    start = math.floor(Fraction(low) / half)
    assert not any(k * half <= low and high < (k + 2) * half for k in (start - 1, start))


@pytest.mark.parametrize(
    ("low", "high", "root"),
    [
        (None, None, Root(0, 0)),
        (0, 0, Root(0, 0)),
        (-0.0, 0.0, Root(0, 0)),
        (3, 3, Root(6, 0)),
        (-3.25, -3.25, Root(-7, 0)),
        (2.0**40, 2.0**40, Root(2**31, 10)),
        (0, 255, Root(0, 8)),
        (0, 256, Root(0, 9)),
        (-1, 1, Root(-1, 2)),
        (255, 256, Root(255, 1)),
        (-LARGEST, LARGEST, Root(-1, 1024)),
        (5e-324, 1e-323, Root(1, -1073)),
    ],
)
def test_roots(low: Any, high: Any, root: Root) -> None:
    assert root_of(low, high) == root


def test_low_above_high_is_refused() -> None:
    with pytest.raises(ValueError, match="low must not be above high"):
        root_of(2, 1)


@pytest.mark.parametrize(
    ("root", "text"),
    [
        (Root(-4, 3), "-16"),
        (Root(1, 0), "0.5"),
        (Root(3, 62), "6917529027641081856"),
        (Root(-1, 1024), "-8.98846567431158e+307"),
        (Root(1, -1073), "5e-324"),
    ],
)
def test_the_start_as_text_reads_back(root: Root, text: str) -> None:
    assert root.start_text == text
    assert Fraction(float(text)) == root.start


@COMMON
@given(st.integers(-9, 9), st.integers(-60, 60), st.integers(0, 32), FLOATS)
def test_edges_and_cells_agree(multiple: int, exponent: int, level: int, value: float) -> None:
    root = Root(multiple, exponent)
    index = root.cell(value, level)
    assert root.edge(level, index) <= Fraction(value) < root.edge(level, index + 1)
    assert root.holds(value) == (0 <= index < 2**level)


@COMMON
@given(st.fractions(min_value=Fraction(1, 10**400), max_value=10**400))
def test_floor_log2(value: Fraction) -> None:
    if value > 0:
        assert power_of_two(floor_log2(value)) <= value < power_of_two(floor_log2(value) + 1)
