"""Canvas over tables that are read in batches, against Canvas over the same rows in memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest
import xarray as xr

from bigviz.aggregate.canvas import batches
from bigviz.aggregate.canvas.canvas import Canvas
from bigviz.common.errors import BadInput, NotFound
from bigviz.data.open import open as open_source

ROWS = 60
ENDS: dict[str, Any] = {"x_range": (-1, 2), "y_range": (-1.5, 1.5)}
AGGS = [
    "count", "any(v)", "sum(v)", "sum(n)", "mean(v)", "mean(t)", "max(v)", "min(n)", "first(v)", "last(v)", "by(k)",
    "by(k, last(v))", "by(n, mean(v))",
]  # fmt: skip


@pytest.fixture(scope="module")
def table() -> pa.Table:
    """Numbers with few digits, so that sums are exact in any order; labels, of which the later ones come late."""
    rng = np.random.default_rng(7)
    x, y, v = np.round(rng.normal(size=(3, ROWS)) * 4) / 4
    v[::9], x[7], y[20] = np.nan, np.nan, np.nan
    n = pa.array(rng.integers(-5, 5, ROWS), mask=np.arange(ROWS) % 11 == 0)
    k = [None if row % 13 == 0 else "zyxb"[min(row // 20, 2) if row % 2 else 3] for row in range(ROWS)]
    t = pa.array(rng.integers(0, 10**18, ROWS), pa.timestamp("ns"))
    return pa.table({"x": x.astype(np.float32), "y": y, "v": v, "n": n, "k": k, "t": t, "w": np.ones(ROWS)})


class DataFrame:
    """What bigviz asks of dask's frames, whose module it names."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame, self.columns, self.npartitions = frame, frame.columns, 5
        self.partitions = self

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, list):
            return DataFrame(self.frame[key])
        return DataFrame(self.frame.iloc[key * ROWS // 5 : (key + 1) * ROWS // 5])

    def compute(self) -> pd.DataFrame:
        assert "w" not in self.frame and len(self.frame) <= ROWS // 5  # what nobody asked for, and all at once
        return self.frame


DataFrame.__module__ = "dask.dataframe.dask_expr._collection"


def of_xarray(table: pa.Table, folder: Path) -> xr.Dataset:
    columns = {name: ("row", table[name].to_pandas().to_numpy()) for name in table.column_names if name != "k"}
    labels = np.array(table["k"].fill_null("none").to_pylist())
    return xr.Dataset(columns | {"k": ("row", labels), "scalar": 5}, coords={"row": np.arange(ROWS)})


def of_file(table: pa.Table, folder: Path) -> object:
    pq.write_table(table, folder / "table.parquet", row_group_size=17)
    return open_source(folder / "table.parquet")


SOURCES: dict[str, Callable[[pa.Table, Path], Any]] = {
    "polars": lambda table, _: pl.from_arrow(table).lazy(),  # type: ignore[union-attr]
    "dataset": lambda table, _: pyarrow.dataset.dataset([table.slice(0, 25), table.slice(25)]),
    "scanner": lambda table, _: pyarrow.dataset.dataset(table).scanner(batch_size=9),
    "dask": lambda table, _: DataFrame(table.to_pandas(types_mapper=pd.ArrowDtype)),
    "xarray": of_xarray,
    "file": of_file,
}


@pytest.fixture(params=list(SOURCES))
def source(request: pytest.FixtureRequest, table: pa.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(batches, "_ROWS", 16)
    monkeypatch.setattr(batches, "available_memory", lambda: 0)
    made = SOURCES[request.param](table, tmp_path)
    assert batches.batches_of(made, {"x"}) is not None
    return made


def of_all(source: Any, table: pa.Table) -> Any:
    """The same rows in memory, in the types that the source has for them."""
    return {name: source[name].values for name in table.column_names} if isinstance(source, xr.Dataset) else table


@pytest.mark.parametrize("ends", [ENDS, {}], ids=["given", "found"])
def test_images_in_batches_are_those_of_all_rows(source: Any, table: pa.Table, ends: dict[str, Any]) -> None:
    whole, canvas = of_all(source, table), Canvas(3, 2, **ends)
    for k, agg in enumerate(AGGS):
        if whole is not table and agg == "by(n, mean(v))":
            continue  # these are floats there
        filter = ("", "v > -0.5")[k % 2]
        for glyph in ("points", "line"):
            got = getattr(canvas, glyph)(source, "x", "y", agg, filter=filter)
            expected = getattr(canvas, glyph)(whole, "x", "y", agg, filter=filter)
            xr.testing.assert_identical(got, expected)


def test_rows_are_placed_by_integers_and_times(source: Any, table: pa.Table) -> None:
    for x, agg in (("t", "count"), ("n", "mean(v)")):
        xr.testing.assert_identical(
            Canvas(4, 3).points(source, x, "y", agg), Canvas(4, 3).points(of_all(source, table), x, "y", agg)
        )


def test_columns_that_there_are_not(source: Any) -> None:
    with pytest.raises(NotFound, match="'z'"):
        Canvas(3, 3).points(source, "x", "z")
    with pytest.raises(BadInput, match="mean needs numbers"):
        Canvas(3, 3).points(source, "x", "y", "mean(k)")


def test_no_rows(table: pa.Table) -> None:
    for empty in (pl.from_arrow(table.slice(0, 0)).lazy(), pyarrow.dataset.dataset(table.slice(0, 0))):  # type: ignore[union-attr]
        for agg in ("count", "mean(v)", "by(k)"):
            xr.testing.assert_identical(
                Canvas(3, 2).points(empty, "x", "y", agg), Canvas(3, 2).points(table.slice(0, 0), "x", "y", agg)
            )


def test_sums_that_begin_again_after_infinities(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "_ROWS", 2)
    table = pa.table({"x": [0.0] * 5, "y": [0.0] * 5, "v": [np.inf, 1.0, -np.inf, 5.0, 2.0]})
    image = Canvas(1, 1).points(pyarrow.dataset.dataset(table), "x", "y", "sum(v)")
    assert image.values.tolist() == [[7.0]] == Canvas(1, 1).points(table, "x", "y", "sum(v)").values.tolist()


def test_sums_of_integers_are_exact_as_far_as_all_of_them_are() -> None:
    """In int64, and where they could leave it in float64, whatever a batch alone would allow."""
    large = 2**62
    for numbers, total in (([2**53, 1, 1], 2**53 + 2), ([large, large, 1], 2.0**63)):
        table = pa.table({"x": [0.0] * 3, "y": [0.0] * 3, "n": numbers})
        lazy = pyarrow.dataset.dataset([table.slice(0, 1), table.slice(1)])
        assert Canvas(1, 1).points(lazy, "x", "y", "sum(n)").values.item() == float(total)


def test_a_reader_is_read_once_and_keeps_the_columns_in_use(table: pa.Table) -> None:
    expected = Canvas(3, 2).points(table, "x", "y", "mean(v)")
    xr.testing.assert_identical(Canvas(3, 2).points(table.to_reader(9), "x", "y", "mean(v)"), expected)


class Parts(DataFrame):
    """One whose partitions are frames of their own."""

    def __init__(self, parts: list[pd.DataFrame]) -> None:
        self.parts, self.columns, self.npartitions = parts, parts[0].columns, len(parts)
        self.partitions = self

    def __getitem__(self, key: Any) -> Any:
        return Parts([part[key] for part in self.parts]) if isinstance(key, list) else Parts([self.parts[key]])

    def compute(self) -> pd.DataFrame:
        return self.parts[0]


Parts.__name__, Parts.__module__ = "DataFrame", DataFrame.__module__


def test_values_of_several_kinds_are_not_cut_down_to_those_of_the_first_batch() -> None:
    """Accumulators of integers would drop what is behind the point."""
    whole, halves = (pd.DataFrame({"x": [0.0, 1], "y": [0.0, 1], "v": v}) for v in ([1, 2], [0.5, 1.5]))
    for agg in ("sum(v)", "max(v)", "first(v)"):
        with pytest.raises(BadInput, match="'v' is of float64 in one batch, and of int64 in the first: cast it"):
            Canvas(2, 2).points(Parts([whole, halves]), "x", "y", agg)
    assert Canvas(2, 2).points(Parts([halves, whole]), "x", "y", "sum(v)").values.tolist()[1][1] == 3.5
    assert Canvas(2, 2).points(Parts([whole, halves]), "x", "y", "count(v)").values.sum() == 4
