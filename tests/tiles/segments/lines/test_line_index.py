"""Versions of a line against a line built anew from the rows of that version."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bigviz as bv
from bigviz.aggregate.glyphs.bins import Bins
from bigviz.aggregate.layer import Layer
from bigviz.common.priority import Turns
from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.tiles.answers.line_layer import LineLayer
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.segments.lines.line_layer import StreamedLine
from bigviz.tiles.segments.lines.line_streams import LineStreams
from bigviz.tiles.series import growing_line, merged_rows

from ....growing import Growing

CREW = Crew(1)
TYPES = {
    "float32": pa.float32(), "float64": pa.float64(), "int16": pa.int16(), "uint64": pa.uint64(),
    "stamp": pa.timestamp("us"), "date": pa.date32(),
}  # fmt: skip
ARRIVALS = ("in order", "late", "random", "falling", "two clocks")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """What happens with millions of rows happens with hundreds."""
    monkeypatch.setattr(growing_line, "_ROOM", 200)
    monkeypatch.setattr(growing_line, "_LATE_ROOM", 40)
    monkeypatch.setattr(growing_line, "_AT_ONCE", 60)
    monkeypatch.setattr(merged_rows, "_PIECE", 150)


class Stream:
    """A producer of rows, and the table of all rows that there ever were, as they are now or were when they went."""

    def __init__(self, rng: np.random.Generator, arrival: str, x: str, y: str) -> None:
        self.rng, self.arrival, self.types = rng, arrival, (TYPES[x], TYPES[y])
        self.clock = 0
        self.far = rng.random() < 0.3
        self.every = self._rows(int(rng.choice([0, 1, 300])))
        self.growing = Growing(self.every)

    def step(self) -> None:
        """Append, and now and then correct or roll over."""
        more = self._rows(int(self.rng.choice([0, 1, 7, 40, 300])))
        self.growing.append(more)
        self.every = pa.concat_tables([self.every, more])

    def correct(self) -> None:
        stop = self.growing.stop
        if stop > self.growing.first:
            rows = np.unique(self.rng.integers(self.growing.first, stop, int(self.rng.integers(1, 9))))
            values = self._rows(len(rows))
            if self.rng.random() < 0.5:
                values = values.set_column(0, "x", self.every.column("x").take(rows))
            self.growing.correct(rows.tolist(), values)
            at = np.arange(self.every.num_rows)
            at[rows] = self.every.num_rows + np.arange(len(rows))
            self.every = pa.concat_tables([self.every, values]).take(at)

    def roll(self) -> None:
        rows = min(int(self.rng.choice([1, 30, 200])), self.growing.stop - self.growing.first)
        self.growing.roll(self.growing.first + rows)

    def _rows(self, count: int) -> pa.Table:
        rng = self.rng
        steps = self.clock + rng.choice([0, 0, 1, 2, 9], count).cumsum()
        self.clock = int(steps[-1]) if count else self.clock
        if self.arrival == "late":
            steps -= np.where(rng.random(count) < 0.1, rng.integers(0, 300, count), 0)
        elif self.arrival == "random":
            steps = rng.integers(0, 5000, count)
        elif self.arrival == "falling":
            steps = -steps
        elif self.arrival == "two clocks":
            steps -= np.where(rng.random(count) < 0.5, 0, 400)
        if self.far and rng.random() < 0.2:
            steps[rng.random(count) < 0.01] = rng.choice([-30_000, 30_000])
        heights = np.round(rng.normal(size=count).cumsum() * 10) + (rng.random(count) < 0.001) * 1e9 * self.far
        return pa.table([self._column(0, steps, 0.05), self._column(1, heights, rng.choice([0.0, 0.3]))], ["x", "y"])

    def _column(self, side: int, values: Any, share: float) -> pa.Array:
        type_, missing = self.types[side], self.rng.random(len(values)) < share
        if pa.types.is_floating(type_):
            values = values * 1e3 if side else values / 7
            values[missing] = self.rng.choice([np.nan, np.inf])
            return pa.array(values, type_, mask=missing & (self.rng.random(len(values)) < 0.5))
        if pa.types.is_uint64(type_):
            numbers = (values.astype(np.int64) + 40_000).astype(np.uint64) + np.uint64(2**63)
            return pa.array(numbers, type_, mask=missing)
        numbers = pa.array(np.clip(values, -30_000, 30_000).astype(np.int64), mask=missing)
        return (numbers.cast(pa.int32()) if type_ == pa.date32() else numbers).cast(type_)


def fresh(table: pa.Table, layer: Layer) -> tuple[Dataset, LineLayer]:
    """The same rows as a table of their own, and their layer."""
    dataset = bv.open(table)
    made = Engine(threads=1).layers.ready(dataset, layer, whole=True)
    assert isinstance(made, LineLayer)
    return dataset, made


def same(made: StreamedLine, dataset: Dataset, every: pa.Table, table: pa.Table, layer: Layer, seed: int) -> None:
    """Every answer of a version is that of a line of its rows alone, but for the roots, which are those of all rows
    that there ever were."""
    rng = np.random.default_rng(seed)
    other, oracle = fresh(table, layer)
    first = dataset.first_row
    whole = fresh(every, layer)[1].survey if first else oracle.survey
    assert (made.survey.x, made.survey.y) == (whole.x, whole.y)
    facts, expected = made.facts(dataset, layer), oracle.facts(other, layer)
    if (oracle.survey.x, oracle.survey.y) == (whole.x, whole.y):
        assert made.survey == oracle.survey
        assert (facts.extent, facts.range) == (expected.extent, expected.range)
        for _ in range(2):
            zx, zy = (int(each) for each in rng.integers(0, 5, 2))
            key = TileKey(zx, zy, int(rng.integers(0, 1 << zx)), int(rng.integers(0, 1 << zy)))
            assert (made.arrays(key)[0] == oracle.arrays(key)[0]).all()
            assert made.draw(key).planes == oracle.draw(key).planes
    assert facts.rows_kept == expected.rows_kept
    assert (facts.rows, facts.rows_outside, facts.sorted) == (expected.rows, expected.rows_outside, expected.sorted)
    for low, high in windows(oracle, rng):
        width = int(rng.choice([1, 9, 80]))
        ours, theirs = made.columns(low, high, width), oracle.columns(low, high, width)
        for name in ("column", "run", "x", "y"):
            assert getattr(ours, name).tolist() == getattr(theirs, name).tolist(), name
        assert ours.row.tolist() == (theirs.row + first).tolist() and ours.flagged == theirs.flagged
        assert ours.table(dataset).equals(theirs.table(other).set_column(2, "row", [pa.array(ours.row)]))
        y_bins = Bins(-50.0, 1e4, 20, name="y0")
        x_bins = Bins(low, high, width, name="x0")
        assert (made.image(dataset, x_bins, y_bins)[0] == oracle.image(other, x_bins, y_bins)[0]).all()
        for limit in (3, 10_000):
            got, matched = made.rows(dataset, layer, (low, high), (-(10**12), 10**12), limit)
            want, total = oracle.rows(other, layer, (low, high), (-(10**12), 10**12), limit)
            assert matched == total and (got["row"].to_numpy() == want["row"].to_numpy() + first).all()
            assert got.drop_columns("row").equals(want.drop_columns("row"))


def windows(oracle: LineLayer, rng: np.random.Generator) -> list[tuple[Any, Any]]:
    series = oracle.line.series  # type: ignore[attr-defined]
    if not len(series):
        return [(0, 1)]
    values = series.x.slice(0, len(series))
    low, high = values[0].item(), values[-1].item()
    found = [(low, high), tuple(sorted(values[rng.integers(0, len(values), 2)].tolist()))]
    return [(a, b) if a < b else (a, a + 1) for a, b in found]


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(ARRIVALS), st.sampled_from(["", "", "y > 0", "y < 5 or y is null"]))
def test_each_version_equals_a_line_of_its_rows(seed: int, arrival: str, keep: str) -> None:
    rng = np.random.default_rng(seed)
    x = str(rng.choice(["float32", "float64", "uint64", "stamp", "date"]))
    stream = Stream(rng, arrival, x, str(rng.choice(["float32", "float64", "int16"])))
    yaxis = "log" if rng.random() < 0.3 else "linear"
    layer = Layer("line", "x", "y", "any", "linear", yaxis, filter=keep)
    streams = LineStreams(Turns(), merges=False)
    dataset = stream.growing.version()
    made = streams.line(dataset, layer, CREW)
    kept = [(made, dataset, stream.every, stream.growing.table)]
    rolls, corrects = rng.random() < 0.5, rng.random() < 0.5
    for _ in range(int(rng.integers(1, 9))):
        stream.step()
        if corrects and rng.random() < 0.3:
            stream.correct()
        if rolls and rng.random() < 0.4:
            streams.line(stream.growing.version(), layer, CREW)  # the roots are of all rows that some version has had
            stream.roll()
        dataset = stream.growing.version()
        made = streams.line(dataset, layer, CREW)
        if rng.random() < 0.3:
            made.index.merge_once(lambda: None)
        if rng.random() < 0.2:
            kept.append((made, dataset, stream.every, stream.growing.table))
    kept.append((made, dataset, stream.every, stream.growing.table))
    for at, each in enumerate(kept):  # older versions are as they were
        same(*each, layer, seed + at)
    tell_changes([each[0] for each in kept], [each[1] for each in kept])


def tell_changes(made: list[StreamedLine], datasets: list[Dataset]) -> None:
    """What two versions are said to share is equal."""
    last = made[-1]
    for one, before in zip(made[:-1], datasets[:-1], strict=True):
        keys = [TileKey(z, z, i, j) for z in (0, 2) for i in range(1 << z) for j in range(1 << z)]
        told = last.changed(before, keys)
        if told is not None:
            for key, differs in zip(keys, told, strict=True):
                assert differs or (one.arrays(key)[0] == last.arrays(key)[0]).all()
        for key in keys:
            if one.state(key) == last.state(key):
                assert (one.arrays(key)[0] == last.arrays(key)[0]).all()
        start = last.changed_from(before)
        if start is not None and one.survey.low is not None:
            low, high = one.survey.low[0], min(start, last.survey.high[0])
            if low < high < start or (low < high and start == float("inf")):
                ours, theirs = (each.columns(low, high, 50) for each in (one, last))
                for name in ("column", "run", "row", "x", "y"):
                    assert getattr(ours, name).tolist() == getattr(theirs, name).tolist(), name
