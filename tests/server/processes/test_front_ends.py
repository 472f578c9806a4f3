"""Two front ends, as real processes: they answer as one does, whichever is asked, and one that is killed is missed by
nobody."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from websockets.exceptions import ConnectionClosed

from bigviz.cli import cli
from bigviz.library.library import Library
from bigviz.wire.frames import Type

from ...patience import until
from ..api.calls import ARROW, document, stream_of
from ..running import Answer
from ..wire import cells
from .front_ends import FrontEnds, front_ends, open_sockets

PASSWORD = "correct horse battery staple"
TILE = "layers/0/tiles/0/0/0.npy"
ROWS = pa.table({"x": [0.0, 1.0, 2.0, 3.0], "y": [1.0, 3.0, 2.0, 4.0]})


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """A table, a library with an admin, and the admin's token."""
    folder = tmp_path_factory.mktemp("front-ends")
    rng = np.random.default_rng(13)
    pq.write_table(pa.table({"x": rng.normal(size=5_000), "y": rng.normal(size=5_000)}), folder / "cloud.parquet")
    with Library.open(folder / "library") as library:
        library.users.add("ann", admin=True, password=PASSWORD)
        token = library.tokens.create("ann", "admin", 1)[1]
    return folder / "cloud.parquet", folder / "library", token


def arguments(places: tuple[Path, Path, str]) -> list[str]:
    return [str(places[0]), "--library", str(places[1]), f"--store-dir={places[0].parent / 'stores'}"]


@pytest.fixture(scope="module")
def two(places: tuple[Path, Path, str]) -> Iterator[FrontEnds]:
    with front_ends(*arguments(places)) as found:
        yield found


@pytest.fixture
def ann(places: tuple[Path, Path, str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {places[2]}"}


def put(server: FrontEnds, pid: int, path: str, value: Any, ann: dict[str, str], **headers: str) -> Answer:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return server.get(pid, f"/_/api/{path}", "PUT", body, **ann, **headers)


def upload(server: FrontEnds, pid: int, name: str, ann: dict[str, str]) -> int:
    """A dataset of four rows, and a document of the same name that shows it."""
    made = put(server, pid, f"datasets/{name}", stream_of(ROWS), ann, Content_Type=ARROW)
    assert made.status == 201
    assert put(server, pid, f"documents/{name}", document(name), ann).status == 201
    return int(json.loads(made.body)["version"])


def append(server: FrontEnds, pid: int, name: str, ann: dict[str, str], **headers: str) -> dict[str, Any]:
    path = f"/_/api/datasets/{name}/append"
    answer = server.get(pid, path, "POST", stream_of(ROWS), Content_Type=ARROW, **ann, **headers)
    assert answer.status == 200, answer.body
    return dict(json.loads(answer.body))


def rows(server: FrontEnds, pid: int, name: str, ann: dict[str, str]) -> tuple[int, int]:
    """How many rows the picture of a document has, and the dataset says that it has."""
    tile = server.get(pid, f"/{name}/{TILE}", **ann)
    told = server.get(pid, f"/_/api/datasets/{name}", **ann)
    assert (tile.status, told.status) == (200, 200), (tile.body, told.body)
    return int(np.load(_file(tile.body)).sum()), int(json.loads(told.body)["rows"])


def _file(data: bytes) -> Any:
    return pa.BufferReader(data)


def test_answers_are_those_of_one_process(places: tuple[Path, Path, str], two: FrontEnds, ann: dict[str, str]):
    paths = (
        "/cloud/layers/0/tilejson.json",
        f"/cloud/{TILE}",
        "/cloud/layers/0/image.png?bbox=-1,-1,1,1&width=64&height=64",
        "/cloud/layers/0/rows.json?x0=-1&x1=1&y0=-1&y1=1",
        "/_/api/datasets/cloud",
        "/_/api/nothing",
        "/nothing/",
        "/cloud/layers/7/tilejson.json",
    )
    first, second = two.pids

    def answers(server: FrontEnds, pid: int) -> list[tuple[int, bytes, Any, Any]]:
        found = [server.get(pid, path, **ann) for path in paths]
        port = f":{server.port}".encode()  # digits alone are in rows too
        return [
            (
                each.status,
                each.body.replace(port, b"PORT"),
                None if port in each.body else each.headers["Etag"],  # of addresses too
                each.headers["Content-Type"],
            )
            for each in found
        ]

    mine = answers(two, first)
    assert mine == answers(two, second) == answers(two, first)
    two_library = places[0], places[1].with_name("other"), places[2]
    with Library.open(two_library[1]) as library:
        library.users.add("ann", admin=True)
        token = library.tokens.create("ann", "admin", 1)[1]
    with front_ends(*arguments(two_library), count=1) as one:
        ann["Authorization"] = f"Bearer {token}"
        assert answers(one, one.process.pid) == mine


def test_what_is_published_through_one_is_seen_by_all(two: FrontEnds, ann: dict[str, str]):
    first, second = two.pids
    upload(two, second, "seen", ann)
    with two.page(first, "seen", additional_headers=ann) as page:
        for version, (writer, reader) in enumerate(((first, second), (second, first)), start=2):
            changed = put(two, writer, "documents/seen", document("seen", title=f"Title {version}"), ann)
            assert changed.status == 200
            found = two.get(reader, "/_/api/documents/seen", **ann)
            assert json.loads(found.body)["title"] == f"Title {version}"
            assert found.headers["Etag"] == changed.headers["Etag"] == f'"{version}"'
            told = page.until(lambda got: got.kind == Type.CHANGED)[-1].value
            assert told == {"document": "seen", "version": version}
        assert two.get(second, "/_/api/documents/seen", "DELETE", **ann).status == 204
        assert two.get(first, "/seen/", **ann).status == 404
        with pytest.raises(ConnectionClosed):
            page.until(lambda got: False)


def test_a_stream_is_written_by_one_and_followed_by_the_other(two: FrontEnds, ann: dict[str, str]):
    writer, other = two.pids
    version = upload(two, other, "stream", ann)
    count = len(ROWS)
    pages = [two.page(pid, "stream", query="?follow=1", additional_headers=ann) for pid in (writer, other)]
    for page in pages:
        page.layer()
        page.view([[0, 0, 0, 0]])
    for pid in (other, writer, other):
        for page in pages:
            layer = {"layer": 0, "definition": page.definition(), "tiles": [0, 0, 0, 0, 0, 0]}
            page.say(op="follow", versions={"stream": version}, figures=[{"figure": 0, "layers": [layer]}])
        receipt = append(two, pid, "stream", ann)
        assert (receipt["version"], receipt["offset"]) == (version + 1, count)
        version, count = version + 1, count + len(ROWS)
        assert rows(two, other, "stream", ann) == rows(two, writer, "stream", ann) == (count, count)
        for page in pages:
            *_, tile, told = page.until(lambda got: got.kind in (Type.UPDATE, Type.ERROR))
            assert told.value["datasets"]["stream"]["version"] == version
            assert cells(tile.value.planes[0]).sum() == count
    for page in pages:
        page.close()
    tags = [two.get(pid, f"/stream/{TILE}", **ann).headers["Etag"] for pid in (writer, other)]
    assert tags[0] == tags[1]
    again = [append(two, pid, "stream", ann, Idempotency_Key="once") for pid in (writer, other)]
    assert again[0] == again[1]


def test_a_login_is_known_to_all_and_wrong_passwords_are_counted_together(two: FrontEnds):
    first, second = two.pids
    for pid, reader in ((first, second), (second, first)):
        form = urlencode({"username": "ann", "password": PASSWORD, "next": ""}).encode()
        kind = "application/x-www-form-urlencoded"
        answer = two.get(pid, "/_/login", "POST", form, Content_Type=kind, Origin=two.url.rstrip("/"))
        cookie = answer.headers["Set-Cookie"].partition(";")[0]
        me = two.get(reader, "/_/api/me", Cookie=cookie)
        assert (me.status, json.loads(me.body)["user"]) == (200, "ann")
        out = two.get(reader, "/_/logout", "POST", b"", Content_Type=kind, Origin=two.url.rstrip("/"), Cookie=cookie)
        assert out.status == 303
        assert two.get(pid, "/_/api/me", Cookie=cookie).status == 401
    wrong = urlencode({"username": "nobody", "password": "wrong", "next": ""}).encode()

    def tried(pid: int) -> int:
        return two.get(pid, "/_/login", "POST", wrong, Content_Type=kind, Origin=two.url.rstrip("/")).status

    elsewhere: list[int] = []
    while len(elsewhere) < 5 and 429 not in elsewhere:  # the wait doubles each time, so it outlasts a slow machine
        if tried(first) == 429:
            elsewhere.append(tried(second))
    assert 429 in elsewhere


def test_a_selection_is_found_whoever_keeps_it(two: FrontEnds, ann: dict[str, str]):
    first, second = two.pids
    for pid, reader in ((first, second), (second, first)):
        asked = json.dumps({"box": [-1, -1, 1, 1]}).encode()
        made = two.get(pid, "/cloud/layers/0/select", "POST", asked, **ann)
        assert made.status == 200, made.body
        found = json.loads(made.body)
        for each in (pid, reader):
            answer = two.get(each, f"/cloud/selections/{found['id']}.csv", **ann)
            assert answer.status == 200 and answer.body.count(b"\n") == found["rows"] + 1


def test_metrics_and_health_are_of_all(two: FrontEnds, ann: dict[str, str]):
    first, second = two.pids
    with two.page(first, "cloud", additional_headers=ann), two.page(second, "cloud", additional_headers=ann):
        text = two.get(second, "/metrics", **ann).body.decode()
        assert [f'bigviz_viewers{{process="{number}"}} 1.0' in text for number in (0, 1)] == [True, True]
        assert text.count("# TYPE bigviz_viewers gauge") == 1
        until(lambda: json.loads(two.get(first, "/healthz", **ann).body)["viewers"] == 2)


def test_requests_that_are_passed_on_leave_no_connections_behind(two: FrontEnds, ann: dict[str, str]):
    writer, other = two.pids
    upload(two, writer, "often", ann)
    before = [len(open_sockets(pid)) for pid in (writer, other)]
    for _ in range(20):
        append(two, other, "often", ann)
    assert all(len(open_sockets(pid)) < most + 10 for pid, most in zip((writer, other), before, strict=True))


def test_one_that_is_killed_is_started_again_and_its_pages_go_on(two: FrontEnds, ann: dict[str, str]):
    upload(two, two.pids[0], "kept", ann)
    for killed in list(two.pids):
        page = two.page(killed, "kept", additional_headers=ann)
        epoch = page.hello.frame.epoch
        os.kill(killed, signal.SIGKILL)
        with pytest.raises(ConnectionClosed):
            page.until(lambda got: False)
        (left,) = [pid for pid in two.pids if pid != killed][:1]
        with two.page(left, "kept", additional_headers=ann) as again:
            assert again.hello.frame.epoch == epoch
            again.layer()
        ended = two.told("process", lambda facts: "SIGKILL" in facts["done"])
        assert ended["pid"] == killed
        new = two.told("process", lambda facts: facts["done"] == "answers")["pid"]
        assert rows(two, new, "kept", ann)[0] == rows(two, left, "kept", ann)[0]
        append(two, new, "kept", ann)
        assert rows(two, left, "kept", ann) == rows(two, new, "kept", ann)


def test_all_end_together(places: tuple[Path, Path, str], tmp_path: Path):
    with front_ends(str(places[0]), "--library", str(tmp_path / "library")) as server:
        pids = server.pids
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait() == 0
        assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
        server.told("stopped")


def test_sockets_that_cannot_be_are_said(
    places: tuple[Path, Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    found = CliRunner().invoke(cli, ["serve", str(places[0]), "--num-procs=2", "--port=0", "--no-browser"])
    assert found.exit_code == 1 and "Set TMPDIR to another directory" in found.output
    assert not list(folder.iterdir())
