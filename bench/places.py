"""Where the benchmarks keep what they make: tables, stores, the peers' environments. Git ignores all of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

__all__ = ["CACHE", "RESULTS", "made"]

CACHE: Final = Path(os.environ.get("BIGVIZ_BENCH_CACHE", Path(__file__).parent / "cache"))
RESULTS: Final = Path(__file__).parent / "results"


def made(*parts: str) -> Path:
    """A directory under the cache, made if it is missing."""
    path = CACHE.joinpath(*parts)
    path.mkdir(parents=True, exist_ok=True)
    return path
