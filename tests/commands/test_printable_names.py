"""No command prints a name as it stands: not of columns, files, directories or documents."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from bigviz.cli import cli

from ..patience import PATIENCE

EVIL = "\x1b]0;owned\x07\x1b[2J\u202e\n"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    folder = tmp_path / f"d{EVIL}"
    folder.mkdir()
    path = folder / f"t{EVIL}.parquet"
    nested = pa.array([{EVIL: 1}] * 3)
    pq.write_table(pa.table({f"x{EVIL}": [1, 2, 3], f"y{EVIL}": [1.0, 2.0, 3.0], f"s{EVIL}": nested}), path)
    return path


def said(*words: str | bytes) -> str:
    """All that a command writes, which has to be text that a terminal only shows."""
    if words[0] == "serve":  # ends its process
        command = [sys.executable, "-m", "bigviz", *words]
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)
        text = (done.stdout + done.stderr).decode()
    else:
        text = CliRunner().invoke(cli, [os.fsdecode(word) for word in words]).output
    assert all(letter.isprintable() or letter == "\n" for letter in text), text
    assert "Traceback" not in text
    return text


def test_info(table: Path) -> None:
    text = said("info", str(table))
    assert "3 rows, 3 columns" in text and "x\\x1b]0;owned" in text and "struct<\\x1b" in text


def test_a_file_that_is_not_there(table: Path) -> None:
    assert "No data file matches" in said("info", f"{table}2")
    assert "There is nothing at" in said("serve", f"{table}2", "--port", "0", "--no-browser")


def test_a_column_that_is_not_there(table: Path) -> None:
    text = said("serve", str(table), "--x", f"z{EVIL}", "--y", f"y{EVIL}", "--port", "0", "--no-browser")
    assert "no column" in text


def test_files_that_are_damaged_or_do_not_fit_together(table: Path) -> None:
    table.with_name(f"u{EVIL}.parquet").write_bytes(b"PAR1")
    assert "truncated Parquet" in said("info", str(table.parent))
    pq.write_table(pa.table({f"x{EVIL}": ["a"]}), table.with_name(f"u{EVIL}.parquet"))
    assert "no type holds both" in said("info", str(table.parent))


def test_an_index(table: Path, tmp_path: Path) -> None:
    store = str(tmp_path / f"stores{EVIL}")
    text = said("index", str(table), "--x", f"x{EVIL}", "--y", f"y{EVIL}", "--out", store)
    assert "3 rows by x\\x1b" in text
    assert "index of" in said("info", store)


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff\xfe.parquet"
    with open(path, "wb") as file:
        pq.write_table(pa.table({"x": [1, 2], "y": [3, 4]}), file)
    assert "\\udcff" in said("info", path)
    assert "\\udcff" in said("info", path + b"2")
