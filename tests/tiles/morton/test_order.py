import gc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigviz.aggregate.axis import Axis
from bigviz.common.errors import TooLarge
from bigviz.common.workers import Crew
from bigviz.tiles.grid.interleave import compact, spread
from bigviz.tiles.morton import order as order_module
from bigviz.tiles.morton.order import build_order

MakeAxis = Callable[..., Axis]
CREW = Crew(2)


def plain_key(x: int, y: int) -> int:
    """Bit k of x at 2 k, bit k of y at 2 k + 1."""
    return sum((x >> k & 1) << 2 * k | (y >> k & 1) << 2 * k + 1 for k in range(32))


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_bits_are_spread_and_brought_back(code: int) -> None:
    word = spread(np.uint64(code))
    assert int(word) == plain_key(code, 0)
    assert int(compact(word)) == int(compact(word | np.uint64(0xAAAAAAAAAAAAAAAA))) == code


def columns(seed: int, size: int) -> list[tuple[Any, Any]]:
    rng = np.random.default_rng(seed)
    floats = rng.normal(size=size)
    floats[rng.random(size) < 0.1] = rng.choice([np.nan, np.inf, -np.inf, 0.0, -0.0])
    stamps = pa.array(rng.integers(1, 2**60, size), pa.timestamp("ns"), mask=rng.random(size) < 0.1)
    return [
        (floats, floats[::-1].astype(np.float32)),
        (rng.integers(0, 3, size).astype(np.int8), np.full(size, 7, np.uint16)),
        (rng.integers(-(2**62), 2**62, size), rng.integers(0, 2**64, size, dtype=np.uint64)),
        (stamps, pa.array([f"label {k % 5}" for k in range(size)])),
    ]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0, 1, 2, 100, 1000]), st.booleans())
def test_rows_are_sorted_by_the_cells_of_their_numbers(axis: MakeAxis, seed: int, size: int, far: bool) -> None:
    for x_values, y_values in columns(seed, size):
        x, y = axis(x_values), axis(y_values, side="y")
        order = build_order(x, y, far, CREW)
        expected = []
        for row in range(size):
            numbers = []
            for each, root in ((x, order.survey.x), (y, order.survey.y)):
                values, valid = each.slice(row, row + 1)
                value = values[0].item()
                if np.isfinite(value) and (valid is None or valid[0]) and root.holds(value):
                    numbers.append(root.cell(value, 32))
            if len(numbers) == 2:
                expected.append((plain_key(*numbers), row))
        expected.sort()
        assert list(zip(order.keys.tolist(), order.rows.tolist(), strict=True)) == expected
        assert order.survey.inside == len(expected)
        assert order.survey.inside + order.survey.outside + order.survey.far == size


def test_far_rows_have_no_key_and_are_named(axis: MakeAxis) -> None:
    x = np.arange(5000.0)
    x[[7, 4000]] = 1e30, -1e30
    y = np.ones(5000)
    y[9] = np.nan
    order = build_order(axis(x), axis(y), True, CREW)
    assert order.far.tolist() == [7, 4000]
    assert len(order.rows) == 4997 and not {7, 9, 4000} & set(order.rows.tolist())
    full = build_order(axis(x), axis(y), False, CREW)
    assert len(full.far) == 0 and len(full.rows) == 4999


def test_columns_follow_the_order_and_live_as_long_as_they_are_used(axis: MakeAxis) -> None:
    rng = np.random.default_rng(3)
    order = build_order(axis(rng.normal(size=4000)), axis(rng.normal(size=4000)), True, CREW)
    values = np.arange(4000, dtype=np.int16)
    gathered = order.gather("v", values, CREW)
    assert gathered.array.dtype == np.int16 and (gathered.array == values[order.rows]).all()
    assert order.gather("v", values, CREW) is gathered
    seen = weakref.ref(gathered)
    del gathered
    gc.collect()
    assert seen() is None and order.nbytes == 4000 * 12


def test_row_numbers_must_fit(axis: MakeAxis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_module, "MOST_ROWS", 10)
    with pytest.raises(TooLarge, match="fewer than 10 rows"):
        build_order(axis(np.arange(10.0)), axis(np.arange(10.0)), True, CREW)
