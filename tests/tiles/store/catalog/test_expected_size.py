"""The announced size of an index, against what it takes."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bigviz.aggregate.layer import Layer
from bigviz.common.errors import TooLarge
from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.data.open import open as open_dataset
from bigviz.tiles import layer_factory
from bigviz.tiles.build_store import index_layer
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.store.catalog import quota
from bigviz.tiles.store.catalog.directory import StoreDirectory
from bigviz.tiles.store.catalog.expected_size import ExpectedSize, expected_size, tile_bytes

ROWS = 400_000
LAYERS = (
    Layer("points", "f", "g"),
    Layer("points", "d", "f"),
    Layer("points", "i", "stamp", "mean(v)"),
    Layer("points", "word", "positive", "by(word)", yaxis="log"),
    Layer("points", "second", "big"),
    Layer("line", "rate", "f", "any"),
    Layer("line", "stamp", "v", "any"),
    Layer("line", "d", "f", "any"),
)


def columns() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {
        "f": rng.normal(size=ROWS).astype(np.float32),
        "g": rng.normal(size=ROWS).astype(np.float32),
        "d": rng.normal(size=ROWS),
        "i": rng.integers(0, 10**6, ROWS),
        "big": rng.integers(0, 2**63, ROWS),
        "second": pa.array(rng.integers(0, 10**9, ROWS) << 10, pa.timestamp("us")),
        "stamp": pa.array(np.arange(ROWS) * 10**9 + rng.integers(0, 10**9, ROWS), pa.timestamp("ns")),
        "rate": np.arange(ROWS) / 1000.0,
        "v": pa.array(rng.normal(size=ROWS), mask=rng.random(ROWS) < 0.05),
        "positive": rng.lognormal(size=ROWS),
        "word": pa.array(np.array(["a", "b", "c"])[rng.integers(0, 3, ROWS)]).dictionary_encode(),
    }


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    path = tmp_path_factory.mktemp("tables") / "t.parquet"
    pq.write_table(pa.table(columns()), path, row_group_size=50_000)
    return open_dataset(path)


def taken(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: f"{layer.glyph}-{layer.x}-{layer.y}")
def test_what_is_told_is_what_it_takes(tmp_path: Path, table: Dataset, layer: Layer):
    spec, names = OrderSpec.of(layer), layer.reduction.columns
    expected = expected_size(table, spec, names, layer.reduction)
    said: list[str] = []
    stores = StoreDirectory(tmp_path, expected.total + 100_000, tell=said.append)
    store = index_layer(stores, table, layer, (), Crew(2))
    tiles = taken(store / "pyramids") if (store / "pyramids").exists() else 0
    kept = taken(store) - tiles
    assert 0.93 * kept - 20_000 <= expected.order + expected.columns <= 1.15 * kept + 20_000  # few labels take a byte
    assert tiles <= expected.tiles or spec.kind == "series"
    (sentence,) = said
    assert sentence.startswith(f"The index of 't' takes {expected}. It goes to {tmp_path}, where ")
    stores.close()


def test_the_words() -> None:
    size = ExpectedSize("order", 10**9, 12_100_000_000, 4 * 10**9, 2 * 10**9)
    assert str(size) == (
        "about 18.10 GB: 12.10 GB for the order (12.1 bytes a row), 4.00 GB for columns, at most 2.00 GB for tiles"
    )
    assert str(ExpectedSize("series", 0, 0, 0, 0)) == "about 0.00 MB: 0.00 MB for the line (0.0 bytes a row)"


def test_where_the_tiles_have_no_room_nothing_is_begun(tmp_path: Path, table: Dataset):
    layer = Layer("points", "f", "g")
    rows = expected_size(table, OrderSpec.of(layer), ())
    for asked in (False, True):
        stores = StoreDirectory(tmp_path, rows.total + tile_bytes(layer.reduction, ROWS) // 2, asked=asked)
        with pytest.raises(TooLarge, match=r"^The index of 't' takes about .* tiles, and indexes in .* --store-limit"):
            index_layer(stores, table, layer, (), Crew(2))
        assert not list(tmp_path.iterdir())


def test_no_rows_and_no_numbers(tmp_path: Path):
    for size in (0, 5):
        pq.write_table(pa.table({"x": pa.nulls(size, pa.float64()), "y": np.arange(size)}), tmp_path / "t.parquet")
        table = open_dataset(tmp_path / "t.parquet")
        for layer in (Layer("points", "x", "y"), Layer("line", "x", "y", "any")):
            assert expected_size(table, OrderSpec.of(layer), ()).total <= 24 * size


def test_an_index_that_is_asked_for_may_take_all_that_is_free(
    tmp_path: Path, table: Dataset, monkeypatch: pytest.MonkeyPatch
):
    layer = Layer("points", "f", "g")
    size = expected_size(table, OrderSpec.of(layer), (), layer.reduction).total
    usage = shutil.disk_usage(tmp_path)._replace(free=2 * size)
    monkeypatch.setattr(quota.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(TooLarge, match="--store-limit"):
        index_layer(StoreDirectory(tmp_path), table, layer, (), Crew(2))
    stores = StoreDirectory(tmp_path, asked=True)
    assert (index_layer(stores, table, layer, (), Crew(2)) / "manifest.json").is_file()
    stores.close()


def test_tiles_that_cannot_be_kept_are_not_made(tmp_path: Path, table: Dataset, monkeypatch: pytest.MonkeyPatch):
    layer = Layer("points", "f", "g")
    stores = StoreDirectory(tmp_path, 1 << 40, asked=True)
    stores.build(table, OrderSpec.of(layer))
    made: list[object] = []
    monkeypatch.setattr(layer_factory, "complete", lambda pyramid, *_: made.append(pyramid))
    stores._limit = 1000  # as where somebody else fills the disk meanwhile
    with pytest.raises(TooLarge, match="--store-limit"):
        index_layer(stores, table, layer, (), Crew(2))
    assert made == [] and [entry.state for entry in stores.entries()] == ["ready"]
    stores.close()
