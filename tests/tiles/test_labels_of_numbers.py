"""`by` over integers and booleans: wherever the rows are, the planes are those of the same labels as text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import bigviz as bv
from bigviz.aggregate.layer import Layer
from bigviz.common.errors import BadInput
from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.tiles.build_store import index_layer
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.store.catalog.directory import StoreDirectory

ROWS = 40_000
KEYS = (TileKey(0, 0, 0, 0), TileKey(1, 2, 1, 3), TileKey(6, 6, 30, 33))
NUMBERS = range(-3, 12)
Opened = Callable[[Dataset, Layer], Engine]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    rng = np.random.default_rng(31)
    numbers = rng.integers(NUMBERS.start, NUMBERS.stop, ROWS)
    missing = rng.random(ROWS) < 0.1
    flags = rng.random(ROWS) < 0.3
    letters = np.array([chr(ord("a") + number - NUMBERS.start) for number in NUMBERS])[numbers - NUMBERS.start]
    table = pa.table(
        {
            "x": rng.random(ROWS),
            "y": rng.random(ROWS),
            "v": rng.integers(0, 800, ROWS) / 8,
            "n": pa.array(numbers.astype(np.int8), mask=missing),
            "letters": pa.array(letters, mask=missing),
            "flag": flags,
            "words": np.where(flags, "yes", "no"),
            "id": np.arange(ROWS),
        }
    )
    path = tmp_path_factory.mktemp("numbers") / "t.parquet"
    pq.write_table(table, path, row_group_size=ROWS // 8)
    return bv.open(path)


@pytest.fixture(params=["in memory", "on disk", "added to a store", "scanned"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    """An engine that has the rows in one of the ways that there are."""

    def make(dataset: Dataset, layer: Layer) -> Engine:
        if request.param == "in memory":
            return Engine()
        if request.param == "scanned":
            engine = Engine(index_bytes=1 << 16, index="never")
            engine.ensure(dataset, layer)
            assert engine.readiness(dataset, layer) == "scanned"
            return engine
        stores = StoreDirectory(tmp_path, 1 << 30)
        first = layer if request.param == "on disk" else Layer("points", "x", "y")
        index_layer(stores, dataset, first.bound(dataset), (), Crew(2))
        engine = Engine(stores=stores, index="auto")
        engine.publish(dataset, layer)
        return engine

    return make


@pytest.mark.parametrize(
    ("agg", "twin", "labels"),
    [
        ("by(n)", "by(letters)", tuple(map(str, NUMBERS))),
        ("by(n, mean(v))", "by(letters, mean(v))", tuple(map(str, NUMBERS))),
        ("by(n, max(n))", "by(letters, max(n))", tuple(map(str, NUMBERS))),
        ("by(flag)", "by(words)", ("False", "True")),
    ],
)
def test_planes_are_those_of_text_in_the_same_order(
    dataset: Dataset, opened: Opened, agg: str, twin: str, labels: tuple[str, ...]
):
    layer = Layer("points", "x", "y", agg)
    engine, oracle = opened(dataset, layer), Engine()
    assert engine.info(dataset, layer).planes == labels
    for key in KEYS:
        found = engine.tile(dataset, layer, key).arrays()
        want = oracle.tile(dataset, Layer("points", "x", "y", twin), key).arrays()
        assert len(found) == len(want) == len(labels)
        for one, other in zip(found, want, strict=True):
            np.testing.assert_array_equal(np.ma.filled(one, 0), np.ma.filled(other, 0))


def test_an_axis_and_its_own_labels(dataset: Dataset, opened: Opened):
    """The same column as numbers on the axis and as labels in the colours."""
    layer = Layer("points", "n", "y", "by(n)")
    planes = opened(dataset, layer).tile(dataset, layer, TileKey(0, 0, 0, 0)).arrays()
    columns = [int(np.flatnonzero(plane.any(axis=0))[0]) for plane in planes]
    assert columns == sorted(set(columns)) and all(len(np.flatnonzero(plane.any(axis=0))) == 1 for plane in planes)


def test_rows_hold_true_values(dataset: Dataset, opened: Opened):
    layer = Layer("points", "x", "n", "by(n, mean(v))")
    table = opened(dataset, layer).rows(dataset, layer, 0.2, 0.21, -10, 20)
    assert table.column_names == ["row", "x", "n", "v"] and table.schema.field("n").type == pa.int8()
    rows = table["row"].to_pylist()
    assert len(rows) > 100 and table["n"].to_pylist() == dataset.take(np.array(rows), ["n"])["n"].to_pylist()


def test_a_sample_has_them_in_the_order_of_their_values(dataset: Dataset):
    engine = Engine(preview_rows=10_000)
    layer = Layer("points", "x", "y", "by(n)")
    preview = engine.preview(dataset, layer)
    assert preview is not None and preview.facts.planes == tuple(map(str, NUMBERS))
    drawn, _ = preview.tile(TileKey(0, 0, 0, 0))
    assert {plane.plane for plane in drawn.planes} == set(range(len(NUMBERS)))


def test_more_labels_than_by_shows_are_refused(dataset: Dataset, opened: Opened):
    layer = Layer("points", "x", "y", "by(id)")
    with pytest.raises(BadInput, match=r"by shows at most 64 categories, and 'id' has 40,000"):
        opened(dataset, layer).info(dataset, layer)
