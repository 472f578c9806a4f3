"""Two servers that share workers: these hold and measure rows once for both, and both follow rows that move."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import numpy as np
import pytest
from distributed import LocalCluster

from bigviz.aggregate.layer import Layer
from bigviz.data.dataset import Dataset
from bigviz.data.open import open_files
from bigviz.tiles.cluster.connect import connect
from bigviz.tiles.cluster.dask_engine import DaskEngine
from bigviz.tiles.cluster.local_cluster import started
from bigviz.tiles.cluster.options import ClusterOptions
from bigviz.tiles.cluster.parts import moves
from bigviz.tiles.cluster.worker_plugin import HostSettings
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.tile_key import TileKey

from ...patience import until

LAYER = Layer("points", "x", "y", "mean(f)")
KEY = TileKey(0, 0, 0, 0)


@pytest.fixture
def one_worker(tmp_path: Path) -> Iterator[tuple[LocalCluster, ClusterOptions]]:
    with started(1) as cluster:
        security = cluster.security
        files = {"ca": security.tls_ca_file, "certificate": security.tls_client_cert, "key": security.tls_client_key}
        paths = {name: tmp_path / f"{name}.pem" for name in files}
        for name, text in files.items():
            paths[name].write_text(text)
        yield cluster, ClusterOptions(cluster.scheduler_address, None, **paths)


@pytest.fixture
def servers(
    one_worker: tuple[LocalCluster, ClusterOptions], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[DaskEngine]]:
    for name in ("_SETTLES", "_UNTIL_LEFT"):
        monkeypatch.setattr(moves, name, 0.2)
    settings = HostSettings(None, None, 256 << 20, "never")
    made = [
        DaskEngine(connect(one_worker[1], settings, tmp_path / "parts"), 16 << 20, 64 << 20, preview_rows=1000)
        for _ in range(2)
    ]
    yield made
    for each in made:
        each.close()


def held(server: DaskEngine) -> list[int]:
    """How many parts each worker has open."""

    def count(dask_worker: Any) -> int:
        return len(dask_worker.plugins["bigviz"].tables._parts)

    return list(server.workers._members._client.run(count).values())


def test_nobody_is_shown_what_workers_do(one_worker: tuple[LocalCluster, ClusterOptions]) -> None:
    """Dask's pages are at ports of their own, which any user of the machine can ask."""
    (worker,) = one_worker[0].scheduler.workers.values()
    for port in (one_worker[0].scheduler.http_server.port, worker.services["dashboard"]):
        for page in ("status", "info/main/workers.html", "json/counts.json", "system", "individual-workers"):
            with pytest.raises(HTTPError) as caught:
                urlopen(f"http://127.0.0.1:{port}/{page}")
            caught.value.close()
            assert caught.value.code == 404


def test_rows_are_held_once_and_move_for_both(
    one_worker: tuple[LocalCluster, ClusterOptions],
    servers: list[DaskEngine],
    alone: Engine,
    dataset: Dataset,
    whole: Dataset,
) -> None:
    tables = [dataset, whole]
    expected = alone.tile(open_files(dataset.origin.paths[0]), LAYER, KEY).arrays()[0]  # type: ignore[union-attr]

    def tiles() -> list[np.ndarray]:
        found = []
        for server, table in zip(servers, tables, strict=True):
            server.ensure(table, LAYER)
            found.append(server.tile(table, LAYER, KEY).arrays()[0])
        return found

    first = tiles()
    assert np.array_equal(*first, equal_nan=True)
    np.testing.assert_allclose(first[0], expected, rtol=1e-12)
    assert held(servers[0]) == [1]
    one_worker[0].scale(2)

    def is_moved() -> bool:
        facts = [server.holders(table, LAYER) for server, table in zip(servers, tables, strict=True)]
        return all(each is not None and each.holding == 2 and each.rows_held == dataset.num_rows for each in facts)

    until(is_moved)
    assert servers[0].workers.parts_of(dataset) == servers[1].workers.parts_of(whole)
    assert np.array_equal(*tiles(), equal_nan=True)
    until(lambda: held(servers[0]) == [1, 1])  # the former part is left, once both have moved
