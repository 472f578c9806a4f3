"""Layers that are scanned: what a pass over the source answers is what an index answers, bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import bigviz as bv
from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import Cancel
from bigviz.common.errors import Cancelled
from bigviz.data.dataset import Dataset
from bigviz.data.formats import parquet
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.batches import Streamed
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.scans import scanned_layer
from bigviz.tiles.scans.scanned_layer import ScannedLayer
from bigviz.wire.codec import decode

ROWS = 150_000
GROUP = 10_000
SMALL = 3 << 20  # bytes, which hold no order of so many rows
KEYS = [TileKey(0, 0, 0, 0), TileKey(2, 2, 1, 2), TileKey(3, 1, 4, 0), TileKey(9, 9, 200, 300), TileKey(24, 24, 5, 7)]
AGGS = [
    "count", "count(v)", "any", "any(v)", "sum(v)", "sum(n)", "sum(huge)", "mean(v)", "mean(n)", "min(v)", "max(n)",
    "min(t)", "mean(t)", "first(v)", "last(n)", "by(kind)", "by(kind, mean(v))", "by(kind, max(v))", "by(kind, any)",
]  # fmt: skip


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows with nulls, NaN, infinities and far rows; values are multiples of one number, so that sums do not
    depend on the order, in float64 neither."""
    rng = np.random.default_rng(12)
    x, y = rng.normal(0, 1, (2, ROWS))
    x[::1001], y[5::2003], x[7::30011] = np.nan, np.inf, 1e300
    kind = pa.array(np.array(["b", "a", "c"])[rng.integers(0, 3, ROWS)], mask=rng.random(ROWS) < 0.1)
    table = pa.table(
        {
            "x": x.astype(np.float64),
            "y": y.astype(np.float32),
            "v": pa.array(rng.integers(-800, 800, ROWS) / 8, mask=rng.random(ROWS) < 0.2),
            "n": pa.array(rng.integers(-5, 2**40, ROWS), mask=rng.random(ROWS) < 0.1),
            "huge": rng.integers(1, 2**10, ROWS).astype(np.uint64) << np.uint64(53),
            "t": pa.array(np.arange(ROWS) * 10**9, pa.timestamp("ns")),
            "whole": rng.integers(0, 5000, ROWS).astype(np.int32),
            "positive": rng.lognormal(0, 3, ROWS),
            "kind": kind.dictionary_encode(),
        }
    )
    made = tmp_path_factory.mktemp("tables") / "points.parquet"
    pq.write_table(table, made, row_group_size=GROUP)
    return made


def opened(path: Path) -> Dataset:
    """A file whose row groups are pieces each, however few rows they have."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet, "BATCH", 1)
        return bv.open(str(path))


@pytest.fixture(scope="module")
def dataset(path: Path) -> Dataset:
    return opened(path)


@pytest.fixture(scope="module")
def oracle() -> Engine:
    return Engine(threads=2)


@pytest.fixture
def engine() -> Engine:
    return Engine(threads=2, index_bytes=SMALL)


def layer(agg: str = "count", x: str = "x", y: str = "y", **more: str) -> Layer:
    return Layer("points", x, y, agg, **more)


def built(engine: Engine, dataset: Dataset, asked: Layer) -> ScannedLayer:
    engine.ensure(dataset, asked)
    found = engine.layers.find(dataset, asked)
    assert isinstance(found, ScannedLayer)
    return found


class Passes:
    """Counts the passes and the rows they read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rows: list[int] = []
        sweep = scanned_layer.sweep

        def counted(*args: Any) -> int:
            self.rows.append(sweep(*args))
            return self.rows[-1]

        monkeypatch.setattr(scanned_layer, "sweep", counted)


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> Passes:
    return Passes(monkeypatch)


def assert_same_answers(one: Engine, other: Engine, dataset: Dataset, asked: Layer, windows: list[Any]) -> None:
    mine, theirs = one.info(dataset, asked), other.info(dataset, asked)
    assert mine == theirs
    assert one.readiness(dataset, asked) == "scanned" and other.readiness(dataset, asked) == "complete"
    keys = [key for key in KEYS if key.zx < 20] + [deep_key(mine)]
    for key, scan in zip(keys, one.scan(dataset, asked, keys), strict=True):
        for tile in (scan, one.tile(dataset, asked, key)):
            expected = other.tile(dataset, asked, key)
            assert tile.planes == expected.planes
            for plane, right in zip(tile.arrays(), expected.arrays(), strict=True):
                np.testing.assert_array_equal(plane, right)
                assert plane.dtype == right.dtype and np.ma.isMaskedArray(plane) == np.ma.isMaskedArray(right)
    for at, (x, y) in enumerate(windows, len(str(asked.agg))):  # each window in each size and number, over all layers
        size, limit = ((40, 30), (300, 20))[at % 2], (50, 5000)[at // 2 % 2]
        image = [each.image(dataset, asked, *x, *y, *size) for each in (one, other)]
        np.testing.assert_array_equal(*(np.ma.asarray(planes) for planes in image))
        rows = [each.rows(dataset, asked, *x, *y, limit) for each in (one, other)]
        assert rows[0].schema.metadata == rows[1].schema.metadata
        assert rows[0].schema == rows[1].schema and rows[0].equals(rows[1])
        marks = [each.marks(dataset, asked, x, y) for each in (one, other)]
        assert (marks[0] is None) == (marks[1] is None)
        for name in ("x", "y", "row", "number", "code", "value", "matched") if marks[0] is not None else ():
            np.testing.assert_array_equal(*(getattr(each, name) for each in marks))
        drawn = [each.window_image(dataset, asked, x, y, (300, 200)) for each in (one, other)]
        assert drawn[0] is not None and drawn[1] is not None and drawn[0].planes == drawn[1].planes


def view_keys(level: int, i0: int, i1: int, j0: int, j1: int) -> list[TileKey]:
    return [TileKey(level, level, i, j) for i in range(i0, i1 + 1) for j in range(j0, j1 + 1)]


def deep_key(info: Any) -> TileKey:
    """A tile of the deepest level that holds the middle of the data."""
    x, y = (info.range[0] + info.range[2]) / 2, (info.range[1] + info.range[3]) / 2
    return TileKey(24, 24, info.root_x.cell(x, 24), (1 << 24) - 1 - info.root_y.cell(y, 24))


@pytest.mark.parametrize("agg", AGGS)
def test_a_scanned_layer_answers_as_an_indexed_one(dataset: Dataset, engine: Engine, oracle: Engine, agg: str) -> None:
    near, small = ((-1.0, 1.0), (-1.0, 1.0)), ((-0.01, 0.02), (0.0, 0.03))
    far, beside = ((-5.0, 1e301), (-9.0, 9.0)), ((50, 60), (0, 1))
    assert_same_answers(engine, oracle, dataset, layer(agg), [near, small, far, beside])


@pytest.mark.parametrize(
    ("asked", "windows"),
    [
        (layer("by(kind)", "t", "whole"), [((0, 10**14), (0, 2500)), ((5 * 10**12, 6 * 10**12), (17, 19))]),
        (layer("sum(whole)", "kind", "whole"), [((0, 1), (0, 2500)), ((1, 4), (17, 18))]),
        (layer("mean(n)", "positive", "y", xaxis="log"), [((-1.0, 1.0), (-1.0, 1.0)), ((0.5, 0.51), (0.0, 0.5))]),
        (layer("max(x)", "x", "y", root="full"), [((-1.0, 1.0), (-1.0, 1.0))]),
        (layer("count", "x", "x"), [((-1.0, 1.0), (-1.0, 0.0))]),
        (layer("any", "x", "y", xaxis="mercator", yaxis="mercator"), [((0.49, 0.51), (0.4, 0.6))]),
    ],
    ids=str,
)
def test_other_axes(dataset: Dataset, engine: Engine, oracle: Engine, asked: Layer, windows: list[Any]) -> None:
    assert_same_answers(engine, oracle, dataset, asked, windows)


def test_a_view_takes_one_pass_and_its_neighbours_none(dataset: Dataset, engine: Engine, passes: Passes) -> None:
    engine.ensure(dataset, layer())
    engine.scan(dataset, layer(), view_keys(5, 14, 17, 14, 17), ((-1.0, 1.0), (-1.0, 1.0)))
    assert passes.rows == [ROWS]
    engine.scan(dataset, layer(), view_keys(5, 13, 16, 13, 16), ((-1.1, 0.9), (-0.9, 1.1)))
    assert passes.rows == [ROWS], "the ring was made with the view, and its rows are known to be many"
    assert engine.marks(dataset, layer(), (-1.0, 1.0), (-1.0, 1.0)) is None
    assert passes.rows == [ROWS]


def test_what_lies_in_a_window_of_few_rows_takes_no_pass(dataset: Dataset, engine: Engine, passes: Passes) -> None:
    asked = layer("mean(v)")
    window = ((0.0, 0.5), (0.0, 0.5))
    marks = engine.marks(dataset, asked, *window)
    assert marks is not None and len(passes.rows) == 1
    inside = engine.marks(dataset, asked, (0.1, 0.2), (0.1, 0.2))
    assert inside is not None and inside.matched < marks.matched
    assert engine.window_image(dataset, asked, (0.1, 0.2), (0.1, 0.2), (100, 100)) is not None
    info = engine.info(dataset, asked)
    deep = TileKey(20, 20, info.root_x.cell(0.3, 20), (1 << 20) - 1 - info.root_y.cell(0.3, 20))
    engine.tile(dataset, asked, deep)
    assert len(passes.rows) == 1


def test_a_tile_by_itself_is_made_with_its_block(dataset: Dataset, engine: Engine, passes: Passes) -> None:
    for i in range(8, 12):
        for j in range(4, 8):
            engine.tile(dataset, layer(), TileKey(4, 4, i, j)).arrays()
    assert passes.rows == [ROWS]


def test_pieces_without_a_row_in_view_are_not_read_again(dataset: Dataset, engine: Engine, passes: Passes) -> None:
    asked = layer("count", "t", "whole")
    engine.scan(dataset, asked, [TileKey(0, 0, 0, 0)])
    engine.scan(dataset, asked, [TileKey(9, 9, 30, 300)])
    assert passes.rows[0] == ROWS and 0 < passes.rows[1] <= 3 * GROUP


@pytest.mark.parametrize("agg", ["sum(f)", "mean(f)", "by(kind, sum(f))"])
def test_sums_of_floats_do_not_depend_on_threads(tmp_path: Path, agg: str) -> None:
    rng = np.random.default_rng(6)
    kind = np.array(["a", "b"])[rng.integers(0, 2, ROWS)]
    table = pa.table({"x": rng.random(ROWS), "y": rng.random(ROWS), "f": rng.lognormal(0, 9, ROWS), "kind": kind})
    pq.write_table(table, tmp_path / "f.parquet", row_group_size=7_001)
    source, asked = opened(tmp_path / "f.parquet"), layer(agg)
    keys = view_keys(2, 1, 2, 2, 3)
    engines = [Engine(threads=threads, index_bytes=SMALL) for threads in (1, 2, 5)]
    for engine in engines:
        engine.ensure(source, asked)
    first, *others = [engine.scan(source, asked, keys) for engine in engines]
    alone = Engine(threads=2, index_bytes=SMALL)
    alone.ensure(source, asked)
    others.append([alone.tile(source, asked, key) for key in keys])
    indexed = Engine(threads=2)
    for tiles in others:
        for one, other in zip(first, tiles, strict=True):
            assert one.planes == other.planes
    for tile in first:
        expected = indexed.tile(source, asked, tile.key).arrays()
        for plane, right in zip(tile.arrays(), expected, strict=True):
            np.testing.assert_allclose(plane, right, rtol=1e-12)


def test_a_pass_ends_when_nobody_waits(dataset: Dataset, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    found = built(engine, dataset, layer())
    cancel, read = Cancel(), []
    inputs = found.inputs

    def counted(batch: Any) -> Any:
        read.append(batch.rows)
        cancel.cancel()
        return inputs(batch)

    monkeypatch.setattr(found, "inputs", counted)
    with pytest.raises(Cancelled):
        engine.scan(dataset, layer(), KEYS[:2], cancel=cancel)
    assert sum(read) <= 4 * GROUP
    monkeypatch.setattr(found, "inputs", inputs)
    (tile,) = engine.scan(dataset, layer(), KEYS[:1])
    assert tile.planes == Engine().tile(dataset, layer(), KEYS[0]).planes, "the gate is open again"


def test_planes_beyond_the_budget_take_several_passes(
    dataset: Dataset, oracle: Engine, passes: Passes, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, engine = layer("by(kind, mean(v))"), Engine(threads=2, index_bytes=SMALL)
    # Of two tiles, for two threads and the sum.
    monkeypatch.setattr(scanned_layer, "_LEAST_PLANES", 2 * 3 * 12 * 65_536 * 3)
    tiles = engine.scan(dataset, asked, view_keys(1, 0, 1, 0, 1))
    assert len(passes.rows) == 2
    for tile in tiles:
        assert tile.planes == oracle.tile(dataset, asked, tile.key).planes


def test_a_pass_tells_how_far_it_is(dataset: Dataset, engine: Engine) -> None:
    told: list[tuple[str, float, int]] = []
    engine.ensure(dataset, layer())
    engine.scan(dataset, layer(), KEYS[:1], progress=lambda *each: told.append(each))
    assert {stage for stage, _, _ in told} == {"scanning rows"}
    done = [share for _, share, _ in told]
    assert done == sorted(done) and done[-1] == 1 and len(set(done)) > 7


def test_a_scanned_layer_is_estimated_on_its_own_roots(dataset: Dataset) -> None:
    asked = layer("by(kind)")
    engine = Engine(threads=2, index_bytes=SMALL, preview_rows=1_000)
    engine.ensure(dataset, asked)
    drawn, estimate = engine.estimate(dataset, asked, TileKey(0, 0, 0, 0)) or (None, None)
    assert drawn is not None and estimate is not None and estimate.share == pytest.approx(8 * GROUP / ROWS)
    (exact,) = engine.scan(dataset, asked, [TileKey(0, 0, 0, 0)])
    assert len(drawn.planes) == len(exact.planes) == 3
    for plane, right in zip(drawn.planes, exact.arrays(), strict=True):
        values, _ = decode(plane)
        assert values.sum(dtype=np.int64) == pytest.approx(right.sum(), rel=0.05)
    assert engine.estimate(dataset, asked, TileKey(0, 0, 0, 0)) is None, "the exact tile is at hand"


def test_a_table_in_memory_is_scanned_as_well(path: Path, oracle: Engine, engine: Engine) -> None:
    table = bv.open(pq.read_table(path), name="held")
    assert_same_answers(engine, oracle, table, layer("max(n)"), [((-1.0, 1.0), (-1.0, 1.0))])


def test_what_is_kept_stays_within_the_budget(dataset: Dataset) -> None:
    engine = Engine(threads=2, index_bytes=SMALL)
    for level in range(3, 9):
        engine.scan(dataset, layer("mean(v)"), view_keys(level, 2, 5, 2, 5))
    assert built(engine, dataset, layer("mean(v)"))._kept.nbytes <= SMALL // 8


def test_pieces_that_statistics_rule_out_are_not_read(path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch):
    """By the filter, and by where the rows of a piece lie: `t` and `whole` ascend here."""
    table = pq.read_table(path).sort_by("whole")
    sorted_path = path.with_name("sorted.parquet")
    pq.write_table(table, sorted_path, row_group_size=GROUP)
    dataset = opened(sorted_path)
    read: list[int] = []
    own = Streamed.read
    monkeypatch.setattr(Streamed, "read", lambda self, piece, cancel: read.append(piece) or own(self, piece, cancel))
    for layer, key, most in (
        (Layer("points", "x", "y", "sum(n)", filter="whole between 1000 and 1100"), KEYS[0], 5),
        (Layer("points", "whole", "y"), TileKey(4, 4, 3, 7), 6),  # of 15, with its neighbours
    ):
        engine.ensure(dataset, layer)
        assert engine.readiness(dataset, layer) == "scanned"
        read.clear()
        (found,) = engine.scan(dataset, layer, [key])
        assert 0 < len(read) <= most
        for one, other in zip(found.arrays(), Engine().tile(dataset, layer, key).arrays(), strict=True):
            np.testing.assert_array_equal(one, other)
