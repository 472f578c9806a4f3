"""Sample tables of any size: a strange attractor to plot as points, a random walk to plot as a line.

Both are made in chunks that depend on nothing but the seed and the chunk's number, so threads make them in parallel and
the same arguments give the same rows whatever the number of threads.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from bigviz.commands.progress_bars import stage_bars
from bigviz.common.disk.atomic_file import written_aside
from bigviz.common.errors import BadInput
from bigviz.common.jit import jit
from bigviz.common.progress import Progress, RowMeter, no_progress
from bigviz.common.workers import usable_cores

Array = npt.NDArray[Any]
T = TypeVar("T")

CHUNK: Final = 1 << 20
DIRECTIONS: Final = ("east", "north-east", "north", "north-west", "west", "south-west", "south", "south-east")
CLIFFORD_SCHEMA: Final = pa.schema(
    [
        ("x", pa.float32()),
        ("y", pa.float32()),
        ("value", pa.float32()),
        ("kind", pa.dictionary(pa.int8(), pa.string())),
    ]
)
WALK_SCHEMA: Final = pa.schema([("time", pa.timestamp("ns")), ("value", pa.float64())])

WHAT_TO_LOOK_AT: Final = """\
What to look at:
  points  jumps of a chaotic map. Wheel to zoom: the fine lines keep dissolving into finer ones. Under "show" choose
          mean of value or by kind to colour cells by how far, or in which direction, the jumps go.
  walk    a random walk in time. Wheel over the time axis: from days down to single steps, with the gaps kept.
Press ? in the page for all keys. Every view has its own address: copy it to share what you see."""

_CONSTANTS: Final = (-1.4, 1.6, 1.0, 0.7)  # Clifford Pickover's attractor, in one of its well-known shapes
_SETTLE: Final = 1000  # steps until an orbit has reached the attractor
_START: Final = 1_420_070_400_000_000_000  # 2015-01-01 UTC
_PERIOD: Final = 1_000_000_000
_MOST_SECONDS: Final = 7_000_000_000  # from the start to before 2262, where int64 nanoseconds end
_ROWS_A_GAP: Final = 200_000
_GAP_ROWS: Final = 2_000


def clifford(
    rows: int,
    seed: int = 0,
    chunk: int = CHUNK,
    threads: int | None = None,
    constants: tuple[float, float, float, float] = _CONSTANTS,
) -> Iterator[pa.RecordBatch]:
    """Points of a Clifford attractor: x, y, value (float32) and kind (dictionary of 8 labels), `chunk` rows a batch.

    A point is the end of a jump; `value` is the jump's length and `kind` its direction by the compass. `constants` are
    the a, b, c, d of the map. Raises BadInput for fewer than 0 rows or a chunk of none.
    """

    def make(index: int, size: int) -> pa.RecordBatch:
        start = np.random.default_rng((seed, index)).uniform(-1.0, 1.0, 2)
        points = np.empty((3, size), np.float32)
        kinds = np.empty(size, np.int8)
        _orbit(start, np.array(constants), _SETTLE, points, kinds)
        labels = pa.DictionaryArray.from_arrays(pa.array(kinds), pa.array(DIRECTIONS))
        return pa.record_batch([*map(pa.array, points), labels], schema=CLIFFORD_SCHEMA)

    return _in_order(make, _sizes(rows, chunk), threads)


def random_walk(rows: int, seed: int = 0, chunk: int = CHUNK, threads: int | None = None) -> Iterator[pa.RecordBatch]:
    """A random walk sampled about once a second: time (timestamp[ns], increasing) and value (float64, null in gaps).

    Stamps are up to a fifth of a second off the full second. There is a gap every 200,000 rows or so, of about 2,000
    rows, and the walk goes on within it. Raises BadInput for fewer than 0 rows, a chunk of none, or too many rows for
    the years that nanoseconds reach.
    """
    if rows > _MOST_SECONDS:
        raise BadInput(f"a random walk has at most {_MOST_SECONDS:,} rows, got {rows:,}", "rows", rows)

    def make(index: int, size: int) -> tuple[Array, Array, Array]:
        random = np.random.default_rng((seed, index))
        times = np.arange(index * chunk, index * chunk + size, dtype=np.int64) * _PERIOD + _START
        times += random.integers(-_PERIOD // 5, _PERIOD // 5, size)
        walk = np.cumsum(random.standard_normal(size))
        return times, walk, _gaps(random, size)

    def batches() -> Iterator[pa.RecordBatch]:
        level = 0.0
        for times, walk, missing in _in_order(make, _sizes(rows, chunk), threads):
            walk += level
            level = walk[-1] if len(walk) else level
            arrays = [pa.array(times, pa.timestamp("ns")), pa.array(walk, mask=missing)]
            yield pa.record_batch(arrays, schema=WALK_SCHEMA)

    return batches()


def write_parquet(
    path: Path | str, batches: Iterable[pa.RecordBatch], rows: int, progress: Progress = no_progress
) -> None:
    """Write batches as a Parquet file, one row group each, with page checksums; the file appears when it is whole.

    `rows` is the number of rows expected, for `progress("writing", done, rows so far)`. Floats of a sample do not
    compress, so only the labels are encoded. Raises BadInput where the file cannot be written.
    """
    rest = iter(batches)
    first = next(rest, None)
    if first is None:
        raise BadInput("nothing to write: there is no batch", "rows", rows)
    meter = RowMeter("writing", rows, progress)
    labelled = _labelled(first.schema)
    with (
        written_aside(Path(path), sync=False) as file,
        pq.ParquetWriter(
            file, first.schema, compression="none", use_dictionary=labelled, write_page_checksum=True
        ) as writer,
    ):
        for batch in chain([first], rest):
            writer.write_batch(batch, row_group_size=max(batch.num_rows, 1))
            meter.add(batch.num_rows)


def write_samples(directory: Path, rows: int) -> list[Path]:
    """Write points.parquet and walk.parquet to a directory, with a bar for each: their paths. A file that has so many
    rows already stays. The directory is made where there is none (OSError where that fails)."""
    made = {"points": clifford, "walk": random_walk}
    paths = {name: directory / f"{name}.parquet" for name in made}
    missing = {name: path for name, path in paths.items() if not _has_rows(path, rows)}
    directory.mkdir(parents=True, exist_ok=True)
    with stage_bars() as tell:
        for name, path in missing.items():

            def tell_of(stage: str, done: float, count: int, path: Path = path) -> None:
                tell(f"{stage} {path}", done, count)

            write_parquet(path, made[name](rows), rows, tell_of)
    return list(paths.values())


def _has_rows(path: Path, rows: int) -> bool:
    try:
        return bool(pq.read_metadata(path).num_rows == rows)
    except (OSError, ValueError):
        return False


def _labelled(schema: pa.Schema) -> list[str]:
    return [field.name for field in schema if pa.types.is_dictionary(field.type)]


def _sizes(rows: int, chunk: int) -> list[int]:
    """Rows of each chunk; one empty chunk where there are no rows, so that a schema still arrives."""
    if rows < 0:
        raise BadInput(f"rows must be 0 or more, got {rows}", "rows", rows)
    if chunk < 1:
        raise BadInput(f"a chunk has at least 1 row, got {chunk}", "chunk", chunk)
    return [min(chunk, rows - start) for start in range(0, rows, chunk)] or [0]


def _in_order(make: Callable[[int, int], T], sizes: list[int], threads: int | None) -> Iterator[T]:
    """`make(index, size)` of each chunk, in order, made by threads that run at most twice their number ahead."""
    workers = threads or usable_cores()
    waiting: deque[Future[T]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for index, size in enumerate(sizes):
                waiting.append(pool.submit(make, index, size))
                if len(waiting) > 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _gaps(random: np.random.Generator, size: int) -> Array:
    """A mask that is True within gaps."""
    missing = np.zeros(size, np.bool_)
    for start in random.integers(0, max(size, 1), random.poisson(size / _ROWS_A_GAP)):
        missing[start : start + 1 + int(random.exponential(_GAP_ROWS))] = True
    return missing


@jit
def _orbit(start: Array, constants: Array, settle: int, points: Array, kinds: Array) -> None:
    """Iterate x' = sin(a y) + c cos(a x), y' = sin(b x) + d cos(b y); what follows the first `settle` is kept."""
    x, y = start[0], start[1]
    a, b, c, d = constants[0], constants[1], constants[2], constants[3]
    slope = math.sqrt(2.0) - 1.0  # tangent of 22.5 degrees, half a direction
    for k in range(-settle, kinds.size):
        across = math.sin(a * y) + c * math.cos(a * x) - x
        up = math.sin(b * x) + d * math.cos(b * y) - y
        x += across
        y += up
        if k < 0:
            continue
        points[0, k] = x
        points[1, k] = y
        points[2, k] = math.hypot(across, up)
        wide, tall = abs(across), abs(up)
        if tall <= slope * wide:
            kinds[k] = 0 if across >= 0.0 else 4
        elif wide <= slope * tall:
            kinds[k] = 2 if up >= 0.0 else 6
        elif up >= 0.0:
            kinds[k] = 1 if across >= 0.0 else 3
        else:
            kinds[k] = 7 if across >= 0.0 else 5
