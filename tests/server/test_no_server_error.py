"""Bad input never takes the server down: any table, any route, any argument and any message is answered in kind.

Tables hold a column of every type with values at the ends of its range, under names of every kind. What is answered
with an error says in one JSON object what is wrong; the log holds no traceback.
"""

from __future__ import annotations

import io
import json
import logging
import random
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import bigviz as bv
from bigviz.document.document import document
from bigviz.document.figure import figure
from bigviz.document.spec import Document
from bigviz.server.limits import Limits
from bigviz.tiles.engine import Engine
from bigviz.wire.frames import Type

from ..odd_tables import all_null, empty, named, odd, one_row, sliced
from ..patience import PATIENCE
from .hostile import brush, message, of_session, path_of_layer, path_of_site, selection
from .running import Running, running
from .wire import Browser

TABLES = {"odd": odd, "empty": empty, "one": one_row, "sliced": sliced, "null": all_null, "named": named, "file": odd}
NAMES = [*TABLES, "odd"]  # the full table more often than others
UNSAID = ("The server failed", "log says why", "traceback", "Traceback")
LIMITS = Limits(messages_per_second=1e9, messages_burst=1e9, malformed_per_minute=10**9)


@cache
def table(name: str) -> pa.Table:
    return TABLES[name]()


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> list[Document]:
    """One document a table; "file" is one of all types that is read from the disk."""
    path = tmp_path_factory.mktemp("odd") / "file.arrow"
    with pa.ipc.new_file(path, table("file").schema) as writer:
        writer.write_table(table("file"))
    sources = {name: bv.open(str(path) if name == "file" else table(name), name=name) for name in TABLES}
    return [document(figure(title=name).points(each, "x", "y"), id=name) for name, each in sources.items()]


@pytest.fixture(scope="module", params=["indexed", "sampled", "scanned"])
def served(request: pytest.FixtureRequest, documents: list[Document]) -> Iterator[Running]:
    """A server whose layers are indexed in memory, sampled before that, or scanned for each answer."""
    engine = Engine(**{"indexed": {}, "sampled": {"preview_rows": 1}, "scanned": {"index_bytes": 1}}[request.param])
    with running(documents, engine, limits=LIMITS) as found:
        yield found


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """The log holds no error."""
    with caplog.at_level(logging.WARNING):
        yield
    told = [each.getMessage() + (each.exc_text or "") for each in caplog.records if each.levelno >= logging.ERROR]
    assert not told


@settings(max_examples=3, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**64 - 1), hostile=st.sampled_from([0.0, 0.3]))
def test_every_request_is_answered(served: Running, seed: int, hostile: float) -> None:
    rng = random.Random(seed)
    with closing(HTTPConnection("127.0.0.1", served.server.port, timeout=PATIENCE)) as connection:
        for _ in range(50):
            name = rng.choice(NAMES)
            other = rng.random() < 0.1
            path = path_of_site(rng, NAMES) if other else path_of_layer(rng, name, table(name).column_names, hostile)
            connection.request("GET", path)
            answer = connection.getresponse()
            check(path, answer.status, dict(answer.headers), answer.read())


@settings(max_examples=2, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**64 - 1), hostile=st.sampled_from([0.0, 0.3]))
def test_every_selection_is_answered_and_given_out(served: Running, seed: int, hostile: float) -> None:
    """A download that has begun may be cut off, where a column has no place in the file; it is never an error."""
    rng = random.Random(seed)
    for _ in range(20):
        name = rng.choice(NAMES)
        columns = table(name).column_names
        query, body = selection(rng, columns, hostile)
        path = f"/{name}/layers/0/select?{query}"
        answer = served.get(path, "POST", json.dumps(body).encode())
        check(f"{path} {body}", answer.status, dict(answer.headers), answer.body)
        if answer.status != 200:
            continue
        shown = urlencode([("columns", rng.choice(columns)) for _ in range(2)])
        for tail in (f"json?{shown}&sort={quote(rng.choice(columns))}", f"{rng.choice(('csv', 'parquet'))}?{shown}"):
            path = f"/{name}/selections/{json.loads(answer.body)['id']}.{tail}"
            rows = served.get(path)
            check(path, rows.status, dict(rows.headers), rows.body)


def check(path: str, status: int, headers: dict[str, str], body: bytes) -> None:
    """An answer is whole, or says in one JSON object what is wrong."""
    told = (path, status, body[:500])
    assert status < 500 or (status == 503 and headers["Retry-After"]), told
    kind = headers.get("Content-Type", "")
    if status >= 400:
        found = strict(body)
        assert set(found) - {"at"} == {"error", "field", "got"}, told
        assert len(found["error"]) > 10 and not any(words in found["error"] for words in UNSAID), told
        assert found["field"] is None or found["field"], told
    elif status == 200 and kind.startswith("application/json"):
        strict(body)
    elif status == 200 and kind == "application/vnd.apache.arrow.file":
        pa.ipc.open_file(body).read_all()
    elif status == 200 and kind == "application/octet-stream":
        np.load(io.BytesIO(body), allow_pickle=False)
    elif status == 200 and kind == "image/png":
        assert body.startswith(b"\x89PNG"), told


def strict(body: bytes) -> Any:
    """JSON without NaN and infinities, which browsers do not read."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} in {body[:500]!r}")

    return json.loads(body, parse_constant=refuse)


@settings(max_examples=2, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**64 - 1), hostile=st.sampled_from([0.0, 0.3]))
def test_every_message_is_answered(served: Running, seed: int, hostile: float) -> None:
    rng = random.Random(seed)
    name = rng.choice(NAMES)
    columns = table(name).column_names
    with Browser(served.url, name) as browser:
        for _ in range(40):
            made = message(rng, browser.definition(), columns, hostile)
            if rng.random() < 0.4:
                made = brush(rng, name, columns, hostile) if rng.random() < 0.7 else of_session(rng)
            request = browser.say(**made)
            for got in browser.until(lambda each, id=request: over(each, id)):
                if got.kind == Type.ERROR:
                    assert set(got.value) - {"at"} == {"error", "field", "got"}
                    assert not any(words in got.value["error"] for words in UNSAID), made


def over(got: Any, request: int) -> bool:
    """Whether a message ends the answer to a request."""
    if got.frame.request != request:
        return False
    return got.kind in (Type.DONE, Type.ERROR) or (got.kind == Type.LAYER and got.value["index"] != "building")
