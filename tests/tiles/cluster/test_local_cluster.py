"""What workers on this machine say of connections that break."""

from __future__ import annotations

import io
import logging

import pytest
from distributed import Client, LocalCluster

from bigviz.tiles.cluster import local_cluster


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What Dask's loggers write."""
    logger, text = logging.getLogger("distributed"), io.StringIO()
    monkeypatch.setattr(logger, "handlers", [logging.StreamHandler(text)])
    local_cluster.dask_setup()
    return text


def test_a_connection_that_breaks_is_told_in_one_line(told: io.StringIO) -> None:
    try:
        try:
            raise TimeoutError
        except TimeoutError as error:
            raise OSError("Timed out trying to connect\nto tls://127.0.0.1:1 after 5 s") from error
    except OSError:
        logging.getLogger("distributed.worker").exception("Failed to communicate with scheduler during heartbeat.")
    why = "Timed out trying to connect to tls://127.0.0.1:1 after 5 s"
    assert told.getvalue() == f"Failed to communicate with scheduler during heartbeat: {why}\n"


def test_what_is_no_connection_keeps_its_traceback(told: io.StringIO) -> None:
    try:
        raise KeyError("key")
    except KeyError:
        logging.getLogger("distributed.worker").exception("100% lost")
    assert told.getvalue().startswith("100% lost\nTraceback") and told.getvalue().endswith("KeyError: 'key'\n")


def test_workers_tell_so_too(cluster: LocalCluster) -> None:
    def filters() -> list[str]:
        handlers = logging.getLogger("distributed").handlers
        return [type(each).__name__ for handler in handlers for each in handler.filters]

    with Client(cluster, set_as_default=False) as client:
        assert set(map(tuple, client.run(filters).values())) == {("_OneLine",)}
