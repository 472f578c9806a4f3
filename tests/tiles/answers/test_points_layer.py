"""Images and rows of any window of a layer of points."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigviz.aggregate.canvas.canvas import Canvas
from bigviz.aggregate.glyphs.bins import Bins
from bigviz.aggregate.layer import Layer
from bigviz.data.dataset import Dataset
from bigviz.tiles.answers import points_layer as points_module
from bigviz.tiles.answers.points_layer import PointsLayer
from bigviz.tiles.engine import Engine
from bigviz.tiles.morton.order import MemoryOrder

MakeDataset = Callable[..., Dataset]
SIZE = 4000


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(threads=2)


@pytest.fixture(scope="module")
def table(dataset: MakeDataset) -> Dataset:
    """Floats with piles, gaps and far rows; integers; stamps; values; labels."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=SIZE), np.round(rng.normal(size=SIZE), 1)
    x[:500], y[:500] = 0.5, 0.5
    x[[7, 8]], y[[8, 9]] = 1e30, -1e30
    x[20:30] = np.nan
    return dataset(
        x=x,
        y=y.astype(np.float32),
        n=pa.array(rng.integers(-20, 20, SIZE), pa.int8(), mask=rng.random(SIZE) < 0.1),
        t=pa.array(1_700_000_000_000_000_000 + rng.integers(0, 1000, SIZE), pa.timestamp("ns")),
        v=rng.normal(size=SIZE).astype(np.float32),
        k=pa.array([["b", "a", None][k] for k in rng.integers(0, 3, SIZE)]),
    )


def draw_window(data: st.DataObject, values: np.ndarray) -> tuple[Any, Any]:
    """A window whose ends often are numbers of the column."""
    found = values[np.isfinite(values.astype(float))]
    edge = st.one_of(
        st.integers(0, len(found) - 1).map(lambda k: found[k].item()),
        st.sampled_from([found.min().item(), found.max().item()]),
    )
    if values.dtype.kind == "f":
        edge = st.one_of(edge, st.floats(-3, 3).map(lambda end: round(end, 9)))  # wide enough to be divided
    low, high = sorted((data.draw(edge), data.draw(edge)))
    return (low, high) if low < high else (low, high + (abs(high) or 1))


@settings(max_examples=80, deadline=None)
@given(
    st.data(),
    st.sampled_from(["x", "n", "t"]),
    st.sampled_from(["y", "v"]),
    st.sampled_from(["count", "any", "mean(v)", "max(v)", "min(n)", "by(k)", "sum(v)", "first(v)"]),
    st.sampled_from([1, 10**9]),
)
def test_images_equal_the_canvas_over_all_rows(
    engine: Engine, table: Dataset, data: st.DataObject, x: str, y: str, agg: str, sparse: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(points_module, "_SPARSE", sparse)  # gather the window's rows, or read the columns through
        (x0, x1), (y0, y1) = (draw_window(data, table.column(name).values) for name in (x, y))
        width, height = data.draw(st.sampled_from([1, 2, 33])), data.draw(st.sampled_from([1, 7, 64]))
        ours = engine.image(table, Layer("points", x, y, agg), x0, x1, y0, y1, width, height)
        canvas = Canvas(width, height, (x0, x1), (y0, y1))
        theirs = np.asarray(canvas.points(table, x, y, agg).values)
    stacked = np.ma.stack(ours, axis=-1) if agg.startswith("by") else ours[0]
    values = np.ma.filled(stacked.astype(float), np.nan)[::-1]
    expected = theirs.astype(float)
    assert values.shape == expected.shape and np.array_equal(values, expected, equal_nan=True)
    assert ours[0].dtype == {"count": "u4", "any": "u1", "mean(v)": "f8", "min(n)": "i1", "by(k)": "u4"}.get(
        agg, "f8" if agg == "sum(v)" else "f4"
    )


@settings(max_examples=100, deadline=None)
@given(
    st.data(),
    st.sampled_from(["x", "n", "t"]),
    st.sampled_from(["y", "n"]),
    st.sampled_from(["default", "full"]),
    st.sampled_from([0, 1, 17, 50_000]),
)
def test_rows_of_a_half_open_window(
    engine: Engine, table: Dataset, data: st.DataObject, x: str, y: str, root: str, limit: int
) -> None:
    (x0, x1), (y0, y1) = (draw_window(data, table.column(name).values) for name in (x, y))
    inside = np.ones(SIZE, np.bool_)
    for name, low, high in ((x, x0, x1), (y, y0, y1)):
        column = table.column(name)
        inside &= np.array([low <= value < high for value in column.values.tolist()])
        if column.valid is not None:
            inside &= column.valid
    layer = Layer("points", x, y, "mean(v)", root=root)
    found = engine.rows(table, layer, x0, x1, y0, y1, limit)
    assert found.schema.metadata == {b"matched": str(inside.sum()).encode()}
    rows = found.column("row").to_numpy()
    assert len(rows) == min(limit, inside.sum()) and inside[rows].all() and len(set(rows.tolist())) == len(rows)
    assert found.column_names == ["row", *dict.fromkeys((x, y, "v"))]
    assert found.column("v").to_pylist() == table.arrow(["v"]).column("v").take(rows).to_pylist()
    everything = engine.rows(table, layer, x0, x1, y0, y1, 50_000).column("row").to_numpy()
    assert (everything[:limit] == rows).all()  # the first of them, in store order
    order = engine.layers.ready(table, layer).order  # type: ignore[union-attr]
    place = {row: k for k, row in enumerate(order.rows.tolist() + order.far.tolist())}
    assert [place[row] for row in everything.tolist()] == sorted(place[row] for row in everything.tolist())


def test_rows_have_their_own_types(engine: Engine, table: Dataset) -> None:
    stamps = table.column("t").values
    found = engine.rows(
        table, Layer("points", "t", "n", "by(k)"), int(stamps.min()), int(stamps.max()) + 1, -100, 100, 5
    )
    assert [str(field.type) for field in found.schema] == ["int64", "timestamp[ns]", "int8", "string"]


def test_far_rows_come_last(engine: Engine, table: Dataset) -> None:
    found = engine.rows(table, Layer("points", "x", "y"), -1e31, 1e31, -1e31, 1e31, 50_000)
    assert found.column("row").to_pylist()[-3:] == [7, 8, 9]


def test_a_wide_window_does_not_look_at_its_inside(engine: Engine, dataset: MakeDataset) -> None:
    rng = np.random.default_rng(2)
    table = dataset(x=rng.normal(size=300_000), y=rng.normal(size=300_000))
    layer = Layer("points", "x", "y")
    looked: list[int] = []
    numbers = MemoryOrder.numbers

    def watched(self: MemoryOrder, which: int, positions: Any) -> Any:
        looked.append(len(positions))
        return numbers(self, which, positions)

    engine.ensure(table, layer)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MemoryOrder, "numbers", watched)
        found = engine.rows(table, layer, -1.0, 1.0, -1.0, 1.0, 10)
    assert int(found.schema.metadata[b"matched"]) > 100_000 and 0 < sum(looked) < 60_000


def test_a_window_may_end_beyond_what_a_float32_holds(engine: Engine, table: Dataset) -> None:
    layer = Layer("points", "x", "y", "count")
    (counts,) = engine.image(table, layer, -1e30, 1e30, -1e300, 1e300, 1, 1)
    assert counts.tolist() == [[SIZE - 10]]


def test_logarithmic_windows_are_in_axis_space(engine: Engine, dataset: MakeDataset) -> None:
    table = dataset(x=np.array([1.0, 10.0, 100.0, 1000.0, -5.0]), y=np.ones(5))
    layer = Layer("points", "x", "y", xaxis="log")
    assert engine.image(table, layer, 0.0, 2.0, 0.0, 2.0, 2, 1)[0].tolist() == [[1, 2]]
    assert engine.rows(table, layer, 0.0, 2.0, 0.0, 2.0).column("row").to_pylist() == [0, 1]


@pytest.mark.parametrize("agg", ["count", "mean(v)", "first(v)", "by(k)", "min(n)"])
def test_a_wide_image_is_the_same_from_the_dataset(engine: Engine, table: Dataset, agg: str) -> None:
    built = engine.layers.ready(table, Layer("points", "x", "n", agg))
    assert isinstance(built, PointsLayer)
    read = replace(built, dataset=table)
    for x0, x1 in ((-3.0, 3.0), (-1e30, 1e30)):
        bins = Bins(x0, x1, 33, name="x0"), Bins(-30, 30, 20, name="y0")
        for one, other in zip(built.image(table, *bins), read.image(table, *bins), strict=True):
            assert one.dtype == other.dtype and np.array_equal(np.ma.getmaskarray(one), np.ma.getmaskarray(other))
            assert np.array_equal(np.ma.filled(one, 0), np.ma.filled(other, 0), equal_nan=one.dtype.kind == "f")
