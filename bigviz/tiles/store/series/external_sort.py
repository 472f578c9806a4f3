"""Rows of a line in x order, out of core: dealt into buckets on the disk, each of which is sorted in memory.

The buckets' bounds are quantiles of a random sample of x, so a bucket holds about 2^21 rows; a number that is frequent
has a bucket of its own, which needs no sorting. Rows of equal x stay in file order.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.progress import no_progress
from bigviz.common.workers import Crew, slices
from bigviz.tiles.grid.batches import Batch, Streamed
from bigviz.tiles.grid.survey import numbers_of
from bigviz.tiles.morton.radix_sort import sort_keys
from bigviz.tiles.series.series import sortable
from bigviz.tiles.store.series.read_ahead import in_order

__all__ = ["BUCKET_PREFIX", "sorted_batches"]

Array = npt.NDArray[Any]

BUCKET_PREFIX: Final = "bucket-"
_BUCKET: Final = 1 << 21  # rows, about
_SAMPLE: Final = 256  # sampled rows for each bucket
_HELD: Final = 1 << 24  # rows that are dealt before buckets are written to the disk: 21 bytes each
_TOP: Final = np.uint64(1 << 63)


def sorted_batches(pairs: Streamed, folder: Path, crew: Crew) -> Iterator[tuple[Batch, Array]]:
    """The rows whose x is a number, in x order: batches, and the uint32 numbers of their rows.

    Buckets are files in `folder`, removed one by one. Memory: 2^24 rows of 21 bytes, and a bucket.
    """
    first = next(batch for piece in range(len(pairs.pieces)) for batch in pairs.read(piece, crew.cancel))
    dtype = first.x[0].dtype
    splitters = _splitters(pairs, crew.within("sampling the line", 0.0, 1.0, pairs.rows))
    record = np.dtype([("key", "u8"), ("row", "u4"), ("y", first.y[0].dtype), ("known", "u1")])
    counts = _deal(pairs, splitters, folder, record, crew.within("dealing rows", 0.0, 1.0, pairs.rows))
    for bucket in np.flatnonzero(counts).tolist():
        path = folder / f"{BUCKET_PREFIX}{bucket}"
        rows = np.memmap(path, record, "r")
        path.unlink()
        for keys, numbers, y, known in _in_order(rows, crew):
            crew.look()
            x = _numbers(keys, dtype)
            yield Batch(0, (x, None), (y, None if known.all() else known.astype(np.bool_))), numbers


def _in_order(rows: Array, crew: Crew) -> Iterator[tuple[Array, Array, Array, Array]]:
    """The columns of a bucket's rows by key, at most 2^20 rows at a time; a bucket of one key is in order already."""
    pieces = slices(len(rows))
    names = ("key", "row", "y", "known")
    if not any((rows["key"][start:stop] != rows["key"][0]).any() for start, stop in pieces):
        for start, stop in pieces:
            key, row, y, known = (np.ascontiguousarray(rows[name][start:stop]) for name in names)
            yield key, row, y, known
        return
    keys, order = np.ascontiguousarray(rows["key"]), np.arange(len(rows), dtype=np.uint32)
    keys, order = sort_keys(keys, order, pieces, replace(crew, progress=no_progress))
    row, y, known = (np.ascontiguousarray(rows[name])[order] for name in names[1:])
    for start, stop in pieces:
        yield keys[start:stop], row[start:stop], y[start:stop], known[start:stop]


def _splitters(pairs: Streamed, crew: Crew) -> npt.NDArray[np.uint64]:
    """The least key of each bucket but the first, ascending."""
    rng = np.random.default_rng(pairs.rows)
    buckets = -(-pairs.rows // _BUCKET)
    share = min(1.0, _SAMPLE * buckets / max(pairs.rows, 1))
    found: list[Array] = []
    for batch in in_order(pairs, crew):
        chosen = np.sort(rng.integers(0, batch.rows, rng.binomial(batch.rows, share)))
        xs, mask = numbers_of(*batch.x)
        found.append(sortable(xs[chosen] if mask is None else xs[chosen][mask[chosen]]))
    sample = np.sort(np.concatenate(found)) if found else np.empty(0, np.uint64)
    marks = sample[np.arange(1, buckets) * len(sample) // buckets] if len(sample) else sample
    frequent = marks[1:][marks[1:] == marks[:-1]]
    return np.unique(np.concatenate([marks, frequent + np.uint64(1)]))


def _deal(
    pairs: Streamed, splitters: npt.NDArray[np.uint64], folder: Path, record: np.dtype[Any], crew: Crew
) -> npt.NDArray[np.int64]:
    """Write every row into its bucket's file; how many rows each holds."""
    counts = np.zeros(len(splitters) + 1, np.int64)
    held: list[tuple[Array, Array]] = []
    waiting = 0
    for batch in in_order(pairs, crew):
        part, where = _keyed(batch, splitters, record)
        held.append((part, where))
        counts += where
        waiting += len(part)
        if waiting >= _HELD:
            _write(held, folder)
            held, waiting = [], 0
    _write(held, folder)
    return counts


def _keyed(batch: Batch, splitters: Array, record: np.dtype[Any]) -> tuple[Array, Array]:
    """A batch's rows in the order of their buckets, and how many each bucket has."""
    xs, x_mask = numbers_of(*batch.x)
    ys, y_mask = numbers_of(*batch.y)
    part = np.empty(batch.rows, record)
    part["key"], part["row"] = sortable(xs), np.arange(batch.first, batch.first + batch.rows)
    part["y"], part["known"] = ys, 1 if y_mask is None else y_mask
    if x_mask is not None:
        part = part[x_mask]
    buckets = np.searchsorted(splitters, part["key"], "right").astype(np.uint16)
    return part[np.argsort(buckets, kind="stable")], np.bincount(buckets, minlength=len(splitters) + 1)


def _write(held: list[tuple[Array, Array]], folder: Path) -> None:
    if not held:
        return
    ends = [np.cumsum(counts) for _, counts in held]
    for bucket in np.flatnonzero(sum(counts for _, counts in held)).tolist():
        pieces = [
            part[end[bucket] - counts[bucket] : end[bucket]] for (part, counts), end in zip(held, ends, strict=True)
        ]
        data = np.concatenate(pieces).view(np.uint8).data
        descriptor = os.open(folder / f"{BUCKET_PREFIX}{bucket}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            while len(data):
                data = data[os.write(descriptor, data) :]
        finally:
            os.close(descriptor)


def _numbers(keys: npt.NDArray[np.uint64], dtype: np.dtype[Any]) -> Array:
    """What `sortable` made keys of (but for the sign of zero)."""
    if dtype.kind == "u":
        return keys.astype(dtype)
    if dtype.kind == "i":
        return (keys ^ _TOP).view(np.int64).astype(dtype)
    return np.where(keys & _TOP, keys ^ _TOP, ~keys).view(np.float64).astype(dtype)
