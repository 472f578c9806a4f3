"""Filtered layers: what is drawn of a filter is what is drawn of a table whose other rows have no x, at the roots of
all rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import bigviz as bv
from bigviz.aggregate.axis import Axis
from bigviz.aggregate.layer import Layer
from bigviz.aggregate.spaces import LINEAR
from bigviz.common.workers import Crew, slices
from bigviz.data.dataset import Dataset
from bigviz.data.formats import parquet
from bigviz.tiles.answers.points_layer import PointsLayer
from bigviz.tiles.engine import Engine
from bigviz.tiles.estimates.filtered_sample import FilteredSample
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.grid.row_filter import RowFilter, hidden
from bigviz.tiles.grid.survey import survey
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.morton import filtered_order, packed_mask
from bigviz.tiles.morton.filtered_order import FilteredOrder
from bigviz.tiles.morton.order import build_order
from bigviz.tiles.pyramid.layer_columns import gather_inputs
from bigviz.tiles.scans.scanned_layer import ScannedLayer
from bigviz.tiles.store.catalog.directory import StoreDirectory
from bigviz.wire.codec import decode

from .built import build_pyramid

ROWS = 200_000
SMALL = 3 << 20  # bytes, which hold no order of so many rows
KEYS = [TileKey(0, 0, 0, 0), TileKey(2, 2, 1, 2), TileKey(3, 1, 4, 0), TileKey(9, 9, 200, 300)]
AGGS = [
    "count", "any", "count(v)", "sum(v)", "sum(n)", "mean(v)", "min(v)", "max(n)", "min(t)", "mean(t)", "first(v)",
    "last(n)", "by(kind)", "by(kind, mean(v))", "by(kind, any)",
]  # fmt: skip
FILTERS = {
    "v > 20 and kind = 'a'": lambda t: pc.and_(pc.greater(t["v"], 20.0), pc.equal(t["kind"].cast("string"), "a")),
    "not (v > 20)": lambda t: pc.invert(pc.greater(t["v"], 20.0)),
    "n is null or kind is null": lambda t: pc.or_(pc.is_null(t["n"]), pc.is_null(t["kind"])),
    "whole < 0": lambda t: pc.less(t["whole"], 0),
    "whole >= 0": lambda t: pc.greater_equal(t["whole"], 0),
    "x > 1e200 or x < -1": lambda t: pc.or_(pc.greater(t["x"], 1e200), pc.less(t["x"], -1.0)),
    "y > 0.5": lambda t: pc.greater(t["y"], 0.5),
}
Mask = npt.NDArray[np.bool_]


def table() -> pa.Table:
    """Rows with nulls, NaN, infinities and far rows; sums of values do not depend on the order of the rows."""
    rng = np.random.default_rng(12)
    x, y = rng.normal(0, 1, (2, ROWS))
    x[::1001], y[5::2003], x[7::30011] = np.nan, np.inf, 1e300
    kind = pa.array(np.array(["b", "a", "c"])[rng.integers(0, 3, ROWS)], mask=rng.random(ROWS) < 0.1)
    return pa.table(
        {
            "x": x.astype(np.float64),
            "y": y.astype(np.float32),
            "v": pa.array(rng.integers(-800, 800, ROWS) / 8, mask=rng.random(ROWS) < 0.2),
            "n": pa.array(rng.integers(-5, 2**40, ROWS), mask=rng.random(ROWS) < 0.1),
            "t": pa.array(np.arange(ROWS) * 10**9, pa.timestamp("ns")),
            "whole": rng.integers(0, 5000, ROWS).astype(np.int32),
            "kind": kind.dictionary_encode(),
        }
    )


TABLE = table()
XY = np.stack([TABLE["x"].to_numpy(), TABLE["y"].to_numpy()])
LOOSE = np.flatnonzero(~np.isfinite(XY).all(axis=0) | (XY[0] == 1e300))


def kept(text: str) -> Mask:
    return np.asarray(FILTERS[text](TABLE).combine_chunks().fill_null(False))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tables") / "points.parquet"
    pq.write_table(TABLE, made, row_group_size=10_000)
    return made


def opened(path: Path) -> Dataset:
    """A file whose row groups are pieces each, however few rows they have."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet, "BATCH", 1)
        return bv.open(str(path))


MEMORY = bv.open(TABLE)


def oracle_of(text: str, agg: str, root: str = "default") -> Engine:
    """An engine that answers for the layer with that of a table whose rows have no x where they are not kept."""
    asked = Layer("points", "x", "y", agg, root=root).bound(MEMORY)
    x, y = (Axis(MEMORY.column(name), LINEAR) for name in ("x", "y"))
    crew = Crew(2)
    found = survey(x, y, root == "default", crew)
    some = Axis(hidden(x.column, kept(text)), LINEAR)
    order = build_order(some, y, True, crew, found)
    columns = {name: MEMORY.column(name) for name in asked.reduction.columns}
    inputs = gather_inputs(order, asked.reduction, columns, crew)
    made = PointsLayer(some, y, order, build_pyramid(order.guard, inputs, crew), columns)
    engine = Engine(threads=2)
    layer = Layer("points", "x", "y", agg, root=root, filter=text)
    engine.layers.keep(MEMORY, layer, made)
    return engine


def built(engine: Engine, dataset: Dataset, asked: Layer) -> Any:
    engine.ensure(dataset, asked)
    return engine.layers.find(dataset, asked)


def assert_equal(one: Any, other: Any) -> None:
    assert (one is None) == (other is None)
    if one is not None:
        assert one.dtype == other.dtype and np.ma.isMaskedArray(one) == np.ma.isMaskedArray(other)
        np.testing.assert_array_equal(one, other)


def assert_same(engine: Engine, dataset: Dataset, asked: Layer, oracle: Engine) -> None:
    """Tiles, images, marks and rows are those of the oracle."""
    for key in KEYS:
        mine, theirs = engine.tile(dataset, asked, key), oracle.tile(MEMORY, asked, key)
        assert mine.planes == theirs.planes
        for one, other in zip(mine.arrays(), theirs.arrays(), strict=True):
            assert_equal(one, other)
    for x, y in (((-0.2, 0.1), (0.0, 0.3)), ((0.01, 0.02), (0.01, 0.06)), ((-1e301, 1e301), (-5.0, 5.0))):
        images = [each.image(of, asked, *x, *y, 31, 17) for each, of in ((engine, dataset), (oracle, MEMORY))]
        for one, other in zip(*images, strict=True):
            assert_equal(one, other)
        rows = [each.rows(of, asked, *x, *y, 700) for each, of in ((engine, dataset), (oracle, MEMORY))]
        assert rows[0].schema.metadata == rows[1].schema.metadata and rows[0].equals(rows[1])
        marks = [each.marks(of, asked, x, y) for each, of in ((engine, dataset), (oracle, MEMORY))]
        assert (marks[0] is None) == (marks[1] is None)
        if marks[0] is not None and marks[1] is not None:
            for name in ("x", "y", "row", "number", "code", "value"):
                assert_equal(getattr(marks[0], name), getattr(marks[1], name))
        drawn = [each.window_image(of, asked, x, y, (40, 30)) for each, of in ((engine, dataset), (oracle, MEMORY))]
        assert drawn[0] is not None and drawn[1] is not None and drawn[0].planes == drawn[1].planes


def assert_kept(engine: Engine, dataset: Dataset, asked: Layer, text: str) -> None:
    """The facts are those of all rows, but for the rows that are kept."""
    info, whole = engine.info(dataset, asked), engine.info(dataset, Layer("points", "x", "y", str(asked.agg)))
    assert info == replace(whole, rows_kept=int(kept(text).sum())) and whole.rows_kept == ROWS
    assert (info.rows_far, info.rows_outside > 0) == (np.count_nonzero(TABLE["x"].to_numpy() == 1e300), True)


CASES = [(agg, list(FILTERS)[at % len(FILTERS)]) for at, agg in enumerate(AGGS)]


@pytest.mark.parametrize(("agg", "text"), CASES)
def test_in_memory(agg: str, text: str) -> None:
    engine, asked = Engine(threads=2), Layer("points", "x", "y", agg, filter=text)
    assert isinstance(built(engine, MEMORY, asked).order, FilteredOrder)
    assert_same(engine, MEMORY, asked, oracle_of(text, agg))
    assert_kept(engine, MEMORY, asked, text)


@pytest.mark.parametrize(("agg", "text"), CASES[::3])
def test_scanned(path: Path, agg: str, text: str) -> None:
    dataset, engine = opened(path), Engine(threads=2, index_bytes=SMALL)
    asked = Layer("points", "x", "y", agg, filter=text)
    assert isinstance(built(engine, dataset, asked), ScannedLayer)
    assert_same(engine, dataset, asked, oracle_of(text, agg))
    assert_kept(engine, dataset, asked, text)


@pytest.fixture(scope="module")
def stored(path: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataset, StoreDirectory]:
    """A file with an index on the disk that holds some of its columns."""
    dataset, stores = opened(path), StoreDirectory(tmp_path_factory.mktemp("stores"), 1 << 40)
    stores.build(dataset, OrderSpec("x", "y"), ("v", "kind"), Crew(2))
    return dataset, stores


@pytest.mark.parametrize(("agg", "text"), CASES[1::3])
def test_in_a_store(stored: tuple[Dataset, StoreDirectory], agg: str, text: str) -> None:
    dataset, stores = stored
    engine, asked = Engine(threads=2, stores=stores, index="existing"), Layer("points", "x", "y", agg, filter=text)
    layer = built(engine, dataset, asked)
    assert isinstance(layer.order, FilteredOrder) and not layer.order.below.has_columns
    assert_same(engine, dataset, asked, oracle_of(text, agg))
    assert_kept(engine, dataset, asked, text)
    ordered = text != "not (v > 20)"  # which has to tell null from NaN, so the table itself is read
    assert [len(each.numbers) for each in layer.order.below.loose] == [len(LOOSE)] * ordered


def compressed(text: str) -> Dataset:
    return bv.open(TABLE.filter(pa.array(kept(text))))


@pytest.mark.parametrize("text", ["v > 20 and kind = 'a'", "whole < 0", "not (v > 20)"])
@pytest.mark.parametrize("where", ["memory", "store"])
def test_a_line_is_that_of_the_rows_that_are_kept(path: Path, tmp_path: Path, where: str, text: str) -> None:
    stores = StoreDirectory(tmp_path, 1 << 40) if where == "store" else None
    dataset = MEMORY if stores is None else opened(path)
    if stores is not None:
        stores.build(dataset, OrderSpec("t", "v", kind="series"), (), Crew(2))
    engine = Engine(threads=2, stores=stores, index="existing")
    asked, other = Layer("line", "t", "v", "any", "datetime", filter=text), compressed(text)
    whole, numbers = Layer("line", "t", "v", "any", "datetime"), np.flatnonzero(kept(text))
    window = 10**13, 10**14
    if len(numbers):
        mine, theirs = engine.columns(dataset, asked, *window, 300), engine.columns(other, whole, *window, 300)
        for name in ("column", "run", "x", "y"):
            assert_equal(getattr(mine, name), getattr(theirs, name))
        assert_equal(mine.row, numbers[theirs.row])
        images = [
            engine.image(of, layer, *window, -50.0, 50.0, 40, 30) for of, layer in ((dataset, asked), (other, whole))
        ]
        np.testing.assert_array_equal(images[0], images[1])
        rows = engine.rows(dataset, asked, *window, -60.0, 60.0, 100)
        inside = numbers[(numbers >= 10**4) & (numbers < 10**5) & ~np.isnan(TABLE["v"].to_numpy()[numbers])]
        assert rows["row"].to_pylist() == [row for row in inside if abs(TABLE["v"][row].as_py()) < 60][:100]
    info, all_rows = engine.info(dataset, asked), engine.info(dataset, whole)
    assert info == replace(all_rows, rows_kept=len(numbers), sorted=info.sorted)


@pytest.mark.parametrize("glyph", ["histogram", "bar"])
def test_bars_are_those_of_the_rows_that_are_kept(glyph: str) -> None:
    text, engine = "v > 20 and kind = 'a'", Engine(threads=2)
    asked = Layer(glyph, "whole" if glyph == "histogram" else "kind", "", "sum(v)", filter=text)
    engine.ensure(MEMORY, asked)
    found = engine.bars(MEMORY, asked, -1.0, 5000.0)
    mask, v = kept(text), TABLE["v"].to_numpy()
    if glyph == "bar":
        assert (found.names, found.values.tolist()) == (("a", "b", "c"), [[v[mask].sum(), 0, 0]])
        rows = engine.rows(MEMORY, asked, -0.5, 0.5, 0.0, 1.0, 10)
        assert rows["row"].to_pylist() == np.flatnonzero(mask)[:10].tolist()
    else:
        whole = TABLE["whole"].to_numpy()[mask]
        counts, _ = np.histogram(whole, bins=found.edges)
        assert found.rows.tolist() == [counts.tolist()]
        np.testing.assert_allclose(found.values[0], np.histogram(whole, bins=found.edges, weights=v[mask])[0])
    assert engine.info(MEMORY, asked).rows_kept == np.count_nonzero(mask)


def test_a_sample_is_filtered_and_keeps_the_roots_of_all_rows(path: Path) -> None:
    engine, dataset, text = Engine(threads=2, preview_rows=1000), opened(path), "not (v > 20)"
    asked = Layer("points", "x", "y", "count", filter=text)
    sampled = engine.preview(dataset, asked)
    whole = engine.preview(dataset, replace(asked, filter=""))
    assert sampled is not None and whole is not None and sampled.roots == whole.roots
    assert sampled.facts.rows_kept == pytest.approx(np.count_nonzero(kept(text)), rel=0.05)
    drawn, _ = sampled.tile(TileKey(0, 0, 0, 0))
    inside = kept(text) & np.isfinite(TABLE["x"].to_numpy()) & np.isfinite(TABLE["y"].to_numpy())
    assert np.nansum(decode(drawn.planes[0])[0]) == pytest.approx(np.count_nonzero(inside), rel=0.05)


def test_layers_of_one_filter_share_its_rows_and_those_of_all_rows() -> None:
    engine = Engine(threads=2)
    one, other = (built(engine, MEMORY, Layer("points", "x", "y", agg, filter="v > 20")) for agg in ("count", "max(n)"))
    whole = built(engine, MEMORY, Layer("points", "x", "y"))
    assert one.order is other.order and one.order.below is whole.order
    before = engine.memory()["orders"]
    assert before == whole.order.nbytes + one.order.nbytes + sum(c.nbytes for c in other.pyramid.inputs.columns)
    engine.forget(MEMORY)
    assert engine.memory()["orders"] == 0


@pytest.mark.parametrize("agg", ["count", "mean(v)", "by(kind)"])
@pytest.mark.parametrize("where", ["memory", "store"])
def test_some_of_the_ordered_rows_give_an_estimate(stored: Any, where: str, agg: str) -> None:
    dataset, stores = (MEMORY, None) if where == "memory" else stored
    engine, text = Engine(threads=2, stores=stores, index="existing", preview_rows=1000), "v > 20 and kind = 'a'"
    asked = Layer("points", "x", "y", agg, filter=text)
    engine.ensure(dataset, replace(asked, filter="", agg="count"))
    sampled = engine.preview(dataset, asked)
    assert isinstance(sampled, FilteredSample) and sampled.whole
    assert sampled.facts.rows_kept == pytest.approx(np.count_nonzero(kept(text)), rel=0.05)
    drawn, estimate = sampled.tile(TileKey(0, 0, 0, 0))
    assert estimate.share == pytest.approx(1 / 3, rel=0.2) and estimate.error is not None
    info = engine.info(dataset, asked)
    assert sampled.roots == (info.root_x, info.root_y) and engine.preview(dataset, asked) is None
    exact = [decode(plane) for plane in engine.tile(dataset, asked, TileKey(0, 0, 0, 0)).planes]
    about = [decode(plane) for plane in drawn.planes]
    for (values, filled), (others, all_filled) in zip(about, exact, strict=True):
        if agg == "mean(v)":
            assert (all_filled | ~filled).all() and values[filled].min() > 20
            assert values[filled].mean() == pytest.approx(others[all_filled].mean(), rel=0.05)
        else:
            assert values.sum() == pytest.approx(others.sum(), rel=0.05, abs=1)


def test_another_reduction_of_a_filter_that_is_there_needs_no_estimate() -> None:
    engine = Engine(threads=2, preview_rows=1000)
    engine.ensure(MEMORY, Layer("points", "x", "y", filter="v > 20"))
    assert engine.preview(MEMORY, Layer("points", "x", "y", "any", filter="v > 20")) is None


@pytest.mark.parametrize(
    ("text", "share"),
    [("x > 0.9 and y between 0.95 and 2 and v >= 0", 0.2), ("x > 2", 0), ("x < 0 and x > 0", 0), ("v >= 0", 1)],
)
def test_stretches_where_a_filter_keeps_nothing_are_not_looked_at(tmp_path: Path, text: str, share: float) -> None:
    rng = np.random.default_rng(8)
    columns = {"x": rng.random(50_000), "y": rng.random(50_000), "v": rng.integers(-9, 9, 50_000)}
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    dataset, stores, seen = opened(tmp_path / "t.parquet"), StoreDirectory(tmp_path / "stores", 1 << 40), list[int]()
    stores.build(dataset, OrderSpec("x", "y"), ("v",), Crew(2))
    engine = Engine(threads=1, stores=stores, index="existing")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packed_mask, "SLICE", 1024)
        patch.setattr(packed_mask, "slices", lambda rows: slices(rows, 1024))
        patch.setattr(filtered_order, "SLICE", 1024)
        patch.setattr(filtered_order, "slices", lambda rows: slices(rows, 1024))
        mask = RowFilter.mask
        patch.setattr(RowFilter, "mask", lambda self, read, rows: seen.append(rows) or mask(self, read, rows))
        found = built(engine, dataset, Layer("points", "x", "y", filter=text))
    assert sum(seen) <= share * 50_000
    x, y, v = columns["x"], columns["y"], columns["v"]
    inside = {"x > 0.9 and y between 0.95 and 2 and v >= 0": (x > 0.9) & (y >= 0.95) & (v >= 0), "v >= 0": v >= 0}
    expected = np.flatnonzero(inside.get(text, np.zeros(50_000, np.bool_)))
    assert sorted(found.order.row_numbers(slice(None)).tolist()) == expected.tolist()
