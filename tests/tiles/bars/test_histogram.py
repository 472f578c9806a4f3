"""Histograms are exact: what numpy makes of the column, at every depth, for every reduction."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import bigviz as bv
from bigviz.aggregate.layer import Layer
from bigviz.common.errors import BadInput, BigvizError
from bigviz.tiles.answers.bars import Bars
from bigviz.tiles.engine import Engine

from ...growing import Growing
from ...tables import kinds

COLUMNS = [
    "odd", "f32", "f16", "tiny", "denormal", "huge", "offset", "edges", "i8", "i64", "top", "u64", "middle", "flag",
    "decimal", "date", "stamp", "ms", "ns", "span", "time", "zero",
]  # fmt: skip


@pytest.fixture(scope="module")
def odd() -> bv.Dataset:
    return bv.open(kinds(), name="odd")


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(threads=1)


def numbers(dataset: bv.Dataset, name: str, box: tuple[Any, ...]) -> np.ndarray:
    """The rows of a column that are in no other place than the range."""
    column = dataset.column(name)
    values = column.values if column.valid is None else column.values[column.valid]
    values = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    return np.sort(values[(values >= values.dtype.type(box[0])) & (values <= values.dtype.type(box[2]))])


def counted(values: np.ndarray, bars: Bars, last: Any) -> np.ndarray:
    """Rows between edges, by comparing; the last bin of the range holds its upper edge."""
    wide = values.astype(np.float64) if values.dtype.kind == "f" else values.astype(bars.edges.dtype)
    places = np.searchsorted(wide, bars.edges)
    if len(places) and bars.edges[-1] >= last:
        places[-1] = np.searchsorted(wide, last, "right")
    return np.diff(places)


@pytest.mark.parametrize("name", COLUMNS)
def test_counts_are_those_of_the_column_at_every_depth(odd: bv.Dataset, engine: Engine, name: str) -> None:
    layer = Layer("histogram", name, "", xaxis="datetime" if odd.info(name).is_time else "linear", bins=13)
    layer.check(odd)
    box = engine.info(odd, layer).range
    assert box is not None
    values = numbers(odd, name, box)
    x0, x1 = box[0], max(box[2], box[0] + 1)
    whole = engine.bars(odd, layer, x0, x1)
    assert int(whole.values.sum()) == len(values)
    for share in (0, 1, 3, 6, 20):
        start = x0 + (x1 - x0) // 3 if isinstance(x0, int) else x0 + (x1 - x0) / 3
        width = (x1 - x0) >> share if isinstance(x0, int) else (x1 - x0) / 2**share
        if not start < start + width:
            continue
        bars = engine.bars(odd, layer, start, start + width)
        np.testing.assert_array_equal(bars.values[0], counted(values, bars, box[2]))
        assert bars.bins <= 13 + 2 and (np.diff(bars.edges) >= 0).all()


def test_all_of_the_range_is_numpy_histogram(engine: Engine) -> None:
    values = np.random.default_rng(3).gamma(2, 10, 10_000)
    values[::7] = np.round(values[::7])
    dataset = bv.open(pa.table({"fare": np.append(values, [np.nan, np.inf])}))
    layer = Layer("histogram", "fare", "", bins=50)
    bars = engine.bars(dataset, layer, values.min(), values.max())
    counts, edges = np.histogram(values, bins=50)
    np.testing.assert_array_equal(bars.values[0], counts)
    np.testing.assert_array_equal(bars.edges, edges)
    assert bars.values.dtype == np.int64
    log = Layer("histogram", "fare", "", xaxis="log", bins=20)
    whole = engine.info(dataset, log).range
    assert whole is not None
    counts, _ = np.histogram(np.log10(values[values > 0]), bins=20)
    np.testing.assert_array_equal(engine.bars(dataset, log, whole[0], whole[2]).values[0], counts)


def test_far_rows_are_in_no_bin(engine: Engine) -> None:
    values = np.append(np.arange(10_000.0), [-1e12])
    dataset = bv.open(pa.table({"x": values}))
    info = engine.info(dataset, Layer("histogram", "x", ""))
    assert info.range is not None and (info.range[0], info.rows_far) == (0, 1)
    full = engine.info(dataset, Layer("histogram", "x", "", root="full"))
    assert full.range is not None and (full.range[0], full.rows_far) == (-1e12, 0)


@pytest.mark.parametrize("agg", ["sum(v)", "mean(v)", "min(v)", "max(v)", "first(v)", "last(v)", "count(v)", "sum(i)"])
@pytest.mark.parametrize("ordered", [True, False])
def test_reductions_of_another_column(engine: Engine, agg: str, ordered: bool) -> None:
    rng = np.random.default_rng(5)
    x = np.sort(rng.random(3_000)) if ordered else rng.random(3_000)
    v, i = rng.normal(size=3_000), rng.integers(-50, 50, 3_000)
    v[::5] = np.nan
    dataset = bv.open(pa.table({"x": x, "v": v, "i": i}))
    layer = Layer("histogram", "x", "", agg, bins=9)
    layer.check(dataset)
    bars = engine.bars(dataset, layer, float(x.min()), float(x.max()))
    bins = np.clip(np.searchsorted(bars.edges, x, "right") - 1, 0, 8)
    name, column = agg.split("(")[0], {"v": v, "i": i}[agg[-2]]
    for each in range(9):
        inside = column[(bins == each) & ~np.isnan(column.astype(float))]
        want = {"first": lambda a: a[0], "last": lambda a: a[-1], "count": len}.get(name) or getattr(np, name)
        assert bars.values[0, each] == pytest.approx(want(inside), rel=1e-12)
        assert bars.rows[0, each] == (bins == each).sum()


def test_categories_are_stacked(engine: Engine) -> None:
    rng = np.random.default_rng(6)
    x, kind, v = rng.random(2_000), rng.choice(["a", "b", "c"], 2_000), rng.integers(0, 9, 2_000)
    dataset = bv.open(pa.table({"x": x, "kind": kind, "v": v}))
    layer = Layer("histogram", "x", "", "by(kind, sum(v))", bins=5)
    layer.check(dataset)
    info = engine.info(dataset, layer)
    bars = engine.bars(dataset, layer, float(x.min()), float(x.max()))
    assert info.planes == bars.categories == ("a", "b", "c")
    for at, label in enumerate("abc"):
        want = np.histogram(x[kind == label], bars.edges, weights=v[kind == label])[0]
        np.testing.assert_array_equal(bars.values[at], want)
    assert info.range is not None and info.range[3] == bars.values.sum(axis=0).max()
    table = bars.table()
    assert table.column_names == ["start", "end", "value", "category"] and table.num_rows == 15


def test_a_table_that_grows_is_counted_in_each_version(engine: Engine) -> None:
    rng = np.random.default_rng(9)

    def more(rows: int) -> pa.Table:
        return pa.table(
            {"x": rng.normal(size=rows), "v": rng.integers(0, 9, rows), "kind": rng.choice(["a", "b"], rows)}
        )

    growing = Growing(more(500))
    steps = [lambda: None, lambda: growing.append(more(300)), lambda: growing.roll(200)]
    steps.append(lambda: growing.correct([250, 600], more(2)))
    for step in steps:
        step()
        dataset, table = growing.version(), growing.table
        x = table.column("x").to_numpy()
        for agg, weights in (("count", None), ("sum(v)", table.column("v").to_numpy())):
            bars = engine.bars(dataset, Layer("histogram", "x", "", agg, bins=8), x.min(), x.max())
            np.testing.assert_array_equal(bars.values[0], np.histogram(x, 8, weights=weights)[0])
        found = engine.bars(dataset, Layer("bar", "kind", ""), 0, 1)
        kinds_of = table.column("kind").to_pylist()
        assert found.values[0].tolist() == [kinds_of.count("a"), kinds_of.count("b")]


def test_a_table_without_rows_has_no_bars(engine: Engine) -> None:
    empty = bv.open(pa.table({"x": pa.array([], pa.float64())}))
    assert engine.info(empty, Layer("histogram", "x", "")).range is None
    assert engine.bars(empty, Layer("histogram", "x", ""), 0, 1).bins == 0


def test_edges_come_back_in_the_column_s_type(odd: bv.Dataset, engine: Engine) -> None:
    for name, kind in (("ms", "timestamp[ns, tz=America/New_York]"), ("span", "duration[ns]"), ("time", "time64[ns]"),
                       ("date", "timestamp[ns]"), ("i8", "int64"), ("f32", "double")):  # fmt: skip
        layer = Layer("histogram", name, "", xaxis="datetime" if odd.info(name).is_time else "linear")
        box = engine.info(odd, layer).range
        assert box is not None
        table = engine.bars(odd, layer, box[0], box[2]).table()
        assert str(table.schema.field("start").type) == kind and table.column("value").null_count == 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"y": "f32"}, "y"), ({"x": "word"}, "x"), ({"x": "nope"}, "x"), ({"bins": 0}, "bins"),
        ({"bins": 4097}, "bins"),
        ({"agg": "any"}, "agg"), ({"agg": "mean(ms)"}, "agg"), ({"agg": "by(word, mean(f32))"}, "agg"),
        ({"agg": "sum(word)"}, "agg"), ({"xaxis": "mercator", "yaxis": "mercator"}, "xaxis"),
        ({"yaxis": "datetime"}, "yaxis"), ({"glyph": "bar"}, "x"), ({"sort": "size"}, "sort"),
    ],
)  # fmt: skip
def test_what_has_no_histogram_is_refused(odd: bv.Dataset, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(BigvizError) as error:
        Layer(**{"glyph": "histogram", "x": "f32", "y": "", **changes}).check(odd)
    assert error.value.field == field


def test_bars_have_no_tiles(odd: bv.Dataset, engine: Engine) -> None:
    layer = Layer("histogram", "f32", "")
    with pytest.raises(BadInput, match="no tiles"):
        engine.image(odd, layer, 0, 1, 0, 1, 4, 4)
    with pytest.raises(BadInput, match="only a histogram and bar"):
        engine.bars(odd, Layer("points", "f32", "f32"), 0, 1)
    box = engine.info(odd, layer).range
    assert box is not None
    assert engine.rows(odd, layer, box[0], box[2], 0, 1, 5).column_names == ["row", "f32"]
