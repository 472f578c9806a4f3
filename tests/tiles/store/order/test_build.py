"""Orders on disk: bit for bit those in memory, for every kind of column, skew and source."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.spaces import space
from bigviz.common.cancel import Cancel
from bigviz.common.errors import Cancelled, TooLarge, Unreadable
from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.data.formats import ipc as ipc_part
from bigviz.data.formats import parquet as parquet_part
from bigviz.data.open import open as open_table
from bigviz.data.sources import memory
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.morton.order import MemoryOrder, build_order
from bigviz.tiles.store.order import buckets, build, partition
from bigviz.tiles.store.order.build import build_stored_order
from bigviz.tiles.store.order.stored_order import StoredOrder, open_stored_order

CREW = Crew(2)
KINDS = (
    "floats",
    "singles",
    "skewed",
    "integers",
    "wide",
    "stamps",
    "piles",
    "grid",
    "edges",
    "labels",
    "small",
    "one",
)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes that make a few thousand rows go through every step: many buckets, levels, rounds and units."""
    monkeypatch.setattr(buckets, "FULL", 100)
    monkeypatch.setattr(buckets, "HEAVY", 250)
    monkeypatch.setattr("bigviz.tiles.store.order.plan.FULL", 100)
    monkeypatch.setattr(partition, "SLICE", 1024)
    monkeypatch.setattr(partition, "ROUND_BYTES", 1 << 15)
    monkeypatch.setattr(memory, "_PIECE", 64)
    monkeypatch.setattr(ipc_part, "_PIECE", 64)
    monkeypatch.setattr(parquet_part, "BATCH", 300)


def numbers(kind: str, rng: np.random.Generator, rows: int) -> Any:
    """A column of one of many kinds."""
    floats = rng.normal(size=rows)
    gaps = rng.random(rows) < 0.05
    made: dict[str, Callable[[], Any]] = {
        "floats": lambda: np.where(gaps, rng.choice([np.nan, np.inf, -np.inf, -0.0, 0.0], rows), floats),
        "singles": lambda: floats.astype(np.float32),
        "skewed": lambda: np.exp(20 * floats),
        "integers": lambda: pa.array(rng.integers(-(2**20), 2**20, rows), pa.int32(), mask=gaps),
        "wide": lambda: rng.integers(0, 2**64, rows, dtype=np.uint64),
        "stamps": lambda: pa.array(rng.integers(1, 2**60, rows), pa.timestamp("ns"), mask=gaps),
        "piles": lambda: rng.choice(np.array([1.5, 1.5, 1.5, 1.25, 7.0], np.float32), rows),
        "grid": lambda: rng.integers(0, 3, rows).astype(np.int8),
        "edges": lambda: np.where(rng.random(rows) < 0.0008, 1e30, floats),
        "labels": lambda: pa.array([None if gap else f"label {n % 7}" for n, gap in enumerate(gaps)], pa.string()),
        "small": lambda: floats * 1e-300,
        "one": lambda: np.full(rows, -0.0),
    }
    return made[kind]()


def built(path: Path, dataset: Dataset, spec: OrderSpec, columns: tuple[str, ...] = ()) -> StoredOrder:
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    build_stored_order(path, dataset, spec, columns, CREW)
    assert not {each.suffix for each in path.iterdir()} - {".arrow", ".json"}
    return open_stored_order(path)


def in_memory(dataset: Dataset, spec: OrderSpec) -> MemoryOrder:
    x = Axis(dataset.column(spec.x), space(spec.xaxis, "x"))
    y = Axis(dataset.column(spec.y), space(spec.yaxis, "y"))
    return build_order(x, y, spec.root == "default", CREW)


def same(found: np.ndarray, expected: np.ndarray) -> bool:
    """Bit for bit, dtype included."""
    return found.dtype == expected.dtype and found.tobytes() == expected.tobytes()


def assert_same(stored: StoredOrder, order: MemoryOrder) -> None:
    assert stored.survey == order.survey
    assert same(stored.keys, order.keys) and same(stored.rows, order.rows) and same(stored.far, order.far)
    assert same(stored.guard.fences, order.guard.fences)
    assert same(stored.guard.boxes.sides, order.guard.boxes.sides)
    everything, rows = slice(0, len(order.keys)), len(order.keys)
    some = np.random.default_rng(rows).integers(0, max(rows, 1), min(rows, 50))
    for which in (0, 1):
        assert same(stored.far_numbers(which), order.far_numbers(which))
        for positions in (everything, some, slice(rows // 3, rows // 2), slice(rows // 3, rows // 2, 3)):
            assert same(stored.numbers(which, positions), order.numbers(which, positions))
    assert same(stored.row_numbers(some), order.row_numbers(some))


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(KINDS),
    st.sampled_from(KINDS),
    st.sampled_from([0, 1, 2, 700, 3000]),
    st.integers(0, 2**32),
    st.sampled_from(["default", "full"]),
)
def test_an_order_on_disk_is_the_one_in_memory(
    tmp_path_factory: pytest.TempPathFactory, x: str, y: str, rows: int, seed: int, root: str
) -> None:
    rng = np.random.default_rng(seed)
    dataset = open_table(pa.table({"x": numbers(x, rng, rows), "y": numbers(y, rng, rows)}))
    spec = OrderSpec("x", "y", root=root)
    path = tmp_path_factory.mktemp("order")
    assert_same(built(path / "store", dataset, spec), in_memory(dataset, spec))
    shutil.rmtree(path)


@pytest.mark.parametrize(("xaxis", "yaxis"), [("log", "linear"), ("linear", "log"), ("mercator", "mercator")])
def test_other_spaces(tmp_path: Path, xaxis: str, yaxis: str) -> None:
    rng = np.random.default_rng(5)
    x, y = rng.uniform(-180, 180, 3000).astype(np.float32), rng.integers(-95, 95, 3000).astype(np.int16)
    dataset = open_table(pa.table({"x": x, "y": y}))
    spec = OrderSpec("x", "y", xaxis, yaxis)
    assert_same(built(tmp_path / "store", dataset, spec), in_memory(dataset, spec))


def arrow_file(path: Path, table: pa.Table) -> None:
    with ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table)


def arrow_stream(path: Path, table: pa.Table) -> None:
    with ipc.new_stream(str(path), table.schema) as writer:
        writer.write_table(table, max_chunksize=57)


def parquet(path: Path, table: pa.Table) -> None:
    pq.write_table(table, path, row_group_size=1000)


@pytest.fixture(params=[arrow_file, arrow_stream, parquet])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Dataset]:
    """A file with columns of many kinds besides x and y."""
    rng = np.random.default_rng(8)
    table = pa.table({name: numbers(name, rng, 2500) for name in KINDS})
    request.param(tmp_path / "table", table)
    yield open_table(tmp_path / "table")


def test_columns_go_along(tmp_path: Path, source: Dataset) -> None:
    names = ("integers", "floats", "labels", "grid", "wide", "stamps", "skewed")
    spec = OrderSpec("singles", "edges")
    stored = built(tmp_path / "store", source, spec, names)
    order = in_memory(source, spec)
    assert_same(stored, order)
    for name in names:
        column, kept = source.column(name), stored.column(name)
        assert kept is not None
        valid = np.ones(len(column), bool) if column.valid is None else column.valid
        if column.categories is not None:
            assert kept.codes is not None and kept.labels == column.categories
            assert same(kept.codes.array, np.where(valid, column.values, -1).astype(np.int8)[order.rows])
            continue
        assert kept.values is not None and same(kept.values.array, column.values[order.rows])
        there = np.ones(len(order.rows), bool) if kept.valid is None else kept.valid.array.astype(bool)
        assert np.array_equal(there, valid[order.rows])
        assert (kept.valid is None) == (name not in ("integers", "stamps"))
    assert stored.column("piles") is None
    values = np.arange(2500.0)
    assert same(stored.gather("v", values, CREW).take(slice(None)), order.gather("v", values, CREW).take(slice(None)))


def test_a_flipped_byte_is_found(tmp_path: Path, source: Dataset) -> None:
    built(tmp_path / "store", source, OrderSpec("singles", "floats"), ("grid",))
    for name in ("keys", "rows", "x-values", "x-places", "y", "c0-values"):
        path = tmp_path / "store" / f"{name}.arrow"
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 16
        path.rename(path.with_suffix(".kept"))
        path.write_bytes(data)
        with pytest.raises(Unreadable, match=f"{name}.arrow is damaged"):
            stored = open_stored_order(tmp_path / "store")
            stored.numbers(0, slice(None))
            stored.numbers(1, np.arange(len(stored.keys)))
            stored.row_numbers(slice(None))
            column = stored.column("grid")
            assert column is not None and column.values is not None
            column.values.take(slice(None))
        path.with_suffix(".kept").rename(path)


def test_bytes_lost_while_building_are_found_and_built_again(tmp_path: Path, source: Dataset) -> None:
    """What a machine that lost its power leaves: a journal that claims more than the files hold."""
    spec = OrderSpec("singles", "floats")
    (tmp_path / "store").mkdir()
    stop = Cancel()

    def progress(stage: str, done: float, rows: int) -> None:
        if done > 0.6:
            stop.cancel()

    with pytest.raises(Cancelled):
        build_stored_order(tmp_path / "store", source, spec, (), Crew(2, progress, stop))
    path = tmp_path / "store" / "keys.arrow"
    data = path.read_bytes()
    path.write_bytes(data[:6000] + bytes(4000) + data[10000:])
    build_stored_order(tmp_path / "store", source, spec, (), CREW)
    assert_same(open_stored_order(tmp_path / "store"), in_memory(source, spec))


def test_an_interrupted_build_goes_on(tmp_path: Path, source: Dataset) -> None:
    """Cancelled after some steps, then after some more: each call does some of the rest."""
    spec = OrderSpec("singles", "floats")
    (tmp_path / "store").mkdir()
    tries = 0
    while True:
        tries += 1
        stop, left = Cancel(), iter(range(12 * tries))

        def progress(stage: str, done: float, rows: int, stop: Cancel = stop, left: Iterator[int] = left) -> None:
            if next(left, None) is None:
                stop.cancel()

        try:
            build_stored_order(tmp_path / "store", source, spec, ("stamps",), Crew(2, progress, stop))
            break
        except Cancelled:
            assert tries < 60
    assert tries > 3
    assert_same(open_stored_order(tmp_path / "store"), in_memory(source, spec))
    build_stored_order(tmp_path / "store", source, spec, ("stamps",), CREW)


def test_bounds_and_strangers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = open_table(pa.table({"x": [1.0, 2.0], "y": [1.0, 2.0]}))
    with pytest.raises(Unreadable, match="holds no order"):
        open_stored_order(tmp_path)
    (tmp_path / "order.json").write_text('{"arrays": 3}')
    with pytest.raises(Unreadable, match="is damaged"):
        open_stored_order(tmp_path)
    monkeypatch.setattr(build, "MOST_ROWS", 2)
    with pytest.raises(TooLarge, match="fewer than 2 rows"):
        build_stored_order(tmp_path, dataset, OrderSpec("x", "y"), (), CREW)
