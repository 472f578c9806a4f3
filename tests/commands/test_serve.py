"""Options of `bigviz serve` that contradict each other."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from bigviz.cli import cli


@pytest.mark.parametrize("other", [("--port", "5006"), ("--address", "127.0.0.1")])
@pytest.mark.parametrize("first", [True, False])
def test_a_unix_socket_takes_the_place_of_address_and_port(tmp_path: Path, other: tuple[str, str], first: bool):
    unix = ("--unix-socket", str(tmp_path / "bigviz.sock"))
    made = CliRunner().invoke(cli, ["serve", *(other + unix if first else unix + other)])
    assert made.exit_code == 2 and f"leave out {other[0]}" in made.stderr
    assert not any(tmp_path.iterdir())
