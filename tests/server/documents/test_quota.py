"""How much a user may keep: documents, uploads and appended rows; admins and the operator as much as they like."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from bigviz.library.library import Library
from bigviz.server.documents import publishing, quota

from ..api.calls import ARROW, TABLE, ask, call, document, stream_of, upload
from ..running import Running, running

SIZE = len(stream_of(TABLE))
CHUNKED = b"".join(b"%x\r\n%b\r\n" % (len(each), each) for each in (stream_of(TABLE), b""))


@pytest.fixture(autouse=True)
def _counts_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quota, "_SECONDS", 0.0)
    monkeypatch.setattr(quota, "MOST_DOCUMENTS", 2)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library") as found:
        for name in ("ann", "bob", "root"):
            found.users.add(name, admin=name == "root")
        yield found


@pytest.fixture
def served(library: Library) -> Iterator[Running]:
    """A user may keep two of the tables and a document, and not three."""
    with running([], library=library.directory, user_quota=int(SIZE * 2.9)) as found:
        found.await_event("loaded")
        yield found


def by(library: Library, user: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {library.tokens.create(user, 'admin', 1)[1]}"}


def refused(answer: tuple[int, Any]) -> bool:
    return answer[0] == 507 and answer[1]["field"] == "quota" and "--user-quota" in answer[1]["error"]


def test_what_a_user_owns_is_counted(library: Library, served: Running) -> None:
    ann, bob, root = (by(library, name) for name in ("ann", "bob", "root"))
    assert [upload(served, name, **ann)[0] for name in ("one", "two")] == [201, 201]
    assert refused(upload(served, "three", **ann)) and library.datasets.find("three") is None
    assert upload(served, "two", If_Match='"1"', **ann)[0] == 200  # in place of what was there
    assert [upload(served, name, **root)[0] for name in ("a", "b", "c", "d")] == [201] * 4
    assert upload(served, "bobs", **bob)[0] == 201
    access = {"public": False, "users": {"bob": "writer"}}
    assert call(served, "PUT", "datasets/one/access", access, **ann)[0] == 200
    larger = stream_of(TABLE.select(["x"]).take([0] * 3_000))
    wrote = call(served, "PUT", "datasets/one", larger, Content_Type=ARROW, If_Match='"1"', **bob)
    assert refused(wrote) and "ann keeps" in wrote[1]["error"]  # it is ann's, whoever writes it
    assert ask(served, "DELETE", "datasets/two", **ann).status == 204
    assert upload(served, "three", **ann)[0] == 201


def test_a_body_of_unknown_length_is_counted_when_it_has_come(library: Library, served: Running) -> None:
    ann = by(library, "ann")
    for name in ("one", "two"):
        upload(served, name, **ann)
    connection = served.connection()
    connection.request("PUT", "/_/api/datasets/three", iter([stream_of(TABLE)]), {"Content-Type": ARROW, **ann})
    answer = connection.getresponse()
    assert answer.status == 507 and b"--user-quota" in answer.read() and library.datasets.find("three") is None
    connection.close()
    assert not [*(library.directory / "incoming").glob("*")]


def test_appended_rows_count(library: Library, served: Running) -> None:
    ann = by(library, "ann")
    for name in ("one", "two"):
        upload(served, name, **ann)
    appended = call(served, "POST", "datasets/one/append", stream_of(TABLE), Content_Type=ARROW, **ann)
    assert refused(appended) and library.datasets.entry("one").rows == TABLE.num_rows


def test_what_an_append_takes_counts_and_not_its_body(library: Library) -> None:
    """Two bytes stand for a row of all columns, and a body without rows is a record of each column too."""
    wide = pa.table({f"c{number}": pa.array([], pa.float64()) for number in range(4_096)})
    with running([], library=library.directory.parent / "other", user_quota=1 << 20) as other:
        other.await_event("loaded")
        people = other.server.site.library
        assert people is not None
        people.users.add("ann", admin=False)
        ann = by(people, "ann")
        assert upload(other, "wide", wide, **ann)[0] == 201
        for body in (b"{}\n" * 100, b""):
            answers = [
                call(other, "POST", "datasets/wide/append", body, Content_Type="application/x-ndjson", **ann)
                for _ in range(6)
            ]
            assert refused(answers[-1]) and people.kept_by("ann").bytes <= 1 << 20


def test_an_append_that_comes_again_is_answered_where_nothing_more_may_be_kept(
    library: Library, served: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = {**by(library, "ann"), "Content_Type": ARROW, "Idempotency_Key": "once"}
    upload(served, "one", **by(library, "ann"))
    first = call(served, "POST", "datasets/one/append", stream_of(TABLE), **ann)
    monkeypatch.setattr(publishing, "shutil", SimpleNamespace(disk_usage=lambda path: SimpleNamespace(free=0)))
    assert first[0] == 200 and call(served, "POST", "datasets/one/append", stream_of(TABLE), **ann) == first


def test_appends_and_documents_leave_the_database_some_room(
    library: Library, served: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else nobody could sign in any more, nor delete anything."""
    root = by(library, "root")
    upload(served, "one", **root)
    for title in ("A plot", "Another"):
        call(served, "PUT", "documents/a", document("one", title=title), **root)
    monkeypatch.setattr(publishing, "shutil", SimpleNamespace(disk_usage=lambda path: SimpleNamespace(free=64 << 20)))
    appended = call(served, "POST", "datasets/one/append", stream_of(TABLE), Content_Type=ARROW, **root)
    published = call(served, "PUT", "documents/b", document("one"), **root)
    restored = call(served, "POST", "documents/a/restore", {"version": 1}, **root)
    assert [appended[0], published[0], restored[0]] == [507, 507, 507]
    assert library.datasets.entry("one").rows == TABLE.num_rows and library.documents.entry("a").version == 2


def test_restored_versions_count(library: Library, served: Running) -> None:
    ann = by(library, "ann")
    for title in ("t" * SIZE, "A plot"):
        assert call(served, "PUT", "documents/a", document(title=title), **ann)[0] in (200, 201)
    for version in (1, 2, 1, 2):
        restored = call(served, "POST", "documents/a/restore", {"version": version}, **ann)
    assert refused(restored) and library.kept_by("ann").bytes <= SIZE * 2.9


def test_documents_are_counted_and_measured(library: Library, served: Running, monkeypatch) -> None:
    ann = by(library, "ann")
    upload(served, "one", **ann)
    published = [call(served, "PUT", f"documents/{name}", document("one"), **ann) for name in "abc"]
    assert [status for status, _ in published] == [201, 201, 507]
    assert "keeps 2 documents, and a user may keep 2" in published[-1][1]["error"]
    assert call(served, "PUT", "documents/a", document("one", title="Another"), **ann)[0] == 200
    assert library.kept_by("ann").documents == 2 and library.kept_by("nobody").bytes == 0
    assert refused(call(served, "PUT", "documents/a", document("one", title="t" * 3 * SIZE), **ann))


def test_the_operator_has_no_bound(tmp_path: Path) -> None:
    with running([], library=tmp_path / "library", user_quota=1) as served:
        served.await_event("loaded")
        assert upload(served, "one")[0] == 201
