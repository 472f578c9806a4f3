from __future__ import annotations

import pytest

from bigviz.common.errors import TooLarge
from bigviz.data import limits


def test_memory_is_asked_for_only_where_it_matters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "available_memory", lambda: 10**8)
    limits.require_memory(1000, "It")
    limits.require_memory(10**8, "It")
    with pytest.raises(TooLarge, match=r"It needs 2\.0 GB of memory and 0\.1 GB are free"):
        limits.require_memory(2 * 10**9, "It")


def test_rows() -> None:
    limits.require_rows(2**32 - 1, "It")
    with pytest.raises(TooLarge, match="It has 4,294,967,296 rows"):
        limits.require_rows(2**32, "It")
