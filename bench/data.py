"""The tables that are measured, written once into the cache, as Arrow (record batches of 2^20 rows) or as Parquet.

| table | columns |
| --- | --- |
| points | x, y, value float32 and kind (8 labels): jumps of a Clifford attractor |
| attractor | x, y float32 of another Clifford attractor, whose points lie closer on lines |
| cities | x, y float32, degrees: clusters of power-law sizes around 20,000 places, as a map of cities |
| log | x, y float32 = 10 to the power of the attractor's: positive, over four decades |
| grid | x, y int32: 3,000 distinct points, each over and over, in random order |
| labels | x, y, value of `points`, and kind: 64 labels, at random |
| flat | x float32 as that of points, y float32 = 3.25 in all rows |
| steps | x float32 as that of points, y int32 = 0, 1, 2 at random |
| line | x int32 = 0, 1, 2, ..., y float32: a random walk |
| irregular | x int64 nanoseconds at random distances (exponential, 1 ms in the mean), y float32: a random walk |
| gappy | x int32 = 0, 1, 2, ..., y float32: a random walk, half of it null at random |

All depend on nothing but the number of rows, and are made in chunks by as many threads as there are cores, so memory
stays at some tens of MB whatever the number of rows.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Literal, TypeVar

import numpy as np
import pyarrow as pa

from bench.places import made
from bigviz.commands.sample_tables import CHUNK, clifford, write_parquet

__all__ = ["Table", "arrow", "parquet", "sample_rows"]

Table = Literal["points", "attractor", "cities", "log", "grid", "labels", "flat", "steps", "line", "irregular", "gappy"]
T = TypeVar("T")

PLACES: Final = 3_000
LABELS: Final = 64
CITIES: Final = 20_000
ATTRACTOR: Final = (1.7, 1.7, 0.6, 1.2)
THREADS: Final = 2


def arrow(table: Table, rows: int) -> Path:
    """The table's Arrow file."""
    return _once(table, rows, "arrow", _write_arrow)


def parquet(table: Table, rows: int) -> Path:
    """The table's Parquet file: row groups of 2^20 rows with statistics, not compressed."""
    return _once(table, rows, "parquet", lambda path, batches: write_parquet(path, batches, rows))


def sample_rows(path: Path, count: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """x and y of `count` random rows of an Arrow file, as float64; only their record batches are looked at."""
    rng = np.random.default_rng(seed)
    with pa.memory_map(str(path)) as source:
        file = pa.ipc.open_file(source)
        batches = [file.get_batch(int(k)) for k in rng.integers(file.num_record_batches, size=count)]
        at = [int(rng.integers(batch.num_rows)) for batch in batches]
        x, y = ([float(b.column(name)[k].as_py()) for b, k in zip(batches, at, strict=True)] for name in ("x", "y"))
    return np.array(x), np.array(y)


def _once(table: Table, rows: int, kind: str, write: Callable[[Path, Iterable[pa.RecordBatch]], None]) -> Path:
    path = made("data") / f"{table}-{rows:.3g}.{kind}".replace("e+0", "e")
    if not path.exists():
        print(f"writing {path}", file=sys.stderr)
        aside = path.with_name(f"{path.name}.part")
        write(aside, _MAKERS[table](rows))
        with aside.open("rb") as file:
            os.fsync(file.fileno())  # else its way to the disk would be a part of what is timed next
        aside.rename(path)
    return path


def _write_arrow(path: Path, batches: Iterable[pa.RecordBatch]) -> None:
    rest = iter(batches)
    first = next(rest)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, first.schema) as writer:
        writer.write_batch(first)
        for batch in rest:
            writer.write_batch(batch)


def _attractor(rows: int) -> Iterator[pa.RecordBatch]:
    for batch in clifford(rows, constants=ATTRACTOR):
        yield batch.select(["x", "y"])


def _cities(rows: int) -> Iterator[pa.RecordBatch]:
    rng = np.random.default_rng(12)
    places = rng.uniform(-180.0, 180.0, CITIES), np.degrees(np.arcsin(rng.uniform(-0.8, 0.95, CITIES)))
    ranks = np.arange(1, CITIES + 1)
    shares = np.cumsum(ranks**-1.05)
    widths = 0.03 * rng.lognormal(0.0, 0.6, CITIES) * (1.0 + 3.0 * ranks**-0.3)

    def make(index: int, size: int) -> pa.RecordBatch:
        rng = np.random.default_rng((13, index))
        which = np.searchsorted(shares, rng.random(size) * shares[-1])
        away, turn = rng.standard_normal(size) * widths[which], rng.random(size) * 2.0 * np.pi
        lon = places[0][which] + away * np.cos(turn)
        lat = np.clip(places[1][which] + away * np.sin(turn), -85.0, 85.0)
        return pa.record_batch({"x": lon.astype(np.float32), "y": lat.astype(np.float32)})

    return _chunks(rows, make)


def _log(rows: int) -> Iterator[pa.RecordBatch]:
    for batch in clifford(rows):
        x, y = (np.power(10.0, batch.column(name).to_numpy()).astype(np.float32) for name in ("x", "y"))
        yield pa.record_batch({"x": x, "y": y})


def _grid(rows: int) -> Iterator[pa.RecordBatch]:
    places = np.random.default_rng(7).integers(-1_000_000, 1_000_000, (2, PLACES)).astype(np.int32)

    def make(index: int, size: int) -> pa.RecordBatch:
        which = np.random.default_rng((8, index)).integers(0, PLACES, size, dtype=np.int32)
        return pa.record_batch({"x": places[0][which], "y": places[1][which]})

    return _chunks(rows, make)


def _labels(rows: int) -> Iterator[pa.RecordBatch]:
    labels = pa.array([f"label {k:02}" for k in range(LABELS)])
    for index, batch in enumerate(clifford(rows)):
        codes = np.random.default_rng((10, index)).integers(0, LABELS, batch.num_rows, dtype=np.int8)
        kind = pa.DictionaryArray.from_arrays(pa.array(codes), labels)
        yield pa.record_batch([*batch.columns[:3], kind], names=["x", "y", "value", "kind"])


def _flat(rows: int) -> Iterator[pa.RecordBatch]:
    for batch in clifford(rows):
        yield pa.record_batch({"x": batch.column("x"), "y": np.full(batch.num_rows, 3.25, np.float32)})


def _steps(rows: int) -> Iterator[pa.RecordBatch]:
    for index, batch in enumerate(clifford(rows)):
        y = np.random.default_rng((10, index)).integers(0, 3, batch.num_rows, dtype=np.int32)
        yield pa.record_batch({"x": batch.column("x"), "y": y})


def _line(rows: int) -> Iterator[pa.RecordBatch]:
    for first, walk in _walk(rows):
        yield pa.record_batch({"x": np.arange(first, first + len(walk), dtype=np.int32), "y": walk})


def _irregular(rows: int) -> Iterator[pa.RecordBatch]:
    now = 1_700_000_000_000_000_000
    for first, walk in _walk(rows):
        gaps = np.random.default_rng((10, first // CHUNK)).standard_exponential(len(walk), dtype=np.float32)
        x = np.cumsum((gaps * np.float32(1e6)).astype(np.int64)) + now
        now = int(x[-1])
        yield pa.record_batch({"x": x, "y": walk})


def _gappy(rows: int) -> Iterator[pa.RecordBatch]:
    for first, walk in _walk(rows):
        x = np.arange(first, first + len(walk), dtype=np.int32)
        missing = np.random.default_rng((11, first // CHUNK)).random(len(walk), dtype=np.float32) < 0.5
        yield pa.record_batch({"x": x, "y": pa.array(walk, mask=missing)})


def _walk(rows: int) -> Iterator[tuple[int, np.ndarray]]:
    """(first row, float32 heights) of each chunk of a random walk."""

    def make(index: int, size: int) -> tuple[int, np.ndarray]:
        steps = np.random.default_rng((9, index)).standard_normal(size, dtype=np.float32)
        return index * CHUNK, np.cumsum(steps, dtype=np.float64)

    level = 0.0
    for first, walk in _chunks(rows, make):
        walk += level
        level = float(walk[-1])
        yield first, walk.astype(np.float32)


def _chunks(rows: int, make: Callable[[int, int], T]) -> Iterator[T]:
    """`make(index, size)` of each chunk in order, by threads that are at most a few chunks ahead."""
    sizes = [min(CHUNK, rows - start) for start in range(0, rows, CHUNK)]
    with ThreadPoolExecutor(THREADS) as pool:
        for at in range(0, len(sizes), 2 * THREADS):
            some = sizes[at : at + 2 * THREADS]
            yield from pool.map(make, range(at, at + len(some)), some)


_MAKERS: Final[dict[Table, Callable[[int], Iterator[pa.RecordBatch]]]] = {
    "points": clifford,
    "attractor": _attractor,
    "cities": _cities,
    "log": _log,
    "grid": _grid,
    "labels": _labels,
    "flat": _flat,
    "steps": _steps,
    "line": _line,
    "irregular": _irregular,
    "gappy": _gappy,
}
