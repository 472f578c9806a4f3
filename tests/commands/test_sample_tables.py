"""The samples: deterministic, in order, shaped as promised, written whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bigviz.commands.sample_tables import CLIFFORD_SCHEMA, DIRECTIONS, WALK_SCHEMA, clifford, random_walk, write_parquet
from bigviz.common.errors import BadInput

BOTH = pytest.mark.parametrize("make", [clifford, random_walk])


def table(make: Any, rows: int, **options: Any) -> pa.Table:
    return pa.Table.from_batches(make(rows, **options))


@BOTH
def test_threads_change_nothing_and_seeds_do(make: Any) -> None:
    one = table(make, 10_000, chunk=1_000, threads=1)
    assert one.equals(table(make, 10_000, chunk=1_000, threads=4))
    assert not one.equals(table(make, 10_000, chunk=1_000, seed=1))
    assert not one.slice(0, 1_000).equals(one.slice(1_000, 1_000))


@BOTH
@pytest.mark.parametrize(("rows", "sizes"), [(0, [0]), (1, [1]), (10, [4, 4, 2]), (8, [4, 4])])
def test_chunks(make: Any, rows: int, sizes: list[int]) -> None:
    assert [batch.num_rows for batch in make(rows, chunk=4)] == sizes


@BOTH
def test_bad_sizes(make: Any) -> None:
    with pytest.raises(BadInput, match="rows must be 0 or more, got -1"):
        list(make(-1))
    with pytest.raises(BadInput, match="at least 1 row"):
        list(make(5, chunk=0))


def test_walk_ends_where_nanoseconds_do() -> None:
    with pytest.raises(BadInput, match="at most 7,000,000,000 rows"):
        random_walk(8_000_000_000)


def test_attractor() -> None:
    points = table(clifford, 50_000)
    assert points.schema == CLIFFORD_SCHEMA
    x, y, length = (points[name].to_numpy() for name in ("x", "y", "value"))
    assert np.isfinite(x).all() and abs(x).max() < 2.1 and abs(y).max() < 1.8
    across, up = np.diff(x.astype(float)), np.diff(y.astype(float))
    assert np.allclose(length[1:], np.hypot(across, up), atol=1e-5)
    octant = np.round(np.arctan2(up, across) / (np.pi / 4)) % 8
    clear = abs(np.arctan2(up, across) / (np.pi / 4) % 1 - 0.5) > 1e-4  # not on the line between two directions
    kinds = points["kind"].combine_chunks()
    assert kinds.dictionary.to_pylist() == list(DIRECTIONS)
    assert np.array_equal(kinds.indices.to_numpy()[1:][clear], octant[clear])
    assert len(np.unique(octant)) == 8


def test_walk() -> None:
    walk = table(random_walk, 600_000, chunk=100_000)
    assert walk.schema == WALK_SCHEMA
    times = walk["time"].to_numpy().view(np.int64)
    steps = np.diff(times)
    assert steps.min() >= 600_000_000 and steps.max() <= 1_400_000_000
    values = walk["value"].to_numpy()
    assert walk["value"].null_count == np.isnan(values).sum() > 100
    jumps = np.diff(values)
    assert np.nanmax(abs(jumps)) < 7  # also from one chunk to the next
    assert np.nanstd(jumps) == pytest.approx(1.0, abs=0.01)


def test_written_whole(tmp_path: Path) -> None:
    seen: list[tuple[str, float, int]] = []
    path = tmp_path / "points.parquet"
    write_parquet(path, clifford(2_500, chunk=1_000), 2_500, lambda *step: seen.append(step))
    assert pq.read_table(path).equals(table(clifford, 2_500, chunk=1_000))
    assert pq.ParquetFile(path).num_row_groups == 3
    assert seen == [("writing", 0.4, 1_000), ("writing", 0.8, 2_000), ("writing", 1.0, 2_500)]


def test_nothing_is_left_of_a_write_that_fails(tmp_path: Path) -> None:
    def broken() -> Any:
        yield from clifford(10)
        raise RuntimeError("halfway")

    with pytest.raises(RuntimeError, match="halfway"):
        write_parquet(tmp_path / "points.parquet", broken(), 20)
    with pytest.raises(BadInput, match="nothing to write"):
        write_parquet(tmp_path / "points.parquet", iter(()), 0)
    assert not list(tmp_path.iterdir())


def test_no_rows_make_a_file_with_a_schema(tmp_path: Path) -> None:
    write_parquet(tmp_path / "none.parquet", random_walk(0), 0)
    assert pq.read_table(tmp_path / "none.parquet").schema == WALK_SCHEMA


def test_a_reader_that_stops_early_ends_the_threads() -> None:
    batches = clifford(1_000_000, chunk=1_000, threads=2)
    assert next(batches).num_rows == 1_000
    batches.close()  # type: ignore[attr-defined]
    with pytest.raises(StopIteration):
        next(batches)
