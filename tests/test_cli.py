"""The command line: help, versions, mistakes, and what its commands load."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from bigviz import __version__
from bigviz.cli import cli
from bigviz.commands import info
from bigviz.commands.plot_server import people

from .command_line import layer, ran, serving, tables_in


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tables_in(tmp_path_factory.mktemp("tables"))


HELP = """
import sys
sys.argv = ["bigviz", "--help"]
try:
    from bigviz.cli import main
    main()
except SystemExit:
    pass
loaded = {name.split(".")[0] for name in sys.modules}
heavy = {"numpy", "numba", "pyarrow", "xarray", "tornado", "rich", "pandas", "asyncio", "datashader"}
print("LOADED", *sorted(loaded & heavy))
"""


def test_help_loads_nothing_heavy():
    found = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True, check=True).stdout
    assert found.rstrip().endswith("LOADED") and "bigviz serve trips.parquet" in found
    listed = {line.split()[0] for line in found.partition("Commands:")[2].splitlines() if line.strip()}
    words = "serve json secret publish unpublish list user token index info bench demo doctor"
    assert listed >= {*words.split(" ")}


COMMANDS = [[each] for each in cli.commands] + [
    [str(group.name), each] for group in (people.user, people.token) for each in group.commands
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_each_help_shows_an_example(command: list[str]):
    said = CliRunner().invoke(cli, [*command, "-h"], prog_name="bigviz", color=False)
    assert said.exit_code == 0
    assert any(line.startswith(f"  bigviz {' '.join(command)}") for line in said.stdout.splitlines())


def test_a_former_word_of_index_gives_a_hint(folder: Path):
    assert "[auto|existing|never]" in CliRunner().invoke(cli, ["serve", "--help"]).stdout
    answer = ran("serve", "--index", "asked", "--port", "0", str(folder / "none.parquet"))
    assert "--index asked is now called existing" in answer.stderr and "There is nothing at" in answer.stderr


def test_a_server_listens_before_the_engine_is_loaded():
    code = (
        "import sys; import bigviz.server.run.process;"
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'numba', 'pyarrow', 'datashader'}))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found.strip() == "[]"


def test_serving_loads_no_datashader(folder: Path):
    code = (
        "import sys; from bigviz.server.run.loading import Columns, open_paths; import bigviz.server.run.process;"
        f"open_paths([('a', {str(folder / 'trips.parquet')!r})], Columns());"
        "print(sorted({m.split('.')[0] for m in sys.modules} & "
        "{'datashader', 'dask', 'fsspec', 'xarray', 'pandas', 'obstore', 'boto3', 'deltalake'}))"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


def test_what_the_system_refuses_is_said_in_a_line(monkeypatch: pytest.MonkeyPatch):
    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error", "/data/t.parquet")

    monkeypatch.setattr(info, "summary", refused)
    done = CliRunner().invoke(cli, ["info", "t.parquet"])
    assert done.exit_code == 1 and done.output == "Error: /data/t.parquet: input/output error.\n"


@pytest.mark.parametrize("option", ["-v", "--version"])
def test_version(option: str):
    assert CliRunner().invoke(cli, [option]).stdout == f"bigviz, version {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["nope.parquet"], "nothing at nope.parquet"),
        (["{folder}/nothing"], "nothing"),
        (["{folder}/broken.parquet"], "broken.parquet"),
        (["{folder}/empty.parquet"], "empty.parquet"),
        (["{folder}/trips.parquet", "--x", "far"], "'fare'"),
        (["{folder}/trips.parquet", "--agg", "mode(fare)"], "expected one of"),
        (["{folder}/trips.parquet", "--agg", "by(fare)"], "needs a column of labels"),
        (["{folder}/trips.parquet", "app.py"], "nothing at app.py"),
    ],
)
def test_mistakes_are_told_in_a_line_and_end_with_1(folder: Path, arguments: list[str], word: str):
    found = ran(
        "serve", *[each.format(folder=folder) for each in arguments], "--port", 0, "--no-browser", cwd=folder.parent
    )
    assert found.returncode == 1 and word in found.stderr and "Traceback" not in found.stderr
    assert found.stderr.startswith("Error: ") and len(found.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "arguments", [["serve", "--x", "a"], ["serve", "x", "--port", "99999"], ["serve", "x", "--glyph", "bars"], ["fly"]]
)
def test_wrong_usage_ends_with_2(arguments: list[str]):
    assert CliRunner().invoke(cli, arguments).exit_code == 2


def test_info(folder: Path):
    found = CliRunner().invoke(cli, ["info", str(folder / "trips.parquet")]).stdout
    assert "trips: 1,000 rows, 4 columns" in found and "Shown without --x and --y: points of x and y." in found
    assert ran("info", "nope").returncode == 1


def test_csv_as_it_is_said_and_what_was_assumed(tmp_path: Path):
    path = tmp_path / "sensor.csv"
    path.write_text("1;2\n3;4\n5;1\n")
    with serving("serve", path, "--header", "yes", "--delimiter", ";") as (process, url):
        process.until("opened   sensor: 2 rows")
        said = process.until("was read as CSV")
        assert "cells are separated by semicolons; line 1 holds the names '1', '2'." in said
        assert layer(url)["rows"] == 2
    assert "f0" in CliRunner().invoke(cli, ["info", "--header", "no", str(path)]).stdout
    wrong = CliRunner().invoke(cli, ["info", "--delimiter", "ab", str(path)])
    assert wrong.exit_code == 1 and "delimiter is one ASCII character" in wrong.stderr
    (tmp_path / "app.py").write_text("")
    assert CliRunner().invoke(cli, ["serve", "--header", "no", str(tmp_path / "app.py")]).exit_code == 2
