"""Files that grow, and tables that follow them."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bigviz.data.dataset import Dataset
from bigviz.data.following.table import FollowedTable

from ...patience import PATIENCE


def write(path: Path, values: Sequence[float] | np.ndarray) -> Path:
    """A Parquet file of one column."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"v": values}), path)
    return path


def looked(table: FollowedTable, settle: bool = True) -> Dataset:
    """The version that looks come to: the last one before a look that finds nothing, after one that found something;
    with `settle` two in a row, since files that were just written wait for a second look."""
    found, quiet = None, 0
    end = time.monotonic() + PATIENCE
    while found is None or quiet < 1 + settle:
        assert time.monotonic() < end, "no new version came"
        new = table.look()
        found, quiet = (found, quiet + 1) if new is None else (new, 0)
        time.sleep(0.01)  # looks take turns with the clock of the file system
    return found


def grow(table: FollowedTable, before: Dataset) -> Dataset:
    """The same, of the lineage of the version before."""
    after = looked(table)
    assert after.lineage == before.lineage and after.version > before.version
    return after


def values_of(dataset: Dataset, name: str = "v") -> list[object]:
    """A column's values."""
    return list(dataset.arrow([name]).column(0).to_pylist())
