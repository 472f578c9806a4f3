"""Answers with very many labels: the same JSON, written outside the loop, and never the end of a connection."""

from __future__ import annotations

import threading

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bigviz as bv
from bigviz.document.document import document
from bigviz.document.figure import figure
from bigviz.document.spec import Document
from bigviz.server.limits import Limits
from bigviz.server.websocket import chunked_json
from bigviz.server.websocket.chunked_json import long_dump
from bigviz.wire.frames import Type, dump

from ..running import running
from ..wire import Browser

LABELS = 150_000
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text('a"é\u2028'),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("ab"), inner),
)


@given(JSON)
def test_it_is_the_same_json(value: object):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(chunked_json, "_AT_ONCE", 2)
        assert long_dump(value) == dump(value)


@pytest.fixture(scope="module")
def named() -> Document:
    """Each row has a label of its own: 2 MiB of them."""
    names = pa.array([f"label {number:06}" for number in range(LABELS)]).dictionary_encode()
    table = pa.table({"name": names, "y": np.arange(LABELS)})
    return document(figure().points(bv.open(table, name="named"), "name", "y"), id="named")


def test_many_labels_are_written_in_a_thread_and_do_not_close_the_reader(named: Document, monkeypatch):
    """Answers that the next one makes out of date do not add up."""
    threads: list[int] = []

    def noted(value: object) -> bytes:
        threads.append(threading.get_ident())
        return long_dump(value)

    monkeypatch.setattr(chunked_json, "long_dump", noted)
    with running([named], limits=Limits(unread_bytes=10 << 20)) as server:
        loop = server.on_loop(threading.get_ident)
        with Browser(server.url, "named") as browser:
            for _ in range(20):
                last = browser.say(op="layer", figure=0, layer=0, definition=browser.definition())
            got = browser.until(lambda each: each.kind == Type.LAYER and each.frame.request == last)[-1]
            assert got.value["x"]["categories"] == [f"label {number:06}" for number in range(LABELS)]
        assert threads and loop not in threads


def test_labels_that_cannot_be_sent_are_an_error(named: Document):
    with running([named], limits=Limits(labels_bytes=1 << 20)) as server, Browser(server.url, "named") as browser:
        got = browser.layer()
        assert got.kind == Type.ERROR and got.value["field"] == "x" and "150,000 labels" in got.value["error"]
        assert browser.layer(x="y").kind == Type.LAYER, "the connection goes on"
