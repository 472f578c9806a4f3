"""Workers and schedulers that are killed, stopped and started while somebody looks: nothing wrong is told as exact, all
of it is exact again afterwards, and pages stay connected. `make test-faults` does all of it ten times."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bigviz.data.open import open_files

from ...dask_cluster import DaskCluster, dask_cluster
from ...server.processes.front_ends import front_ends
from .watch import Watch

ROWS = 1 << 21  # from which on there are estimates while rows are indexed
FIRST = pytest.param(0)
ROUNDS = [FIRST, *(pytest.param(each, marks=pytest.mark.big) for each in range(1, 10))]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    with dask_cluster(tmp_path_factory.mktemp("cluster")) as found:
        yield found


@pytest.fixture(scope="module")
def watch(cluster: DaskCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watch]:
    folder, rng = tmp_path_factory.mktemp("table"), np.random.default_rng(0)
    table = pa.table({name: rng.normal(size=ROWS).astype(np.float32) for name in "xy"})
    pq.write_table(table, folder / "t.parquet", row_group_size=ROWS // 8)
    path = str(folder / "t.parquet")
    with (
        front_ends(path, "--x", "x", "--y", "y", "--scheduler", cluster.address, count=1) as server,
        Watch(server.url, "t", open_files(path)).looking() as found,
    ):
        found.until_exact_again(2)
        yield found


@pytest.mark.parametrize("number", ROUNDS)
def test_a_worker_is_killed_and_another_comes_with_an_empty_disk(
    watch: Watch, cluster: DaskCluster, number: int
) -> None:
    lost = cluster.workers.pop(number % 2)
    cluster.kill(lost)
    shutil.rmtree(cluster.cache_of(lost), ignore_errors=True)
    watch.until_exact_again(1)
    cluster.start_worker()
    watch.until_exact_again(2)


@pytest.mark.big
@pytest.mark.parametrize("number", range(10))
def test_a_worker_hangs(watch: Watch, cluster: DaskCluster, number: int) -> None:
    hanging = cluster.workers.pop(number % 2)
    cluster.stop(hanging)
    watch.until_exact_again(1)
    cluster.kill(hanging)
    cluster.start_worker()
    watch.until_exact_again(2)


@pytest.mark.big
@pytest.mark.parametrize("number", range(10))
def test_a_worker_hangs_for_a_while(watch: Watch, cluster: DaskCluster, number: int) -> None:
    hanging = cluster.workers[number % 2]
    cluster.stop(hanging)
    watch.until_exact_again(1)
    cluster.go_on(hanging)
    watch.until_exact_again(2)


@pytest.mark.big
@pytest.mark.parametrize("number", range(10))
def test_all_workers_are_killed(watch: Watch, cluster: DaskCluster, number: int) -> None:
    for lost in (cluster.workers.pop(), cluster.workers.pop()):
        cluster.kill(lost)
    for _ in range(2):
        cluster.start_worker()
    watch.until_exact_again(2)


@pytest.mark.big
@pytest.mark.parametrize("number", range(10))
def test_the_scheduler_is_gone_and_comes_back(watch: Watch, cluster: DaskCluster, number: int) -> None:
    assert cluster.scheduler is not None
    cluster.kill(cluster.scheduler)
    while cluster.workers:
        cluster.kill(cluster.workers.pop())
    cluster.start_scheduler()
    for _ in range(2):
        cluster.start_worker()
    watch.until_exact_again(2)
