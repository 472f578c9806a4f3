"""Layers out of stores: found, built where that is allowed, dropped where damaged; the answers are the same."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import bigviz as bv
from bigviz.aggregate.layer import Layer
from bigviz.common import priority
from bigviz.common.cancel import Cancel
from bigviz.common.errors import TooLarge, Unreadable
from bigviz.common.priority import Turns
from bigviz.data.dataset import Dataset
from bigviz.tiles import disk_indexes, layer_factory
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.scans import scan_factory
from bigviz.tiles.store.catalog.directory import StoreDirectory
from bigviz.tiles.store.catalog.parts import parts

from ..patience import PATIENCE

ROWS = 300_000
AGGS = ["count", "any", "sum(v)", "mean(v)", "min(v)", "max(n)", "first(v)", "by(kind)", "by(kind, mean(v))"]
KEYS = [TileKey(0, 0, 0, 0), TileKey(2, 2, 1, 2), TileKey(3, 1, 4, 0), TileKey(9, 9, 200, 300)]


@pytest.fixture(autouse=True)
def every_table_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk_indexes, "STORED_ROWS", 1)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(11)
    x, y = rng.normal(0, 1, (2, ROWS))
    kind = pa.array(np.array(["a", "b", "c"])[rng.integers(0, 3, ROWS)], mask=rng.random(ROWS) < 0.1)
    table = pa.table(
        {
            "x": x.astype(np.float32),
            "y": y,
            "v": pa.array(rng.normal(5, 1, ROWS), mask=rng.random(ROWS) < 0.2),
            "n": rng.integers(-5, 2**40, ROWS),
            "t": np.arange(ROWS, dtype=np.int64) * 3,
            "kind": kind.dictionary_encode(),
        }
    )
    made = tmp_path_factory.mktemp("tables") / "points.parquet"
    pq.write_table(table, made, row_group_size=50_000)
    return made


@pytest.fixture
def dataset(path: Path) -> Dataset:
    return bv.open(str(path))


@pytest.fixture
def stores(tmp_path: Path) -> StoreDirectory:
    return StoreDirectory(tmp_path / "stores", tell=lambda sentence: None)


def layer(agg: str = "count", **more: str) -> Layer:
    return Layer("points", "x", "y", agg, **more)


def assert_same_answers(one: Engine, other: Engine, dataset: Dataset, asked: Layer) -> None:
    assert one.info(dataset, asked) == other.info(dataset, asked)
    for key in KEYS:
        mine, theirs = one.tile(dataset, asked, key), other.tile(dataset, asked, key)
        assert mine.planes == theirs.planes
        for plane, expected in zip(mine.arrays(), theirs.arrays(), strict=True):
            np.testing.assert_array_equal(plane, expected)
    for window in ((-1.0, 1.0), (-0.01, 0.02)):
        image = [each.image(dataset, asked, *window, *window, 40, 30) for each in (one, other)]
        mine, theirs = (np.asarray(planes) for planes in image)
        if "sum" in asked.agg or "mean" in asked.agg:  # floats of an image are added in the order of its index
            np.testing.assert_allclose(mine, theirs, rtol=1e-12)
        else:
            np.testing.assert_array_equal(mine, theirs)
        rows = [each.rows(dataset, asked, *window, *window, 50) for each in (one, other)]
        assert rows[0].equals(rows[1])


@pytest.mark.parametrize("agg", AGGS)
def test_a_stored_layer_answers_as_one_in_memory(dataset: Dataset, stores: StoreDirectory, agg: str):
    stored, memory = Engine(stores=stores), Engine()
    stored.publish(dataset, layer(agg))
    stored.ensure(dataset, layer(agg))
    (entry,) = stores.entries()
    assert entry.state == "ready"
    assert_same_answers(stored, memory, dataset, layer(agg))


def test_a_store_is_found_and_no_column_is_read(path: Path, stores: StoreDirectory, monkeypatch: pytest.MonkeyPatch):
    first, asked = Engine(stores=stores), layer("by(kind, mean(v))")
    dataset = bv.open(str(path))
    first.publish(dataset, asked)
    first.ensure(dataset, asked)
    expected = [first.tile(dataset, asked, key).planes for key in KEYS]

    again, engine = bv.open(str(path)), Engine(stores=stores, index="existing")
    for name in ("column", "read", "labels", "take", "head"):
        monkeypatch.setattr(Dataset, name, lambda *args, **kwargs: pytest.fail("the source was read"))
    assert engine.preview(again, asked) is None
    assert engine.info(again, asked).planes == ("a", "b", "c")
    assert [engine.tile(again, asked, key).planes for key in KEYS] == expected
    assert engine.readiness(again, asked) == "complete"


@pytest.mark.parametrize(("index", "published"), [("auto", False), ("existing", True), ("never", True)])
def test_nothing_is_written_that_was_not_allowed(dataset: Dataset, stores: StoreDirectory, index, published):
    engine = Engine(stores=stores, index=index)
    if published:
        engine.publish(dataset, layer())
    assert engine.tile(dataset, layer(), KEYS[0]).arrays()[0].sum() > 0
    assert stores.entries() == [] and not stores.root.exists()


def test_what_a_viewer_picks_over_a_store_leaves_it_as_it_is(dataset: Dataset, stores: StoreDirectory):
    engine = Engine(stores=stores)
    engine.publish(dataset, layer())
    engine.ensure(dataset, layer())
    before = sorted(path for path in stores.root.rglob("*") if path.is_file() and path.suffix != ".lock")
    memory = Engine()
    assert_same_answers(engine, memory, dataset, layer("mean(v)"))
    after = sorted(path for path in stores.root.rglob("*") if path.is_file() and path.suffix != ".lock")
    assert after == before


def test_a_line_has_a_store_too(dataset: Dataset, stores: StoreDirectory):
    asked = Layer("line", "t", "v", "any")
    stored, memory = Engine(stores=stores), Engine()
    stored.publish(dataset, asked)
    assert stored.info(dataset, asked) == memory.info(dataset, asked)
    assert [entry.of["spec"]["kind"] for entry in stores.entries()] == ["series"]
    mine, theirs = (each.columns(dataset, asked, 0, 3 * ROWS, 300) for each in (stored, memory))
    for name in ("column", "run", "row", "x", "y"):
        np.testing.assert_array_equal(getattr(mine, name), getattr(theirs, name))


def flip(file: Path, at: int) -> None:
    data = bytearray(file.read_bytes())
    data[at] ^= 1
    file.write_bytes(data)


@pytest.mark.parametrize("name", ["keys.arrow", "rows.arrow", "c0-values.arrow"])
def test_a_damaged_store_is_dropped_and_built_again(
    path: Path, stores: StoreDirectory, name: str, caplog: pytest.LogCaptureFixture
):
    """Where it lies is reported to the operator, in the log, and not to the client."""
    asked = layer("mean(v)")
    dataset = bv.open(str(path))
    first = Engine(stores=stores)
    first.publish(dataset, asked)
    first.ensure(dataset, asked)
    store = stores.entries()[0].path
    for part in (store / "pyramids").iterdir():
        stores.drop(part)  # so that rows are read, not planes
    expected = Engine().tile(dataset, asked, KEYS[0]).planes
    file = store / name
    flip(file, file.stat().st_size // 2)

    engine = Engine(stores=stores)
    engine.publish(dataset, asked)
    for _ in range(3):
        try:
            engine.rows(dataset, asked, -9.0, 9.0, -9.0, 9.0, 50_000)
            found = engine.tile(dataset, asked, KEYS[0]).planes
        except Unreadable as error:
            assert error.message == f"The index of {dataset.name!r} is damaged: it is being built again, try once more."
            assert error.got is None and str(store) in caplog.text
            continue
        assert found == expected, "a flipped byte was drawn"
    assert engine.tile(dataset, asked, KEYS[0]).planes == expected


def test_a_store_that_is_damaged_as_soon_as_it_is_built_names_no_path(
    path: Path, stores: StoreDirectory, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def broken(store: Path) -> None:
        raise Unreadable(f"{store / 'keys.arrow'} is damaged.", got=str(store / "keys.arrow"))

    monkeypatch.setattr(layer_factory, "open_stored_order", broken)
    dataset, engine = bv.open(str(path)), Engine(stores=stores)
    engine.publish(dataset, layer())
    with pytest.raises(Unreadable) as caught:
        engine.ensure(dataset, layer())
    assert str(stores.root) not in f"{caught.value.message} {caught.value.got}"
    assert f"{stores.root}" in caplog.text


def test_damage_that_an_answer_meets_names_no_path(
    path: Path, stores: StoreDirectory, caplog: pytest.LogCaptureFixture
):
    dataset, engine = bv.open(str(path)), Engine(stores=stores)
    engine.publish(dataset, layer())
    engine.ensure(dataset, layer())
    file = stores.entries()[0].path / "keys.arrow"
    with pytest.raises(Unreadable) as caught, engine.layers.answering(dataset, layer()):
        raise Unreadable(f"{file} is damaged.", got=str(file))
    assert str(stores.root) not in f"{caught.value.message} {caught.value.got}" and str(file) in caplog.text
    assert engine.readiness(dataset, layer()) == "none" and not stores.entries()


def test_what_fits_no_budget_is_scanned(dataset: Dataset, stores: StoreDirectory):
    engine = Engine(index_bytes=1 << 20, stores=stores)
    engine.ensure(dataset, layer())
    assert engine.readiness(dataset, layer()) == "scanned"
    assert not stores.entries(), "nothing was published"


def test_a_line_that_fits_no_budget_is_refused_with_a_hint(dataset: Dataset):
    with pytest.raises(TooLarge, match="bigviz index"):
        Engine(index_bytes=1 << 20).ensure(dataset, Layer("line", "t", "v", "any"))


def test_a_column_that_a_store_lacks_and_memory_does_not_hold_is_scanned(
    path: Path, stores: StoreDirectory, monkeypatch: pytest.MonkeyPatch
):
    published, picked = layer(), layer("max(n)")
    stored = Engine(stores=stores, index_bytes=1 << 20)
    dataset = bv.open(str(path))
    stored.publish(dataset, published)
    stored.ensure(dataset, published)
    assert stored.readiness(dataset, published) == "complete"
    monkeypatch.setattr(scan_factory, "survey_pairs", lambda *args: pytest.fail("the order knows the roots"))
    stored.ensure(dataset, picked)
    assert stored.readiness(dataset, picked) == "scanned"
    assert not dataset.memory(), "no column was read into memory"
    assert_same_answers(stored, Engine(), dataset, picked)


def test_columns_that_a_store_lacks_are_added_to_it(
    path: Path, stores: StoreDirectory, monkeypatch: pytest.MonkeyPatch
):
    dataset, asked = bv.open(str(path)), layer("by(kind, mean(v))")
    first = Engine(stores=stores)
    first.publish(dataset, layer())
    first.ensure(dataset, layer())
    (entry,) = stores.entries()
    assert first.tile(dataset, asked, KEYS[0]) and parts(entry.path, "columns") == {}, "viewers add nothing"

    later = Engine(stores=stores)
    later.publish(dataset, asked)
    later.ensure(dataset, asked)
    assert set(parts(entry.path, "columns")) == {"kind", "v"} and set(parts(entry.path, "pyramids")) == {
        "count",
        "by(kind, mean(v))",
    }
    expected = Engine()
    assert_same_answers(later, expected, dataset, asked)

    again, found = bv.open(str(path)), Engine(stores=stores, index="existing")
    for name in ("column", "read", "take", "head"):
        monkeypatch.setattr(Dataset, name, lambda *args, **kwargs: pytest.fail("the source was read"))
    assert found.tile(again, asked, KEYS[1]).planes == expected.tile(dataset, asked, KEYS[1]).planes


def test_a_damaged_column_is_gathered_again_and_the_order_stays(path: Path, stores: StoreDirectory):
    dataset, asked = bv.open(str(path)), layer("sum(v)")
    first = Engine(stores=stores)
    for each in (layer(), asked):
        first.publish(dataset, each)
        first.ensure(dataset, each)
    (entry,) = stores.entries()
    (column,) = parts(entry.path, "columns").values()
    stores.drop(parts(entry.path, "pyramids")["sum(v)"])
    flip(column / "values.arrow", 1_000_000)
    expected = Engine().tile(dataset, asked, KEYS[0]).planes
    engine = Engine(stores=StoreDirectory(stores.root, tell=lambda sentence: None))
    engine.publish(dataset, asked)
    engine.ensure(dataset, asked)
    assert engine.tile(dataset, asked, KEYS[0]).planes == expected
    assert [each.path for each in stores.entries()] == [entry.path] and set(parts(entry.path, "columns")) == {"v"}


@pytest.mark.parametrize("asked", [layer(), layer("mean(v)"), Layer("line", "t", "v", "any")])
def test_where_the_disk_refuses_memory_does(dataset: Dataset, tmp_path: Path, asked: Layer):
    said: list[str] = []
    engine = Engine(stores=StoreDirectory(tmp_path / "stores", 1_000_000, tell=said.append))
    engine.publish(dataset, asked)
    engine.ensure(dataset, asked)
    key = KEYS[0]
    assert engine.tile(dataset, asked, key).planes == Engine().tile(dataset, asked, key).planes
    assert len(said) == 1 and "No index is kept on the disk" in said[0] and "--store-limit" in said[0]


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize("agg", ["sum(v)", "by(kind)", "line over t", "line over x"])
def test_builds_look_where_no_column_is_locked(
    dataset: Dataset, stores: StoreDirectory, monkeypatch: pytest.MonkeyPatch, agg: str, stored: bool
) -> None:
    """A request may wait for the column while it holds its turn."""
    looks: list[bool] = []

    class Watched(Turns):
        def give_way(self, cancel: Cancel) -> None:
            looks.append(any(lock.locked() for lock in dataset._locks))
            super().give_way(cancel)

    monkeypatch.setattr(layer_factory, "Turns", Watched)
    asked = Layer("line", agg[-1], "y", "any") if agg.startswith("line") else layer(agg)
    engine = Engine(threads=2, stores=stores if stored else None)
    engine.publish(dataset, asked)
    engine.ensure(dataset, asked)
    assert len(looks) > 5 and not any(looks)
    assert bool(stores.entries()) == stored


def test_a_request_that_waits_for_a_column_does_not_stop_its_reader(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would for ever, if reading a column made way: the reader has the column's lock, the request its turn."""
    monkeypatch.setattr(priority, "PATIENCE", 1e9)
    shared = Turns()
    monkeypatch.setattr(layer_factory, "Turns", lambda: shared)
    engine = Engine(threads=2)
    reading, asked = threading.Event(), threading.Event()
    read = dataset._source.read

    def slowly(index: int, *arguments: Any) -> None:
        if dataset.schema.names[index] == "v":
            reading.set()
            assert asked.wait(PATIENCE)
        read(index, *arguments)

    def request() -> None:
        with shared.request():
            asked.set()
            dataset.column("v")

    monkeypatch.setattr(dataset._source, "read", slowly)
    threads = [threading.Thread(target=lambda: engine.ensure(dataset, layer("sum(v)")), daemon=True)]
    threads[0].start()
    assert reading.wait(PATIENCE)
    threads.append(threading.Thread(target=request, daemon=True))
    threads[1].start()
    for thread in reversed(threads):
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert engine.readiness(dataset, layer("sum(v)")) == "complete"


def test_builds_make_way_for_the_first_sample_and_for_estimates(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[int] = []

    class Noted(Turns):
        @property
        def asked(self) -> int:
            return self._asked

    noted = Noted()
    monkeypatch.setattr(layer_factory, "Turns", lambda: noted)
    engine = Engine(threads=1, preview_rows=1)
    read = dataset.read
    monkeypatch.setattr(dataset, "read", lambda *all, **more: held.append(noted.asked) or read(*all, **more))
    preview = engine.preview(dataset, layer())
    assert preview is not None and held and all(held)
    draw = preview._preview.draw
    monkeypatch.setattr(preview._preview, "draw", lambda *all: (noted.asked, draw(*all)))
    assert preview.tile(KEYS[0])[0] == 1  # type: ignore[comparison-overlap]
    held.clear()
    preview.grow()
    assert not any(held), "what makes an estimate better runs next to the build"
