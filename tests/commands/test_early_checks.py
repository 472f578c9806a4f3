"""Columns that a table does not have, and maps that cannot be, before anything listens."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from bigviz.cli import cli
from bigviz.commands import serve


@pytest.fixture
def listened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What a server was begun with, which is not begun."""
    found: list[object] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(serve, "run", lambda names, load, *_, **__: found.append(names))
    return found


@pytest.mark.parametrize("name", ["t.parquet", "t.csv", "t.arrow"])
@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--x", "nosuch"), "no column 'nosuch'"),
        (("--x", "a", "--y", "nosuch"), "no column 'nosuch'"),
        (("--x", "a", "--y", "b"), None),
        (("--agg", "count"), None),
    ],
)
def test_columns_are_looked_for_first(listened: list[object], name: str, options: tuple[str, ...], told: str | None):
    table = pa.table({"a": [1.0, 2.0], "b": [1, 2]})
    if name.endswith(".csv"):
        Path(name).write_text("a,b\n1.0,1\n2.0,2\n")
    elif name.endswith(".arrow"):
        with pa.OSFile(name, "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
    else:
        pq.write_table(table, name)
    made = CliRunner().invoke(cli, ["serve", name, *options])
    assert (made.exit_code, listened) == ((0, [["t"]]) if told is None else (1, [])), made.output
    assert told is None or told in made.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--basemap", "https://tile.example/{z}/{x}/{y}.png"), "needs attribution"),
        (("--basemap", "tile.example", "--attribution", "Map makers"), "an address of map tiles"),
        (("--attribution", "Map makers"), "attribution is for a map"),
    ],
)
def test_maps_that_cannot_be(listened: list[object], options: tuple[str, ...], told: str):
    Path("t.csv").write_text("lon,lat\n1.0,1\n2.0,2\n")
    made = CliRunner().invoke(cli, ["serve", "t.csv", *options])
    assert made.exit_code == 1 and told in made.stderr and listened == []


def test_a_column_of_one_of_many_files_is_left_to_the_start(listened: list[object]):
    Path("days").mkdir()
    pq.write_table(pa.table({"a": [1.0]}), "days/1.parquet")
    pq.write_table(pa.table({"a": [1.0], "b": [1.0]}), "days/2.parquet")
    assert CliRunner().invoke(cli, ["serve", "days", "--x", "b", "--y", "a"]).exit_code == 0
    assert CliRunner().invoke(cli, ["serve", "--follow", "days", "--x", "b", "--y", "a"]).exit_code == 0
    assert listened == [["days"], ["days"]]
