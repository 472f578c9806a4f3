"""deploy/bigviz.service: systemd takes it, it confines the server, and its command line starts one."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ..command_line import ran
from ..patience import PATIENCE
from .proxies import DEPLOY
from .started import started, status

UNIT = DEPLOY / "bigviz.service"
TAKEN = shutil.which("systemd-analyze")


def settings() -> dict[str, str]:
    """The lines of the unit; of those with one name the last."""
    return dict(re.findall(r"^(\w+)=(.*)$", UNIT.read_text().replace("\\\n", " "), re.M))


@pytest.mark.skipif(TAKEN is None, reason="systemd-analyze comes with systemd")
def test_systemd_takes_it(tmp_path: Path) -> None:
    here = tmp_path / UNIT.name
    here.write_text(UNIT.read_text().replace("/opt/bigviz/bin/bigviz", sys.executable))  # it has to be there
    for command in (("verify", "--man=no"), ("security", "--offline=yes", "--threshold=20")):
        done = subprocess.run(
            [str(TAKEN), *command, here], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert command[0] == "security" or done.stderr == ""


def test_its_command_line_starts_a_server(tmp_path: Path) -> None:
    found, folders = settings(), {"%S": tmp_path / "state", "%C": tmp_path / "cache", "%d": tmp_path / "credentials"}
    for folder in folders.values():
        (folder / "bigviz").mkdir(parents=True)

    def placed(text: str) -> str:
        for mark, folder in folders.items():
            text = text.replace(mark, str(folder))
        return text

    assert found["LoadCredential"].partition(":")[0] == "secret"
    (folders["%d"] / "secret").write_text(ran("secret").stdout)
    program, *arguments = shlex.split(placed(found["ExecStart"]))
    name, _, value = placed(found["Environment"]).partition("=")
    assert program == "/opt/bigviz/bin/bigviz" and name == "NUMBA_CACHE_DIR"
    with started(arguments, {name: value}) as port:
        assert status(port, "/healthz", Host="plots.example.org") == 200
        assert status(port, "/healthz", Host="other.example.org") == 403
    kept = [path.relative_to(tmp_path) for path in tmp_path.rglob("library.sqlite")]
    assert kept == [Path("state", "bigviz", "library.sqlite")]
    assert int(found["TimeoutStopSec"]) > 10, "a server takes up to 10 s to end"
