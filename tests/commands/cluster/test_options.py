"""What `bigviz serve` says to words about a cluster that do not go together, before anything is started."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from bigviz.cli import cli
from bigviz.commands import serve
from bigviz.commands.cluster import options


@pytest.fixture
def table(tmp_path: Path) -> str:
    path = tmp_path / "t.csv"
    path.write_text("x,y\n1,2\n3,4\n")
    return str(path)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--workers", "2", "--scheduler", "tcp://h:1"), "leave out --workers or --scheduler"),
        (("--workers", "0"), "1<=x<=256"),
        (("--scheduler-ca", "pyproject.toml"), "are for --scheduler"),
    ],
)
def test_words_that_do_not_go_together_are_refused(table: str, words: tuple[str, ...], said: str) -> None:
    found = CliRunner().invoke(cli, ["serve", table, "--no-browser", *words])
    assert found.exit_code == 2 and said in " ".join(found.output.split())


@pytest.mark.parametrize("glyph", [None, "points", "line", "histogram", "bar"])
def test_workers_draw_every_glyph_and_choose_none(
    table: str, glyph: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[str | None, ...]] = []
    monkeypatch.setattr(serve, "serve_tables", lambda tables, columns, *others: given.append(columns))
    words = () if glyph is None else ("--glyph", glyph)
    assert CliRunner().invoke(cli, ["serve", table, "--no-browser", "--workers", "2", *words]).exit_code == 0
    assert [each[3] for each in given] == [glyph]


def test_a_script_and_a_library_are_not_served_by_workers(tmp_path: Path) -> None:
    script = tmp_path / "app.py"
    script.write_text("")
    for paths, said in (((str(script),), "serve scripts without them"), ((), "need a PATH")):
        found = CliRunner().invoke(cli, ["serve", *paths, "--no-browser", "--workers", "2"])
        assert found.exit_code == 2 and said in " ".join(found.output.split())


def test_without_dask_it_is_said_how_to_get_it(table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options, "find_spec", lambda name: None)
    found = CliRunner().invoke(cli, ["serve", table, "--no-browser", "--workers", "2"])
    assert found.exit_code == 1 and "pip install 'bigviz[cluster]'" in found.output
