"""Small batches of a log, read many at a time."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from bigviz.common.errors import Unreadable
from bigviz.data.appending import bulk
from bigviz.data.appending.log import AppendLog, Entry
from bigviz.data.appending.plain import plain_schema
from bigviz.data.appending.source import AppendedSource, LogTable
from bigviz.data.dataset import Dataset

from .logs import NOW, entry, new, rows

SCHEMA = pa.schema(
    {
        "n": pa.int32(), "when": pa.timestamp("us", "Europe/Paris"), "text": pa.string(), "wide": pa.large_string(),
        "kind": pa.dictionary(pa.int8(), pa.string()), "flag": pa.bool_(), "none": pa.null(), "raw": pa.binary(3),
        "list": pa.list_(pa.float64()), "both": pa.struct({"a": pa.int8(), "b": pa.string()}), "view": pa.string_view(),
    }
)  # fmt: skip


def some(rng: np.random.Generator, count: int, first: int) -> pa.RecordBatch:
    """Rows of all types, some null."""

    def column(at: int, value: object) -> object:
        return None if rng.random() < 0.2 and at != first else value

    rows = range(first, first + count)
    columns = {
        "n": [column(at, at) for at in rows], "when": [column(at, 10**15 + at) for at in rows],
        "text": [column(at, "ab" * (at % 4)) for at in rows], "wide": [column(at, f"w{at}") for at in rows],
        "kind": [column(at, f"k{at % 300}") for at in rows], "flag": [column(at, at % 3 == 0) for at in rows],
        "none": [None] * count, "raw": [column(at, b"%03d" % (at % 1000)) for at in rows],
        "list": [column(at, [0.5] * (at % 3)) for at in rows],
        "both": [column(at, {"a": at % 9, "b": "c"}) for at in rows], "view": [column(at, "v" * 20) for at in rows],
    }  # fmt: skip
    plain = plain_schema(SCHEMA)
    return pa.record_batch([pa.array(columns[each.name], each.type) for each in plain], schema=plain)


@pytest.mark.usefixtures("quick")
def test_small_batches_of_all_types_are_what_was_appended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bulk, "_TOGETHER", 200_000)
    rng = np.random.default_rng(7)
    batches: list[pa.RecordBatch] = []
    for size in [1] * 300 + [2_000, 1, 1, 900, 3] + [1] * 20:
        batches.append(some(rng, size, sum(each.num_rows for each in batches)))
    log = AppendLog.create(tmp_path, plain_schema(SCHEMA), 0, 1)
    log.commit([Entry(each.serialize().to_pybytes(), each.num_rows) for each in batches], NOW)
    expected = pa.Table.from_batches(batches)
    table = LogTable(None, SCHEMA, plain_schema(SCHEMA), "log")
    dataset = Dataset("log", AppendedSource(table, log.snapshot, "log"))
    for name in SCHEMA.names:
        column = dataset.arrow([name]).column(0)
        assert column.to_pylist() == expected[name].to_pylist(), name
    assert pa.types.is_dictionary(dataset.schema.field("kind").type)
    parts = [values for _, (values,) in dataset.read_rows(["n"], 290, 2_310)]
    assert sum(map(len, parts)) == 2_020
    log.close()


@pytest.mark.usefixtures("quick")
def test_damage_to_one_of_many_is_told(tmp_path: Path):
    log = new(tmp_path / "log")
    log.commit([entry([value]) for value in range(200)], NOW)
    path = log.snapshot.files[0].batches.path
    with path.open("r+b") as file:
        file.seek(os.path.getsize(path) // 2)
        file.write(b"\xff" * 200)
    with pytest.raises(Unreadable, match="not what was written"):
        rows(log)
    log.close()
