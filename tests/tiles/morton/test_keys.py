"""Keys of rows and back: codes of both axes, interleaved, and the numbers that follow from them."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigviz.aggregate.dyadic_cells import Root, root_of
from bigviz.tiles.grid.batches import Batch
from bigviz.tiles.grid.interleave import compact
from bigviz.tiles.morton import keys as module
from bigviz.tiles.morton.keys import derived, encode

from ...examples import examples

DTYPES = [np.float32, np.float64, np.int64, np.uint64]


def some_numbers(rng: np.random.Generator, dtype: type) -> np.ndarray:
    """Finite numbers of one magnitude, or of few values, or with zeros of both signs among them."""
    if np.dtype(dtype).kind == "f":
        reach = 35 if dtype is np.float32 else 300
        numbers = rng.normal(size=200) * 10.0 ** rng.integers(-reach, reach) + float(rng.choice([0, 0, 3]))
        return np.where(rng.random(200) < 0.05, rng.choice([0.0, -0.0], 200), numbers).astype(dtype)
    info = np.iinfo(dtype)
    low = int(rng.integers(info.min, info.max, dtype=dtype))
    high = min(low + 2 ** int(rng.integers(0, 63)), int(info.max))
    return rng.integers(low, high, 200, dtype=dtype, endpoint=True)


@settings(max_examples=examples(40, fuzzed=100), deadline=None)
@given(st.sampled_from(DTYPES), st.sampled_from([0, 1]), st.integers(0, 2**32))
def test_numbers_follow_from_keys_but_for_the_exceptions(dtype: type, which: int, seed: int) -> None:
    values = some_numbers(np.random.default_rng(seed), dtype)
    root = root_of(values.min().item(), values.max().item())
    other = np.zeros(len(values), np.float32)
    batch = Batch(7, (values, None), (other, None)) if which == 0 else Batch(7, (other, None), (values, None))
    roots = (root, Root(0, 0)) if which == 0 else (Root(0, 0), root)
    keys, rows = np.empty(len(values), np.uint64), np.empty(len(values), np.uint32)
    found, far = encode(batch, roots, keys, rows)
    assert found == len(values) and len(far) == 0 and rows.tolist() == [*range(7, 7 + len(values))]
    codes = [int(compact(key >> np.uint64(which))) for key in keys]
    assert codes == [root.cell(value.item(), 32) for value in values]
    rule = derived(which, root, values.dtype)
    if rule is None:
        return
    numbers, exceptions = rule.numbers(keys), set(rule.exceptions(keys, values).tolist())
    assert numbers.dtype == values.dtype
    ends = np.array([3, 50, 120]), np.array([50, 51, 190])
    assert rule.numbers_within(keys, *ends).tobytes() == np.append(numbers[3:51], numbers[120:190]).tobytes()
    for k, value in enumerate(values):
        assert (k in exceptions) == (numbers[k].tobytes() != value.tobytes())
        on_edge = root.edge(32, codes[k]) == Fraction(value.item())
        negative_zero = values.dtype.kind == "f" and value == 0 and math.copysign(1.0, value) < 0
        if on_edge and not negative_zero:
            assert k not in exceptions
        if np.dtype(dtype).kind in "iu" and root.exponent <= 32:
            assert k not in exceptions


@pytest.mark.parametrize("part", [1, 7, 1 << 16])
def test_rows_in_no_cell_have_no_key_and_far_ones_are_named(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PART", part)
    x = np.array([0.25, np.nan, 5.0, 0.5, 0.75, -1.0])
    y = np.array([1, 1, 1, 9, 1, 1])
    valid = np.array([True, True, True, True, False, False])
    keys, rows = np.empty(6, np.uint64), np.empty(6, np.uint32)
    found, far = encode(Batch(100, (x, None), (y, valid)), (Root(0, 0), Root(0, 2)), keys, rows)
    assert found == 1 and rows[0] == 100 and int(compact(keys[0])) == 1 << 30
    assert far.tolist() == [102, 103] and far.dtype == np.int64


def test_no_rule_where_cells_cannot_be_counted_from_zero() -> None:
    assert derived(0, Root(1 << 40, 10), np.dtype(np.float64)) is None
    assert derived(0, Root(0, -1000), np.dtype(np.float64)) is None
    assert derived(0, Root(0, 70), np.dtype(np.int64)) is None
