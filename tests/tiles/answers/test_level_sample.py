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


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set how many looks there are, of how many rows, and what is read at most."""

    def patch(count: int, rows: int, most_rows: int, more_rows: int, cells: int = SIZE) -> None:
        values = {"_LOOKS": count, "_A_LOOK": rows, "_ROWS": most_rows, "_MORE_ROWS": more_rows, "_CELLS": cells}
        for name, value in values.items():
            monkeypatch.setattr(module, name, value)

    return patch


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_enough_looks_give_all_cells(engine: Engine, table: Dataset, layer: Layer, looks: Callable[..., None]) -> None:
    for size in (7, 32, SIZE):
        looks(SIZE, size, SIZE, SIZE, 8 * SIZE)
        for level in (0, 3, (4, 2), (1, 5)):
            some = sample(engine, table, layer, level)
            assert some is not None and (some.weights == 1).all()
            assert counted(some.values) == of_tiles(engine, table, layer, level)


@pytest.mark.parametrize("layer", LAYERS[:3], ids=str)
def test_of_many_rows_only_whole_cells(
    engine: Engine, table: Dataset, layer: Layer, looks: Callable[..., None]
) -> None:
    looks(50, 10, 600, 600)
    for level in (3, 5, 24, (4, 3), (2, 4), (24, 2), (0, 24)):
        some = sample(engine, table, layer, level)
        assert some is not None
        found = counted(some.values)
        tiles = (isinstance(level, tuple) and max(level) == 24) or level == 24
        whole = None if tiles else of_tiles(engine, table, layer, level)
        assert 0 < found.total() <= 1_200 and (whole is None or found <= whole)


def test_each_cell_is_as_likely_as_any_other(engine: Engine, dataset: MakeDataset, looks: Callable[..., None]) -> None:
    """Half of the cells have one row, the others 32: a look at rows would see the small ones 32 times less often."""
    rng = np.random.default_rng(5)
    places = rng.permutation(1 << 12)
    kept = np.repeat(places, np.where(np.arange(len(places)) % 2, 32, 1))
    table = dataset(x=kept % 64 + 0.5, y=kept // 64 + 0.5)
    looks(400, 32, 1 << 20, 1 << 20)
    some = sample(engine, table, Layer("points", "x", "y", "count"), 5)
    assert some is not None and set(some.values.tolist()) == {1, 32} and len(some.values) > 500
    assert 0.4 < (some.values == 1).mean() < 0.6


def test_first_looks_are_spread_over_all_rows() -> None:
    for rows, count, size in ((100_000, 64, 10), (100_000, 50, 10), (999, 100, 10), (1_000, 100, 10), (5, 8, 10)):
        lows = module._looks(rows, count, size)
        ordered = np.sort(lows)
        assert ordered[0] == 0 and (np.diff(ordered) >= size).all() and ordered[-1] + size >= min(rows, 10) > 0
        assert ordered[-1] < rows <= ordered[-1] + size
        half = np.sort(lows[: len(lows) // 2])
        assert len(half) < 2 or np.diff(half).max() <= 4 * np.diff(ordered).max()


def test_a_square_of_very_many_rows_is_left_out(
    engine: Engine, dataset: MakeDataset, looks: Callable[..., None]
) -> None:
    looks(800, 10, 1_000, 1_000)
    rng = np.random.default_rng(3)
    x, y = (np.append(np.zeros(SIZE), rng.uniform(0, 100, 5_000)) for _ in range(2))
    table, layer = dataset(x=x, y=y), Layer("points", "x", "y", "count")
    for level in ((4, 7), (5, 5)):
        some = sample(engine, table, layer, level)
        assert some is not None and len(some.values) and some.values.max() < 100
        assert counted(some.values) <= of_tiles(engine, table, layer, level)


def test_where_squares_have_many_rows_more_of_them_are_read(
    engine: Engine, table: Dataset, looks: Callable[..., None]
) -> None:
    layer = Layer("points", "x", "y", "mean(v)")
    looks(200, 10, 3, 3)
    few = sample(engine, table, layer, (0, 5))
    looks(200, 10, 3, SIZE)
    some = sample(engine, table, layer, (0, 5))
    assert some is not None and len(some.values) > 100 > (0 if few is None else len(few.values))
    assert counted(some.values) <= of_tiles(engine, table, layer, (0, 5))


def test_names_that_were_made_up_to_meet_are_spread(
    engine: Engine, dataset: MakeDataset, looks: Callable[..., None]
) -> None:
    """Cells of 32 bits whose halves are the same met in one slot, where each was compared with all others."""
    names = np.arange(1 << 15, dtype=np.uint64) * np.uint64((1 << 16) + 1)
    for factor in np.random.default_rng(1).integers(1 << 63, size=9, dtype=np.uint64) | np.uint64(1):
        assert len(np.unique(names * factor >> np.uint64(64 - 17))) > len(names) // 8
    assert module._FACTOR % 2 == 1
    looks(SIZE, 32, SIZE, SIZE)
    places = np.random.default_rng(6).choice(names[: 1 << 14], 5_000)
    table = dataset(x=places.astype(float), y=np.zeros(len(places)))
    some = sample(engine, table, Layer("points", "x", "y", "count"), (24, 0))
    assert some is not None and counted(some.values) == counted(np.unique(places, return_counts=True)[1])


def test_a_category_without_labels_has_no_values(engine: Engine, dataset: MakeDataset) -> None:
    table = dataset(x=np.arange(3.0), y=np.arange(3.0), v=np.arange(3.0), k=pa.nulls(3, pa.string()))
    for agg in ("by(k)", "by(k, mean(v))"):
        some = sample(engine, table, Layer("points", "x", "y", agg), 0)
        assert some is not None and len(some.values) == len(some.weights) == 0


def test_a_line_has_none(engine: Engine, table: Dataset) -> None:
    layer = Layer("line", "x", "y", "any")
    assert engine.level_values(table, layer, (5, 5)) == ("tiles", None) and engine.level_source(table, layer) == "tiles"
