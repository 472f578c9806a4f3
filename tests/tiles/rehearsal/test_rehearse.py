"""After a rehearsal of a table's types no kernel is compiled for its filters, selections and brushes."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import Cancelled
from bigviz.common.jit import told_of_compiling
from bigviz.data.dataset import Dataset
from bigviz.data.open import open as open_table
from bigviz.tiles.brush.linked import BoxSource, HistogramTarget, LineTarget, RasterTarget, RasterView
from bigviz.tiles.brush.orders.shapes import Box
from bigviz.tiles.engine import Engine
from bigviz.tiles.rehearsal import compile_ahead
from bigviz.tiles.rehearsal.rehearse import rehearse
from bigviz.tiles.rehearsal.small_table import chosen_fields, small_table
from bigviz.tiles.rehearsal.table_types import TableTypes, types_of
from bigviz.tiles.selection.region import Lasso, Rectangle

from ...patience import until

POINTS, LINE = Layer("points", "b", "c", "mean(a)"), Layer("line", "n", "b", "any")
LAYERS = [POINTS, LINE]


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    rng = np.random.default_rng(1)
    b, c, a = rng.normal(size=(3, 9_000))
    kind = pa.array(rng.choice(["u", "v"], 9_000)).dictionary_encode()
    return open_table(pa.table({"a": a, "b": b, "c": c, "n": np.arange(9_000), "kind": kind}))


@pytest.mark.parametrize("stored", [False, True])
def test_what_comes_after_it_waits_for_no_compiler(dataset: Dataset, stored: bool) -> None:
    types = TableTypes.from_json(types_of(dataset, LAYERS, stored).to_json())
    rehearse(lambda stores: Engine(threads=2, stores=stores, index="existing"), types)
    compiled: list[bool] = []
    engine = Engine(threads=2)
    with told_of_compiling(lambda: compiled.append(True)):
        for text in ("", "a > 0.5", "kind = 'u'", "n >= 100 and c < 1"):
            engine.ensure(dataset, Layer("points", "b", "c", "mean(a)", filter=text))
        lasso = Lasso.of([(-1.0, -1.0), (1.0, -1.0), (0.0, 1.0)])
        for region in (Rectangle((-1.0, 1.0), (-1.0, 1.0)), lasso):
            assert engine.select(dataset, POINTS, region, ["a", "n"], "kind").count > 1_000
        targets = [RasterTarget(POINTS, RasterView(1, 1, 0, 0, 512, 512)), HistogramTarget("a", (-1.0, 0.0, 1.0)),
                   LineTarget(LINE, 0, 9_000, 100)]  # fmt: skip
        brush = engine.brush(dataset, BoxSource(POINTS), targets)
        brush.move(Box((-1.0, 1.0), (-1.0, 1.0)))
        assert brush.move(Box((-0.5, 1.5), (-0.8, 1.2))).exact
        brush.close()
    assert not compiled


def test_a_small_table_has_the_types_of_the_large_one() -> None:
    kinds = [pa.float32(), pa.int8(), pa.uint64(), pa.bool_(), pa.date32(), pa.timestamp("ms", "UTC"), pa.string(),
             pa.decimal128(9, 2), pa.dictionary(pa.int16(), pa.string()), pa.duration("s")]  # fmt: skip
    schema = pa.schema([(f"c{k}", kind) for k, kind in enumerate(kinds)])
    assert small_table(schema).schema.equals(schema)
    many = pa.schema(
        [("first", pa.int8()), *((f"c{k}", kind) for k, kind in enumerate(kinds * 2)), ("list", pa.list_(pa.int8()))]
    )
    chosen = chosen_fields(many, ["c9", "none"])
    assert chosen.names[:2] == ["c9", "first"] and len(set(chosen.types)) == len(chosen) == 8
    assert small_table(pa.schema([("list", pa.list_(pa.int8())), ("x", pa.int8())])).schema.names == ["x"]


def test_a_process_of_its_own_compiles_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[bool] = []
    monkeypatch.setattr(compile_ahead, "cache_directory", lambda: str(tmp_path))
    monkeypatch.setattr(compile_ahead, "say_compiling", lambda: told.append(True))
    monkeypatch.setattr(compile_ahead, "available_memory", lambda: 1 << 40)
    types = TableTypes(pa.schema([("x", pa.float64())]), (), False)
    stopped = Cancel()
    stopped.cancel()
    with pytest.raises(Cancelled):
        compile_ahead.compile_ahead(types, stopped)
    assert not list(tmp_path.iterdir()) and told == [True]
    compile_ahead.compile_ahead(types, NEVER)
    (marker,) = tmp_path.iterdir()
    assert marker.name.startswith("rehearsed-") and told == [True, True]
    compile_ahead.compile_ahead(types, stopped)
    monkeypatch.setattr(compile_ahead, "available_memory", lambda: 0)
    compile_ahead.compile_ahead(types, stopped)
    assert told == [True, True]


def test_why_nothing_was_compiled_ahead_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(logging.getLogger("bigviz"), "propagate", True)
    monkeypatch.setattr(compile_ahead, "say_compiling", lambda: None)
    monkeypatch.setattr(compile_ahead, "cache_directory", lambda: str(tmp_path))
    monkeypatch.setattr(compile_ahead, "available_memory", lambda: 123_000_000)
    types = TableTypes(pa.schema([("x", pa.float64())]), (), False)
    compile_ahead.compile_ahead(types, NEVER)
    monkeypatch.setattr(compile_ahead, "available_memory", lambda: 1 << 40)
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    compile_ahead.compile_ahead(types, NEVER)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    compile_ahead.compile_ahead(types, NEVER)
    monkeypatch.setattr(compile_ahead, "cache_directory", lambda: None)
    compile_ahead.compile_ahead(types, NEVER)
    found = [record.getMessage().partition(": ") for record in caplog.records]
    assert len({before for before, _, _ in found}) == 1 and not list(tmp_path.iterdir())
    assert [after for _, _, after in found] == [
        "0.1 GB of memory are free, and a process beside it needs 1.1 GB",
        "the process that compiles them has ended with status 1",
        "the process that compiles them cannot be started (No such file or directory)",
        "there is no directory to keep them in that can be written to (NUMBA_CACHE_DIR names one)",
    ]


def test_what_was_rehearsed_has_no_names_of_columns(dataset: Dataset) -> None:
    layers = [*LAYERS, Layer("points", "b", "c", "by(kind, mean(a))", filter="a > 0.5 and kind in ('u', 'v')")]
    names = {"a": "a b", "b": "`x`", "c": "and", "n": "N", "kind": "of kind"}
    renamed = open_table(dataset.take(np.arange(9), list(names)).rename_columns(list(names.values())))
    others = [
        Layer("points", "`x`", "and", "mean(a b)"),
        Layer("line", "N", "`x`", "any"),
        Layer("points", "`x`", "and", "by(of kind, mean(a b))", filter="`a b` > 0.5 and `of kind` in ('u', 'v')"),
    ]
    one, two = types_of(dataset, layers, False), types_of(renamed, others, False)
    assert one.shape() == two.shape() and one.to_json() != two.to_json()
    assert not any(name in two.shape() for name in ("a b", "`x`", "of kind"))
    changed = [
        Layer("points", "c", "b", "mean(a)"),
        Layer("points", "b", "c", "max(a)"),
        Layer("points", "b", "c", "mean(a)", filter="a > 0.5"),
        Layer("points", "b", "c", "mean(a)", filter="a < 0.5"),
        Layer("points", "b", "c", "mean(a)", filter="b < 0.5"),
    ]
    assert len({types_of(dataset, [each, LINE, layers[2]], False).shape() for each in [POINTS, *changed]}) == 6


def test_only_the_latest_notes_of_what_was_rehearsed_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compile_ahead, "_MOST_MARKERS", 3)
    (tmp_path / "kernel.nbi").touch()
    for number in range(6):
        path = tmp_path / f"rehearsed-{number}"
        path.touch()
        os.utime(path, ns=(number, number))
    compile_ahead._mark(tmp_path / "rehearsed-0")
    assert {path.name for path in tmp_path.iterdir()} == {
        "kernel.nbi", "rehearsed-0", "rehearsed-4", "rehearsed-5"
    }  # fmt: skip


def test_a_process_that_is_stopped_leaves_no_files(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, kept, stopped = tmp_path / "files", tmp_path / "kept", Cancel()
    for folder in (files, kept):
        folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(files))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(compile_ahead, "cache_directory", lambda: str(kept))
    monkeypatch.setattr(compile_ahead, "available_memory", lambda: 1 << 40)

    def stop() -> None:
        until(lambda: any(files.rglob("table.parquet")))
        stopped.cancel()

    with ThreadPoolExecutor(1) as pool:
        stopping = pool.submit(stop)
        with pytest.raises(Cancelled):
            compile_ahead.compile_ahead(types_of(dataset, LAYERS, False), stopped)
        stopping.result()
    assert not list(files.iterdir())
