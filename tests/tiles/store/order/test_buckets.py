"""Buckets of keys: in key order, small enough to be sorted, or of one key."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigviz.tiles.store.order import buckets as module
from bigviz.tiles.store.order.buckets import Level, find_buckets


def some_keys(seed: int) -> np.ndarray:
    """Keys with piles: prefixes of all lengths that many share, and single keys that many have."""
    rng = np.random.default_rng(seed)
    keys = rng.integers(0, 2**64, 500, dtype=np.uint64)
    for _ in range(int(rng.integers(0, 5))):
        low = int(rng.integers(0, 64))
        base = int(rng.integers(0, 2**64, dtype=np.uint64)) >> low << low
        pile = rng.integers(0, 2**low, int(rng.integers(1, 900)), dtype=np.uint64, endpoint=low == 0)
        keys = np.append(keys, pile | np.uint64(base))
    return rng.permutation(keys)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_buckets_are_runs_of_keys_that_can_be_sorted(seed: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "FULL", 64)
        patch.setattr(module, "HEAVY", 100)
        keys = some_keys(seed)

        def count(level: Level) -> np.ndarray:
            counts = level.zeros()
            level.count(keys, counts)
            return counts

        found = find_buckets(count)
        numbers, counts = np.empty(len(keys), np.uint32), np.zeros(len(found.rows), np.int64)
        found.place(keys, numbers, counts)
        assert np.array_equal(counts, found.rows) and found.starts[-1] == len(keys)
        assert np.array_equal(np.bincount(numbers, minlength=len(counts)), counts)
        order = np.argsort(keys, kind="stable")
        assert (np.diff(numbers[order].astype(np.int64)) >= 0).all()
        for bucket in np.flatnonzero(found.single):
            assert len(np.unique(keys[numbers == bucket])) == 1
        pairs = found.rows[:-1] + found.rows[1:]
        assert (pairs > 64).all()  # no two neighbours would fit into one


def test_no_keys_make_one_bucket() -> None:
    found = find_buckets(lambda level: level.zeros())
    assert found.rows.tolist() == [0] and found.starts.tolist() == [0, 0]
