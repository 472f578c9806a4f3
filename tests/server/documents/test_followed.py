"""Pages follow files that grow, whatever happens to these."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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
        with Browser(served.url, "a") as page:
            assert page.layer().value["rows"] == 4


def test_a_look_that_fails_is_told_and_the_next_one_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    path = tmp_path / "t.csv"
    path.write_text("x,y\n1,1\n")
    with following(path) as served, Browser(served.url, "t") as page:
        page.layer()
        with monkeypatch.context() as patch:
            patch.setattr("bigviz.data.following.growing_csv.require_rows", _fails)
            append(path, "2,2\n")
            while not any("cannot be followed now" in record.getMessage() for record in caplog.records):
                assert served.get("/healthz").status == 200
        assert changed(page)["rows"] == 2


def _fails(rows: int, what: str) -> None:
    raise OSError(5, "Input/output error")
