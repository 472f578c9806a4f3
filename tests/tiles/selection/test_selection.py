"""Rows that an engine selects, and their statistics, against numpy and pandas: in memory, from stores, in passes, over
parts, and of lines."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bigviz as bv
from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import Cancel
from bigviz.common.errors import BadInput, BigvizError, Cancelled, NotFound
from bigviz.data.columns.column import Column
from bigviz.data.dataset import Dataset
from bigviz.tiles import disk_indexes
from bigviz.tiles.answers.row_lookup import RowOrder
from bigviz.tiles.engine import Engine
from bigviz.tiles.selection.region import Lasso, Rectangle, Region, Strip
from bigviz.tiles.selection.selection import Selection
from bigviz.tiles.selection.statistics import Summary
from bigviz.tiles.store.catalog.directory import StoreDirectory

from ...growing import Growing
from ...tables import kinds
from .test_polygon import has

ROWS = 6_000
POINTS = Layer("points", "x", "y", "mean(v)")
STATS = ("v", "n", "x", "t", "far")


def make_table() -> pa.Table:
    rng = np.random.default_rng(4)
    x, y = rng.normal(0, 1, (2, ROWS)).round(2)
    x[:3], y[3:6] = 1e30, [np.nan, np.inf, -1e30]
    kind = pa.array(np.array(["a", "b", "c"])[rng.integers(0, 3, ROWS)], mask=rng.random(ROWS) < 0.1)
    return pa.table(
        {
            "x": x,
            "y": y.astype(np.float32),
            "v": pa.array(rng.normal(5, 1, ROWS), mask=rng.random(ROWS) < 0.2),
            "n": pa.array(rng.integers(-5, 50, ROWS).astype(np.int16), mask=rng.random(ROWS) < 0.2),
            "t": pa.array(10**18 + rng.integers(0, 10**15, ROWS)).cast(pa.timestamp("ns")),
            "far": pa.array(rng.random(ROWS).astype(np.float32)),
            "kind": kind.dictionary_encode(),
        }
    )


TABLE = make_table()
FRAME = TABLE.to_pandas()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("selected") / "points.parquet"
    pq.write_table(TABLE, made, row_group_size=1_300)
    return made


@pytest.fixture(scope="module")
def engines(path: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Engine, Dataset]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(disk_indexes, "STORED_ROWS", 1)
        stored = Engine(stores=StoreDirectory(tmp_path_factory.mktemp("stores"), 1 << 30))
        files = bv.open(str(path))
        stored.publish(files, POINTS)
        stored.ensure(files, POINTS)
        growing = Growing(TABLE.slice(0, 1_500))
        parts = Engine()
        parts.ensure(growing.version(), POINTS)
        growing.append(TABLE.slice(1_500, 3_000))
        parts.ensure(growing.version(), POINTS)
        growing.append(TABLE.slice(4_500))
        scanning = Engine(index_bytes=1 << 16)
        scanned = bv.open(str(path))
        scanning.ensure(scanned, POINTS)
        assert scanning.readiness(scanned, POINTS) == "scanned"
    return {
        "memory": (Engine(), bv.open(TABLE)),
        "store": (stored, files),
        "parts": (parts, growing.version()),
        "passes": (scanning, scanned),
    }


@cache
def rows_in(shape: Region) -> np.ndarray[Any, Any]:
    """The rows in a shape, one by one in Python."""
    inside = np.zeros(ROWS, np.bool_)
    for k, (x, y) in enumerate(zip(FRAME["x"].tolist(), FRAME["y"].tolist(), strict=True)):
        if not (math.isfinite(x) and math.isfinite(y)):
            continue
        if isinstance(shape, Rectangle):
            inside[k] = shape.x[0] <= x < shape.x[1] and shape.y[0] <= y < shape.y[1]
        elif isinstance(shape, Strip):
            inside[k] = shape.x[0] <= x < shape.x[1]
        elif isinstance(shape, Lasso):
            inside[k] = has(list(shape.polygon.vertices), x, y)
    return np.flatnonzero(inside)


STAR = [(math.cos(k * 4 * math.pi / 5) * 1.5, math.sin(k * 4 * math.pi / 5) * 1.5) for k in range(5)]
SHAPES: dict[str, Region] = {
    "box": Rectangle((-0.5, 1.0), (0.25, 2.0)),
    "empty": Rectangle((50.0, 51.0), (0.0, 1.0)),
    "far": Rectangle((-1.0, 1e31), (-1e31, 0.5)),
    "range": Strip((-0.25, 1e29)),
    "star": Lasso.of([*STAR]),
    "grid": Lasso.of([(-1, -1), (1.0, -1), (0.5, 0.5), (1, 1), (-1, 1)]),
    "wide": Lasso.of([(-1e31, -1e31), (1e31, -1e31), (0.0, 1e31)]),
    "thin": Lasso.of([(0.0, 0.0), (1e-9, 0.0), (1.0, 1.0)]),
}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("kind", ["memory", "store", "parts", "passes"])
def test_rows_and_statistics_are_those_of_the_table(engines: dict[str, tuple[Engine, Dataset]], kind: str, name: str):
    engine, dataset = engines[kind]
    rows = rows_in(SHAPES[name])
    found = engine.select(dataset, POINTS, SHAPES[name], STATS, "kind")
    assert found.rows().tolist() == rows.tolist() and found.count == len(rows)
    assert_stats(found, FRAME.iloc[rows])
    few = found.table(["kind", "n"], limit=7)
    assert few.to_pylist() == TABLE.select(["kind", "n"]).take(rows[:7]).to_pylist()


def assert_stats(found: Selection, frame: pd.DataFrame) -> None:
    for name in STATS:
        assert_summary(found.stats[name], frame[name])
    told = {group.label: group for group in found.groups or ()}
    counts = frame["kind"].astype(object).where(frame["kind"].notna(), None).value_counts(dropna=False).to_dict()
    assert {label: group.count for label, group in told.items()} == counts
    for label, group in told.items():
        here = frame[frame["kind"].isna() if label is None else frame["kind"] == label]
        for name in STATS:
            assert_summary(group.stats[name], here[name])


def assert_summary(found: Summary, column: pd.Series) -> None:
    values = column.dropna()
    assert found.count == len(values)
    if not len(values):
        assert found == Summary(0)
        return
    if values.dtype.kind == "M":
        numbers = values.astype("int64")
        assert (found.min, found.max) == (numbers.min(), numbers.max())
        assert abs(found.mean - sum(numbers.tolist()) / len(numbers)) <= 256
        wanted = [np.quantile(numbers - 10**18, q, method="linear") + 10**18 for q in (0.25, 0.5, 0.75)]
        assert all(abs(a - b) <= 128 for a, b in zip((found.q25, found.median, found.q75), wanted, strict=True))
        return
    assert (found.min, found.max) == (values.min(), values.max())
    np.testing.assert_allclose(found.mean, values.mean(), rtol=1e-6)
    wanted = np.quantile(values.to_numpy().astype(np.float64), [0.25, 0.5, 0.75], method="linear")
    assert [found.q25, found.median, found.q75] == wanted.tolist()


@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-4, 4), st.floats(-4, 4)), min_size=3, max_size=12),
    st.sampled_from([2, None]),
)
def test_any_lasso(engines: dict[str, tuple[Engine, Dataset]], vertices: Any, digits: int | None):
    """With digits, vertices lie on the rows' own grid."""
    corners = [(round(x, digits), round(y, digits)) if digits else (x, y) for x, y in vertices]
    shape = Lasso.of(corners)
    inside = shape.holds(FRAME["x"].to_numpy(), FRAME["y"].to_numpy())
    for engine, dataset in (engines["memory"], engines["store"]):
        assert np.array_equal(engine.select(dataset, POINTS, shape).rows(), np.flatnonzero(inside))


@pytest.mark.parametrize("name", ["box", "range", "star", "empty"])
def test_rows_of_a_line(name: str):
    order = np.argsort(FRAME["x"].to_numpy(), kind="stable")
    dataset = bv.open(TABLE.take(order))
    rows = np.flatnonzero(np.isin(order, rows_in(SHAPES[name])))
    found = Engine().select(dataset, Layer("line", "x", "y", "any"), SHAPES[name], ["v"])
    assert found.rows().tolist() == rows.tolist()
    assert_summary(found.stats["v"], FRAME["v"].iloc[order[rows]])


def test_statistics_of_every_kind_of_column():
    """Against numpy, on the numbers that the column has on an axis."""
    table = kinds()
    dataset, engine = bv.open(table), Engine()
    layer = Layer("points", "plain", "edges")
    shape = Rectangle((-1.0, 1.5), (-3.0, 3.0))
    rows = engine.select(dataset, layer, shape).rows()
    for info in dataset.columns():
        if info.kind == "category":
            with pytest.raises(BadInput, match="stats are of numbers"):
                engine.select(dataset, layer, shape, [info.name])
            continue
        found = engine.select(dataset, layer, shape, [info.name], "flag").stats[info.name]
        column: Column = dataset.column(info.name)
        valid = np.ones(len(column), np.bool_) if column.valid is None else column.valid
        values = column.values[rows][valid[rows]]
        values = values[~np.isnan(values)] if values.dtype.kind == "f" else values
        assert found.count == len(values), info.name
        if len(values):
            ranked = np.sort(values)
            assert (found.min, found.max) == (ranked[0], ranked[-1]), info.name
            for q, value in ((0.25, found.q25), (0.5, found.median), (0.75, found.q75)):
                low, high = ranked[math.floor(q * (len(values) - 1))], ranked[math.ceil(q * (len(values) - 1))]
                assert low <= value <= high, info.name


@pytest.mark.parametrize(
    ("layer", "shape", "text"),
    [
        (POINTS, Rectangle((-0.5, 1), (0.25, 2.0)), "x >= -0.5 and x < 1 and y >= 0.25 and y < 2.0"),
        (POINTS, Strip((0, 1)), "x >= 0 and x < 1"),
        (Layer("histogram", "x", ""), Rectangle((0, 1), (-5.0, 9.0)), "x >= 0 and x < 1"),
        (Layer("bar", "kind", ""), Rectangle((-0.5, 1.5), (0, 9)), "kind in ('a', 'b')"),
        (POINTS, SHAPES["star"], None),
        (
            Layer("points", "t", "kind", xaxis="datetime"),
            Rectangle((10**18, 10**18 + 1_500_000_000), (0.5, 2.5)),
            "t >= '2001-09-09T01:46:40' and t < '2001-09-09T01:46:41.5' and kind in ('b', 'c')",
        ),
        (Layer("points", "v", "y", xaxis="log"), Strip((0.0, 1.0)), "v >= 1.0 and v < 10.0"),
        (Layer("points", "v", "y", xaxis="log"), Strip((0.0, 1e300)), "v >= 1.0 and v < 1.7976931348623157e+308"),
        (
            Layer("points", "x", "y", xaxis="mercator", yaxis="mercator"),
            Rectangle((0.5, 1e308), (-1e300, 1e300)),
            "x >= 0.0 and x < 1.7976931348623157e+308 and y >= -85.0511287798066 and y < 85.05112877980662",
        ),
        (Layer("points", "v", "y", xaxis="log"), Strip((-1e300, 0.0)), "v >= 5e-324 and v < 1.0"),
    ],
)
def test_a_box_as_a_filter(layer: Layer, shape: Region, text: str | None):
    dataset = bv.open(TABLE)
    assert Engine().select(dataset, layer, shape).expression == text


@pytest.mark.parametrize("kind", [pa.timestamp("ns"), pa.timestamp("s"), pa.date32()], ids=str)
def test_ends_beyond_all_dates_keep_the_rows_between(kind: pa.DataType):
    days = np.array([-100_000, -1, 0, 100_000])
    dates = pa.array(days.astype(np.int32), pa.date32()).cast(kind)
    dataset, engine = bv.open(pa.table({"t": dates, "y": np.arange(4.0)})), Engine()
    at = [int(each) * 86_400 * 10**9 for each in days]
    for low, high in ((-1e300, 1e300), (-1e30, 0), (0, 10**25), (1e25, 1e300), (-1e300, -1e25)):
        found = engine.select(dataset, Layer("points", "t", "y", xaxis="datetime"), Strip((low, high)))
        assert found.count == sum(low <= each < high for each in at)
        filtered = Layer("points", "t", "y", xaxis="datetime", filter=found.expression or "")
        engine.ensure(dataset, filtered)
        assert engine.info(dataset, filtered).rows_kept == found.count


@pytest.mark.parametrize(
    ("stats", "by", "field", "error"),
    [
        (["nope"], None, "stats", NotFound),
        (["kind"], None, "stats", BadInput),
        (["v"] * 17, None, "stats", BadInput),
        ([], "v", "by", BadInput),
        ([], "nope", "by", NotFound),
    ],
)
def test_what_cannot_be_told(stats: list[str], by: str | None, field: str, error: type[BigvizError]):
    with pytest.raises(error) as caught:
        Engine().select(bv.open(TABLE), POINTS, SHAPES["box"], stats, by)
    assert caught.value.field == field


def test_groups_by_whole_numbers_and_by_too_many():
    dataset = bv.open(TABLE.append_column("id", pa.array(np.arange(ROWS))))
    found = Engine().select(dataset, POINTS, SHAPES["box"], [], "n")
    counts = FRAME["n"].iloc[rows_in(SHAPES["box"])].value_counts(dropna=False)
    assert {group.label: group.count for group in found.groups or ()} == {
        None if math.isnan(number) else str(int(number)): count for number, count in counts.items()
    }
    with pytest.raises(BadInput, match="at most 64 labels"):
        Engine().select(dataset, POINTS, SHAPES["box"], [], "id")


def test_a_selection_that_nobody_waits_for_ends():
    cancel = Cancel()
    cancel.cancel()
    engine, dataset = Engine(), bv.open(TABLE)
    engine.ensure(dataset, POINTS)
    with pytest.raises(Cancelled):
        engine.select(dataset, POINTS, SHAPES["star"], ["v"], cancel=cancel)


@pytest.mark.parametrize("name", ["v", "n", "x", "t", "far", "kind"])
@pytest.mark.parametrize("where", ["memory", "store", "parts", "passes"])
def test_the_first_rows_of_a_window_are_those_of_a_sorted_table(
    engines: dict[str, tuple[Engine, Dataset]], where: str, name: str
) -> None:
    engine, dataset = engines[where]
    for key, descending, limit in (("box", False, 7), ("far", True, 400), ("empty", False, 3), ("box", True, 10**4)):
        shape = SHAPES[key]
        inside = rows_in(shape)
        frame = pd.DataFrame({name: dataset.take(np.arange(dataset.num_rows), [name])[name].to_pandas()}).loc[inside]
        if name == "kind":
            frame[name] = frame[name].astype(object)
        expected = frame.sort_values(name, ascending=not descending, kind="stable", na_position="last").index[:limit]
        found = engine.first_rows(dataset, POINTS, shape.x, shape.y, RowOrder(name, descending), limit, ["v", name])
        assert found["row"].to_pylist() == expected.tolist()
        assert int(found.schema.metadata[b"matched"]) == len(inside)
        assert found.drop_columns("row").equals(dataset.take(found["row"].to_numpy(), found.column_names[1:]))


@pytest.mark.parametrize("where", ["memory", "store", "parts", "passes"])
def test_statistics_of_rows_that_a_filter_keeps(engines: dict[str, tuple[Engine, Dataset]], where: str) -> None:
    engine, dataset = engines[where]
    layer = Layer("points", "x", "y", "mean(v)", filter="n > 20 or kind = 'a'")
    kept = (FRAME["n"] > 20) | (FRAME["kind"] == "a")
    rows = np.intersect1d(rows_in(SHAPES["star"]), np.flatnonzero(kept.fillna(False).to_numpy(bool)))
    found = engine.select(dataset, layer, SHAPES["star"], STATS, "kind")
    assert found.rows().tolist() == rows.tolist()
    assert_stats(found, FRAME.iloc[rows])
