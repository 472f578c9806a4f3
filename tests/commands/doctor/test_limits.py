"""What a process may have."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from bigviz.commands.doctor.limits import files, limits, memory, shared_memory


@pytest.mark.parametrize(
    ("most", "state"),
    [(64, "problem"), (255, "problem"), (256, "note"), (1_024, "note"), (2_100, "ok"), (resource.RLIM_INFINITY, "ok")],
)
def test_open_files(most: int, state: str):
    found = files(most)
    assert found.state == state and (found.remedy is None) == (state == "ok")
    assert found.remedy is None or "ulimit -n 2100" in found.remedy


def test_memory_and_shared_memory(tmp_path: Path):
    assert memory(8 << 30, 16 << 30).value == "8.6 GB free of 17.2 GB"
    assert memory(1 << 29, 1 << 30).state == "note"
    assert list(shared_memory(tmp_path / "none")) == []
    assert {each.name for each in limits()} >= {"open files", "memory"}
