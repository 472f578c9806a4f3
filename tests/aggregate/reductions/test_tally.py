"""Tallies against the planes of their reductions, bit for bit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bigviz.aggregate.reductions.base import Rows
from bigviz.aggregate.reductions.parse import parse
from bigviz.aggregate.reductions.tally import tally
from bigviz.common.errors import TooLarge

from ...examples import examples

SHAPE = (2, 3)
ODD = [0.0, -0.0, math.nan, math.inf, -math.inf, 1.5, -2.25]
TEXTS = [
    "count", "count(v)", "any", "any(v)", "sum(v)", "mean(v)", "min(v)", "max(v)", "first(v)", "last(v)", "by(k)",
    "by(k, mean(v))", "by(k, max(v))", "by(k, last(v))", "by(k, any(v))",
]  # fmt: skip


def batches(data: st.DataObject, dtype: str) -> list[tuple[np.ndarray, Rows]]:
    found, first = [], 0
    for size in data.draw(st.lists(st.integers(0, 40), min_size=1, max_size=4)):
        if np.dtype(dtype).kind == "f":
            elements: Any = st.sampled_from(ODD)
        else:
            elements = st.integers(0, 2**40) | st.sampled_from([0, np.iinfo(dtype).max])
        valid = data.draw(st.none() | arrays(np.bool_, size))
        codes = data.draw(arrays(np.int32, size, elements=st.integers(-1, 2)))
        values = data.draw(arrays(dtype, size, elements=elements))
        cells = data.draw(arrays(np.int32, size, elements=st.integers(-1, 5)))
        found.append((cells, Rows(values, valid, np.arange(first, first + size), codes)))
        first += size
    return found


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint64"])
@settings(max_examples=examples(8, fuzzed=30))
@given(data=st.data())
def test_tallies_hold_what_the_planes_hold(text: str, dtype: str, data: st.DataObject) -> None:
    reduction = parse(text)
    accumulator = reduction.accumulator(np.empty(0, dtype))
    planes = reduction.create(SHAPE, accumulator, 2)
    tallied = tally(reduction, SHAPE, accumulator, 2, dtype == "float32")
    for cells, rows in batches(data, dtype):
        reduction.append(planes, cells, rows)
        tallied.add(np.where(cells < 0, np.int32(tallied.outside), cells), rows)
    expected, got = reduction.finalize(planes), reduction.finalize(tallied.planes())
    assert got.values.dtype == expected.values.dtype and got.values.shape == expected.values.shape
    assert np.array_equal(got.filled, expected.filled)
    ours, theirs = (np.where(expected.filled, each.values, 0) for each in (got, expected))
    assert np.array_equal(ours, theirs, equal_nan=expected.values.dtype.kind == "f")
    if expected.values.dtype.kind == "f":
        assert np.array_equal(np.signbit(ours) & (ours == 0), np.signbit(theirs) & (theirs == 0))


@pytest.mark.parametrize("rows", [0, 1, 255, 256, 257, 1_000])
def test_counts_beyond_a_byte(rows: int) -> None:
    tallied = tally(parse("count"), (1, 2), np.dtype(np.uint32), 0)
    tallied.add(np.ones(rows, np.int32), Rows())
    (counts,) = tallied.planes()
    assert counts.tolist() == [[0, rows]] and counts.dtype == np.uint32


def test_planes_of_all_categories_have_a_limit() -> None:
    with pytest.raises(TooLarge, match="those of all categories together"):
        tally(parse("by(k)"), (1 << 12, 1 << 12), np.dtype(np.uint32), 64)
