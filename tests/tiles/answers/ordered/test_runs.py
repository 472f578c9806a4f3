"""Ranges of an order that lie close to each other, and parts of them."""

from __future__ import annotations

import numpy as np
import pytest

from bigviz.tiles.answers.ordered.runs import Runs
from bigviz.tiles.morton.quadtree import Ranges


def runs_of(*pairs: tuple[int, int]) -> Runs:
    low, high = np.array(pairs, np.int64).reshape(-1, 2).T
    return Runs.of(Ranges(low, high, np.ones(len(low), np.bool_)))


def pairs_of(runs: Runs) -> list[tuple[int, int]]:
    return list(zip(runs.low.tolist(), runs.high.tolist(), strict=True))


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([], []),
        ([(3, 9)], [(3, 9)]),
        ([(5_000, 5_010), (0, 10)], [(0, 10), (5_000, 5_010)]),
        ([(0, 10), (1_034, 1_040), (3_000, 3_001)], [(0, 1_040), (3_000, 3_001)]),
        ([(1_035, 1_040), (0, 10)], [(0, 10), (1_035, 1_040)]),
    ],
)
def test_close_ranges_are_read_as_one(pairs: list[tuple[int, int]], expected: list[tuple[int, int]]) -> None:
    assert pairs_of(runs_of(*pairs)) == expected


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_parts_hold_all_rows_in_their_order(count: int) -> None:
    runs = runs_of((0, 10), (5_000, 5_003), (9_000, 9_050))
    parts = runs.parts(count)
    assert len(parts) == count and {part.rows for part in parts} <= {63 // count, 63 // count + 1}
    rows = [row for part in parts for low, high in pairs_of(part) for row in range(low, high)]
    assert rows == [*range(10), *range(5_000, 5_003), *range(9_000, 9_050)]
