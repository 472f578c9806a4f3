"""What is kept of numbers: exact counts and extremes of each bucket, in any order of adding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigviz.data.columns.magnitudes import Magnitudes

NUMBERS = {
    "int64": st.integers(-(2**63), 2**63 - 1) | st.integers(-40, 40),
    "uint64": st.integers(0, 2**64 - 1),
    "float64": st.floats(),
    "float32": st.floats(width=32),
}


@pytest.mark.parametrize("dtype", NUMBERS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_parts_add_up_to_the_whole(dtype: str, data: Any) -> None:
    parts = data.draw(st.lists(st.lists(NUMBERS[dtype], max_size=9), max_size=4))
    found = Magnitudes()
    for part in parts:
        found = found.merged(Magnitudes.of(np.array(part, dtype)))
    found = Magnitudes.read(*found.write())
    numbers = np.array([each for part in parts for each in part], dtype)
    numbers = np.sort(numbers[np.isfinite(numbers)])
    whole = Magnitudes.of(numbers)
    for name in ("keys", "counts", "low", "high"):
        assert np.array_equal(getattr(found, name), getattr(whole, name))
    assert found.rows == len(numbers) and (np.diff(found.keys) > 0).all()
    ends = np.cumsum(found.counts)
    assert np.array_equal(found.high, numbers[ends - 1])  # buckets follow each other as the numbers do
    assert np.array_equal(found.low, numbers[ends - found.counts])
    again = Magnitudes.of(*found.points)
    for name in ("keys", "counts", "low", "high"):
        assert np.array_equal(getattr(again, name), getattr(whole, name))


def test_large_integers_are_exact() -> None:
    found = Magnitudes.of(np.array([2**53 + 1, 2**53 + 3, -(2**63), 2**63 - 1], np.int64))
    assert (found.low.min(), found.high.max()) == (-(2**63), 2**63 - 1)
    assert found.low[found.keys == Magnitudes.of(np.array([2**53 + 2])).keys[0]] == 2**53 + 1
