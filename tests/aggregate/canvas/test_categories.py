"""The categories of `by`: their labels, in which order, and rows without one."""

from __future__ import annotations

import datashader as ds
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from bigviz.aggregate.canvas.canvas import Canvas

from .against_datashader import datashaders, identical, named


def test_rows_without_a_label_are_in_no_plane() -> None:
    table = pa.table({"x": [0.0, 1.0], "y": [0.0, 1.0], "k": pa.array(["a", None])})
    assert Canvas(2, 2).points(table, "x", "y", "by(k)").values[..., 0].tolist() == [[1, 0], [0, 0]]


@pytest.mark.parametrize("agg", ["by({})", "by({}, mean(v))", "by({}, count(v))"])
def test_integers_and_booleans_are_categories_in_the_order_of_their_values(agg: str) -> None:
    """As those of the same values as text, which here sort alike."""
    rng = np.random.default_rng(17)
    numbers, flags = rng.integers(2, 9, 500), rng.random(500) < 0.5
    table = pa.table({
        "x": rng.random(500), "y": rng.random(500), "v": rng.normal(size=500),
        "n": pa.array(numbers.astype(np.uint16), mask=numbers == 5), "flag": flags,
        "n text": pa.array(numbers.astype(str), mask=numbers == 5), "flag text": flags.astype(str),
    })  # fmt: skip
    canvas = Canvas(5, 4)
    for name, labels in (("n", ["2", "3", "4", "6", "7", "8"]), ("flag", ["False", "True"])):
        image = canvas.points(table, "x", "y", agg.format(name))
        assert image.dims == ("y", "x", name) and image.coords[name].values.tolist() == labels
        want = canvas.points(table, "x", "y", agg.format(f"{name} text"))
        np.testing.assert_array_equal(image.values, want.values)


@pytest.mark.parametrize(
    "kinds",
    [pd.Categorical(["b", "a", None, "b"], ["c", "b", "a"], ordered=True), pd.Categorical([3, 1, 3, 1], [3, 2, 1])],
)
def test_declared_categories_keep_their_order_and_kind(kinds: pd.Categorical) -> None:
    frame = pd.DataFrame({"x": [0.0, 1.0, 1.0, 0.0], "y": [0.0, 0.0, 1.0, 1.0], "v": [1.0, 2.0, 3.0, 4.0], "k": kinds})
    frame = frame[frame["k"].notna()]
    for name in ("by count", "by max"):
        with datashaders(frame) as theirs:
            expected = theirs.Canvas(2, 2).points(frame, "x", "y", named(theirs, name))
        identical(expected, Canvas(2, 2).points(frame, "x", "y", named(ds, name)))
    if kinds.ordered:
        by = Canvas(2, 2).points(pa.Table.from_pandas(frame), "x", "y", "by(k)")
        with datashaders(frame) as theirs:
            identical(theirs.Canvas(2, 2).points(frame, "x", "y", theirs.by("k")), by)


def test_categoricals_are_read_where_more_than_their_codes_is_asked_for():
    frame = pd.DataFrame({"x": [0.0, 1, 2], "y": [0.0, 1, 2], "k": pd.Categorical(["a", "b", None])})
    wanted = {("count(k)", ""): 2, ("any(k)", ""): 2, ("count", "k = 'a'"): 1, ("count", "k is null"): 1,
              ("by(k)", "k = 'b'"): 1, ("by(k, count(k))", ""): 2}  # fmt: skip
    for (agg, kept), rows in wanted.items():
        image = Canvas(3, 3).points(frame, "x", "y", agg, filter=kept)
        assert image.values.sum() == rows, (agg, kept)
        if "by" in agg:
            assert image.coords["k"].values.tolist() == ["a", "b"]
