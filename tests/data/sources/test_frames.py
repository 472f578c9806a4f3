"""Objects in memory: one column that Arrow cannot take does not shut out the others."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from bigviz.common.errors import BigvizError, NotFound, Unplottable
from bigviz.data.open import open as open_table

ODD: dict[str, Any] = {
    "mixed": ["a", 1],
    "complex": np.array([1j, 2j]),
    "complex objects": pd.Series([1j, 2], dtype=object),
    "labels of two types": pd.Categorical([1, "a"]),
    "lists and text": [[1], "a"],
    "huge": [2**70, 1],
    "long": np.array([1, 2], np.longdouble),
}
FINE: dict[str, Any] = {
    "sparse": pd.arrays.SparseArray([0.0, 1.0]),
    "sparse ints": pd.arrays.SparseArray([0, 7], fill_value=0),
    "swapped": np.array([1.5, 2.5], ">f8"),
    "swapped ints": np.array([3, -4], ">i4"),
    "nullable": pd.array([1, None], dtype="Int64"),
    "intervals": pd.interval_range(0, 2),
}


def test_pandas_columns_that_arrow_cannot_take() -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0], **ODD, **FINE, "y": [3, 4]})
    dataset = open_table(frame)
    assert dataset.schema.names == list(frame.columns) and dataset.num_rows == 2
    assert {info.name for info in dataset.columns() if not info.readable} == set(ODD)
    for name in ODD:
        for use in (dataset.column, dataset.info, lambda name: dataset.arrow([name])):
            with pytest.raises(
                Unplottable, match=rf"'{name}' of 'table' holds .*, which Arrow cannot take: .*'x'"
            ) as caught:
                use(name)
            assert "damaged" not in caught.value.message and "copy it" not in caught.value.message
        assert sum(note.startswith(f"Column '{name}' holds ") for note in dataset.notes) == 1
    for name in ("x", "y", "sparse", "sparse ints", "swapped", "swapped ints"):
        assert dataset.column(name).values.tolist() == frame[name].tolist()
    assert "complex128" in str(dataset.notes) and "object" in str(dataset.notes)


def test_the_index_of_a_frame_with_an_odd_column() -> None:
    index = pd.MultiIndex.from_arrays([[5, 6], ["a", "b"]], names=["n", None])
    dataset = open_table(pd.DataFrame({"c": [1j, 2j], "x": [1, 2]}, index=index))
    assert dataset.schema.names == ["c", "x", "n", "__index_level_1__"]
    assert dataset.column("n").values.tolist() == [5, 6]
    assert open_table(pd.DataFrame({"c": [1j, 2j], "x": [1, 2]})).schema.names == ["c", "x"]
    mixed = open_table(pd.DataFrame({"x": [1, 2]}, index=pd.Index([1, "a"], name="odd")))
    assert mixed.column("x").values.tolist() == [1, 2]
    with pytest.raises(Unplottable, match="'odd'"):
        mixed.column("odd")


def test_repeated_names_that_nobody_asks_for() -> None:
    frame = pd.DataFrame([[1, 2, 3]], columns=["a", "x", "a"])
    dataset = open_table(frame)
    assert dataset.column("x").values.tolist() == [2]
    with pytest.raises(Unplottable, match="several columns named 'a'"):
        dataset.column("a")


@pytest.mark.parametrize("odd", [False, True])
def test_names_that_are_no_text(odd: bool) -> None:
    labels: list[Any] = [0, "1", ("a", "mean"), np.int64(7), None, 2.5, pd.Timestamp("2024-01-01")]
    frame = pd.DataFrame([[float(at) for at in range(len(labels))]] * 2)
    frame.columns = pd.Index(labels, dtype=object)
    if odd:
        frame["odd"] = [1j, 2j]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dataset = open_table(frame)
    for at, label in enumerate(labels):
        for name in (label, str(label)):
            assert dataset.column(name).values.tolist() == [at, at]
            assert dataset.take(np.array([1]), [name])[str(label)].to_pylist() == [at]
    with pytest.raises(NotFound, match="no column '9'"):
        dataset.column(9)  # type: ignore[arg-type]
    wide = open_table(pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "x"), ("a", 1)])))
    assert wide.column(("a", 1)).values.tolist() == wide.column("('a', 1)").values.tolist() == [2]  # type: ignore[arg-type]
    assert frame.columns.tolist()[:4] == labels[:4]


def test_mappings() -> None:
    arrays = {**ODD, "plane": np.zeros((2, 2)), 3: [1, 2], ("a", 1): np.array([5, 6], ">i8"), "x": [1.5, 2.5]}
    dataset = open_table(arrays)
    assert dataset.schema.names == [*ODD, "plane", "3", "('a', 1)", "x"]
    assert dataset.column("x").values.tolist() == [1.5, 2.5]
    assert dataset.column(3).values.tolist() == [1, 2]  # type: ignore[arg-type]
    assert dataset.column(("a", 1)).values.tolist() == [5, 6]  # type: ignore[arg-type]
    with pytest.raises(Unplottable, match=r"'plane' .* float64 in 2 dimensions"):
        dataset.column("plane")
    with pytest.raises(BigvizError, match="differ in length: 'x' has 1, 'y' has 2"):
        open_table({"x": [1], "y": [1, 2]})


def test_polars_columns_that_arrow_cannot_take() -> None:
    """A polars stream holds the addresses of Python objects."""
    big = pl.Series([1, 2**100], dtype=pl.Int128)
    frame = pl.DataFrame({"x": [1.0, 2.0], "id": big, "o": pl.Series([{}, 1], dtype=pl.Object), "s": ["a", "b"]})
    for each in (frame, frame.drop("o"), frame.drop("id")):
        dataset = open_table(each)
        assert dataset.schema.names == each.columns
        assert dataset.column("x").values.tolist() == [1, 2] and dataset.column("s").categories == ("a", "b")
        for name, dtype in (("id", "Int128"), ("o", "Object")):
            if name in each.columns:
                with pytest.raises(Unplottable, match=f"'{name}' of 'table' holds {dtype}"):
                    dataset.column(name)
    with pytest.raises(BigvizError, match="The table cannot be read: column 'id' holds Int128") as caught:
        open_table(frame.select("id"))
    assert "damaged" not in caught.value.message


def test_a_table_with_a_column_that_does_not_hold_together() -> None:
    offsets = pa.py_buffer(np.array([0, 5, 2, 9], np.int32))
    odd = pa.Array.from_buffers(pa.string(), 3, [None, offsets, pa.py_buffer(b"abcdefghi")])
    dataset = open_table(pa.table({"x": [1.0, 2.0, 3.0], "odd": odd}))
    with pytest.raises(BigvizError, match="'odd'") as caught:
        dataset.column("odd")
    assert "damaged" not in caught.value.message and "copy it" not in caught.value.message
    assert dataset.column("x").values.tolist() == [1, 2, 3]
