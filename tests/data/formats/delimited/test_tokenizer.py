"""DuckDB opens the one file it was given, whatever that file is called, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bigviz.common.cancel import NEVER
from bigviz.data.formats.delimited.text import Work, csv_text
from bigviz.data.formats.delimited.tokenizer import CsvFault, Tokenizer
from bigviz.data.formats.stable_file import StableFile
from bigviz.data.open import open as open_table

from ....patience import PATIENCE

HOSTILE = (
    "a*b.csv", "[x].csv", "a?.csv", "{a,b}.csv", "it's.csv", 'say "x".csv', "a';DROP TABLE t;--.csv", "~.csv",
    "$HOME.csv", "https:.csv", "-.csv", "a b\n.csv", "%s.csv", "é漢.csv", "x.csv.parquet", "year=2024.csv",
)  # fmt: skip


@pytest.fixture
def tokenizer(tmp_path: Path) -> Iterator[Tokenizer]:
    path = tmp_path / "t.csv"
    path.write_text("x,y\n1,2\n3,4\n")
    work = Work(str(path), 1 << 20, lambda *_: None, NEVER)
    with csv_text(StableFile.at(str(path)), work) as text, closing(Tokenizer(text)) as made:
        yield made


@pytest.mark.parametrize("name", HOSTILE)
def test_names_of_files_are_no_patterns_and_no_sql(tmp_path: Path, name: str) -> None:
    for other in ("ab.csv", "aXb.csv", "x.csv", "a.csv", "b.csv", "aa.csv"):
        (tmp_path / other).write_text("wrong,w\n7,7\n7,7\n7,7\n")
    (tmp_path / name).write_text("x,y\n1,2\n3,4\n")
    dataset = open_table(tmp_path / name)
    assert dataset.schema.names == ["x", "y"] and dataset.column("y").values.tolist() == [2, 4]


def test_a_name_in_bytes_that_are_no_utf8(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff\xfe.csv"
    with open(path, "wb") as file:
        file.write(b"x,y\n1,2\n")
    assert open_table(os.fsdecode(path)).column("y").values.tolist() == [2]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('{neighbour}')",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM read_csv('http://127.0.0.1:1/x.csv')",
        "COPY (SELECT 1) TO '{neighbour}'",
        "ATTACH '{neighbour}'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET allowed_paths = ['{neighbour}']",
        "SET threads = 64",
        "SET memory_limit = '100GB'",
    ],
)
def test_nothing_else_can_be_opened_or_allowed(tokenizer: Tokenizer, tmp_path: Path, sql: str) -> None:
    neighbour = tmp_path / "neighbour.csv"
    neighbour.write_text("x,y\n1,2\n")
    with pytest.raises(Exception, match=r"disabled|locked|Cannot (access|change)"):
        tokenizer._connection.execute(sql.format(neighbour=neighbour)).fetchall()
    assert neighbour.read_text() == "x,y\n1,2\n"


def test_memory_threads_and_disk_are_bounded(tokenizer: Tokenizer) -> None:
    settings = {
        name: tokenizer._connection.execute("SELECT current_setting(?)", [name]).fetchall()[0][0]
        for name in ("memory_limit", "threads", "temp_directory", "enable_external_access", "autoload_known_extensions")
    }
    assert 1 <= settings.pop("threads") <= 4
    assert settings == {
        "memory_limit": "512.0 MiB",
        "temp_directory": "",
        "enable_external_access": False,
        "autoload_known_extensions": False,
    }


def test_cells_are_text_in_the_order_of_the_file(tokenizer: Tokenizer) -> None:
    dialect = {"delim": ",", "quote": '"', "escape": '"', "header": True}
    (batch,) = tokenizer.cells(dialect, 2, [("c1", ()), ("TRY_CAST(c0 AS INTEGER) + ?", [1])])
    assert [column.to_pylist() for column in batch.columns] == [["2", "4"], [2, 4]]


def test_a_fault_tells_the_record(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x,y\n1,2\n3\n")
    work = Work(str(path), 1 << 20, lambda *_: None, NEVER)
    with (
        csv_text(StableFile.at(str(path)), work) as text,
        closing(Tokenizer(text)) as tokenizer,
        pytest.raises(CsvFault) as caught,
    ):
        list(tokenizer.cells({"delim": ",", "header": True}, 2, [("c0", ()), ("c1", ())]))
    fault = caught.value
    assert (fault.kind, fault.record, fault.expected, fault.found, fault.line) == ("columns", 3, 2, 1, "3")


def test_only_a_csv_loads_duckdb_and_none_loads_pandas(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("x,y\n1,2\n")
    pq.write_table(pa.table({"x": [1, 2], "y": [3, 4]}), tmp_path / "t.parquet")
    code = f"""
import sys
from bigviz.server.run.loading import Columns, open_paths
for name in ("t.parquet", "t.csv"):
    open_paths([("t", {str(tmp_path)!r} + "/" + name)], Columns())
    print(*[heavy for heavy in ("duckdb", "pandas", "fsspec") if heavy in sys.modules] or ["-"])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert done.stdout.split() == ["-", "duckdb"]
