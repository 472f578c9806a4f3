"""`openapi.json` describes every route of the server and no other, and what those below /_/api answer, whatever they
are sent."""

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
from bigviz.server.http.pages import Missing

from .calls import ARROW, ORIGIN, PARQUET, TABLE, ask, document, stream_of

OPEN = description()
METHODS = ("get", "put", "post", "delete", "patch")
PATHS: dict[str, dict[str, Any]] = OPEN["paths"]
ASKED = ["/{name}/views", "/{name}/layers/{layer}/select", "/{name}/selections/{selection}.json"]
"""Routes beside /_/api that answer as it does."""
OPERATIONS = [
    (path, method)
    for path, methods in PATHS.items()
    for method in methods
    if method not in ("parameters", "servers") and ("servers" not in methods or path in ASKED)
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


def example(path: str) -> str:
    """An address of a path, relative to the server."""
    examples = {each["name"]: each.get("example", "x") for each in PATHS[path].get("parameters", [])}
    found = re.sub(r"\{(\w+)\}", lambda name: examples[name[1]], path)
    return found if "servers" in PATHS[path] else f"/_/api{found}"


def test_every_route_of_the_server_is_described_and_no_other(filled):
    """Each rule of the router, with each method that it answers, is what the address of some path leads to."""
    app: Any = filled.served.server._http.request_callback
    rules = [rule for rule in app.wildcard_router.rules if rule.target is not Missing]
    described = set()
    for path, methods in PATHS.items():
        address = example(path)
        rule = next((each for each in rules if each.matcher.regex.match(address)), None)
        assert rule is not None, f"{path}: there is nothing at {address}"
        described |= {(rule.matcher.regex.pattern, each.upper()) for each in methods if each in METHODS}
    routes = {(rule.matcher.regex.pattern, each) for rule in rules for each in needs_of(rule.target) if each != "HEAD"}
    assert described == routes


def test_parameters_of_a_path_are_described():
    for path, methods in PATHS.items():
        names = re.findall(r"\{(\w+)\}", path)
        assert [each["name"] for each in methods.get("parameters", [])] == names, path


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
    ("/{name}/layers/{layer}/select", "post", "/plot/layers/0/select", {"box": [0, 0, 9, 9], "stats": ["y"]}),
    ("/{name}/selections/{selection}.json", "get", "/plot/selections/SELECTION.json?sort=y&limit=1", None),
]


def test_answers_are_as_described(filled):
    assert {(path, method) for path, method, _, _ in GOOD} == set(OPERATIONS)
    selection = ""
    for path, method, address, value in GOOD:
        address = address.replace("SELECTION", selection)
        headers = {"Content_Type": ARROW} if isinstance(value, bytes) else {}
        answer = ask(filled.served, method.upper(), address, value, **filled.bearer, **headers)
        assert answer.status not in (401, 403), address
        checked(path, method, answer.status, answer.body, answer.headers["Content-Type"])
        selection = json.loads(answer.body)["id"] if path.endswith("/select") else selection


SERVED = {
    "/": "", "/healthz": "", "/metrics": "", "/{name}": "", "/{name}/": "", "/{name}/autoload.js": "",
    "/_/static/{path}": "", "/{name}/layers/{layer}/tilejson.json": "",
    "/{name}/layers/{layer}/tiles/{level}/{i}/{j}.{format}": "", "/{name}/layers/{layer}/rows/{row}.json": "",
    "/{name}/layers/{layer}/image.{format}": "?x0=0&x1=1&y0=0&y1=1&width=2&height=2",
    "/{name}/layers/{layer}/columns.arrow": "?x0=0&x1=3&width=9&glyph=line",
    "/{name}/layers/{layer}/bars.arrow": "?glyph=histogram&x=x",
    "/{name}/layers/{layer}/rows.{format}": "?x0=0&x1=3&y0=0&y1=9",
}  # fmt: skip


@pytest.mark.parametrize("path", SERVED)
def test_other_answers_have_a_type_that_is_described(filled, path):
    address = example(path).replace("/D", "/plot")
    answer = filled.served.get(address + SERVED[path], **filled.bearer)
    described = PATHS[path]["get"]["responses"][str(answer.status)]
    assert answer.status in (200, 301), answer.body
    content = described.get("content")
    assert content is None or answer.headers["Content-Type"].split(";")[0] in content


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
    address = re.sub(r"\{(name|id)\}", lambda _: name, path)
    address = address.replace("{layer}", "0").replace("{selection}", "x")
    if "servers" not in PATHS[path]:
        address = address.removeprefix("/")
    answer = ask(filled.served, method.upper(), address, body, **filled.bearer, Content_Type=kind)
    assert answer.status < 500
    checked(path, method, answer.status, answer.body, answer.headers["Content-Type"])
