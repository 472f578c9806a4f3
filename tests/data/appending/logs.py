"""Append logs of two columns, and their rows as a dataset reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from bigviz.data.appending.keys import body_digest, key_digest
from bigviz.data.appending.log import AppendLog, Entry
from bigviz.data.appending.snapshot import Snapshot
from bigviz.data.appending.source import AppendedSource, LogTable
from bigviz.data.dataset import Dataset
from bigviz.data.patches.corrections import Patch

SCHEMA = pa.schema([("x", pa.int64()), ("kind", pa.string())])
OWN = pa.schema([("x", pa.int64()), ("kind", pa.dictionary(pa.int8(), pa.string()))])
NOW = 1_700_000_000 * 10**9
SECOND = 10**9
DAY = 86_400 * SECOND
KINDS = ("a", "b", "c")


def entry(values: list[int], key: str | None = None) -> Entry:
    batch = pa.record_batch({"x": values, "kind": [KINDS[each % 3] for each in values]}, schema=SCHEMA)
    payload = batch.serialize().to_pybytes()
    if key is None:
        return Entry(payload, len(values))
    return Entry(payload, len(values), key_digest("ann", key), body_digest("arrows", payload))


def opened(snapshot: Snapshot) -> Dataset:
    return Dataset("log", AppendedSource(LogTable(None, OWN, SCHEMA, "log"), snapshot, "log"))


def rows(log: AppendLog) -> list[int]:
    """The rows as a dataset reads them: whole, and a range of them."""
    snapshot = log.snapshot
    if not snapshot.rows:
        return []
    dataset = opened(snapshot)
    found: list[int] = dataset.column("x").values.tolist()
    assert dataset.arrow(["kind"])["kind"].to_pylist() == [KINDS[each % 3] for each in found]
    assert (dataset.num_rows, dataset.first_row) == (len(found), snapshot.first_row)
    numbers = np.arange(snapshot.first_row, snapshot.next_row)
    assert dataset.take(numbers[::-2], ["x"])["x"].to_pylist() == found[::-2]
    start, stop = snapshot.first_row + len(found) // 3, snapshot.next_row - len(found) // 4
    parts = list(opened(snapshot).read_rows(["x"], start, stop))
    assert [first for first, _ in parts][:1] == [start][: stop - start]
    assert [x for _, (part,) in parts for x in part.values.tolist()] == found[
        len(found) // 3 : stop - snapshot.first_row
    ]
    return found


def new(folder: Path, **options: Any) -> AppendLog:
    folder.mkdir(parents=True, exist_ok=True)
    return AppendLog.create(folder, SCHEMA, 0, 1, **options)


def commit(log: AppendLog, entries: list[Entry], now: int) -> list[Any]:
    """Commit, and remove what is rolled over, as a server does behind."""
    answers = log.commit(entries, now)
    log.tidy()
    return list(answers)


def patch(values: dict[int, int], key: str | None = None) -> Entry:
    """Other values at rows."""
    at = np.array(sorted(values), np.int64)
    new = [values[row] for row in at.tolist()]
    made = Patch(at, {"x": pa.array(new, pa.int64()), "kind": pa.array([KINDS[each % 3] for each in new])})
    payload = made.write()
    if key is None:
        return Entry(payload, len(at), patch=made)
    return Entry(payload, len(at), key_digest("ann", key), body_digest("patch", payload), made)
