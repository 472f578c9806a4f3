"""A hint changes no value, and none beyond an array does harm."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bigviz.aggregate.reductions.prefetch import prefetch
from bigviz.common.jit import jit


@jit
def add_ones(sums: Any, cells: Any, ahead: int) -> None:
    for k in range(cells.size):
        prefetch(sums, cells[k] + ahead)
        sums[cells[k]] += 1


@pytest.mark.parametrize("dtype", ["float64", "uint8"])
@pytest.mark.parametrize("ahead", [0, 1 << 40, -(1 << 40)])
def test_a_hint_changes_nothing(dtype: str, ahead: int) -> None:
    sums, cells = np.zeros(5, dtype), np.array([0, 4, 4, 2])
    add_ones(sums, cells, ahead)
    assert sums.tolist() == [1, 0, 1, 0, 2]
