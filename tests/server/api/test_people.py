"""What users see of each other's documents and datasets: nothing, until they are let in; and their tokens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from bigviz.document.document import document as made
from bigviz.document.figure import figure
from bigviz.library.library import Library
from bigviz.wire.frames import RESTART, Type

from ...patience import PATIENCE
from ..running import Answer, Running, deadline, running
from ..wire import Browser
from .calls import ARROW, TABLE, call, document, stream_of


@dataclass
class User:
    """Somebody with a token."""

    served: Running
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def call(self, method: str, path: str, value: Any = None, **headers: str) -> tuple[int, Any]:
        return call(self.served, method, path, value, **self.headers, **headers)

    def upload(self, name: str, table: Any = TABLE, **headers: str) -> tuple[int, Any]:
        return self.call("PUT", f"datasets/{name}", stream_of(table), Content_Type=ARROW, **headers)

    def get(self, path: str, **headers: str) -> Answer:
        return self.served.get(path, **self.headers, **headers)

    def open(self, name: str) -> Browser:
        return Browser(self.served.url, name, additional_headers=self.headers)


@dataclass
class People:
    served: Running
    library: Library
    ann: User
    bob: User
    root: User


@pytest.fixture
def people(tmp_path: Path) -> Iterator[People]:
    with Library.open(tmp_path / "library") as library:
        for name in ("ann", "bob", "root"):
            library.users.add(name, admin=name == "root")
        with running([], library=tmp_path / "library", allow_anonymous=True) as served:
            served.await_event("loaded")
            users = [
                User(served, library.tokens.create(name, "admin" if name == "root" else "write", 1)[1])
                for name in ("ann", "bob", "root")
            ]
            yield People(served, library, *users)


def names(answer: tuple[int, Any]) -> list[str]:
    return [each["name"] for each in next(iter(answer[1].values()))]


def test_what_one_may_not_see_is_absent(people):
    ann, bob, root = people.ann, people.bob, people.root
    assert ann.upload("rows")[0] == 201
    assert ann.call("PUT", "documents/plot", document("rows"))[0] == 201
    assert names(ann.call("GET", "documents")) == ["plot"] and names(root.call("GET", "documents")) == ["plot"]
    for path in ("documents", "documents?q=plot", "datasets"):
        assert names(bob.call("GET", path)) == [] and names(call(people.served, "GET", path)) == []
    for method, path in (
        ("GET", ""),
        ("DELETE", ""),
        ("GET", "/versions"),
        ("GET", "/access"),
        ("GET", "/thumbnail.png"),
    ):
        wanted = bob.call(method, f"documents/none{path}")
        found = bob.call(method, f"documents/plot{path}")
        assert found[0] == wanted[0] == 404
        assert json.dumps(found[1]).replace("plot", "none") == json.dumps(wanted[1])
    assert bob.call("PUT", "documents/plot", document("rows"))[0] == 404
    assert bob.call("PUT", "documents/mine", document("rows"))[0] == 422  # a dataset that is not there, for bob
    assert bob.upload("rows")[0] == 404


def test_access(people):
    ann, bob = people.ann, people.bob
    ann.upload("rows")
    ann.call("PUT", "documents/plot", document("rows"))
    given = {"public": False, "users": {"bob": "viewer"}}
    assert ann.call("PUT", "documents/plot/access", given) == (
        200,
        {"public": False, "users": {"ann": "owner", "bob": "viewer"}},
    )
    assert names(bob.call("GET", "documents")) == ["plot"]
    assert bob.call("GET", "documents")[1]["documents"][0]["role"] == "viewer"
    assert bob.call("PUT", "documents/plot", document("rows"))[0] == 403
    assert bob.call("GET", "documents/plot/access")[0] == 403
    ann.call("PUT", "documents/plot/access", {"public": False, "users": {"bob": "writer"}})
    assert bob.call("PUT", "documents/plot", document("rows", title="Bob's"))[0] == 422  # no role on the dataset
    ann.call("PUT", "datasets/rows/access", {"public": False, "users": {"bob": "viewer"}})
    assert bob.call("PUT", "documents/plot", document("rows", title="Bob's"))[0] == 200
    assert ann.call("GET", "documents/plot/versions")[1]["versions"][0]["author"] == "bob"
    for wrong in (
        {"public": 1, "users": {}},
        {"public": True},
        {"public": True, "users": {"bob": "king"}},
        {"public": True, "users": []},
    ):
        assert ann.call("PUT", "documents/plot/access", wrong)[0] == 400


def shown_to(people: People, user: User | None, path: str) -> int:
    served = people.served
    return (served.get(f"/plot/layers/0/{path}") if user is None else user.get(f"/plot/layers/0/{path}")).status


def test_a_document_gives_out_what_it_names_and_no_more(people):
    ann, bob = people.ann, people.bob
    ann.upload("rows")
    ann.call("PUT", "documents/plot", document("rows", agg="mean(y)"))
    ann.call("PUT", "documents/plot/access", {"public": True, "users": {}})
    rows = ("rows.arrow?x0=0&x1=9&y0=0&y1=9", "rows/0.json")
    foreign = ("tiles/0/0/0.npy?x=secret", "tiles/0/0/0.npy?y=secret", "tiles/0/0/0.npy?agg=sum(secret)")
    foreign += ("tilejson.json?agg=by(kind)", "image.npy?x=none&x0=0&x1=9&y0=0&y1=9&width=2&height=2")
    for caller in (None, bob):
        assert [shown_to(people, caller, path) for path in (*rows, *foreign)] == [403] * 7
        for path in ("tiles/0/0/0.npy", "tiles/0/0/0.npy?agg=count", "tilejson.json", "tiles/0/0/0.png?x=y&y=x"):
            assert shown_to(people, caller, path) == 200
    assert [shown_to(people, ann, path) for path in (*rows, *foreign[:-1])] == [200] * 6
    told = bob.get("/plot/layers/0/tiles/0/0/0.npy?x=none").body
    assert told.replace(b"none", b"secret") == bob.get("/plot/layers/0/tiles/0/0/0.npy?x=secret").body
    wrong = bob.get("/plot/layers/0/tilejson.json?agg=by(y)")
    assert wrong.status in (404, 422, 400) and b"secret" not in wrong.body and b"kind" not in wrong.body
    with bob.open("plot") as page:
        assert [each["name"] for each in page.hello.value["datasets"]["rows"]["columns"]] == ["x", "y"]
        assert page.layer(x="secret").kind == Type.ERROR
        window = {"x0": 0, "x1": 9, "y0": 0, "y1": 9, "width": 100, "height": 100}
        kinds = [got.kind for got in page.view([[0, 0, 0, 0]], window=window)]
        assert kinds == [Type.TILE, Type.DONE]
    ann.call("PUT", "datasets/rows/access", {"public": False, "users": {"bob": "viewer"}})
    assert [shown_to(people, bob, path) for path in (*rows, *foreign[:-1])] == [200] * 6


def test_rows_that_the_owner_gives_out(people):
    ann, bob = people.ann, people.bob
    ann.upload("rows")
    assert ann.call("PUT", "documents/plot", document("rows", rows=True))[0] == 201
    ann.call("PUT", "documents/plot/access", {"public": True, "users": {"bob": "writer"}})
    assert shown_to(people, None, "rows.arrow?x0=0&x1=9&y0=0&y1=9") == 200
    told = json.loads(bob.get("/plot/layers/0/rows/0.json").body)
    assert [each["name"] for each in told["columns"]] == ["x", "y"] and told["more"] == 0
    ann.call("PUT", "datasets/rows/access", {"public": False, "users": {"bob": "viewer"}})
    status, why = bob.call("PUT", "documents/other", document("rows", rows=True))
    assert (status, why["field"]) == (403, "rows")


def test_a_dataset_that_the_owner_of_a_document_loses(people):
    ann, bob = people.ann, people.bob
    ann.upload("rows")
    ann.call("PUT", "datasets/rows/access", {"public": False, "users": {"bob": "viewer"}})
    assert bob.call("PUT", "documents/plot", document("rows"))[0] == 201
    assert bob.get("/plot/layers/0/tiles/0/0/0.npy").status == 200
    ann.call("PUT", "datasets/rows/access", {"public": False, "users": {}})
    assert bob.get("/plot/layers/0/tiles/0/0/0.npy").status == 422
    assert bob.call("GET", "documents/plot")[0] == 200  # the document itself is bob's


def test_a_page_whose_dataset_is_given_to_its_viewer(people):
    ann, bob = people.ann, people.bob
    ann.upload("rows")
    ann.call("PUT", "documents/plot", document("rows"))
    ann.call("PUT", "documents/plot/access", {"public": True, "users": {}})
    with bob.open("plot") as page:
        ann.call("PUT", "datasets/rows/access", {"public": True, "users": {}})
        with pytest.raises(ConnectionClosed) as closed:
            page.take()
        assert closed.value.rcvd is not None and closed.value.rcvd.code == RESTART
    with bob.open("plot") as page:
        assert len(page.hello.value["datasets"]["rows"]["columns"]) == 4


def test_tokens(people):
    ann = people.ann
    assert ann.call("POST", "tokens", {"scope": "read"})[0] == 403  # ann's token writes, and makes no tokens
    boss = User(people.served, people.library.tokens.create("ann", "admin", 1)[1])
    status, told = boss.call("POST", "tokens", {"scope": "read", "days": 2})
    assert status == 201 and told["scope"] == "read"
    reader = User(people.served, told["token"])
    assert reader.call("GET", "me")[1] == {
        "user": "ann",
        "kind": "user",
        "admin": False,
        "scopes": ["read"],
        "publish": False,
    }
    assert reader.upload("rows")[0] == 403
    listed = boss.call("GET", "tokens")[1]["tokens"]
    assert len(listed) == 3 and "token" not in listed[0]
    assert people.bob.call("GET", "tokens")[1]["tokens"][0]["id"] != told["id"]
    assert boss.call("DELETE", f"tokens/{told['id']}") == (204, None)
    assert reader.call("GET", "me")[0] == 401
    for wrong in ({}, {"scope": "king"}, {"scope": "read", "days": 0}, {"scope": "read", "days": "1"}, {"scope": 1}):
        assert boss.call("POST", "tokens", wrong)[0] == 400


def test_views(people):
    ann = people.ann
    ann.upload("rows")
    ann.call("PUT", "documents/plot", document("rows"))
    served = people.served
    body = json.dumps({"hash": "x0=1&x1=2&how=log é"}).encode()
    answer = served.get("/plot/views", "POST", body, **ann.headers)
    told = json.loads(answer.body)
    assert answer.status == 201 and len(told["id"]) == 22
    assert told["url"] == f"{served.url}plot/?v={told['id']}"
    moved = ann.get(f"/plot/?v={told['id']}")
    assert moved.status == 302 and moved.headers["Location"] == "./#x0=1&x1=2&how=log%20%C3%A9"
    assert ann.get("/plot/?v=none").status == 404
    assert served.get("/plot/views", "POST", body).status == 401
    ann.call("PUT", "documents/plot/access", {"public": True, "users": {}})
    assert served.get("/plot/views", "POST", body).status == 401  # anyone looks, and writes nothing
    assert served.get(f"/plot/?v={told['id']}").status == 302
    long = json.dumps({"hash": "x" * 9_000}).encode()
    assert served.get("/plot/views", "POST", long, **ann.headers).status == 413
    for wrong in (b"{}", b'{"hash": 1}', b'{"hash": "a\\nb"}', b"[]"):
        assert served.get("/plot/views", "POST", wrong, **ann.headers).status == 400


def test_a_removed_users_document_gets_nothing_back(people):
    ann, bob = people.ann, people.bob
    ann.upload("rows")
    for users in ({"bob": "owner"}, {}):
        ann.call("PUT", "datasets/rows/access", {"public": False, "users": users})
        if users:
            assert bob.call("PUT", "documents/plot", document("rows", rows=True))[0] == 201
            bob.call("PUT", "documents/plot/access", {"public": True, "users": {}})
    tile = "tiles/0/0/0.npy"
    assert [shown_to(people, None, path) for path in (tile, "rows/0.json")] == [422, 422]
    people.library.users.remove("bob")
    assert [shown_to(people, None, path) for path in (tile, "rows/0.json")] == [422, 422]
    people.library.users.remove("ann")  # what nobody owns goes together
    assert people.root.call("GET", "datasets/rows")[1]["owner"] is None
    waits = deadline(PATIENCE)
    while shown_to(people, None, tile) != 200 and waits():
        pass
    assert [shown_to(people, None, path) for path in (tile, "rows/0.json")] == [200, 200]


ROUTES = ("rows.arrow?x0=0&x1=9&y0=0&y1=9", "rows/0.json", "tiles/0/0/0.npy?x=secret", "tilejson.json?agg=mean(secret)")


@pytest.mark.parametrize(("anonymous", "status"), [(False, 403), (True, 200)])
def test_what_a_public_document_shows_of_a_table_of_the_command_line(tmp_path: Path, anonymous: bool, status: int):
    """Such a table is for every user. Who is nobody sees of it what the document shows, and no more."""
    own = made(figure(title="Own").points(TABLE, "x", "y"), id="own")
    with Library.open(tmp_path / "library") as library:
        library.users.add("ann")
        token = library.tokens.create("ann", "write", 1)[1]
        with running([own], library=tmp_path / "library", allow_anonymous=anonymous) as served:
            served.await_event("loaded")
            ann = User(served, token)
            ann.call("PUT", "documents/plot", document("table", rows=True))
            ann.call("PUT", "documents/plot/access", {"public": True, "users": {}})
            assert served.get("/plot/layers/0/tiles/0/0/0.npy").status == 200
            assert [served.get(f"/plot/layers/0/{path}").status for path in ROUTES] == [status] * 4
            assert [ann.get(f"/plot/layers/0/{path}").status for path in ROUTES] == [200] * 4
            assert served.get("/own/layers/0/rows/0.json").status == (200 if anonymous else 401)
