"""Offsets from an integer, against Python's own integers."""

from __future__ import annotations

import numpy as np
import pytest

from bigviz.wire.offsets import middle, offsets


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
    assert middle(np.array([ends.min, ends.max], dtype)) == (int(ends.min) + int(ends.max)) // 2
    assert middle(np.array([], dtype)) == 0 and middle(np.array([7.5])) == 0
