"""schemathesis sends every operation of `openapi.json` what is described, and what is just beside it."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis.checks import positive_data_acceptance

from bigviz.server.api.openapi import description

from ...examples import examples
from .calls import ARROW, PARQUET, TABLE, stream_of
from .conftest import Filled

CUT = st.integers(0, len(stream_of(TABLE))).map(lambda end: stream_of(TABLE)[:end])
schemathesis.openapi.media_type(ARROW, CUT, aliases=[PARQUET])
LINES = {
    "application/x-ndjson": [b'{"x": 1.0, "y": 2.0, "secret": 3, "kind": "a"}\n', b'{"x": "a"}\n', b"[]\n", b"{"],
    "text/csv": [b"x,y,secret,kind\n", b"1,2,3,a\n", b"a\n", b'"'],
}
for kind, lines in LINES.items():
    schemathesis.openapi.media_type(kind, st.lists(st.sampled_from(lines), max_size=4).map(b"".join))
SELECT = "/{name}/layers/{layer}/select"
OPEN = description()
BESIDE = [
    path
    for path, methods in OPEN["paths"].items()
    if "servers" in methods and not path.endswith("/views") and path != SELECT
]
API = (
    schemathesis.openapi.from_dict(OPEN)
    .exclude(path="/datasets/{name}/batches")  # goes on
    .exclude(path=BESIDE)  # pages and files: test_openapi.py
)


@API.parametrize()
@settings(max_examples=examples(6, fuzzed=20), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_answers_are_those_that_are_described(case: schemathesis.Case, filled: Filled) -> None:
    """The status, the body, its type and the Allow header are described; what breaks the description is refused. What
    keeps to it need not be taken: a document may be no document, and a table damaged."""
    root = filled.served.url.rstrip("/")
    base = root if case.operation.path in ("/{name}/views", SELECT) else f"{root}/_/api"
    case.call_and_validate(base_url=base, headers=filled.bearer, excluded_checks=[positive_data_acceptance])


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_every_kind_of_body_is_made_here(method: str) -> None:
    bodies = [
        methods[method.lower()].get("requestBody", {})
        for path, methods in OPEN["paths"].items()
        if path not in BESIDE and method.lower() in methods
    ]
    kinds = {kind for body in bodies for kind in body.get("content", {})}
    assert kinds <= {"application/json", ARROW, PARQUET, *LINES}
