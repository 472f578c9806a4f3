"""Limits of control groups, of both versions, as the kernel and container engines lay them out."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from bigviz.common.cgroup.limits import MemoryLimit, core_limit, memory_limits


def laid_out(top: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    return top


def test_version_2_with_a_limit_above_the_own_group(tmp_path: Path) -> None:
    mount = laid_out(
        tmp_path / "fs",
        {
            "cgroup.controllers": "cpu memory",
            "user.slice/memory.max": "1000",
            "user.slice/memory.current": "700",
            "user.slice/memory.stat": "anon 500\ninactive_file 150\nactive_file 50",
            "user.slice/cpu.max": "150000 100000",
            "user.slice/app.service/memory.max": "max",
            "user.slice/app.service/memory.current": "600",
            "user.slice/app.service/cpu.max": "max 100000",
        },
    )
    own = laid_out(tmp_path, {"own": "0::/user.slice/app.service"}) / "own"
    assert memory_limits(mount, own) == [MemoryLimit(1000, 550)]
    assert memory_limits(mount, own)[0].free == 450
    assert core_limit(mount, own) == 1.5


def test_version_1_in_a_container_whose_group_is_mounted_at_the_top(tmp_path: Path) -> None:
    mount = laid_out(
        tmp_path / "fs",
        {
            "memory/memory.limit_in_bytes": "4000",
            "memory/memory.usage_in_bytes": "5000",
            "memory/memory.stat": "inactive_file 1\ntotal_inactive_file 500",
            "cpu,cpuacct/cpu.cfs_quota_us": "-1",
            "cpu,cpuacct/cpu.cfs_period_us": "100000",
        },
    )
    own = laid_out(tmp_path, {"own": "5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n1:name=systemd:/x"}) / "own"
    assert memory_limits(mount, own) == [MemoryLimit(4000, 4500)]
    assert memory_limits(mount, own)[0].free == 0
    assert core_limit(mount, own) == math.inf
    (mount / "cpu,cpuacct/cpu.cfs_quota_us").write_text("50000")
    assert core_limit(mount, own) == 0.5


def test_version_1_writes_a_huge_number_for_no_limit(tmp_path: Path) -> None:
    files = {"memory/memory.limit_in_bytes": str((1 << 63) - 4096), "memory/memory.usage_in_bytes": "5000"}
    own = laid_out(tmp_path, {"own": "5:memory:/"}) / "own"
    assert memory_limits(laid_out(tmp_path / "fs", files), own) == []


@pytest.mark.parametrize("text", ["", "nonsense", "0::/a/../..", "5:memory:"])
def test_without_groups_there_are_no_limits(tmp_path: Path, text: str) -> None:
    own = laid_out(tmp_path, {"own": text}) / "own"
    assert memory_limits(tmp_path / "missing", own) == [] and core_limit(tmp_path / "missing", own) == math.inf


def test_those_of_this_process_can_be_read() -> None:
    assert all(limit.most > 0 for limit in memory_limits()) and core_limit() > 0


def test_a_group_whose_name_is_no_ascii(tmp_path: Path) -> None:
    files = {"cgroup.controllers": "memory", "größe/memory.max": "1000", "größe/memory.current": "700"}
    mount = laid_out(tmp_path / "fs", files)
    own = laid_out(tmp_path, {"own": "0::/größe"}) / "own"
    assert memory_limits(mount, own) == [MemoryLimit(1000, 700)]
