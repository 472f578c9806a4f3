"""Some rows of a dataset for a brush: a sample that answers until all of them are in order, and batches of a pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from bigviz.common.cancel import Cancel
from bigviz.data.columns.column import Column
from bigviz.data.columns.concat import joined
from bigviz.tiles.brush.prepared import Prepared

__all__ = ["SAMPLED", "batches", "sample_of"]

SAMPLED: Final = 1 << 19  # rows of a sample: a move of a brush over them takes some milliseconds
_BLOCKS: Final = 1 << 7  # in which rows are read that are not in memory
_PIECES: Final = _BLOCKS  # of a file that is read whole: blocks would touch all of them, and it is read anyway


def sample_of(prepared: Prepared, names: Sequence[str]) -> Prepared:
    """Half a million rows: each so many, at random places, of columns that are in memory or of files of some 10^8 rows,
    which are read into it, else in 128 blocks."""
    dataset = prepared.dataset
    rows = dataset.num_rows
    loaded = {column.info.name for column in dataset.loaded()}
    rng = np.random.default_rng(0)
    if len(dataset.chunks()) <= _PIECES or loaded.issuperset(names):
        edges = np.linspace(0, rows, SAMPLED + 1).astype(np.int64)
        some = edges[:-1] + (rng.random(SAMPLED) * (edges[1:] - edges[:-1])).astype(np.int64)
        return replace(prepared, some=some, columns={name: prepared.column(name).take(some) for name in names})
    size = SAMPLED // _BLOCKS
    starts = np.linspace(0, rows - size, _BLOCKS).astype(np.int64)
    parts: dict[str, list[Column]] = {name: [] for name in names}
    for start in starts.tolist():
        first = dataset.first_row + start
        for _, read in dataset.read_rows(list(names), first, first + size, prepared.crew.cancel):
            for name, column in zip(names, read, strict=True):
                parts[name].append(column)
    columns = {name: joined(each) for name, each in parts.items()}
    return replace(prepared, some=(starts[:, None] + np.arange(size)).reshape(-1), columns=columns)


def batches(prepared: Prepared, chunk: int, names: Sequence[str], cancel: Cancel) -> Iterator[Prepared]:
    """The rows of a piece of the dataset, at most 2^20 at a time."""
    for first, read in prepared.dataset.read(chunk, list(names), cancel):
        columns = dict(zip(names, read, strict=True))
        rows = len(read[0])
        yield replace(prepared, some=np.arange(first, first + rows), columns=columns)
