"""Layers over an append log, after appends, patches, rollovers, merges and starts in any order, against a table."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from bigviz.aggregate.layer import Layer
from bigviz.data.appending.growth import Mark
from bigviz.data.appending.log import AppendLog, Entry
from bigviz.data.appending.rule import Rule
from bigviz.data.appending.source import AppendedSource, LogTable
from bigviz.data.dataset import Dataset
from bigviz.data.patches.corrections import Patch
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.segments.segmented_points import SegmentedPoints

from .compared import FILTERS, assert_same, built, indexes, settle

SCHEMA = pa.schema([("x", pa.float64()), ("y", pa.float64()), ("v", pa.int64()), ("kind", pa.string())])
NUMBERS = st.sampled_from([0.0, 1.0, 1.25, -3.0, 1e-9, 1e12, float("nan"), float("inf")])
ROW = st.tuples(NUMBERS, NUMBERS, st.integers(-9, 9), st.sampled_from(["b", "a"]))
SECOND = 10**9
WIDE = [TileKey(0, 0, 0, 0), TileKey(3, 0, 3, 0), TileKey(3, 0, 4, 0)]
KEYS = [*WIDE, *(TileKey(1, 1, i, j) for i in (0, 1) for j in (0, 1))]


class OverALog(RuleBasedStateMachine):
    """One layer of each version, and a plain table of the rows."""

    @initialize(
        agg=st.sampled_from(["count", "max(v)", "first(v)", "by(kind, sum(v))"]),
        kept=st.sampled_from([Rule(), Rule(rows=9), Rule(age_ns=60 * SECOND)]),
        first=st.lists(ROW, min_size=1, max_size=9),
        keep=st.sampled_from(FILTERS),
    )
    def begin(self, agg: str, kept: Rule, first: list[Any], keep: str) -> None:
        self.folder = Path(os.environ["PYTEST_LOGS"]) / os.urandom(6).hex()
        self.folder.mkdir()
        self.layer, self.kept, self.now = Layer("points", "x", "y", agg, filter=keep), kept, 10**18
        self.log = AppendLog.create(self.folder, SCHEMA, 0, 1, roll_bytes=2_000, rule=kept)
        self.table = SCHEMA.empty_table()
        self.streams = indexes()
        self.shared = LogTable(None, SCHEMA, SCHEMA, "log")
        self.named: dict[Any, list[Any]] = {}
        self.last: tuple[Dataset, list[Any]] | None = None
        self.append(first)

    @rule(values=st.lists(ROW, max_size=6))
    def append(self, values: list[Any]) -> None:
        batch = pa.record_batch([[row[at] for row in values] for at in range(4)], schema=SCHEMA)
        self.log.commit([Entry(batch.serialize().to_pybytes(), len(values))], self.now)
        self.table = pa.concat_tables([self.table, pa.Table.from_batches([batch])])

    @precondition(lambda self: self.log.snapshot.rows)
    @rule(places=st.dictionaries(st.floats(0, 1), ROW, min_size=1, max_size=3), columns=st.sets(st.integers(0, 3)))
    def correct(self, places: dict[float, Any], columns: set[int]) -> None:
        snapshot = self.log.snapshot
        values = {snapshot.first_row + int(place * (snapshot.rows - 1)): row for place, row in places.items()}
        rows = np.array(sorted(values), np.int64)
        names = [SCHEMA.names[at] for at in sorted(columns or {2})]
        new = pa.table([[values[row][at] for row in rows.tolist()] for at in range(4)], schema=SCHEMA)
        made = Patch(rows, {name: new[name].combine_chunks() for name in names})
        self.log.commit([Entry(made.write(), len(rows), patch=made)], self.now)
        at = np.arange(self.table.num_rows)
        at[rows] = self.table.num_rows + np.arange(len(rows))
        for name in names:
            both = pa.chunked_array([*self.table[name].chunks, *new[name].chunks])
            self.table = self.table.set_column(SCHEMA.get_field_index(name), name, both.take(pa.array(at)))

    @rule(seconds=st.integers(1, 50))
    def grow_old(self, seconds: int) -> None:
        self.now += seconds * SECOND
        self.log.roll(self.now)

    @rule(merges=st.integers(1, 9))
    def merge(self, merges: int) -> None:
        if self.log.snapshot.rows:
            settle(built(self.streams, self.dataset(), self.layer), merges)

    @rule()
    def start(self) -> None:
        version = self.log.snapshot.version
        self.log.close()
        self.log = AppendLog.open(self.folder, version, roll_bytes=2_000, rule=self.kept)
        self.streams = indexes()
        self.shared = LogTable(None, SCHEMA, SCHEMA, "log")

    @rule()
    def look(self) -> None:
        dataset = self.dataset()
        if dataset.num_rows:
            made = built(self.streams, dataset, self.layer)
            assert_same(made, dataset, self.table.slice(dataset.first_row), self.layer)
            self.compare(made, dataset)

    def compare(self, made: SegmentedPoints, dataset: Dataset) -> None:
        """Tiles of one name are equal, whatever index they are of; so are those of which nothing is told."""
        planes = [[np.ma.filled(plane, -99) for plane in made.arrays(key)] for key in KEYS]
        for key, new in zip(KEYS, planes, strict=True):
            old = self.named.setdefault((key, made.state(key)), new)
            assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(old, new, strict=True))
        told = None if self.last is None else made.changed(Mark.of(self.last[0]), KEYS)
        if self.last is not None and told is not None:
            for differs, old, new in zip(told, self.last[1], planes, strict=True):
                assert differs or all(np.array_equal(a, b, equal_nan=True) for a, b in zip(old, new, strict=True))
        self.last = dataset, planes

    def dataset(self) -> Dataset:
        snapshot = self.log.snapshot
        made = Dataset("log", AppendedSource(self.shared, snapshot, "log"))
        made.version = snapshot.version
        return made

    def teardown(self) -> None:
        if hasattr(self, "log"):
            self.look()
            self.log.close()
            shutil.rmtree(self.folder)


def test_layers_over_a_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_LOGS", str(tmp_path))
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    run_state_machine_as_test(OverALog, settings=settings(max_examples=8, stateful_step_count=8, deadline=None))
