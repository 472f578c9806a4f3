"""The ends of columns, beside what numpy finds."""

from __future__ import annotations

import numpy as np
import pytest

from bigviz.aggregate.canvas.axes import ends
from bigviz.aggregate.inputs import Numbers


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(
    "special", [[], [np.nan], [-np.nan], [np.inf, -np.inf], [np.inf, -np.nan], [np.nan] * 1_000, [-0.0]]
)
def test_ends_of_floats_are_those_of_all_but_nan(dtype: str, special: list[float]) -> None:
    rng = np.random.default_rng(4)
    values = rng.normal(size=1_000).astype(dtype)
    values[rng.permutation(1_000)[: len(special)]] = special
    for column in (values, np.abs(values), -np.abs(values)):
        some = column[~np.isnan(column)]
        expected = (float(some.min()), float(some.max())) if len(some) else None
        assert ends([Numbers(column)], 2) == [expected]


def test_ends_of_several_columns() -> None:
    columns = np.array([5, 2, 9]), np.array([], np.float32), np.array([0.5, 7, np.nan, 2])
    valid = np.array([True, False, True])
    assert ends([Numbers(columns[0], valid), *map(Numbers, columns[1:])], 3) == [(5, 9), None, (0.5, 7.0)]
