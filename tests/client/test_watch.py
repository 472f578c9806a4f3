"""What is appended to a dataset comes as it is appended, once each, also over broken connections and starts."""

from __future__ import annotations

import threading
from itertools import islice

import numpy as np
import pyarrow as pa
import pytest

import bigviz as bv
from bigviz.client import watch
from bigviz.common.errors import Gone, NotFound

from ..ports import free_port
from ..server.running import running

SCHEMA = {"x": "int64", "kind": "string"}


def rows(*values: int) -> dict[str, list[object]]:
    return {"x": list(values), "kind": ["ab"[value % 2] for value in values]}


def test_appends_come_as_they_are_made_until_the_seal(server):
    ticks = server.stream("ticks", SCHEMA)
    late = server.watch("ticks")
    ticks.append(rows(1, 2))
    ticks.append(rows())
    ticks.patch({"_row": [0], "x": [9]})
    ticks.append(rows(3))
    first, second = islice(late, 2)
    assert (first.version, first.offset, first.rows.to_pydict()) == (2, 0, rows(1, 2))
    assert (second.version, second.offset, second.rows.to_pydict()) == (5, 2, rows(3))
    again = server.watch("ticks", after=2)
    assert next(again) == second
    ticks.close()
    assert list(late) == [] and list(again) == []


def test_a_long_append_comes_in_one_piece(server):
    ticks = server.stream("ticks", SCHEMA)
    values = np.arange(400_000)
    ticks.append({"x": values, "kind": np.array(["a", "bb"])[values % 2]})
    ticks.append(rows(7))
    with server.watch("ticks", after=1) as found:
        whole, last = islice(found, 2)
    assert whole.rows.column("x").to_pylist() == values.tolist() and last.offset == 400_000


def test_a_watch_goes_on_after_a_start(tmp_path, monkeypatch):
    monkeypatch.setattr(watch, "_WAITS", (0.05,) * 6)
    port = free_port()
    with running([], library=tmp_path, port=port) as served:
        server = bv.connect(served.url)
        ticks = server.stream("ticks", SCHEMA)
        found = server.watch("ticks")
        ticks.append(rows(1))
        assert next(found).version == 2
    appended = threading.Event()

    def wait() -> None:
        seen.append(next(found))
        appended.set()

    seen: list[watch.Batch] = []
    thread = threading.Thread(target=wait)
    with running([], library=tmp_path, port=port) as served:
        thread.start()
        bv.connect(served.url).append("ticks", pa.table(rows(2), pa.schema(SCHEMA)))
        thread.join()
    assert [(each.version, each.offset, each.rows["x"].to_pylist()) for each in seen] == [(3, 1, [2])]
    found.close()


def test_a_dataset_to_which_nothing_was_appended_yet(server):
    server.upload("ticks", pa.table(rows(0), pa.schema(SCHEMA)))
    found = server.watch("ticks")
    server.append("ticks", pa.table(rows(5), pa.schema(SCHEMA)))
    assert next(found).offset == 1
    with pytest.raises(Gone):
        server.watch("ticks", after=7)
    with pytest.raises(NotFound):
        server.watch("nothing")
    server.http.json("DELETE", "/_/api/datasets/ticks")
    with pytest.raises(NotFound):
        next(found)


def test_what_was_rolled_over_is_told(server):
    ticks = server.stream("ticks", SCHEMA, rollover_rows=2)
    for value in range(5):
        ticks.append(rows(value))
    with server.watch("ticks", after=4) as found:
        assert [batch.rows["x"].to_pylist() for batch in islice(found, 2)] == [[3], [4]]
    with pytest.raises(Gone, match="read the dataset"):
        server.watch("ticks", after=3)
