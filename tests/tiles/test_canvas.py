"""Canvas over files with an index on the disk, against Canvas over the same rows without one, bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bigviz.aggregate.canvas import canvas as plain
from bigviz.aggregate.layer import Layer
from bigviz.common.errors import NotFound
from bigviz.data.dataset import Dataset
from bigviz.data.open import open as open_source
from bigviz.tiles import canvas as module
from bigviz.tiles.answers.ordered import counted_image, key_places, ordered_image, placed_rows, runs
from bigviz.tiles.canvas import Canvas
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.store.catalog.directory import StoreDirectory

ROWS = 30_000
AXES = [("x", "y"), ("n", "m"), ("a", "s")]
AGGS = ["count", "any", "count(v)", "min(v)", "max(v)", "first(v)", "last(n)", "by(k)", "by(k, max(v))"]


@pytest.fixture(scope="module")
def table() -> pa.Table:
    """Floats with piles, and with numbers that 32 bits of a cell do not tell; integers; values with -0; labels; NaN;
    stamps."""
    rng = np.random.default_rng(6)
    x, y = rng.normal(size=(2, ROWS)).astype(np.float32)
    x[:3_000] *= np.float32(1e-7)
    y[:3_000] *= np.float32(1e-7)
    x[3_000:9_000], y[3_000:9_000] = 0.5, 0.25
    v = np.round(rng.normal(size=ROWS), 1).astype(np.float32)
    k = [["b", "a", None][k] for k in rng.integers(0, 3, ROWS)]
    n = rng.integers(-50, 50, ROWS)
    o = pa.DictionaryArray.from_arrays(rng.integers(0, 2, ROWS).astype(np.int8), ["low", "high", "never"], ordered=True)
    a = np.where(rng.random(ROWS) < 0.1, np.nan, np.round(rng.normal(size=ROWS), 2)) * rng.choice([1, 1e-9], ROWS)
    s = pa.array(1_700_000_000_000_000_000 + rng.integers(-3_000, 3_000, ROWS), pa.timestamp("ns"))
    columns = {"o": o, "x": x, "y": y, "v": v, "n": n, "m": n[::-1], "k": k, "w": np.abs(v) + np.float32(1)}
    return pa.table({**columns, "a": a, "s": s})


@pytest.fixture(scope="module")
def path(table: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The table as a file, with indexes of x and y, of n and m, of a and s, and of a line."""
    folder = tmp_path_factory.mktemp("canvas")
    found = folder / "table.parquet"
    pq.write_table(table.append_column("t", pa.array(np.arange(ROWS))), found)
    stores = StoreDirectory(folder / "stores")
    points = (Layer("points", *axes) for axes in AXES)
    for layer in (*points, Layer("line", "t", "v", "any")):
        stores.build(open_source(found), OrderSpec.of(layer), ["v"] if layer.x == "x" else [])
    return found


@pytest.fixture(autouse=True)
def indexes(path: Path) -> Any:
    """The indexes of this module, in the place of the user's; what is drawn without them fails."""
    stores = StoreDirectory(path.parent / "stores")
    engine = Engine(threads=2, cache_bytes=0, stores=stores, index="existing")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_stores", lambda: stores)
        patch.setattr(module, "_engine", lambda: engine)
        yield


def drawn(path: Path | Dataset, glyph: str, x: str, y: str, agg: str, **options: Any) -> xr.DataArray:
    """An image from an index: reading a column through is a failure."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain.Canvas, "_drawn", None)
        image: xr.DataArray = getattr(Canvas(**options), glyph)(path, x, y, agg)
    return image


@pytest.mark.parametrize("agg", AGGS)
@settings(max_examples=16, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_images_are_those_of_all_rows(table: pa.Table, path: Path, agg: str, data: st.DataObject) -> None:
    x, y = data.draw(st.sampled_from(AXES))
    windows = [window(table, name, data) for name in (x, y)]
    sizes = [data.draw(st.sampled_from([1, 2, 7, 200])) for _ in range(2)]
    options: dict[str, Any] = dict(zip(("plot_width", "plot_height", "x_range", "y_range"), [*sizes, *windows]))  # noqa: B905
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ordered_image, "BLOCK", 1 << 10)
        patch.setattr(runs, "BLOCK", 1 << 10)
        patch.setattr(counted_image, "_PIECE", 1 << 12)
        patch.setattr(counted_image, "_LEFT", data.draw(st.sampled_from([1, 1 << 13])))
        patch.setattr(counted_image, "_FEWEST_TILES", data.draw(st.sampled_from([1, 16])))
        patch.setattr(ordered_image, "_MANY", data.draw(st.sampled_from([1, 1 << 30])))
        patch.setattr(ordered_image, "_CLOSE", data.draw(st.sampled_from([0.0, 12.0])))
        chunk = data.draw(st.sampled_from([3, 1 << 11]))
        patch.setattr(counted_image, "_SMALL_PIECE", 1 << 12)
        patch.setattr(counted_image, "CHUNK", chunk)
        patch.setattr(placed_rows, "CHUNK", chunk)
        patch.setattr(key_places, "_WIDEST", data.draw(st.sampled_from([0.5, 128.0])))
        ours = drawn(path, "points", x, y, agg, **options)
    theirs = plain.Canvas(**options).points(table, x, y, agg)
    assert ours.identical(theirs) and ours.dtype == theirs.dtype
    assert np.ascontiguousarray(ours.values).tobytes() == np.ascontiguousarray(theirs.values).tobytes()


def window(table: pa.Table, name: str, data: st.DataObject) -> tuple[float, float]:
    """A window of a column that ends on its values, on edges of its cells, or anywhere; of one row, of all, or of
    none."""
    column = table.column(name)
    values = st.integers(0, ROWS - 1).map(lambda row: column[row].value if name == "s" else column[row].as_py())
    if name == "s":
        ends = values | st.sampled_from([1_700_000_000_000_000_000, 1_699_999_999_999_990_000])
        least: float = 1
    else:
        ends = values.filter(np.isfinite) | st.sampled_from([-3.0, -1.0, -1e-8, 0.0, 0.25, 0.5, 1e-7, 2.0, 50.0])
        ends |= st.floats(-3, 3) | st.integers(-64, 64).map(lambda k: k / 16)
        least = 1e-9
    low, high = sorted((data.draw(ends), data.draw(ends)))
    return (low, high) if high - low > least else (low, low + 1)


@pytest.mark.parametrize("agg", ["sum(v)", "mean(w)", "by(k, mean(v))"])
def test_sums_are_as_good_and_always_the_same(table: pa.Table, path: Path, agg: str) -> None:
    options: dict[str, Any] = {"plot_width": 9, "plot_height": 5}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bigviz.tiles.answers.points_layer._FILE_ORDER", 0)
        ours, again = (drawn(path, "points", "x", "y", agg, **options) for _ in range(2))
    theirs = plain.Canvas(**options).points(table, "x", "y", agg)
    assert ours.identical(again) and ours.attrs == theirs.attrs
    xr.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-9)


def test_ranges_of_whole_numbers_are_floats_too(table: pa.Table, path: Path) -> None:
    """As datashader has them: beyond 2^53 they are others than the whole numbers."""
    ours = drawn(path, "points", "n", "m", "count", plot_width=6, plot_height=4)
    assert repr(ours.attrs) == repr(plain.Canvas(6, 4).points(table, "n", "m").attrs)


def test_lines_of_an_index_are_those_of_all_rows(path: Path) -> None:
    for options in ({}, {"x_range": (100.5, 900.25), "y_range": (-1, 2)}):
        size: dict[str, Any] = {"plot_width": 150, "plot_height": 40, **options}
        assert drawn(path, "line", "t", "v", "any", **size).identical(
            plain.Canvas(**size).line(str(path), "t", "v", "any")
        )


def test_what_an_index_does_not_tell_is_read(table: pa.Table, path: Path) -> None:
    """Other columns, reversed ranges, log axes, lines that turn back, and columns that there are not."""
    for x, glyph, options in (
        ("v", "points", {}),
        ("x", "points", {"x_range": (1, 0)}),
        ("x", "points", {"x_axis_type": "log", "x_range": (0.1, 2)}),
        ("x", "line", {}),
    ):
        size: dict[str, Any] = {"plot_width": 6, "plot_height": 4, **options}
        ours = getattr(Canvas(**size), glyph)(path, x, "y")
        assert ours.identical(getattr(plain.Canvas(**size), glyph)(table, x, "y"))
    ours = Canvas(6, 4).points(path, "x", "y", "by(o)")
    assert ours.identical(plain.Canvas(6, 4).points(table, "x", "y", "by(o)")) and ours.o.values[0] == "low"
    with pytest.raises(NotFound, match="'z'"):
        Canvas().points(path, "z", "y")


def test_what_an_engine_has_in_order_is_drawn_from_there(table: pa.Table) -> None:
    """A table in memory, whose layer another engine of the process answers for, or whose rows it has in order."""
    dataset = open_source(table)
    engine = Engine(threads=2)
    size: dict[str, Any] = {"plot_width": 30, "plot_height": 20, "x_range": (-1, 1.5), "y_range": (-2, 0.25)}
    engine.ensure(dataset, Layer("points", "x", "y"))
    engine.ensure(dataset, Layer("line", "n", "v", "any"))
    own = Engine(threads=2, cache_bytes=0, index="existing", images_only=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_stores", lambda: None)
        patch.setattr(module, "_engine", lambda: own)
        for agg in ("count", "max(v)", "by(k, count())"):
            ours = drawn(dataset, "points", "x", "y", agg, **size)
            assert ours.identical(plain.Canvas(**size).points(table, "x", "y", agg))
        with pytest.raises(TypeError):
            drawn(dataset, "points", "y", "x", "count", **size)  # nobody has that in order
        line = Canvas(**size).line(dataset, "n", "v")  # the order of its rows is not that of x
        assert line.identical(plain.Canvas(**size).line(table, "n", "v"))
    assert own.memory()["pyramids"] == 0
