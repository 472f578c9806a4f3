"""Whom a server believes: schedulers with Dask's TLS, and workers that run the same version of bigviz."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from bigviz.common.errors import BadInput
from bigviz.tiles.cluster.connect import connect
from bigviz.tiles.cluster.options import ClusterOptions
from bigviz.tiles.cluster.worker_plugin import HostSettings

from ...dask_cluster import DaskCluster, dask_cluster
from ...patience import until
from ...server.certificates import Certificates

SETTINGS = HostSettings(None, None, 64 << 20, "never")
OLD = "0.0.1"


def made(folder: Path) -> tuple[Path, Path, Path]:
    """An authority, and a certificate of it with its key."""
    folder.mkdir(exist_ok=True)
    issued = Certificates.at(folder)
    issued.authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    return folder / "ca.pem", issued.certificate, issued.key


def words(files: tuple[Path, Path, Path]) -> tuple[object, ...]:
    names = ("--tls-ca-file", "--tls-cert", "--tls-key")
    return "--protocol", "tls", *(word for pair in zip(names, files, strict=True) for word in pair)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    return made(tmp_path_factory.mktemp("own"))


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory, own: tuple[Path, Path, Path]) -> Iterator[DaskCluster]:
    with dask_cluster(tmp_path_factory.mktemp("secured"), 0, words(own)) as found:
        yield found


def test_a_scheduler_and_a_server_that_show_each_other_certificates_talk(
    secured: DaskCluster, own: tuple[Path, Path, Path]
) -> None:
    with pytest.raises(BadInput, match="has no workers"):  # as the scheduler told
        connect(ClusterOptions(secured.address, None, *own), SETTINGS)


def test_certificates_of_another_authority_and_none_at_all_are_not_enough(
    secured: DaskCluster, own: tuple[Path, Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bigviz.tiles.cluster.connect._SECONDS", 2)
    foreign = made(tmp_path / "foreign")
    for options in (
        ClusterOptions(secured.address, None, *foreign),
        ClusterOptions(secured.address, None, own[0], foreign[1], foreign[2]),
        ClusterOptions(secured.address),
        ClusterOptions(secured.address.replace("tls", "tcp")),
    ):
        with pytest.raises(BadInput, match="No Dask scheduler answers"):
            connect(options, SETTINGS)


@pytest.mark.big
def test_workers_show_certificates_too(secured: DaskCluster, own: tuple[Path, Path, Path]) -> None:
    secured.until_registered(secured.start_worker())
    workers = connect(ClusterOptions(secured.address, None, *own), SETTINGS)
    assert workers.known == 1
    workers.close()


@pytest.mark.big
def test_a_worker_of_another_version_is_not_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "sitecustomize.py").write_text(f"import bigviz\nbigviz.__version__ = {OLD!r}\n")
    with dask_cluster(tmp_path, 1) as cluster, caplog.at_level(logging.WARNING, "bigviz"):
        workers = connect(ClusterOptions(cluster.address), SETTINGS)
        cluster.start_worker({"PYTHONPATH": str(tmp_path / "old")})
        until(lambda: f"runs bigviz {OLD}" in caplog.text)  # one that comes later
        assert workers.known == 1
        workers.close()
        with pytest.raises(BadInput, match=f"runs bigviz {OLD}, this is .*: install the same one"):
            connect(ClusterOptions(cluster.address), SETTINGS)
