"""Samples of levels kept up over versions are those of all rows, looked at one by one."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from bigviz.aggregate.dyadic_cells import Root
from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import Cancelled
from bigviz.render.level_values import Level
from bigviz.tiles.pyramid.levels import values as sampling
from bigviz.tiles.segments import segmented_points
from bigviz.tiles.segments.joined import drawn_level, drawn_part, drawn_parts, history
from bigviz.tiles.segments.joined.history import LevelHistory
from bigviz.tiles.segments.segmented_points import SegmentedPoints

from ....growing import Growing
from ..compared import built, indexes, settle
from .batches import batch

LEVELS = ((3, 3), (2, 5), (6, 1), (0, 24), (24, 24))
MOST = 40
FILTER = "v > -0.5 and kind != 'c'"
Row = dict[str, Any]


def numbers(rows: list[Row], name: str) -> list[Any]:
    return [row[name] for row in rows if row[name] is not None and row[name] == row[name]]


def mean(rows: list[Row]) -> float:
    values = numbers(rows, "v")
    return sum(values) / len(values) if values else math.nan


def by_kind(value: Callable[[list[Row]], float]) -> Callable[[list[Row]], float]:
    def total(rows: list[Row]) -> float:
        kinds = sorted({row["kind"] for row in rows if row["kind"] is not None})
        found = [value([row for row in rows if row["kind"] == kind]) for kind in kinds]
        return sum(each for each in found if each == each) if any(each == each for each in found) else math.nan

    return total


VALUES: dict[str, Callable[[list[Row]], float]] = {
    "count": len,
    "count(n)": lambda rows: len(numbers(rows, "n")) or math.nan,
    "by(kind)": lambda rows: len(numbers(rows, "kind")) or math.nan,
    "max(v)": lambda rows: max(numbers(rows, "v"), default=math.nan),
    "sum(n)": lambda rows: sum(numbers(rows, "n")) if numbers(rows, "n") else math.nan,
    "last(n)": lambda rows: numbers(rows, "n")[-1] if numbers(rows, "n") else math.nan,
    "mean(v)": mean,
    "by(kind, mean(v))": by_kind(mean),
}


def zeros_of(cell: tuple[int, int], level: Level) -> int:
    """How many zeros end the hash of a cell's key, bit by bit."""
    key = 0
    for which, (place, z) in enumerate(zip(cell, level, strict=True)):
        for bit in range(8 + z):
            key |= (place >> bit & 1) << 2 * (bit + 24 - z) + which
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
        key = (key ^ key >> shift) * factor & 2**64 - 1 if factor > 1 else key ^ key >> shift
    return (key & -key).bit_length() - 1 if key else 40


def by_hand(roots: tuple[Root, Root], rows: list[Row], agg: str, level: Level, most: int) -> list[float]:
    """The values of the cells of a sample: with the fewest zeros that leave no more than `most`."""
    cells: dict[tuple[int, int], list[Row]] = {}
    for row in rows:
        if row["x"] == row["x"]:
            x, y = (root.cell(row[axis], z + 8) for root, axis, z in zip(roots, "xy", level, strict=True))
            if 0 <= x < 1 << 8 + level[0] and 0 <= y < 1 << 8 + level[1]:
                cells.setdefault((x, y), []).append(row)
    value = VALUES[agg]
    found = [(zeros_of(cell, level), value(held)) for cell, held in cells.items()]
    if agg in ("count", "count(n)", "by(kind)"):  # a cell in which no row counts is none
        found = [each for each in found if each[1] == each[1]]
    floor = next(floor for floor in range(41) if sum(zeros >= floor for zeros, _ in found) <= most)
    return sorted(each for zeros, each in found if zeros >= floor and math.isfinite(each))


def assert_level(made: SegmentedPoints, growing: Growing, level: Level, keep: bool = False) -> None:
    source, values = made.level_values(level)
    assert source == made.level_source and values is not None
    assert np.array_equal(values.weights, np.ones(len(values.values)))
    rows = [
        row for row in growing.table.to_pylist() if not keep or (row["v"] > -0.5 and row["kind"] not in ("c", None))
    ]
    expected = by_hand(made.version.roots, rows, str(made.layer.reduction), level, MOST)
    np.testing.assert_allclose(np.sort(values.values), expected, rtol=1e-12, atol=1e-12)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """All square levels are sampled too; how many rows parts had that were looked at."""
    monkeypatch.setattr(sampling, "MOST_SAMPLED", MOST)
    monkeypatch.setattr(segmented_points, "MOST_JOINED", 0)
    monkeypatch.setattr(drawn_part, "_ROWS", 300)
    monkeypatch.setattr(drawn_part, "_FIRST", 50)
    seen: list[int] = []
    look = drawn_parts.drawn_part

    def noted(part: Any, *rest: Any) -> Any:
        seen.append(part.part.stop - part.part.first)
        return look(part, *rest)

    monkeypatch.setattr(drawn_parts, "drawn_part", noted)
    return seen


@pytest.mark.parametrize(("agg", "keep"), [*((agg, "") for agg in VALUES), ("count", FILTER), ("max(v)", FILTER)])
@pytest.mark.usefixtures("looks")
def test_appends_seals_drops_corrections_merges_and_growing_roots(agg: str, keep: str) -> None:
    rng, streams = np.random.default_rng(11), indexes()
    growing, layer = Growing(batch(rng, 500)), Layer("points", "x", "y", agg, filter=keep)
    for step in range(10):
        growing.append(batch(rng, int(rng.integers(1, 40)), 1 if step < 5 else 9))
        if step % 4 == 1:
            growing.roll(growing.first + int(rng.integers(1, 90)))
        if step in (4, 8):
            growing.correct([growing.first + 5, growing.stop - 3], batch(rng, 2))
        made = built(streams, growing.version(), layer)
        assert made.level_source == "sample"
        for level in LEVELS if step % 3 else LEVELS[:2]:
            assert_level(made, growing, level, bool(keep))
        settle(made, step % 2)


@pytest.mark.parametrize("noted", [history._LEAST_NOTED, 20])
def test_parts_that_were_looked_at_are_not_looked_at_again(
    noted: int, monkeypatch: pytest.MonkeyPatch, looks: list[int]
) -> None:
    """Neither where they are merged, nor where more rows came than are noted; the new rows are."""
    monkeypatch.setattr(history, "_LEAST_NOTED", noted)
    rng, streams = np.random.default_rng(12), indexes()
    growing, layer = Growing(batch(rng, 700)), Layer("points", "x", "y", "mean(v)")
    made = built(streams, growing.version(), layer)
    assert_level(made, growing, (2, 4))
    for _ in range(8):
        looks.clear()
        made = built(streams, growing.append(batch(rng, 30)).version(), layer)
        assert (2, 4) in made.levels  # before somebody asks
        assert_level(made, growing, (2, 4))
        assert looks == [30]
        settle(made, 1)
    assert len(made.parts) < 9


def test_a_sample_is_the_same_in_a_table_opened_anew(looks: list[int]) -> None:
    rng, streams = np.random.default_rng(13), indexes()
    growing, layer = Growing(batch(rng, 900)), Layer("points", "x", "y", "count")
    for step in range(6):
        made = built(streams, growing.append(batch(rng, 50)).roll(growing.first + 60).version(), layer)
        for level in LEVELS:
            anew = built(indexes(), growing.version(), layer)
            assert anew.version.roots == made.version.roots
            one, two = (each.level_values(level).values for each in (made, anew))
            assert one is not None and two is not None
            assert np.array_equal(one.values, two.values), (step, level)


@pytest.mark.usefixtures("looks")
def test_a_version_that_is_not_the_newest_is_looked_at_by_itself() -> None:
    rng, streams = np.random.default_rng(14), indexes()
    growing, layer = Growing(batch(rng, 300)), Layer("points", "x", "y", "sum(n)")
    versions = [(built(streams, growing.version(), layer), growing.table)]
    for _ in range(3):
        versions.append((built(streams, growing.append(batch(rng, 40)).version(), layer), growing.table))
    for at in (1, 3, 0, 2, 3):
        made, table = versions[at]
        made.levels.clear()
        assert_level(made, Growing(table), (4, 1))


def test_memory_is_bounded_and_given_back(monkeypatch: pytest.MonkeyPatch, looks: list[int]) -> None:
    monkeypatch.setattr(history, "_MOST_DRAWN", 3)
    monkeypatch.setattr(history, "_WANTED", 2)
    rng, streams = np.random.default_rng(15), indexes()
    growing, layer = Growing(batch(rng, 2_000)), Layer("points", "x", "y", "mean(v)")
    made = built(streams, growing.version(), layer)
    for zx in range(8):
        made.level_values((zx, 9))
    assert len(made.history._drawn) <= 3
    cell = 8 + 1 + 16 + 8 + 1  # its key, its zeros, sum and count; value and mark
    assert 0 < made.history.nbytes <= 3 * 3 * MOST * (2 * cell) + 1_000
    held = made.history
    for _ in range(4):
        built(streams, growing.append(batch(rng, 5)).version(), layer)
    assert held.nbytes == 0 and held._now is None and not held._drawn and not held._states


@pytest.mark.usefixtures("looks")
@pytest.mark.parametrize("agg", ["count(n)", "by(kind)"])
def test_where_few_rows_count_the_others_take_no_place(agg: str) -> None:
    """Nor do they make a sample depend on what the table was appended in."""
    rng, streams = np.random.default_rng(22), indexes()

    def rows(count: int) -> pa.Table:
        made = batch(rng, count)
        for at, name in ((3, "n"), (4, "kind")):
            none = pa.array([None] * count, made[name].type)
            made = made.set_column(at, name, pc.if_else(pa.array(rng.random(count) < 0.05), made[name], none))
        return made

    growing, layer = Growing(rows(900)), Layer("points", "x", "y", agg)
    for _ in range(4):
        made = built(streams, growing.version(), layer)
        for level in LEVELS:
            assert_level(made, growing, level)
        growing.append(rows(200))


@pytest.mark.usefixtures("looks")
def test_the_levels_that_were_asked_for_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many somebody asks for of one version: the last ones, which go on with the next version."""
    monkeypatch.setattr(history, "_MOST_DRAWN", 3)
    rng, streams = np.random.default_rng(21), indexes()
    growing, layer = Growing(batch(rng, 500)), Layer("points", "x", "y", "max(v)")
    for _ in range(3):
        made = built(streams, growing.version(), layer)
        for zx in (0, 1, 2, 3, 4, 5, 0):
            made.levels.clear()
            assert_level(made, growing, (zx, 9))
            assert (zx, 9) in made.history._drawn
        assert set(made.history._drawn) == {(4, 9), (5, 9), (0, 9)} == set(made.history._states)
        growing.append(batch(rng, 30))


def test_so_many_labels_have_fewer_cells(monkeypatch: pytest.MonkeyPatch, looks: list[int]) -> None:
    monkeypatch.setattr(drawn_level, "_CELLS", 64)
    rng, streams = np.random.default_rng(16), indexes()
    layer = Layer("points", "x", "y", "by(kind)")
    growing = Growing(batch(rng, 900))
    made = built(streams, growing.version(), layer)
    found = made.level_values((5, 3)).values
    assert found is not None and len(found.values) <= 64 // 3
    made = built(streams, growing.append(batch(rng, 30, 9)).version(), layer)  # with a fourth label
    anew = LevelHistory().level(made.version_rows, (5, 3), NEVER)[5, 3]
    found = made.level_values((5, 3)).values
    assert found is not None and np.array_equal(found.values, anew.values) and len(anew.values) <= 64 // 4


def test_tables_become_large_and_small_again(monkeypatch: pytest.MonkeyPatch, looks: list[int]) -> None:
    """The levels of a small one are those of all cells."""
    monkeypatch.setattr(segmented_points, "MOST_JOINED", 400)
    rng, streams = np.random.default_rng(19), indexes()
    growing, layer = Growing(batch(rng, 380)), Layer("points", "x", "y", "sum(n)")
    sources = []
    for step in range(8):
        made = built(streams, growing.version(), layer)
        sources.append(made.level_source)
        assert_level(made, growing, (1, 2))
        if made.level_source == "sample":
            assert_level(made, growing, (4, 4))
        else:
            values = made.level_values((4, 4)).values
            anew = LevelHistory().level(made.version_rows, (4, 4), NEVER)[4, 4]
            assert values is not None and np.array_equal(values.values, anew.values)
            assert set(made.history._drawn) == {(1, 2)}
        growing.append(batch(rng, 30)).roll(growing.first + (80 if step > 2 else 0))
    assert sources[0] == sources[-1] == "summary" and "sample" in sources


def test_a_version_keeps_the_values_of_few_levels(monkeypatch: pytest.MonkeyPatch, looks: list[int]) -> None:
    monkeypatch.setattr(segmented_points, "_MOST_LEVELS", 3)
    growing = Growing(batch(np.random.default_rng(20), 100))
    made = built(indexes(), growing.version(), Layer("points", "x", "y"))
    for zx in range(9):
        assert_level(made, growing, (zx, 11))
    assert len(made.levels) == 4


@pytest.mark.usefixtures("looks")
def test_a_cancelled_look_leaves_what_was_known() -> None:
    rng, streams = np.random.default_rng(17), indexes()
    growing, layer = Growing(batch(rng, 500)), Layer("points", "x", "y", "mean(v)")
    built(streams, growing.version(), layer).level_values((3, 5))
    made = built(streams, growing.append(batch(rng, 50)).version(), layer)
    made.levels.clear()
    cancel = Cancel()
    cancel.cancel()
    with pytest.raises(Cancelled):
        made.level_values((3, 1), cancel)
    for level in ((3, 5), (3, 1)):
        assert_level(made, growing, level)


def test_new_versions_do_not_go_on_with_a_look_that_was_given_up(
    monkeypatch: pytest.MonkeyPatch, looks: list[int]
) -> None:
    """Else whoever asks for many levels and leaves has them wait for looks at all rows."""
    rng, streams = np.random.default_rng(21), indexes()
    growing, layer = Growing(batch(rng, 500)), Layer("points", "x", "y", "mean(v)")
    made = built(streams, growing.version(), layer)

    def given_up(*_: Any) -> Any:
        raise Cancelled

    with monkeypatch.context() as patch:
        patch.setattr(drawn_parts, "drawn_part", given_up)
        for zy in range(3):
            with pytest.raises(Cancelled):
                made.level_values((7, zy))
    made = built(streams, growing.append(batch(rng, 40)).version(), layer)
    assert looks == []
    assert_level(made, growing, (7, 1))
    looks.clear()
    made = built(streams, growing.append(batch(rng, 30)).version(), layer)
    assert looks == [] or looks == [30]
    assert_level(made, growing, (7, 1))
    assert looks == [30]


@pytest.mark.usefixtures("looks")
@pytest.mark.parametrize("agg", ["by(kind)", "by(kind, mean(v))", "mean(v)", "count"])
def test_no_rows_and_no_labels(agg: str) -> None:
    table = batch(np.random.default_rng(18), 20)
    empty = table.slice(0, 0).set_column(4, "kind", pa.array([], pa.string()))
    growing, streams = Growing(empty), indexes()
    for _ in range(3):
        made = built(streams, growing.version(), Layer("points", "x", "y", agg))
        for level in ((0, 3), (2, 2)):
            assert_level(made, growing, level)
        growing.append(table)
