"""What is free and what there is, where the system says and where it does not."""

from __future__ import annotations

import io
from typing import Any

import pytest

from bigviz.common import memory


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
