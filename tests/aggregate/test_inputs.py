"""Which columns a reduction may read."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from bigviz.aggregate.inputs import check, load
from bigviz.aggregate.reductions.parse import parse
from bigviz.common.errors import BadInput, NotFound, Unplottable
from bigviz.data.open import open as open_source

TABLE = pa.table(
    {
        "n": pa.array([1, None, 3], pa.int16()),
        "t": pa.array([1, 2, 3], pa.timestamp("s")),
        "d": pa.array([1, 2, 3], pa.duration("s")),
        "k": pa.array(["b", "a", None]),
        "l": pa.array([[1], [2], [3]]),
    }
)


@pytest.mark.parametrize(
    "text",
    [
        "count",
        "any",
        "count(k)",
        "any(t)",
        "sum(n)",
        "sum(d)",
        "mean(n)",
        "mean(t)",
        "min(t)",
        "last(t)",
        "by(k)",
        "by(n)",
        "by(k, max(t))",
    ],
)
def test_what_fits_passes(text: str) -> None:
    check(open_source(TABLE), parse(text))


@pytest.mark.parametrize(
    ("text", "error", "problem"),
    [
        ("mean(k)", BadInput, "mean needs numbers or times; 'k' holds text"),
        ("sum(t)", BadInput, r"sum needs numbers or durations; 't' holds timestamp\[s\]: mean\(t\) is a time"),
        ("first(k)", BadInput, "first needs numbers"),
        ("by(t)", BadInput, "by needs a column of labels, integers or booleans; 't' holds timestamp"),
        ("by(k, mean(k))", BadInput, "mean needs numbers"),
        ("mean(m)", NotFound, "'m'"),
        ("mean(l)", Unplottable, "'l'"),
    ],
)
def test_what_does_not_fit_is_named(text: str, error: type[Exception], problem: str) -> None:
    with pytest.raises(error, match=problem):
        load(open_source(TABLE), parse(text))


def test_rows_come_widened_with_their_masks() -> None:
    dataset = open_source(TABLE)
    read = load(dataset, parse("by(k, sum(n))"))
    assert read.categories == 2 and read.dtype == np.int64
    rows = read.rows(0, 3, ordered=True)
    assert rows.values is not None and rows.valid is not None and rows.codes is not None and rows.numbers is not None
    assert rows.values.dtype == np.int64 and rows.valid.tolist() == [True, False, True]
    assert rows.codes.tolist() == [1, 0, -1] and rows.numbers.tolist() == [0, 1, 2]
    some = read.at(np.array([2, 0]), ordered=False)
    assert some.values is not None and some.codes is not None and some.numbers is None
    assert some.values.tolist() == [3, 1] and some.codes.tolist() == [-1, 1]
