"""`openapi.json` describes every route below /_/api and no other, and what they answer, whatever they are sent."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator, meta

from bigviz.server.access.gate import needs_of
from bigviz.server.api.openapi import description
from bigviz.server.api.views import Views
from bigviz.server.app import API

from .calls import ARROW, ORIGIN, PARQUET, TABLE, ask, document, stream_of

OPEN = description()
PATHS: dict[str, dict[str, Any]] = OPEN["paths"]
OPERATIONS = [
    (path, method) for path, methods in PATHS.items() for method in methods if method not in ("parameters", "servers")
]


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
        meta.validate(schema)


def test_it_is_served(filled):
    answer = ask(filled.served, "GET", "openapi.json")
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
    ("/documents/{name}/embed", "post", "documents/new/embed", {"origin": ORIGIN, "seconds": 60}),
    ("/documents/{name}", "delete", "documents/new", None),
    ("/datasets", "get", "datasets?limit=1", None),
    ("/datasets/{name}", "put", "datasets/more", stream_of(TABLE)),
    ("/datasets/{name}", "put", "datasets/more", stream_of(TABLE)),
    ("/datasets/{name}", "get", "datasets/more", None),
    ("/datasets/{name}/access", "put", "datasets/more/access", {"public": False, "users": {}}),
    ("/datasets/{name}/access", "get", "datasets/more/access", None),
    ("/datasets/{name}/append", "post", "datasets/more/append", stream_of(TABLE)),
    ("/datasets/{name}/patch", "post", "datasets/more/patch", stream_of(pa.table({"_row": [0], "x": [1.0]}))),
    ("/datasets/{name}/seal", "post", "datasets/more/seal", None),
    ("/datasets/{name}/batches", "get", "datasets/more/batches", None),
    ("/datasets/{name}", "get", "datasets/more", None),
    ("/datasets/{name}", "delete", "datasets/more", None),
    ("/me", "get", "me", None),
    ("/tokens", "get", "tokens", None),
    ("/tokens", "post", "tokens", {"scope": "read"}),
    ("/tokens/{id}", "delete", "tokens/none", None),
    ("/users", "post", "users", {"name": "bob", "password": "password"}),
    ("/users", "get", "users", None),
    ("/users/{name}/password", "put", "users/bob/password", {"password": "another one"}),
    ("/users/{name}/link", "post", "users/bob/link", {}),
    ("/users/{name}/tokens", "post", "users/bob/tokens", {"scope": "read", "days": 1}),
    ("/users/{name}/tokens", "get", "users/bob/tokens", None),
    ("/users/{name}", "delete", "users/bob", None),
    ("/openapi.json", "get", "openapi.json", None),
    ("/{name}/views", "post", "/plot/views", {"hash": "x0=1"}),
]


def test_answers_are_as_described(filled):
    assert {(path, method) for path, method, _, _ in GOOD} == set(OPERATIONS)
    for path, method, address, value in GOOD:
        headers = {"Content_Type": ARROW} if isinstance(value, bytes) else {}
        answer = ask(filled.served, method.upper(), address, value, **filled.bearer, **headers)
        assert answer.status not in (401, 403), address
        checked(path, method, answer.status, answer.body, answer.headers["Content-Type"])


NAMES = st.one_of(
    st.sampled_from(["plot", "rows", "none", "..", "_", "%2e%2e", "a/b"]), st.text(min_size=1, max_size=30)
).map(lambda name: quote(name.encode(errors="surrogatepass"), safe=""))
BODIES = st.one_of(
    st.none(),
    st.binary(max_size=200),
    st.text(max_size=60).map(lambda text: json.dumps({"hash": text}).encode(errors="backslashreplace")),
    st.binary(max_size=20).map(lambda text: b'{"scope": "' + text + b'"}'),
)
KINDS = st.sampled_from([ARROW, PARQUET, "application/json", "text/plain", ""])


@pytest.mark.filterwarnings("ignore:Generating overly large repr")  # of large bodies
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operation=st.sampled_from(OPERATIONS), name=NAMES, body=BODIES, kind=KINDS)
def test_bytes_that_are_no_json_are_answered_as_described(filled, operation, name, body, kind):
    """And names of any characters. What is near to the description is sent by test_described.py."""
    path, method = operation
    assume(not ("servers" in PATHS[path] and name == "_"))  # what stands below /_/ are other routes
    assume(not path.endswith("/batches"))  # goes on
    address = re.sub(r"\{\w+\}", lambda _: name, path)
    if "servers" not in PATHS[path]:
        address = address.removeprefix("/")
    answer = ask(filled.served, method.upper(), address, body, **filled.bearer, Content_Type=kind)
    assert answer.status < 500
    checked(path, method, answer.status, answer.body, answer.headers["Content-Type"])
