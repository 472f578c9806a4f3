"""Cells that stand for a level until all are known: whole ones, with the values that its tiles have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from bigviz.aggregate.layer import Layer
from bigviz.aggregate.picture_cells import picture_cells
from bigviz.data.dataset import Dataset
from bigviz.render.level_values import Level, LevelValues
from bigviz.render.shade import values_of
from bigviz.tiles.answers import level_sample as module
from bigviz.tiles.answers.points_layer import PointsLayer
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.tile_key import TileKey

MakeDataset = Callable[..., Dataset]
SIZE = 20_000
LAYERS = [Layer("points", "x", "y", agg) for agg in ("count", "mean(v)", "max(n)", "sum(v)", "by(k)", "count(n)")]


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(threads=2)


@pytest.fixture(scope="module")
def table(dataset: MakeDataset) -> Dataset:
    rng = np.random.default_rng(21)
    x = np.where(np.arange(SIZE) % 3 == 0, rng.normal(size=SIZE), np.round(rng.normal(size=SIZE), 1))
    v, n, k = rng.normal(size=SIZE), rng.integers(0, 9, SIZE), rng.choice(["a", "b"], SIZE)
    return dataset(x=x, y=np.round(rng.normal(size=SIZE), 2), v=v, n=n, k=k)


def sample(engine: Engine, table: Dataset, layer: Layer, level: int | Level) -> LevelValues | None:
    engine.ensure(table, layer)
    built = engine.layers.find(table, layer)
    assert isinstance(built, PointsLayer)
    both = (level, level) if isinstance(level, int) else level
    return module.level_sample(built.order.guard, built.pyramid.inputs, both)


def counted(values: np.ndarray) -> Counter:
    return Counter(values.astype(float).round(9).tolist())


def of_tiles(engine: Engine, table: Dataset, layer: Layer, level: int | Level) -> Counter:
    """The same over all tiles of a level that have rows."""
    info = engine.info(table, layer)
    places = []
    zx, zy = (level, level) if isinstance(level, int) else level
    for name, root, z in (("x", info.root_x, zx), ("y", info.root_y, zy)):
        values = table.column(name).values
        codes = np.empty(len(values), np.uint32)
        root.codes(values, None, codes)
        places.append((codes >> np.uint32(32 - z)).tolist() if z else [0] * len(codes))
    found: Counter = Counter()
    for i, row in set(zip(*places, strict=True)):
        planes = engine.tile(table, layer, TileKey(zx, zy, i, (1 << zy) - 1 - row)).arrays()
        cells = values_of(planes, picture_cells(layer.reduction))
        found += counted(cells.numbers[cells.filled])
    return found


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_few_rows_give_all_cells(engine: Engine, table: Dataset, layer: Layer) -> None:
    for level in (0, 3, (4, 2), (1, 5)):
        some = sample(engine, table, layer, level)
        assert some is not None and (some.weights == 1).all()
        assert counted(some.values) == of_tiles(engine, table, layer, level)


@pytest.mark.parametrize("layer", LAYERS[:3], ids=str)
def test_of_many_rows_only_whole_cells(
    engine: Engine, table: Dataset, layer: Layer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_STRETCHES", 8)
    monkeypatch.setattr(module, "_ROWS", 100)
    for level in (3, 5, 24, (4, 3), (2, 4)):
        some = sample(engine, table, layer, level)
        assert some is not None
        found, whole = counted(some.values), of_tiles(engine, table, layer, level) if level != 24 else None
        assert 0 < found.total() <= (800 if isinstance(level, int) else 1_600) and (whole is None or found <= whole)


def test_a_stretch_does_not_go_on_for_all_rows_of_one_place(
    engine: Engine, dataset: MakeDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_STRETCHES", 8)
    monkeypatch.setattr(module, "_ROWS", 100)
    monkeypatch.setattr(module, "_MOST_ROWS", 2_000)
    rng = np.random.default_rng(3)
    x, y = (np.append(np.zeros(SIZE), rng.uniform(0, 100, 5_000)) for _ in range(2))
    table, layer = dataset(x=x, y=y), Layer("points", "x", "y", "count")
    some = sample(engine, table, layer, (4, 7))
    assert some is not None and len(some.values) and some.values.max() < 100
    assert counted(some.values) <= of_tiles(engine, table, layer, (4, 7))


def test_a_category_without_labels_has_no_values(engine: Engine, dataset: MakeDataset) -> None:
    table = dataset(x=np.arange(3.0), y=np.arange(3.0), v=np.arange(3.0), k=pa.nulls(3, pa.string()))
    for agg in ("by(k)", "by(k, mean(v))"):
        some = sample(engine, table, Layer("points", "x", "y", agg), 0)
        assert some is not None and len(some.values) == len(some.weights) == 0


def test_a_line_has_none(engine: Engine, table: Dataset) -> None:
    layer = Layer("line", "x", "y", "any")
    assert engine.level_values(table, layer, (5, 5)) == ("tiles", None) and engine.level_source(table, layer) == "tiles"
