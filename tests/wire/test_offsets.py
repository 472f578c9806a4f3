"""Offsets from an integer, against Python's own integers."""

from __future__ import annotations

import numpy as np
import pytest

from bigviz.wire.offsets import middle, offsets, positions


def test_offsets_never_wrap():
    values = np.array([-(2**63), -1, 0, 1, 2**63 - 1], np.int64)
    for origin in (-(2**63), 0, 2**63 - 1, 1_700_000_000_000_000_000):
        np.testing.assert_array_equal(offsets(values, origin), [float(int(v) - origin) for v in values])
    near = np.array([1_700_000_000_000_000_001, 1_700_000_000_000_000_003], np.int64)
    np.testing.assert_array_equal(offsets(near, 1_700_000_000_000_000_000), [1.0, 3.0])


def test_unsigned_numbers_and_floats():
    values = np.array([0, 1, 2**63, 2**64 - 1], np.uint64)
    for origin in (0, 2**63, 2**64 - 1):
        np.testing.assert_array_equal(offsets(values, origin), [float(int(v) - origin) for v in values])
    np.testing.assert_array_equal(offsets(np.array([1.5, np.nan]), 0), [1.5, np.nan])
    np.testing.assert_array_equal(offsets(np.array([-(2**15), 2**15 - 1], np.int16), 7), [-(2**15) - 7, 2**15 - 8])


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_the_middle_is_exact(dtype: type):
    ends = np.iinfo(dtype)
    assert middle(np.array([ends.max - 2, ends.max], dtype)) == ends.max - 1
    assert middle(np.array([ends.min, ends.max], dtype)) == (int(ends.min) + int(ends.max) + 1) // 2
    assert middle(np.array([], dtype)) == 0 and middle(np.array([7.5])) == 0


@pytest.mark.parametrize("dtype", [np.int64, np.uint64, np.int16])
def test_positions_are_exact_however_far_apart(dtype: type):
    ends = np.iinfo(dtype)
    for numbers in ([ends.min, ends.max], [ends.min, 7, ends.max - 1], [ends.max - 3, ends.max], [5]):
        values = np.array(numbers, dtype)
        for near in (None, 0, int(values[0])):
            origin, found = positions(values, near)
            assert [origin + int(offset) for offset in found.tolist()] == [int(value) for value in values]
            far = max(abs(int(value) - (middle(values) if near is None else near)) for value in values) >= 2**53
            assert found.dtype == (np.int64 if far else np.float64)


def test_positions_of_floats_are_the_floats():
    origin, found = positions(np.array([1e30, -0.5], np.float32), 12)
    assert origin == 0 and found.dtype == np.float64 and found[1] == -0.5
    assert positions(np.array([], np.int64), 12)[1].dtype == np.float64
