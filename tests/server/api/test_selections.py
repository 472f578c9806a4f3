"""Who may select rows, and have them: makers alone, as long as they may see them, of the version they were made of."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from bigviz.library.library import Library

from ..people import People as Roles
from ..running import Answer, Running, running
from .calls import ARROW, TABLE, call, document, stream_of, upload

ALL = {"box": [-1, 0, 9, 9]}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Roles, Running]]:
    """Users of one document, whose dataset is the owner's; the document is public."""
    folder = tmp_path_factory.mktemp("selections") / "library"
    people = Roles.at(folder)
    with people.library, running([], library=folder, allow_anonymous=True) as served:
        served.await_event("loaded")
        owner = people.bearer("owner")
        assert call(served, "PUT", "datasets/rows", stream_of(TABLE), Content_Type=ARROW, **owner)[0] == 201
        body = {**document("rows", agg="mean(y)"), "title": "Secret"}
        assert call(served, "PUT", "documents/plot", body, **owner)[0] == 201
        call(served, "PUT", "documents/plot/access", {"public": True, "users": {}}, **owner)
        yield people, served


def select(served: Running, body: Any, who: dict[str, str], name: str = "plot") -> tuple[int, Any]:
    answer = served.get(f"/{name}/layers/0/select", "POST", json.dumps(body).encode(), **who)
    return answer.status, json.loads(answer.body)


def download(served: Running, id: str, who: dict[str, str], more: str = "", name: str = "plot") -> Answer:
    return served.get(f"/{name}/selections/{id}.arrow{more}", **who)


def rows_of(answer: Answer) -> dict[str, list[Any]]:
    assert answer.status == 200, answer.body
    return pa.ipc.open_stream(io.BytesIO(answer.body)).read_all().to_pydict()


def test_those_without_a_role_on_the_dataset_use_what_the_document_names(town: tuple[Roles, Running]):
    people, served = town
    for who in ({}, people.bearer("stranger")):
        status, found = select(served, {**ALL, "stats": ["x", "y"]}, who)
        assert (status, found["rows"], found["stats"]["y"]["max"]) == (200, 4, 4.0)
        for body in ({**ALL, "stats": ["secret"]}, {**ALL, "by": "kind"}, {**ALL, "stats": ["none"]}):
            status, why = select(served, body, who)
            assert status == 403 and "kind" not in why["error"] and "secret" not in why["error"]
        assert download(served, found["id"], who).status == 403
        assert served.get(f"/plot/selections/{found['id']}.json", **who).status == 403
    status, found = select(served, {**ALL, "stats": ["secret"], "by": "kind"}, people.bearer("owner"))
    assert status == 200 and [each["rows"] for each in found["by"]["groups"]] == [2, 2]
    assert rows_of(download(served, found["id"], people.bearer("owner"))) == TABLE.to_pydict()


def test_a_document_that_gives_out_rows(town: tuple[Roles, Running]):
    people, served = town
    owner, stranger = people.bearer("owner"), people.bearer("stranger")
    assert call(served, "PUT", "documents/open", document("rows", rows=True), **owner)[0] == 201
    call(served, "PUT", "documents/open/access", {"public": True, "users": {}}, **owner)
    for who in ({}, stranger):
        id = select(served, ALL, who, "open")[1]["id"]
        assert list(rows_of(download(served, id, who, name="open"))) == ["x", "y"]
        assert download(served, id, who, "?columns=secret", "open").status == 403
        for query, status in (("sort=secret", 403), ("columns=secret", 403), ("sort=y", 200)):
            assert served.get(f"/open/selections/{id}.json?{query}", **who).status == status
        assert download(served, id, people.bearer("admin"), name="open").status == 404, "another's selection"


def test_the_permission_is_checked_again_at_each_use(town: tuple[Roles, Running]):
    people, served = town
    owner, viewer = people.bearer("owner"), people.bearer("viewer")
    call(served, "PUT", "documents/mine", document("rows"), **owner)
    call(served, "PUT", "documents/mine/access", {"public": False, "users": {"viewer": "viewer"}}, **owner)
    call(served, "PUT", "datasets/rows/access", {"public": False, "users": {"viewer": "viewer"}}, **owner)
    id = select(served, ALL, viewer, "mine")[1]["id"]
    assert rows_of(download(served, id, viewer, name="mine")) == TABLE.to_pydict()
    call(served, "PUT", "datasets/rows/access", {"public": False, "users": {}}, **owner)
    assert download(served, id, viewer, name="mine").status == 403
    call(served, "PUT", "documents/mine/access", {"public": False, "users": {}}, **owner)
    assert download(served, id, viewer, name="mine").status == 404
    assert select(served, ALL, viewer, "mine")[0] == 404 and select(served, ALL, {}, "mine")[0] == 401
    foreign = {"Origin": "https://example.org", "Sec-Fetch-Site": "cross-site"}
    assert select(served, ALL, {**owner, **foreign}, "mine")[0] == 403


def test_a_document_that_shows_fewer_rows_than_before(town: tuple[Roles, Running]):
    """What a guest has selected, and who has become one, gets no rows that the document does not show any more."""
    people, served = town
    owner, stranger, viewer = (people.bearer(name) for name in ("owner", "stranger", "viewer"))
    whole = document("rows", rows=True)
    assert call(served, "PUT", "documents/less", whole, **owner)[0] == 201
    call(served, "PUT", "documents/less/access", {"public": True, "users": {}}, **owner)
    call(served, "PUT", "datasets/rows/access", {"public": False, "users": {"viewer": "viewer"}}, **owner)
    ids = {name: select(served, ALL, people.bearer(name), "less")[1]["id"] for name in ("stranger", "viewer", "owner")}
    call(served, "PUT", "datasets/rows/access", {"public": False, "users": {}}, **owner)
    assert download(served, ids["stranger"], stranger, name="less").status == 200
    assert download(served, ids["viewer"], viewer, name="less").status == 410
    fewer = json.loads(json.dumps(whole))
    fewer["layout"]["layers"][0]["filter"] = "y > 2"
    assert call(served, "PUT", "documents/less", fewer, **owner, If_Match='"1"')[0] == 200
    assert download(served, ids["stranger"], stranger, name="less").status == 410
    assert served.get(f"/less/selections/{ids['stranger']}.json", **stranger).status == 410
    assert rows_of(download(served, ids["owner"], owner, name="less")) == TABLE.to_pydict()
    again = select(served, ALL, stranger, "less")[1]
    assert again["rows"] == 2 and download(served, again["id"], stranger, name="less").status == 200


def test_a_selection_belongs_to_its_version(tmp_path: Path):
    with Library.open(tmp_path / "library"), running([], library=tmp_path / "library") as served:
        served.await_event("loaded")
        upload(served, "rows")
        call(served, "PUT", "documents/plot", document("rows"))
        more = stream_of(TABLE)
        assert call(served, "POST", "datasets/rows/append", more, Content_Type=ARROW)[1]["version"] == 2
        status, found = select(served, ALL, {})
        assert (status, found["rows"], found["version"]) == (200, 8, 2)
        assert call(served, "POST", "datasets/rows/append", more, Content_Type=ARROW)[1]["version"] == 3
        answer = download(served, found["id"], {})
        assert rows_of(answer) == pa.concat_tables([TABLE, TABLE]).to_pydict()
        assert answer.headers["X-Bigviz-Version"] == "2"
        patch = pa.table({"_row": [0], "x": [5.0]})
        assert call(served, "POST", "datasets/rows/patch", stream_of(patch), Content_Type=ARROW)[0] == 200
        answer = download(served, found["id"], {})
        assert answer.status == 410 and "Select again" in json.loads(answer.body)["error"]
        assert select(served, ALL, {})[1]["rows"] == 12
