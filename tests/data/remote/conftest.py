"""A real S3 server, a server of ranges, and little patience with both."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bigviz.data.remote import settings
from bigviz.data.remote.settings import Patience
from bigviz.data.remote.stores import store_of
from bigviz.data.remote.transfers import host_of

from .range_server import RangeServer, range_server


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    few = Patience(connect=5, silence=5, request=20, retries=2, total=40, wait=0.01, most_wait=0.02, piece=5)
    monkeypatch.setattr(settings, "PATIENCE", few)
    store_of.cache_clear()
    host_of.cache_clear()
    yield
    store_of.cache_clear()
    host_of.cache_clear()


@pytest.fixture
def web() -> Iterator[RangeServer]:
    with range_server() as told:
        yield told


@dataclass(frozen=True)
class Bucket:
    """A bucket of a server of S3, and boto3's client of it."""

    name: str
    client: Any
    endpoint: str

    def put(self, key: str, data: bytes | Path) -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=data if isinstance(data, bytes) else data.read_bytes())

    def put_tree(self, folder: Path, prefix: str) -> None:
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            self.put(f"{prefix}/{path.relative_to(folder).as_posix()}", path)

    def at(self, key: str = "") -> str:
        return f"s3://{self.name}/{key}"


@pytest.fixture(scope="session")
def _s3_endpoint() -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from moto.server import ThreadedMotoServer  # noqa: PLC0415
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


_numbers = iter(range(1 << 20))
_lock = threading.Lock()


@pytest.fixture
def bucket(_s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """An empty bucket, which the environment names with its keys."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3", "AWS_SKIP_SIGNATURE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKTEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "kept-secret")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", _s3_endpoint)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import boto3  # noqa: PLC0415

        client = boto3.client("s3", endpoint_url=_s3_endpoint, region_name="us-east-1")
    with _lock:
        name = f"tables-{next(_numbers)}"
    client.create_bucket(Bucket=name)
    return Bucket(name, client, _s3_endpoint)
