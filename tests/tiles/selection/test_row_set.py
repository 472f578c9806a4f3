"""Sets of row numbers against numpy's."""

from __future__ import annotations

import numpy as np
import pytest

from bigviz.tiles.selection.row_set import RowSet


@pytest.mark.parametrize("count", [0, 1, 100, 40_000])
def test_numbers_come_back_ascending(count: int):
    rng = np.random.default_rng(count)
    first, rows = 17, 3_000_001
    numbers = rng.choice(rows, count, replace=False) + first
    if count:
        numbers[0] = first + rows - 1
    numbers = np.unique(numbers)
    shuffled = rng.permutation(numbers)
    found = RowSet(first, rows)
    for part in np.array_split(shuffled, 3):
        found.add(part)
    assert found.count == len(numbers)
    assert found.nbytes <= min(rows // 8 + 1, 8 * max(len(numbers), 1)) or count == 40_000
    for size in (1_000, 1 << 20):
        batches = list(found.batches(size))
        assert all(len(each) <= size for each in batches)
        assert np.array_equal(np.concatenate([np.empty(0, np.int64), *batches]), numbers)
    start = first + rows // 3
    later = np.concatenate([np.empty(0, np.int64), *found.batches(500, start)])
    assert np.array_equal(later, numbers[numbers >= start])
    below = np.concatenate([np.empty(0, np.int64), *found.before(start).batches(1 << 20)])
    assert np.array_equal(below, numbers[numbers < start])
