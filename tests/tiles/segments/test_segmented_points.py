"""Versions of a dataset that grows answer as one fresh index over their rows does."""

from __future__ import annotations

import gc
import threading
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigviz.aggregate.layer import Layer
from bigviz.data.appending.growth import Mark
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.pyramid.plane_store import MemoryShelf
from bigviz.tiles.segments import growing_mask, stream_index
from bigviz.tiles.segments.filtered_part import filter_key

from ...growing import Growing
from ...patience import PATIENCE
from .compared import FILTERS, REDUCTIONS, assert_same, built, fresh, indexes, settle


def batch(rng: Any, rows: int, spread: float = 1.0, kinds: int = 4) -> pa.Table:
    """Rows with nulls and NaN everywhere, several on one coordinate, and labels that are not sorted."""
    v = rng.normal(size=rows)
    v[rng.random(rows) < 0.1] = np.nan
    x = rng.normal(size=rows) * spread
    x[rng.random(rows) < 0.05] = np.nan

    def some(values: Any, type_: pa.DataType | None = None) -> pa.Array:
        return pa.array(values, type_, mask=rng.random(rows) < 0.1)

    return pa.table(
        {
            "x": x,
            "y": np.round(rng.normal(size=rows), 1),
            "v": v,
            "n": some(rng.integers(-5, 1 << 40, rows)),
            "k": rng.integers(0, 9, rows),
            "t": some(rng.integers(0, 1 << 50, rows), pa.timestamp("us")),
            "kind": some([["c", "a", "d", "b"][at] for at in rng.integers(0, min(kinds, 4), rows)], pa.string()),
        }
    )


@pytest.mark.parametrize("agg", REDUCTIONS)
def test_reductions_over_appends_corrections_rollovers_and_merges(agg: str) -> None:
    rng = np.random.default_rng(3)
    growing, streams, layer = Growing(batch(rng, 400, kinds=1)), indexes(), Layer("points", "x", "y", agg)
    made = built(streams, growing.version(), layer)
    for step in range(6):
        growing.append(batch(rng, int(rng.integers(1, 200)), 1 + step))  # the root of x grows
        if step == 3:
            growing.correct(np.sort(rng.choice(growing.stop, 9, replace=False)), batch(rng, 9))
        if step == 4:
            growing.roll(123)
        dataset = growing.version()
        made = built(streams, dataset, layer)
        if step % 2:
            assert_same(made, dataset, growing.table, layer, step)
            settle(made)


@pytest.mark.parametrize("agg", ["count", "mean(v)", "last(n)", "by(kind, max(v))"])
def test_filters_over_appends_corrections_rollovers_and_merges(agg: str) -> None:
    """Beside a layer of all rows over the same parts, whose answers stay what they are."""
    rng = np.random.default_rng(8)
    growing, streams = Growing(batch(rng, 400, kinds=1)), indexes()
    filters = ("", "kind in ('a', 'c') and n > 1000", "v < 0 or k = 3 or x is null")
    layers = [Layer("points", "x", "y", agg, filter=keep) for keep in filters]
    made = [built(streams, growing.version(), layer) for layer in layers]
    for step in range(6):
        growing.append(batch(rng, int(rng.integers(1, 200)), 1 + step))
        if step == 3:
            growing.correct(np.sort(rng.choice(growing.stop, 9, replace=False)), batch(rng, 9))
        if step == 4:
            growing.roll(123)
        dataset = growing.version()
        for at, layer in enumerate(layers):
            made[at] = built(streams, dataset, layer)
            if step % 2:
                assert_same(made[at], dataset, growing.table, layer, step)
        settle(made[0], step)
    assert made[0].index is made[1].index is made[2].index


def test_tiles_that_no_kept_row_touches_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[tuple[int, int]] = []
    slices = growing_mask.slices

    def counted(dataset: Any, predicate: Any, start: int, stop: int, cancel: Any) -> Any:
        looked.append((start, stop))
        return slices(dataset, predicate, start, stop, cancel)

    monkeypatch.setattr(growing_mask, "slices", counted)
    x = np.arange(1_000.0)
    growing, streams = Growing(pa.table({"x": x, "y": x, "v": x % 2})), indexes()
    layer, whole = Layer("points", "x", "y", filter="v = 1"), Layer("points", "x", "y")
    keys = [TileKey(2, 2, i, j) for i in range(4) for j in range(4)]
    made = built(streams, growing.version(), layer)
    held = [made]
    for low, value in ((10.0, 1.0), (300.0, 0.0), (900.0, 1.0)):
        before, dataset = made, growing.version()
        looked.clear()
        growing.append(pa.table({"x": [low, low + 1], "y": [low, low + 2], "v": [value, value]}))
        settle(built(streams, growing.version(), whole))
        made = built(streams, growing.version(), layer)
        held.append(made)
        told = made.changed(Mark.of(dataset), keys)
        assert told == [(before.arrays(key)[0] != made.arrays(key)[0]).any() for key in keys]
        assert any(told) == bool(value) and looked == [(dataset.num_rows, dataset.num_rows + 2)]
        assert [before.state(key) == made.state(key) for key in keys] == [not each for each in told]
    assert made.changed(Mark(dataset.lineage, 1, 1_000, 0, ()), keys) == [
        (held[0].arrays(key)[0] != made.arrays(key)[0]).any() for key in keys
    ]


def test_what_filters_keep_is_merged_along_and_let_go_of_with_their_layers() -> None:
    rng = np.random.default_rng(4)
    growing, streams = Growing(batch(rng, 900)), indexes()
    whole, layer = Layer("points", "x", "y"), Layer("points", "x", "y", "max(v)", filter="v > 0")
    made = [built(streams, growing.version(), each) for each in (whole, layer)]
    for _ in range(20):
        growing.append(batch(rng, 30))
        made = [built(streams, growing.version(), each) for each in (whole, layer)]
    assert settle(made[0]) > 0
    key = filter_key("v > 0")
    assert all("v" in part.layers[key].layers for part in made[0].index._head.parts)
    growing.append(batch(rng, 30))
    made = [built(streams, growing.version(), whole)]
    gc.collect()
    made = [built(streams, growing.append(batch(rng, 30)).version(), whole)]
    assert not any(key in part.layers for part in made[0].index._head.parts)


def test_a_filtered_layer_holds_keys_and_places_and_outlives_the_layer_whose_columns_it_reads() -> None:
    rng = np.random.default_rng(6)
    growing, streams = Growing(batch(rng, 3_000)), indexes()
    layers = [Layer("points", "x", "y", "max(v)", filter=keep) for keep in ("", "n > 1000 or k < 4")]
    whole, made = (built(streams, growing.version(), layer) for layer in layers)
    (part,) = made.parts
    order, (column,) = part.part.order, part.columns
    assert 12 * len(order.guard) < order.nbytes < 12.5 * len(order.guard) and column.nbytes == 0
    del whole, part, order, column
    gc.collect()
    for _ in range(20):
        dataset = growing.append(batch(rng, 200)).version()
        made = built(streams, dataset, layers[1])
    assert "v" not in made.index._head.parts[0].layers
    assert settle(made) > 0
    made = built(streams, dataset, layers[1])
    assert sum(part.columns[0].nbytes for part in made.parts) == 8 * sum(
        len(part.part.order.guard) for part in made.parts
    )
    assert_same(made, dataset, growing.table, layers[1])


AXES = {
    "datetime": ("t", "y", "datetime", "linear"),
    "log": ("v", "n", "log", "log"),
    "mercator": ("lon", "lat", "mercator", "mercator"),
    "whole numbers": ("k", "n", "linear", "linear"),
    "few": ("k", "k", "linear", "linear"),
}


@pytest.mark.parametrize("axes", AXES)
def test_axis_spaces(axes: str) -> None:
    x, y, xaxis, yaxis = AXES[axes]
    rng = np.random.default_rng(5)

    def more(rows: int) -> pa.Table:
        table = batch(rng, rows)
        for name, most in (("lon", 200), ("lat", 100)):
            table = table.append_column(name, pa.array(rng.uniform(-most, most, rows)))
        return table

    growing, streams = Growing(more(300)), indexes()
    for agg in ("count", "mean(v)"):
        layer = Layer("points", x, y, agg, xaxis, yaxis)
        for step in range(3):
            dataset = growing.version()
            made = built(streams, dataset, layer)
            settle(made, step)
            growing.append(more(100 * step + 1))
        assert_same(made, dataset, growing.table.slice(0, dataset.num_rows), layer)


def test_categories_on_an_axis_keep_their_places() -> None:
    growing, streams = Growing(pa.table({"x": ["b", "d"], "y": [1, 2]})), indexes()
    layer = Layer("points", "x", "y")
    growing.append(pa.table({"x": ["z", "c", "b"], "y": [3, 4, 5]}))
    first = built(streams, growing.version(), layer)
    growing.append(pa.table({"x": ["a", "z"], "y": [6, 7]}))
    dataset = growing.version()
    made = built(streams, dataset, layer)
    assert first.facts(dataset, layer).x_categories == ("b", "d", "c", "z")
    assert made.facts(dataset, layer).x_categories == ("b", "d", "c", "z", "a")
    assert dataset.column("x").values.tolist() == [0, 1, 3, 2, 0, 4, 3]
    marks = made.marks((0, 9), (0, 9))
    assert marks is not None and sorted(zip(marks.x.tolist(), marks.y.tolist(), strict=True)) == [
        (0, 1), (0, 5), (1, 2), (2, 4), (3, 3), (3, 7), (4, 6),
    ]  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_rows_appended_corrected_rolled_over_and_merged_in_any_order(data: Any) -> None:
    numbers = st.sampled_from([0.0, 1.0, 1.25, -3.0, 1e-9, 1e12, float("nan"), float("inf")])
    agg = data.draw(st.sampled_from(["count", "max(v)", "first(v)", "last(v)", "by(kind, sum(v))"]))
    keep = data.draw(st.sampled_from(FILTERS))
    growing, streams, layer = Growing(few(data, numbers)), indexes(), Layer("points", "x", "y", agg, filter=keep)
    made = built(streams, growing.version(), layer)
    for _ in range(data.draw(st.integers(1, 7))):
        what = data.draw(st.sampled_from(["append", "append", "correct", "roll", "look", "merge"]))
        if what == "append":
            growing.append(few(data, numbers))
        elif what == "correct" and growing.stop > growing.first:
            rows = data.draw(st.sets(st.integers(growing.first, growing.stop - 1), min_size=1, max_size=3))
            growing.correct(sorted(rows), few(data, numbers, len(rows)))
        elif what == "roll" and growing.stop > growing.first:
            growing.roll(data.draw(st.integers(growing.first, growing.stop)))
        elif what == "look":
            made = built(streams, growing.version(), layer)
        elif what == "merge":
            settle(made, data.draw(st.integers(1, 3)))
    dataset = growing.version()
    assert_same(built(streams, dataset, layer), dataset, growing.table, layer)


def few(data: Any, numbers: Any, rows: int | None = None) -> pa.Table:
    size = data.draw(st.integers(0, 5)) if rows is None else rows

    def column(values: Any) -> Any:
        return data.draw(st.lists(values, min_size=size, max_size=size))

    columns = {"x": column(numbers), "y": column(numbers), "v": column(st.integers(-9, 9))}
    types = pa.schema({"x": pa.float64(), "y": pa.float64(), "v": pa.int64(), "kind": pa.string()})
    return pa.table({**columns, "kind": column(st.sampled_from(["b", "a", None]))}, schema=types)


def test_large_tiles_are_those_of_their_parts_pyramids() -> None:
    rng = np.random.default_rng(9)
    growing, streams = Growing(batch(rng, 90_000)), indexes()
    for agg in ("count", "mean(v)", "by(kind)"):
        layer = Layer("points", "x", "y", agg)
        made = built(streams, growing.version(), layer)
        growing.append(batch(rng, 70_000))
        dataset = growing.version()
        made = built(streams, dataset, layer)
        for key in (TileKey(0, 0, 0, 0), TileKey(1, 1, 1, 0)):
            whole = Growing(growing.table).version()
            other = Engine(threads=1)
            expected = other.tile(whole, layer, key).arrays()
            for one, two in zip(made.arrays(key), expected, strict=True):
                np.testing.assert_allclose(np.ma.filled(one, 0), np.ma.filled(two, 0), rtol=1e-9)


def test_an_engine_tells_which_tiles_have_changed_and_keeps_the_names_of_others() -> None:
    rng = np.random.default_rng(1)
    growing, engine, layer = Growing(batch(rng, 5_000)), Engine(threads=1), Layer("points", "x", "y")
    keys = [TileKey(2, 2, i, j) for i in range(4) for j in range(4)]
    before = growing.version()
    old = [engine.tile(before, layer, key).arrays()[0] for key in keys]
    tags = [engine.etag(before, layer, key) for key in keys]
    assert engine.changed(before, before, layer, keys) == [False] * 16
    growing.append(one_row(growing.table))
    after = growing.version()
    new = [engine.tile(after, layer, key).arrays()[0] for key in keys]
    changed = engine.changed(Mark.of(before), after, layer, keys)
    assert changed == [not np.array_equal(one, two) for one, two in zip(old, new, strict=True)]
    assert sum(changed) == 1
    assert changed == [engine.etag(after, layer, key) != tag for key, tag in zip(keys, tags, strict=True)]
    assert engine.etag(after, layer) != engine.etag(before, layer)
    growing.append(batch(rng, 10, 1e6))  # the root grows, and keys mean other tiles
    last = growing.version()
    engine.ensure(last, layer)
    assert engine.changed(after, last, layer, keys) is None
    assert engine.changed(Growing(growing.table).version(), last, layer, keys) is None


def one_row(table: pa.Table) -> pa.Table:
    return pa.table({name: [0.1] if name in ("x", "y") else [None] for name in table.column_names}, schema=table.schema)


def test_versions_that_nobody_holds_are_let_go_of_and_others_stay() -> None:
    rng = np.random.default_rng(2)
    growing, engine, layer = Growing(batch(rng, 1_000)), Engine(threads=1), Layer("points", "x", "y")
    held = growing.version()
    engine.ensure(held, layer)
    for _ in range(20):
        version = growing.append(batch(rng, 10)).version()
        engine.ensure(version, layer)
    assert engine.readiness(held, layer) == "complete" and engine.info(held, layer).rows == 1_000
    assert len(engine.layers.store._layers) == 2  # the one that is held, and the last one
    assert engine.info(version, layer).rows == 1_200
    engine.forget(held)
    assert engine.readiness(held, layer) == "none" and engine.info(held, layer).rows == 1_000


def test_every_answer_is_of_one_version_while_rows_come_and_parts_are_merged() -> None:
    rng = np.random.default_rng(4)
    growing, engine = Growing(batch(rng, 2_000)), Engine(threads=2)
    layers = [Layer("points", "x", "y", agg) for agg in ("count", "by(kind)")]
    versions = [growing.version()]
    done, failures = threading.Event(), []

    def look(layer: Layer) -> None:
        try:
            while not done.is_set():
                version = versions[-1]
                info = engine.info(version, layer)
                inside = info.rows - info.rows_outside - info.rows_far
                rows = version.take(version.first_row + np.arange(version.num_rows), ["kind", "x"])
                known = rows.filter(pc.and_(rows["kind"].is_valid(), pc.is_finite(rows["x"]))).num_rows
                got = sum(int(plane.sum()) for plane in engine.tile(version, layer, TileKey(0, 0, 0, 0)).arrays())
                assert got == (inside if layer.agg == "count" else known)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=look, args=(layer,)) for layer in layers for _ in range(2)]
    for thread in threads:
        thread.start()
    for step in range(60):
        growing.append(batch(rng, int(rng.integers(1, 300)), 1 + step / 9))
        if step % 20 == 19:
            growing.roll(growing.first + 100)
        versions.append(growing.version())
        engine.ensure(versions[-1], layers[step % 2])
    done.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert not failures
    assert_same(engine.layers.ready(versions[-1], layers[0]), versions[-1], growing.table, layers[0])


def test_a_correction_makes_the_planes_of_its_own_tiles_alone() -> None:
    rng = np.random.default_rng(3)
    growing, streams = Growing(pa.table(dict(zip("xy", rng.random((2, 600_000)), strict=True)))), indexes()
    layer = Layer("points", "x", "y")
    whole = built(streams, growing.version(), layer)
    before = whole.parts[0].pyramid
    growing.correct([7, 8], pa.table({"x": [0.1, 0.9], "y": [0.1, 0.2]}))
    dataset = growing.version()
    made = built(streams, dataset, layer)
    shelf, old = made.parts[0].pyramid.shelf, before.shelf
    assert isinstance(shelf, MemoryShelf) and isinstance(old, MemoryShelf) and set(shelf.tiles()) == set(old.tiles())
    same = [tile for tile in shelf.tiles() if shelf.get(tile) is old.get(tile)]
    assert 0 < len(same) < len(shelf) and TileKey(0, 0, 0, 0) not in same
    _, oracle = fresh(growing.table, layer)
    assert all((made.arrays(tile)[0] == oracle.arrays(tile)[0]).all() for tile in shelf.tiles())


def test_answers_of_a_version_do_not_wait_for_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    growing, streams, layer = Growing(batch(np.random.default_rng(3), 500)), indexes(), Layer("points", "x", "y")
    dataset = growing.version()
    made, begun, go = built(streams, dataset, layer), threading.Event(), threading.Event()
    read = stream_index.read_numbers

    def slow(*values: Any) -> Any:
        begun.set()
        assert go.wait(PATIENCE)
        return read(*values)

    monkeypatch.setattr(stream_index, "read_numbers", slow)
    later = growing.append(batch(np.random.default_rng(4), 5)).version()
    thread = threading.Thread(target=built, args=(streams, later, layer))
    thread.start()
    assert begun.wait(PATIENCE)
    other = built(streams, dataset, Layer("points", "x", "y", "mean(v)"))
    assert made.changed(dataset, [TileKey(0, 0, 0, 0)]) == [False] and other.version is made.version
    assert made.dense is None and thread.is_alive()
    go.set()
    thread.join(PATIENCE)
