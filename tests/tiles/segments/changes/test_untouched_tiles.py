"""Tiles that no row touches which came, went or was corrected keep their names, and the others are told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from bigviz.aggregate.layer import Layer
from bigviz.data.appending.growth import Mark
from bigviz.data.dataset import Dataset
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.segments.changes import touched_cells
from bigviz.tiles.segments.changes.touched_cells import TouchedCells

from ....growing import Growing
from ..compared import fresh

POINTS = [Layer("points", "x", "y", agg) for agg in ("count", "max(v)", "mean(v)", "last(v)")]
FILTERED = Layer("points", "x", "y", filter="v > 0")
LINES = [Layer("line", "x", "y", "any"), Layer("line", "x", "y", "any", filter="v > -1")]
KEYS = [TileKey(4, 1, i, j) for i in range(16) for j in range(2)]


def rows(first: int, stop: int) -> pa.Table:
    """Rows in the order of time; the last of all is at 16,000."""
    x = np.arange(first, stop, dtype=np.float64)
    return pa.table({"x": x, "y": np.sin(x) * 100, "v": np.cos(x)})


def begun() -> Growing:
    """Rows from 0 to 8,000, and one that makes the root wide enough for all that come."""
    end = pa.table({"x": [16_000.0], "y": [0.0], "v": [0.5]})
    return Growing(pa.concat_tables([end, rows(1, 8_000)]))


class Viewer:
    """The names and planes of tiles in one version, and what another version changes of them."""

    def __init__(self, engine: Engine, layer: Layer, dataset: Dataset) -> None:
        self.engine, self.layer, self.dataset = engine, layer, dataset
        engine.ensure(dataset, layer)
        self.tiles = [engine.tile(dataset, layer, key).arrays() for key in KEYS]
        self.names = [engine.etag(dataset, layer, key) for key in KEYS]

    def changed(self, later: Viewer) -> list[int]:
        """Which tiles have another name, which are those that are pushed; all that differ are among them."""
        told = self.engine.changed(Mark.of(self.dataset), later.dataset, self.layer, KEYS)
        assert told is not None
        others = [one != two for one, two in zip(self.names, later.names, strict=True)]
        for one, two, pushed, renamed in zip(self.tiles, later.tiles, told, others, strict=True):
            assert (pushed and renamed) or same(one, two)
        return [at for at, other in enumerate(others) if other or told[at]]

    def check(self, table: pa.Table) -> None:
        """Each tile is that of a fresh index."""
        _, oracle = fresh(table, self.layer)
        root = self.engine.info(self.dataset, self.layer).root_x
        if root == oracle.survey.x:
            assert all(same(tile, oracle.arrays(key)) for tile, key in zip(self.tiles, KEYS, strict=True))


def same(one: Sequence[Any], two: Sequence[Any]) -> bool:
    return all(
        np.allclose(np.ma.filled(a, 0), np.ma.filled(b, 0), rtol=1e-12, atol=0, equal_nan=True)
        and np.array_equal(np.ma.getmaskarray(a), np.ma.getmaskarray(b))
        for a, b in zip(one, two, strict=True)
    )


def named(layer: Layer) -> str:
    return f"{layer.glyph} {layer.agg} {layer.filter}"


def columns(tiles: list[int]) -> list[int]:
    """The columns of 1,024 x that tiles lie in."""
    return sorted({KEYS[at].i for at in tiles})


@pytest.mark.parametrize(
    "layer", [*POINTS, FILTERED, *LINES], ids=lambda each: f"{each.glyph} {each.agg} {each.filter}"
)
def test_what_is_rolled_over_corrected_and_late_touches_the_tiles_where_it_lies(layer: Layer) -> None:
    growing, engine = begun(), Engine(threads=1)
    first = Viewer(engine, layer, growing.version())

    growing.roll(1)  # the row at the end of the root, which stays
    growing.append(pa.table({"x": [15_999.0], "y": [0.0], "v": [0.5]}))
    second = Viewer(engine, layer, growing.version())
    assert set(columns(first.changed(second))) <= {7, 8, 9, 10, 11, 12, 13, 14, 15}

    growing.roll(500)  # the oldest 500 rows of the oldest tile
    third = Viewer(engine, layer, growing.version())
    assert columns(second.changed(third)) == [0]

    growing.correct([2_000, 2_001], pa.table({"x": [2_000.0, 2_001.5], "y": [99.0, -99.0], "v": [0.9, -0.9]}))
    fourth = Viewer(engine, layer, growing.version())
    assert columns(third.changed(fourth)) == [1]

    growing.append(pa.table({"x": [3_500.25], "y": [1.0], "v": [0.5]}))  # late
    fifth = Viewer(engine, layer, growing.version())
    assert columns(fourth.changed(fifth)) == [3]
    fifth.check(growing.table)

    growing.correct([2_500], pa.table({"x": [6_500.5], "y": [1.0], "v": [0.5]}))  # it moves
    growing.roll(1_100)
    last = Viewer(engine, layer, growing.version())
    assert columns(fifth.changed(last)) == [0, 1, 2, 6]
    assert columns(third.changed(last)) == [0, 1, 2, 3, 6], "over several versions"
    last.check(growing.table)


@pytest.mark.parametrize("layer", [*POINTS, *LINES], ids=named)
def test_merges_and_cuts_of_parts_rename_nothing(layer: Layer) -> None:
    """Rows that come in the order of time: a tile's are in one part, whatever this is merged with."""
    growing, engine = begun(), Engine(threads=1)
    growing.roll(1)
    growing.append(pa.table({"x": [15_999.0], "y": [0.0], "v": [0.5]}))
    before = Viewer(engine, layer, growing.version())
    for first in range(8_192, 13_312, 512):
        growing.append(rows(first, first + 512))
        growing.roll(growing.first + 50)
        engine.ensure(growing.version(), layer)
    after = Viewer(engine, layer, growing.version())
    assert set(columns(before.changed(after))) <= {0, 7, 8, 9, 10, 11, 12, 13, 14, 15}
    after.check(growing.table)


def test_a_correction_of_a_row_that_no_index_has_seen_renames_its_tiles() -> None:
    """One index makes the version in which the row came, another one skips it."""
    layer = Layer("points", "x", "y", "max(v)")
    growing, skips, sees = begun(), Engine(threads=1), Engine(threads=1)
    Viewer(skips, layer, growing.version())
    growing.append(pa.table({"x": [9_000.0], "y": [1.0], "v": [3.0]}))
    seen = Viewer(sees, layer, growing.version())
    growing.correct([growing.stop - 1], pa.table({"x": [9_000.0], "y": [1.0], "v": [4.0]}))
    later = Viewer(skips, layer, growing.version())
    names = zip(seen.names, later.names, seen.tiles, later.tiles, strict=True)
    assert all(one != two or same(a, b) for one, two, a, b in names)


def test_cells_that_are_joined_hold_all_that_was_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(touched_cells, "_MOST", 64)
    rng = np.random.default_rng(4)
    keys = [rng.integers(0, 1 << int(bits), 500, dtype=np.uint64) << np.uint64(64 - bits) for bits in (20, 64 - 8, 60)]
    found = TouchedCells()
    for number, each in enumerate(keys):
        found = found.joined(TouchedCells.of([each[:100], each[100:]], number + 1))
    assert len(found.cells) <= 64
    for zx in range(0, 25, 4):
        for zy in range(0, 25, 4):
            for number, each in enumerate(keys):
                for key in each[::100].tolist():
                    x, y = (int(f"{key:064b}"[at::2], 2) for at in (1, 0))
                    tile = TileKey(zx, zy, x >> 32 - zx, (1 << zy) - 1 - (y >> 32 - zy))
                    assert found.last(tile) >= number + 1
    few = TouchedCells.of([np.array([0, 3 << 62], np.uint64)], 5)
    assert [few.last(TileKey(1, 1, i, j)) for i in (0, 1) for j in (0, 1)] == [0, 5, 5, 0]
    assert [few.last(TileKey(0, 3, 0, j)) for j in range(8)] == [0, 0, 0, 5, 0, 0, 0, 5]
