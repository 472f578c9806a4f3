"""Options of `bigviz serve` that contradict each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bigviz.cli import cli
from bigviz.commands import serve
from bigviz.common.progress import no_progress
from bigviz.server.run import on_cluster, process
from bigviz.server.run.options import Options


@pytest.mark.parametrize("other", [("--port", "5006"), ("--address", "127.0.0.1")])
@pytest.mark.parametrize("first", [True, False])
def test_a_unix_socket_takes_the_place_of_address_and_port(tmp_path: Path, other: tuple[str, str], first: bool):
    unix = ("--unix-socket", str(tmp_path / "bigviz.sock"))
    made = CliRunner().invoke(cli, ["serve", *(other + unix if first else unix + other)])
    assert made.exit_code == 2 and f"leave out {other[0]}" in made.stderr
    assert not any(tmp_path.iterdir())


def test_what_is_followed_is_data_that_is_there(tmp_path: Path):
    app = tmp_path / "app.py"
    app.write_text("")
    for arguments, told in (
        (["--follow", str(tmp_path / "none.csv")], "There is nothing at"),
        (["--follow", str(app)], "--follow is for data files"),
        (["--follow", f"t={tmp_path}", f"t={app.with_suffix('')}"], "There is nothing at"),
    ):
        made = CliRunner().invoke(cli, ["serve", *arguments])
        assert made.exit_code != 0 and told in made.stderr, arguments


def test_options_of_columns_go_with_what_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    (tmp_path / "b.csv").write_text("x;y\n1;2\n")
    found: list[tuple[list[str], Any]] = []
    monkeypatch.setattr(serve, "run", lambda names, load, *_, **__: found.append((names, load(no_progress))))
    arguments = [str(tmp_path / "a.csv"), "--follow", f"grown={tmp_path / 'b.csv'}", "--x", "y", "--y", "x"]
    made = CliRunner().invoke(cli, ["serve", *arguments], catch_exceptions=False)
    assert made.exit_code == 0
    [(names, brought)] = found
    assert names == ["a", "grown"] and [each.table.name for each in brought.followed] == ["grown"]
    layers = [layer for document in brought.documents for _, layer in document.layers()]
    assert [(layer.x, layer.y) for layer in layers] == [("y", "x"), ("y", "x")]
    assert [brought.documents[at].sources[name].lineage is None for at, name in enumerate(names)] == [True, False]


def test_the_operator_may_forbid_maps(monkeypatch: pytest.MonkeyPatch):
    found: list[Options] = []
    monkeypatch.setattr(serve, "ended", lambda status: None)
    monkeypatch.setattr(process, "run", lambda options, *_, **__: found.append(options))
    for arguments in ([], ["--no-basemaps"]):
        CliRunner().invoke(cli, ["serve", "--no-browser", *arguments], catch_exceptions=False)
    assert [each.basemaps for each in found] == [True, False]


def test_a_server_that_fails_leaves_the_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    closed: list[str] = []

    class Engine:
        def close(self) -> None:
            closed.append("engine")

    def fail(options: Options, names: list[str], load: Any, *_: Any, **__: Any) -> int:
        assert isinstance(load(no_progress).engine, Engine)
        raise OSError("no port is free")

    monkeypatch.setattr(on_cluster, "engine_on", lambda *_: Engine())
    monkeypatch.setattr(process, "run", fail)
    made = CliRunner().invoke(cli, ["serve", str(tmp_path / "a.csv"), "--workers", "1", "--no-browser"])
    assert isinstance(made.exception, OSError) and closed == ["engine"]
