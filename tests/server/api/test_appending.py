"""Rows that are appended are there once they are acknowledged, in order and once, and open pages follow."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bigviz.server.limits import Limits
from bigviz.wire.frames import Type

from ...patience import PATIENCE, until
from ..people import People
from ..running import Running, running
from ..wire import Browser
from .calls import ARROW, PARQUET, TABLE, call, document, stream_of, upload

NDJSON = "application/x-ndjson"
CSV = "text/csv"


def append(served: Running, rows: pa.Table | bytes = TABLE, kind: str = ARROW, name: str = "rows", **headers: str):
    body = rows if isinstance(rows, bytes) else stream_of(rows)
    return call(served, "POST", f"datasets/{name}/append", body, Content_Type=kind, **headers)


def shown(served: Running, number: int = 0) -> int:
    return int(json.loads(served.get(f"/a/layers/{number}/tilejson.json").body)["rows"])


def kept(served: Running) -> list[float]:
    """The column x as it is shown, in the order of rows."""
    answer = served.get("/a/layers/0/rows.arrow?x0=-1&x1=1000000&y0=-1&y1=1000000&limit=50000")
    table = pa.ipc.open_file(answer.body).read_all()
    return table.sort_by("row")["x"].to_pylist()


@pytest.fixture
def rows(plots: Running) -> Running:
    upload(plots, "rows")
    call(plots, "PUT", "documents/a", document("rows"))
    return plots


def test_each_format_appends_the_same_rows(rows):
    line = b'{"kind": "z", "x": 5, "y": 6.5, "secret": 9007199254740993}\n'
    assert append(rows) == (200, {"version": 2, "offset": 4, "rows": 4, "durable": "fsync"})
    assert append(rows, line, NDJSON) == (200, {"version": 3, "offset": 8, "rows": 1, "durable": "fsync"})
    csv = b'kind,x,y,secret\n"a, b",7,,1\n,8,2,2\n'
    assert append(rows, csv, CSV) == (200, {"version": 4, "offset": 9, "rows": 2, "durable": "fsync"})
    assert shown(rows) == 11 and kept(rows) == [0, 1, 2, 3, 0, 1, 2, 3, 5, 8]
    facts = call(rows, "GET", "datasets/rows")[1]
    assert (facts["rows"], facts["version"]) == (11, 4)
    assert call(rows, "GET", "datasets")[1]["datasets"][0]["rows"] == 11
    row = json.loads(rows.get("/a/layers/0/rows/8.json").body)
    assert "9007199254740993" in json.dumps(row)


def test_a_table_that_was_uploaded_as_parquet_grows_too(plots, tmp_path):
    table = TABLE.set_column(3, "kind", TABLE["kind"].dictionary_encode())
    pq.write_table(table, tmp_path / "t.parquet")
    put = call(plots, "PUT", "datasets/rows", (tmp_path / "t.parquet").read_bytes(), Content_Type=PARQUET)
    assert put[0] == 201
    call(plots, "PUT", "documents/a", document("rows", agg="by(kind)"))
    assert append(plots, TABLE)[0] == append(plots, table)[0] == 200  # as text, and as labels
    assert shown(plots) == 12 and kept(plots) == [0, 1, 2, 3] * 3


def test_a_stream_begins_without_rows(plots):
    empty = stream_of(TABLE.schema.empty_table())
    put = call(plots, "PUT", "datasets/rows?order_by=x", empty, Content_Type=ARROW)
    assert put == (201, {"name": "rows", "version": 1, "rows": 0})
    assert call(plots, "GET", "datasets/rows")[1]["order_by"] == "x"
    call(plots, "PUT", "documents/a", document("rows"))
    assert append(plots) == (200, {"version": 2, "offset": 0, "rows": 4, "durable": "fsync"})
    assert shown(plots) == 4


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ("order_by=none", 400, "order_by"),
        ("rollover_rows=0", 400, "rollover_rows"),
        ("rollover_age=nan", 400, "rollover_age"),
        ("rollover=9", 400, "query"),
    ],
)
def test_what_a_stream_cannot_have_is_refused_in_words(plots, query, status, field):
    answer = call(plots, "PUT", f"datasets/rows?{query}", stream_of(TABLE), Content_Type=ARROW)
    assert (answer[0], answer[1]["field"]) == (status, field) and call(plots, "GET", "datasets/rows")[0] == 404


OTHER = TABLE.set_column(0, "x", pa.array([1, 2, 3, 4]))


@pytest.mark.parametrize(
    ("rows_", "kind", "status", "field"),
    [
        (OTHER, ARROW, 409, "x"),
        (TABLE.drop_columns(["y"]), ARROW, 409, "y"),
        (TABLE.append_column("z", TABLE["x"]), ARROW, 409, "z"),
        (b'{"z": 1}\n', NDJSON, 409, "z"),
        (b"x,y,kind\n1,2,a\n", CSV, 409, "secret"),
        (b'{"x": "one"}\n', NDJSON, 422, "body"),
        (b"null\n", NDJSON, 422, "body"),
        (b"x,y,kind,secret\n1,2,a,b\n", CSV, 422, "body"),
        (stream_of(TABLE)[:-8], ARROW, 400, "body"),
        (stream_of(TABLE)[:300], ARROW, 400, "body"),
        (stream_of(TABLE) + stream_of(TABLE), ARROW, 400, "body"),
        (b"no arrow at all", ARROW, 422, "body"),
        (b"{}", "application/json", 415, "Content-Type"),
    ],
)
def test_what_is_refused_leaves_nothing(rows, rows_, kind, status, field):
    answer = append(rows, rows_, kind)
    assert (answer[0], answer[1]["field"]) == (status, field), answer
    assert shown(rows) == 4 and append(rows)[1]["offset"] == 4
    if status == 409 and kind == ARROW and field == "x":
        assert answer[1]["got"] == "int64" and "double" in answer[1]["error"]


def test_a_body_is_bounded(tmp_path):
    with running([], library=tmp_path / "library", limits=Limits(append_bytes=1_000, appends_bytes=500)) as plots:
        plots.await_event("loaded")
        upload(plots, "rows")
        assert append(plots, b"x" * 1_001, CSV)[0] == 413
        answer = append(plots, b"x" * 600, CSV)
        assert answer[0] == 429 and "try again" in answer[1]["error"]


def test_a_repeat_gets_the_first_answer_also_after_a_start(tmp_path):
    with running([], library=tmp_path / "library") as plots:
        plots.await_event("loaded")
        upload(plots, "rows")
        first = append(plots, Idempotency_Key="k")
        assert first[0] == 200 and append(plots, Idempotency_Key='"k"') == first
        other = append(plots, TABLE.slice(1), Idempotency_Key="k")
        assert (other[0], other[1]["field"]) == (422, "Idempotency-Key")
        assert append(plots, OTHER, Idempotency_Key="wrong")[0] == 409  # errors are not remembered
        assert append(plots, Idempotency_Key="wrong")[1]["version"] == 3
        for key in ("", '""', "k" * 256):
            assert append(plots, Idempotency_Key=key)[0] == 400
        assert append(plots, Idempotency_Key="k" * 255)[0] == 200
    with running([], library=tmp_path / "library", durability="os") as plots:
        plots.await_event("loaded")
        assert append(plots, Idempotency_Key="k") == first
        assert append(plots)[1] == {"version": 5, "offset": 16, "rows": 4, "durable": "os"}


def test_repeats_at_the_same_time_are_one_append(rows):
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: json.dumps(append(rows, Idempotency_Key="same")), range(6)))
    assert len(set(answers)) == 1 and shown(rows) == 8


def test_keys_are_their_principals(tmp_path: Path):
    people = People.at(tmp_path / "library")
    with running([], library=people.library) as plots:
        plots.await_event("loaded")
        owner, admin = people.bearer("owner", "write"), people.bearer("admin")
        put = call(plots, "PUT", "datasets/rows", stream_of(TABLE), Content_Type=ARROW, **owner)
        assert put[0] == 201
        appending = people.bearer("owner", "append")
        assert append(plots, Idempotency_Key="k", **appending)[1]["version"] == 2
        assert append(plots, Idempotency_Key="k", **owner)[1]["version"] == 2
        assert append(plots, Idempotency_Key="k", **admin)[1]["version"] == 3
        assert append(plots, **people.bearer("owner", "read"))[0] == 403
        assert call(plots, "GET", "datasets/rows", **appending)[0] == 403  # adding rows, and nothing else
        assert append(plots, **people.bearer("stranger"))[0] == 404
    people.library.close()


def test_writers_do_not_interleave(rows):
    def write(writer: int) -> list[tuple[int, int]]:
        found = []
        for number in range(8):
            value = float(100 + writer * 10 + number)
            table = TABLE.set_column(0, "x", pa.array([value] * 4))
            found.append((append(rows, table)[1]["offset"], int(value)))
        return found

    with ThreadPoolExecutor(4) as pool:
        places = [place for found in pool.map(write, range(4)) for place in found]
    values = kept(rows)
    assert len(values) == 4 + 32 * 4
    for offset, value in places:
        assert values[offset : offset + 4] == [value] * 4


def test_replacing_and_removing_end_a_stream(rows):
    append(rows)
    assert upload(rows, "rows", If_Match='"1"')[0] == 412
    assert upload(rows, "rows", If_Match='"2"') == (200, {"name": "rows", "version": 3, "rows": 4})
    assert shown(rows) == 4
    assert append(rows)[1] == {"version": 4, "offset": 4, "rows": 4, "durable": "fsync"}
    assert call(rows, "DELETE", "documents/a")[0] == call(rows, "DELETE", "datasets/rows")[0] == 204
    assert append(rows)[0] == 404
    assert upload(rows, "rows") == (201, {"name": "rows", "version": 5, "rows": 4})


def test_a_sealed_dataset_stays(rows):
    append(rows)
    sealed = (200, {"name": "rows", "version": 3, "sealed": True})
    assert call(rows, "POST", "datasets/rows/seal") == call(rows, "POST", "datasets/rows/seal") == sealed
    assert append(rows)[0] == 409 and shown(rows) == 8
    assert call(rows, "GET", "datasets/rows")[1]["sealed"] is True


def test_a_full_disk_is_507_and_nothing_is_half_there(rows):
    append(rows)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    log = next((rows.server.site.library.directory / "streams").rglob("*.log"))  # type: ignore[union-attr]
    size = log.stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 200, limits[1]))
    try:
        answer = append(rows)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert answer[0] == 507 and log.stat().st_size == size and shown(rows) == 8
    assert append(rows)[1] == {"version": 3, "offset": 8, "rows": 4, "durable": "fsync"}


def test_an_open_page_follows(rows):
    with Browser(rows.url, "a") as page:
        assert page.layer().value["rows"] == 4
        page.view([[0, 0, 0, 0]])
        stop = threading.Event()

        def write() -> None:
            while not stop.is_set():
                append(rows)

        writer = threading.Thread(target=write)
        writer.start()
        try:
            seen = [4]
            for _ in range(3):
                while (told := page.take()).kind != Type.CHANGED:
                    pass
                assert told.value["dataset"] == "rows"
                facts = page.layer().value
                assert facts["version"] >= told.value["version"] and facts["rows"] == 4 * facts["version"]
                seen.append(facts["rows"])
                assert [got.kind for got in page.view([[0, 0, 0, 0]])].count(Type.TILE) == 1
        finally:
            stop.set()
            writer.join()
        assert seen == sorted(set(seen))


def patch(
    served: Running, rows: pa.Table, key: str | None = None, kind: str = ARROW, name: str = "rows", **headers: str
):
    query = "" if key is None else f"?key={key}"
    return call(served, "POST", f"datasets/{name}/patch{query}", stream_of(rows), Content_Type=kind, **headers)


def test_rows_get_other_values_by_their_numbers(rows):
    append(rows)
    values = pa.table({"_row": pa.array([5, 0], pa.int32()), "x": pa.array([55, 100], TABLE.schema.field("x").type)})
    assert patch(rows, values) == (200, {"version": 3, "rows": 2, "durable": "fsync"})
    assert kept(rows) == [100, 1, 2, 3, 0, 55, 2, 3]
    assert patch(rows, values.slice(1).set_column(1, "x", pa.nulls(1)), Idempotency_Key="k")[1]["version"] == 4
    assert patch(rows, values.slice(1).set_column(1, "x", pa.nulls(1)), Idempotency_Key="k")[1]["version"] == 4
    assert shown(rows) == 8 and kept(rows) == [1, 2, 3, 0, 55, 2, 3]
    assert append(rows)[1]["offset"] == 8


@pytest.mark.parametrize(
    "values, key, status, field",
    [
        ({"_row": [4], "x": [1.0]}, None, 422, "_row"),
        ({"_row": [-1], "x": [1.0]}, None, 422, "_row"),
        ({"_row": [1, 1], "x": [1.0, 2.0]}, None, 422, "_row"),
        ({"_row": pa.array([None], pa.int64()), "x": [1.0]}, None, 422, "_row"),
        ({"_row": ["a"], "x": [1.0]}, None, 409, "_row"),
        ({"_row": [1]}, None, 409, "body"),
        ({"x": [1.0]}, None, 409, "_row"),
        ({"_row": [1], "z": [1.0]}, None, 409, "z"),
        ({"_row": [1], "x": ["a"]}, None, 409, "x"),
        ({"_row": pa.array([], pa.int64()), "x": pa.array([], pa.float64())}, None, 422, "body"),
        ({"x": [9.0], "y": [1.0]}, "x", 422, "x"),
        ({"x": [1.0, 1.0], "y": [1.0, 1.0]}, "x", 422, "x"),
        ({"kind": ["a"], "y": [1.0]}, "kind", 409, "kind"),
        ({"x": [1.0], "y": [1.0]}, "none", 409, "none"),
        ({"y": [1.0]}, "x", 409, "x"),
        ({"many": [[1]], "y": [1.0]}, "many", 409, "many"),
        ({"two": [{"a": 1}], "y": [1.0]}, "two", 409, "two"),
        ({"half": pa.array([np.float16(1)]), "y": [1.0]}, "half", 409, "half"),
    ],
)
def test_a_patch_that_cannot_be_changes_nothing(plots, values, key, status, field):
    table = pa.table({"x": [0.0, 1.0, 2.0, 3.0], "y": [0.0] * 4, "kind": ["a", "a", "b", "c"]})
    table = table.append_column("many", [[[1]] * 4]).append_column("two", [[{"a": 1}] * 4])
    table = table.append_column("half", pa.array(np.arange(4, dtype=np.float16)))
    upload(plots, "rows", table)
    call(plots, "PUT", "documents/a", document("rows"))
    answer = patch(plots, pa.table(values), key)
    assert (answer[0], answer[1]["field"]) == (status, field), answer
    assert kept(plots) == [0, 1, 2, 3] and call(plots, "GET", "datasets/rows")[1]["version"] == 1


def test_rows_get_other_values_by_a_key(plots):
    table = pa.table({"x": [0.0, 1.0, 2.0], "y": [0.0] * 3, "kind": ["a", "b", "c"]})
    upload(plots, "rows", table)
    call(plots, "PUT", "documents/a", document("rows"))
    more = pa.table({"kind": pa.array(["c", "d"]).dictionary_encode(), "x": [7.0, 8.0]})
    assert patch(plots, more, "kind")[0] == 422
    append(plots, pa.table({"x": [3.0], "y": [0.0], "kind": ["d"]}))
    assert patch(plots, more, "kind") == (200, {"version": 3, "rows": 2, "durable": "fsync"})
    assert kept(plots) == [0, 1, 7, 8]
    assert patch(plots, pa.table({"kind": ["c"], "x": [2.5]}), "kind")[0] == 200 and kept(plots) == [0, 1, 2.5, 8]
    assert patch(plots, more, "kind", NDJSON)[0] == 415


def test_only_the_last_rows_are_kept(plots):
    upload(plots, "rows?rollover_rows=6")
    call(plots, "PUT", "documents/a", document("rows"))
    assert append(plots)[1]["offset"] == 4
    assert shown(plots) == 6 and kept(plots) == [2, 3, 0, 1, 2, 3]
    assert plots.get("/a/layers/0/rows/1.json").status == 404
    assert json.loads(plots.get("/a/layers/0/rows/2.json").body)
    facts = call(plots, "GET", "datasets/rows")[1]
    assert (facts["rows"], facts["rollover_rows"]) == (6, 6)
    assert patch(plots, pa.table({"_row": [1], "x": [1.0]}))[0] == 422
    upload(plots, "few?rollover_rows=3")  # also of what is uploaded
    assert call(plots, "GET", "datasets/few")[1]["rows"] == 3


def test_answers_of_layers_tell_their_version(rows):
    paths = ["tilejson.json", "tiles/0/0/0.png", "tiles/0/0/0.npy", "image.png?x0=0&x1=9&y0=0&y1=9&width=9&height=9",
             "columns.arrow?glyph=line&x0=0&x1=9&width=9", "rows.arrow?x0=0&x1=9&y0=0&y1=9", "rows/1.json"]  # fmt: skip
    for version in (1, 2):
        found = [rows.get(f"/a/layers/0/{path}") for path in paths]
        assert [(each.status, each.headers["X-Bigviz-Version"]) for each in found] == [(200, str(version))] * len(paths)
        same = rows.get("/a/layers/0/rows/1.json", If_None_Match=found[-1].headers["ETag"])
        assert (same.status, same.headers["X-Bigviz-Version"]) == (304, str(version))
        assert json.loads(found[0].body)["data_version"] == version
        append(rows)


def test_a_writer_that_stops_in_the_middle_holds_no_other_up(rows):
    """Half of a body has come, and its writer is stopped (SIGSTOP): others append, and it is whole once it goes on."""
    script = (
        "import socket, sys\n"
        "body = sys.stdin.buffer.read()\n"
        "s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n"
        "host = sys.argv[1].encode()\n"
        "s.sendall(b'POST /_/api/datasets/rows/append HTTP/1.1\\r\\nHost: 127.0.0.1:%s\\r\\n' % host +\n"
        "          b'Content-Type: application/vnd.apache.arrow.stream\\r\\nConnection: close\\r\\n'\n"
        "          b'Content-Length: %d\\r\\n\\r\\n' % len(body) + body[:200])\n"
        "print('half', flush=True)\n"
        "sys.stdin = open(sys.argv[2]); sys.stdin.read()\n"
        "s.sendall(body[200:])\n"
        "print(s.recv(100).split()[1].decode(), flush=True)\n"
    )
    fifo = Path(rows.server.site.library.directory) / "go"  # type: ignore[union-attr]
    os.mkfifo(fifo)
    command = [sys.executable, "-c", script, str(rows.server.port), str(fifo)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdin is not None and writer.stdout is not None
        writer.stdin.write(stream_of(TABLE))
        writer.stdin.close()
        assert writer.stdout.readline() == b"half\n"
        writer.send_signal(signal.SIGSTOP)
        for number in range(3):
            assert append(rows)[1]["offset"] == 4 + 4 * number
        assert shown(rows) == 16
        writer.send_signal(signal.SIGCONT)
        fifo.write_text("")
        assert writer.stdout.readline() == b"200\n"
    assert shown(rows) == 20


def test_a_schema_that_changes_in_the_middle_stops_there(rows):
    """A producer that was updated sends other columns: what came before stays, and the old ones go on."""
    append(rows)
    more = TABLE.append_column("more", TABLE["x"])
    assert [append(rows, table)[0] for table in (more, TABLE, OTHER, TABLE)] == [409, 200, 409, 200]
    assert shown(rows) == 16
    upload(rows, "rows", more, If_Match='"4"')
    assert append(rows, more)[1] == {"version": 6, "offset": 4, "rows": 4, "durable": "fsync"}
    assert append(rows)[0] == 409 and shown(rows) == 8


def test_keys_are_looked_for_in_what_comes_meanwhile(rows):
    """Appends go on while a patch looks for its keys; it is of the version that is there when it is written."""
    writer = threading.Thread(target=lambda: [append(rows) for _ in range(4)])
    writer.start()
    answers = [patch(rows, pa.table({"x": [2.0], "y": [float(number)]}), "x")[0] for number in range(4)]
    writer.join()
    assert set(answers) <= {200, 409} and answers == sorted(answers)  # once several rows have the key, they go on to
    assert patch(rows, pa.table({"x": [2.0], "y": [1.0]}), "x")[0] == 409


def test_rows_grow_old_without_an_append(plots):
    upload(plots, "rows?rollover_age=0.001")
    call(plots, "PUT", "documents/a", document("rows"))
    version = append(plots)[1]["version"]
    shelf = plots.server.site._shelf  # type: ignore[union-attr]
    assert shelf is not None

    def are_gone() -> bool:
        asyncio.run_coroutine_threadsafe(shelf.roll_over(), plots.loop).result(PATIENCE)
        return not call(plots, "GET", "datasets/rows")[1]["rows"]

    until(are_gone)
    facts = call(plots, "GET", "datasets/rows")[1]
    assert facts["rows"] == shown(plots) == 0 and facts["version"] > version
    assert append(plots)[1]["offset"] == 8


def test_rows_grow_old_after_a_start_though_nobody_asks_for_them(tmp_path: Path):
    with running([], library=tmp_path) as served:
        upload(served, "rows?rollover_age=1000")
        append(served)
    with running([], library=tmp_path) as served:
        shelf = asyncio.run_coroutine_threadsafe(served.server.site.shelf(), served.loop).result(PATIENCE)
        streams = shelf.library.datasets.streams
        assert list(streams.roll(time.time_ns() + 2_000 * 10**9)) == ["rows"]
        assert call(served, "GET", "datasets/rows")[1]["rows"] == 0
