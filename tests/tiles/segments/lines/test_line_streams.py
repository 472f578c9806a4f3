"""Lines of an engine over datasets that grow."""

from __future__ import annotations

import gc
import threading
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import bigviz as bv
from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import Cancel
from bigviz.common.errors import Cancelled
from bigviz.common.priority import Turns
from bigviz.common.workers import Crew
from bigviz.data.appending.growth import Mark
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.segments.lines import line_index
from bigviz.tiles.segments.lines.line_streams import LineStreams
from bigviz.tiles.series import growing_line

from ....growing import Growing
from ....patience import PATIENCE

LAYER = Layer("line", "x", "y", "any")


def rows(first: int, count: int) -> pa.Table:
    x = np.arange(first, first + count)
    return pa.table({"x": x, "y": np.sin(x / 50.0)})


def test_an_engine_reads_the_new_rows_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[tuple[int, int]] = []
    real = line_index.read_columns

    def counted(dataset: Any, names: Any, start: int, stop: int, crew: Crew) -> Any:
        read.append((start, stop))
        return real(dataset, names, start, stop, crew)

    monkeypatch.setattr(line_index, "read_columns", counted)
    growing, engine = Growing(rows(0, 3000)), Engine(threads=1)
    engine.ensure(growing.version(), LAYER)
    for at in range(5):
        version = growing.append(rows(3000 + 10 * at, 10)).version()
        assert engine.columns(version, LAYER, 2990, 5000, 100).row[-1] == version.num_rows - 1
    assert read == [(0, 3000), *((3000 + 10 * at, 3010 + 10 * at) for at in range(5))]
    assert len(engine.layers.store._layers) == 1  # versions that nobody holds are let go of


def test_what_new_rows_do_not_touch_keeps_its_name() -> None:
    growing, engine = Growing(rows(0, 1000)), Engine(threads=1)
    keys = [TileKey(2, 2, i, j) for i in range(4) for j in range(4)]
    before = growing.version()
    engine.ensure(before, LAYER)
    tags = [engine.etag(before, LAYER, key) for key in keys]
    after = growing.append(rows(1000, 10)).version()
    engine.ensure(after, LAYER)
    assert engine.changed_from(Mark.of(before), after, LAYER) == 999
    told = engine.changed(Mark.of(before), after, LAYER, keys)
    assert told == [key.i == 3 for key in keys]  # the root is 0 to 1024, and changes lie from 999 on
    assert told == [engine.etag(after, LAYER, key) != tag for key, tag in zip(keys, tags, strict=True)]
    wider = growing.append(rows(3000, 1)).version()
    engine.ensure(wider, LAYER)
    assert engine.changed(Mark.of(after), wider, LAYER, keys) is None  # keys mean other tiles
    assert engine.changed_from(Mark.of(after), wider, LAYER) == 1009
    assert engine.changed_from(Mark.of(before), wider, LAYER) == 999
    rolled = growing.roll(5).version()
    engine.ensure(rolled, LAYER)
    assert engine.changed_from(Mark.of(wider), rolled, LAYER) is None
    assert engine.rows(rolled, LAYER, 0, 20, -2, 2)["row"].to_pylist() == list(range(5, 20))


def test_an_older_version_that_nobody_held_is_made_anew() -> None:
    growing, engine = Growing(rows(0, 100)), Engine(threads=1)
    old = growing.version()
    new = growing.append(rows(100, 100)).version()
    engine.ensure(new, LAYER)
    assert engine.info(old, LAYER).rows == 100 and engine.info(new, LAYER).rows == 200
    assert engine.columns(old, LAYER, 0, 300, 5).row[-1] == 99


def test_new_labels_are_drawn_last() -> None:
    table = pa.table({"x": ["b", "a", "b"], "y": [1.0, 2.0, 9.0]})
    growing, engine = Growing(table), Engine(threads=1)
    engine.ensure(growing.version(), LAYER)
    version = growing.append(pa.table({"x": ["A", "b"], "y": [4.0, 5.0]})).version()
    found = engine.columns(version, LAYER, 0, 3, 100)
    labels = engine.info(version, LAYER).x_categories
    assert labels == ("a", "b", "A")
    assert found.row.tolist() == [1, 0, 2, 4, 3] and found.x.tolist() == [0, 1, 1, 1, 2]


def test_runs_are_merged_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing_line, "_AT_ONCE", 50)
    rng = np.random.default_rng(3)
    growing, streams = Growing(rows(0, 200)), LineStreams(Turns())
    merged = threading.Event()
    real = line_index.LineIndex.merge_once

    def told(self: Any, look: Any) -> bool:
        found = real(self, look)
        if found:
            merged.set()
        return found

    monkeypatch.setattr(line_index.LineIndex, "merge_once", told)
    while not merged.is_set() and growing.stop < 100_000:
        growing.append(pa.table({"x": rng.integers(0, 200, 40), "y": rng.normal(size=40)}))
        made = streams.line(growing.version(), LAYER, Crew(1))
    assert merged.wait(PATIENCE)
    growing.append(rows(0, 1))
    made = streams.line(growing.version(), LAYER, Crew(1))
    whole = Engine(threads=1).columns(bv.open(growing.table), LAYER, 0, 200, 30)
    assert made.columns(0, 200, 30).row.tolist() == whole.row.tolist()


def test_a_version_that_was_cancelled_is_made_when_it_is_needed() -> None:
    growing, streams = Growing(rows(0, 100)), LineStreams(Turns(), merges=False)
    kept = streams.line(growing.version(), LAYER, Crew(1))
    cancel = Cancel()
    cancel.cancel()
    version = growing.append(rows(100, 5)).version()
    with pytest.raises(Cancelled):
        streams.line(version, LAYER, Crew(1, cancel=cancel))
    assert len(streams.line(version, LAYER, Crew(1)).columns(0, 200, 1000).row) == 105
    assert len(kept.columns(0, 200, 1000).row) == 100


def test_an_index_goes_with_its_last_layer() -> None:
    growing, streams = Growing(rows(0, 100)), LineStreams(Turns(), merges=False)
    made = streams.line(growing.version(), LAYER, Crew(1))
    assert streams.find(growing.version(), LAYER) is made.index
    del made
    gc.collect()
    assert streams.find(growing.version(), LAYER) is None
