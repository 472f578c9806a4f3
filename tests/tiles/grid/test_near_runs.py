"""Runs of neighbouring row numbers."""

from __future__ import annotations

import numpy as np
import pytest

from bigviz.tiles.grid.near_runs import near_runs


@pytest.mark.parametrize(
    ("rows", "near", "runs"),
    [
        ([], 1, [[]]),
        ([7], 1, [[7]]),
        ([1, 2, 3, 5, 6], 1, [[1, 2, 3], [5, 6]]),
        ([1, 2, 3, 5, 6], 2, [[1, 2, 3, 5, 6]]),
        ([0, 10, 21, 31], 10, [[0, 10], [21, 31]]),
    ],
)
def test_cut_where_the_next_is_too_far(rows: list[int], near: int, runs: list[list[int]]) -> None:
    assert [run.tolist() for run in near_runs(np.array(rows, np.int64), near)] == runs
