"""Levels kept up over versions are those of all of their rows, looked at anew and row by row."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import Cancelled
from bigviz.render.level_values import LevelValues
from bigviz.tiles.engine import Engine
from bigviz.tiles.pyramid.layer_columns import Inputs
from bigviz.tiles.pyramid.levels import values as sampling
from bigviz.tiles.segments.joined import history, keyed_rows, value_level
from bigviz.tiles.segments.joined.history import LevelHistory
from bigviz.tiles.segments.segmented_points import SegmentedPoints

from ....growing import Growing
from ..compared import built, indexes, settle
from .batches import batch

LEVELS = (0, 3, 9, 24)
EXACT = ["count", "count(n)", "by(kind)", "by(kind, any)", "max(v)", "sum(n)", "last(n)"]
ADDED = ["mean(v)", "by(kind, mean(v))"]
KEPT = [("count", "v > -0.5 and kind != 'c'"), ("min(v)", "v > -0.5 and kind != 'c'")]


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[LevelHistory]:
    """Whose rows were all looked at."""
    seen: list[LevelHistory] = []
    whole = LevelHistory._whole

    def noted(self: LevelHistory, rows: Any, cancel: Cancel) -> Any:
        seen.append(self)
        return whole(self, rows, cancel)

    monkeypatch.setattr(LevelHistory, "_whole", noted)
    return seen


def anew(made: SegmentedPoints, level: int) -> LevelValues:
    """The values of a level, with nothing known of versions before."""
    return LevelHistory().level(made.version_rows, (level, level), NEVER)[level, level]


def assert_levels(made: SegmentedPoints, level: int) -> None:
    found, expected = made.level_values((level, level)).values, anew(made, level)
    assert found is not None
    if made.layer.reduction.traits.float_order and made.dtype.kind == "f":
        np.testing.assert_allclose(found.values, expected.values, rtol=1e-12, atol=1e-12)
    else:
        np.testing.assert_array_equal(found.values, expected.values)
        np.testing.assert_array_equal(found.weights, expected.weights)
        assert found.values.dtype == expected.values.dtype
    assert found.weights.sum() == expected.weights.sum()


def by_hand(made: SegmentedPoints, table: pa.Table, level: int) -> dict[float, int]:
    """How many cells of a level have each finite value."""
    cells: dict[tuple[int, int], list[Any]] = {}
    reduction, side = made.layer.reduction, 1 << level + 8
    for row in table.to_pylist():
        if row["x"] != row["x"]:
            continue
        x, y = (root.cell(row[axis], level + 8) for root, axis in zip(made.version.roots, "xy", strict=True))
        if 0 <= x < side and 0 <= y < side:
            cells.setdefault((x, y), []).append(row[reduction.column or "y"])
    found: dict[float, int] = {}
    for values in cells.values():
        held = [value for value in values if value is not None and value == value]
        value = {"count": len, "max": max, "sum": sum}[reduction.name](held) if held else np.inf
        if np.isfinite(value):
            found[float(value)] = found.get(float(value), 0) + 1
    return found


@pytest.mark.parametrize(("agg", "keep"), [*((agg, "") for agg in EXACT + ADDED), *KEPT])
def test_appends_seals_drops_corrections_merges_and_growing_roots(
    agg: str, keep: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is sampled, kept of the highest and the lowest, and read at a time is as little as it can be, and tiles of
    few rows are kept."""
    for module, name, number in ((sampling, "MOST_SAMPLED", 40), (value_level, "_ENDS", 8), (keyed_rows, "_ROWS", 100)):
        monkeypatch.setattr(module, name, number)
    monkeypatch.setattr(keyed_rows, "_HEAVY", 50)
    monkeypatch.setattr(Inputs, "many", property(lambda self: 300))
    rng, streams = np.random.default_rng(7), indexes()
    growing, layer, rooted = Growing(batch(rng, 2_000)), Layer("points", "x", "y", agg, filter=keep), set()
    for step in range(12):
        growing.append(batch(rng, int(rng.integers(1, 60)), 1 if step < 6 else 9))
        if step % 4 == 1:
            growing.roll(growing.first + int(rng.integers(1, 300)))
        if step == 9:
            growing.correct([growing.first + 5, growing.stop - 3], batch(rng, 2))
        made = built(streams, growing.version(), layer)
        for level in LEVELS if step % 3 else LEVELS[:1]:
            assert_levels(made, level)
        rooted.update(part.part.order.roots for part in made.parts if len(part.part.order.keys))
        settle(made, step % 2)
    assert len(rooted) > 1  # an old part has other roots than the version


@pytest.mark.parametrize("agg", ["count", "count(n)", "max(v)", "sum(n)"])
def test_row_by_row(agg: str, passes: list[LevelHistory]) -> None:
    """All rows are looked at once."""
    rng, streams = np.random.default_rng(2), indexes()
    growing, layer = Growing(batch(rng, 600)), Layer("points", "x", "y", agg)
    for step in range(5):
        made = built(streams, growing.version(), layer)
        for level in LEVELS:
            values = made.level_values((level, level)).values
            assert values is not None
            found = dict(zip(values.values.tolist(), values.weights.tolist(), strict=True))
            assert found == by_hand(made, growing.table, level)
        growing.append(batch(rng, 20)).roll(growing.first + 30)
        settle(made, step)
    assert passes == [made.history]


@pytest.mark.parametrize("agg", ["count", "count(n)", "max(v)", "by(kind)"])
def test_corrected_rows_are_not_all_rows(agg: str, passes: list[LevelHistory]) -> None:
    """Also where they came, or go, with the same version."""
    rng, streams = np.random.default_rng(8), indexes()
    growing, layer = Growing(batch(rng, 400)), Layer("points", "x", "y", agg)
    for step in range(6):
        made = built(streams, growing.version(), layer)
        for level in (1, 6):
            found, expected = made.level_values((level, level)).values, anew(made, level)
            assert found is not None
            np.testing.assert_array_equal(found.values, expected.values)
            np.testing.assert_array_equal(found.weights, expected.weights)
        assert passes.count(made.history) == 1
        growing.append(batch(rng, 20)).correct([growing.first, growing.first + 40, growing.stop - 1], batch(rng, 3))
        growing.roll(growing.first + 10)
        settle(made, step % 2)


def test_a_version_that_is_not_the_newest_is_looked_at_by_itself(passes: list[LevelHistory]) -> None:
    rng, streams = np.random.default_rng(3), indexes()
    growing, layer = Growing(batch(rng, 500)), Layer("points", "x", "y", "max(v)")
    versions = [built(streams, growing.append(batch(rng, 50)).version(), layer) for _ in range(3)]
    for made, expected in ((versions[1], 1), (versions[2], 1), (versions[0], 2), (versions[2], 2)):
        found = made.level_values((4, 4)).values
        assert found is not None and passes.count(made.history) == expected
        np.testing.assert_array_equal(found.values, anew(made, 4).values)


def test_nothing_is_kept_up_for_long_that_nobody_asks_for(
    monkeypatch: pytest.MonkeyPatch, passes: list[LevelHistory]
) -> None:
    monkeypatch.setattr(history, "_LEAST_NOTED", 100)
    monkeypatch.setattr(history, "_WANTED", 1)
    rng, streams = np.random.default_rng(4), indexes()
    growing, layer = Growing(batch(rng, 800)), Layer("points", "x", "y", "sum(n)")
    made = built(streams, growing.version(), layer)
    made.level_values((2, 2))
    for _ in range(2):
        made = built(streams, growing.append(batch(rng, 40)).version(), layer)
        assert_levels(made, 2)
    assert set(made.history._states) == {(level, level) for level in range(25)} and passes.count(made.history) == 1
    made = built(streams, growing.append(batch(rng, 40)).version(), layer)
    assert set(made.history._states) == {(2, 2)}  # the others are 120 rows behind
    for _ in range(3):
        made = built(streams, growing.append(batch(rng, 40)).version(), layer)
    assert made.history.nbytes == 0 and made.history._now is None
    assert_levels(made, 2)
    known = weakref.ref(made.history)
    del made
    gc.collect()
    passes.clear()
    gc.collect()
    assert known() is None


def test_a_cancelled_look_leaves_what_was_known() -> None:
    rng, streams = np.random.default_rng(5), indexes()
    growing, layer = Growing(batch(rng, 500)), Layer("points", "x", "y", "mean(v)")
    built(streams, growing.version(), layer).level_values((3, 3))
    made = built(streams, growing.append(batch(rng, 50)).version(), layer)
    cancel = Cancel()
    cancel.cancel()
    with pytest.raises(Cancelled):
        made.level_values((3, 3), cancel)
    assert_levels(made, 3)


def test_the_memory_of_levels_counts() -> None:
    """As that of planes does, of which there may be as much as the engine was told: 25 levels of a million cells take
    some megabytes."""
    rng = np.random.default_rng(6)
    rows = 40_000
    table = pa.table({"x": rng.random(rows), "y": rng.random(rows), "v": rng.random(rows)})
    engine, layer = Engine(threads=1), Layer("points", "x", "y", "mean(v)")
    dataset = Growing(table).version()
    engine.ensure(dataset, layer)
    before = engine.memory()["pyramids"]
    engine.level_values(dataset, layer, (3, 3))
    held = engine.memory()["pyramids"] - before
    made = engine.layers.find(dataset, layer)
    assert isinstance(made, SegmentedPoints)
    levels = sum(each.nbytes for level in made.levels.values() for each in level)
    assert held == made.history.nbytes + levels and 1 << 20 < held < 16 << 20
