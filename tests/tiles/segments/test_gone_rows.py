"""Roots of rows that an index has never seen, since they were rolled over: those of one survey of all rows ever."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import bigviz as bv
from bigviz.aggregate.axis import Axis
from bigviz.aggregate.spaces import space
from bigviz.common.workers import Crew
from bigviz.data.appending import log as append_log
from bigviz.data.appending.log import AppendLog, Entry
from bigviz.data.appending.rule import Rule
from bigviz.data.appending.source import AppendedSource, LogTable
from bigviz.data.dataset import Dataset
from bigviz.data.patches.corrections import Patch
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.grid.survey import survey
from bigviz.tiles.segments.lines.line_index import LineIndex
from bigviz.tiles.segments.stream_index import StreamIndex

SCHEMA = pa.schema([("t", pa.timestamp("us")), ("x", pa.float64()), ("n", pa.int64()), ("single", pa.float32())])
NOW, KEPT = 10**18, 50
AXES = (("t", "n", "linear"), ("x", "single", "linear"), ("n", "x", "linear"), ("x", "n", "log"))


def batch(rng: np.random.Generator, first: int) -> pa.Table:
    count = int(rng.integers(1, 400))
    t = 1_700_000_000_000_000 + (first + np.arange(count)) * 1_000_000
    x = np.exp(rng.normal(size=count)) * 10.0 ** rng.integers(-2, 3)
    n = rng.integers(-1000, 1000, count)
    far = rng.random(count) < rng.choice([0, 0.0005, 0.01])
    x[far] = rng.choice([1e30, 1e15])
    n[far] = rng.choice([2**63 - 1, -(2**63), 2**60 + 1])
    t[far] = 0
    return pa.table([t, x, n, rng.normal(size=count).astype(np.float32)], schema=SCHEMA)


class Stream:
    """A log on the disk, and a table of all rows that it ever had."""

    def __init__(self, folder: Path, roll_bytes: int) -> None:
        folder.mkdir()
        self.folder, self.options = folder, {"roll_bytes": roll_bytes, "rule": Rule(rows=KEPT)}
        self.log = AppendLog.create(folder, SCHEMA, 0, 1, **self.options)
        self.table = SCHEMA.empty_table()

    def append(self, rows: pa.Table) -> None:
        (found,) = rows.combine_chunks().to_batches()
        self.log.commit([Entry(found.serialize().to_pybytes(), rows.num_rows)], NOW)
        self.table = pa.concat_tables([self.table, rows])

    def start(self) -> None:
        version = self.log.snapshot.version
        self.log.close()
        self.log = AppendLog.open(self.folder, version, **self.options)

    def dataset(self) -> Dataset:
        made = Dataset("log", AppendedSource(LogTable(None, SCHEMA, SCHEMA, "log"), self.log.snapshot, "log"))
        made.version = self.log.snapshot.version
        return made


def index_of(kind: str, spec: OrderSpec) -> Any:
    return StreamIndex(spec) if kind == "points" else LineIndex(spec)


def check(index: Any, stream: Stream) -> None:
    spec = index.spec
    made, whole = index.version(stream.dataset(), Crew(1)), bv.open(stream.table)
    axes = [Axis(whole.column(name), space(kind, "x")) for name, kind in ((spec.x, spec.xaxis), (spec.y, spec.yaxis))]
    expected = survey(axes[0], axes[1], spec.root == "default", Crew(1))
    assert (made.survey.x, made.survey.y) == (expected.x, expected.y), (spec, stream.table.num_rows)


@pytest.mark.parametrize("kind", ["points", "line"])
@pytest.mark.parametrize("seed", range(4))
def test_indexes_of_any_age(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, kind: str) -> None:
    """Some see each version, some a few, and some are made late; the log is opened anew now and then."""
    monkeypatch.setattr("os.fsync", lambda descriptor: None)
    monkeypatch.setattr("bigviz.data.appending.rollover._LEAST_FILE", 20_000)
    rng = np.random.default_rng(seed)
    root = "full" if seed == 3 else "default"
    stream = Stream(tmp_path / "log", int(rng.choice([1, 20_000, 1 << 20])))
    specs = [OrderSpec(x, y, axis, "linear", root) for x, y, axis in AXES]
    old = [index_of(kind, spec) for spec in specs]
    for step in range(12):
        stream.append(batch(rng, stream.table.num_rows))
        if rng.random() < 0.3:
            stream.start()
        for spec, index in zip(specs, old, strict=True):
            if rng.random() < 0.4:
                check(index, stream)
            if step % 4 == 3:
                check(index_of(kind, spec), stream)


def test_a_kill_while_files_are_removed_counts_no_row_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    stream = Stream(tmp_path / "log", 1)
    monkeypatch.setattr("bigviz.data.appending.rollover._LEAST_FILE", 1)
    unlink = Path.unlink
    with monkeypatch.context() as patched:  # the summary is written, the files stay
        patched.setattr(Path, "unlink", lambda path, missing_ok=False: None if path.suffix == ".log" else unlink(path))
        for _ in range(4):
            stream.append(batch(rng, stream.table.num_rows))
    stream.start()
    stream.append(batch(rng, stream.table.num_rows))
    with monkeypatch.context() as patched:  # it is not even written
        patched.setattr("os.replace", _full)
        stream.append(batch(rng, stream.table.num_rows))
    for _ in range(2):
        gone = stream.dataset().gone("n")
        assert gone.rows == stream.table.num_rows - KEPT
        numbers = stream.table["n"].to_numpy()[:-KEPT]
        assert (gone.low.min(), gone.high.max()) == (numbers.min(), numbers.max())
        stream.start()


def _full(*values: object) -> None:
    raise OSError(28, "full")


def test_rows_count_by_the_values_that_they_had_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bigviz.data.appending.rollover._LEAST_FILE", 1)
    stream = Stream(tmp_path / "log", 1)
    rows = pa.table([[0] * 60, [1.0] * 60, range(60), [0.0] * 60], schema=SCHEMA)
    stream.append(rows)
    made = Patch(np.array([55]), {"n": pa.array([10**6])})
    stream.log.commit([Entry(made.write(), 1, patch=made)], NOW)
    for _ in range(4):
        stream.append(rows)
        assert stream.dataset().gone("n").high.max() == (10**6 if stream.table.num_rows > 105 else 59)
        stream.start()


def test_damage_to_what_is_gone_keeps_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("bigviz.data.appending.rollover._LEAST_FILE", 1)
    rng = np.random.default_rng(2)
    stream = Stream(tmp_path / "log", 1)
    with monkeypatch.context() as patched:
        patched.setattr(append_log.Magnitudes, "joined", _full)
        for _ in range(3):
            stream.append(batch(rng, stream.table.num_rows))
    stream.log.close()
    batches = next(each.batches for each in stream.log.snapshot.files if each.count)
    path, data = batches.path, bytearray(batches.path.read_bytes())
    data[batches.at[0] + batches.size[0] // 2] ^= 1
    path.write_bytes(data)
    stream.start()
    assert not path.exists() and "axes will not hold all rows" in caplog.text
    stream.append(batch(rng, stream.table.num_rows))
