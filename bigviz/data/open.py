"""`bigviz.open`: from a path or an object to a dataset."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa

from bigviz.data.dataset import Dataset
from bigviz.data.errors import BadInput, NotFound
from bigviz.data.memory import MemorySource
from bigviz.data.parquet import ParquetSource

__all__ = ["open"]


def open(source: object, *, name: str | None = None) -> Dataset:
    """Open a table: a path, a directory, a glob, or an object that holds one."""
    if isinstance(source, Dataset):
        return source
    if isinstance(source, str | os.PathLike):
        path = os.fspath(source)
        if not os.path.exists(path):
            raise NotFound(f"There is no file {path}.", field="source", got=path)
        return Dataset(name or Path(path).stem, ParquetSource(str(path)))
    if isinstance(source, pa.Table):
        return Dataset(name or "table", MemorySource(source))
    if hasattr(source, "__arrow_c_stream__"):
        return Dataset(name or "table", MemorySource(pa.table(source)))
    raise BadInput(f"bigviz cannot open a {type(source).__name__}.", field="source")
