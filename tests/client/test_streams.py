"""A script appends rows: of each kind of table, under its schema, once however often they are sent."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from bigviz.client import streams
from bigviz.client.http import Http
from bigviz.client.refusals import Unreachable
from bigviz.common.errors import BadInput, BigvizError, Busy, Conflict, TooLarge, TooMany

SCHEMA = {"time": "timestamp[ms]", "price": "float64", "kind": "string"}
TIMES = np.array(["2026-05-01T12:00", "2026-05-01T12:01"], "datetime64[ms]")
LISTS = {"time": TIMES, "price": [1, 2], "kind": ["a", None]}


@pytest.mark.parametrize(
    "rows",
    [
        LISTS,
        pa.table(LISTS).cast(pa.schema(SCHEMA)),
        pa.RecordBatch.from_pydict({**LISTS, "time": pa.array(TIMES, pa.timestamp("ms"))}),
        pd.DataFrame({"kind": ["a", None], "price": np.float32([1, 2]), "time": TIMES.astype("datetime64[ns]")}),
        pl.DataFrame({"time": TIMES, "price": [1, 2], "kind": ["a", None]}),
    ],
    ids=["mapping", "table", "batch", "pandas", "polars"],
)
def test_rows_of_any_kind(server, rows):
    ticks = server.stream("ticks", SCHEMA, order_by="time")
    assert repr(ticks) == f"<stream 'ticks' at {server.url}>"
    assert ticks.append(rows) == {"version": 2, "offset": 0, "rows": 2, "durable": "fsync"}
    assert ticks.append(rows) == {"version": 3, "offset": 2, "rows": 2, "durable": "fsync"}
    (found,) = server.datasets()
    assert (found["rows"], found["version"]) == (4, 3)


def test_a_stream_that_is_there_goes_on(server):
    first = server.stream("ticks", SCHEMA)
    first.append(LISTS)
    again = server.stream("ticks", pa.schema(SCHEMA))
    assert (
        again.append(LISTS)["offset"] == 2 and server.append("ticks", pa.table(LISTS, pa.schema(SCHEMA)))["rows"] == 2
    )
    with pytest.raises(Conflict, match="price \\(double\\)"):
        server.stream("ticks", {**SCHEMA, "price": "int64"})
    with pytest.raises(Conflict, match="rollover_rows is 'not set', not 3"):
        server.stream("ticks", SCHEMA, rollover_rows=3)
    last = server.stream("last", SCHEMA, rollover_rows=3, rollover_age=60)
    last.append(LISTS)
    assert server.stream("last", SCHEMA, rollover_rows=3).append(LISTS)["offset"] == 2
    assert server.http.json("GET", "/_/api/datasets/last")["rows"] == 3
    assert last.patch({"_row": [3], "price": [9]})["rows"] == 1
    with pytest.raises(BigvizError, match="no row 0"):
        last.patch({"_row": [0], "price": [9]})
    with pytest.raises(BadInput, match="Column 'price' is double"):
        last.patch({"_row": [3], "price": ["much"]})
    with pytest.raises(BadInput, match="Arrow type, such as"):
        server.stream("others", {"x": "number"})
    first.close()
    with pytest.raises(Conflict, match="sealed"):
        again.append(LISTS)


@pytest.mark.parametrize(
    "rows",
    [
        {**LISTS, "price": ["one", "two"]},
        {**LISTS, "more": [1, 2]},
        {"time": TIMES},
        pd.DataFrame({**LISTS, "time": ["then", "now"]}),
        7,
    ],
)
def test_rows_that_do_not_fit_are_not_sent(server, rows):
    ticks = server.stream("ticks", SCHEMA)
    with pytest.raises(BadInput):
        ticks.append(rows)
    assert server.datasets()[0]["rows"] == 0


def test_the_index_of_a_frame_without_a_name_is_left_out(server):
    frame = pd.DataFrame({**LISTS, "price": [1.0, 2.0]}, index=[7, 3])
    ticks = server.stream("ticks", SCHEMA)
    assert ticks.append(frame)["rows"] == 2
    assert ticks.append(frame.set_index("time"))["rows"] == 2
    with pytest.raises(Conflict, match=r"reset_index\(drop=True\)"):
        server.append("ticks", frame)
    with pytest.raises(BadInput, match="bigviz append NAME FILE"):
        server.append("ticks", "ticks.csv")


def test_other_columns_are_refused_by_the_server(server):
    ticks = server.stream("ticks", SCHEMA)
    with pytest.raises(Conflict, match="no column 'more'"):
        ticks.append(pa.table({**LISTS, "more": [1, 2]}))
    with pytest.raises(Conflict, match="price"):
        server.append("ticks", pa.table({**LISTS, "price": [1, 2]}))
    with pytest.raises(TooLarge):
        ticks.append(
            {"time": np.zeros(5_000_000, "datetime64[ms]"), "price": np.zeros(5_000_000), "kind": [""] * 5_000_000}
        )


def test_what_may_be_sent_again_is_sent_under_the_same_key(server, monkeypatch):
    ticks = server.stream("ticks", SCHEMA)
    send, keys = Http.json, []
    failures: list[Exception] = [Unreachable("lost"), Busy("full"), TooMany("often", retry_after=0.0)]

    def lost(http: Http, method: str, path: str, body: Any = None, headers: Any = None, **more: Any) -> dict[str, Any]:
        answer = send(http, method, path, body, headers, **more)
        keys.append(headers["Idempotency-Key"])
        if failures:  # the rows are there, and nobody knows
            raise failures.pop()
        return answer

    monkeypatch.setattr(Http, "json", lost)
    monkeypatch.setattr(streams, "_WAITS", (0.0,) * 7)
    assert ticks.append(LISTS) == {"version": 2, "offset": 0, "rows": 2, "durable": "fsync"}
    assert len(keys) == 4 and len(set(keys)) == 1
    failures += [Unreachable("lost")] * 8
    with pytest.raises(Unreachable):
        ticks.append(LISTS)
    monkeypatch.undo()
    assert server.datasets()[0]["rows"] == 4


def test_threads_share_a_stream(server):
    ticks = server.stream("ticks", SCHEMA)
    offsets: list[int] = []
    workers = [threading.Thread(target=lambda: offsets.append(ticks.append(LISTS)["offset"])) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(offsets) == [0, 2, 4, 6, 8, 10]


def test_appends_share_a_connection_and_outlive_it(server, plots):
    ticks = server.stream("ticks", SCHEMA)
    ticks.append(LISTS)
    (kept,) = server.http._idle
    assert [ticks.append(LISTS)["offset"], *server.http._idle[0][:1]] == [2, kept[0]]
    kept[0].sock.shutdown(2)
    assert ticks.append(LISTS)["offset"] == 4 and server.http._idle[0][0] is not kept[0]
