"""Two workers of a Dask cluster, and files that they and one process read."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from distributed import Client, LocalCluster

from bigviz.data.dataset import Dataset
from bigviz.data.open import open_files
from bigviz.tiles.cluster.dask_engine import DaskEngine
from bigviz.tiles.cluster.local_cluster import started
from bigviz.tiles.cluster.worker_plugin import HostSettings
from bigviz.tiles.cluster.workers import Workers
from bigviz.tiles.engine import Engine

from ...patience import until


@pytest.fixture(scope="session")
def cluster() -> Iterator[LocalCluster]:
    with started(2) as made:
        yield made


@pytest.fixture(scope="session")
def shared_engine(cluster: LocalCluster) -> Iterator[DaskEngine]:
    workers = Workers(lambda: Client(cluster, set_as_default=False), HostSettings(None, None, 256 << 20, "never"))
    made = DaskEngine(workers, 16 << 20, 64 << 20, preview_rows=1000)
    yield made
    made.close()


@pytest.fixture
def engine(shared_engine: DaskEngine) -> DaskEngine:
    """Both workers are there: a test before may have killed one, and a table that is divided then has a single part."""

    def are_both_there() -> bool:
        if shared_engine.workers.known == 2:
            return True
        time.sleep(0.02)  # one is being started, on the same cores
        return False

    until(are_both_there)
    return shared_engine


@pytest.fixture(scope="session")
def alone() -> Engine:
    return Engine(16 << 20, threads=1, index_bytes=256 << 20, index="never", preview_rows=1000)


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Three files whose labels differ, with nulls, and with a row that is far from all others."""
    folder, rng = tmp_path_factory.mktemp("tables"), np.random.default_rng(5)
    for number, (rows, labels) in enumerate(((4000, "ac"), (3000, "bz"), (5000, "abq"))):
        x = rng.normal(number, 1, rows)
        x[:3], x[3] = np.nan, 1e9 if number == 1 else 0.0
        table = pa.table({
            "x": x,
            "y": rng.normal(0, 1, rows).astype(np.float32),
            "v": rng.integers(0, 100, rows),
            "f": rng.random(rows),
            "t": pa.array(rng.integers(0, 10**9, rows) * 10**9, pa.timestamp("ns")),
            "huge": rng.integers(0, 1 << 45, rows),
            "kind": pa.array(rng.choice([*labels], rows)),
            "n": rng.integers(0, 4, rows),
        })  # fmt: skip
        pq.write_table(table, folder / f"{number}.parquet", row_group_size=1500)
    return open_files(str(folder))


@pytest.fixture(scope="session")
def whole(dataset: Dataset) -> Dataset:
    """The same files for another engine, which has to find the labels of all rows itself."""
    assert dataset.origin is not None
    return open_files(dataset.origin.paths[0])


@pytest.fixture(scope="session")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Six files; y is missing here and there, also where one part ends and the next begins."""
    rng, rows, folder = np.random.default_rng(11), 9000, tmp_path_factory.mktemp("lines")
    ascending = np.sort(rng.integers(0, 3000, rows))
    ascending[4490:4510] = ascending[4500]
    y = np.round(rng.normal(0, 1, rows).cumsum(), 1).astype(np.float32)
    rare = y.copy()
    y[rng.random(rows) < 0.2], y[4400:4600] = np.nan, np.nan
    rare[[100, 101, 4499, 7499, 7500, 8000]] = np.nan
    missing = rng.random(rows) < 0.01
    shuffled = rng.permutation(ascending).astype(np.float64)
    shuffled[:5] = np.nan
    table = pa.table({
        "ascending": ascending,
        "stamp": pa.array(ascending * 10**12 + 17 * 10**17, pa.timestamp("ns")),
        "descending": np.concatenate([ascending[4500:], ascending[:4500]]),
        "shuffled": shuffled,
        "positive": rng.random(rows).astype(np.float32),
        "y": y,
        "rare": rare,
        "half": np.where(np.arange(rows) < 4000, y, np.nan_to_num(y, nan=1.0)),
        "full": np.round(rng.normal(0, 9, rows)),
        "whole": pa.array(rng.integers(-99, 99, rows).astype(np.int16), mask=missing),
        "kind": pa.array(np.where(np.arange(rows) < 6000, "a", rng.choice([*"bz"], rows))),
    })  # fmt: skip
    for number in range(6):
        pq.write_table(table.slice(1500 * number, 1500), folder / f"{number}.parquet", row_group_size=1000)
    return open_files(str(folder))


@pytest.fixture(scope="session")
def same_lines(lines: Dataset) -> Dataset:
    assert lines.origin is not None
    return open_files(lines.origin.paths[0])
