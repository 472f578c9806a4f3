"""The values of each level against those of all of its tiles."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from bigviz.aggregate.layer import Layer
from bigviz.aggregate.picture_cells import picture_cells
from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.render.level_values import LevelValues
from bigviz.render.shade import values_of
from bigviz.tiles.answers.points_layer import PointsLayer
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.pyramid.levels import counts, summary, values
from bigviz.tiles.pyramid.levels.summary import level_values

MakeDataset = Callable[..., Dataset]
SIZE = 250
EXACT = [
    "count",
    "count(v)",
    "by(k)",
    "by(k, count(v))",
    "by(k, any)",
    "max(n)",
    "min(v)",
    "sum(n)",
    "first(v)",
    "last(n)",
]
ADDED = ["mean(v)", "sum(v)", "mean(n)", "by(k, mean(v))", "by(k, max(v))"]
LEVELS = (0, 2, 7, 24)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(threads=2)


@pytest.fixture(scope="module")
def table(dataset: MakeDataset) -> Dataset:
    """Rows in the plane, on a grid, and in a pile, some without a value or a label."""
    rng = np.random.default_rng(5)
    kind = rng.integers(0, 3, SIZE)
    x, y = (np.where(kind == 0, rng.normal(size=SIZE), np.round(rng.normal(size=SIZE), 1)) for _ in "xy")
    x[kind == 2] = y[kind == 2] = 0.75
    v = np.where(rng.random(SIZE) < 0.1, np.nan, rng.normal(size=SIZE))
    v[rng.integers(0, SIZE, 5)] = np.inf
    n = rng.integers(-9, 9, SIZE) + np.where(kind == 1, 2**60, 0)
    k = pa.array([None if label == "c" else label for label in rng.choice(["a", "b", "c"], SIZE)])
    return dataset(x=x, y=y, v=v, n=n // 2**20, k=k)


def of_tiles(engine: Engine, table: Dataset, layer: Layer, level: int) -> tuple[np.ndarray, np.ndarray]:
    """Finite values of filled cells of all tiles of a level, and how many cells have each."""
    info = engine.info(table, layer)
    places = []
    for name, root in (("x", info.root_x), ("y", info.root_y)):
        numbers = table.column(name).values
        codes = np.empty(len(numbers), np.uint32)
        root.codes(numbers, None, codes)
        places.append((codes >> np.uint32(32 - level)).tolist() if level else [0] * len(codes))
    found = []
    for i, row in set(zip(*places, strict=True)):
        planes = engine.tile(table, layer, TileKey(level, level, i, (1 << level) - 1 - row)).arrays()
        cells = values_of(planes, picture_cells(layer.reduction))
        found.append(cells.numbers[cells.filled])
    held = np.concatenate(found)
    return np.unique(held[np.isfinite(held)], return_counts=True)


def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name, number in ((counts, "_ROWS", 30), (summary, "_ROWS", 9), (summary, "_AT_ONCE", 3)):
        monkeypatch.setattr(module, name, number)
    monkeypatch.setattr(summary, "_PARTS", 4)


def levels_of(engine: Engine, table: Dataset, layer: Layer) -> tuple[LevelValues, ...]:
    """Found anew, in parts as small as they are now."""
    engine.ensure(table, layer)
    built = engine.layers.find(table, layer)
    assert isinstance(built, PointsLayer)
    return level_values(built.pyramid.guard, built.pyramid.inputs, Crew(3))


@pytest.mark.parametrize("agg", EXACT + ADDED)
def test_all_cells_of_all_tiles(engine: Engine, table: Dataset, agg: str, monkeypatch: pytest.MonkeyPatch) -> None:
    small_parts(monkeypatch)
    layer = Layer("points", "x", "y", agg)
    found = levels_of(engine, table, layer)
    for level in LEVELS:
        held, cells = of_tiles(engine, table, layer, level)
        if agg in EXACT:
            np.testing.assert_array_equal(found[level].values, held)
            np.testing.assert_array_equal(found[level].weights, cells)
        else:
            assert found[level].weights.sum() == cells.sum()
            np.testing.assert_allclose(found[level].values[[0, -1]], held[[0, -1]], rtol=1e-12)


def test_many_values_are_a_sample_with_the_extremes_whatever_the_threads(
    engine: Engine, table: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = Layer("points", "x", "y", "max(v)")
    whole = levels_of(engine, table, layer)
    monkeypatch.setattr(values, "MOST_SAMPLED", 20)
    some = levels_of(engine, table, layer)
    small_parts(monkeypatch)
    for all_cells, sample, again in zip(whole, some, levels_of(engine, table, layer), strict=True):
        assert 0 < sample.weights.sum() <= 20 < all_cells.weights.sum()
        assert set(sample.values) <= set(all_cells.values)
        np.testing.assert_array_equal(sample.values[[0, -1]], all_cells.values[[0, -1]])
        np.testing.assert_array_equal(sample.values, again.values)
        np.testing.assert_array_equal(sample.weights, again.weights)


def test_counts_beyond_the_table_of_small_ones(engine: Engine, dataset: MakeDataset) -> None:
    """Piles of thousands of rows, the first of which reach over many parts."""
    rng = np.random.default_rng(3)
    place = rng.choice(4, 20_000, p=[0.6, 0.3, 0.09, 0.01]).astype(float)
    table, layer = dataset(x=place, y=-place), Layer("points", "x", "y", "count")
    found = levels_of(engine, table, layer)
    assert found[24].values.tolist() == sorted(np.unique(place, return_counts=True)[1].tolist())
    assert found[0].values.tolist() == of_tiles(engine, table, layer, 0)[0].tolist()


def test_no_rows(engine: Engine, dataset: MakeDataset) -> None:
    table = dataset(x=np.array([np.nan]), y=np.array([0.0]), v=np.array([1.0]))
    for agg in ("count", "mean(v)"):
        assert [len(level.values) for level in levels_of(engine, table, Layer("points", "x", "y", agg))] == [0] * 25
