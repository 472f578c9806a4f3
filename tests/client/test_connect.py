"""`bigviz.connect`: what is published and uploaded is there, once, and what is refused says why."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import bigviz as bv
from bigviz.client.connect import Connection
from bigviz.client.refusals import Unreachable
from bigviz.library.library import Library

from ..fetch import fetched
from ..server.running import Running, running

TABLE = pa.table({"x": [0.0, 1.0, 2.0, 3.0], "y": [1.0, 3.0, 2.0, 4.0]})
COLUMNS = {"x": [0.0, 1.0, 2.0, 3.0], "y": [1.0, 3.0, 2.0, 4.0]}


def layer(address: str) -> dict:
    return json.loads(fetched(f"{address}layers/0/tilejson.json"))


@pytest.mark.parametrize(
    "source", [TABLE, COLUMNS, pd.DataFrame(COLUMNS), "file"], ids=["Arrow", "dict", "pandas", "file"]
)
def test_tables_of_any_kind_are_published(server: Connection, source, tmp_path: Path):
    if isinstance(source, str):
        source = tmp_path / "rows.parquet"
        pq.write_table(TABLE, source, row_group_size=3)
    answer = server.publish("mine", bv.figure(title="Mine").points(source, x="x", y="y"))
    assert (answer["name"], answer["version"]) == ("mine", 1) and answer["url"] == f"{server.url}/mine/"
    assert layer(answer["url"])["rows"] == 4
    (document,) = server.documents()
    assert (document["name"], document["title"], document["public"], document["rows"]) == ("mine", "Mine", False, 4)
    (dataset,) = server.datasets()
    assert dataset["name"].startswith("rows." if isinstance(source, Path) else "table.") and dataset["version"] == 1


def test_equal_content_is_uploaded_once_and_makes_no_version(server: Connection):
    plot = bv.figure().points(TABLE, x="x", y="y")
    assert [server.publish("a", plot)["version"] for _ in range(2)] == [1, 1]
    server.publish("b", bv.figure().line(COLUMNS, x="x", y="y"))
    assert len(server.datasets()) == 1
    assert server.publish("a", bv.figure().points(TABLE.slice(1), x="x", y="y"))["version"] == 2
    assert len(server.datasets()) == 2


def test_a_document_comes_back_and_is_published_again(server: Connection, tmp_path: Path):
    server.publish("a", bv.figure(title="Mine").line(TABLE, x="x", y="y", line_width=3))
    back = server.open("a")
    assert back.id == "a" and back.unbound == back.datasets and back.layers()[0][1].line_width == 3
    assert server.publish("b", back)["version"] == 1 and server.open("b") == back.renamed("b")
    text = json.dumps(back.to_json())
    (tmp_path / "c.json").write_text(text)
    for name, source in (("c", text), ("d", back.to_json()), ("e", tmp_path / "c.json")):
        server.publish(name, source)
    assert [each["name"] for each in server.documents()] == ["e", "d", "c", "b", "a"]


def test_a_dataset_of_the_server_goes_by_its_name(server: Connection):
    assert server.upload("trips", TABLE) == {"name": "trips", "version": 1, "rows": 4}
    address = server.publish("a", bv.figure().points("trips", x="x", y="y"))["url"]
    assert server.open("a").datasets == ("trips",) and len(server.datasets()) == 1
    with pytest.raises(bv.BadInput, match="'nope'") as error:
        server.publish("b", bv.figure().points("nope", x="x", y="y"))
    assert error.value.field == "dataset"
    assert server.upload("trips", TABLE.slice(2)) == {"name": "trips", "version": 2, "rows": 2}
    assert layer(address)["rows"] == 2


def test_uploads_take_the_place_of_what_others_have_put_meanwhile(plots: Running, server: Connection):
    other = bv.connect(plots.url)
    versions = [each.upload("trips", TABLE.slice(at))["version"] for at, each in enumerate((server, other, server))]
    assert versions == [1, 2, 3]


def test_unpublishing(server: Connection):
    server.publish("a", bv.figure().points(TABLE, x="x", y="y"))
    server.unpublish("a")
    assert server.documents() == []
    with pytest.raises(bv.NotFound):
        server.open("a")
    with pytest.raises(bv.NotFound):
        server.unpublish("a")


def test_text_times_nulls_and_categories_arrive_as_they_are(server: Connection):
    kinds = pa.chunked_array([pa.array(["a", "b"]).dictionary_encode(), pa.array(["c", None]).dictionary_encode()])
    table = TABLE.append_column("kind", kinds).append_column("at", pa.array([0, 1, None, 3], pa.timestamp("us", "UTC")))
    server.publish("a", bv.figure().points(table, x="at", y="y", agg="by(kind)"))
    (name,) = server.open("a").datasets
    told = server._http.json("GET", f"/_/api/datasets/{name}")
    assert {each["name"]: each["type"] for each in told["columns"]} == {
        each.name: str(each.type) for each in table.schema
    }


def test_a_table_without_rows(server: Connection):
    assert server.upload("none", TABLE.slice(0, 0))["rows"] == 0


def test_no_server_says_how_to_start_one():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        with pytest.raises(Unreachable, match=f"`bigviz serve --port {port}` starts one") as error:
            bv.connect(f"http://127.0.0.1:{port}")
    assert "\n" not in error.value.message


def test_the_address_of_a_document_is_no_servers(server: Connection):
    address = server.publish("a", bv.figure().points(TABLE, x="x", y="y"))["url"]
    with pytest.raises(Unreachable, match="without the name of a document"):
        bv.connect(address)


@pytest.mark.parametrize(
    "url", ["localhost:5006", "ftp://a", "http://", "http://a:99999", "http://ann:pw@a", "http://a/?b", "http://a b"]
)
def test_addresses_that_are_none(url: str):
    with pytest.raises(bv.BadInput, match="address") as error:
        bv.connect(url)
    assert "pw" not in str(error.value)


def test_where_and_who_come_from_the_environment(plots: Running, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BIGVIZ_URL", plots.url)
    assert bv.connect().url == plots.url.rstrip("/")
    monkeypatch.setenv("BIGVIZ_TOKEN", "not-a-token")
    with pytest.raises(bv.Unauthorized, match="bigviz token create"):
        bv.connect()


@pytest.fixture
def shared(tmp_path: Path):
    """A server with two users, and a connection of each."""
    library = Library.open(tmp_path / "shared", serve=True)
    secrets = {}
    for name in ("ada", "bob"):
        library.users.add(name)
        secrets[name] = library.tokens.create(name, "write", 1)[1]
    with running([], library=library, allow_anonymous=True) as found:
        found.await_event("loaded")
        yield found, {name: bv.connect(found.url, secret) for name, secret in secrets.items()}
    library.close()


def test_what_is_published_is_its_owners_until_it_is_public(shared):
    served, by = shared
    plot = bv.figure().points(TABLE, x="x", y="y")
    by["ada"].publish("plot", plot)
    assert by["bob"].documents() == [] and bv.connect(served.url).documents() == []
    with pytest.raises(bv.BigvizError):
        by["bob"].open("plot")
    with pytest.raises(bv.NotFound, match="'plot' is the name of a document that you may not see"):
        by["bob"].publish("plot", plot)
    answer = by["ada"].publish("plot", plot, public=True)
    assert answer["version"] == 1
    assert [each["name"] for each in bv.connect(served.url).documents()] == ["plot"]
    assert layer(answer["url"])["rows"] == 4
    by["ada"].publish("plot", plot)
    assert by["bob"].documents()[0]["public"] is True
    with pytest.raises(bv.Forbidden):
        by["bob"].publish("plot", plot)
    with pytest.raises(bv.Unauthorized, match="bigviz token create"):
        bv.connect(served.url).publish("other", plot)


def test_two_users_may_publish_one_table(shared):
    _, by = shared
    for name, server in by.items():
        server.publish(f"of-{name}", bv.figure().points(TABLE, x="x", y="y"))
        assert server.open(f"of-{name}").datasets[0] == server.datasets()[0]["name"]
    assert len({each.datasets()[0]["name"] for each in by.values()}) == 2


def test_a_token_is_told_nowhere(shared):
    served, _ = shared
    secret = "s3cretWord"
    with pytest.raises(bv.Unauthorized) as error:
        bv.connect(served.url, secret)
    assert secret not in repr(error.value) and secret not in repr(vars(error.value))
    with pytest.raises(bv.BadInput) as malformed:
        bv.connect(served.url, f"{secret}\nX-Header: 1")
    assert secret not in repr(malformed.value)


def test_a_token_over_plain_http_to_elsewhere_is_warned_of():
    with pytest.warns(UserWarning, match="plain HTTP"), pytest.raises(bv.BigvizError):
        bv.connect("http://plots.invalid", "word")
