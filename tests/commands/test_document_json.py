"""`bigviz json`."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

import bigviz as bv
from bigviz.cli import cli

SCRIPT = """
import bigviz as bv
plot = bv.figure(title="Here").points({"a": [1.0], "b": [2.0]}, "a", "b").line("ticks", "time", "price")
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    pq.write_table(pa.table({"a": [1.0, 2.0], "b": [4, 5], "word": ["u", "v"]}), "trips.parquet")
    Path("app.py").write_text(SCRIPT)
    return tmp_path


def printed(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["json", *arguments])


def test_a_table_s_document_is_the_one_that_serve_shows(folder: Path) -> None:
    result = printed("trips.parquet", "--x", "b", "--y", "a", "--agg", "by(word)", "--xaxis", "log")
    made = bv.load(result.stdout)
    expected = bv.figure(title="trips", x_axis_type="log").points("trips.parquet", "b", "a", "by(word)")
    assert made == bv.document(expected, id="trips") and made.to_json() == json.loads(result.stdout)


def test_a_script_may_name_datasets_of_a_server(folder: Path) -> None:
    made = bv.load(printed("app.py").stdout)
    assert (made.id, made.datasets) == ("app", ("table", "ticks"))
    assert made.figures()[0].title == "Here"


def test_a_document_is_checked_and_written_in_the_newest_format(folder: Path) -> None:
    value = json.loads(printed("app.py").stdout) | {"format": 1, "id": "kept"}
    del value["rows"]
    Path("old.json").write_text(json.dumps(value))
    assert json.loads(printed("old.json").stdout) == value | {"format": 2, "rows": False}
    assert json.loads(printed("new=old.json").stdout)["id"] == "new"
    Path("old.json").write_text(json.dumps(value | {"format": 9}))
    result = printed("old.json")
    assert result.exit_code == 1 and "format 9" in result.stderr


def test_one_is_written_to_the_file_several_to_a_directory(folder: Path) -> None:
    assert printed("trips.parquet", "-o", "out.json").stdout == "out.json\n"
    assert bv.load(folder / "out.json").id == "trips"
    assert printed("trips.parquet", "app.py", "trips.parquet").stdout == "trips.json\napp.json\ntrips-2.json\n"
    assert bv.load(folder / "trips-2.json").id == "trips-2"
    (folder / "all").mkdir()
    assert printed("app.py", "-o", "all").stdout == f"{Path('all') / 'app.json'}\n"
    result = printed("trips.parquet", "app.py", "-o", "none")
    assert result.exit_code == 1 and "none is no directory" in result.stderr
