"""One normalisation a level."""

from __future__ import annotations

import numpy as np
import pytest

from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import Cancelled
from bigviz.render.level_norms import LevelNorms
from bigviz.render.level_values import KnownLevel, LevelValues
from bigviz.render.shade import Cells, Shading

LINEAR = Shading("gray", "linear", None, None)
COUNTS = Cells("counts")
SIDE = 4  # cells of a tile in these tests


class World:
    """A grid of counts at the deepest level, from which tiles of every level are summed."""

    def __init__(self, level: int, seed: int) -> None:
        self.level = level
        rng = np.random.default_rng(seed)
        side = SIDE << level
        self.cells = np.where(rng.random((side, side)) < 0.02, rng.integers(1, 100, (side, side)), 0).astype(np.uint32)
        self.reads = 0

    def at(self, zx: int, zy: int) -> np.ndarray:
        fx, fy = 1 << (self.level - zx), 1 << (self.level - zy)
        rows, columns = self.cells.shape
        return self.cells.reshape(rows // fy, fy, columns // fx, fx).sum(axis=(1, 3), dtype=np.uint32)

    def read(self, place: tuple[int, int, int, int]) -> list[np.ndarray]:
        zx, zy, i, j = place
        self.reads += 1
        return [self.at(zx, zy)[j * SIDE : (j + 1) * SIDE, i * SIDE : (i + 1) * SIDE]]


@pytest.mark.parametrize("level", [(0, 0), (1, 1), (3, 3), (2, 0), (0, 3), (1, 2)])
def test_the_span_is_the_whole_levels(level):
    world, norms = World(3, 1), LevelNorms()
    norm, source = norms.norm("a", level, LINEAR, COUNTS, world.read, NEVER)
    assert source == "tiles"
    values = world.at(*level)
    assert (norm.low, norm.high) == (values[values > 0].min(), values.max())


def test_deeper_it_is_the_same_for_all_and_reads_no_more_than_it_must():
    world, norms = World(6, 2), LevelNorms()
    norm, _ = norms.norm("a", (6, 6), LINEAR, COUNTS, world.read, NEVER)
    assert world.reads <= 1 + 4 + 16 + 64 + 3 * 4 * 64
    assert norm.high <= world.cells.max() and norm.high >= np.percentile(world.cells[world.cells > 0], 90)
    before = world.reads
    assert norms.norm("a", (6, 6), LINEAR, COUNTS, world.read, NEVER)[0] is norm and world.reads == before
    norms.norm("a", (6, 6), Shading("gray", "log", None, None), COUNTS, world.read, NEVER)
    assert world.reads - before <= 64
    assert norms.norm("b", (6, 6), LINEAR, COUNTS, World(6, 3).read, NEVER)[0] is not norm


def test_tiles_that_stand_for_a_level_have_high_low_and_other_values():
    """Of tiles whose cells have one value each the 64 that are read are spread over all of them."""
    norms = LevelNorms()

    def read(place: tuple[int, int, int, int]) -> list[np.ndarray]:
        zx, zy, i, j = place
        rows = 1 + np.arange(1 << zx)[i] * (1 << zy) + j
        return [np.full((SIDE, SIDE), rows, np.uint32)]

    norm, _ = norms.norm("a", (4, 3), LINEAR, COUNTS, read, NEVER)
    assert (norm.low, norm.high) == (1, 128)
    held = sorted(read(place)[0][0, 0] for place in norms._tiles["a", (4, 3)])
    assert len(held) == 64 and abs(np.median(held) - 64.5) < 4
    assert held[:16] == list(range(1, 17)) and held[-16:] == list(range(113, 129))


def test_it_can_be_cancelled():
    cancel = Cancel()
    cancel.cancel()
    with pytest.raises(Cancelled):
        LevelNorms().norm("a", (2, 2), LINEAR, COUNTS, World(2, 1).read, cancel)


@pytest.mark.parametrize("how", ["log", "eq_hist"])
def test_what_is_known_of_a_level_is_read_from_no_tile(how: str):
    world, shading = World(3, 4), Shading("gray", how, None, None)
    cells = world.at(3, 3)
    known = KnownLevel("summary", LevelValues(*np.unique(cells[cells > 0], return_counts=True)))
    read, _ = LevelNorms().norm("a", (3, 3), shading, COUNTS, world.read, NEVER)
    before = world.reads
    norm, source = LevelNorms().norm("a", (3, 3), shading, COUNTS, world.read, NEVER, "summary", lambda level: known)
    assert source == "summary"
    assert world.reads == before and (norm.low, norm.high) == (read.low, read.high)
    np.testing.assert_array_equal(norm.fraction(cells), read.fraction(cells))


def test_each_source_has_norms_of_its_own():
    """Also where it changes between the question and the answer."""
    norms, read = LevelNorms(), World(3, 1).read
    levels = {
        source: KnownLevel(source, LevelValues(np.array([1, high]), np.ones(2, np.int64)))
        for source, high in (("sample", 5), ("summary", 9))
    }
    for before, now, high in (
        ("sample", "summary", 9),
        ("sample", "sample", 5),
        ("summary", "sample", 9),
        ("sample", "summary", 5),
    ):
        norm, source = norms.norm("a", (3, 3), LINEAR, COUNTS, read, NEVER, before, lambda level, of=now: levels[of])
        assert (norm.high, source) == (high, {5: "sample", 9: "summary"}[high])
