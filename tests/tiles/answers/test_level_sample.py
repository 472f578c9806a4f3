"""Cells that stand for a level: whole ones, with the values that its tiles have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from bigviz.aggregate.layer import Layer
from bigviz.data.dataset import Dataset
from bigviz.tiles.answers import level_sample as module
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


def cells_of(planes: list[np.ndarray]) -> Counter:
    """How often which values are in a cell, over all cells with a value that is not 0."""
    flat = np.stack([np.ma.filled(np.ma.ravel(plane).astype(float), np.nan) for plane in planes], axis=-1)
    held = flat[(np.nan_to_num(flat) != 0).any(axis=-1)]
    return Counter(map(tuple, held.round(9).tolist()))


def of_tiles(engine: Engine, table: Dataset, layer: Layer, level: int) -> Counter:
    """The same over all tiles of a level that have rows."""
    info = engine.info(table, layer)
    places = []
    for name, root in (("x", info.root_x), ("y", info.root_y)):
        values = table.column(name).values
        codes = np.empty(len(values), np.uint32)
        root.codes(values, None, codes)
        places.append((codes >> np.uint32(32 - level)).tolist() if level else [0] * len(codes))
    found: Counter = Counter()
    for i, row in set(zip(*places, strict=True)):
        found += cells_of(engine.tile(table, layer, TileKey(level, level, i, (1 << level) - 1 - row)).arrays())
    return found


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_few_rows_give_all_cells(engine: Engine, table: Dataset, layer: Layer) -> None:
    engine.ensure(table, layer)
    for level in (0, 3):
        planes = engine.level_sample(table, layer, level)
        assert planes is not None and cells_of(planes) == of_tiles(engine, table, layer, level)


@pytest.mark.parametrize("layer", LAYERS[:3], ids=str)
def test_of_many_rows_only_whole_cells(
    engine: Engine, table: Dataset, layer: Layer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_STRETCHES", 8)
    monkeypatch.setattr(module, "_ROWS", 100)
    engine.ensure(table, layer)
    for level in (3, 5, 24):
        planes = engine.level_sample(table, layer, level)
        assert planes is not None
        found, whole = cells_of(planes), of_tiles(engine, table, layer, level) if level < 6 else None
        assert 0 < found.total() <= 800 and (whole is None or found <= whole)


def test_a_line_has_none(engine: Engine, table: Dataset) -> None:
    assert engine.level_sample(table, Layer("line", "x", "y", "any"), 5) is None
