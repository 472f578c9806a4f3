"""The stores that the cases read: made by `bigviz index`, as a user would, and kept in the cache."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa

from bench.memory import run_watched
from bench.places import made

__all__ = ["COLUMNS", "build", "in_memory", "of", "phases"]

IN_MEMORY: Final = 1 << 24  # rows of a table that bigviz orders in memory rather than on the disk
COLUMNS: Final = ("value", "kind")


def in_memory(path: Path) -> bool:
    """Whether a table is small enough that bigviz makes no store of it."""
    with pa.memory_map(str(path)) as source:
        return bool(pa.ipc.open_file(source).num_record_batches * (1 << 20) < IN_MEMORY)


def of(path: Path, columns: Sequence[str] = (), aggs: Sequence[str] = (), **layer: str) -> Path | None:
    """The directory with a table's store, with pyramids of `aggs`, built unless it is there; None for a table that
    needs none.

    One store a table is kept: one without `columns` makes place for one with them, which serves both from then on.
    """
    if in_memory(path):
        return None
    plain, full = (made("stores") / f"{path.stem}{more}" for more in ("", "-columns"))
    folder = next((each for each in ((full,) if columns else (full, plain)) if each.exists()), None)
    if folder is None:
        folder = full if columns else plain
        shutil.rmtree(plain, ignore_errors=True)
        build(path, folder, columns, **layer)
    for agg in aggs:
        _index(path, folder, columns, agg=agg, **layer)
    return folder


def build(path: Path, folder: Path | None = None, columns: Sequence[str] = (), **layer: str) -> tuple[float, int]:
    """Build a table's store again: seconds of `bigviz index`, and its peak of anonymous memory in bytes."""
    folder = folder or made("stores") / path.stem
    shutil.rmtree(folder, ignore_errors=True)
    try:
        return _index(path, folder, columns, **layer)
    except subprocess.CalledProcessError:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def phases(folder: Path, began: float) -> tuple[float, float]:
    """Seconds from `began` (`time.time`) until the order of the one store in a folder was whole, and from then until
    its one pyramid was: when their manifests were written, which is the last thing that is done."""
    (order,) = folder.glob("*/manifest.json")
    (tiles,) = folder.glob("*/pyramids/*/manifest.json")
    whole = order.stat().st_mtime
    return whole - began, tiles.stat().st_mtime - whole


def _index(path: Path, folder: Path, columns: Sequence[str], **layer: str) -> tuple[float, int]:
    options = [f"--columns={','.join(columns)}"] if columns else []
    options += [f"--{name}={value}" for name, value in layer.items()]
    where = ["--out", str(folder), "--store-limit=1TB"]
    command = [sys.executable, "-m", "bigviz", "index", str(path), "--x=x", "--y=y", *options, *where]
    return run_watched(command)
