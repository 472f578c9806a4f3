"""deploy/Dockerfile: the linter takes it, what it copies is there, and what it runs starts a server that is healthy."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from ..command_line import ran
from ..patience import PATIENCE
from .proxies import DEPLOY, ROOT, program
from .started import started

TEXT = (DEPLOY / "Dockerfile").read_text()


def words(instruction: str) -> list[str]:
    """Those of an instruction that is a list in JSON."""
    found = re.findall(rf"^\s*{instruction} (\[.*\])$", TEXT, re.M)[-1]
    return [str(word) for word in json.loads(found)]


def test_the_linter_takes_it() -> None:
    done = subprocess.run(
        [program("hadolint"), DEPLOY / "Dockerfile"], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_it_copies_is_there_and_is_sent_to_the_builder() -> None:
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().split()
    copied = [name for line in re.findall(r"^COPY (?!--from)(.*) \S+$", TEXT, re.M) for name in line.split()]
    assert {"bigviz", "pyproject.toml", "hatch_build.py"} <= set(copied)
    for name in copied:
        assert (ROOT / name).exists() and name not in ignored


def test_what_it_runs_is_healthy(tmp_path: Path) -> None:
    here = [word.replace("/data", str(tmp_path)) for word in words("CMD")]
    assert words("ENTRYPOINT") == ["bigviz"] and re.search(r"^USER [1-9]", TEXT, re.M)
    assert "bigviz user add" in ran(*here).stderr, "others could reach it"
    assert ran("user", "add", "ada", "--admin", "--library", tmp_path / "library").returncode == 0
    with started(here) as port:
        script = re.search(r'CMD \["python", "-c", "(.*)"\]', TEXT)
        assert script is not None
        for at, healthy in ((port, True), (1, False)):
            command = [sys.executable, "-c", script[1].replace("5006", str(at))]
            done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)
            assert (done.returncode == 0) is healthy
