"""Filters over columns that a store does not keep: each is read once, and the rows kept are those of the table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import bigviz as bv
from bigviz.aggregate.layer import Layer
from bigviz.data.dataset import Dataset
from bigviz.tiles import disk_indexes
from bigviz.tiles.engine import Engine
from bigviz.tiles.store.catalog.directory import StoreDirectory

ROWS = 5_000


@pytest.fixture(scope="module")
def table() -> pa.Table:
    rng = np.random.default_rng(8)
    noise = rng.normal(5, 1, ROWS)
    noise[::7] = np.nan
    return pa.table(
        {
            "x": rng.normal(0, 1, ROWS),
            "y": rng.normal(0, 1, ROWS),
            "n": pa.array(rng.integers(0, 100, ROWS).astype(np.int16), mask=rng.random(ROWS) < 0.2),
            "v": noise,
            "kind": pa.array(np.array(["a", "b", "c"])[rng.integers(0, 3, ROWS)], mask=rng.random(ROWS) < 0.1),
        }
    )


@pytest.fixture(scope="module")
def stored(table: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> tuple[Engine, Dataset]:
    folder = tmp_path_factory.mktemp("kept")
    path: Path = folder / "points.parquet"
    pq.write_table(table, path, row_group_size=1_000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(disk_indexes, "STORED_ROWS", 1)
        engine, dataset = Engine(stores=StoreDirectory(folder / "stores", 1 << 30)), bv.open(str(path))
        layer = Layer("points", "x", "y")
        engine.publish(dataset, layer)
        engine.ensure(dataset, layer)
    return engine, dataset


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("n > 30", ["n > 60 or n is null", "not n in (3, 4) and x > 0"]),
        ("kind = 'a'", ["kind in ('b', 'c')", "kind is null and n > 30"]),
        ("v > 5", ["not (v > 5.5)", "v is null", "v between 4 and 5 or kind = 'c'"]),
    ],
)
def test_a_column_is_read_once_for_all_filters(
    stored: tuple[Engine, Dataset], table: pa.Table, first: str, then: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`v` has NaN and, as the file says, no null: so what is not above a number is told of it in the order too."""
    engine, dataset = stored
    oracle = bv.open(table)
    for text in ("n >= 0", "kind != ''", first):
        engine.ensure(dataset, Layer("points", "x", "y", filter=text))
    read: list[str] = []
    for name in ("read", "values", "read_rows"):
        own = getattr(Dataset, name)
        monkeypatch.setattr(Dataset, name, lambda *a, own=own, name=name, **k: read.append(name) or own(*a, **k))
    for text in then:
        layer = Layer("points", "x", "y", filter=text)
        engine.ensure(dataset, layer)
        assert not read, text
        assert engine.info(dataset, layer).rows_kept == oracle.where(text).count(), text
        read.clear()
    assert engine.memory()["columns"] > 0


def test_what_filters_read_is_let_go_with_the_dataset(stored: tuple[Engine, Dataset]) -> None:
    engine, dataset = stored
    engine.ensure(dataset, Layer("points", "x", "y", filter="n > 12"))
    before = engine.memory()["columns"]
    engine.forget(dataset)
    assert engine.memory()["columns"] < before
