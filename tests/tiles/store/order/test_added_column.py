"""Columns that are brought into the order of a finished store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bigviz.common.errors import Unreadable
from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.data.open import open as open_dataset
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.morton.order import OrderedColumn
from bigviz.tiles.store.catalog.directory import StoreDirectory
from bigviz.tiles.store.catalog.parts import parts
from bigviz.tiles.store.order import added_column as module
from bigviz.tiles.store.order.added_column import add_column, open_column
from bigviz.tiles.store.order.stored_order import StoredOrder, open_stored_order

ROWS = 20_000
LABELS = [f"label {k}" for k in range(5_000)]
COLUMNS: dict[str, Any] = {
    "float": lambda rng: rng.random(ROWS),
    "small": lambda rng: rng.integers(-100, 100, ROWS).astype(np.int8),
    "holes": lambda rng: pa.array(rng.integers(0, 9, ROWS), mask=rng.random(ROWS) < 0.1),
    "bool": lambda rng: rng.random(ROWS) < 0.5,
    "time": lambda rng: pa.array(rng.integers(0, 1 << 60, ROWS), pa.timestamp("ns")),
    "kind": lambda rng: np.array(["a", "b", None])[rng.integers(0, 3, ROWS)],
    "many": lambda rng: np.array(LABELS)[rng.integers(0, len(LABELS), ROWS)],
    "empty": lambda rng: pa.nulls(ROWS, pa.int32()),
}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    rng = np.random.default_rng(5)
    path = tmp_path_factory.mktemp("source") / "trips.parquet"
    x = np.where(rng.random(ROWS) < 0.01, np.nan, rng.normal(size=ROWS))
    values = {name: make(rng) for name, make in COLUMNS.items()}
    pq.write_table(pa.table({"x": x, "y": rng.normal(size=ROWS), **values}), path, row_group_size=3_000)
    return open_dataset(path)


@pytest.fixture
def stores(tmp_path: Path) -> StoreDirectory:
    return StoreDirectory(tmp_path / "stores", 1 << 30)


@pytest.fixture
def store(stores: StoreDirectory, source: Dataset) -> Path:
    return stores.build(source, OrderSpec("x", "y"))


def arrays(column: OrderedColumn) -> list[np.ndarray | None]:
    return [None if each is None else np.array(each.take(slice(None))) for each in column[:3]]


@pytest.mark.parametrize("name", COLUMNS)
def test_it_is_the_one_that_a_build_keeps(
    stores: StoreDirectory, store: Path, source: Dataset, tmp_path: Path, name: str
):
    kept = StoreDirectory(tmp_path / "other", 1 << 30).build(source, OrderSpec("x", "y"), [name])
    expected = open_stored_order(kept).column(name)
    order = open_stored_order(store)
    found = add_column(stores, store, source, order, name, Crew(2))
    assert expected is not None and found.labels == expected.labels
    for ours, theirs in zip(arrays(found), arrays(expected), strict=True):
        assert (ours is None) == (theirs is None)
        if ours is not None and theirs is not None:
            assert ours.dtype == theirs.dtype and np.array_equal(ours, theirs)
    (folder,) = parts(store, "columns").values()
    assert not list(folder.glob("*-read.arrow"))
    again = add_column(stores, store, source, order, name, Crew(1))
    assert len(order.guard) < ROWS and again.labels == found.labels


def test_a_flipped_byte_is_found_and_another_order_refused(
    stores: StoreDirectory, store: Path, source: Dataset, monkeypatch: pytest.MonkeyPatch
):
    order = open_stored_order(store)
    assert isinstance(order, StoredOrder)
    add_column(stores, store, source, order, "float", Crew(1))
    (folder,) = parts(store, "columns").values()
    with pytest.raises(Unreadable, match="holds no column"):
        open_column(folder, len(order.guard) + 1)
    with pytest.raises(Unreadable, match="holds no column"):
        open_column(store, len(order.guard))
    path = folder / "values.arrow"
    data = bytearray(path.read_bytes())
    data[100_000] ^= 1
    path.write_bytes(data)
    damaged = open_column(folder, len(order.guard)).values
    assert damaged is not None
    with pytest.raises(Unreadable, match="damaged"):
        damaged.take(slice(None))
    assert parts(store, "columns") == {}  # small files are compared when they are found


def test_what_was_interrupted_is_written_again(
    stores: StoreDirectory, store: Path, source: Dataset, monkeypatch: pytest.MonkeyPatch
):
    order = open_stored_order(store)
    gather = module._gather

    def interrupted(*arguments: Any) -> None:
        gather(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(module, "_gather", interrupted)
        add_column(stores, store, source, order, "holes", Crew(1))
    assert list((store / "columns").glob("holes-*.building/values-read.arrow")) and parts(store, "columns") == {}
    found = add_column(stores, store, source, order, "holes", Crew(1))
    whole = source.column("holes")
    rows = order.row_numbers(slice(None))
    assert found.values is not None and np.array_equal(found.values.take(slice(None)), whole.values[rows])
    assert found.valid is not None and whole.valid is not None
    assert np.array_equal(found.valid.take(slice(None)).view(bool), whole.valid[rows])
