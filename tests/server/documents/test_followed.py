"""Pages follow files that grow, whatever happens to these."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from websockets.exceptions import ConnectionClosed

from bigviz.server.documents import followed
from bigviz.server.run.loading import Columns, open_paths
from bigviz.wire.frames import RESTART, Type

from ..api.calls import call, document
from ..running import Running, running
from ..wire import Browser, Got


@pytest.fixture(autouse=True)
def _without_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks follow each other at once: they are waited for."""
    monkeypatch.setattr(followed, "_SECONDS_BETWEEN_LOOKS", 0.02)
    monkeypatch.setattr(followed, "_SECONDS_AT_REST", 0.02)
    monkeypatch.setattr(followed, "_SHARE", 1)


@contextmanager
def following(path: Path, **options: Any) -> Iterator[Running]:
    """A server that follows one path, as `t`."""

    def load(progress: Any) -> Any:
        return open_paths([("t", str(path))], Columns(), progress=progress, follow=["t"])

    with running([], names=["t"], load=load, index="never", **options) as served:
        served.await_event("loaded")
        yield served


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def write(path: Path, values: list[int]) -> None:
    hidden = path.with_name(f"_{path.name}")
    pq.write_table(pa.table({"x": values, "y": values}), hidden)
    os.utime(hidden, ns=(1, 1))
    hidden.rename(path)


def changed(page: Browser) -> dict[str, Any]:
    """What the page is told of next that has changed."""
    told: Got = page.until(lambda got: got.kind == Type.CHANGED)[-1]
    return dict(told.value)


def test_an_open_page_follows_a_csv(tmp_path: Path):
    path = tmp_path / "t.csv"
    path.write_text("x,y\n1,1\n2,2\n")
    with following(path) as served, Browser(served.url, "t") as page:
        assert page.layer().value["rows"] == 2
        append(path, "3,3\n4,")
        told = changed(page)
        assert {key: told[key] for key in ("dataset", "version", "rows")} == {"dataset": "t", "version": 2, "rows": 3}
        assert told["time"] is not None and 0 <= told["age"] < 200
        facts = page.layer().value
        assert (facts["rows"], facts["version"]) == (3, 2)
        assert any(got.kind == Type.TILE for got in page.view([[0, 0, 0, 0]]))
        append(path, "4\n")
        assert changed(page)["rows"] == 4
        served.await_event("followed", dataset="t", version=3, rows=4)
        assert json.loads(served.get("/t/layers/0/tilejson.json").body)["rows"] == 4


def test_new_files_of_a_directory_are_shown(tmp_path: Path):
    write(tmp_path / "a.parquet", [1, 2, 3])
    with following(tmp_path) as served, Browser(served.url, "t") as page:
        assert page.layer().value["rows"] == 3
        write(tmp_path / "b.parquet", [4, 5])
        assert changed(page)["rows"] == 5 and page.layer().value["rows"] == 5


def test_a_page_that_has_not_drawn_the_version_before_gets_the_last_one(tmp_path: Path):
    path = tmp_path / "t.csv"
    path.write_text("x,y\n1,1\n")
    with following(path) as served, Browser(served.url, "t") as page:
        page.layer()
        for version in range(2, 8):
            append(path, f"{version},{version}\n")
            served.await_event("followed", version=version)
        assert changed(page)["version"] == 2  # nothing is asked for: it is not told of each
        page.layer()
        page.view([[0, 0, 0, 0]])
        assert changed(page)["version"] == 7 and page.layer().value["rows"] == 7


def test_a_file_that_is_replaced_is_told_in_the_page_and_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    path = tmp_path / "t.csv"
    path.write_text("x,y\n1,1\n2,2\n")
    with following(path) as served, Browser(served.url, "t") as page:
        page.layer()
        (tmp_path / "other").write_text("x,y\n7,7\n8,8\n9,9\n")
        (tmp_path / "other").rename(path)
        told = [changed(page), changed(page)]
        [notes] = [each["notes"] for each in told if "notes" in each]
        assert len(notes) == 1 and "t.csv was replaced: the table was opened anew" in notes[0]
        assert [each["version"] for each in told if "notes" not in each] == [2]
        assert page.layer().value["rows"] == 3
        with Browser(served.url, "t") as other:
            assert other.hello.value["datasets"]["t"]["notes"] == notes
    assert any("t.csv was replaced" in record.getMessage() for record in caplog.records)
    assert str(tmp_path) not in json.dumps(notes)


def test_a_file_that_is_gone_leaves_what_was_read(tmp_path: Path):
    path = tmp_path / "t.csv"
    path.write_text("x,y\n1,1\n2,2\n")
    with following(path) as served, Browser(served.url, "t") as page:
        page.layer()
        path.unlink()
        told = changed(page)
        assert "t.csv is gone. The rows that were read are still shown" in told["notes"][0]
        assert page.layer().value["rows"] == 2 and served.get("/healthz").status == 200
        path.write_text("x,y\n5,5\n")
        assert changed(page)["version"] == 2 and page.layer().value["rows"] == 1


def test_other_columns_make_the_page_load_again(tmp_path: Path):
    path = tmp_path / "t.csv"
    path.write_text("x,y\n1,1\n2,2\n")
    with following(path) as served:
        with Browser(served.url, "t") as page:
            page.layer()
            (tmp_path / "other").write_text("a,b\n7,7\n8,8\n")
            (tmp_path / "other").rename(path)
            with pytest.raises(ConnectionClosed) as found:
                page.until(lambda got: False)
            assert found.value.rcvd is not None and found.value.rcvd.code == RESTART
        with Browser(served.url, "t") as again:
            assert [each["name"] for each in again.hello.value["datasets"]["t"]["columns"]] == ["a", "b"]
            assert again.layer().value["rows"] == 2


def test_published_documents_follow_too(tmp_path: Path):
    path = tmp_path / "t.csv"
    path.write_text("x,y\n1,1\n2,2\n")
    with following(path, library=tmp_path / "library") as served:
        assert call(served, "PUT", "documents/a", document("t"))[0] in (200, 201)
        with Browser(served.url, "a") as page:
            assert page.layer().value["rows"] == 2
            append(path, "3,3\n")
            assert changed(page)["rows"] == 3 and page.layer().value["rows"] == 3
            append(path, "4,4\n")
            assert changed(page)["rows"] == 4
        with Browser(served.url, "a", query="?follow=1") as page:
            assert page.hello.value["follow"] == ["t"]
            assert page.layer().value["rows"] == 4
            page.view([[0, 0, 0, 0]])
            layer = {"layer": 0, "definition": page.definition(), "tiles": [0, 0, 0, 0, 0, 0]}
            page.say(op="follow", versions={"t": 3}, figures=[{"figure": 0, "layers": [layer]}])
            append(path, "1,2\n")
            *tiles, told = page.until(lambda got: got.kind in (Type.UPDATE, Type.ERROR))
            assert told.value["datasets"]["t"]["rows"] == 5 and told.value["anew"] == [] and len(tiles) == 1


def test_a_look_that_fails_is_told_and_the_next_one_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    path = tmp_path / "t.csv"
    path.write_text("x,y\n1,1\n")
    with following(path) as served, Browser(served.url, "t") as page:
        page.layer()
        with monkeypatch.context() as patch:
            patch.setattr("bigviz.data.following.growing_text.require_rows", _fails)
            append(path, "2,2\n")
            while not any("cannot be followed now" in record.getMessage() for record in caplog.records):
                assert served.get("/healthz").status == 200
        assert changed(page)["rows"] == 2


def _fails(rows: int, what: str) -> None:
    raise OSError(5, "Input/output error")


def test_a_page_that_follows_is_sent_what_changes(tmp_path: Path):
    path = tmp_path / "t.csv"
    path.write_text("x,y\n0,0\n100,100\n")
    with following(path) as served, Browser(served.url, "t", query="?follow=1") as page:
        assert page.hello.value["follow"] == ["t"]
        page.layer()
        page.view([[0, 0, 0, 0]])
        for version in (1, 2, 3):
            layer = {"layer": 0, "definition": page.definition(), "tiles": [0, 0, 0, 0, 0, 0]}
            page.say(op="follow", versions={"t": version}, figures=[{"figure": 0, "layers": [layer]}])
            append(path, f"{version},{version}\n")
            told = page.until(lambda got: got.kind in (Type.UPDATE, Type.ERROR))[-1].value
            assert {key: told["datasets"]["t"][key] for key in ("version", "rows")} == {
                "version": version + 1,
                "rows": version + 2,
            }
            if told["anew"]:
                assert page.layer().value["rows"] == version + 2
                page.view([[0, 0, 0, 0]])


# Both write until they are killed: one that ends may have written all before a slow machine has looked. They rest after
# each number, so that what they say fits the pipe, which nobody reads, for minutes.
PARQUET = """
import itertools, sys, time
import numpy as np, pyarrow as pa, pyarrow.parquet as pq
folder, first = sys.argv[1], int(sys.argv[2])
for number in itertools.count(first):
    x = np.arange(10) + 10 * number
    with pq.ParquetWriter(f"{folder}/{number:06}.parquet", pa.schema([("x", pa.int64()), ("y", pa.int64())])) as writer:
        for row in x:
            writer.write_table(pa.table({"x": [row], "y": [row]}))
            time.sleep(0.001)
    print(number, flush=True)
    time.sleep(0.01)
"""

ARROW = """
import itertools, sys, time
import pyarrow as pa
path, first = sys.argv[1], int(sys.argv[2])
schema = pa.schema([("x", pa.int64()), ("y", pa.int64())])
with open(path, "ab", buffering=0) as file:
    for number in itertools.count(first):
        rows = pa.table({"x": list(range(10 * number, 10 * number + 10)), "y": [0] * 10}, schema=schema)
        batch = rows.to_batches()[0].serialize().to_pybytes()
        if number == 0:
            batch = schema.serialize().to_pybytes() + batch
        for at in range(0, len(batch), 37):
            file.write(batch[at : at + 37])
            time.sleep(0.0002)
        print(number, flush=True)
        time.sleep(0.01)
"""


@pytest.mark.parametrize(("script", "name"), [(PARQUET, ""), (ARROW, "t.arrows")], ids=["parquet", "arrow"])
def test_a_writer_that_is_slow_and_is_killed_is_never_read_half(tmp_path: Path, script: str, name: str):
    path = tmp_path / name
    with writer_of(script, path, 0) as first:
        assert wrote(first) == 0
        with following(path) as served, Browser(served.url, "t") as page:
            seen = [page.layer().value["rows"]]
            while len(seen) < 4:
                seen.append(changed(page)["rows"])
                assert page.layer().value["rows"] >= seen[-1]
            first.kill()
            last = max([int(line) for line in first.stdout or ()], default=0)
            assert served.get("/healthz").status == 200
            tables = served.on_loop(lambda: served.server.site.served_datasets)  # type: ignore[union-attr]
            x = tables["t"].column("x").values
            assert [rows % 10 for rows in seen] == [0] * len(seen) and len(x) % 10 == 0
            assert np.array_equal(np.sort(x), np.arange(len(x))) and len(x) <= 10 * (last + 2)


@contextmanager
def writer_of(script: str, path: Path, first: int) -> Iterator[subprocess.Popen[str]]:
    """A process that writes to a path, and says what it has written."""
    command = [sys.executable, "-c", script, str(path), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def wrote(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())
