import threading
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.reductions.base import Planes
from bigviz.aggregate.reductions.parse import parse
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import Cancelled
from bigviz.common.priority import Turns
from bigviz.common.workers import Crew
from bigviz.common.xxh64 import sum_blocks
from bigviz.data.dataset import Dataset
from bigviz.tiles.grid.tile_key import DEEPEST, TileKey
from bigviz.tiles.morton.order import Order, build_order
from bigviz.tiles.morton.sorted_keys import SortedKeys
from bigviz.tiles.morton.verified_array import VerifiedArray
from bigviz.tiles.pyramid import layer_columns as values_module
from bigviz.tiles.pyramid import pyramid as pyramid_module
from bigviz.tiles.pyramid.accumulators import finished, revive
from bigviz.tiles.pyramid.build import complete
from bigviz.tiles.pyramid.layer_columns import gather_inputs
from bigviz.tiles.pyramid.plane_store import MemoryShelf
from bigviz.tiles.pyramid.pyramid import Pyramid
from bigviz.tiles.store.pyramid_file import PlaneFile

from ...patience import PATIENCE
from ..built import build_pyramid

MakeAxis = Callable[..., Axis]
MakeDataset = Callable[..., Dataset]

AGGS = (
    "count",
    "any",
    "count(v)",
    "sum(v)",
    "sum(n)",
    "mean(v)",
    "min(v)",
    "max(n)",
    "first(n)",
    "last(v)",
    "by(k)",
    "by(k, mean(v))",
    "by(k, max(n))",
)
SIZE = 30_000


def table(shape: str, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=SIZE), rng.normal(size=SIZE)
    if shape == "piles":  # two large piles, many rows between them
        x[:9000], y[:9000] = 0.25, 0.25
        x[9000:16000], y[9000:16000] = 0.25 + 2**-20, 0.25
    if shape == "integers":
        x, y = rng.integers(0, 12, SIZE).astype(float), rng.integers(0, 3, SIZE).astype(float)
    v = rng.integers(-(2**20), 2**20, SIZE) / 1024.0  # sums of these are exact in any order
    v[rng.random(SIZE) < 0.2] = np.nan
    return {
        "x": x,
        "y": y,
        "v": v.astype(np.float32),
        "n": pa.array(rng.integers(-100, 100, SIZE), pa.int16(), mask=rng.random(SIZE) < 0.2),
        "k": pa.array([["cat", "dog", "owl", None][i] for i in rng.integers(0, 4, SIZE)]),
    }


class Case:
    """A table in order, and its tiles by looking at every row."""

    def __init__(self, dataset: Dataset, axis: MakeAxis) -> None:
        self.columns = {info.name: dataset.column(info.name) for info in dataset.columns()}
        self.order: Order = build_order(*(Axis(self.columns[name], axis([0.0]).space) for name in "xy"), False, Crew(2))
        self.codes = np.empty((2, dataset.num_rows), np.uint32)
        for k, name in enumerate("xy"):
            root = (self.order.survey.x, self.order.survey.y)[k]
            root.codes(self.columns[name].values, None, self.codes[k])

    def pyramid(self, agg: str, crew: Crew | None = None) -> Pyramid:
        crew = crew or Crew(2)
        return build_pyramid(self.order.guard, gather_inputs(self.order, parse(agg), self.columns, crew), crew)

    def brute(self, pyramid: Pyramid, tile: TileKey) -> list[np.ndarray]:
        """The finished planes: all rows of the dataset appended in file order to the cells of their codes."""
        inputs = pyramid.inputs
        column = (self.codes[0].astype(np.int64) >> (24 - tile.zx)) - tile.i * 256
        row = (self.codes[1].astype(np.int64) >> (24 - tile.zy)) - tile.row * 256
        inside = (column >= 0) & (column < 256) & (row >= 0) & (row < 256)
        cells = np.where(inside, (255 - row) * 256 + column, -1).astype(np.int32)
        planes = inputs.create()
        inputs.append(planes, cells[self.order.rows], slice(0, len(cells)))
        return finished(inputs.reduction, planes, inputs.own)


def planes_of(pyramid: Pyramid, tile: TileKey) -> list[np.ndarray]:
    kept = pyramid.kept(tile)
    inputs = pyramid.inputs
    planes: Planes = revive(inputs.reduction, kept, inputs.dtype) if kept else pyramid.scan(tile, NEVER)[0]
    return finished(inputs.reduction, planes, inputs.own)


def same(ours: list[np.ndarray], theirs: list[np.ndarray]) -> bool:
    return len(ours) == len(theirs) and all(
        one.dtype == other.dtype
        and np.array_equal(np.ma.getmaskarray(one), np.ma.getmaskarray(other))
        and np.array_equal(np.ma.filled(one, 0), np.ma.filled(other, 0), equal_nan=one.dtype.kind == "f")
        for one, other in zip(ours, theirs, strict=True)
    )


@pytest.fixture(autouse=True)
def small_tiles_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values_module, "CELLS", 400)
    monkeypatch.setattr(pyramid_module, "_FEW", 20)
    monkeypatch.setattr(pyramid_module, "_CHUNK", 1000)


@pytest.fixture(scope="module", params=["normal", "piles", "integers"])
def case(request: pytest.FixtureRequest, dataset: MakeDataset, axis: MakeAxis) -> Case:
    return Case(dataset(**table(request.param, 1)), axis)


def tiles_with_rows(case: Case, levels: list[tuple[int, int]], count: int) -> list[TileKey]:
    rng = np.random.default_rng(5)
    tiles = []
    for zx, zy in levels:
        for row in rng.integers(0, SIZE, count):
            x, y = (int(codes[row]) for codes in case.codes)
            tiles.append(TileKey(zx, zy, x >> (32 - zx), (1 << zy) - 1 - (y >> (32 - zy))))
    return list(dict.fromkeys(tiles))


@pytest.mark.parametrize("agg", AGGS)
def test_tiles_equal_a_look_at_every_row(case: Case, agg: str) -> None:
    pyramid = case.pyramid(agg)
    square, other = [(z, z) for z in (0, 1, 3, 6, 20, DEEPEST)], [(0, 3), (5, 1), (2, 12), (DEEPEST, 0), (9, 21)]
    for tile in tiles_with_rows(case, square + other, 2):
        assert same(planes_of(pyramid, tile), case.brute(pyramid, tile)), tile


@pytest.mark.parametrize("agg", ["count", "sum(v)", "by(k)"])
def test_large_tiles_are_kept_and_small_ones_are_not(case: Case, agg: str) -> None:
    pyramid = case.pyramid(agg)
    many = pyramid.inputs.many
    for tile in tiles_with_rows(case, [(z, z) for z in range(DEEPEST + 1)], 20):
        x0, x1, y0, y1 = tile.codes
        x, y = case.codes
        inside = (x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)
        cells = len(set(zip((x[inside] >> 24 - tile.zx).tolist(), (y[inside] >> 24 - tile.zy).tolist(), strict=True)))
        spots = len(set(zip(x[inside].tolist(), y[inside].tolist(), strict=True)))
        pile = spots == 1 and tile.zx < DEEPEST  # which is kept there, once
        few = cells <= 20 if agg == "count" else pile
        assert (pyramid.kept(tile) is not None) == (inside.sum() > many and not few), tile


def test_a_parent_is_the_sum_of_its_children(case: Case) -> None:
    pyramid = case.pyramid("count")
    for z in range(6):
        total = 0
        for tile in tiles_with_rows(case, [(z, z)], 40):
            parent = planes_of(pyramid, tile)[0]
            children = np.block(
                [
                    [
                        planes_of(pyramid, TileKey(z + 1, z + 1, 2 * tile.i + i, 2 * tile.j + j))[0].astype(np.int64)
                        for i in (0, 1)
                    ]
                    for j in (0, 1)
                ]
            )
            assert (children.reshape(256, 2, 256, 2).sum(axis=(1, 3)) == parent).all()
            total += int(parent.sum())
        assert total <= SIZE


def test_every_row_is_in_one_tile_of_a_level(case: Case) -> None:
    pyramid = case.pyramid("count")
    for zx, zy in ((0, 0), (1, 1), (3, 3), (3, 1), (0, 4)):
        tiles = [TileKey(zx, zy, i, j) for i in range(1 << zx) for j in range(1 << zy)]
        assert sum(int(planes_of(pyramid, tile)[0].sum()) for tile in tiles) == SIZE


def test_threads_do_not_change_a_bit(case: Case) -> None:
    one, two = case.pyramid("mean(v)", Crew(1)), case.pyramid("mean(v)", Crew(3))
    tiles = set(one.shelf.tiles())
    assert tiles and tiles == set(two.shelf.tiles())
    assert all(one.kept(tile) == two.kept(tile) for tile in tiles)


def test_a_raised_flag_stops_the_build(case: Case) -> None:
    cancel = Cancel()

    def progress(stage: str, done: float, rows: int) -> None:
        if stage == "building tiles":
            cancel.cancel()

    with pytest.raises(Cancelled):
        case.pyramid("count", Crew(1, progress, cancel))


def test_an_empty_table_has_empty_tiles(dataset: MakeDataset, axis: MakeAxis) -> None:
    case = Case(dataset(x=np.empty(0), y=np.empty(0), v=np.empty(0, np.float32)), axis)
    pyramid = case.pyramid("mean(v)")
    assert not len(pyramid.shelf) and np.isnan(planes_of(pyramid, TileKey(0, 0, 0, 0))[0]).all()


def test_costly_planes_are_kept_for_larger_tiles(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    weights = {agg: case.pyramid(agg).inputs.many / 65_536 for agg in ("count", "mean(v)", "by(k)", "by(k, sum(v))")}
    assert weights == {"count": 1, "mean(v)": 4, "by(k)": 1.5, "by(k, sum(v))": 6}


def rough_values(case: Case) -> Case:
    """The same table with values whose sums depend on the order in which they are added."""
    rough = copy(case)
    values = np.random.default_rng(8).normal(size=SIZE).astype(np.float32) ** 5
    rough.columns = {**case.columns, "v": replace(case.columns["v"], values=values)}
    return rough


@pytest.mark.parametrize("agg", ["count", "mean(v)", "by(k, max(n))"])
def test_a_pyramid_answers_before_it_is_complete_and_with_the_same_bits(case: Case, agg: str) -> None:
    case = rough_values(case)
    whole = case.pyramid(agg)
    levels = [(z, z) for z in (0, 1, 2, 5)] + [(0, 3), (3, 1), (2, 7), (0, 12), (DEEPEST, 1)]
    for k, tile in enumerate(tiles_with_rows(case, levels, 1)):
        fresh = Pyramid(case.order.guard, whole.inputs)
        planes, rows = fresh.scan(tile, NEVER)
        assert all((one == other).all() for one, other in zip(planes, whole.scan(tile, NEVER)[0], strict=True)), tile
        again, less = fresh.scan(tile, NEVER)
        assert all((one == other).all() for one, other in zip(planes, again, strict=True)) and less <= rows
        if k % 4 == 1:
            complete(fresh, Crew(2))
            assert set(fresh.shelf.tiles()) >= set(whole.shelf.tiles())
            assert all(fresh.kept(each) == whole.kept(each) for each in whole.shelf.tiles())


@pytest.mark.parametrize("agg", ["count", "sum(v)", "by(k)"])
def test_no_tile_reads_many_rows_whatever_its_levels(case: Case, agg: str) -> None:
    pyramid = case.pyramid(agg)
    inputs = pyramid.inputs
    levels = [(zx, zy) for zx in range(0, 12, 2) for zy in (0, 1, 4, 9)]
    for tile in tiles_with_rows(case, levels, 4):
        kept = pyramid.kept(tile)
        rows = 0 if kept else pyramid.scan(tile, NEVER)[1]
        # piles are leapt over, and squares on the border hold up to 256 rows each
        assert agg == "count" or rows <= (inputs.many if tile.zx == tile.zy else inputs.many_apart + 256), tile


def test_an_interrupted_build_goes_on_where_it_was(case: Case, tmp_path: Path) -> None:
    whole = case.pyramid("sum(v)")
    looks = 0

    class Soon(Cancel):
        def check(self) -> None:
            nonlocal looks
            looks += 1
            if looks > stop:
                raise Cancelled()

    made = 0
    for stop in (5, 20, 60, 10**9):
        looks = 0
        shelf = PlaneFile(tmp_path, *whole.inputs.kept_planes, write=True)
        assert len(shelf) >= made
        pyramid = Pyramid(case.order.guard, whole.inputs, shelf)
        try:
            complete(pyramid, Crew(1, cancel=Soon()))
        except Cancelled:
            assert stop < 10**9
        shelf.finish()
        made = len(shelf)
        shelf.close()
    kept = PlaneFile(tmp_path, *whole.inputs.kept_planes, write=False)
    assert len(kept) == len(whole.shelf) > 3
    assert all(repr(kept.get(tile)) == repr(whole.kept(tile)) for tile in whole.shelf.tiles())


@pytest.mark.parametrize("agg", ["count", "mean(v)", "by(k)"])
def test_verified_keys_and_columns_give_the_same_bits(case: Case, agg: str) -> None:
    case = rough_values(case)
    whole = case.pyramid(agg)
    inputs = whole.inputs
    summed = {
        name: VerifiedArray(held.array, sum_blocks(held.array))
        for name in ("values", "valid", "codes")
        if (held := getattr(inputs, name)) is not None
    }
    keys = case.order.guard.keys.array
    guard = SortedKeys(VerifiedArray(keys, sum_blocks(keys)), case.order.guard.fences)
    mapped = build_pyramid(guard, replace(inputs, **summed), Crew(2))
    assert set(mapped.shelf.tiles()) == set(whole.shelf.tiles())
    assert all(mapped.kept(tile) == whole.kept(tile) for tile in whole.shelf.tiles())
    for tile in tiles_with_rows(case, [(4, 4), (9, 2), (DEEPEST, DEEPEST)], 5):
        one, other = mapped.scan(tile, NEVER)[0], whole.scan(tile, NEVER)[0]
        assert all((a == b).all() for a, b in zip(one, other, strict=True))


def test_a_build_makes_way_for_requests(case: Case) -> None:
    turns, begun, ended = Turns(), threading.Event(), threading.Event()
    pyramid = Pyramid(case.order.guard, case.pyramid("count").inputs)

    def build() -> None:
        complete(pyramid, Crew(1, lambda *_: begun.set()), turns)
        ended.set()

    with turns.request():
        builder = threading.Thread(target=build)
        builder.start()
        assert begun.wait(PATIENCE) and not ended.wait(0.1)
        tile = TileKey(1, 1, 0, 0)
        assert same(planes_of(pyramid, tile), case.brute(pyramid, tile))  # what it waits for is not waited for
    assert ended.wait(PATIENCE)
    builder.join()


def test_a_full_shelf_changes_no_answer(case: Case) -> None:
    pyramid = Pyramid(case.order.guard, case.pyramid("sum(v)").inputs, MemoryShelf(3000))
    for tile in tiles_with_rows(case, [(0, 0), (2, 2), (1, 4)], 2):
        assert same(planes_of(pyramid, tile), case.brute(pyramid, tile))
    assert pyramid.nbytes <= 3000


def test_nothing_is_made_that_a_full_shelf_does_not_keep(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = case.pyramid("sum(v)").inputs
    whole, short = Pyramid(case.order.guard, inputs), Pyramid(case.order.guard, inputs, MemoryShelf(3000))
    made: list[TileKey] = []
    make, join = Pyramid.make, Pyramid.join
    monkeypatch.setattr(Pyramid, "make", lambda self, tile, work: made.append(tile) or make(self, tile, work))
    monkeypatch.setattr(Pyramid, "join", lambda self, tile, *rest: made.append(tile) or join(self, tile, *rest))
    complete(whole, Crew(1))
    wanted = len(made)
    made.clear()
    complete(short, Crew(1))
    assert short.shelf.full and not short.shelf.whole and not whole.shelf.full
    assert len(made) <= 2 + len(short.shelf) <= wanted


@pytest.mark.parametrize("agg", ["count", "mean(v)", "by(k, mean(v))"])
def test_the_flag_is_looked_at_between_slices(case: Case, agg: str) -> None:
    pyramid = Pyramid(case.order.guard, case.pyramid(agg).inputs)
    looks = []

    class Watched(Cancel):
        def check(self) -> None:
            looks.append(pyramid.guard)

    pyramid.scan(TileKey(0, 0, 0, 0), Watched())
    assert len(looks) > (0 if agg == "count" else SIZE // pyramid.inputs.many)  # counting may leap over all of them
    stopped = Cancel()
    stopped.cancel()
    with pytest.raises(Cancelled):
        pyramid.scan(TileKey(3, 1, 4, 0), stopped)
