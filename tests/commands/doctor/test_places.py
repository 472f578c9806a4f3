"""Directories that are written to."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from bigviz.commands.doctor import places
from bigviz.commands.doctor.finding import Finding


def found(directory: Path, local: bool = True) -> dict[str, Finding]:
    return {each.name: each for each in places.place("library", "--library", directory, local=local)}


def test_nothing_is_made(tmp_path: Path):
    there = found(tmp_path / "a" / "b")
    assert [each.state for each in there.values()] == ["ok"] * 3
    assert "made when it is needed" in there["library"].value and not any(tmp_path.iterdir())


def test_one_that_cannot_be_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "access", lambda *args: False)  # root may write everywhere
    (only,) = found(tmp_path).values()
    assert only.state == "problem" and "cannot be written to" in only.value and "--library" in str(only.remedy)


def test_a_file_in_its_place(tmp_path: Path):
    (tmp_path / "file").touch()
    (only,) = found(tmp_path / "file" / "library").values()
    assert only.state == "problem" and "is no directory" in only.value


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=places.LITTLE - 1))
    free = found(tmp_path)["library, free"]
    assert free.state == "problem" and "Make room" in str(free.remedy) and free.value == "268 MB"


@pytest.mark.parametrize(("local", "state"), [(True, "problem"), (False, "note")])
def test_a_network_file_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, local: bool, state: str):
    monkeypatch.setattr(places, "file_system", lambda path: "nfs4")
    kind = found(tmp_path, local)["library, file system"]
    assert (kind.value, kind.state) == ("nfs4", state) and "--library" in str(kind.remedy)
