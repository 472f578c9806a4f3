"""True rows out of an order on the disk, against the table itself."""

from __future__ import annotations

import datetime
import decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bigviz.aggregate.layer import Layer
from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.data.open import open as open_source
from bigviz.tiles.answers.row_lookup import find_rows, true_rows
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.store.order.build import build_stored_order
from bigviz.tiles.store.order.stored_order import open_stored_order

SIZE = 5_000


def make_table() -> pa.Table:
    rng = np.random.default_rng(9)
    x = rng.normal(size=SIZE)
    x[[5, 6]] = 1e30  # far
    return pa.table(
        {
            "x": x,
            "f32": rng.normal(size=SIZE).astype(np.float32),
            "i8": rng.integers(-100, 100, SIZE).astype(np.int8),
            "t": pa.array(rng.integers(0, 10**9, SIZE), pa.timestamp("ms", "UTC")),
            "date": pa.array(rng.integers(0, 20_000, SIZE).astype(np.int32)).cast(pa.date32()),
            "v": pa.array(rng.normal(size=SIZE), mask=rng.random(SIZE) < 0.1),
            "nan": np.where(rng.random(SIZE) < 0.1, np.nan, 1.0),
            "n": pa.array(rng.integers(0, 50, SIZE), pa.int16(), mask=rng.random(SIZE) < 0.1),
            "d": pa.array([decimal.Decimal(int(k)).scaleb(-3) for k in rng.integers(0, 10**6, SIZE)]),
            "kind": pa.array([["b", "a", None][k] for k in rng.integers(0, 3, SIZE)]),
            "coded": pa.array([["q", "p"][k] for k in rng.integers(0, 2, SIZE)]).dictionary_encode(),
        }
    )


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> tuple[pa.Table, Path, Path]:
    folder = tmp_path_factory.mktemp("rows")
    table = make_table()
    pq.write_table(table, folder / "t.parquet", row_group_size=700)
    return table, folder / "t.parquet", folder


@pytest.mark.parametrize(
    ("x", "y", "agg", "axis"),
    [
        ("x", "f32", "mean(v)", "linear"),
        ("i8", "t", "min(n)", "linear"),
        ("i8", "date", "by(kind)", "linear"),
        ("f32", "i8", "by(coded, max(d))", "linear"),
        ("d", "f32", "sum(nan)", "linear"),
        ("d", "f32", "count", "log"),
        ("t", "x", "count", "datetime"),
    ],
)
def test_stored_rows_are_those_of_the_table(
    parts: tuple[pa.Table, Path, Path], x: str, y: str, agg: str, axis: str
) -> None:
    table, source, folder = parts
    dataset = open_source(str(source))
    layer = Layer("points", x, y, agg, xaxis=axis)
    path = folder / f"{x}-{y}-{agg}-{axis}"
    path.mkdir()
    build_stored_order(path, dataset, OrderSpec.of(layer), list(layer.reduction.columns), Crew(threads=1))
    order = open_stored_order(path)
    window = (-(2.0**70), 2.0**101), (-(2.0**101), 2.0**101)
    for limit in (0, 100, 50_000):
        found = find_rows(order, *window, limit)
        rows = true_rows(dataset, layer, order, found)
        names = rows.schema.names[1:]
        wanted = table.select(names).take(rows["row"])
        assert rows.select(names).to_pylist() == wanted.to_pylist() or _nan_equal(rows.select(names), wanted)
        assert rows.select(names).schema.equals(wanted.schema)
        inside = SIZE - (0 if axis != "log" else int(np.sum([float(v) <= 0 for v in table["d"].to_pylist()])))
        assert found.matched == inside and len(rows) == min(limit, inside)
    assert dataset.memory() == 0, "no column was loaded"


def _nan_equal(ours: pa.Table, theirs: pa.Table) -> bool:
    def plain(table: pa.Table) -> list[Any]:
        return [[repr(value) for value in column.to_pylist()] for column in table.columns]

    return plain(ours) == plain(theirs)


def test_a_window_of_stored_rows(parts: tuple[pa.Table, Path, Path]) -> None:
    table, source, folder = parts
    dataset: Dataset = open_source(str(source))
    layer = Layer("points", "t", "i8", "mean(v)")
    path = folder / "window"
    path.mkdir()
    build_stored_order(path, dataset, OrderSpec.of(layer), ["v"], Crew(threads=1))
    order = open_stored_order(path)
    stamps = np.array(table["t"].cast(pa.int64())) * 1_000_000
    low, high = sorted((int(stamps[3]), int(stamps[4])))
    found = find_rows(order, (low, high), (-50, 20), 50_000)
    i8 = np.array(table["i8"])
    wanted = np.flatnonzero((stamps >= low) & (stamps < high) & (i8 >= -50) & (i8 < 20))
    rows = true_rows(dataset, layer, order, found)
    assert sorted(rows["row"].to_pylist()) == wanted.tolist() and found.matched == len(wanted)
    assert isinstance(rows["t"][0].as_py(), datetime.datetime)
