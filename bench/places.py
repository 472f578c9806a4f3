"""Where the benchmarks keep what they make: tables, stores, environments of peers; and what of it is published."""

from __future__ import annotations

import gc
import os
import shutil
from pathlib import Path
from typing import Final

__all__ = ["CACHE", "LARGE", "PUBLISHED", "RESULTS", "made", "tidy"]

CACHE: Final = Path(os.environ.get("BIGVIZ_BENCH_CACHE", Path(__file__).parent / "cache"))
RESULTS: Final = Path(__file__).parent / "results"
PUBLISHED: Final = Path(__file__).parent.parent / "docs" / "benchmarks.json"  # what README and docs show
LARGE: Final = 2 * 10**8  # rows, from which on tables do not all fit on the disk, nor peers' copies into memory


def made(*parts: str) -> Path:
    """A directory under the cache, made if it is missing."""
    path = CACHE.joinpath(*parts)
    path.mkdir(parents=True, exist_ok=True)
    return path


def tidy(but: str) -> None:
    """Remove tables, stores and scratch, but those whose names begin with `but`."""
    gc.collect()  # files that are still mapped would keep their place on the disk
    for folder in ("data", "stores", "scratch"):
        for path in made(folder).iterdir():
            if path.name.startswith(but):
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
