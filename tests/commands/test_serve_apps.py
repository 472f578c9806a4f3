"""Which PATHs of `bigviz serve` are apps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bigviz.cli import cli
from bigviz.commands import serve
from bigviz.commands.arguments import with_scripts
from bigviz.common.errors import BadInput
from bigviz.common.progress import no_progress


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("apps/b.py", "apps/a.py", "apps/_helpers.py", "apps/README.md", "one/main.py", "one/data.toml",
                 "mixed/x.py", "mixed/t.parquet"):  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "t.csv").write_text("x,y\n1,2\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_directory_of_scripts_is_its_apps(folder: Path):
    assert with_scripts(["apps"]) == ["apps/a.py", "apps/b.py"]
    assert with_scripts(["one"]) == ["one=one/main.py"] and with_scripts(["two=one"]) == ["two=one/main.py"]
    assert with_scripts(["mixed", "t.csv", "x=t.csv"]) == ["mixed", "t.csv", "x=t.csv"], "beside tables"
    with pytest.raises(BadInput, match="2 scripts, each under its own name"):
        with_scripts(["both=apps"])


def test_apps_and_tables_are_served_together(folder: Path, monkeypatch: pytest.MonkeyPatch):
    found: list[tuple[list[str], Any]] = []
    monkeypatch.setattr(serve, "run", lambda names, load, *_, **__: found.append((names, load(no_progress))))
    made = CliRunner().invoke(cli, ["serve", "apps", "t.csv", "a=one/main.py"], catch_exceptions=False)
    assert made.exit_code == 0
    [(names, brought)] = found
    assert [document.id for document in brought.documents] == ["t"]
    assert list(brought.scripts) == [("a-2", "apps/a.py"), ("b", "apps/b.py"), ("a", "one/main.py")]
    assert sorted(names) == ["a", "a-2", "b", "t"]


def test_options_of_tables_need_one(folder: Path):
    for options in (["--x", "a"], ["--header", "no"]):
        assert CliRunner().invoke(cli, ["serve", "apps", *options]).exit_code == 2
    assert "nothing at none.py" in CliRunner().invoke(cli, ["serve", "none.py"]).stderr
