"""Uploads go in pieces, whatever their size, and end well where they are refused."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import bigviz as bv
from bigviz.client.connect import Connection
from bigviz.client.uploads import content_hash, pieces, with_bar
from bigviz.library.library import Library

from ..server.running import running

ROWS = 1 << 21
LARGE = pa.table({"x": np.arange(ROWS, dtype=float), "y": np.zeros(ROWS)})  # 32 MiB


def test_pieces_are_bounded_and_are_the_table():
    found = list(pieces(bv.open(LARGE)))
    assert max(map(len, found)) == 1 << 20 and len(found) >= 32
    assert pa.ipc.open_stream(b"".join(found)).read_all().equals(LARGE)
    assert content_hash(bv.open(LARGE))[1] == sum(map(len, found))


def test_the_hash_is_of_the_content():
    table = pa.table({"x": [1.0, 2.0]})
    same = [content_hash(bv.open(each, name=name))[0] for each, name in ((table, "a"), ({"x": [1.0, 2.0]}, "b"))]
    assert len(set(same)) == 1
    assert content_hash(bv.open(table.rename_columns(["z"])))[0] not in same


def test_a_large_table_is_uploaded(server: Connection):
    assert server.upload("large", LARGE)["rows"] == ROWS


def test_a_large_upload_that_is_refused_says_why(tmp_path: Path):
    with Library.open(tmp_path / "library", serve=True) as library:
        library.users.add("ada")
        secret = library.tokens.create("ada", "read", 1)[1]
        with running([], library=library) as served:
            served.await_event("loaded")
            reader = bv.connect(served.url, secret)
            with pytest.raises(bv.Forbidden, match="write"):
                reader.upload("large", LARGE)
            with pytest.raises(bv.Forbidden, match="write"):
                reader.publish("plot", bv.figure().points(LARGE, x="x", y="y"))


def test_a_server_that_keeps_nothing_says_so():
    document = bv.document(bv.figure().points({"x": [1.0], "y": [1.0]}, x="x", y="y"), id="served")
    with running([document]) as served:
        served.await_event("loaded")
        with pytest.raises(bv.Conflict, match="start it with --library"):
            bv.connect(served.url).upload("large", LARGE)


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("size", "terminal", "shown"), [(9 << 20, True, True), (9, True, False), (9 << 20, False, False)]
)
def test_a_terminal_shows_a_bar_for_many_pieces(
    size: int, terminal: bool, shown: bool, monkeypatch: pytest.MonkeyPatch
):
    told = _Terminal() if terminal else io.StringIO()
    monkeypatch.setattr(sys, "stderr", told)
    monkeypatch.setenv("TERM", "xterm")
    assert list(with_bar("a[b]\x1b", iter([b"1", b"2"]), size)) == [b"1", b"2"]
    assert ("uploading a[b]" in told.getvalue()) is shown and "\x1b]" not in told.getvalue()
