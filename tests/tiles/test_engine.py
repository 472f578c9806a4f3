import gc
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigviz.aggregate.dyadic_cells import Root
from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import Cancel
from bigviz.common.errors import BadInput, Cancelled, NotFound, TooLarge
from bigviz.data.dataset import Dataset
from bigviz.data.open import open as open_table
from bigviz.tiles import interface, layer_factory
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.wire.codec import decode

from ..patience import PATIENCE

MakeDataset = Callable[..., Dataset]
COUNT = Layer("points", "x", "y")


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(threads=2)


def columns(rng: np.random.Generator, size: int) -> dict[str, Any]:
    """Every kind of axis number, with what is in no cell and what lies on edges."""
    edges = rng.choice([0.0, -0.0, 1.0, 2.0, 2.5, 2.0**-30, -1.0, np.nan, np.inf, -np.inf, 1e308], size)
    missing = rng.random(size) < 0.2
    return {
        "edges": edges,
        "normal": rng.normal(size=size).astype(np.float32),
        "half": rng.normal(size=size).astype(np.float16),
        "tiny": rng.normal(size=size) * 1e-300,
        "huge": rng.normal(size=size) * 1e300,
        "few": pa.array(rng.integers(-2, 2, size), pa.int8(), mask=missing),
        "wide": rng.integers(-(2**63), 2**63 - 1, size),
        "top": rng.integers(2**64 - 50, 2**64 - 1, size, dtype=np.uint64, endpoint=True),
        "stamp": pa.array(rng.integers(-(2**60), 2**60, size), pa.timestamp("ns", "UTC"), mask=missing),
        "day": pa.array(rng.integers(0, 20_000, size), pa.int32()).cast(pa.date32()),
        "label": pa.array([["b", "a", "c", None][k] for k in rng.integers(0, 4, size)]),
        "flag": pa.array(rng.random(size) < 0.5, mask=missing),
        "same": np.full(size, -7.25),
        "nulls": pa.nulls(size, pa.float64()),
    }


NAMES = tuple(columns(np.random.default_rng(0), 1))


def numbers(dataset: Dataset, name: str, kind: str = "linear") -> list[Any]:
    """A column's numbers in axis space; None for what is in no cell."""
    column = dataset.column(name)
    values = column.values.tolist()
    valid = [True] * len(values) if column.valid is None else column.valid.tolist()
    kept = [
        v if ok and (isinstance(v, int) or abs(v) < 2.0**1023) else None for v, ok in zip(values, valid, strict=True)
    ]
    return [None if v is None or v <= 0 else float(np.log10(v)) for v in kept] if kind == "log" else kept


@settings(max_examples=60, deadline=None)
@given(
    st.data(),
    st.integers(0, 2**32),
    st.sampled_from([0, 1, 2, 60]),
    st.sampled_from(NAMES),
    st.sampled_from(NAMES),
    st.sampled_from(["default", "full"]),
)
def test_counts_obey_the_cell_rule_to_the_bit(
    dataset: MakeDataset,
    brute_counts: Callable[..., np.ndarray],
    data: st.DataObject,
    seed: int,
    size: int,
    x: str,
    y: str,
    root: str,
) -> None:
    table = dataset(**columns(np.random.default_rng(seed), size))
    engine = Engine(threads=1)
    layer = Layer("points", x, y, root=root)
    info = engine.info(table, layer)
    pairs = [pair for pair in zip(numbers(table, x), numbers(table, y), strict=True) if None not in pair]
    assert info.rows == size and info.rows_outside == size - len(pairs) and info.rows_far == 0
    xs, ys = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    assert info.range == ((min(xs), min(ys), max(xs), max(ys)) if pairs else None)
    zx, zy = data.draw(st.integers(0, 24)), data.draw(st.integers(0, 24))
    keys = {TileKey(0, 0, 0, 0)}
    for row in range(min(len(pairs), 3)):
        i, j = info.root_x.cell(xs[row], zx), info.root_y.cell(ys[row], zy)
        keys.add(TileKey(zx, zy, i, (1 << zy) - 1 - j))
    for key in keys:
        tile = engine.tile(table, layer, key)
        expected = brute_counts((info.root_x, info.root_y), xs, ys, key)
        assert (tile.arrays()[0] == expected).all()
        values, filled = decode(tile.planes[0])
        assert (values == expected).all() and (filled == (expected > 0)).all()
        assert tile.planes[0].filled == filled.sum()


@pytest.mark.parametrize("name", NAMES)
def test_tiles_of_a_level_add_up_to_the_rows_inside(engine: Engine, dataset: MakeDataset, name: str) -> None:
    table = dataset(**columns(np.random.default_rng(3), 500), y=np.arange(500.0))
    layer = Layer("points", name, "y")
    info = engine.info(table, layer)
    for zx, zy in ((0, 0), (1, 1), (2, 2), (3, 3), (2, 0), (1, 3)):
        tiles = [engine.tile(table, layer, TileKey(zx, zy, i, j)) for i in range(1 << zx) for j in range(1 << zy)]
        assert sum(int(tile.arrays()[0].sum()) for tile in tiles) == 500 - info.rows_outside - info.rows_far


def test_facts_of_a_layer(engine: Engine, dataset: MakeDataset) -> None:
    table = dataset(
        t=pa.array([10, None, 30], pa.timestamp("s", "Europe/Berlin")), k=["b", "a", "b"], x=[0.5, 1.0, np.nan]
    )
    info = engine.info(table, Layer("points", "t", "k", "by(k)", "datetime"))
    assert info.range == (10 * 10**9, 1, 30 * 10**9, 1) and all(type(edge) is int for edge in info.extent)
    assert info.extent == (info.root_x.start, info.root_y.start, info.root_x.stop, info.root_y.stop)
    assert (info.rows, info.rows_outside, info.rows_far, info.version) == (3, 1, 0, 1)
    assert info.planes == ("a", "b") and info.y_categories == ("a", "b") and info.x_categories is None
    assert (info.x.kind, info.x.zone, info.y.kind) == ("timestamp", "Europe/Berlin", "category")
    assert str(info.reduction) == "by(k)" and not info.sorted
    line = engine.info(table, Layer("line", "x", "t", "any", yaxis="datetime"))
    assert line.sorted and str(line.reduction) == "any" and line.planes is None
    assert type(line.extent[0]) is float and type(line.extent[1]) is int


def test_an_empty_and_an_all_null_table(engine: Engine, dataset: MakeDataset) -> None:
    for size in (0, 4):
        table = dataset(x=pa.nulls(size, pa.float32()), y=pa.nulls(size, pa.int64()))
        info = engine.info(table, COUNT)
        assert (info.rows, info.rows_outside, info.range) == (size, size, None)
        assert info.root_x == info.root_y == Root(0, 0) and info.extent == (0.0, 0, 1.0, 1)
        assert engine.tile(table, COUNT, TileKey(3, 2, 0, 0)).planes[0].filled == 0
        line = Layer("line", "x", "y", "any")
        assert engine.tile(table, line, TileKey(0, 0, 0, 0)).planes[0].filled == 0
        assert len(engine.columns(table, line, 0.0, 1.0, 10).row) == 0
        assert engine.rows(table, COUNT, 0, 1, 0, 1).num_rows == 0
        assert engine.image(table, COUNT, 0.0, 1.0, 0.0, 1.0, 3, 2)[0].tolist() == [[0] * 3] * 2
        assert engine.image(table, line, 0.0, 1.0, 0.0, 1.0, 3, 2)[0].tolist() == [[0] * 3] * 2


def test_logarithmic_and_mercator_tiles(
    engine: Engine, dataset: MakeDataset, brute_counts: Callable[..., np.ndarray]
) -> None:
    rng = np.random.default_rng(4)
    table = dataset(x=np.exp(rng.normal(size=300) * 10), y=rng.integers(-3, 1000, 300), lon=rng.uniform(-180, 180, 300))
    layer = Layer("points", "x", "y", xaxis="log", yaxis="log")
    info = engine.info(table, layer)
    pairs = [p for p in zip(numbers(table, "x", "log"), numbers(table, "y", "log"), strict=True) if None not in p]
    assert info.rows_outside == 300 - len(pairs) > 0
    key = TileKey(1, 0, 0, 0)
    expected = brute_counts((info.root_x, info.root_y), *map(list, zip(*pairs, strict=True)), key)
    assert (engine.tile(table, layer, key).arrays()[0] == expected).all()
    world = engine.info(table, Layer("points", "lon", "y", xaxis="mercator", yaxis="mercator"))
    assert world.extent == (0.0, 0.0, 1.0, 1.0) and world.rows_outside == int((table.column("y").values > 85).sum())


def test_a_second_ask_costs_nothing(engine: Engine, dataset: MakeDataset) -> None:
    table = dataset(x=np.arange(100.0), y=np.arange(100.0))
    first, second = (engine.tile(table, COUNT, TileKey(0, 0, 0, 0)) for _ in range(2))
    assert first.planes == second.planes and first.cost.rows == 100 and first.cost.kernel_us > 0
    assert (second.cost.rows, second.cost.kernel_us, second.cost.encode_us) == (0, 0, 0)
    assert (first.arrays()[0] == second.arrays()[0]).all() and first.arrays()[0].sum() == 100


def test_one_build_for_all_who_wait(engine: Engine, dataset: MakeDataset) -> None:
    table = dataset(x=np.random.default_rng(5).normal(size=300_000), y=np.arange(300_000.0))
    assert engine.readiness(table, COUNT) == "none"
    stages: list[set[str]] = [set() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        asks = [
            pool.submit(engine.ensure, table, COUNT, lambda stage, done, rows, k=k: stages[k].add(stage))
            for k in range(4)
        ]
        for ask in asks:
            ask.result()
    assert engine.readiness(table, COUNT) == "complete"
    assert stages[0] | stages[1] | stages[2] | stages[3] >= {"ordering rows", "building tiles"}
    seen: list[str] = []
    engine.ensure(table, Layer("points", "x", "y", "mean(x)"), lambda stage, done, rows: seen.append(stage))
    assert set(seen) == {"gathering values", "building tiles"}  # the order is there already


def test_a_build_stops_when_its_only_caller_leaves(engine: Engine, dataset: MakeDataset) -> None:
    table = dataset(x=np.arange(3_000_000.0), y=np.arange(3_000_000.0))
    cancel = Cancel()

    def progress(stage: str, done: float, rows: int) -> None:
        cancel.cancel()

    with pytest.raises(Cancelled):
        engine.ensure(table, COUNT, progress, cancel)
    engine.ensure(table, COUNT)
    assert engine.readiness(table, COUNT) == "complete"


def test_answers_stay_the_same_in_many_threads(dataset: MakeDataset) -> None:
    engine = Engine(cache_bytes=200_000, threads=2)
    rng = np.random.default_rng(6)
    table = dataset(x=rng.normal(size=150_000), y=rng.normal(size=150_000), v=rng.normal(size=150_000))
    layers = [COUNT, Layer("points", "x", "y", "mean(v)"), Layer("line", "x", "v", "any")]
    keys = [TileKey(z, z, (1 << z) // 2, (1 << z) // 2 - (z > 0)) for z in range(6)] + [TileKey(3, 1, 4, 1)]
    expected = {(layer, key): engine.tile(table, layer, key).planes for layer in layers for key in keys}
    start = threading.Barrier(4)

    def ask(seed: int) -> bool:
        start.wait()
        order = list(expected)
        np.random.default_rng(seed).shuffle(order)  # type: ignore[arg-type]
        return all(repr(engine.tile(table, *each).planes) == repr(expected[each]) for each in order)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(ask, range(4)))
    assert engine.memory()["tiles"] <= 200_000


def test_names_of_answers_change_with_what_they_depend_on(engine: Engine, dataset: MakeDataset) -> None:
    table, other = dataset(x=[1.0], y=[1.0]), dataset(x=[1.0], y=[1.0])
    tags = [
        engine.etag(table, COUNT),
        engine.etag(other, COUNT),
        engine.etag(table, Layer("points", "x", "y", "any")),
        engine.etag(table, Layer("points", "x", "y", root="full")),
    ]
    assert len(set(tags)) == 4 and engine.etag(table, COUNT) == tags[0] and len(tags[0]) == 32


def test_old_layers_make_room(dataset: MakeDataset) -> None:
    engine = Engine(threads=1, index_bytes=3_000_000)
    tables = [dataset(x=np.arange(100_000.0), y=np.arange(100_000.0)) for _ in range(3)]
    for table in tables:
        engine.ensure(table, COUNT)
    assert [engine.readiness(table, COUNT) for table in tables] == ["none", "complete", "complete"]
    held = engine.memory()
    assert held["orders"] == 2 * 1_200_000 and held["orders"] + held["pyramids"] + held["series"] <= 3_000_000
    engine.tile(tables[1], COUNT, TileKey(0, 0, 0, 0))
    assert engine.tile(tables[0], COUNT, TileKey(0, 0, 0, 0)).arrays()[0].sum() == 100_000  # built again when asked
    assert [engine.readiness(table, COUNT) for table in tables] == ["complete", "complete", "none"]
    order = weakref.ref(engine.layers.ready(tables[1], COUNT).order)  # type: ignore[union-attr]
    kept = engine.tile(tables[1], COUNT, TileKey(0, 0, 0, 0))
    engine.ensure(tables[2], COUNT)
    engine.ensure(tables[0], COUNT)
    gc.collect()
    assert order() is None and kept.arrays()[0].sum() == 100_000  # neither a tile nor the cache held on to it
    engine.ensure(tables[0], Layer("points", "x", "y", "sum(x)"))
    assert engine.memory()["orders"] == 2_000_000  # one order and its gathered column, for both layers


def test_columns_of_layers_that_leave_are_let_go(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    names = ["a", "b", "c", "d"]
    pq.write_table(pa.table({name: rng.normal(size=100_000) for name in names}), tmp_path / "t.parquet")
    table = open_table(str(tmp_path / "t.parquet"))
    engine = Engine(threads=1, index_bytes=6_000_000)
    for x, y in (("a", "b"), ("b", "c"), ("c", "d"), ("a", "d"), ("a", "b")):
        engine.ensure(table, Layer("points", x, y))
        held = engine.memory()
        assert sum(held.values()) - held["tiles"] <= 6_000_000
        assert table.memory() <= held["columns"], "a column stayed that no layer uses"


def test_columns_of_builds_that_fail_or_stop_are_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    rows = 100_000
    kinds = pa.array([f"kind {number}" for number in rng.integers(0, 100, rows)])
    table = pa.table({**{name: rng.normal(size=rows) for name in "abcd"}, "kinds": kinds})
    pq.write_table(table, tmp_path / "t.parquet")
    found = open_table(str(tmp_path / "t.parquet"))
    engine = Engine(threads=1)
    with pytest.raises(BadInput, match="at most 64 categories"):
        engine.ensure(found, Layer("points", "a", "b", "by(kinds)"))
    assert found.memory() == 0 == engine.memory()["columns"], "what was read to find that out is gone"
    engine.ensure(found, Layer("points", "a", "b"))
    two = 2 * rows * 8
    assert found.memory() == two == engine.memory()["columns"]
    stop, building = Cancel(), []

    def ordered(*_: Any) -> Any:
        building.append(engine.memory()["columns"])
        stop.cancel()
        while True:
            stop.check()

    monkeypatch.setattr(layer_factory, "build_order", ordered)
    with pytest.raises(Cancelled):
        engine.ensure(found, Layer("points", "a", "c", "mean(d)"), cancel=stop)
    for thread in threading.enumerate():
        if thread.name == "bigviz-work":
            thread.join(PATIENCE)
    assert building == [2 * two], "while they are built with, columns count"
    assert found.memory() == two == engine.memory()["columns"], "those of the layer that is kept stay"


class _Counted(Cancel):
    """A flag that notes how often it is looked at, and is raised at one of these looks."""

    __slots__ = ("after", "looks")

    def __init__(self, after: int = 1 << 60) -> None:
        super().__init__()
        self.after, self.looks = after, 0

    def check(self) -> None:
        self.looks += 1
        if self.looks >= self.after:
            self.cancel()
        super().check()


@pytest.mark.parametrize("agg", ["count", "mean(v)", "by(k)"])
def test_a_kernel_looks_at_its_flag_at_every_slice(dataset: MakeDataset, agg: str) -> None:
    """20 ms are some 10^7 rows of counts and 10^6 of values: a look each 2^20 rows is soon enough."""
    rng = np.random.default_rng(2)
    rows = 3 << 20
    x, y = rng.normal(size=(2, rows)).astype(np.float32)
    kinds = pa.DictionaryArray.from_arrays(rng.integers(0, 4, rows).astype(np.int8), pa.array(list("abcd")))
    table = dataset(x=x, y=y, v=y, k=kinds)
    layer = Layer("points", "x", "y", agg)
    engine = Engine(threads=1, cache_bytes=0)
    opened = threading.Event()
    stop = Cancel()
    complete = layer_factory.complete

    def held(pyramid: Any, crew: Any, turns: Any) -> None:
        opened.set()
        while not stop.cancelled:
            crew.cancel.check()
            threading.Event().wait(0.001)
        complete(pyramid, crew, turns)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layer_factory, "complete", held)
        builder = threading.Thread(target=lambda: engine.ensure(table, layer), daemon=True)
        builder.start()
        assert opened.wait(PATIENCE)
        key = TileKey(0, 0, 0, 0)
        with pytest.raises(Cancelled):
            engine.tile(table, layer, key, _Counted(after=3))
        counted = _Counted()
        tile = engine.tile(table, layer, key, counted)
        assert tile.cost.rows >= rows // 2, "it was not there before: nothing of the pyramid is"
        assert counted.looks >= tile.cost.rows >> 20
        stop.cancel()
        builder.join(PATIENCE)
    assert engine.readiness(table, layer) == "complete"


def test_layers_larger_than_memory_are_scanned(dataset: MakeDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer_factory, "available_memory", lambda: 1000)
    engine, table = Engine(threads=1), dataset(x=np.arange(100.0), y=np.arange(100.0))
    engine.ensure(table, COUNT)
    assert engine.readiness(table, COUNT) == "scanned"
    assert engine.tile(table, COUNT, TileKey(0, 0, 0, 0)).arrays()[0].sum() == 100


def test_bad_asks_name_the_field(engine: Engine, dataset: MakeDataset) -> None:
    table = dataset(x=np.arange(70.0), y=np.arange(70.0), k=[f"label {k}" for k in range(70)])
    line = Layer("line", "x", "y", "any")
    asks: list[tuple[type[Exception], str, Callable[[], Any]]] = [
        (BadInput, "tile", lambda: engine.tile(table, COUNT, TileKey(1, 1, 2, 0))),
        (NotFound, "x", lambda: engine.tile(table, Layer("points", "z", "y"), TileKey(0, 0, 0, 0))),
        (BadInput, "agg", lambda: engine.ensure(table, Layer("points", "x", "y", "by(k)"))),
        (BadInput, "glyph", lambda: engine.columns(table, COUNT, 0, 1, 10)),
        (BadInput, "x0", lambda: engine.columns(table, line, 5, 5, 10)),
        (BadInput, "x1", lambda: engine.image(table, COUNT, 0, np.inf, 0, 1, 10, 10)),
        (BadInput, "y0", lambda: engine.image(table, COUNT, 0, 1, np.nan, 1, 10, 10)),
        (BadInput, "x0", lambda: engine.image(table, COUNT, 5e-324, 1e-323, 0, 1, 10, 10)),
        (BadInput, "width", lambda: engine.image(table, COUNT, 0, 1, 0, 1, 0, 10)),
        (BadInput, "height", lambda: engine.image(table, COUNT, 0, 1, 0, 1, 1, 10**9)),
        (TooLarge, "width", lambda: engine.image(table, COUNT, 0, 1, 0, 1, 5000, 5000)),
        (BadInput, "x0", lambda: engine.rows(table, COUNT, 2, 1, 0, 1)),
        (BadInput, "limit", lambda: engine.rows(table, COUNT, 0, 1, 0, 1, 50_001)),
    ]
    for error, field, ask in asks:
        with pytest.raises(error) as caught:
            ask()
        assert caught.value.field == field  # type: ignore[attr-defined]


def test_up_to_64_categories_are_planes(engine: Engine, dataset: MakeDataset) -> None:
    labels = [f"{k % 64:02}" for k in range(640)]
    table = dataset(x=np.arange(640.0), y=np.arange(640.0), k=labels)
    tile = engine.tile(table, Layer("points", "x", "y", "by(k)"), TileKey(0, 0, 0, 0))
    assert len(tile.planes) == 64 and all(plane.sum() == 10 for plane in tile.arrays())


@pytest.mark.parametrize(("preview_rows", "meanwhile"), [(1, "answering"), (1 << 21, "building")])
def test_a_large_layer_answers_before_its_index_is_complete(
    dataset: MakeDataset, monkeypatch: pytest.MonkeyPatch, preview_rows: int, meanwhile: str
) -> None:
    engine, table = Engine(threads=1, preview_rows=preview_rows), dataset(x=np.arange(9.0), y=np.arange(9.0))
    seen: list[str] = []
    complete = layer_factory.complete
    monkeypatch.setattr(
        layer_factory, "complete", lambda *all: seen.append(engine.readiness(table, COUNT)) or complete(*all)
    )
    seen.append(engine.readiness(table, COUNT))
    engine.ensure(table, COUNT)
    assert [*seen, engine.readiness(table, COUNT)] == ["none", meanwhile, "complete"]


def test_this_engine_is_one_that_a_server_can_take() -> None:
    taken: interface.Engine = Engine(threads=1)
    assert taken.memory().keys() == {"orders", "pyramids", "series", "columns", "tiles", "brushes"}
