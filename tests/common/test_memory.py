"""What is free and what there is, where the system says and where it does not."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from typing import Any

import pytest

from bigviz.common import memory
from bigviz.common.cgroup.limits import MemoryLimit


@pytest.fixture(autouse=True)
def _no_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "memory_limits", list)


def test_the_tightest_group_counts_where_it_leaves_less(monkeypatch: pytest.MonkeyPatch) -> None:
    groups = [MemoryLimit(1 << 20, 1 << 19), MemoryLimit(1 << 21, (1 << 21) - 7), MemoryLimit(1 << 60, 0)]
    monkeypatch.setattr(memory, "memory_limits", lambda: groups)
    assert (memory.available_memory(), memory.total_memory()) == (7, 1 << 20)


def test_free_memory_is_what_the_kernel_says(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "MemTotal: 8 kB\nMemFree: 3 kB\nMemAvailable: 5 kB\n"
    monkeypatch.setattr(memory, "open", lambda *_, **__: io.StringIO(text), raising=False)
    assert memory.available_memory() == 5 * 1024
    assert memory.total_memory() > 1 << 20


def test_half_of_the_machine_where_it_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: Any, **__: Any) -> Any:
        raise FileNotFoundError

    for answer in (missing, lambda *_, **__: io.StringIO("MemTotal: 8 kB\n")):
        monkeypatch.setattr(memory, "open", answer, raising=False)
        assert memory.available_memory() == memory.total_memory() // 2


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's malloc")
def test_freed_memory_is_kept_whatever_the_environment_says() -> None:
    """A page of an array of a MiB is cleared by the kernel the first time it is used, not each time."""
    code = (
        "import resource, numpy as np\n"
        "from bigviz.common.memory import keep_freed\n"
        "keep_freed()\n"
        "def faults():\n"
        "    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "    for _ in range(100): np.zeros(1 << 20, np.uint8)[:] = 1\n"
        "    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before\n"
        "faults()\n"
        "print(faults())\n"
    )
    env = {**os.environ, "MALLOC_TRIM_THRESHOLD_": "65536"}
    found = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert int(found.stdout) < 5_000  # of 25,600
