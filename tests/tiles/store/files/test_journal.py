"""Journals hold whole records, and digests do not depend on order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bigviz.tiles.store.files.journal import Journal
from bigviz.tiles.store.files.unordered_digest import digests


def test_records_come_back_and_one_cut_short_does_not(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    journal = Journal(path, 3)
    assert journal.records == []
    journal.append(1, np.array([2, 3]))
    journal.append(np.array([4, -5]), 6)
    back = Journal(path, 3).records
    assert [record.astype(np.int64).tolist() for record in back] == [[1, 2, 3], [4, -5, 6]]
    data = path.read_bytes()
    for size in range(len(data)):
        path.write_bytes(data[:size])
        assert len(Journal(path, 3).records) == size // 32
    path.write_bytes(data[:40] + b"\xff" + data[41:])
    cut = Journal(path, 3)
    assert len(cut.records) == 1
    cut.append(7, 8, 9)
    assert [record.tolist() for record in Journal(path, 3).records] == [[1, 2, 3], [7, 8, 9]]
    with pytest.raises(ValueError, match="3 words, got 2"):
        cut.append(1, 2)


@pytest.mark.parametrize("dtype", [np.uint64, np.float64, np.float32, np.int16, np.int8])
def test_a_digest_is_that_of_the_pairs(dtype: type) -> None:
    rng = np.random.default_rng(4)
    values, rows = rng.integers(0, 50, 1000).astype(dtype), rng.permutation(1000).astype(np.uint32)
    order = rng.permutation(1000)

    def digest(values: np.ndarray, rows: np.ndarray) -> int:
        return int(digests(values, rows, np.array([0, len(values)]))[0])

    whole = digest(values, rows)
    assert whole == digest(values[order], rows[order])
    runs = digests(values, rows, np.array([0, 300, 300, 1000]))
    assert whole == int(runs.sum()) and runs[1] == 0 and runs[0] == digest(values[:300], rows[:300])
    swapped = rows.copy()
    first, second = np.flatnonzero(values != values[0])[0], 0
    swapped[[first, second]] = rows[[second, first]]
    assert digest(values, swapped) != whole and digest(values[1:], rows[1:]) != whole
