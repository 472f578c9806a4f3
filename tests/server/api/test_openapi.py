"""`openapi.json` describes every route below /_/api and no other, and what they answer, whatever they are sent."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from bigviz.server.access.gate import needs_of
from bigviz.server.api.openapi import description
from bigviz.server.api.views import Views
from bigviz.server.app import API

from ..running import Running, running
from .calls import ARROW, PARQUET, TABLE, ask, document, stream_of, upload

OPEN = description()
PATHS: dict[str, dict[str, Any]] = OPEN["paths"]
OPERATIONS = [
    (path, method) for path, methods in PATHS.items() for method in methods if method not in ("parameters", "servers")
]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A plot server with a document and its dataset."""
    with running([], library=tmp_path_factory.mktemp("api") / "library") as found:
        found.await_event("loaded")
        upload(found, "rows")
        ask(found, "PUT", "documents/plot", document("rows"))
        yield found


def checked(path: str, method: str, status: int, body: bytes, kind: str | None) -> None:
    """The answer is one that the description names."""
    answers = PATHS[path][method]["responses"]
    assert str(status) in answers, (path, method, status, body)
    content = answers[str(status)].get("content")
    if content is None:
        assert body == b""
        return
    assert kind is not None and kind.split(";")[0] in content
    if "application/json" in content:
        schema = {**content["application/json"]["schema"], "components": OPEN["components"]}
        Draft202012Validator(schema).validate(json.loads(body))


def test_every_route_is_described_and_no_other():
    routes = {re.sub(r"\(\[\^/\]\+\)", "{}", path).replace("\\.", "."): needs_of(handler) for path, handler in API}
    routes["/{}/views"] = needs_of(Views)
    described = {re.sub(r"\{\w+\}", "{}", path): methods for path, methods in PATHS.items()}
    assert routes.keys() == described.keys()
    for path, needs in routes.items():
        methods = described[path].keys() - {"parameters", "servers"}
        assert {method.lower() for method in needs} - {"head"} == methods, path


def test_the_schemas_are_schemas():
    for schema in OPEN["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_it_is_served(filled):
    answer = ask(filled, "GET", "openapi.json")
    assert json.loads(answer.body) == OPEN and "private" not in answer.headers["Cache-Control"]


GOOD = [
    ("/documents", "get", "documents", None),
    ("/documents/{name}", "put", "documents/new", document("rows")),
    ("/documents/{name}", "put", "documents/new", document("rows", title="Other")),
    ("/documents/{name}", "get", "documents/new?version=1", None),
    ("/documents/{name}/versions", "get", "documents/new/versions", None),
    ("/documents/{name}/restore", "post", "documents/new/restore", {"version": 1}),
    ("/documents/{name}/access", "put", "documents/new/access", {"public": True, "users": {"ann": "viewer"}}),
    ("/documents/{name}/access", "get", "documents/new/access", None),
    ("/documents/{name}/thumbnail.png", "get", "documents/new/thumbnail.png", None),
    ("/documents/{name}", "delete", "documents/new", None),
    ("/datasets", "get", "datasets?limit=1", None),
    ("/datasets/{name}", "put", "datasets/more", stream_of(TABLE)),
    ("/datasets/{name}", "put", "datasets/more", stream_of(TABLE)),
    ("/datasets/{name}", "get", "datasets/more", None),
    ("/datasets/{name}/access", "put", "datasets/more/access", {"public": False, "users": {}}),
    ("/datasets/{name}/access", "get", "datasets/more/access", None),
    ("/datasets/{name}", "delete", "datasets/more", None),
    ("/me", "get", "me", None),
    ("/tokens", "get", "tokens", None),
    ("/tokens", "post", "tokens", {"scope": "read"}),
    ("/tokens/{id}", "delete", "tokens/none", None),
    ("/openapi.json", "get", "openapi.json", None),
    ("/{name}/views", "post", "/plot/views", {"hash": "x0=1"}),
]


def test_answers_are_as_described(filled):
    assert {(path, method) for path, method, _, _ in GOOD} == set(OPERATIONS)
    for path, method, address, value in GOOD:
        headers = {"Content_Type": ARROW} if isinstance(value, bytes) else {}
        answer = ask(filled, method.upper(), address, value, **headers)
        checked(path, method, answer.status, answer.body, answer.headers["Content-Type"])


NAMES = st.one_of(
    st.sampled_from(["plot", "rows", "none", "..", "_", "%2e%2e", "a/b"]), st.text(min_size=1, max_size=30)
).map(lambda name: quote(name.encode(errors="surrogatepass"), safe=""))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
BASES: dict[str, dict[str, Any]] = {
    "document": document("rows"),
    "version": {"version": 1},
    "access": {"public": True, "users": {}},
    "token": {"scope": "read"},
    "view": {"hash": "x0=1"},
}
KEYS = ("format", "layout", "datasets", "ranges", "title", "version", "public", "users", "scope", "days", "hash")
LIKE = st.builds(
    lambda base, key, value: {**BASES[base], key: value}, st.sampled_from(list(BASES)), st.sampled_from(KEYS), JSON
)
BODIES = st.one_of(
    st.none(),
    st.binary(max_size=200),
    st.one_of(JSON, LIKE).map(lambda value: json.dumps(value).encode(errors="backslashreplace")),
    st.integers(0, len(stream_of(TABLE))).map(lambda at: stream_of(TABLE)[:at]),
)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Content_Type": st.sampled_from([ARROW, PARQUET, "application/json", "text/plain", ""]),
        "If_Match": st.sampled_from(['"1"', "1", "*", '"x"', 'W/"1"', '"' + "9" * 40 + '"']),
        "If_None_Match": st.sampled_from(["*", '"1"', ""]),
    },
)
QUERIES = st.dictionaries(
    st.sampled_from(["q", "sort", "limit", "after", "version", "attached", "other"]),
    st.text(max_size=12) | st.sampled_from(["1", "-1", "1e9", "updated", "title", "9" * 30, "WyJ1cGRhdGVkIixudWxsXQ"]),
    max_size=2,
).map(lambda query: "&".join(f"{key}={quote(value.encode(errors='surrogatepass'))}" for key, value in query.items()))


@pytest.mark.filterwarnings("ignore:Generating overly large repr")  # of large bodies
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operation=st.sampled_from(OPERATIONS), name=NAMES, body=BODIES, headers=HEADERS, query=QUERIES)
def test_whatever_comes_is_answered_as_described(filled, operation, name, body, headers, query):
    path, method = operation
    assume(not ("servers" in PATHS[path] and name == "_"))  # what stands below /_/ are other routes
    address = re.sub(r"\{\w+\}", lambda _: name, path) + (f"?{query}" if query else "")
    if "servers" not in PATHS[path]:
        address = address.removeprefix("/")
    answer = ask(filled, method.upper(), address, body, **headers)
    assert answer.status < 500
    if method == "get" and answer.status == 304:
        return
    checked(path, method, answer.status, answer.body, answer.headers["Content-Type"])
