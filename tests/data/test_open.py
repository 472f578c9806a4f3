"""Everything that `bigviz.open` takes besides files."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bigviz.common.errors import BadInput, BigvizError
from bigviz.data.open import open as open_table

from ..patience import PATIENCE

TABLE = pa.table({"x": [1.5, None, 3.5], "n": [3, 2, 1], "s": ["b", None, "a"]})


class OldFrame(pd.DataFrame):
    """A pandas frame from before the Arrow C stream."""

    @property
    def __arrow_c_stream__(self) -> object:
        raise AttributeError


class Stream:
    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return TABLE.__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize(
    "source",
    [
        TABLE,
        TABLE.to_batches()[0],
        pa.RecordBatchReader.from_batches(TABLE.schema, TABLE.to_batches()),
        pl.DataFrame(TABLE),
        Stream(),
        TABLE.to_pandas(),
        OldFrame(TABLE.to_pandas()),
        {"x": np.array([1.5, np.nan, 3.5]), "n": [3, 2, 1], "s": ["b", None, "a"]},
    ],
    ids=lambda source: type(source).__name__,
)
def test_objects(source: object) -> None:
    dataset = open_table(source, name="mine")
    assert (dataset.name, dataset.num_rows, dataset.version, dataset.notes) == ("mine", 3, 1, ())
    x = dataset.column("x").values.tolist()
    assert (x[0], x[2]) == (1.5, 3.5) and math.isnan(x[1])
    assert dataset.column("n").values.tolist() == [3, 2, 1]
    s = dataset.column("s")
    assert s.categories == ("a", "b") and s.valid is not None and s.valid.tolist() == [True, False, True]
    assert dataset.take(np.array([2, 1]), ["n", "s"]).to_pylist() == [{"n": 1, "s": "a"}, {"n": 2, "s": None}]
    dataset.check()
    assert open_table(source.copy() if isinstance(source, dict) else TABLE).fingerprint != dataset.fingerprint


def test_duckdb() -> None:
    with duckdb.connect() as connection:
        dataset = open_table(connection.sql("select range as x, 'k' || range % 3 as s from range(1000)"))
    assert dataset.column("x").values.sum() == 499_500
    assert dataset.column("s").categories == ("k0", "k1", "k2")


def test_a_dataset_is_itself() -> None:
    dataset = open_table(TABLE)
    assert open_table(dataset) is dataset and dataset.name == "table"


def test_frames_with_an_index() -> None:
    frame = pd.DataFrame({"v": [1.0, 2.0]}, index=pd.date_range("2024-01-01", periods=2, name="when"))
    dataset = open_table(frame)
    assert dataset.column("when").values[1] - dataset.column("when").values[0] == 86_400 * 10**9
    assert open_table(pd.DataFrame({"v": [1.0]})).schema.names == ["v"]


def test_categoricals_with_unused_labels() -> None:
    frame = pd.DataFrame({"k": pd.Categorical(["b", "a"], categories=["z", "b", "a"])})
    assert open_table(frame).column("k").categories == ("a", "b")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (7, "cannot open an object of type int"),
        (None, "cannot open an object of type NoneType"),
        ([], "cannot open an object of type list"),
        ([1, 2], "cannot open an object of type list"),
        (np.zeros((3, 2)), "cannot open an object of type ndarray"),
        (pl.LazyFrame({"x": [1]}), r"LazyFrame\. Call \.collect\(\) first"),
    ],
)
def test_what_cannot_be_opened(source: object, words: str) -> None:
    with pytest.raises(BadInput, match=words) as caught:
        open_table(source)
    assert caught.value.field == "source" and "It opens paths" in caught.value.message


@pytest.mark.parametrize(
    "column", [pd.Series([1, 2], name="x"), pl.Series([1, 2]), np.zeros(3), pa.array([1, 2]), pa.chunked_array([[1]])]
)
def test_one_column_is_no_table(column: object) -> None:
    with pytest.raises(BadInput, match=f"A {type(column).__name__} is one column.*a mapping of names") as caught:
        open_table(column)
    assert caught.value.field == "source"


def test_a_column_of_structs_is_a_table() -> None:
    assert open_table(pa.array([{"x": 1, "y": 2}])).schema.names == ["x", "y"]


@pytest.mark.parametrize(
    "source", [pd.DataFrame({"x": [1, "a", object()]}), {"x": [1], "y": [1, 2]}, {"x": [1, "a"]}, {"x": 5}]
)
def test_objects_that_are_no_tables(source: object) -> None:
    with pytest.raises(BigvizError, match="cannot be read"):
        open_table(source)


def test_bytes_paths(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(TABLE, path)

    class Odd:
        def __fspath__(self) -> bytes:
            return str(path).encode()

    assert open_table(Odd()).num_rows == 3


def test_a_server_does_not_import_pandas_or_numba(tmp_path: Path) -> None:
    """Each would add a third of a second and more to the start."""
    rng = np.random.default_rng(0)
    table = pa.table(
        {
            "x": pa.array(rng.normal(size=100)),
            "t": pa.array([None, *range(99)], pa.timestamp("us")),
            "s": [f"{row % 3}" for row in range(100)],
            "b": [True, None] * 50,
            "d": pa.array(range(100)).cast(pa.decimal128(25, 2)),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    code = f"""
import sys
import numpy as np
from bigviz.data.default_columns import choose
from bigviz.commands.hints import same_schema_hint
from bigviz.data.open import open
dataset = open({str(tmp_path / "t.parquet")!r})
choose(dataset)
names = dataset.schema.names
columns = [dataset.column(name) for name in names]
dataset.take(np.arange(10), names)
same_schema_hint([{str(tmp_path / "t.parquet")!r}] * 2)
print(*[name for name in ("pandas", "numba", "fsspec", "dask", "xarray", "datashader") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert done.stdout.split() == []
