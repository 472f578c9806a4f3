"""`bigviz index`, as a function and as a process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from bigviz.cli import cli
from bigviz.commands.index import index_path, layer_from
from bigviz.common.errors import BadInput, NotFound
from bigviz.data.formats.delimited.dialect import CsvOptions
from bigviz.data.open import open as open_dataset
from bigviz.server.run.loading import Columns, document_of
from bigviz.tiles.store.catalog.directory import StoreDirectory

from ..patience import PATIENCE

BIGVIZ = (sys.executable, "-m", "bigviz")


def written(path: Path, rows: int) -> Path:
    rng = np.random.default_rng(0)
    columns = {"x": rng.random(rows), "y": rng.random(rows), "fare": rng.random(rows), "a,b": rng.random(rows)}
    pq.write_table(pa.table({**columns, "t": np.arange(rows)}), path, row_group_size=1 << 16)
    return path


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return written(tmp_path / "trips.parquet", 2_000)


def test_the_layer_is_the_one_that_serve_shows(table: Path):
    dataset = open_dataset(table)
    assert layer_from(dataset, {}).key() == ("points", "x", "y", "count", "linear", "linear", "default", "")
    words = {"x": "t", "y": "fare", "agg": "mean(x)", "xaxis": "log"}
    assert layer_from(dataset, words).key() == ("points", "t", "fare", "mean(x)", "log", "linear", "default", "")
    line = layer_from(dataset, {"x": "t", "y": "fare", "glyph": "line"})
    ((_, shown),) = document_of(dataset, "a", Columns("t", "fare", None, "line")).layers()
    assert (line.x, line.y, line.glyph) == (shown.x, shown.y, shown.glyph)
    with pytest.raises(NotFound):
        layer_from(dataset, {"x": "fair"})
    with pytest.raises(BadInput, match="mercator"):
        layer_from(dataset, {"xaxis": "mercator"})


def test_a_line_is_indexed_once(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    words = {"x": "t", "y": "fare", "glyph": "line"}
    for _ in range(2):
        assert index_path(str(table), words, [], tmp_path / "out", None) == 0
    captured = capsys.readouterr()
    said = captured.out.splitlines()
    assert len(said) == 2 and said[0].startswith("trips: 2,000 rows by t and fare in ")
    assert captured.err.count("The index of 'trips' takes about 0.0") == 1  # the second time it is there
    assert f"for the line (8.2 bytes a row). It goes to {tmp_path / 'out'}, where " in captured.err
    (entry,) = StoreDirectory(tmp_path / "out").entries()
    assert entry.state == "ready" and entry.of["spec"]["kind"] == "series" and said[1].endswith(str(entry.path))


def test_points_are_indexed_with_columns_and_a_pyramid(table: Path, tmp_path: Path):
    out = str(tmp_path / "out")
    words = ["--x", "x", "--y", "y", "--columns", 'fare,"a,b"', "--agg", "mean(t)", "--out", out]
    done = CliRunner().invoke(cli, ["index", str(table), *words])
    assert done.exit_code == 0, done.output
    (entry,) = StoreDirectory(tmp_path / "out").entries()
    assert entry.state == "ready" and set(entry.manifest.facts["columns"]) == {"fare", "a,b", "t"}
    text = CliRunner().invoke(cli, ["info", str(table), "--store-dir", out]).output
    assert "columns" in text and "mean(t)" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--x", "fair"], "no column 'fair'"),
        (["--columns", "fair"], "no column 'fair'"),
        (["--store-limit", "much"], "--store-limit is a size such as 20GB"),
        (["--store-limit", "1kB"], "allow more with --store-limit"),
        (["--out", "trips.parquet"], "is a file"),
        (["--xaxis", "mercator"], "mercator is for both axes"),
    ],
)
def test_what_cannot_be_indexed_is_said_in_a_line(
    table: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
):
    monkeypatch.chdir(table.parent)
    done = CliRunner().invoke(cli, ["index", "trips.parquet", "--out", "out", *arguments])
    assert done.exit_code in (1, 2) and words in done.output, done.output
    assert isinstance(done.exception, SystemExit) and not list(table.parent.glob("out/*-*"))


def test_a_csv_is_read_as_it_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "sensor.csv"
    path.write_text("".join(f"{row};{row % 7}\n" for row in range(3_000)))
    arguments = (str(path), {"x": "0", "y": "0_1"}, [], tmp_path / "out", None)
    assert index_path(*arguments, CsvOptions(header=True, delimiter=";")) == 0
    said = capsys.readouterr()
    assert said.out.startswith("sensor: 2,999 rows by 0 and 0_1 in ")
    assert "reading sensor.csv" in said.err or "rows in Morton order" in said.err or "ordering" in said.err
    assert f"{path} was read as CSV: cells are separated by semicolons; line 1 holds the names '0', '0_1'." in said.err
    with pytest.raises(BadInput, match="for CSV files only"):
        index_path(str(written(tmp_path / "t.parquet", 10)), {}, [], tmp_path / "out", None, CsvOptions(delimiter=";"))


# `bigviz` that builds on only when it is interrupted: on no machine has the build ended before.
PATIENT = """
import time
from contextlib import contextmanager
from bigviz.cli import main
from bigviz.commands import index
from bigviz.tiles.store.catalog import atomic_build

told, interruptible = atomic_build._Told.__call__, index.interruptible

@contextmanager
def noted():
    with interruptible() as cancel:
        def held(self, *facts):
            told(self, *facts)
            while not cancel.cancelled:
                time.sleep(0.01)
        atomic_build._Told.__call__ = held
        yield cancel

index.interruptible = noted
main()
"""


def test_ctrl_c_keeps_what_is_done_and_says_how_to_go_on(tmp_path: Path):
    table, out = tmp_path / "large.parquet", tmp_path / "out"
    x, y = np.random.default_rng(0).random((2, 200_000))
    pq.write_table(pa.table({"x": x, "y": y}), table, row_group_size=1 << 14)
    words = ["index", str(table), "--x", "x", "--y", "y", "--out", str(out)]
    command = [sys.executable, "-c", PATIENT, *words]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    while not (told := list(out.glob("*.building/progress.json"))):
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.01)
    process.send_signal(signal.SIGINT)
    said, complained = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130 and said == "", complained
    assert f"Interrupted. What is done is kept in {out}: the same command continues from there." in complained
    assert "Traceback" not in complained and json.loads(told[0].read_text())["pid"] == process.pid
    assert [each.state for each in StoreDirectory(out).entries()] == ["unfinished"]
    subprocess.run([*BIGVIZ, *words], capture_output=True, timeout=PATIENCE, check=True)
    assert [each.state for each in StoreDirectory(out).entries()] == ["ready"]
    assert not os.path.exists(told[0])
