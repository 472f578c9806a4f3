"""Columns, images and rows of a line."""

import json
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from bigviz.aggregate.canvas.canvas import Canvas
from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import Cancel
from bigviz.common.errors import Cancelled
from bigviz.data.dataset import Dataset
from bigviz.tiles.engine import Engine

MakeDataset = Callable[..., Dataset]
SIZE = 20_000
LAYER = Layer("line", "t", "v", "any", "datetime")


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(threads=2)


@pytest.fixture(scope="module")
def walk(dataset: MakeDataset) -> Dataset:
    rng = np.random.default_rng(1)
    t = pa.array(1_600_000_000_000 + rng.integers(0, 2000, SIZE).cumsum(), pa.timestamp("ms"))
    return dataset(t=t, v=pa.array(rng.normal(size=SIZE).cumsum().astype(np.float32), mask=rng.random(SIZE) < 0.001))


def spans(engine: Engine, table: Dataset) -> list[tuple[int, int]]:
    facts = engine.info(table, LAYER).range
    assert facts is not None
    x0, x1 = int(facts[0]), int(facts[2])
    return [(x0, x1), (x0 + (x1 - x0) // 3, x0 + (x1 - x0) // 2), (x0 - 10**12, x0 + 10**10), (x1 + 5, x1 + 10)]


def test_columns_are_true_rows_in_order(engine: Engine, walk: Dataset) -> None:
    stamps, heights = walk.column("t").values, walk.column("v").values
    for x0, x1 in spans(engine, walk):
        found = engine.columns(walk, LAYER, x0, x1, 300)
        assert found.column.dtype == found.run.dtype == np.int32 and found.row.dtype == np.int64
        assert (found.x == stamps[found.row]).all() and (found.y == heights[found.row]).all()
        assert (np.diff(found.row) > 0).all() and (np.diff(found.column) >= 0).all()
        inside = (found.x >= x0) & (found.x <= x1)
        assert (((found.column >= 0) & (found.column < 300)) == inside).all()
        assert found.cost.rows == len(found.row) and found.width == 300
        table = found.table(walk)
        assert table.column_names == ["column", "run", "row", "t", "v"]
        assert table.schema.field("t").type == pa.timestamp("ms") and table.schema.field("v").type == pa.float32()
        assert table.column("v").to_pylist() == found.y.tolist()
        assert json.loads(table.schema.metadata[b"flagged"]) == found.flagged


def test_unsorted_lines_are_drawn_in_x_order(engine: Engine, dataset: MakeDataset) -> None:
    rng = np.random.default_rng(2)
    x = np.round(rng.normal(size=1000), 1)
    table = dataset(x=x, y=rng.normal(size=1000))
    layer = Layer("line", "x", "y", "any")
    assert not engine.info(table, layer).sorted
    found = engine.columns(table, layer, -5.0, 5.0, 100_000)
    order = np.argsort(x, kind="stable")
    place = np.empty(1000, np.int64)
    place[order] = np.arange(1000)
    assert (np.diff(place[found.row]) > 0).all()
    rows = engine.rows(table, layer, -0.5, 0.5, -9.0, 9.0, 1000)
    kept = [row for row in order.tolist() if -0.5 <= x[row] < 0.5]
    assert rows.column("row").to_pylist() == kept and rows.schema.metadata == {b"matched": str(len(kept)).encode()}


def test_images_equal_the_canvas_over_all_rows(engine: Engine, walk: Dataset) -> None:
    facts = engine.info(walk, LAYER).range
    assert facts is not None
    for (x0, x1), shrink in zip(spans(engine, walk), (0.0, 0.3, 0.0, 0.1), strict=True):
        low, high = float(facts[1]), float(facts[3])
        y0, y1 = low + shrink * (high - low), high - shrink * (high - low) / 2
        ours = engine.image(walk, LAYER, x0, x1, y0, y1, 200, 100)[0]
        theirs = Canvas(200, 100, (x0, x1), (y0, y1)).line(walk, "t", "v").values
        assert ours.dtype == np.uint8 and (ours[::-1] == theirs).all()


def test_images_with_many_gaps_are_drawn_from_all_rows(engine: Engine, dataset: MakeDataset) -> None:
    rng = np.random.default_rng(3)
    heights = rng.normal(size=5000)
    heights[::7] = np.nan
    table = dataset(x=np.arange(5000), y=heights)
    layer = Layer("line", "x", "y", "any")
    assert len(engine.columns(table, layer, 100, 4000, 50).flagged) == 50
    ours = engine.image(table, layer, 100, 4000, -4.0, 4.0, 50, 40)[0]
    theirs = Canvas(50, 40, (100, 4000), (-4.0, 4.0)).line(table, "x", "y").values
    assert (ours[::-1] == theirs).all()


def test_rows_of_a_half_open_window(engine: Engine, walk: Dataset) -> None:
    stamps, column = walk.column("t").values, walk.column("v")
    x0, x1 = int(stamps[100]), int(stamps[9000])
    inside = (stamps >= x0) & (stamps < x1) & (column.values >= 0) & (column.values < 50)
    for limit in (0, 5, 50_000):
        found = engine.rows(walk, LAYER, x0, x1, 0.0, 50.0, limit)
        assert found.column("row").to_pylist() == np.flatnonzero(inside)[:limit].tolist()
        assert found.schema.metadata == {b"matched": str(inside.sum()).encode()}


def test_nulls_of_integers_are_in_no_window(engine: Engine, dataset: MakeDataset) -> None:
    table = dataset(x=np.arange(5), y=pa.array([1, None, 0, None, 3], pa.int16()))
    layer = Layer("line", "x", "y", "any")
    assert engine.rows(table, layer, 0, 10, -5, 5).column("row").to_pylist() == [0, 2, 4]
    found = engine.columns(table, layer, 0, 4, 10)
    assert found.row.tolist() == [0, 2, 4] and found.run.tolist() == [0, 1, 2]


def test_a_raised_flag_stops(engine: Engine, walk: Dataset) -> None:
    cancel = Cancel()
    cancel.cancel()
    for ask in (
        lambda: engine.columns(walk, LAYER, 0, 10, 10, cancel),
        lambda: engine.rows(walk, LAYER, 0, 2**62, -1e9, 1e9, 10, cancel),
    ):
        with pytest.raises(Cancelled):
            ask()
