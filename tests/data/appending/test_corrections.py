"""What patches keep in memory, and what a version costs."""

from __future__ import annotations

import struct

import numpy as np
import pyarrow as pa

from bigviz.common.errors import TooLarge
from bigviz.data.appending.batches import Batches
from bigviz.data.appending.keys import Receipt
from bigviz.data.appending.log import AppendLog, Entry
from bigviz.data.appending.source import AppendedSource, LogTable
from bigviz.data.dataset import Dataset
from bigviz.data.patches.corrections import Patch

from .logs import NOW, OWN, SCHEMA, entry, new, patch, rows


def test_many_corrections_are_few_runs_and_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr("bigviz.data.appending.state.MOST_CORRECTED", 2_000)
    log = new(tmp_path / "log", durability="os")
    log.commit([entry(list(range(100)))], NOW)
    expected = list(range(100))
    rng = np.random.default_rng(3)
    for number in range(300):
        row = int(rng.integers(8))
        expected[row] = number
        assert isinstance(log.commit([patch({row: number})], NOW)[0], Receipt)
    assert rows(log) == expected
    corrections = log.snapshot.corrections
    assert max(map(len, corrections.columns.values())) <= 6 and len(corrections.told) <= 75
    told = np.unique(np.concatenate([each.rows for each in corrections.told]))
    assert told.tolist() == list(range(8)) and corrections.told[-1].version == 302
    assert isinstance(log.commit([patch(dict.fromkeys(range(100), 1))], NOW)[0], TooLarge)
    assert rows(log) == expected
    log.close()


def test_patches_of_one_group_are_bounded_together(tmp_path, monkeypatch):
    log = new(tmp_path / "log", durability="os")
    log.commit([entry(list(range(100)))], NOW)
    changes = [patch(dict.fromkeys(range(start, start + 10), 7)) for start in range(0, 100, 10)]
    size = changes[0].patch.nbytes
    monkeypatch.setattr("bigviz.data.appending.state.MOST_CORRECTED", 4 * size)
    answers = log.commit(changes, NOW)
    assert [isinstance(each, Receipt) for each in answers] == [True] * 4 + [False] * 6
    assert all(isinstance(each, TooLarge) for each in answers[4:])
    assert log.snapshot.corrections.nbytes <= 4 * size + 64 and rows(log)[:50] == [7] * 40 + list(range(40, 50))
    log.close()


def test_a_version_costs_its_own_batches_alone(tmp_path, monkeypatch):
    log = new(tmp_path / "log", durability="os")
    log.commit([entry([number]) for number in range(2_000)], NOW)
    table = LogTable(None, OWN, SCHEMA, "log")
    Dataset("log", AppendedSource(table, log.snapshot, "log")).column("x")
    log.commit([entry([1, 2])], NOW)
    read: list[tuple[int, int]] = []
    payloads = Batches.payloads
    monkeypatch.setattr(Batches, "payloads", lambda *values: [read.append(values[1:]), payloads(*values)][1])
    dataset = Dataset("log", AppendedSource(table, log.snapshot, "log"))
    (found,) = dataset.read_rows(["x"], 2_000, 2_002)
    assert found[0] == 2_000 and found[1][0].values.tolist() == [1, 2] and read == [(2_000, 2_001)]
    assert dataset.take(np.array([7, 1_000]), ["x"])["x"].to_pylist() == [7, 1_000]
    assert read[1:] == [(7, 8), (1_000, 1_001)]
    log.close()


def test_labels_and_points_are_corrected_too(tmp_path):
    """Codes of a dictionary may be too few for a batch and its corrections together; points have their coordinates."""
    wkb = [struct.pack("<BIdd", 1, 1, x, -x) for x in range(4)]
    geo = pa.field("place", pa.binary(), metadata={"ARROW:extension:name": "geoarrow.wkb"})
    own = pa.schema([("kind", pa.dictionary(pa.int8(), pa.string())), geo])
    plain = pa.schema([("kind", pa.string()), geo])
    (tmp_path / "log").mkdir()
    log = AppendLog.create(tmp_path / "log", plain, 0, 1, "os")
    kinds = [f"k{number}" for number in range(120)]
    batch = pa.record_batch([pa.array(kinds), pa.array(wkb * 30, pa.binary())], schema=plain)
    log.commit([Entry(batch.serialize().to_pybytes(), 120)], NOW)
    new = [f"n{number}" for number in range(60)]
    made = Patch(np.arange(0, 120, 2), {"kind": pa.array(new), "place": pa.array([wkb[3]] * 60, pa.binary())})
    log.commit([Entry(made.write(), 60, patch=made)], NOW)
    dataset = Dataset("log", AppendedSource(LogTable(None, own, plain, "log"), log.snapshot, "log"))
    kinds[::2] = new
    assert dataset.arrow(["kind"])["kind"].to_pylist() == kinds
    column = dataset.column("kind")
    assert column.categories is not None and [column.categories[code] for code in column.values] == kinds
    assert dataset.column("place.x").values.tolist() == [3.0, 1.0, 3.0, 3.0] * 30
    assert dataset.column("place.y").values.tolist() == [-3.0, -1.0, -3.0, -3.0] * 30
    log.close()
