"""Lines that grow against one series of all rows."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigviz.aggregate.axis import Axis
from bigviz.common.workers import Crew
from bigviz.tiles.grid.survey import numbers_of, survey
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.series import growing_line, growing_series, merged_rows, run
from bigviz.tiles.series.falls import Falls
from bigviz.tiles.series.growing_line import GrowingLine
from bigviz.tiles.series.line import Line, MergedLine, OneSeries
from bigviz.tiles.series.line_tiles import draw_tile
from bigviz.tiles.series.m4 import column_bounds
from bigviz.tiles.series.series import build_series

MakeAxis = Callable[..., Axis]
CREW = Crew(1)
ARRIVALS = ("in order", "late", "random", "falling", "stairs", "one x")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """What happens with millions of rows happens with hundreds."""
    monkeypatch.setattr(growing_line, "_ROOM", 300)
    monkeypatch.setattr(growing_line, "_LATE_ROOM", 40)
    monkeypatch.setattr(growing_line, "_AT_ONCE", 60)
    monkeypatch.setattr(growing_line, "_SMALL", 400)
    monkeypatch.setattr(run, "_EATEN", 100)
    monkeypatch.setattr(growing_series, "_EDGES", 2)
    monkeypatch.setattr(merged_rows, "_PIECE", 100)


def numbers(kind: str, arrival: str, size: int, rng: np.random.Generator) -> Any:
    """x in the order in which rows come, with equal ones and some that are none."""
    steps = rng.choice([0, 0, 1, 1, 2, 30], size).cumsum()
    if arrival == "late":
        steps -= np.where(rng.random(size) < 0.1, rng.integers(0, 60, size), 0)
    elif arrival == "random":
        rng.shuffle(steps)
    elif arrival == "falling":
        steps = steps[::-1].copy()
    elif arrival == "stairs":
        steps += np.where(np.arange(size) // 90 % 2 == 0, 0, -200)
    elif arrival == "one x":
        steps[:] = 7
    missing = rng.random(size) < rng.choice([0.0, 0.1])
    if kind in ("f4", "f8"):
        values = (steps * rng.choice([1.0, 0.1, -1e20])).astype(kind)
        values[values == 0] = rng.choice([0.0, -0.0])
        values[missing] = rng.choice([np.nan, np.inf])
        return values
    if kind == "stamp":
        return pa.array(1_700_000_000_000_000_000 + steps * 1_000_000_007, pa.timestamp("ns"), mask=missing)
    if kind == "date":
        return pa.array((steps % 30_000).astype(np.int32), pa.date32(), mask=missing)
    top = np.uint64(2**63 if kind == "u8" else 0)
    return pa.array((steps - steps.min()).astype(kind) + top.astype(kind), mask=missing)


def heights(kind: str, size: int, rng: np.random.Generator) -> Any:
    values = np.round(rng.normal(size=size).cumsum(), int(rng.integers(0, 2)))
    share = rng.choice([0.0, 0.01, 0.5])
    missing = (rng.random(size) < share) | (np.arange(size) % 97 < rng.choice([0, 20]))
    if kind == "i2":
        return pa.array(np.clip(values * 10, -30_000, 30_000).astype(np.int16), mask=missing)
    values[missing] = rng.choice([np.nan, -np.inf])
    return values.astype(kind)


class Both:
    """A line that grows by rows of a table, and what one series of the same rows is."""

    def __init__(self, axis: MakeAxis, x: Any, y: Any, begun: int, first_row: int = 0) -> None:
        self.axis, self.first_row, self.stop = axis, first_row, begun
        self.x, self.y = axis(x), axis(y, side="y")
        first = build_series(*self.part(0, begun), CREW)
        falls = Falls()
        falls.add(*self.batch(0, begun)[::3])
        self.line = GrowingLine.of(first, first_row, falls)
        self.dropped = 0

    def part(self, start: int, stop: int) -> tuple[Axis, Axis]:
        return self._slice(self.x, start, stop), self._slice(self.y, start, stop)

    @staticmethod
    def _slice(axis: Axis, start: int, stop: int) -> Axis:
        column = axis.column
        valid = None if column.valid is None else column.valid[start:stop].copy()
        return Axis(type(column)(column.info, column.values[start:stop].copy(), valid, None), axis.space)

    def batch(self, start: int, stop: int) -> tuple[Any, Any, Any, Any]:
        xs, has_x = numbers_of(*self.x.slice(start, stop))
        ys, known = numbers_of(*self.y.slice(start, stop))
        kept = np.ones(stop - start, np.bool_) if has_x is None else has_x
        rows = np.arange(start, stop) + self.first_row
        return xs[kept], ys[kept], None if known is None else known[kept], rows[kept]

    def grow(self, count: int) -> None:
        stop = min(self.stop + count, len(self.x))
        self.line.append(*self.batch(self.stop, stop))
        self.stop = stop

    def forget(self, count: int) -> None:
        self.dropped = min(self.dropped + count, self.stop)
        self.line.forget_before(self.dropped + self.first_row)

    def correct(self, rng: np.random.Generator) -> None:
        """Some rows get the x (or none) and y of others."""
        if self.stop == self.dropped:
            return
        rows = np.unique(rng.integers(self.dropped, self.stop, int(rng.integers(1, 20))))
        sources = rng.permutation(rows) if rng.random() < 0.5 else rng.integers(0, len(self.x), len(rows))
        self.y = self._with(self.y, rows, sources)
        if rng.random() < 0.6:
            self.x = self._with(self.x, rows, sources)
        xs, ys = (numbers_of(*axis.at(rows)) for axis in (self.x, self.y))
        kept = np.ones(len(rows), np.bool_) if xs[1] is None else xs[1]
        self.line.correct(rows + self.first_row, xs[0], *ys, kept)

    @staticmethod
    def _with(axis: Axis, rows: Any, sources: Any) -> Axis:
        column = axis.column
        values, valid = column.values.copy(), None if column.valid is None else column.valid.copy()
        values[rows] = column.values[sources]
        if valid is not None:
            valid[rows] = column.valid[sources]
        return Axis(type(column)(column.info, values, valid, None), axis.space)

    def merge(self) -> None:
        found = self.line.due()
        if found is not None:
            self.grow(5)
            self.line.put(found, found.run())

    def fresh(self) -> OneSeries:
        return OneSeries(build_series(*self.part(self.dropped, self.stop), CREW))


def same_picks(ours: Line, theirs: Line, low: Any, high: Any, width: int, first_row: int) -> None:
    one = ours.picks(lambda numbers: column_bounds(numbers, low, high, width))
    other = theirs.picks(lambda numbers: column_bounds(numbers, low, high, width))
    for name in ("columns", "runs", "x", "y", "flagged"):
        mine, wanted = getattr(one, name), getattr(other, name)
        assert mine.dtype == wanted.dtype and mine.tolist() == wanted.tolist(), name
    assert one.rows == other.rows
    assert ours.numbers(one.positions).tolist() == (theirs.numbers(other.positions) + first_row).tolist()
    if len(one.positions):
        sides = zip(ours.between(one), theirs.between(other), strict=True)
        for mine_, theirs_ in sides:
            assert len(mine_) == len(theirs_)
            for start in range(0, len(mine_), 150):
                (values, valid), (wanted, known) = (each.slice(start, start + 170) for each in (mine_, theirs_))
                mask = np.ones(len(wanted), np.bool_) if known is None else known
                assert (np.ones(len(values), np.bool_) if valid is None else valid).tolist() == mask.tolist()
                assert np.array_equal(values[mask].astype(float), wanted[mask].astype(float), equal_nan=True)


def same_rows(ours: Line, theirs: Line, low: Any, high: Any, first_row: int) -> None:
    found = []
    for line, first in ((ours, 0), (theirs, first_row)):
        rows: list[int] = []
        for batch in line.batches(low, high):
            known = np.ones(len(batch.y), np.bool_) if batch.known is None else batch.known
            kept = np.flatnonzero(known & np.isfinite(batch.y.astype(float)))
            rows += (batch.numbers(kept) + first).tolist()
        found.append(rows)
    assert found[0] == found[1]


def same(both: Both, ours: MergedLine, theirs: OneSeries, rng: np.random.Generator) -> None:
    first_row = both.first_row + both.dropped
    assert ours.sorted == theirs.sorted and ours.row_bytes == theirs.row_bytes
    assert sum(map(len, ours.parts)) == len(theirs.series)
    x = theirs.series.x
    if not len(x):
        assert len(ours.picks(lambda numbers: column_bounds(numbers, 0, 1, 10)).positions) == 0
        return
    values = x.slice(0, len(x))
    for _ in range(3):
        low, high = sorted(values[rng.integers(0, len(values), 2)].tolist())
        if rng.random() < 0.4:
            low, high = values[0].item(), values[-1].item()
        if not low < high:
            high = high + (1 if x.dtype.kind != "f" else abs(high) or 1.0)
        same_picks(ours, theirs, low, high, int(rng.choice([1, 7, 60])), first_row)
        same_rows(ours, theirs, low, high, first_row)
    found = survey(*both.part(both.dropped, both.stop), True, CREW)
    for _ in range(2):
        zx, zy = (int(each) for each in rng.integers(0, 5, 2))
        tile = TileKey(zx, zy, int(rng.integers(0, 1 << zx)), int(rng.integers(0, 1 << zy)))
        planes = [draw_tile(line, (found.x, found.y), tile) for line in (ours, theirs)]
        assert (planes[0][0] == planes[1][0]).all() and planes[0][1] == planes[1][1]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(ARRIVALS), st.booleans(), st.booleans())
def test_versions_equal_one_series_of_all_rows(
    axis: MakeAxis, seed: int, arrival: str, rolling: bool, correcting: bool
) -> None:
    rng = np.random.default_rng(seed)
    size = int(rng.choice([30, 700, 2500]))
    x = numbers(str(rng.choice(["f4", "f8", "i4", "u8", "stamp", "date"])), arrival, size, rng)
    y = heights(str(rng.choice(["f4", "f8", "i2"])), size, rng)
    both = Both(axis, x, y, min(int(rng.choice([0, 1, 300])), size), int(rng.choice([0, 10**10])))
    kept = []
    for _ in range(int(rng.integers(1, 12))):
        both.grow(int(rng.choice([0, 1, 2, 40, 256, 600])))
        if rolling:
            both.forget(int(rng.choice([0, 0, 1, 100, 400])))
        if correcting and rng.random() < 0.4:
            both.correct(rng)
        if rng.random() < 0.5:
            both.merge()
        if rng.random() < 0.3:
            kept.append((both.line.snapshot(), both.fresh(), both.dropped, both.stop))
    kept.append((both.line.snapshot(), both.fresh(), both.dropped, both.stop))
    for ours, theirs, both.dropped, both.stop in kept:  # older versions are as they were
        same(both, ours, theirs, rng)


def test_rows_in_order_are_neither_copied_nor_merged(axis: MakeAxis) -> None:
    both = Both(axis, np.arange(5000), np.arange(5000.0), 3000)
    before = both.line.snapshot()
    for _ in range(100):
        both.grow(20)
    after = both.line.snapshot()
    assert both.line.due() is None and len(after.parts) == 2 and len(after.parts[1]) == 2000
    assert after.parts[0] is before.parts[0]
    both.grow(10)
    assert np.shares_memory(both.line.snapshot().parts[1].series.y, after.parts[1].series.y)


def test_rows_in_any_order_are_written_a_few_times(axis: MakeAxis, monkeypatch: pytest.MonkeyPatch) -> None:
    written = []
    append = growing_series.GrowingSeries.append

    def counted(self: Any, x: Any, *others: Any) -> None:
        written.append(len(x))
        append(self, x, *others)

    monkeypatch.setattr(growing_series.GrowingSeries, "append", counted)
    x = np.random.default_rng(1).permutation(6_000)
    both = Both(axis, x, np.arange(6_000.0), 0)
    most = 0
    for _ in range(300):
        both.grow(20)
        found = both.line.due()
        if found is not None:
            both.line.put(found, found.run())
        most = max(most, len(both.line.snapshot().parts))
    assert both.stop == len(x) and most <= 12
    assert sum(written) < 30 * len(x)


def test_a_merge_of_rows_that_were_corrected_meanwhile_is_left(axis: MakeAxis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing_line, "_SMALL", 10_000)
    rng = np.random.default_rng(2)
    both = Both(axis, rng.permutation(3000), np.arange(3000.0), 1000)
    both.grow(900)
    found = both.line.due()
    assert found is not None and both.line.due() is None
    made = found.run()
    both.correct(rng)
    both.line.put(found, made)
    same(both, both.line.snapshot(), both.fresh(), rng)
    again = both.line.due()
    assert again is not None
    both.line.put(again, again.run())
    same(both, both.line.snapshot(), both.fresh(), rng)


def test_older_versions_are_read_while_rows_are_added(axis: MakeAxis) -> None:
    rng = np.random.default_rng(3)
    values = np.round(rng.normal(size=40_000).cumsum())
    values[rng.random(40_000) < 0.3] = np.nan
    both = Both(axis, np.arange(40_000), values, 1)
    both.grow(300)
    kept = [(both.line.snapshot(), both.fresh())]
    writer = threading.Thread(target=lambda: [both.grow(17) for _ in range(2000)])
    writer.start()
    while writer.is_alive():
        for ours, theirs in kept:
            size = len(theirs.series)
            same_picks(ours, theirs, 0, size, 7, 0)
            same_picks(ours, theirs, size - 300, size - 1, 50, 0)
        if len(kept) < 10:
            stop = sum(map(len, (ours := both.line.snapshot()).parts))
            kept.append((ours, OneSeries(build_series(*both.part(0, stop), CREW))))
    writer.join()
