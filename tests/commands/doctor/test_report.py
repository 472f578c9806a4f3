"""`bigviz doctor` as a command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bigviz.cli import cli
from bigviz.commands.doctor import report
from bigviz.commands.doctor.finding import Finding


def ran(tmp_path: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["doctor", "--library", str(tmp_path), "--store-dir", str(tmp_path), *words])


@pytest.mark.parametrize("state", ["ok", "note", "problem"])
def test_only_a_problem_makes_it_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str):
    one = Finding("limits", "open files", "7", state, None if state == "ok" else "Raise it.")  # type: ignore[arg-type]
    monkeypatch.setattr(report, "findings", lambda store, library: [one])
    made, text = ran(tmp_path, "--json"), ran(tmp_path)
    assert made.exit_code == text.exit_code == (1 if state == "problem" else 0)
    assert json.loads(made.stdout) == {
        "ok": state != "problem",
        "findings": [{"section": "limits", "name": "open files", "value": "7", "state": state, "remedy": one.remedy}],
    }
    assert "open files: 7" in text.stdout and ("-> Raise it." in text.stdout) == (state != "ok")


def test_each_section_is_there_and_nothing_is_made(tmp_path: Path):
    value = json.loads(ran(tmp_path, "--json").stdout)
    sections = dict.fromkeys(each["section"] for each in value["findings"])
    assert list(sections) == ["versions", "kernels", "disk", "library", "limits", "browser"]
    assert all((each["remedy"] is None) == (each["state"] == "ok") for each in value["findings"])
    assert not any(tmp_path.iterdir())


def test_without_a_home_there_are_no_directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def homeless() -> Path:
        raise RuntimeError("no home")

    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    found = {each.name: each for each in report.findings(None, None)}
    assert found["library"].state == found["indexes"].state == "note"
    assert "--library" in str(found["library"].remedy) and "--store-dir" in str(found["indexes"].remedy)
