"""What a script appends, under the schema of its stream: nothing is lost on the way, and what does not fit is told."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from bigviz.client.rows import fitted, fitted_patch, stream_schema, table_of
from bigviz.common.errors import BadInput

NOON = datetime(2026, 5, 1, 12)
FINER = NOON.replace(microsecond=123_456)


def column(values: object, kind: object) -> list[object]:
    return fitted({"c": values}, stream_schema({"c": kind})).column("c").to_pylist()


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([1, 2.0, None], "int64", [1, 2, None]),
        ([1, 2], "float64", [1.0, 2.0]),
        ([2**63], "uint64", [2**63]),
        ((each for each in [1, 2]), "int32", [1, 2]),
        ([], "timestamp[ms]", []),
        ([NOON, NOON.replace(tzinfo=UTC)], "timestamp[ms]", [NOON, NOON]),
        ([1_777_636_800_000], "timestamp[ms]", [NOON]),
        (["2026-05-01T12:00:00"], "timestamp[ms]", [NOON]),
        ([np.datetime64("2026-05-01T12", "ns")], "timestamp[ms]", [NOON]),
        ([np.datetime64("2026-05-01")], "timestamp[ms]", [NOON.replace(hour=0)]),
        (np.array(["2026-05-01T12"], "datetime64[h]"), "timestamp[ms]", [NOON]),
        ([18_000, None], "date32", [date(2019, 4, 14), None]),
        (pd.Series([1, 2]), "int64", [1, 2]),
        (pl.Series([1, 2]), "int64", [1, 2]),
        (pa.chunked_array([[1], [2]]), "float64", [1.0, 2.0]),
        (["a"], pa.dictionary(pa.int8(), pa.string()), ["a"]),
    ],
)
def test_values_in_the_type_of_their_column(values, kind, expected):
    assert column(values, kind) == expected


@pytest.mark.parametrize(
    ("values", "kind", "told"),
    [
        ([1.5], "int64", "truncated"),
        (np.array([1.5]), "int64", "truncated"),
        ([1_777_636_800.5], "timestamp[ms]", "got floats: give datetimes"),
        ([FINER], "timestamp[ms]", "Round it, or make the stream with a finer type"),
        ([np.datetime64(FINER)], "timestamp[ms]", "Round it"),
        (pd.Series([FINER]), "timestamp[ms]", "Round it"),
        (["one"], "float64", "Could not convert 'one'"),
        (NOON, "timestamp[ms]", "give a list"),
        ("abc", "string", "give a list"),
        ([300], "int8", "not in range"),
    ],
)
def test_a_value_that_its_column_does_not_hold_is_told_with_its_column(values, kind, told):
    with pytest.raises(BadInput, match=rf"^Column 'c' is .*{told}"):
        column(values, kind)
    if hasattr(values, "__len__") and not isinstance(values, str):
        with pytest.raises(BadInput, match=r"^Column 'c' is"):
            fitted(pa.table({"c": values}), stream_schema({"c": kind}))
        with pytest.raises(BadInput, match=r"^Column 'c' is"):
            fitted_patch(pa.table({"_row": [0], "c": values}), stream_schema({"c": kind}), None)


def test_columns_of_a_mapping():
    schema = stream_schema({"a": "int64", "b": "int64"})
    with pytest.raises(BadInput, match="no column 'c', it has a, b"):
        fitted({"a": [1], "c": [1]}, schema)
    with pytest.raises(BadInput, match=r"Column 'b' \(int64\) is missing"):
        fitted({"a": [1]}, schema)
    with pytest.raises(BadInput, match="a has 1, b has 2"):
        fitted({"a": [1], "b": [1, 2]}, schema)


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"a": float}, "Column 'a': expected an Arrow type.*got <class 'float'>"),
        ({"a": "flaot"}, "Column 'a': expected an Arrow type.*got 'flaot'"),
        (["a"], r"a mapping of names to Arrow types, got \['a'\]"),
        ({}, "one column or more"),
        (pa.schema([]), "one column or more"),
    ],
)
def test_a_schema_that_is_none(schema, told):
    with pytest.raises(BadInput, match=told):
        stream_schema(schema)


def test_rows_that_are_no_table():
    with pytest.raises(BadInput, match=r"read the file first, or append it with `bigviz append NAME FILE`"):
        table_of("ticks.csv")
    with pytest.raises(BadInput, match=r"pyarrow.Table.from_pylist\(rows\)"):
        table_of([{"a": 1}])
