"""A function is called with what is appended; while it runs, nothing waits for it, and the newest rows come next."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import pyarrow as pa
import pytest

import bigviz as bv
from bigviz.common.errors import BadInput
from bigviz.data.dataset import Dataset
from bigviz.server.streams.append_hook import AppendHook

from ...patience import PATIENCE
from ..running import running

SCHEMA = {"x": "int64", "kind": pa.dictionary(pa.int8(), pa.string())}


class Called:
    """What a function was called with. The first call waits for `go`; a second one fails."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, int, list[int]]] = []
        self.schema: pa.Schema | None = None
        self.go = threading.Event()
        self.changed = threading.Condition()

    def __call__(self, name: str, version: int, rows: pa.Table) -> None:
        with self.changed:
            self.schema = rows.schema
            self.calls.append((name, version, rows["x"].to_pylist()))
            self.changed.notify_all()
        assert self.go.wait(PATIENCE)
        if len(self.calls) == 2:
            raise ValueError("twice")

    def until(self, number: int) -> list[tuple[str, int, list[int]]]:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.calls) >= number, PATIENCE)
            return list(self.calls)


def test_a_function_hears_of_what_is_appended(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    called = Called()
    with bv.serve(bv.figure().points({"a": [1], "b": [2]}, "a", "b"), port=0, block=False, quiet=True,
                  library=tmp_path, on_append=called) as served:  # fmt: skip
        server = bv.connect(f"http://127.0.0.1:{served.port}")
        ticks = server.stream("ticks", SCHEMA)
        ticks.append({"x": [1, 2], "kind": ["a", "b"]})
        assert called.until(1) == [("ticks", 2, [1, 2])]
        ticks.append({"x": [3], "kind": ["a"]})  # nobody waits for the function
        ticks.patch({"_row": [0], "x": [9]})
        ticks.append({"x": [4], "kind": ["a"]})
        with caplog.at_level(logging.ERROR, "bigviz"):
            called.go.set()
            assert called.until(2)[1] == ("ticks", 5, [3, 4])
            ticks.append({"x": [5], "kind": ["a"]})
            assert called.until(3)[2] == ("ticks", 6, [5])
        assert "on_append failed for dataset 'ticks'" in caplog.text
        assert called.schema == pa.schema(SCHEMA)


def test_no_dataset_is_passed_over_for_one_that_grows_all_the_time():
    opened: list[str] = []
    changed = threading.Condition()

    def open_dataset(name: str) -> Dataset:
        if len(opened) < 4:
            hook.tell("busy", 0)
            hook.tell("rare", 0)
        with changed:
            opened.append(name)
            changed.notify_all()
        return bv.open(pa.table({"x": [1]}))

    hook = AppendHook(lambda *_: None, open_dataset)
    hook.tell("busy", 0)
    with changed:
        assert changed.wait_for(lambda: len(opened) >= 4, PATIENCE)
    hook.close()
    assert opened[:4] == ["busy", "busy", "rare", "busy"]


def test_a_function_of_a_server_without_a_library_hears_nothing():
    with pytest.raises(BadInput, match="library=DIR"):
        bv.serve(bv.figure().points({"a": [1], "b": [2]}, "a", "b"), on_append=print)


def test_a_script_that_is_run_again_has_another_function(tmp_path: Path):
    first, second = Called(), Called()
    with running([], library=tmp_path) as served:
        served.await_event("loaded")
        shelf = served.server.site._shelf  # type: ignore[union-attr]
        assert shelf is not None
        served.on_loop(lambda: shelf.on_append(first))
        served.on_loop(lambda: shelf.on_append(second))
        bv.connect(served.url).stream("ticks", {"x": "int64"}).append({"x": [7]})
        assert second.until(1) == [("ticks", 2, [7])] and first.calls == []
        second.go.set()
